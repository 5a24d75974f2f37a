/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger.c: see ledger.h and the equations in <dnstap/stats.h>.
 *
 * The caller reads the ledger before it sums up the tallies, so a snapshot
 * taken under load can show a frame as accepted and not yet written, never
 * the other way round: in_ring does not underflow. The acquires pair with
 * the writer's releases, which come after it has seen the frames.
 */
#include "stats/ledger.h"

#include <stddef.h>
#include <string.h>

/* Octets of struct dtap_stats in the first release. */
#define STATS_BYTES_MIN offsetof(struct dtap_stats, last_errno)

void
dtap__ledger_add_tally(struct dtap_stats *sums,
		       const struct dtap__tally *tally)
{
	uint64_t of[DTAP__FATES];

	for (int i = 0; i < DTAP__FATES; i++)
		of[i] = dtap__load_relaxed(&tally->of[i]);
	sums->submitted += of[DTAP__SUBMITTED];
	sums->accepted += of[DTAP__ACCEPTED];
	sums->filtered += of[DTAP__FILTERED];
	sums->sampled_out += of[DTAP__SAMPLED_OUT];
	sums->dropped_invalid += of[DTAP__DROPPED_INVALID];
	sums->dropped_too_big += of[DTAP__DROPPED_TOO_BIG];
	sums->dropped_full += of[DTAP__DROPPED_FULL];
	sums->dropped_no_ring += of[DTAP__DROPPED_NO_RING];
	sums->dropped_fork += of[DTAP__DROPPED_FORK];
	sums->dropped_stopped += of[DTAP__DROPPED_STOPPED];
}

void
dtap__ledger_read(const struct dtap__ledger *ledger, struct dtap_stats *sums)
{
	/* First, so that it never exceeds written below. */
	sums->confirmed = dtap__load_acquire(&ledger->confirmed);
	sums->written = dtap__load_acquire(&ledger->written);
	sums->lost_io = dtap__load_relaxed(&ledger->lost_io);
	sums->written_bytes = dtap__load_relaxed(&ledger->written_bytes);
	sums->sessions = dtap__load_relaxed(&ledger->sessions);
	sums->open_failures = dtap__load_relaxed(&ledger->open_failures);
	sums->broken_sessions = dtap__load_relaxed(&ledger->broken_sessions);
	sums->rotations = dtap__load_relaxed(&ledger->rotations);
	sums->last_errno = dtap__load_relaxed(&ledger->last_errno);
	sums->connected = dtap__load_relaxed(&ledger->connected);
}

enum dtap_result
dtap__ledger_publish(struct dtap_stats *sums, struct dtap_stats *out)
{
	size_t bytes = out->size;

	if (bytes < STATS_BYTES_MIN || bytes % 8 != 0)
		return DTAP_E_INVALID;
	sums->in_ring = sums->accepted - sums->written - sums->lost_io -
			sums->lost_shutdown;
	sums->unconfirmed = sums->written - sums->confirmed;
	if (bytes > sizeof(*sums)) {
		memset((char *)out + sizeof(*sums), 0, bytes - sizeof(*sums));
		bytes = sizeof(*sums);
	}
	sums->size = out->size;
	memcpy(out, sums, bytes);
	return DTAP_OK;
}

bool
dtap_stats_balanced(const struct dtap_stats *s)
{
	return s->submitted == s->accepted + s->filtered + s->sampled_out +
				       s->dropped_invalid +
				       s->dropped_too_big + s->dropped_full +
				       s->dropped_no_ring + s->dropped_fork +
				       s->dropped_stopped &&
	       s->accepted == s->written + s->lost_io + s->lost_shutdown +
				      s->in_ring &&
	       s->in_ring <= s->accepted &&
	       s->written == s->confirmed + s->unconfirmed &&
	       s->unconfirmed <= s->written;
}
