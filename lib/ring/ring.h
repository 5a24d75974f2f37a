/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring.h: a byte ring with one producer and one consumer.
 *
 * The ring does not know what its bytes mean. Records are packed: the bytes
 * from tail to head are a stream, and the consumer takes as many of them as
 * it likes. See ring.c for the drawing, the ordering promises and the
 * progress guarantees.
 *
 * Two layouts, same promises:
 *   mirrored  the memory is mapped twice in a row, so every record is
 *             contiguous wherever it begins;
 *   wrap      a record that would cross the end starts at the beginning
 *             instead, and the gap is skipped by the consumer.
 *
 * Invariants: tail <= head = next <= limit <= tail + capacity (free-running
 * 64-bit indexes, compared by difference only); a record is at most
 * capacity / 2. The letters at the accesses are the ordering promises of
 * ring.c.
 *
 *                       | reserve commit | peek release | close
 *   reserve, commit     |       X        |      -       |   X
 *   peek, release       |       -        |      X       |   X
 *   (X: the caller must exclude the other; -: may run at the same time)
 */
#ifndef DTAP_RING_RING_H
#define DTAP_RING_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <dnstap/result.h>

#include "base/atomic.h"
#include "base/compiler.h"

#define DTAP__RING_BYTES_MIN (UINT64_C(1) << 16)
#define DTAP__RING_BYTES_MAX (UINT64_C(1) << 30)

enum dtap__ring_layout {
	DTAP__RING_AUTO,	/* mirrored where the system can, else wrap */
	DTAP__RING_MIRRORED,
	DTAP__RING_WRAP
};

struct dtap__ring {
	/* Immutable after init. */
	uint8_t *base;
	uint64_t capacity;	/* power of two */
	uint64_t mask;		/* capacity - 1 */
	uint64_t contiguous;	/* 2 * capacity when mirrored, else capacity */

	/* The producer's own. */
	dtap__own_line uint64_t next;	/* where the last record ends */
	uint64_t limit;		/* how far the next may go without a look */
	bool crossing;		/* the reserved record begins at a boundary */

	/* Written by the producer, read by the consumer. */
	dtap__own_line dtap__atomic(uint64_t) head;
	dtap__atomic(uint64_t) gap;	/* where the last lap's data ends */

	/* Written by the consumer, read by the producer. */
	dtap__own_line dtap__atomic(uint64_t) tail;
};

/* A contiguous run of bytes. */
struct dtap__span {
	const uint8_t *data;
	size_t bytes;
};

/*
 * Maps and pre-faults the memory. bytes is a power of two within the limits
 * and at least a page. DTAP_OK; DTAP_E_INVALID; DTAP_E_NOMEM;
 * DTAP_E_UNSUPPORTED when mirrored was demanded and cannot be had.
 */
enum dtap_result
dtap__ring_init(struct dtap__ring *ring, uint64_t bytes,
		enum dtap__ring_layout layout);

/* Unmaps; accepts a ring that init failed on (all zero). */
void
dtap__ring_fini(struct dtap__ring *ring);

/*
 * Empties the ring and lets its indexes begin at index. Part of init; tests
 * call it again to come near the places where indexes wrap.
 */
void
dtap__ring_start_at(struct dtap__ring *ring, uint64_t index);

/* Largest record that always fits once the ring is empty. */
static dtap__always_inline uint64_t
dtap__ring_record_max(const struct dtap__ring *ring)
{
	return ring->capacity / 2;
}

/* The rest of reserve: looks at the consumer's tail and at the boundary. */
uint8_t *
dtap__ring_look(struct dtap__ring *ring, uint64_t bytes);

/* What commit does first for a record that begins at a boundary. */
void
dtap__ring_cross(struct dtap__ring *ring, uint64_t bytes);

/*
 * Producer. The short way, for most records: whether bytes octets have room
 * without a look, where they go if so, and their commit. What does not fit
 * near may well be had from reserve.
 */
static dtap__always_inline bool
dtap__ring_fits_near(const struct dtap__ring *ring, uint64_t bytes)
{
	return bytes <= ring->limit - ring->next;
}

static dtap__always_inline uint8_t *
dtap__ring_near(const struct dtap__ring *ring)
{
	return ring->base + (ring->next & ring->mask);
}

static dtap__always_inline void
dtap__ring_commit_near(struct dtap__ring *ring, uint64_t bytes)
{
	uint64_t end = ring->next + bytes;

	ring->next = end;
	/* A, B: pairs with the acquires in ring.c. */
	dtap__store_release(&ring->head, end);
}

/*
 * Producer. Room for bytes contiguous octets, at least one; NULL when the
 * ring is too full, or bytes above record_max. The consumer sees nothing
 * until commit: a reservation may simply be given up, and may be larger than
 * what is then committed. Wait-free.
 */
static dtap__always_inline uint8_t *
dtap__ring_reserve(struct dtap__ring *ring, uint64_t bytes)
{
	if (dtap__likely(dtap__ring_fits_near(ring, bytes)))
		return dtap__ring_near(ring);
	return dtap__ring_look(ring, bytes);
}

/*
 * Producer. Whether reserve would surely refuse so many octets; cheaper than
 * to be refused. Relaxed: nothing is written on the strength of it.
 */
static dtap__always_inline bool
dtap__ring_is_short_of(const struct dtap__ring *ring, uint64_t bytes)
{
	uint64_t used = ring->next - dtap__load_relaxed(&ring->tail);

	return bytes > ring->capacity - used;
}

/*
 * Producer. Publishes the first bytes octets, at least one, of the last
 * reservation; at most once for each. Wait-free.
 */
static dtap__always_inline void
dtap__ring_commit(struct dtap__ring *ring, uint64_t bytes)
{
	if (dtap__unlikely(ring->crossing))
		dtap__ring_cross(ring, bytes);
	dtap__ring_commit_near(ring, bytes);
}

/*
 * Consumer. The bytes that are there, in order, as up to two runs; an empty
 * run comes after those that are not. Returns their sum. Wait-free.
 */
size_t
dtap__ring_peek(const struct dtap__ring *ring, struct dtap__span span[2]);

/*
 * Consumer. Gives the first bytes octets of the last peek back to the
 * producer; in several calls if that suits. Wait-free.
 */
void
dtap__ring_release(struct dtap__ring *ring, size_t bytes);

#endif
