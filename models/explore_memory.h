/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explore_memory.h: a small machine with the memory of C11.
 *
 * It has relaxed, acquire and release accesses, mutexes, and RCU; neither
 * fences nor read-modify-writes, which the library does not use. See
 * explore_memory.c for how it works and what it covers.
 *
 * Threads: none; the machine is one, and plays all threads.
 */
#ifndef DTAP_MODELS_EXPLORE_MEMORY_H
#define DTAP_MODELS_EXPLORE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEMORY_THREADS 4
#define MEMORY_LOCATIONS 32
#define MEMORY_STORES 40
#define MEMORY_BYTES 8192

/*
 * What a thread knows: for each location, the oldest store it may still read
 * (its place in the order of that location's stores); for each thread, how
 * much of what it did happened before.
 */
struct view {
	uint16_t clock[MEMORY_THREADS];
	uint8_t oldest[MEMORY_LOCATIONS];
};

void
view_join(struct view *into, const struct view *from);

/* Forgets everything. */
void
memory_reset(void);

/* What a thread knows; the caller joins into it what a lock hands over. */
struct view *
memory_view(unsigned int thread);

/* The thread's later actions are told apart from those until now. */
void
memory_tick(unsigned int thread);

/* How many stores to the location the thread may read now; at least one. */
unsigned int
memory_choices(unsigned int thread, const volatile void *address,
	       size_t bytes);

/* Reads one of them; choice 0 is the oldest. */
const void *
memory_load(unsigned int thread, const volatile void *address, size_t bytes,
	    bool acquire, unsigned int choice);

void
memory_store(unsigned int thread, const volatile void *address,
	     const void *value, size_t bytes, bool release);

/* An ordinary access: a race with another thread's ends the run. */
void
memory_plain(unsigned int thread, const volatile void *address, size_t bytes,
	     bool writes);

/* Memory in which races are looked for; never given out twice in a run. */
void *
memory_get(size_t alignment, size_t bytes);

/* Returns false if it is not the beginning of what memory_get() gave. */
bool
memory_give_back(unsigned int thread, void *address);

/* How many are not given back. */
unsigned int
memory_in_use(void);

/* Names what is at an address, for the story of a failure. */
void
memory_label(const volatile void *address, const char *label);

const char *
memory_name(const volatile void *address);

#endif
