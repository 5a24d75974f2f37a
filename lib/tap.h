/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tap.h: the composition root: what a tap and a producer are made of.
 *
 * Only the tap*.c files include this; they are the only ones that see every
 * room. Who writes what, and when, is said at each group of members.
 *
 * Life of the memory: a tap is counted. The owner, each producer and the
 * writer thread hold one reference each; the last one to let go frees it. So
 * a producer that is used after dtap_close() finds a stopped tap, not freed
 * memory.
 *
 * The generation is how a producer learns that anything has changed: it
 * compares one number for each event, and looks into the matter only when
 * the number differs (tap_producer.c). Reconfiguration, stop and fork all
 * raise it.
 */
#ifndef DTAP_TAP_INTERNAL_H
#define DTAP_TAP_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <dnstap/stats.h>
#include <dnstap/tap.h>

#include "base/atomic.h"
#include "base/compiler.h"
#include "base/log.h"
#include "config/config.h"
#include "encode/encode_message.h"
#include "output/output.h"
#include "ring/ring_set.h"
#include "stats/ledger.h"
#include "stats/loss.h"
#include "writer/writer.h"

enum dtap__status {
	DTAP__STATUS_OPEN,    /* before dtap_start() */
	DTAP__STATUS_RUNNING, /* between start and stop */
	DTAP__STATUS_STOPPED, /* for good */
	DTAP__STATUS_FORKED   /* this process is a child of the tap's */
};

/* What reconfiguration swaps: immutable once published. */
struct dtap__snapshot {
	uint32_t types;
	bool loss_report;
	uint64_t sample_one_in;
	struct dtap__prefix prefix;
};

struct dtap {
	/* Read for every event, written on a change (under lock). */
	dtap__own_line dtap__atomic(uint64_t) generation;
	dtap__atomic(uint32_t) types;
	dtap__atomic(int) status;			/* enum dtap__status */
	dtap__atomic(struct dtap__snapshot *) snapshot; /* RCU */
	char grace; /* see dtap__grace_elapsed() */

	/* Immutable after open. */
	dtap__own_line struct dtap__config config;
	struct dtap__output *output;

	/* Under lock. */
	pthread_mutex_t lock;
	pthread_cond_t changed; /* exited has become true */
	dtap_producer *producers; /* list, by dtap_producer.next */
	uint64_t producer_count;
	unsigned int references;
	struct dtap_stats closed; /* tallies of producers that are gone */
	bool started;
	bool exited;  /* the writer thread is past its last round */
	bool settled; /* a dtap_stop() has joined or given up the thread */
	uint64_t stop_deadline_ns; /* once stopped */
	enum dtap_result stop_result; /* when settled */
	pthread_t thread;

	/* Under the lock of tap_fork.c. */
	dtap *fork_next;

	/* The writer thread's. */
	uint64_t dropped_before; /* as the last tick saw it */
	bool losing;

	struct dtap__log log;
	struct dtap__ring_set rings;
	struct dtap__writer writer;
};

struct dtap_producer {
	/*
	 * The producer's thread alone. The encoder is first, so that the way
	 * to a shape is one addition shorter.
	 */
	struct dtap__encoder encoder;
	dtap *tap;
	struct dtap__ring *ring; /* never NULL; without memory: no ring */
	uint64_t generation;	 /* of what follows */
	bool plain;		 /* see dtap__producer_is_plain() */
	uint32_t types;
	bool loss_report;
	uint64_t sample_one_in;
	struct dtap__loss loss;
	/* Written by the producer's thread, read by statistics. */
	struct dtap__tally tally;

	/* Immutable after open. */
	struct dtap__ring_node *node; /* NULL: none could be had */
	struct dtap__ring no_ring;    /* all zero: always full */

	/* Under the tap's lock. */
	dtap_producer *next;
	dtap_producer **link; /* what points to this one */
};

/* tap.c */

/* As dtap_open(), for an output that is already made; taken if it succeeds. */
enum dtap_result
dtap__tap_open_output(dtap_options *options, struct dtap__output *output,
		      dtap **tap);

/* Frees the tap with its last reference. */
void
dtap__tap_release(dtap *tap);

/* A snapshot of what the options say; NULL without memory. */
struct dtap__snapshot *
dtap__tap_snapshot_new(const struct dtap__config *config);

/* tap_stats.c */

/* Logs that events are being dropped, and that they no longer are. */
void
dtap__stats_watch_loss(void *tap);

/* tap_producer.c */

/*
 * Whether an event of a shape that the encoder knows needs no second look: not
 * while sampling, nor while a loss is to be told. Whether its type is wanted
 * need not be asked, because the encoder is told only of events that are, and
 * forgets all of them when that changes.
 */
static inline bool
dtap__producer_is_plain(const dtap_producer *producer)
{
	return producer->sample_one_in <= 1 && producer->loss.lost == 0;
}

/*
 * Takes note of what has changed. DTAP_OK: go on; DTAP_E_STOPPED,
 * DTAP_E_FORK: the event is dropped, and has been counted.
 */
enum dtap_result
dtap__producer_attend(dtap_producer *producer);

/* Counts events for which no producer could be made. */
void
dtap__producer_count_missing(dtap *tap, enum dtap__fate fate);

/* tap_fork.c */

/* Registers the tap, so that a child of this process learns of the fork. */
enum dtap_result
dtap__fork_watch(dtap *tap);

void
dtap__fork_unwatch(dtap *tap);

#endif
