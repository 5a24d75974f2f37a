/* SPDX-License-Identifier: Apache-2.0 */
#include "config/options_explain.h"

#include <string.h>

#include "support/support.h"

static const char *
quoted(const char *text)
{
	static char room[DTAP__OPTIONS_QUOTE_ROOM];

	memset(room, 'z', sizeof(room));
	return dtap__options_explain_quote(room, text);
}

static const char *
printed(const char *name, uint64_t number)
{
	static char room[DTAP__OPTIONS_NUMBER_ROOM];

	return dtap__options_explain_number(
		room, dtap__options_table_find(name), number);
}

static const char *
allowed(const char *name)
{
	static char room[DTAP__OPTIONS_ALLOWED_ROOM];

	return dtap__options_explain_allowed(room,
					     dtap__options_table_find(name));
}

START_TEST(quotes_are_printable)
{
	ck_assert_str_eq(quoted(""), "");
	ck_assert_str_eq(quoted("a b~"), "a b~");
	ck_assert_str_eq(quoted("a\nb\t\x1b[2J"), "a\\x0ab\\x09\\x1b[2J");
	ck_assert_str_eq(quoted("\x7f\x80\xff"), "\\x7f\\x80\\xff");
	ck_assert_str_eq(quoted("\"\\"), "\\x22\\x5c");
}
END_TEST

START_TEST(quotes_are_short)
{
	char text[200];

	memset(text, 'x', sizeof(text));
	text[DTAP__OPTIONS_QUOTE_SHOWN] = '\0';
	ck_assert_str_eq(quoted(text), text);
	text[DTAP__OPTIONS_QUOTE_SHOWN] = 'x';
	text[sizeof(text) - 1] = '\0';
	ck_assert_uint_eq(strlen(quoted(text)), DTAP__OPTIONS_QUOTE_SHOWN + 3);
	ck_assert_str_eq(quoted(text) + DTAP__OPTIONS_QUOTE_SHOWN, "...");
	text[DTAP__OPTIONS_QUOTE_SHOWN - 1] = '\n';
	ck_assert_str_eq(quoted(text) + DTAP__OPTIONS_QUOTE_SHOWN - 1,
			 "\\x0a...");
}
END_TEST

START_TEST(numbers_are_written_as_they_are_set)
{
	ck_assert_str_eq(printed("ring-bytes", 0), "0");
	ck_assert_str_eq(printed("ring-bytes", 1023), "1023");
	ck_assert_str_eq(printed("ring-bytes", 1024), "1K");
	ck_assert_str_eq(printed("ring-bytes", 1025), "1025");
	ck_assert_str_eq(printed("ring-bytes", 1536 << 10), "1536K");
	ck_assert_str_eq(printed("ring-bytes", 1 << 20), "1M");
	ck_assert_str_eq(printed("ring-bytes", 1 << 30), "1G");
	ck_assert_str_eq(printed("ring-bytes", UINT64_C(1) << 40), "1024G");
	ck_assert_str_eq(printed("ring-bytes", UINT64_MAX),
			 "18446744073709551615");
	ck_assert_str_eq(printed("latency-ms", 1024), "1024");
	ck_assert_str_eq(printed("file-mode", 0), "0000");
	ck_assert_str_eq(printed("file-mode", 0640), "0640");
	ck_assert_str_eq(printed("file-mode", UINT64_MAX),
			 "1777777777777777777777");
}
END_TEST

START_TEST(each_kind_says_what_it_allows)
{
	ck_assert_str_eq(allowed("ring-bytes"),
			 "a power of two from 64K to 1G octets");
	ck_assert_str_eq(allowed("rotate-bytes"),
			 "0, or from 64K to 1024G octets");
	ck_assert_str_eq(allowed("latency-ms"), "from 1 to 100 milliseconds");
	ck_assert_str_eq(allowed("sample-one-in"), "from 1 to 1000000");
	ck_assert_str_eq(allowed("file-mode"), "from 0000 to 0777 octal");
	ck_assert_str_eq(allowed("identity"), "at most 255 octets");
	ck_assert_str_eq(allowed("loss-report"),
			 "yes, no, on, off, true or false");
	ck_assert_str_eq(allowed("ring-layout"), "one of auto|mirrored|wrap");
	ck_assert_str_eq(allowed("types"),
			 "all, none, or message types such as CQ,CR");
}
END_TEST

START_TEST(every_row_fits_its_room)
{
	const struct dtap__options_row *row;
	char room[DTAP__OPTIONS_ALLOWED_ROOM];

	for (size_t i = 0; (row = dtap__options_table_get(i)) != NULL; i++) {
		size_t bytes = strlen(dtap__options_explain_allowed(room, row));

		ck_assert_uint_gt(bytes, 0);
		ck_assert_uint_lt(bytes, sizeof(room) - 1);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("options_explain");

	support_add(suite, quotes_are_printable);
	support_add(suite, quotes_are_short);
	support_add(suite, numbers_are_written_as_they_are_set);
	support_add(suite, each_kind_says_what_it_allows);
	support_add(suite, every_row_fits_its_room);
	return support_run(suite);
}
