/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring_set.h: all rings of a tap, walked by the writer while server threads
 * come and go.
 *
 * A ring is added by the thread that opens a producer, marked retired when
 * the producer is closed, and reaped by the consumer once it is empty. The
 * walk takes no lock: it runs inside an RCU read-side section (urcu-bp), and
 * a reaped ring is freed after a grace period. Adding and reaping exclude
 * each other by the set's mutex.
 *
 * A cap bounds the memory of all rings; above it, adding is refused.
 *
 * Threads: add, retire, walk: any; reap: see there. A visit may do with a
 * ring only what its thread may: peek and release are the consumer's. Used
 * by tap and writer.
 */
#ifndef DTAP_RING_RING_SET_H
#define DTAP_RING_RING_SET_H

#include <pthread.h>

#include "ring/ring.h"

struct dtap__ring_node {
	struct dtap__ring ring;
	dtap__atomic(struct dtap__ring_node *) next;
	dtap__atomic(bool) retired;	/* set once, by the producer's side */
	/* The consumer's notes; only the consumer's thread touches them. */
	uint64_t partial;	/* octets beyond tail already handed on */
	struct dtap__ring_node *doomed;	/* the next one that reap will free */
};

struct dtap__ring_set {
	pthread_mutex_t lock;	/* guards changes of the list and the sums */
	dtap__atomic(struct dtap__ring_node *) first;
	uint64_t bytes;		/* capacity of all rings not yet freed */
	uint64_t rings;		/* how many */
	uint64_t bytes_max;	/* immutable after init */
	char grace;		/* see dtap__grace_elapsed() */
};

void
dtap__ring_set_init(struct dtap__ring_set *set, uint64_t bytes_max);

/* Frees every ring that is left. No other thread uses the set any more. */
void
dtap__ring_set_fini(struct dtap__ring_set *set);

/*
 * Makes a ring and adds it. DTAP_OK; DTAP_E_NO_RING above the cap;
 * otherwise as dtap__ring_init(). *node is NULL on failure. Holds the lock
 * only to count and to link, never while memory is mapped.
 */
enum dtap_result
dtap__ring_set_add(struct dtap__ring_set *set, uint64_t bytes,
		   enum dtap__ring_layout layout,
		   struct dtap__ring_node **node);

/* No more records will come. The node may be gone at any time afterwards. */
void
dtap__ring_retire(struct dtap__ring_node *node);

/*
 * Calls visit for each ring, inside one RCU read-side section. A ring that
 * is added meanwhile may or may not be seen.
 */
typedef void
dtap__ring_visit(struct dtap__ring_node *node, void *context);

void
dtap__ring_set_walk(struct dtap__ring_set *set, dtap__ring_visit *visit,
		    void *context);

/*
 * Takes every ring that is retired and empty out of the set and frees it
 * after a grace period. The consumer's thread, or after it has ended any one
 * thread; never from a visit, where it would wait for itself. Returns how
 * many. With discard, rings that are retired but not empty go too, and visit
 * (may be NULL) sees each of these, already out of the set, before it does.
 */
unsigned int
dtap__ring_set_reap(struct dtap__ring_set *set, bool discard,
		    dtap__ring_visit *visit, void *context);

/* How many rings and octets there are, not yet freed. Any thread. */
void
dtap__ring_set_sums(struct dtap__ring_set *set, uint64_t *rings,
		    uint64_t *bytes);

#endif
