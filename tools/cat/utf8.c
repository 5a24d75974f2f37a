/* SPDX-License-Identifier: Apache-2.0 */
/*
 * utf8.c: see utf8.h.
 */
#include "cat/utf8.h"

#include <stdbool.h>

static bool
is_continuation(uint8_t c)
{
	return (c & 0xc0) == 0x80;
}

size_t
utf8_sequence(const uint8_t *at, size_t left)
{
	uint8_t lowest = 0x80;
	uint8_t highest = 0xbf;
	size_t bytes;

	if (at[0] < 0x80)
		return 1;
	if (at[0] < 0xc2 || at[0] > 0xf4)
		return 0;
	bytes = at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
	if (left < bytes)
		return 0;
	if (at[0] == 0xe0)
		lowest = 0xa0;
	else if (at[0] == 0xed)
		highest = 0x9f;
	else if (at[0] == 0xf0)
		lowest = 0x90;
	else if (at[0] == 0xf4)
		highest = 0x8f;
	if (at[1] < lowest || at[1] > highest)
		return 0;
	for (size_t i = 2; i < bytes; i++) {
		if (!is_continuation(at[i]))
			return 0;
	}
	return bytes;
}
