/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cursor.h"

#include <string.h>

#include "base/compiler.h"

#include "support/support.h"

START_TEST(reads_both_byte_orders)
{
	static const uint8_t in[] = { 0x12, 0x34, 0x56, 0xf8,
				      0x12, 0x34, 0x56, 0xf8 };
	struct dtap__cursor cursor;

	dtap__cursor_init(&cursor, in, sizeof(in));
	ck_assert_uint_eq(dtap__cursor_read_be32(&cursor), 0x123456f8);
	ck_assert_uint_eq(dtap__cursor_left(&cursor), 4);
	ck_assert_uint_eq(dtap__cursor_read_le32(&cursor), 0xf8563412);
	ck_assert_uint_eq(dtap__cursor_left(&cursor), 0);
	ck_assert(!cursor.failed);
}
END_TEST

START_TEST(takes_up_to_the_end_and_no_further)
{
	static const uint8_t in[5] = { 1, 2, 3, 4, 5 };
	struct dtap__cursor cursor;

	dtap__cursor_init(&cursor, in, sizeof(in));
	ck_assert_ptr_eq(dtap__cursor_take(&cursor, 2), in);
	ck_assert_ptr_eq(dtap__cursor_take(&cursor, 3), in + 2);
	ck_assert_ptr_eq(dtap__cursor_take(&cursor, 0), in + 5);
	ck_assert(!cursor.failed);
	ck_assert_ptr_null(dtap__cursor_take(&cursor, 1));
	ck_assert(cursor.failed);
}
END_TEST

START_TEST(hostile_counts_do_not_wrap)
{
	static const uint64_t counts[] = {
		5, UINT32_MAX, UINT64_C(0x100000001), UINT64_MAX - 3,
		UINT64_MAX
	};
	static const uint8_t in[4];
	struct dtap__cursor cursor;

	for (size_t i = 0; i < DTAP__COUNT_OF(counts); i++) {
		dtap__cursor_init(&cursor, in, sizeof(in));
		ck_assert_ptr_null(dtap__cursor_take(&cursor, counts[i]));
		ck_assert(cursor.failed);
		ck_assert_ptr_eq(cursor.at, in);
	}
}
END_TEST

START_TEST(nothing_may_be_null)
{
	struct dtap__cursor cursor;

	dtap__cursor_init(&cursor, NULL, 0);
	ck_assert_uint_eq(dtap__cursor_left(&cursor), 0);
	ck_assert_ptr_nonnull(dtap__cursor_take(&cursor, 0));
	ck_assert(!cursor.failed);
	ck_assert_uint_eq(dtap__cursor_read_be32(&cursor), 0);
	ck_assert(cursor.failed);
}
END_TEST

START_TEST(failure_sticks)
{
	static const uint8_t in[] = { 1, 2, 3 };
	struct dtap__cursor cursor;

	dtap__cursor_init(&cursor, in, sizeof(in));
	ck_assert_uint_eq(dtap__cursor_read_varint(&cursor), 1);
	ck_assert_uint_eq(dtap__cursor_read_be32(&cursor), 0);
	ck_assert(cursor.failed);
	ck_assert_uint_eq(dtap__cursor_left(&cursor), 0);
	ck_assert_uint_eq(dtap__cursor_read_varint(&cursor), 0);
	ck_assert_uint_eq(dtap__cursor_read_le32(&cursor), 0);
	ck_assert_ptr_null(dtap__cursor_take(&cursor, 0));
	ck_assert_ptr_eq(cursor.at, in + 1);
}
END_TEST

struct varint_case {
	const char *octets;
	size_t bytes;
	uint64_t value;
};

#define VARINT(octets, value) { octets, sizeof(octets) - 1, value }

START_TEST(reads_varints_of_every_length)
{
	static const struct varint_case cases[] = {
		VARINT("\x00", 0),
		VARINT("\x7f", 127),
		VARINT("\x80\x01", 128),
		VARINT("\xff\x7f", 16383),
		VARINT("\x80\x80\x01", 16384),
		VARINT("\xff\xff\xff\xff\x0f", UINT32_MAX),
		VARINT("\x80\x80\x80\x80\x10", UINT64_C(1) << 32),
		VARINT("\xff\xff\xff\xff\xff\xff\xff\xff\x7f", INT64_MAX),
		VARINT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", UINT64_MAX),
		/* Longer than need be is allowed. */
		VARINT("\x85\x80\x00", 5),
		VARINT("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 0),
	};
	struct dtap__cursor cursor;

	for (size_t i = 0; i < DTAP__COUNT_OF(cases); i++) {
		dtap__cursor_init(&cursor, cases[i].octets, cases[i].bytes);
		ck_assert_uint_eq(dtap__cursor_read_varint(&cursor),
				  cases[i].value);
		ck_assert(!cursor.failed);
		ck_assert_uint_eq(dtap__cursor_left(&cursor), 0);
	}
}
END_TEST

START_TEST(refuses_varints_cut_short)
{
	static const char in[] =
		"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
	struct dtap__cursor cursor;

	for (size_t bytes = 0; bytes < sizeof(in) - 1; bytes++) {
		dtap__cursor_init(&cursor, in, bytes);
		ck_assert_uint_eq(dtap__cursor_read_varint(&cursor), 0);
		ck_assert(cursor.failed);
		ck_assert_ptr_eq(cursor.at, cursor.begin);
	}
}
END_TEST

START_TEST(refuses_varints_above_64_bits)
{
	static const char *const cases[] = {
		"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02",
		"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7f",
		"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01",
		"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x01",
	};
	struct dtap__cursor cursor;

	for (size_t i = 0; i < DTAP__COUNT_OF(cases); i++) {
		dtap__cursor_init(&cursor, cases[i], strlen(cases[i]));
		ck_assert_uint_eq(dtap__cursor_read_varint(&cursor), 0);
		ck_assert(cursor.failed);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("cursor");

	support_add(suite, reads_both_byte_orders);
	support_add(suite, takes_up_to_the_end_and_no_further);
	support_add(suite, hostile_counts_do_not_wrap);
	support_add(suite, nothing_may_be_null);
	support_add(suite, failure_sticks);
	support_add(suite, reads_varints_of_every_length);
	support_add(suite, refuses_varints_cut_short);
	support_add(suite, refuses_varints_above_64_bits);
	return support_run(suite);
}
