/* SPDX-License-Identifier: Apache-2.0 */
/* text, text_field and text_json: everything that ends up in a buffer. */
#include "cat/text.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "cat/text_field.h"
#include "cat/text_json.h"
#include "support/support.h"

static struct text text;

/* What has been put into the buffer since the last call. */
static const char *
taken(void)
{
	static char copy[TEXT_BUFFER_BYTES + 1];

	memcpy(copy, text.data, text.used);
	copy[text.used] = '\0';
	text.used = 0;
	return copy;
}

START_TEST(everything_arrives_in_order)
{
	char name[] = "/tmp/test_text.XXXXXX";
	int fd = mkstemp(name);
	static char large[3 * TEXT_BUFFER_BYTES];
	static char read_back[sizeof(large) + 1000];
	size_t at = 0;

	ck_assert_int_ge(fd, 0);
	unlink(name);
	for (size_t i = 0; i < sizeof(large); i++)
		large[i] = (char)('a' + i % 23);
	text_init(&text, fd);
	for (size_t step = 1; at < sizeof(large); step = step * 2 + 1) {
		size_t bytes = step < sizeof(large) - at ? step :
							   sizeof(large) - at;

		text_put(&text, large + at, bytes);
		at += bytes;
	}
	text_char(&text, '!');
	text_flush(&text);
	ck_assert_int_eq(text.error, 0);
	ck_assert_int_eq(pread(fd, read_back, sizeof(read_back), 0),
			 sizeof(large) + 1);
	ck_assert_mem_eq(read_back, large, sizeof(large));
	ck_assert_int_eq(read_back[sizeof(large)], '!');
	close(fd);
}
END_TEST

START_TEST(the_first_error_is_kept_and_the_rest_dropped)
{
	text_init(&text, -1);
	text_string(&text, "lost");
	text_flush(&text);
	ck_assert_int_eq(text.error, EBADF);
	ck_assert_uint_eq(text.used, 0);
	for (size_t i = 0; i < 3 * TEXT_BUFFER_BYTES; i++)
		text_char(&text, 'x');
	ck_assert_int_eq(text.error, EBADF);
	ck_assert_uint_le(text.used, TEXT_BUFFER_BYTES);
}
END_TEST

START_TEST(decimals)
{
	text_init(&text, -1);
	text_decimal(&text, 0);
	ck_assert_str_eq(taken(), "0");
	text_decimal(&text, UINT64_MAX);
	ck_assert_str_eq(taken(), "18446744073709551615");
	text_decimal_padded(&text, 42, 6);
	ck_assert_str_eq(taken(), "000042");
	text_decimal_padded(&text, 1234567, 6);
	ck_assert_str_eq(taken(), "1234567");
}
END_TEST

START_TEST(times_in_utc)
{
	setenv("TZ", "America/New_York", 1);
	text_init(&text, -1);
	text_field_time(&text, 0, 0);
	ck_assert_str_eq(taken(), "1970-01-01 00:00:00.000000");
	text_field_time(&text, 1795000000, 123456789);
	ck_assert_str_eq(taken(), "2026-11-18 11:06:40.123456");
	text_field_time(&text, 1795000000, 999);
	ck_assert_str_eq(taken(), "2026-11-18 11:06:40.000000");
	text_field_time(&text, 253402300800, UINT32_MAX);
	ck_assert_str_eq(taken(), "10000-01-01 00:00:00.4294967");
	text_field_time(&text, INT64_MAX, 1);
	ck_assert_str_eq(taken(), "");
}
END_TEST

START_TEST(addresses)
{
	static const uint8_t ipv6[16] = {0x20, 1, 0xd, 0xb8, [15] = 1};
	static const uint8_t mapped[16] = {[10] = 255, 255, 192, 0, 2, 1};

	text_init(&text, -1);
	ck_assert(text_field_address(&text, "\xc0\0\2\xff", 4));
	ck_assert_str_eq(taken(), "192.0.2.255");
	ck_assert(text_field_address(&text, ipv6, 16));
	ck_assert_str_eq(taken(), "2001:db8::1");
	ck_assert(text_field_address(&text, mapped, 16));
	ck_assert_str_eq(taken(), "::ffff:192.0.2.1");
	for (size_t bytes = 0; bytes < 16; bytes++) {
		if (bytes != 4)
			ck_assert(!text_field_address(&text, ipv6, bytes));
	}
	ck_assert(!text_field_address(&text, NULL, 0));
	ck_assert_str_eq(taken(), "");
}
END_TEST

START_TEST(quoted_text_is_printable)
{
	text_init(&text, -1);
	text_field_quoted(&text, "a\"b\\c\n\x7f\xff ", 9);
	ck_assert_str_eq(taken(), "\"a\\\"b\\\\c\\x0a\\x7f\\xff \"");
	text_field_quoted(&text, NULL, 0);
	ck_assert_str_eq(taken(), "\"\"");
}
END_TEST

static const struct {
	const char *octets;
	const char *json;
} strings[] = {
	{"", "\"\""},
	{"plain", "\"plain\""},
	{"\"\\/", "\"\\\"\\\\/\""},
	{"\x01\n\x1f\x7f", "\"\\u0001\\u000a\\u001f\\u007f\""},
	{"\xc3\xa4", "\"\xc3\xa4\""},
	{"\xe2\x82\xac", "\"\xe2\x82\xac\""},
	{"\xf0\x9f\x8c\x8d", "\"\xf0\x9f\x8c\x8d\""},
	{"\xf4\x8f\xbf\xbf", "\"\xf4\x8f\xbf\xbf\""},
	/* C1 control characters harm a terminal. */
	{"\xc2\x9b", "\"\\u009b\""},
	{"\xc2\xa0", "\"\xc2\xa0\""},
	/* Not UTF-8: lone, cut, overlong, surrogate, above U+10FFFF. */
	{"\x80", "\"\\ufffd\""},
	{"\xc3", "\"\\ufffd\""},
	{"\xc3x", "\"\\ufffdx\""},
	{"\xe2\x82", "\"\\ufffd\\ufffd\""},
	{"\xc0\xaf", "\"\\ufffd\\ufffd\""},
	{"\xc1\xbf", "\"\\ufffd\\ufffd\""},
	{"\xe0\x9f\xbf", "\"\\ufffd\\ufffd\\ufffd\""},
	{"\xf0\x8f\xbf\xbf", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""},
	{"\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""},
	{"\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""},
	{"\xf5\xff", "\"\\ufffd\\ufffd\""},
};

START_TEST(json_strings_are_always_utf8)
{
	text_init(&text, -1);
	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		text_json_string(&text, strings[i].octets,
				 strlen(strings[i].octets));
		ck_assert_str_eq(taken(), strings[i].json);
	}
	text_json_string(&text, "a\0b", 3);
	ck_assert_str_eq(taken(), "\"a\\u0000b\"");
}
END_TEST

/* RFC 4648 section 10. */
START_TEST(base64)
{
	static const char *const expected[] = {
		"\"\"", "\"Zg==\"", "\"Zm8=\"", "\"Zm9v\"", "\"Zm9vYg==\"",
		"\"Zm9vYmE=\"", "\"Zm9vYmFy\""};

	text_init(&text, -1);
	for (size_t bytes = 0; bytes < 7; bytes++) {
		text_json_base64(&text, "foobar", bytes);
		ck_assert_str_eq(taken(), expected[bytes]);
	}
	text_json_base64(&text, "\xfb\xef\xff", 3);
	ck_assert_str_eq(taken(), "\"++//\"");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("text");

	support_add(suite, everything_arrives_in_order);
	support_add(suite, the_first_error_is_kept_and_the_rest_dropped);
	support_add(suite, decimals);
	support_add(suite, times_in_utc);
	support_add(suite, addresses);
	support_add(suite, quoted_text_is_printable);
	support_add(suite, json_strings_are_always_utf8);
	support_add(suite, base64);
	return support_run(suite);
}
