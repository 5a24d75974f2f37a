/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring_stream.h: a ring of which both ends are known.
 *
 * Each octet that is written depends on its place in the stream, so a test
 * can tell octets that were torn, lost, repeated or taken from a gap.
 */
#ifndef DTAP_TESTS_RING_STREAM_H
#define DTAP_TESTS_RING_STREAM_H

#include <string.h>

#include "ring/ring.h"

#include "support/support.h"

/* Small rings go round often. */
#define SMALLEST DTAP__RING_BYTES_MIN

static const enum dtap__ring_layout layouts[] = {
	DTAP__RING_MIRRORED, DTAP__RING_WRAP
};

/* Runs a test once for each layout; _i says which. */
#define add_for_layouts(suite, function) \
	do { \
		TCase *added = tcase_create(#function); \
		tcase_add_loop_test(added, function, 0, 2); \
		tcase_set_timeout(added, 120); \
		suite_add_tcase((suite), added); \
	} while (0)

/* A ring and how far each end of its stream has come. */

struct stream {
	struct dtap__ring ring;
	uint64_t written; /* octets committed */
	uint64_t read;	  /* octets released */
};

static inline uint8_t
octet_at(uint64_t place)
{
	return (uint8_t)((place * UINT64_C(0x9e3779b97f4a7c15)) >> 56);
}

static inline void
stream_open(struct stream *stream, enum dtap__ring_layout layout,
	    uint64_t index)
{
	memset(stream, 0, sizeof(*stream));
	ck_assert_int_eq(dtap__ring_init(&stream->ring, SMALLEST, layout),
			 DTAP_OK);
	dtap__ring_start_at(&stream->ring, index);
}

static inline void
stream_close(struct stream *stream)
{
	dtap__ring_fini(&stream->ring);
}

/*
 * Reserves at_most, writes and commits bytes; false when too full. Where the
 * short way is open, it is taken half the time.
 */
static inline bool
stream_write(struct stream *stream, uint64_t at_most, uint64_t bytes)
{
	bool short_of = dtap__ring_is_short_of(&stream->ring, at_most);
	bool near = dtap__ring_fits_near(&stream->ring, at_most) &&
		    stream->written % 2 == 0;
	uint8_t *slot = near ? dtap__ring_near(&stream->ring)
			     : dtap__ring_reserve(&stream->ring, at_most);

	ck_assert(slot == NULL || !short_of);
	if (slot == NULL)
		return false;
	for (uint64_t i = 0; i < bytes; i++)
		slot[i] = octet_at(stream->written + i);
	/* What is beyond the record must never be seen. */
	memset(slot + bytes, 0xee, at_most - bytes);
	if (near)
		dtap__ring_commit_near(&stream->ring, bytes);
	else
		dtap__ring_commit(&stream->ring, bytes);
	stream->written += bytes;
	return true;
}

/* Everything written and not yet released is there, and nothing else. */
static inline void
stream_check(const struct stream *stream)
{
	uint64_t place = stream->read;
	struct dtap__span span[2];
	uint64_t wrong = 0;
	size_t bytes;

	bytes = dtap__ring_peek(&stream->ring, span);
	ck_assert_uint_eq(bytes, stream->written - stream->read);
	ck_assert_uint_eq(span[0].bytes + span[1].bytes, bytes);
	ck_assert(span[0].bytes > 0 || bytes == 0);
	for (int run = 0; run < 2; run++)
		for (size_t i = 0; i < span[run].bytes; i++)
			wrong += span[run].data[i] != octet_at(place++);
	ck_assert_uint_eq(wrong, 0);
}

static inline void
stream_release(struct stream *stream, uint64_t bytes)
{
	dtap__ring_release(&stream->ring, bytes);
	stream->read += bytes;
}

/* Brings an empty ring to an offset, far from where it was or not. */
static inline void
stream_go_to(struct stream *stream, uint64_t offset)
{
	dtap__ring_start_at(&stream->ring, offset);
	stream->written = stream->read = 0;
}

#endif
