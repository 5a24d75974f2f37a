/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options_explain.c: see options_explain.h.
 *
 * A value that was refused ends up in logs and on terminals, and it may be
 * anything of any length. So it is never copied as it is: what is not plain
 * ASCII is escaped, and only the beginning is read. What is allowed comes
 * from the table, never from a text that someone would have to keep in step.
 */
#include "config/options_explain.h"

#include <inttypes.h>
#include <stdio.h>

/* The longest escape may begin in the last column that is shown. */
_Static_assert(DTAP__OPTIONS_QUOTE_SHOWN - 1 + sizeof("\\xff...") <=
		       DTAP__OPTIONS_QUOTE_ROOM,
	       "no room for a shortened value");

const char *
dtap__options_explain_quote(char room[DTAP__OPTIONS_QUOTE_ROOM],
			    const char *text)
{
	size_t used = 0;

	for (; *text != '\0' && used < DTAP__OPTIONS_QUOTE_SHOWN; text++) {
		unsigned char octet = (unsigned char)*text;

		if (octet >= 0x20 && octet < 0x7f && octet != '"' &&
		    octet != '\\')
			room[used++] = *text;
		else
			used += (size_t)snprintf(room + used, sizeof("\\xff"),
						 "\\x%02x", octet);
	}
	snprintf(room + used, sizeof("..."), "%s", *text != '\0' ? "..." : "");
	return room;
}

const char *
dtap__options_explain_number(char room[DTAP__OPTIONS_NUMBER_ROOM],
			     const struct dtap__options_row *row,
			     uint64_t number)
{
	const char *suffix = " KMG";

	if (dtap__options_table_is_octal(row)) {
		snprintf(room, DTAP__OPTIONS_NUMBER_ROOM, "%04" PRIo64, number);
		return room;
	}
	if (dtap__options_table_counts_octets(row) && number != 0)
		for (; number % 1024 == 0 && *suffix != 'G'; number /= 1024)
			suffix++;
	snprintf(room, DTAP__OPTIONS_NUMBER_ROOM, "%" PRIu64 "%.*s", number,
		 *suffix != ' ', suffix);
	return room;
}

static const char *
options_explain_limits(char room[DTAP__OPTIONS_ALLOWED_ROOM],
		       const struct dtap__options_row *row)
{
	static const char *const rules[] = {
		[DTAP__OPTIONS_ANY] = "",
		[DTAP__OPTIONS_POWER_OF_TWO] = "a power of two ",
		[DTAP__OPTIONS_ZERO_OR_64K] = "0, or ",
	};
	uint64_t least = row->rule == DTAP__OPTIONS_ZERO_OR_64K
				 ? DTAP__OPTIONS_FLOOR_BYTES
				 : row->info.min;
	char min[DTAP__OPTIONS_NUMBER_ROOM];
	char max[DTAP__OPTIONS_NUMBER_ROOM];

	snprintf(room, DTAP__OPTIONS_ALLOWED_ROOM, "%sfrom %s to %s%s%s",
		 rules[row->rule],
		 dtap__options_explain_number(min, row, least),
		 dtap__options_explain_number(max, row, row->info.max),
		 row->info.unit[0] != '\0' ? " " : "", row->info.unit);
	return room;
}

const char *
dtap__options_explain_allowed(char room[DTAP__OPTIONS_ALLOWED_ROOM],
			      const struct dtap__options_row *row)
{
	switch (row->info.kind) {
	case DTAP_OPTION_NUMBER:
		return options_explain_limits(room, row);
	case DTAP_OPTION_CHOICE:
		snprintf(room, DTAP__OPTIONS_ALLOWED_ROOM, "one of %s",
			 row->info.words);
		return room;
	case DTAP_OPTION_BOOLEAN:
		return "yes, no, on, off, true or false";
	case DTAP_OPTION_TYPES:
		return "all, none, or message types such as CQ,CR";
	case DTAP_OPTION_TEXT:
	case DTAP_OPTION_URI:
		break;
	}
	snprintf(room, DTAP__OPTIONS_ALLOWED_ROOM, "at most %" PRIu64 " octets",
		 row->info.max);
	return room;
}
