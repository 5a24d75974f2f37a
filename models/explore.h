/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explore.h: runs the threads of a small scenario in every way that C11
 * allows: every interleaving, and every old value that a load may return.
 *
 * A scenario is a function for each thread, one that prepares the shared
 * memory before and one that looks at the outcome after. The threads run the
 * shipped sources; each run begins from nothing, so a scenario must behave
 * the same whenever the explorer chooses the same.
 */
#ifndef DTAP_MODELS_EXPLORE_H
#define DTAP_MODELS_EXPLORE_H

#include <stdbool.h>
#include <stddef.h>

#define EXPLORE_WORKERS 3
#define EXPLORE_EVENTS 8

struct explore_scenario {
	const char *name;
	void (*before)(void);
	struct {
		const char *name;
		void (*run)(void);
	} threads[EXPLORE_WORKERS];	/* the unused ones are zero */
	void (*after)(void);
	/*
	 * What must have happened in some run, or the scenario proves less
	 * than it seems to.
	 */
	const char *events[EXPLORE_EVENTS];
};

/* Ends the process when a run breaks a promise, and tells how it went. */
void
explore(const struct explore_scenario *scenario);

/* For scenarios. */

/* The explorer tries each of 0 to count - 1. */
unsigned int
explore_choose(unsigned int count);

/* A promise: when it is broken, the run is told and the process ends. */
void
explore_promise(bool kept, const char *promise);

/* scenario.events[event] has happened. */
void
explore_saw(unsigned int event);

/* Shared memory, in which races are looked for. */
void *
explore_get(size_t bytes, const char *label);

void
explore_free(void *address);

/* Names what is at an address, for the story of a failure. */
void
explore_label(const volatile void *address, const char *label);

/* How many pieces of shared memory have not been freed. */
unsigned int
explore_in_use(void);

#endif
