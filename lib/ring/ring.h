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
 * Invariants: tail <= head <= tail + capacity (free-running 64-bit indexes,
 * compared by difference only); a record is at most capacity / 2.
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
	DTAP__RING_AUTO, /* mirrored where the system can, else wrap */
	DTAP__RING_MIRRORED,
	DTAP__RING_WRAP
};

struct dtap__ring {
	/* Immutable after init. */
	uint8_t *base;
	uint64_t capacity;	/* power of two */
	uint64_t contiguous;	/* 2 * capacity when mirrored, else capacity */

	/* The producer's own. */
	dtap__own_line uint64_t next;	/* where the next record goes */
	uint64_t reserved;		/* where the reserved record begins */
	uint64_t tail_seen;		/* a past value of tail */

	/* Written by the producer, read by the consumer. */
	dtap__own_line dtap__atomic(uint64_t) head;
	dtap__atomic(uint64_t) gap;	/* where the last gap begins (wrap) */

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

/* Largest record that always fits once the ring is empty. */
static dtap__always_inline uint64_t
dtap__ring_record_max(const struct dtap__ring *ring)
{
	return ring->capacity / 2;
}

/*
 * Producer. Room for bytes contiguous octets, 1 to record_max; NULL when the
 * ring is too full. Nothing changes until commit: a reservation may simply
 * be given up. Wait-free.
 */
static dtap__always_inline uint8_t *
dtap__ring_reserve(struct dtap__ring *ring, uint64_t bytes);

/* Producer. Publishes the first bytes octets of what was reserved. Wait-free. */
static dtap__always_inline void
dtap__ring_commit(struct dtap__ring *ring, uint64_t bytes);

/*
 * Consumer. The bytes that are there, in order, as up to two runs (the
 * second may be empty). Returns their sum. Wait-free.
 */
size_t
dtap__ring_peek(const struct dtap__ring *ring, struct dtap__span span[2]);

/*
 * Consumer. Gives the first bytes octets of the last peek back to the
 * producer. Wait-free.
 */
void
dtap__ring_release(struct dtap__ring *ring, size_t bytes);

#endif
