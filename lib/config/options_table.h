/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options_table.h: options.def as an array, with what the public row of an
 * option does not tell: its rule, and where its value lies.
 *
 * Constant; any thread. Used by the files beside it.
 */
#ifndef DTAP_CONFIG_OPTIONS_TABLE_H
#define DTAP_CONFIG_OPTIONS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <dnstap/options.h>

#include "config/config.h"

/* The least that rule ZERO_OR_64K allows beside 0. */
#define DTAP__OPTIONS_FLOOR_BYTES UINT64_C(65536)

enum dtap__options_rule {
	DTAP__OPTIONS_ANY,
	DTAP__OPTIONS_POWER_OF_TWO,
	DTAP__OPTIONS_ZERO_OR_64K
};

struct dtap__options_row {
	struct dtap_option_info info;
	enum dtap__options_rule rule;
	size_t offset; /* of the value in struct dtap__config */
	size_t bytes;  /* of the value there */
};

/* NULL when index is past the last row. */
const struct dtap__options_row *
dtap__options_table_get(size_t index);

/* NULL when no option has that name. */
const struct dtap__options_row *
dtap__options_table_find(const char *name);

/* Whether numbers are written with K, M and G, or in octal. */
bool
dtap__options_table_counts_octets(const struct dtap__options_row *row);

bool
dtap__options_table_is_octal(const struct dtap__options_row *row);

/* Whether a number is within the row's limits and keeps its rule. */
bool
dtap__options_table_allows(const struct dtap__options_row *row,
			   uint64_t number);

#endif
