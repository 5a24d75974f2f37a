/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tap_fork.c: a child process learns that the tap is its parent's.
 *
 * One handler is registered with pthread_atfork() at the first open. In the
 * child it marks every tap that has been started, or has rings, as forked and
 * raises its generation, so that the next event of each producer takes the
 * slow turn and is counted there; the fast path needs no getpid() and no check
 * of its own. A tap that was only opened goes over into the child: servers
 * open it before daemon() and start it after.
 *
 * Before the fork all taps are locked, and unlocked in both processes after
 * it: the child inherits lists in one piece and locks that it can take. The
 * same goes for liburcu's own locks, which a thread of the parent that opens
 * its first producer may hold; and the child's grace periods must not wait
 * for readers that were the parent's. The locks are held for moments only, and
 * taken in the order in which the rest of the library nests them.
 *
 * A host that uses the urcu-bp flavour itself must leave the calls around
 * fork() to this library.
 *
 * vfork() and _Fork() run no handlers; what runs there is async-signal-safe
 * code by contract, which dtap_submit() is not.
 */
#include "tap.h"

#include <urcu-bp.h>

static pthread_mutex_t fork_lock = PTHREAD_MUTEX_INITIALIZER;
static dtap *fork_taps; /* under fork_lock; list, by dtap.fork_next */
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;
static int fork_handlers_missing; /* written once */

static void
fork_prepare(void)
{
	pthread_mutex_lock(&fork_lock);
	for (dtap *tap = fork_taps; tap != NULL; tap = tap->fork_next) {
		pthread_mutex_lock(&tap->lock);
		pthread_mutex_lock(&tap->rings.lock);
		pthread_mutex_lock(&tap->log.lock);
	}
	urcu_bp_before_fork();
}

static void
fork_unlock(void)
{
	for (dtap *tap = fork_taps; tap != NULL; tap = tap->fork_next) {
		pthread_mutex_unlock(&tap->log.lock);
		pthread_mutex_unlock(&tap->rings.lock);
		pthread_mutex_unlock(&tap->lock);
	}
	pthread_mutex_unlock(&fork_lock);
}

static void
fork_parent(void)
{
	urcu_bp_after_fork_parent();
	fork_unlock();
}

/* Nothing of it is shared yet: opened before daemon(), to start after it. */
static bool
fork_may_keep(const dtap *tap)
{
	return dtap__load_relaxed(&tap->status) == DTAP__STATUS_OPEN &&
	       tap->rings.rings == 0 && tap->producer_count == 0;
}

static void
fork_child(void)
{
	urcu_bp_after_fork_child();
	for (dtap *tap = fork_taps; tap != NULL; tap = tap->fork_next) {
		if (fork_may_keep(tap))
			continue;
		dtap__store_relaxed(&tap->status, DTAP__STATUS_FORKED);
		dtap__count_add(&tap->generation, 1);
	}
	fork_unlock();
}

static void
fork_register(void)
{
	fork_handlers_missing =
		pthread_atfork(fork_prepare, fork_parent, fork_child);
}

enum dtap_result
dtap__fork_watch(dtap *tap)
{
	pthread_once(&fork_once, fork_register);
	if (fork_handlers_missing != 0)
		return DTAP_E_NOMEM;
	pthread_mutex_lock(&fork_lock);
	tap->fork_next = fork_taps;
	fork_taps = tap;
	pthread_mutex_unlock(&fork_lock);
	return DTAP_OK;
}

void
dtap__fork_unwatch(dtap *tap)
{
	dtap **link = &fork_taps;

	pthread_mutex_lock(&fork_lock);
	while (*link != NULL && *link != tap)
		link = &(*link)->fork_next;
	if (*link != NULL)
		*link = tap->fork_next;
	pthread_mutex_unlock(&fork_lock);
}
