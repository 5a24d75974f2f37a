/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cursor.c: see cursor.h.
 *
 * Every read ends in one comparison with what is left, made in 64 bits, and
 * no pointer is ever formed beyond the end. The alternative, a check at each
 * call of each parser, is what length bugs are made of: one forgotten check
 * is one hole.
 */
#include "base/cursor.h"

/* The tenth octet of a varint has room for bit 63 alone. */
#define CURSOR_LAST_SHIFT 63

void
dtap__cursor_init(struct dtap__cursor *cursor, const void *data, size_t bytes)
{
	/* Adding 0 to NULL is undefined; an empty array will do as well. */
	static const uint8_t nothing[1];

	cursor->begin = data != NULL ? data : nothing;
	cursor->at = cursor->begin;
	cursor->end = cursor->begin + bytes;
	cursor->failed = false;
}

size_t
dtap__cursor_left(const struct dtap__cursor *cursor)
{
	return cursor->failed ? 0 : (size_t)(cursor->end - cursor->at);
}

const uint8_t *
dtap__cursor_take(struct dtap__cursor *cursor, uint64_t bytes)
{
	const uint8_t *taken = cursor->at;

	if (cursor->failed || bytes > dtap__cursor_left(cursor)) {
		cursor->failed = true;
		return NULL;
	}
	cursor->at += bytes;
	return taken;
}

uint32_t
dtap__cursor_read_be32(struct dtap__cursor *cursor)
{
	const uint8_t *in = dtap__cursor_take(cursor, 4);

	if (in == NULL)
		return 0;
	return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 |
	       (uint32_t)in[2] << 8 | in[3];
}

uint32_t
dtap__cursor_read_le32(struct dtap__cursor *cursor)
{
	const uint8_t *in = dtap__cursor_take(cursor, 4);

	if (in == NULL)
		return 0;
	return (uint32_t)in[3] << 24 | (uint32_t)in[2] << 16 |
	       (uint32_t)in[1] << 8 | in[0];
}

uint64_t
dtap__cursor_read_varint(struct dtap__cursor *cursor)
{
	const uint8_t *in = cursor->at;
	uint64_t value = 0;
	uint8_t octet;

	if (cursor->failed)
		return 0;
	for (int shift = 0; shift <= CURSOR_LAST_SHIFT; shift += 7) {
		if (in == cursor->end)
			break;
		octet = *in++;
		if (shift == CURSOR_LAST_SHIFT && octet > 1)
			break;
		value |= (uint64_t)(octet & 0x7f) << shift;
		if (octet < 0x80) {
			cursor->at = in;
			return value;
		}
	}
	cursor->failed = true;
	return 0;
}
