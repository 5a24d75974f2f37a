/* SPDX-License-Identifier: Apache-2.0 */
/*
 * soak_load.h: threads that come, submit events of all sizes, and go, and
 * know of each event what became of it.
 *
 * Every burst of a thread is made with the gate held for reading. Who holds it
 * for writing finds all of them quiet and all of their events counted, and may
 * compare ledgers with the counts or put another tap in a sink's place.
 */
#ifndef DTAP_TESTS_SOAK_LOAD_H
#define DTAP_TESTS_SOAK_LOAD_H

#include <pthread.h>
#include <stdint.h>

#include <dnstap/dtap.h>

#include "base/atomic.h"

#define SOAK_SINKS 3
#define SOAK_THREADS 6

/* What dtap_submit() returned, how often. */
enum soak_fate {
	SOAK_ACCEPTED,
	SOAK_FILTERED,
	SOAK_INVALID,
	SOAK_TOO_BIG,
	SOAK_FULL,
	SOAK_REFUSED, /* no ring, or stopped */
	SOAK_WRONG,   /* what it may not return here */
	SOAK_FATES
};

/* Changed with the gate held for writing; the counts by all. */
struct soak_sink {
	dtap *tap;
	unsigned int generation; /* of taps */
	dtap__atomic(uint64_t) counts[SOAK_FATES];
};

struct soak_load;

struct soak_thread {
	struct soak_load *load;
	pthread_t thread;
	uint64_t random;
	dtap__atomic(bool) gone;
};

struct soak_load {
	pthread_rwlock_t gate;
	struct soak_sink sinks[SOAK_SINKS];
	struct soak_thread threads[SOAK_THREADS];
	uint64_t started; /* threads, in all */
	dtap__atomic(bool) ending;
};

/* Starts the threads. Each sink has a tap already. */
void
soak_load_start(struct soak_load *load, uint64_t *random);

/* Puts new threads in the place of those that have gone. */
void
soak_load_tend(struct soak_load *load, uint64_t *random);

/* Waits for all threads to go. */
void
soak_load_end(struct soak_load *load);

/*
 * The test fails unless the ledger of the sink's tap agrees with the counts,
 * event by event. With the gate held for writing. Returns the events.
 */
uint64_t
soak_load_compare(const struct soak_sink *sink);

#endif
