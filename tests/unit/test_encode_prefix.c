/* SPDX-License-Identifier: Apache-2.0 */
#include "encode/encode_message.h"

#include <string.h>

#include "support/support.h"

static struct dtap__prefix prefix;

START_TEST(strings_become_fields_1_to_3)
{
	dtap__prefix_init(&prefix, "ns1", 3, "v2", 2, "tag", 3);
	ck_assert_uint_eq(prefix.server_bytes, 9);
	ck_assert_uint_eq(prefix.bytes, 14);
	ck_assert_mem_eq(prefix.octets,
			 "\x0a\x03ns1" "\x12\x02v2" "\x1a\x03tag", 14);
	ck_assert_uint_eq(prefix.extra_bytes, 3);
	ck_assert_mem_eq(prefix.octets + prefix.extra_offset, "tag", 3);
}
END_TEST

START_TEST(an_empty_string_is_absent)
{
	dtap__prefix_init(&prefix, NULL, 0, NULL, 0, NULL, 0);
	ck_assert_uint_eq(prefix.bytes, 0);
	ck_assert_uint_eq(prefix.extra_bytes, 0);
	dtap__prefix_init(&prefix, NULL, 0, "v2", 2, NULL, 0);
	ck_assert_uint_eq(prefix.bytes, 4);
	ck_assert_uint_eq(prefix.server_bytes, 4);
	ck_assert_mem_eq(prefix.octets, "\x12\x02v2", 4);
}
END_TEST

START_TEST(the_tag_of_the_message_follows)
{
	dtap__prefix_init(&prefix, "ns1", 3, NULL, 0, NULL, 0);
	ck_assert_int_eq(prefix.octets[prefix.bytes], 0x72);
}
END_TEST

START_TEST(the_largest_strings_fit_with_slack)
{
	static uint8_t octets[DTAP__EXTRA_BYTES_MAX];

	memset(octets, 0xee, sizeof(octets));
	dtap__prefix_init(&prefix, octets, DTAP__IDENTITY_BYTES_MAX,
			  octets, DTAP__VERSION_BYTES_MAX,
			  octets, DTAP__EXTRA_BYTES_MAX);
	ck_assert_uint_eq(prefix.bytes, 255 + 3 + 255 + 3 + 1024 + 3);
	ck_assert_uint_le(prefix.bytes + DTAP__ENCODE_SLACK,
			  sizeof(prefix.octets));
	ck_assert_mem_eq(prefix.octets, "\x0a\xff\x01\xee", 4);
	ck_assert_mem_eq(prefix.octets + prefix.server_bytes,
			 "\x1a\x80\x08\xee", 4);
	ck_assert_int_eq(prefix.octets[prefix.bytes - 1], 0xee);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("encode_prefix");

	support_add(suite, strings_become_fields_1_to_3);
	support_add(suite, an_empty_string_is_absent);
	support_add(suite, the_tag_of_the_message_follows);
	support_add(suite, the_largest_strings_fit_with_slack);
	return support_run(suite);
}
