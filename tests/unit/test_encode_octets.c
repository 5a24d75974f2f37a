/* SPDX-License-Identifier: Apache-2.0 */
#include "encode/encode_octets.h"

#include "support/support.h"

START_TEST(varints_are_shortest)
{
	uint8_t out[10];

	for (unsigned int bytes = 1; bytes <= 9; bytes++) {
		uint64_t largest = (UINT64_C(1) << (7 * bytes)) - 1;

		ck_assert_uint_eq(dtap__varint_bytes(largest), bytes);
		ck_assert_uint_eq(dtap__varint_bytes(largest + 1), bytes + 1);
		ck_assert_ptr_eq(dtap__put_varint(out, largest), out + bytes);
		ck_assert_int_eq(out[bytes - 1], 0x7f);
		ck_assert_ptr_eq(dtap__put_varint(out, largest + 1),
				 out + bytes + 1);
		ck_assert_int_eq(out[bytes], 1);
		ck_assert_int_eq(out[0], 0x80);
	}
	ck_assert_uint_eq(dtap__varint_bytes(0), 1);
	ck_assert_uint_eq(dtap__varint_bytes(UINT64_MAX), 10);
	ck_assert_ptr_eq(dtap__put_varint(out, UINT64_MAX), out + 10);
	ck_assert_int_eq(out[9], 1);
	dtap__put_varint(out, 300);
	ck_assert_mem_eq(out, "\xac\x02", 2);
}
END_TEST

START_TEST(words_are_little_endian)
{
	uint8_t out[8];

	ck_assert_ptr_eq(dtap__put_le16(out, 0x0102), out + 2);
	ck_assert_mem_eq(out, "\x02\x01", 2);
	ck_assert_ptr_eq(dtap__put_le32(out, 0x01020304), out + 4);
	ck_assert_mem_eq(out, "\x04\x03\x02\x01", 4);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("encode_octets");

	support_add(suite, varints_are_shortest);
	support_add(suite, words_are_little_endian);
	return support_run(suite);
}
