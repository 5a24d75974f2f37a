/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tap_stats.c: a snapshot of the ledger, summed over all who count.
 *
 * What has become of frames is read first, then what the producers have
 * accepted: a producer counts a frame before it publishes it, so in_ring can
 * be too large for a moment, but never negative.
 */
#include "tap.h"

#include <inttypes.h>

static void
stats_count_left(struct dtap__ring_node *node, void *context)
{
	struct dtap_stats *sums = context;

	sums->lost_shutdown += dtap__batch_count_frames(&node->ring);
}

/* What producers that are gone have left in the tap's books. */
static void
stats_add_closed(struct dtap_stats *sums, const struct dtap_stats *closed)
{
	sums->submitted = closed->submitted;
	sums->accepted = closed->accepted;
	sums->filtered = closed->filtered;
	sums->sampled_out = closed->sampled_out;
	sums->dropped_invalid = closed->dropped_invalid;
	sums->dropped_too_big = closed->dropped_too_big;
	sums->dropped_full = closed->dropped_full;
	sums->dropped_no_ring = closed->dropped_no_ring;
	sums->dropped_fork = closed->dropped_fork;
	sums->dropped_stopped = closed->dropped_stopped;
	sums->lost_shutdown = closed->lost_shutdown;
}

enum dtap_result
dtap_stats_get(const dtap *tap, struct dtap_stats *stats)
{
	/* The lock is not part of what const protects. */
	dtap *locked = (dtap *)(uintptr_t)tap;
	struct dtap_stats sums = DTAP_STATS_INIT;

	if (tap == NULL || stats == NULL)
		return DTAP_E_INVALID;
	pthread_mutex_lock(&locked->lock);
	stats_add_closed(&sums, &tap->closed);
	dtap__ledger_read(&tap->writer.ledger, &sums);
	if (tap->exited)
		dtap__ring_set_walk(&locked->rings, stats_count_left, &sums);
	for (dtap_producer *p = tap->producers; p != NULL; p = p->next)
		dtap__ledger_add_tally(&sums, &p->tally);
	sums.producers = tap->producer_count;
	pthread_mutex_unlock(&locked->lock);
	dtap__ring_set_sums(&locked->rings, &sums.rings, &sums.ring_bytes);
	return dtap__ledger_publish(&sums, stats);
}

void
dtap__stats_watch_loss(void *context)
{
	dtap *tap = context;
	struct dtap_stats stats = DTAP_STATS_INIT;
	uint64_t dropped;

	dtap_stats_get(tap, &stats);
	dropped = stats.dropped_full + stats.dropped_no_ring +
		  stats.dropped_too_big + stats.dropped_invalid;
	if (dropped > tap->dropped_before)
		dtap__log(&tap->log, DTAP__LOG_LOSS, DTAP_LOG_WARNING,
			  "dnstap: %" PRIu64 " events dropped so far: ring "
			  "full %" PRIu64 ", no ring %" PRIu64 ", too big "
			  "%" PRIu64 ", invalid %" PRIu64,
			  dropped, stats.dropped_full, stats.dropped_no_ring,
			  stats.dropped_too_big, stats.dropped_invalid);
	else if (tap->losing)
		dtap__log(&tap->log, DTAP__LOG_LOSS_END, DTAP_LOG_NOTICE,
			  "dnstap: no more events are dropped; %" PRIu64
			  " were", dropped);
	tap->losing = dropped > tap->dropped_before;
	tap->dropped_before = dropped;
}
