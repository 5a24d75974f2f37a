/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options_parse.h: text to value, for every kind of option but URIs.
 *
 * Each function takes the whole text or none of it: no spaces, no signs, no
 * rest. DTAP_OK, or DTAP_E_VALUE with the result untouched. Limits are the
 * caller's. Pure; any thread. Used by options.c and options_uri.c.
 */
#ifndef DTAP_CONFIG_OPTIONS_PARSE_H
#define DTAP_CONFIG_OPTIONS_PARSE_H

#include <stdbool.h>
#include <stdint.h>

#include <dnstap/result.h>

#define DTAP__KIB UINT64_C(1024)
#define DTAP__MIB (1024 * DTAP__KIB)
#define DTAP__GIB (1024 * DTAP__MIB)

/* Decimal digits; leading zeros do not make it octal. */
enum dtap_result
dtap__options_parse_decimal(const char *text, uint64_t *number);

/* Octal digits, with or without a leading zero. */
enum dtap_result
dtap__options_parse_octal(const char *text, uint64_t *number);

/* Decimal digits, then perhaps one of K, M, G in either case. */
enum dtap_result
dtap__options_parse_octets(const char *text, uint64_t *number);

/* yes, no, on, off, true, false. */
enum dtap_result
dtap__options_parse_boolean(const char *text, bool *truth);

/* *index: which of words, which '|' separates; from 0. */
enum dtap_result
dtap__options_parse_choice(const char *text, const char *words, int *index);

/*
 * "all", "none", or mnemonics with a comma between them, in either case,
 * again and again if they like. *types: bit n for message type n.
 */
enum dtap_result
dtap__options_parse_types(const char *text, uint32_t *types);

#endif
