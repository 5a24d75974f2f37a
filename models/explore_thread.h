/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explore_thread.h: between the search (explore.c) and what the threads call
 * (explore_calls.c): threads that stop before an action.
 */
#ifndef DTAP_MODELS_EXPLORE_THREAD_H
#define DTAP_MODELS_EXPLORE_THREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "explore.h"
#include "explore_memory.h"

enum action_kind {
	ACTION_NONE, /* the thread is done */
	ACTION_LOAD,
	ACTION_CHOOSE,
	ACTION_LOCK,
	ACTION_RCU_READ,
	ACTION_GRACE_BEGIN,
	ACTION_GRACE_END
};

struct action {
	enum action_kind kind;
	const volatile void *object;
	size_t bytes;	    /* of a load */
	unsigned int count; /* of a choice */
};

/* explore.c */

/* The thread that runs; 0 is the main one, before the others and after. */
unsigned int
thread_running(void);

/*
 * Stops before an action until the search has decided how it turns out. The
 * main thread is alone and does not stop.
 */
unsigned int
thread_stop_before(struct action action);

/* Notes what happens, for the story of a failure. */
void
thread_tell(const char *what, const volatile void *object, uint64_t value);

/* Whether a run is under way, and not the explorer's own business. */
bool
thread_is_exploring(void);

/* explore_calls.c */

void
calls_reset(void);

/* In how many ways a thread that stopped before the action may go on now. */
unsigned int
calls_ways(unsigned int thread, const struct action *action);

#endif
