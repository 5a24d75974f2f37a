/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz.c: see fuzz.h.
 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>

void
fuzz_fail(const char *file, int line, const char *condition)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
	abort();
}

uint64_t
fuzz_take_number(struct fuzz_source *source, unsigned int count)
{
	uint64_t number = 0;

	for (; count > 0; count--) {
		number <<= 8;
		if (source->left > 0) {
			number |= *source->at++;
			source->left--;
		}
	}
	return number;
}

const uint8_t *
fuzz_take_octets(struct fuzz_source *source, size_t *bytes)
{
	const uint8_t *taken = source->at;

	if (*bytes > source->left)
		*bytes = source->left;
	source->at += *bytes;
	source->left -= *bytes;
	return taken;
}
