/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file stats.h
 * The ledger: where every event that was submitted has gone.
 *
 *     submitted = accepted + filtered + sampled_out + dropped_invalid
 *                 + dropped_too_big + dropped_full + dropped_no_ring
 *                 + dropped_fork + dropped_stopped
 *     accepted  = written + lost_io + lost_shutdown + in_ring
 *     written   = confirmed + unconfirmed
 *
 * The counters belong to the threads that make them and are summed when they
 * are asked for. While producers run, a snapshot may be a few events behind;
 * once they have returned from their last call it is exact. After dtap_stop()
 * in_ring is 0, unless a file system still holds the writer thread.
 *
 * Lifetime: a snapshot is the caller's own memory. Threads: any.
 */
#ifndef DTAP_STATS_H
#define DTAP_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <dnstap/export.h>
#include <dnstap/result.h>
#include <dnstap/tap.h>

/** A snapshot of the ledger. All numbers are events unless named otherwise. */
struct dtap_stats {
	/** sizeof(struct dtap_stats), set by the caller; append-only. */
	size_t size;

	/** Calls of dtap_submit() and dtap_submit_frame(). */
	uint64_t submitted;
	/** Copied into a ring. */
	uint64_t accepted;
	/** Not wanted: the type is masked out. */
	uint64_t filtered;
	/** Not wanted: left out by sampling. */
	uint64_t sampled_out;
	/** A field was not allowed. */
	uint64_t dropped_invalid;
	/** Larger than the limits in event.h, or than half the ring. */
	uint64_t dropped_too_big;
	/** The ring had no room. */
	uint64_t dropped_full;
	/** The producer had no ring: ring-memory-bytes was reached. */
	uint64_t dropped_no_ring;
	/** Submitted in a child process of the tap's. */
	uint64_t dropped_fork;
	/** Submitted after dtap_stop() began. */
	uint64_t dropped_stopped;

	/** Handed whole to the file or socket. */
	uint64_t written;
	/**
	 * Given up because the output could not take them. 0 in this release:
	 * what an output does not take stays in the rings, and loss happens
	 * where events come in.
	 */
	uint64_t lost_io;
	/** Still in a ring when dtap_stop() ran out of time. */
	uint64_t lost_shutdown;
	/** In a ring, waiting for the writer. */
	uint64_t in_ring;
	/** Written, and FINISH was read, or for files fdatasync succeeded. */
	uint64_t confirmed;
	/** Written, but what became of them is not known (yet). */
	uint64_t unconfirmed;

	/** Octets handed to the file or socket, control frames included. */
	uint64_t written_bytes;
	/** Sessions started: connections that reached START, files opened. */
	uint64_t sessions;
	/** Attempts to open the output, or to shake hands, that failed. */
	uint64_t open_failures;
	/** Sessions that broke before their end. */
	uint64_t broken_sessions;
	/** Files finished by rotation or dtap_reopen(). */
	uint64_t rotations;
	/** Producers open now. */
	uint64_t producers;
	/** Rings that exist now, retired ones that still drain included. */
	uint64_t rings;
	/** Memory of those rings, in octets. */
	uint64_t ring_bytes;
	/** errno of the output's last failure; 0 when there was none. */
	int32_t last_errno;
	/** 1 while frames can flow, else 0. */
	int32_t connected;
};

/** Initialises a snapshot on the stack. */
#ifdef __cplusplus
#define DTAP_STATS_INIT { sizeof(struct dtap_stats) }
#else
#define DTAP_STATS_INIT { .size = sizeof(struct dtap_stats) }
#endif

DTAP_BEGIN_DECLS

/**
 * Takes a snapshot of the ledger.
 *
 * @param  tap    not NULL
 * @param  stats  filled up to its size member; not NULL
 * @return DTAP_OK; DTAP_E_INVALID when an argument is NULL, or the size
 *         smaller than the first release's or not a multiple of 8
 * @threads    any thread, at any time before dtap_close()
 * @blocks     never on I/O; shares a lock with dtap_producer_open() and
 *             dtap_producer_close()
 * @ownership  nothing changes hands
 * @after      a failure leaves @p stats unchanged
 * @since      0.1
 */
DTAP_API enum dtap_result
dtap_stats_get(const dtap *tap, struct dtap_stats *stats);

/**
 * Tells whether the three equations above hold.
 *
 * @param  stats  a snapshot; not NULL
 * @return true when all three hold exactly
 * @threads    any thread
 * @blocks     never
 * @ownership  nothing changes hands
 * @after      cannot fail
 * @since      0.1
 */
DTAP_API bool
dtap_stats_balanced(const struct dtap_stats *stats);

DTAP_END_DECLS

#endif
