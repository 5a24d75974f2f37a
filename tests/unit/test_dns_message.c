/* SPDX-License-Identifier: Apache-2.0 */
/* dns_message, dns_table, and quiet_packet's view of the same octets. */
#include "cat/dns_message.h"

#include <string.h>

#include "cat/dns_table.h"
#include "cat/quiet_packet.h"
#include "support/support.h"

#define QUESTION "\1a\0\0\1\0\1"
#define ADDRESS "\300\14\0\1\0\1\0\0\0\5\0\4\300\0\2\1"
/* OPT whose TTL begins with the upper bits 1: rcode 16 + the header's. */
#define OPT "\0\0\51\4\320\1\0\0\0\0\0"

#define READ(octets) \
	dns_message_read((const uint8_t *)(octets), sizeof(octets) - 1, \
			 &message)
#define QUIET(octets) \
	quiet_packet_read((const uint8_t *)(octets), sizeof(octets) - 1, \
			  &message.question)

static struct dns_message message;

START_TEST(header_and_question)
{
	ck_assert(READ("\x12\x34\xa9\x30\0\1\0\0\0\0\0\0" QUESTION));
	ck_assert_uint_eq(message.id, 0x1234);
	ck_assert_uint_eq(message.flags, 0xa930);
	ck_assert_uint_eq(message.opcode, 5);
	ck_assert_uint_eq(message.rcode, 0);
	ck_assert_uint_eq(message.counts[0], 1);
	ck_assert(message.has_question);
	ck_assert(message.whole);
	ck_assert_uint_eq(message.question.name.bytes, 3);
	ck_assert_uint_eq(message.question.type, 1);
	ck_assert_uint_eq(message.question.class, 1);
}
END_TEST

START_TEST(less_than_a_header_is_nothing)
{
	static const char header[12];

	for (size_t bytes = 0; bytes < sizeof(header); bytes++)
		ck_assert(!dns_message_read((const uint8_t *)header, bytes,
					    &message));
	ck_assert(dns_message_read((const uint8_t *)header, 12, &message));
	ck_assert(!message.has_question);
	ck_assert(message.whole);
	ck_assert(!dns_message_read(NULL, 0, &message));
}
END_TEST

START_TEST(opt_raises_the_response_code)
{
	ck_assert(READ("\0\0\x80\7\0\1\0\1\0\0\0\1" QUESTION ADDRESS OPT));
	ck_assert_uint_eq(message.rcode, 23);
	ck_assert(message.whole);
}
END_TEST

START_TEST(cut_messages_are_not_whole_but_keep_the_question)
{
	static const char octets[] =
		"\0\0\x80\7\0\1\0\1\0\0\0\1" QUESTION ADDRESS OPT;

	for (size_t bytes = 12; bytes < sizeof(octets) - 1; bytes++) {
		ck_assert(dns_message_read((const uint8_t *)octets, bytes,
					   &message));
		ck_assert(!message.whole);
		ck_assert_int_eq(message.has_question, bytes >= 19);
		ck_assert(!quiet_packet_read((const uint8_t *)octets, bytes,
					     &message.question));
	}
	ck_assert(READ("\0\0\x80\7\0\1\0\1\0\0\0\1" QUESTION ADDRESS OPT));
	ck_assert(QUIET("\0\0\x80\7\0\1\0\1\0\0\0\1" QUESTION ADDRESS OPT));
}
END_TEST

START_TEST(quiet_reads_rdata_as_ldns_does)
{
	/* An address of five octets: the next record begins too early. */
	ck_assert(QUIET("\0\0\0\0\0\1\0\1\0\0\0\0" QUESTION
			"\300\14\0\1\0\1\0\0\0\5\0\5\300\0\2\1\1"));
	ck_assert(!QUIET("\0\0\0\0\0\1\0\2\0\0\0\0" QUESTION
			 "\300\14\0\1\0\1\0\0\0\5\0\5\300\0\2\1\1" ADDRESS));
	/* MX that ends after the preference; a short address. */
	ck_assert(QUIET("\0\0\0\0\0\1\0\1\0\0\0\0" QUESTION
			"\300\14\0\17\0\1\0\0\0\5\0\2\0\1"));
	ck_assert(!QUIET("\0\0\0\0\0\1\0\1\0\0\0\0" QUESTION
			 "\300\14\0\1\0\1\0\0\0\5\0\3\300\0\2"));
	/* No question to show. */
	ck_assert(!QUIET("\0\0\0\0\0\0\0\0\0\0\0\0"));
}
END_TEST

START_TEST(further_questions_are_stepped_over)
{
	/* The second one's pointer leads to itself; nobody follows it. */
	ck_assert(READ("\0\0\0\0\0\2\0\0\0\0\0\0" QUESTION
		       "\300\23\0\1\0\1"));
	ck_assert(message.whole);
	ck_assert(!QUIET("\0\0\0\0\0\2\0\0\0\0\0\0" QUESTION
			 "\300\23\0\1\0\1"));
	ck_assert(READ("\0\0\0\0\0\2\0\0\0\0\0\0" QUESTION
		       "\300\14\0\1\0"));
	ck_assert(!message.whole);
	ck_assert(READ("\0\0\0\0\0\2\0\0\0\0\0\0" QUESTION "\1a"));
	ck_assert(!message.whole);
}
END_TEST

#define DEEP_LABELS 60
#define RECORD_NAMES 500

/*
 * A question of 60 labels, and a HIP record with so many names, each of them
 * a pointer to the question's.
 */
static size_t
put_deep_names(uint8_t *out, unsigned int names)
{
	static const uint8_t header[] = { 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0 };
	static const uint8_t hip[] = { 0, 0, 55, 0, 1, 0, 0, 0, 0 };
	uint8_t *at = out;

	memcpy(at, header, sizeof(header));
	at += sizeof(header);
	for (int i = 0; i < DEEP_LABELS; i++, at += 2)
		memcpy(at, "\1a", 2);
	memcpy(at, "\0\0\1\0\1", 5);
	at += 5;
	memcpy(at, hip, sizeof(hip));
	at += sizeof(hip);
	*at++ = (uint8_t)((4 + 2 * names) >> 8);
	*at++ = (uint8_t)(4 + 2 * names);
	memset(at, 0, 4);
	at += 4;
	for (unsigned int i = 0; i < names; i++, at += 2)
		memcpy(at, "\300\14", 2);
	return (size_t)(at - out);
}

START_TEST(quiet_gives_up_names_that_cost_too_much)
{
	static uint8_t octets[2000];
	size_t bytes = put_deep_names(octets, 20);

	ck_assert(quiet_packet_read(octets, bytes, &message.question));
	bytes = put_deep_names(octets, RECORD_NAMES);
	ck_assert(!quiet_packet_read(octets, bytes, &message.question));
	ck_assert(dns_message_read(octets, bytes, &message));
	ck_assert(message.whole);
}
END_TEST

START_TEST(numbers_have_names)
{
	char buffer[DNS_TABLE_NAME_MAX];

	ck_assert_str_eq(dns_table_type(28, buffer), "AAAA");
	ck_assert_str_eq(dns_table_type(65535, buffer), "TYPE65535");
	ck_assert_str_eq(dns_table_class(255, buffer), "ANY");
	ck_assert_str_eq(dns_table_class(65535, buffer), "CLASS65535");
	ck_assert_str_eq(dns_table_rcode(3, buffer), "NXDOMAIN");
	ck_assert_str_eq(dns_table_rcode(12, buffer), "RCODE12");
	ck_assert_str_eq(dns_table_rcode(23, buffer), "BADCOOKIE");
	ck_assert_str_eq(dns_table_rcode(24, buffer), "RCODE24");
	ck_assert_str_eq(dns_table_rcode(4095, buffer), "RCODE4095");
	ck_assert_str_eq(dns_table_opcode(5, buffer), "UPDATE");
	ck_assert_str_eq(dns_table_opcode(3, buffer), "OPCODE3");
	ck_assert_str_eq(dns_table_opcode(15, buffer), "OPCODE15");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("dns_message");

	support_add(suite, header_and_question);
	support_add(suite, less_than_a_header_is_nothing);
	support_add(suite, opt_raises_the_response_code);
	support_add(suite, cut_messages_are_not_whole_but_keep_the_question);
	support_add(suite, quiet_reads_rdata_as_ldns_does);
	support_add(suite, further_questions_are_stepped_over);
	support_add(suite, quiet_gives_up_names_that_cost_too_much);
	support_add(suite, numbers_have_names);
	return support_run(suite);
}
