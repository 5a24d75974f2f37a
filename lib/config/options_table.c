/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options_table.c: see options_table.h.
 *
 * The first expansion of options.def makes the array. The others make
 * nothing: they have the compiler prove that struct dtap__config has the
 * members of the table, in its order and of the types of their kinds, so that
 * a row's offset can be trusted. A function per option would need no offsets,
 * but it could disagree with the manual in as many places as there are
 * options.
 */
#include "config/options_table.h"

#include <string.h>

#include <dnstap/event.h>

#include "base/compiler.h"
#include "config/options_parse.h"

/* What a frame needs room for beside the configured strings. */
#define OPTIONS_TABLE_RESERVE_BYTES 100

#define OPTIONS_TABLE_BYTES(member) \
	sizeof(((struct dtap__config *)NULL)->member)

static const struct dtap__options_row options_table[] = {
#define DTAP__OPTION(member, name, kind, rule, unit, min, max, initial, \
		     words, live, since, text) \
	{ \
		{ name, DTAP_OPTION_##kind, unit, min, max, initial, words, \
		  live, since, text }, \
		DTAP__OPTIONS_##rule, \
		offsetof(struct dtap__config, member), \
		OPTIONS_TABLE_BYTES(member) \
	},
#include "config/options.def"
#undef DTAP__OPTION
};

#define OPTIONS_TABLE_TYPE_TEXT struct dtap__text
#define OPTIONS_TABLE_TYPE_NUMBER uint64_t
#define OPTIONS_TABLE_TYPE_BOOLEAN bool
#define OPTIONS_TABLE_TYPE_CHOICE int
#define OPTIONS_TABLE_TYPE_TYPES uint32_t
#define OPTIONS_TABLE_TYPE_URI struct dtap__uri

/* The config as the table would have it. */
struct options_table_config {
#define DTAP__OPTION(member, name, kind, rule, unit, min, max, initial, \
		     words, live, since, text) \
	OPTIONS_TABLE_TYPE_##kind member;
#include "config/options.def"
#undef DTAP__OPTION
	dtap_log_function *log;
	void *log_user;
};

_Static_assert(sizeof(struct options_table_config) ==
		       sizeof(struct dtap__config),
	       "config.h has members that options.def lacks");

#define DTAP__OPTION(member, name, kind, rule, unit, min, max, initial, \
		     words, live, since, text) \
	_Static_assert(offsetof(struct dtap__config, member) == \
			       offsetof(struct options_table_config, member), \
		       name ": config.h has another order"); \
	_Static_assert(_Generic(((struct dtap__config *)NULL)->member, \
				OPTIONS_TABLE_TYPE_##kind: 1, default: 0), \
		       name ": the member's type does not suit the kind"); \
	_Static_assert(DTAP_OPTION_##kind != DTAP_OPTION_TEXT || \
			       (max) <= DTAP__OPTION_TEXT_MAX, \
		       name ": longer than struct dtap__text");
#include "config/options.def"
#undef DTAP__OPTION

/* So dtap__options_check() need not add up the lengths of the strings. */
_Static_assert(
#define DTAP__OPTION(member, name, kind, rule, unit, min, max, initial, \
		     words, live, since, text) \
	(DTAP_OPTION_##kind == DTAP_OPTION_TEXT ? (max) : 0) +
#include "config/options.def"
#undef DTAP__OPTION
	OPTIONS_TABLE_RESERVE_BYTES <= DTAP_METADATA_BYTES_MAX,
	"identity, version and extra may exceed the metadata of a frame");

const struct dtap__options_row *
dtap__options_table_get(size_t index)
{
	return index < DTAP__COUNT_OF(options_table) ? &options_table[index]
						     : NULL;
}

const struct dtap__options_row *
dtap__options_table_find(const char *name)
{
	for (size_t i = 0; i < DTAP__COUNT_OF(options_table); i++)
		if (strcmp(options_table[i].info.name, name) == 0)
			return &options_table[i];
	return NULL;
}

bool
dtap__options_table_counts_octets(const struct dtap__options_row *row)
{
	return strcmp(row->info.unit, "octets") == 0;
}

bool
dtap__options_table_is_octal(const struct dtap__options_row *row)
{
	return strcmp(row->info.unit, "octal") == 0;
}

bool
dtap__options_table_allows(const struct dtap__options_row *row,
			   uint64_t number)
{
	if (number < row->info.min || number > row->info.max)
		return false;
	switch (row->rule) {
	case DTAP__OPTIONS_ANY:
		return true;
	case DTAP__OPTIONS_POWER_OF_TWO:
		return (number & (number - 1)) == 0;
	case DTAP__OPTIONS_ZERO_OR_64K:
		return number == 0 || number >= DTAP__OPTIONS_FLOOR_BYTES;
	}
	return false;
}

const struct dtap_option_info *
dtap_option_info_get(size_t index)
{
	const struct dtap__options_row *row = dtap__options_table_get(index);

	return row != NULL ? &row->info : NULL;
}
