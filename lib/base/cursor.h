/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cursor.h: a bounded reader with a sticky error.
 *
 * After the first read past the end every operation is a no-op that yields
 * zeros, so a parser is written straight through and checked once at its
 * end. Invariant: begin <= at <= end; when failed, at no longer moves.
 *
 * Used by frame and reader. One thread per cursor; never blocks.
 */
#ifndef DTAP_BASE_CURSOR_H
#define DTAP_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dtap__cursor {
	const uint8_t *begin;
	const uint8_t *at;
	const uint8_t *end;
	bool failed;
};

/* data may be NULL when bytes is 0. */
void
dtap__cursor_init(struct dtap__cursor *cursor, const void *data, size_t bytes);

/* Octets that are left; 0 after a failure. */
size_t
dtap__cursor_left(const struct dtap__cursor *cursor);

/* Big-endian, as Frame Streams has it; 0 on failure. */
uint32_t
dtap__cursor_read_be32(struct dtap__cursor *cursor);

/* Little-endian, as protobuf's fixed32; 0 on failure. */
uint32_t
dtap__cursor_read_le32(struct dtap__cursor *cursor);

/*
 * A protobuf varint: at most 10 octets, bits above 64 fail (protobuf
 * encoding guide, "Base 128 Varints"); 0 on failure.
 */
uint64_t
dtap__cursor_read_varint(struct dtap__cursor *cursor);

/*
 * Steps over bytes octets and returns where they begin; NULL on failure. The
 * count is 64 bits wide so that a hostile length cannot wrap before it is
 * compared with what is left.
 */
const uint8_t *
dtap__cursor_take(struct dtap__cursor *cursor, uint64_t bytes);

#endif
