/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring_set.c: see ring_set.h.
 *
 * A singly linked list that grows at its front under the lock and is read
 * without it. Two pairs of accesses make that safe:
 *
 *   first        stored with release by add and reap, loaded with acquire by
 *                walk: who sees a node sees its ring made, and likewise all
 *                nodes behind it, for those were added before;
 *   retired      stored with release by retire, loaded with acquire by reap:
 *                who sees a ring retired sees every commit to it, so that
 *                "retired, then empty" (in this order) means empty for good.
 *
 * reap takes a node out by pointing its predecessor beyond it. A walk that
 * stands on the node goes on along its next, which therefore stays as it is
 * until the grace period is over; the nodes to free are strung together by
 * doomed instead. The lock is not held during the grace period: a server
 * thread that opens a producer would wait for it.
 *
 *                   | add | retire | walk | reap | sums | init fini
 *   add             |  L  |   -    |  -   |  L   |  L   |    X
 *   retire          |  -  |   -    |  -   |  -   |  -   |    X
 *   walk            |  -  |   -    |  -   |  -   |  -   |    X
 *   reap            |  L  |   -    |  -   |  X   |  L   |    X
 *   sums            |  L  |   -    |  -   |  L   |  L   |    X
 *   (X: the caller must exclude the other; L: the lock does; -: may run at
 *   the same time)
 *
 * Progress: retire is wait-free; walk takes as many steps as there are
 * rings; add, sums and reap take the lock, which no walk, visit or grace
 * period ever holds up; reap that finds something waits for walks in course.
 *
 * Rejected: cds_list_*_rcu of liburcu, whose accesses ThreadSanitizer does
 * not understand, and call_rcu, which starts a thread in the host.
 */
#include "ring/ring_set.h"

#include <stdlib.h>

#include <urcu-bp.h>

void
dtap__ring_set_init(struct dtap__ring_set *set, uint64_t bytes_max)
{
	/* Default attributes: cannot fail with the C libraries of Linux. */
	pthread_mutex_init(&set->lock, NULL);
	/* Relaxed: whoever hands the set to another thread publishes it. */
	dtap__store_relaxed(&set->first, NULL);
	set->bytes = 0;
	set->rings = 0;
	set->bytes_max = bytes_max;
	set->grace = 0;
}

static void
ring_node_free(struct dtap__ring_node *node)
{
	dtap__ring_fini(&node->ring);
	free(node);
}

void
dtap__ring_set_fini(struct dtap__ring_set *set)
{
	/* Relaxed, here and below: no other thread uses the set any more. */
	struct dtap__ring_node *node = dtap__load_relaxed(&set->first);

	while (node != NULL) {
		struct dtap__ring_node *next = dtap__load_relaxed(&node->next);

		ring_node_free(node);
		node = next;
	}
	dtap__store_relaxed(&set->first, NULL);
	pthread_mutex_destroy(&set->lock);
}

/* Counts a ring before it is made, so that the cap holds at every moment. */
static bool
ring_set_claim(struct dtap__ring_set *set, uint64_t bytes)
{
	bool granted;

	pthread_mutex_lock(&set->lock);
	granted = bytes <= set->bytes_max - set->bytes;
	if (granted) {
		set->bytes += bytes;
		set->rings++;
	}
	pthread_mutex_unlock(&set->lock);
	return granted;
}

static void
ring_set_give_back(struct dtap__ring_set *set, uint64_t bytes, uint64_t rings)
{
	pthread_mutex_lock(&set->lock);
	set->bytes -= bytes;
	set->rings -= rings;
	pthread_mutex_unlock(&set->lock);
}

static enum dtap_result
ring_node_new(uint64_t bytes, enum dtap__ring_layout layout,
	      struct dtap__ring_node **node)
{
	struct dtap__ring_node *made;
	enum dtap_result result;

	/* The structure is aligned to whole lines, so its size fits too. */
	made = aligned_alloc(_Alignof(struct dtap__ring_node), sizeof(*made));
	if (made == NULL)
		return DTAP_E_NOMEM;
	result = dtap__ring_init(&made->ring, bytes, layout);
	if (result != DTAP_OK) {
		free(made);
		return result;
	}
	/* Relaxed, all: the release in ring_set_link() publishes the node. */
	dtap__store_relaxed(&made->next, NULL);
	dtap__store_relaxed(&made->retired, false);
	made->partial = 0;
	made->doomed = NULL;
	*node = made;
	return DTAP_OK;
}

static void
ring_set_link(struct dtap__ring_set *set, struct dtap__ring_node *node)
{
	pthread_mutex_lock(&set->lock);
	/* Relaxed load: first is only stored to under the lock. */
	dtap__store_relaxed(&node->next, dtap__load_relaxed(&set->first));
	/* Pairs with the acquire in dtap__ring_set_walk(). */
	dtap__store_release(&set->first, node);
	pthread_mutex_unlock(&set->lock);
}

enum dtap_result
dtap__ring_set_add(struct dtap__ring_set *set, uint64_t bytes,
		   enum dtap__ring_layout layout, struct dtap__ring_node **node)
{
	enum dtap_result result;

	*node = NULL;
	if (!ring_set_claim(set, bytes))
		return DTAP_E_NO_RING;
	result = ring_node_new(bytes, layout, node);
	if (result != DTAP_OK) {
		ring_set_give_back(set, bytes, 1);
		return result;
	}
	ring_set_link(set, *node);
	return DTAP_OK;
}

void
dtap__ring_retire(struct dtap__ring_node *node)
{
	/* Pairs with the acquire in ring_is_done(). */
	dtap__store_release(&node->retired, true);
}

void
dtap__ring_set_walk(struct dtap__ring_set *set, dtap__ring_visit *visit,
		    void *context)
{
	struct dtap__ring_node *node;

	urcu_bp_read_lock();
	/*
	 * Acquire: pairs with the releases in ring_set_link() and _unlink().
	 * next needs no more than relaxed: it leads only to nodes older than
	 * this one, which were made before first was stored, and the grace
	 * period keeps those that are out of the list already.
	 */
	for (node = dtap__load_acquire(&set->first); node != NULL;
	     node = dtap__load_relaxed(&node->next))
		visit(node, context);
	dtap__grace_reader_done(&set->grace);
	urcu_bp_read_unlock();
}

/* The consumer's side. */
static bool
ring_is_empty(const struct dtap__ring *ring)
{
	struct dtap__span span[2];

	return dtap__ring_peek(ring, span) == 0;
}

static bool
ring_is_done(const struct dtap__ring_node *node, bool discard)
{
	/* Pairs with the release in dtap__ring_retire(). */
	return dtap__load_acquire(&node->retired) &&
	       (discard || ring_is_empty(&node->ring));
}

/* Takes all that are done out of the list and strings them up by doomed. */
static struct dtap__ring_node *
ring_set_unlink(struct dtap__ring_set *set, bool discard)
{
	dtap__atomic(struct dtap__ring_node *) *link = &set->first;
	struct dtap__ring_node *doomed = NULL;
	struct dtap__ring_node *node;

	pthread_mutex_lock(&set->lock);
	/* Relaxed loads: the list is only stored to under the lock. */
	while ((node = dtap__load_relaxed(link)) != NULL) {
		if (!ring_is_done(node, discard)) {
			link = &node->next;
			continue;
		}
		/*
		 * Pairs with the acquire in dtap__ring_set_walk(): link may
		 * be first, and then this is what publishes the next node.
		 */
		dtap__store_release(link, dtap__load_relaxed(&node->next));
		node->doomed = doomed;
		doomed = node;
	}
	pthread_mutex_unlock(&set->lock);
	return doomed;
}

unsigned int
dtap__ring_set_reap(struct dtap__ring_set *set, bool discard,
		    dtap__ring_visit *visit, void *context)
{
	struct dtap__ring_node *doomed = ring_set_unlink(set, discard);
	unsigned int reaped = 0;
	uint64_t bytes = 0;

	if (doomed == NULL)
		return 0;
	urcu_bp_synchronize_rcu();
	dtap__grace_elapsed(&set->grace);

	while (doomed != NULL) {
		struct dtap__ring_node *node = doomed;

		doomed = node->doomed;
		if (visit != NULL && !ring_is_empty(&node->ring))
			visit(node, context);
		bytes += node->ring.capacity;
		reaped++;
		ring_node_free(node);
	}
	ring_set_give_back(set, bytes, reaped);
	return reaped;
}

void
dtap__ring_set_sums(struct dtap__ring_set *set, uint64_t *rings,
		    uint64_t *bytes)
{
	pthread_mutex_lock(&set->lock);
	*rings = set->rings;
	*bytes = set->bytes;
	pthread_mutex_unlock(&set->lock);
}
