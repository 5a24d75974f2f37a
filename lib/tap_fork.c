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
 * Before the fork every lock that a thread of the parent might hold is taken,
 * and given back in both processes after it: the child inherits lists in one
 * piece and locks that it can take. They are held for moments only. liburcu
 * has locks of its own, and a list of readers, some of which may be reading
 * just now; in the child they never come to an end, and a grace period would
 * wait for them. Its functions for fork() see to both.
 *
 * The order of all locks: fork_lock, the taps', their rings', their logs',
 * liburcu's.
 *
 * vfork() and _Fork() run no handlers; what runs there is async-signal-safe
 * code by contract, which dtap_submit() is not.
 */
#include "tap.h"

#include <signal.h>
#include <urcu-bp.h>

static pthread_mutex_t fork_lock = PTHREAD_MUTEX_INITIALIZER;
static dtap *fork_taps; /* under fork_lock; list, by dtap.fork_next */
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;
static int fork_handlers_missing; /* written once */
static bool fork_holds_urcu; /* under fork_lock */

/*
 * liburcu's preparations must be made once for each fork. If this library is
 * in the process twice, copied into two plugins, the other copy may have been
 * here before: then all signals are blocked, as liburcu leaves them. (A host
 * that forks with all of them blocked goes without; it is no worse off.)
 */
static bool
fork_may_prepare_urcu(void)
{
	sigset_t blocked;

	return pthread_sigmask(SIG_BLOCK, NULL, &blocked) == 0 &&
	       (sigismember(&blocked, SIGSEGV) == 0 ||
		sigismember(&blocked, SIGTRAP) == 0);
}

static void
fork_prepare(void)
{
	pthread_mutex_lock(&fork_lock);
	for (dtap *tap = fork_taps; tap != NULL; tap = tap->fork_next) {
		pthread_mutex_lock(&tap->lock);
		pthread_mutex_lock(&tap->rings.lock);
		pthread_mutex_lock(&tap->log.lock);
	}
	fork_holds_urcu = fork_may_prepare_urcu();
	if (fork_holds_urcu)
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
	if (fork_holds_urcu)
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
	if (fork_holds_urcu)
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
