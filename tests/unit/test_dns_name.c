/* SPDX-License-Identifier: Apache-2.0 */
#include "cat/dns_name.h"

#include <string.h>

#include "support/support.h"

/* Reads the name at `at` of a string literal's octets. */
#define READ(octets, where) read_text((octets), sizeof(octets) - 1, (where))

static size_t behind;

/* The name as text; NULL when it is refused, and then nothing has moved. */
static const char *
read_text(const char *octets, size_t bytes, size_t where)
{
	static char text[DNS_NAME_TEXT_MAX];
	struct dns_name name;

	behind = where;
	if (!dns_name_read((const uint8_t *)octets, bytes, &behind, &name)) {
		ck_assert_uint_eq(behind, where);
		return NULL;
	}
	ck_assert_uint_le(behind, bytes);
	ck_assert_uint_le(name.bytes, DNS_NAME_BYTES_MAX);
	ck_assert_uint_eq(dns_name_format(&name, text), strlen(text));
	return text;
}

START_TEST(plain_names)
{
	ck_assert_str_eq(READ("\0", 0), ".");
	ck_assert_uint_eq(behind, 1);
	ck_assert_str_eq(READ("\3www\7example\4test\0tail", 0),
			 "www.example.test.");
	ck_assert_uint_eq(behind, 18);
	ck_assert_str_eq(READ("head\1a\0", 4), "a.");
}
END_TEST

START_TEST(pointers_lead_back)
{
	ck_assert_str_eq(READ("?\3www\0\1a\300\1", 6), "a.www.");
	ck_assert_uint_eq(behind, 10);
	ck_assert_str_eq(READ("?\1b\0\300\1\300\4", 6), "b.");
	ck_assert_uint_eq(behind, 8);
	ck_assert_str_eq(READ("?\0\300\1", 2), ".");
}
END_TEST

START_TEST(pointers_that_do_not_lead_back_are_refused)
{
	ck_assert_ptr_null(READ("?\300\1\0", 1));	/* itself */
	ck_assert_ptr_null(READ("?\300\3\1a\0", 1));	/* forward */
	ck_assert_ptr_null(READ("?\1a\300\1\0", 1));	/* its own label */
	ck_assert_ptr_null(READ("?\300\3\300\1", 3));	/* there and back */
	ck_assert_ptr_null(READ("\1a\0\300\0", 3));	/* the id */
	ck_assert_ptr_null(READ("?\1a\0\377\377", 4));	/* outside */
	ck_assert_ptr_null(READ("?\1a\0\300", 4));	/* half a pointer */
}
END_TEST

START_TEST(work_is_bounded)
{
	uint8_t chain[2 + 2 * 200];
	struct dns_name name;
	size_t at;

	/* Each pointer leads to the one before it, the first to the root. */
	chain[0] = '?';
	chain[1] = 0;
	for (size_t i = 1; i <= 200; i++) {
		chain[2 * i] = (uint8_t)(0xc0 | (2 * i - 2) >> 8);
		chain[2 * i + 1] = (uint8_t)(2 * i - 2);
	}
	chain[3] = 1;
	at = 2 * 127;
	ck_assert(dns_name_read(chain, sizeof(chain), &at, &name));
	ck_assert_uint_eq(name.bytes, 1);
	at = 2 * 128;
	ck_assert(!dns_name_read(chain, sizeof(chain), &at, &name));
}
END_TEST

START_TEST(labels_and_names_have_limits)
{
	uint8_t octets[300];
	struct dns_name name;
	size_t at = 0;

	ck_assert_ptr_null(READ("\100aaaa", 0));
	ck_assert_ptr_null(READ("\200aaaa", 0));
	memset(octets, 'a', sizeof(octets));
	octets[0] = octets[64] = octets[128] = 63;
	octets[192] = 61;
	octets[254] = 0;
	ck_assert(dns_name_read(octets, sizeof(octets), &at, &name));
	ck_assert_uint_eq(name.bytes, 255);
	octets[192] = 62;
	octets[255] = 0;
	at = 0;
	ck_assert(!dns_name_read(octets, sizeof(octets), &at, &name));
	for (size_t i = 0; i < 254; i += 2)
		octets[i] = 1;
	octets[254] = 0;
	ck_assert(dns_name_read(octets, sizeof(octets), &at, &name));
	ck_assert_uint_eq(name.bytes, 255);
}
END_TEST

START_TEST(cut_names_are_refused)
{
	static const char whole[] = "?\1a\0\3www\7example\300\1";

	for (size_t bytes = 0; bytes < sizeof(whole) - 1; bytes++)
		ck_assert_ptr_null(read_text(whole, bytes, 4));
	ck_assert_str_eq(read_text(whole, sizeof(whole) - 1, 4),
			 "www.example.a.");
}
END_TEST

START_TEST(skipping_ends_where_reading_does)
{
	static const char octets[] = "?\1a\0\3www\300\1\0";
	size_t at = 4;

	ck_assert(dns_name_skip((const uint8_t *)octets, 10, &at));
	ck_assert_uint_eq(at, 10);
	ck_assert(dns_name_skip((const uint8_t *)octets, 11, &at));
	ck_assert_uint_eq(at, 11);
	ck_assert(!dns_name_skip((const uint8_t *)octets, 11, &at));
	for (size_t bytes = 0; bytes < 10; bytes++) {
		at = 4;
		ck_assert(!dns_name_skip((const uint8_t *)octets, bytes, &at));
		ck_assert_uint_eq(at, 4);
	}
}
END_TEST

START_TEST(text_is_escaped)
{
	ck_assert_str_eq(READ("\6.;()\\\"\5a b\0\xff\0", 0),
			 "\\.\\;\\(\\)\\\\\".a\\032b\\000\\255.");
}
END_TEST

START_TEST(the_longest_text_fits)
{
	uint8_t octets[255];
	char text[DNS_NAME_TEXT_MAX + 1];
	struct dns_name name;
	size_t at = 0;

	memset(octets, 0xff, sizeof(octets));
	octets[0] = octets[64] = octets[128] = 63;
	octets[192] = 61;
	octets[254] = 0;
	ck_assert(dns_name_read(octets, sizeof(octets), &at, &name));
	text[DNS_NAME_TEXT_MAX] = 'x';
	ck_assert_uint_lt(dns_name_format(&name, text), DNS_NAME_TEXT_MAX);
	ck_assert_int_eq(text[DNS_NAME_TEXT_MAX], 'x');
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("dns_name");

	support_add(suite, plain_names);
	support_add(suite, pointers_lead_back);
	support_add(suite, pointers_that_do_not_lead_back_are_refused);
	support_add(suite, work_is_bounded);
	support_add(suite, labels_and_names_have_limits);
	support_add(suite, cut_names_are_refused);
	support_add(suite, skipping_ends_where_reading_does);
	support_add(suite, text_is_escaped);
	support_add(suite, the_longest_text_fits);
	return support_run(suite);
}
