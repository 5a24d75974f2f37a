/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tap_producer.c: producers come, learn of changes, and go.
 *
 * A producer keeps a copy of the configuration. When the tap's generation
 * differs from the one that the copy was made for, dtap__producer_attend()
 * takes a new copy inside an RCU read-side section: the only moment in which
 * a producer touches memory that reconfiguration may free. An idle producer
 * therefore never holds anything up.
 *
 * The implicit producers of a thread form a list behind one thread-specific
 * key, whose destructor closes them at thread exit. A producer in that list
 * keeps its tap's memory alive, so a tap's address is not used again while
 * the list can still be searched for it; the producers of taps that have
 * been stopped are swept out when the thread asks for a new one.
 */
#include "tap.h"

#include <stdlib.h>
#include <string.h>
#include <urcu-bp.h>

/*
 * Takes a copy of the configuration of this moment, which is at least as new
 * as the generation that the caller has read; if it is newer, the next event
 * finds the generation changed and copies once more.
 */
static void
producer_copy_snapshot(dtap_producer *producer, uint64_t generation)
{
	dtap *tap = producer->tap;
	struct dtap__snapshot *snapshot;

	urcu_bp_read_lock();
	/* Pairs with the release in tap_swap_locked(). */
	snapshot = dtap__load_acquire(&tap->snapshot);
	producer->generation = generation;
	producer->types = snapshot->types;
	producer->sample_one_in = snapshot->sample_one_in;
	producer->plain = dtap__producer_is_plain(producer);
	producer->loss_report = snapshot->loss_report;
	dtap__encoder_init(&producer->encoder, &snapshot->prefix);
	dtap__grace_reader_done(&tap->grace);
	urcu_bp_read_unlock();
}

enum dtap_result
dtap__producer_attend(dtap_producer *producer)
{
	dtap *tap = producer->tap;
	/*
	 * Pairs with the release wherever it is raised. Before the status:
	 * were it read after, a stop in between would raise it unnoticed, and
	 * this producer would never look again.
	 */
	uint64_t generation = dtap__load_acquire(&tap->generation);

	switch (dtap__load_acquire(&tap->status)) {
	case DTAP__STATUS_FORKED:
		dtap__tally_count(&producer->tally, DTAP__DROPPED_FORK);
		return DTAP_E_FORK;
	case DTAP__STATUS_STOPPED:
		dtap__tally_count(&producer->tally, DTAP__DROPPED_STOPPED);
		return DTAP_E_STOPPED;
	default:
		producer_copy_snapshot(producer, generation);
		return DTAP_OK;
	}
}

/* Gives the producer its ring, or the empty one when the cap is reached. */
static enum dtap_result
producer_take_ring(dtap_producer *producer)
{
	dtap *tap = producer->tap;
	static const enum dtap__ring_layout layouts[] = {
		[DTAP__LAYOUT_AUTO] = DTAP__RING_AUTO,
		[DTAP__LAYOUT_MIRRORED] = DTAP__RING_MIRRORED,
		[DTAP__LAYOUT_WRAP] = DTAP__RING_WRAP,
	};
	enum dtap_result result;

	result = dtap__ring_set_add(&tap->rings, tap->config.ring_bytes,
				    layouts[tap->config.ring_layout],
				    &producer->node);
	if (result == DTAP_E_NO_RING) {
		producer->ring = &producer->no_ring;
		dtap__log(&tap->log, DTAP__LOG_RING, DTAP_LOG_ERROR,
			  "dnstap: ring-memory-bytes is used up; a thread's "
			  "events are dropped and counted as no_ring");
		return DTAP_OK;
	}
	if (result == DTAP_OK)
		producer->ring = &producer->node->ring;
	return result;
}

/* Why the tap takes no producer; DTAP_OK: it does. */
static enum dtap_result
producer_refusal(const dtap *tap)
{
	switch (dtap__load_acquire(&tap->status)) {
	case DTAP__STATUS_STOPPED:
		return DTAP_E_STOPPED;
	case DTAP__STATUS_FORKED:
		return DTAP_E_FORK;
	default:
		return DTAP_OK;
	}
}

/* Enters the producer into the tap's list, unless the tap has ended. */
static enum dtap_result
producer_enter(dtap_producer *producer)
{
	dtap *tap = producer->tap;
	enum dtap_result result;

	pthread_mutex_lock(&tap->lock);
	result = producer_refusal(tap);
	if (result == DTAP_OK) {
		producer->next = tap->producers;
		producer->link = &tap->producers;
		if (producer->next != NULL)
			producer->next->link = &producer->next;
		tap->producers = producer;
		tap->producer_count++;
		tap->references++;
	}
	pthread_mutex_unlock(&tap->lock);
	return result;
}

enum dtap_result
dtap_producer_open(dtap *tap, dtap_producer **producer)
{
	dtap_producer *made = NULL;
	enum dtap_result result;

	if (producer != NULL)
		*producer = NULL;
	if (tap == NULL || producer == NULL)
		return DTAP_E_INVALID;
	/* Before a ring is made for nothing; producer_enter() decides. */
	result = producer_refusal(tap);
	if (result != DTAP_OK)
		return result;
	if (posix_memalign((void **)&made, DTAP__LINE, sizeof(*made)) != 0)
		return DTAP_E_NOMEM;
	memset(made, 0, sizeof(*made));
	made->tap = tap;
	result = producer_take_ring(made);
	if (result == DTAP_OK) {
		producer_copy_snapshot(made,
				       dtap__load_acquire(&tap->generation));
		result = producer_enter(made);
	}
	if (result != DTAP_OK) {
		if (made->node != NULL)
			dtap__ring_retire(made->node);
		free(made);
		return result;
	}
	*producer = made;
	return DTAP_OK;
}

/* Counts what a ring holds that nobody will read any more. */
static void
producer_count_lost(struct dtap__ring_node *node, void *context)
{
	struct dtap_stats *closed = context;

	closed->lost_shutdown += dtap__batch_count_frames(&node->ring);
}

void
dtap_producer_close(dtap_producer **producer)
{
	dtap_producer *gone;
	dtap *tap;
	bool forked;

	if (producer == NULL || *producer == NULL)
		return;
	gone = *producer;
	*producer = NULL;
	tap = gone->tap;
	forked = dtap__load_acquire(&tap->status) == DTAP__STATUS_FORKED;

	pthread_mutex_lock(&tap->lock);
	*gone->link = gone->next;
	if (gone->next != NULL)
		gone->next->link = gone->link;
	tap->producer_count--;
	dtap__ledger_add_tally(&tap->closed, &gone->tally);
	if (gone->node != NULL && !forked) {
		dtap__ring_retire(gone->node);
		if (tap->exited)
			dtap__ring_set_reap(&tap->rings, true,
					    producer_count_lost, &tap->closed);
	}
	pthread_mutex_unlock(&tap->lock);
	free(gone);
	dtap__tap_release(tap);
}

/* The calling thread's implicit producers. */
struct producer_entry {
	struct producer_entry *next;
	dtap_producer *producer;
};

static pthread_once_t producer_once = PTHREAD_ONCE_INIT;
static pthread_key_t producer_key;
static int producer_key_missing; /* written once */
static _Thread_local struct producer_entry *producer_entries;

/* At thread exit. */
static void
producer_close_all(void *unused)
{
	(void)unused;
	while (producer_entries != NULL) {
		struct producer_entry *entry = producer_entries;

		producer_entries = entry->next;
		dtap_producer_close(&entry->producer);
		free(entry);
	}
}

static void
producer_make_key(void)
{
	producer_key_missing =
		pthread_key_create(&producer_key, producer_close_all);
}

/* Closes the thread's producers whose taps have ended. */
static void
producer_sweep(void)
{
	struct producer_entry **link = &producer_entries;

	while (*link != NULL) {
		struct producer_entry *entry = *link;
		int status = dtap__load_acquire(&entry->producer->tap->status);

		if (status != DTAP__STATUS_STOPPED &&
		    status != DTAP__STATUS_FORKED) {
			link = &entry->next;
			continue;
		}
		*link = entry->next;
		dtap_producer_close(&entry->producer);
		free(entry);
	}
}

void
dtap__producer_count_missing(dtap *tap, enum dtap__fate fate)
{
	pthread_mutex_lock(&tap->lock);
	tap->closed.submitted++;
	if (fate == DTAP__DROPPED_NO_RING)
		tap->closed.dropped_no_ring++;
	else if (fate == DTAP__DROPPED_FORK)
		tap->closed.dropped_fork++;
	else
		tap->closed.dropped_stopped++;
	pthread_mutex_unlock(&tap->lock);
}

/* First call of a thread for a tap. */
static dtap__noinline dtap_producer *
producer_make_implicit(dtap *tap)
{
	struct producer_entry *entry;
	enum dtap_result result = DTAP_E_NOMEM;

	pthread_once(&producer_once, producer_make_key);
	producer_sweep();
	entry = calloc(1, sizeof(*entry));
	if (entry != NULL && producer_key_missing == 0 &&
	    pthread_setspecific(producer_key, entry) == 0)
		result = dtap_producer_open(tap, &entry->producer);
	if (result != DTAP_OK) {
		free(entry);
		dtap__producer_count_missing(
			tap, result == DTAP_E_STOPPED ? DTAP__DROPPED_STOPPED
			     : result == DTAP_E_FORK  ? DTAP__DROPPED_FORK
						      : DTAP__DROPPED_NO_RING);
		return NULL;
	}
	entry->next = producer_entries;
	producer_entries = entry;
	return entry->producer;
}

dtap_producer *
dtap_thread_producer(dtap *tap)
{
	struct producer_entry *entry = producer_entries;

	if (tap == NULL)
		return NULL;
	while (entry != NULL && entry->producer->tap != tap)
		entry = entry->next;
	return entry != NULL ? entry->producer : producer_make_implicit(tap);
}
