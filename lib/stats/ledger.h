/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger.h: the counters behind struct dtap_stats.
 *
 * Two kinds, each with a single writer, so that counting is a load and a
 * store and reading needs nobody's leave:
 *   struct dtap__tally   one per producer, written by its thread
 *   struct dtap__ledger  one per tap, written by the writer thread
 *
 * Sums are taken by anyone at any time; they are exact once the writers of
 * the counters have returned. Used by tap and writer.
 */
#ifndef DTAP_STATS_LEDGER_H
#define DTAP_STATS_LEDGER_H

#include <stdint.h>

#include <dnstap/stats.h>

#include "base/atomic.h"
#include "base/compiler.h"

/* What can become of a submitted event: one of these, exactly once. */
enum dtap__fate {
	DTAP__SUBMITTED, /* not a fate: the sum of those that follow */
	DTAP__ACCEPTED,
	DTAP__FILTERED,
	DTAP__SAMPLED_OUT,
	DTAP__DROPPED_INVALID,
	DTAP__DROPPED_TOO_BIG,
	DTAP__DROPPED_FULL,
	DTAP__DROPPED_NO_RING,
	DTAP__DROPPED_FORK,
	DTAP__DROPPED_STOPPED,
	DTAP__FATES
};

/* On lines of its own: written a million times a second by one thread. */
struct dtap__tally {
	dtap__own_line dtap__atomic(uint64_t) of[DTAP__FATES];
};

struct dtap__ledger {
	dtap__own_line dtap__atomic(uint64_t) written;
	dtap__atomic(uint64_t) lost_io;
	dtap__atomic(uint64_t) confirmed;
	dtap__atomic(uint64_t) written_bytes;
	dtap__atomic(uint64_t) sessions;
	dtap__atomic(uint64_t) open_failures;
	dtap__atomic(uint64_t) broken_sessions;
	dtap__atomic(uint64_t) rotations;
	dtap__atomic(int32_t) last_errno;
	dtap__atomic(int32_t) connected;
};

/*
 * Counts one event; the tally's own thread only. Relaxed: the number guards
 * no other memory, and its only other users are readers of statistics.
 */
static dtap__always_inline void
dtap__tally_count(struct dtap__tally *tally, enum dtap__fate fate)
{
	dtap__count_add(&tally->of[fate], 1);
}

/* Adds a producer's tally to the sums of a snapshot. */
void
dtap__ledger_add_tally(struct dtap_stats *sums,
		       const struct dtap__tally *tally);

/* Fills in the writer's side of a snapshot. */
void
dtap__ledger_read(const struct dtap__ledger *ledger, struct dtap_stats *sums);

/*
 * Derives what the equations define (in_ring, unconfirmed) and hands the
 * first out->size octets over. DTAP_OK, or DTAP_E_INVALID for a bad size.
 */
enum dtap_result
dtap__ledger_publish(struct dtap_stats *sums, struct dtap_stats *out);

#endif
