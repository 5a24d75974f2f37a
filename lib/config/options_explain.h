/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options_explain.h: what dtap_options_error() says, in pieces.
 *
 * Each function returns a text, which may lie in the caller's room. Pure; any
 * thread. Used by options.c.
 */
#ifndef DTAP_CONFIG_OPTIONS_EXPLAIN_H
#define DTAP_CONFIG_OPTIONS_EXPLAIN_H

#include <stdint.h>

#include "config/options_table.h"

/* Columns of a value that are shown. */
#define DTAP__OPTIONS_QUOTE_SHOWN 48
#define DTAP__OPTIONS_QUOTE_ROOM 64
#define DTAP__OPTIONS_NUMBER_ROOM 24 /* 22 octal digits fit */
#define DTAP__OPTIONS_ALLOWED_ROOM 160

/* text in printable ASCII; a long one is cut and ends in "...". */
const char *
dtap__options_explain_quote(char room[DTAP__OPTIONS_QUOTE_ROOM],
			    const char *text);

/* A number as the row's string setter takes it: 64K, 0640, 50. */
const char *
dtap__options_explain_number(char room[DTAP__OPTIONS_NUMBER_ROOM],
			     const struct dtap__options_row *row,
			     uint64_t number);

/* The values that a row allows: "a power of two from 64K to 1G octets". */
const char *
dtap__options_explain_allowed(char room[DTAP__OPTIONS_ALLOWED_ROOM],
			      const struct dtap__options_row *row);

#endif
