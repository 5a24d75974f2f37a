/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options_parse.c: see options_parse.h.
 *
 * strtoull() is not used: it takes leading space, signs and "0x", and wraps
 * "-1" to the largest number. strcasecmp() is not used either: what it calls
 * equal depends on the locale of the host.
 */
#include "config/options_parse.h"

#include <stddef.h>
#include <string.h>

#include <dnstap/event.h>

#include "event/event_filter.h"

/*
 * Reads as many digits as there are and returns where they end; NULL when
 * there are none, or when the number does not fit 64 bits.
 */
static const char *
options_parse_digits(const char *text, unsigned int base, uint64_t *number)
{
	const char *at = text;
	uint64_t sum = 0;

	for (; *at >= '0' && (unsigned int)(*at - '0') < base; at++) {
		unsigned int digit = (unsigned int)(*at - '0');

		if (sum > (UINT64_MAX - digit) / base)
			return NULL;
		sum = sum * base + digit;
	}
	*number = sum;
	return at == text ? NULL : at;
}

static enum dtap_result
options_parse_whole(const char *text, unsigned int base, uint64_t *number)
{
	uint64_t parsed;
	const char *end = options_parse_digits(text, base, &parsed);

	if (end == NULL || *end != '\0')
		return DTAP_E_VALUE;
	*number = parsed;
	return DTAP_OK;
}

enum dtap_result
dtap__options_parse_decimal(const char *text, uint64_t *number)
{
	return options_parse_whole(text, 10, number);
}

enum dtap_result
dtap__options_parse_octal(const char *text, uint64_t *number)
{
	return options_parse_whole(text, 8, number);
}

/* What a suffix multiplies by; 0 when it is none. */
static uint64_t
options_parse_suffix(char suffix)
{
	switch (suffix) {
	case 'K':
	case 'k':
		return DTAP__KIB;
	case 'M':
	case 'm':
		return DTAP__MIB;
	case 'G':
	case 'g':
		return DTAP__GIB;
	default:
		return 0;
	}
}

enum dtap_result
dtap__options_parse_octets(const char *text, uint64_t *number)
{
	uint64_t parsed;
	uint64_t unit = 1;
	const char *end = options_parse_digits(text, 10, &parsed);

	if (end == NULL)
		return DTAP_E_VALUE;
	if (*end != '\0')
		unit = options_parse_suffix(*end++);
	if (unit == 0 || *end != '\0' || parsed > UINT64_MAX / unit)
		return DTAP_E_VALUE;
	*number = parsed * unit;
	return DTAP_OK;
}

enum dtap_result
dtap__options_parse_boolean(const char *text, bool *truth)
{
	int index;

	if (dtap__options_parse_choice(text, "no|yes|off|on|false|true",
				       &index) != DTAP_OK)
		return DTAP_E_VALUE;
	*truth = index % 2 != 0;
	return DTAP_OK;
}

enum dtap_result
dtap__options_parse_choice(const char *text, const char *words, int *index)
{
	size_t bytes = strlen(text);

	for (int i = 0;; i++) {
		size_t word_bytes = strcspn(words, "|");

		if (word_bytes == bytes && memcmp(words, text, bytes) == 0) {
			*index = i;
			return DTAP_OK;
		}
		if (words[word_bytes] == '\0')
			return DTAP_E_VALUE;
		words += word_bytes + 1;
	}
}

/* Capital of an ASCII letter, whatever the locale. */
static char
options_parse_capital(char letter)
{
	return letter >= 'a' && letter <= 'z' ? (char)(letter - 'a' + 'A')
					      : letter;
}

/* The bit of the type whose mnemonic is word; 0 when there is none. */
static uint32_t
options_parse_mnemonic(const char *word, size_t bytes)
{
	char capitals[2];

	if (bytes != sizeof(capitals))
		return 0;
	capitals[0] = options_parse_capital(word[0]);
	capitals[1] = options_parse_capital(word[1]);
	for (unsigned int type = 0; type < 32; type++)
		if (dtap__event_wanted(DTAP__TYPES_ALL, type) &&
		    memcmp(dtap_message_type_mnemonic(type), capitals,
			   sizeof(capitals)) == 0)
			return UINT32_C(1) << type;
	return 0;
}

enum dtap_result
dtap__options_parse_types(const char *text, uint32_t *types)
{
	uint32_t sum = 0;

	if (strcmp(text, "all") == 0) {
		*types = DTAP__TYPES_ALL;
		return DTAP_OK;
	}
	if (strcmp(text, "none") == 0) {
		*types = 0;
		return DTAP_OK;
	}
	for (;;) {
		size_t bytes = strcspn(text, ",");
		uint32_t bit = options_parse_mnemonic(text, bytes);

		if (bit == 0)
			return DTAP_E_VALUE;
		sum |= bit;
		if (text[bytes] == '\0')
			break;
		text += bytes + 1;
	}
	*types = sum;
	return DTAP_OK;
}
