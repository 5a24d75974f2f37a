/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bind_pair.c: see bind_pair.h.
 *
 * named tells of a query and of its response in two calls that share nothing
 * but a pointer: where, in the client or in the resolver's query, the time
 * of the query stands. That time comes from a clock of 4 ms steps, and
 * nothing says what type the query was logged as. So the thread remembers
 * both for its last queries, in a table of its own that is indexed by the
 * pointer. named keeps a query on one thread; where it does not, or where
 * another query has taken the place, the response does without.
 *
 * The pointer alone would not do, as its memory is used again: time and
 * message ID have to match, too.
 */
#include "bind_pair.h"

#include <stddef.h>

/* Of 40 octets each, in every thread of the server. */
#define PAIR_SLOTS 512

static _Thread_local struct bind_pair pair_slots[PAIR_SLOTS];

static struct bind_pair *
pair_slot(const isc_time_t *stamp)
{
	/* Fibonacci hashing: clients lie at even distances. */
	uint64_t mixed = (uint64_t)(uintptr_t)stamp *
			 UINT64_C(0x9e3779b97f4a7c15);

	return &pair_slots[mixed >> 32 & (PAIR_SLOTS - 1)];
}

void
bind_pair_note(const isc_time_t *stamp, uint16_t id, dns_dtmsgtype_t type,
	       const struct timespec *seen)
{
	struct bind_pair *slot = pair_slot(stamp);

	slot->stamp = stamp;
	slot->coarse = *stamp;
	slot->seen = *seen;
	slot->type = type;
	slot->id = id;
}

const struct bind_pair *
bind_pair_find(const isc_time_t *stamp, uint16_t id)
{
	const struct bind_pair *slot = pair_slot(stamp);

	if (slot->stamp == stamp && slot->id == id &&
	    slot->coarse.seconds == stamp->seconds &&
	    slot->coarse.nanoseconds == stamp->nanoseconds)
		return slot;
	return NULL;
}
