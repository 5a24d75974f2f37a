/* SPDX-License-Identifier: Apache-2.0 */
#include "config/options_table.h"

#include <stdio.h>
#include <string.h>

#include "support/support.h"

START_TEST(rows_are_found_by_index_and_name)
{
	const struct dtap__options_row *row;
	size_t count = 0;

	for (; (row = dtap__options_table_get(count)) != NULL; count++) {
		ck_assert_ptr_eq(dtap__options_table_find(row->info.name), row);
		ck_assert_ptr_eq(dtap_option_info_get(count), &row->info);
	}
	ck_assert_uint_ge(count, 21);
	ck_assert_ptr_null(dtap_option_info_get(count));
	ck_assert_ptr_null(dtap_option_info_get(SIZE_MAX));
	ck_assert_ptr_null(dtap__options_table_find(""));
	ck_assert_ptr_null(dtap__options_table_find("ring"));
	ck_assert_ptr_null(dtap__options_table_find("ring-bytes "));
	ck_assert_ptr_null(dtap__options_table_find("RING-BYTES"));
}
END_TEST

START_TEST(every_row_is_whole)
{
	const struct dtap_option_info *info;

	for (size_t i = 0; (info = dtap_option_info_get(i)) != NULL; i++) {
		ck_assert_uint_eq(strspn(info->name,
					 "abcdefghijklmnopqrstuvwxyz-"),
				  strlen(info->name));
		ck_assert_int_ge(info->kind, DTAP_OPTION_TEXT);
		ck_assert_int_le(info->kind, DTAP_OPTION_URI);
		ck_assert_uint_le(info->min, info->max);
		ck_assert_ptr_nonnull(info->unit);
		ck_assert_ptr_nonnull(info->initial);
		ck_assert_int_eq(info->words[0] != '\0',
				 info->kind == DTAP_OPTION_CHOICE);
		ck_assert_str_eq(info->since, "0.1");
		ck_assert_int_eq(info->text[strlen(info->text) - 1], '.');
	}
}
END_TEST

START_TEST(the_documented_ones_are_live)
{
	static const char live[] =
		" identity version extra types loss-report sample-one-in ";
	const struct dtap_option_info *info;
	char padded[64];

	for (size_t i = 0; (info = dtap_option_info_get(i)) != NULL; i++) {
		snprintf(padded, sizeof(padded), " %s ", info->name);
		ck_assert_msg(info->live == (strstr(live, padded) != NULL),
			      "%s", info->name);
	}
}
END_TEST

START_TEST(units_tell_how_numbers_are_written)
{
	const struct dtap__options_row *ring =
		dtap__options_table_find("ring-bytes");
	const struct dtap__options_row *mode =
		dtap__options_table_find("file-mode");
	const struct dtap__options_row *latency =
		dtap__options_table_find("latency-ms");

	ck_assert(dtap__options_table_counts_octets(ring));
	ck_assert(!dtap__options_table_is_octal(ring));
	ck_assert(!dtap__options_table_counts_octets(mode));
	ck_assert(dtap__options_table_is_octal(mode));
	ck_assert(!dtap__options_table_counts_octets(latency));
	ck_assert(!dtap__options_table_is_octal(latency));
}
END_TEST

START_TEST(every_row_allows_min_to_max_and_no_more)
{
	const struct dtap__options_row *row;

	for (size_t i = 0; (row = dtap__options_table_get(i)) != NULL; i++) {
		const struct dtap_option_info *info = &row->info;

		ck_assert(dtap__options_table_allows(row, info->min));
		ck_assert(dtap__options_table_allows(row, info->max));
		ck_assert(!dtap__options_table_allows(row, info->max + 1));
		ck_assert(!dtap__options_table_allows(row, info->min - 1));
		ck_assert(!dtap__options_table_allows(row, UINT64_MAX));
	}
}
END_TEST

START_TEST(ring_bytes_is_a_power_of_two)
{
	const struct dtap__options_row *row =
		dtap__options_table_find("ring-bytes");

	for (uint64_t power = 1 << 16; power <= 1 << 30; power *= 2) {
		ck_assert(dtap__options_table_allows(row, power));
		ck_assert(!dtap__options_table_allows(row, power - 1));
		ck_assert(!dtap__options_table_allows(row, power + 1));
		ck_assert(!dtap__options_table_allows(row, power + power / 2));
	}
}
END_TEST

START_TEST(rotate_bytes_is_0_or_at_least_64k)
{
	const struct dtap__options_row *row =
		dtap__options_table_find("rotate-bytes");

	ck_assert(dtap__options_table_allows(row, 0));
	ck_assert(!dtap__options_table_allows(row, 1));
	ck_assert(!dtap__options_table_allows(row, 65535));
	ck_assert(dtap__options_table_allows(row, 65536));
	ck_assert(dtap__options_table_allows(row, 65537));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("options_table");

	support_add(suite, rows_are_found_by_index_and_name);
	support_add(suite, every_row_is_whole);
	support_add(suite, the_documented_ones_are_live);
	support_add(suite, units_tell_how_numbers_are_written);
	support_add(suite, every_row_allows_min_to_max_and_no_more);
	support_add(suite, ring_bytes_is_a_power_of_two);
	support_add(suite, rotate_bytes_is_0_or_at_least_64k);
	return support_run(suite);
}
