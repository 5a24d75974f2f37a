/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explore_memory.c: see explore_memory.h.
 *
 * A location is not a cell but the list of all stores to it. Each thread has
 * a view: for each location, the oldest store that it may still read. A load
 * may return that one or any newer one, and then nothing older. A release
 * store carries the view of its thread along; an acquire load that reads it
 * joins that view into its own; a relaxed store carries nothing but itself,
 * and a relaxed load takes nothing but the value. This is the view machine
 * of the literature on release/acquire consistency ("A promising semantics
 * for relaxed-memory concurrency", Kang and others, 2017), without promises:
 * what it allows is what RC11 allows.
 *
 * Whether two accesses are ordered ("happens before") is told by clocks that
 * travel along in the views. Two ordinary accesses to an octet, one of them
 * a write, that are not ordered are a data race. Freeing memory writes all
 * of it, so an access after it, or not ordered before it, is a race too.
 *
 * What it does not cover:
 *  - Stores to one location by several threads must be ordered by locks; the
 *    machine refuses others. So a store always comes last in its location.
 *  - A relaxed load never returns what a later store of its own thread
 *    caused (load buffering): RC11 forbids that, C11 leaves it open.
 *  - A relaxed store after a release store of the same thread does not carry
 *    that one's view on, as it would in C11: newer standards have dropped
 *    this, and to leave it out allows more runs, not fewer.
 */
#include "explore_memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explore.h"

/* One store. */
struct store {
	uint64_t value;
	struct view view;
};

struct location {
	const volatile void *address;
	size_t bytes;
	unsigned int count;
	struct store stores[MEMORY_STORES];
};

/* The last accesses to an octet: of all threads that read, of the writer. */
struct shadow {
	uint16_t read[MEMORY_THREADS];
	uint16_t wrote;
	uint8_t writer;
};

static struct location locations[MEMORY_LOCATIONS];
static unsigned int location_count;
static struct view views[MEMORY_THREADS];

static _Alignas(128) uint8_t octets[MEMORY_BYTES];
static struct shadow shadows[MEMORY_BYTES];
static size_t octets_given;
static struct piece {
	uint8_t *address;
	size_t bytes;
	bool free;
} pieces[16];
static unsigned int piece_count;

static struct label {
	const volatile void *address;
	const char *text;
} labels[MEMORY_LOCATIONS];
static unsigned int label_count;

static void
memory_refuse(const char *why)
{
	fprintf(stderr, "explore: %s\n", why);
	abort();
}

void
view_join(struct view *into, const struct view *from)
{
	for (int i = 0; i < MEMORY_THREADS; i++)
		if (into->clock[i] < from->clock[i])
			into->clock[i] = from->clock[i];
	for (int i = 0; i < MEMORY_LOCATIONS; i++)
		if (into->oldest[i] < from->oldest[i])
			into->oldest[i] = from->oldest[i];
}

void
memory_reset(void)
{
	location_count = 0;
	label_count = 0;
	piece_count = 0;
	memset(views, 0, sizeof(views));
	for (unsigned int i = 0; i < MEMORY_THREADS; i++)
		views[i].clock[i] = 1;
	memset(octets, 0, octets_given);
	memset(shadows, 0, octets_given * sizeof(shadows[0]));
	octets_given = 0;
}

struct view *
memory_view(unsigned int thread)
{
	return &views[thread];
}

void
memory_tick(unsigned int thread)
{
	views[thread].clock[thread]++;
}

/* The octet of the shared memory at an address; -1 when it is elsewhere. */
static long
memory_offset(const volatile void *address)
{
	uintptr_t offset = (uintptr_t)address - (uintptr_t)octets;

	return offset < MEMORY_BYTES ? (long)offset : -1;
}

static bool
memory_happened_before(const struct view *view, unsigned int thread,
		       uint16_t clock)
{
	return clock <= view->clock[thread];
}

static void
memory_touch(unsigned int thread, const volatile void *address, size_t bytes,
	     bool writes)
{
	const struct view *view = &views[thread];
	long first = memory_offset(address);

	if (first < 0)
		return;
	for (size_t i = (size_t)first; i < (size_t)first + bytes; i++) {
		struct shadow *shadow = &shadows[i];

		explore_promise(memory_happened_before(view, shadow->writer,
						       shadow->wrote),
				"no access races with a write");
		for (unsigned int t = 0; writes && t < MEMORY_THREADS; t++)
			explore_promise(memory_happened_before(
						view, t, shadow->read[t]),
					"no write races with an access");
		if (writes) {
			shadow->writer = (uint8_t)thread;
			shadow->wrote = view->clock[thread];
		} else {
			shadow->read[thread] = view->clock[thread];
		}
	}
}

void
memory_plain(unsigned int thread, const volatile void *address, size_t bytes,
	     bool writes)
{
	memory_touch(thread, address, bytes, writes);
}

static unsigned int
memory_locate(const volatile void *address, size_t bytes)
{
	struct location *made = &locations[location_count];

	for (unsigned int i = 0; i < location_count; i++)
		if (locations[i].address == address)
			return i;
	if (location_count == MEMORY_LOCATIONS)
		memory_refuse("too many locations");
	/* What stands there before the first store, known to all. */
	made->address = address;
	made->bytes = bytes;
	made->count = 1;
	memset(&made->stores[0], 0, sizeof(made->stores[0]));
	memcpy(&made->stores[0].value, (const void *)(uintptr_t)address,
	       bytes);
	for (unsigned int i = 0; i < MEMORY_THREADS; i++)
		views[i].oldest[location_count] = 0;
	return location_count++;
}

unsigned int
memory_choices(unsigned int thread, const volatile void *address, size_t bytes)
{
	unsigned int at = memory_locate(address, bytes);

	return locations[at].count - views[thread].oldest[at];
}

const void *
memory_load(unsigned int thread, const volatile void *address, size_t bytes,
	    bool acquire, unsigned int choice)
{
	unsigned int at = memory_locate(address, bytes);
	struct view *view = &views[thread];
	struct store *store;

	/* To the detection of races any access to an atomic is a read. */
	memory_touch(thread, address, bytes, false);
	view->oldest[at] = (uint8_t)(view->oldest[at] + choice);
	store = &locations[at].stores[view->oldest[at]];
	if (acquire)
		view_join(view, &store->view);
	return &store->value;
}

void
memory_store(unsigned int thread, const volatile void *address,
	     const void *value, size_t bytes, bool release)
{
	unsigned int at = memory_locate(address, bytes);
	struct location *location = &locations[at];
	struct view *view = &views[thread];
	struct store *store;

	memory_touch(thread, address, bytes, false);
	if (view->oldest[at] != location->count - 1)
		memory_refuse("stores of several threads, not ordered");
	if (location->count == MEMORY_STORES)
		memory_refuse("too many stores");
	view->oldest[at] = (uint8_t)location->count;
	store = &location->stores[location->count++];
	store->value = 0;
	memcpy(&store->value, value, bytes);
	if (release)
		store->view = *view;
	else
		memset(&store->view, 0, sizeof(store->view));
	memory_tick(thread);
}

void *
memory_get(size_t alignment, size_t bytes)
{
	size_t begin = (octets_given + alignment - 1) & ~(alignment - 1);
	struct piece *piece = &pieces[piece_count++];

	if (piece_count == sizeof(pieces) / sizeof(pieces[0]) ||
	    begin + bytes > MEMORY_BYTES)
		memory_refuse("too much memory");
	octets_given = begin + bytes;
	*piece = (struct piece){ octets + begin, bytes, false };
	return piece->address;
}

bool
memory_give_back(unsigned int thread, void *address)
{
	for (unsigned int i = 0; i < piece_count; i++) {
		if (pieces[i].address != address || pieces[i].free)
			continue;
		memory_touch(thread, address, pieces[i].bytes, true);
		/* Not even the thread that freed it may touch it again. */
		memory_tick(thread);
		for (size_t k = 0; k < pieces[i].bytes; k++)
			shadows[memory_offset(address) + (long)k].wrote =
				UINT16_MAX;
		pieces[i].free = true;
		return true;
	}
	return false;
}

unsigned int
memory_in_use(void)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < piece_count; i++)
		count += !pieces[i].free;
	return count;
}

void
memory_label(const volatile void *address, const char *label)
{
	if (label_count < MEMORY_LOCATIONS)
		labels[label_count++] = (struct label){ address, label };
}

const char *
memory_name(const volatile void *address)
{
	for (unsigned int i = 0; i < label_count; i++)
		if (labels[i].address == address)
			return labels[i].text;
	return "?";
}
