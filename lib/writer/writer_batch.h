/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer_batch.h: what lies in the rings, as one list of octets to write.
 *
 * The bytes between a ring's tail and its head are data frames of a Frame
 * Streams stream, ready to be sent. A batch borrows such runs from all rings
 * for one writev(); when the output has taken some of it, the batch gives
 * back to the rings what was taken, whole frames only.
 *
 * Promises
 *  - A ring's tail moves by whole frames. What was taken of the frame at the
 *    tail stands in the node's `partial`.
 *  - As long as a frame is partial, the next batch begins with the rest of
 *    it: frames of different rings are never mixed.
 *  - After dtap__batch_forget_partial() that frame is sent again from its
 *    first octet: a new connection never begins inside a frame.
 *  - Rings take turns: when a batch was full, or not taken whole, the next
 *    one goes on with the ring behind the last that was served.
 *
 * Threads: the consumer's. Used by writer, and by tap after the writer has
 * ended.
 */
#ifndef DTAP_WRITER_WRITER_BATCH_H
#define DTAP_WRITER_WRITER_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "ring/ring_set.h"

/* Runs in a batch: two per ring at most. POSIX grants IOV_MAX >= 16. */
#define DTAP__BATCH_PARTS 64
/*
 * Octets in a batch: above 256 KiB a write() gains nothing, and what is not
 * yet given back is missing in the rings.
 */
#define DTAP__BATCH_BYTES ((size_t)256 * 1024)

struct dtap__batch {
	struct dtap__ring_set *set;	/* immutable after init */
	struct iovec parts[DTAP__BATCH_PARTS];
	struct dtap__ring_node *nodes[DTAP__BATCH_PARTS]; /* of each part */
	unsigned int indexes[DTAP__BATCH_PARTS]; /* of its ring in the walk */
	int count;
	size_t bytes;
	size_t bytes_max;	/* of this batch */
	struct dtap__ring_node *partial; /* the ring in mid-frame, or NULL */
	unsigned int turn;	/* index of the ring that begins */
	bool retired;		/* the last walk saw a retired ring */
	bool full;		/* there was more than fits */
};

void
dtap__batch_init(struct dtap__batch *batch, struct dtap__ring_set *set);

/*
 * Fills the batch with what is there now, in whole frames but for its ends:
 * the rest of a partial frame, and then at most limit octets in all. Returns
 * its octets.
 */
size_t
dtap__batch_collect(struct dtap__batch *batch, size_t limit);

/*
 * Gives back what the output has taken: the first taken octets of the batch,
 * which is used up by that. Returns how many frames that completed.
 */
uint64_t
dtap__batch_taken(struct dtap__batch *batch, size_t taken);

/* Octets of the frame in progress that were taken; 0: on a boundary. */
size_t
dtap__batch_partial_bytes(const struct dtap__batch *batch);

/* The connection is gone: the frame in progress will be sent again. */
void
dtap__batch_forget_partial(struct dtap__batch *batch);

/* Counts the frames that are in a ring, for when nobody reads it any more. */
uint64_t
dtap__batch_count_frames(const struct dtap__ring *ring);

#endif
