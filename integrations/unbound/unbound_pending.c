/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unbound_pending.c: see unbound_pending.h.
 *
 * Sets of four entries, addressed by a hash, as in a processor's cache. When a
 * set is full the oldest entry gives way; its response will carry no time. No
 * list, no timer, no allocation after start: a query that is dropped without
 * an answer just stays until it is pushed out.
 *
 * A wrong time is worse than none. A second query from the same address, port
 * and ID to the same socket, while the first one waits, as of a client that
 * repeats itself, makes the two indistinguishable, and their responses get no
 * time. Whether the first one waits or was dropped is not known; after two
 * minutes it counts as dropped.
 *
 * A client can choose port and ID so that its queries fall into one set. It
 * then pushes out its own times, and those of the few who share the set.
 */
#include "unbound_pending.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define PENDING_WAYS 4
#define PENDING_SETS (UNBOUND_PENDING_QUERIES / PENDING_WAYS)

#define PENDING_SECONDS 120

struct pending_entry {
	struct unbound_exchange exchange;
	struct timespec came; /* the last one */
	unsigned int waiting; /* queries without a response; 0: free */
	bool ambiguous;	      /* there were two at a time */
};

struct unbound_pending {
	struct pending_entry entries[PENDING_SETS][PENDING_WAYS];
};

_Static_assert(sizeof(struct unbound_exchange) ==
		       24 + sizeof(uintptr_t),
	       "an exchange is compared as octets: no padding");

static bool
pending_set_address(struct unbound_exchange *exchange,
		    const struct sockaddr *client)
{
	const struct sockaddr_in *ip4 = (const struct sockaddr_in *)client;
	const struct sockaddr_in6 *ip6 = (const struct sockaddr_in6 *)client;

	switch (client->sa_family) {
	case AF_INET:
		memcpy(exchange->address, &ip4->sin_addr, 4);
		exchange->port = ip4->sin_port;
		return true;
	case AF_INET6:
		memcpy(exchange->address, &ip6->sin6_addr, 16);
		exchange->port = ip6->sin6_port;
		return true;
	default:
		return false;
	}
}

bool
unbound_exchange_init(struct unbound_exchange *exchange,
		      const struct sockaddr *client, const void *socket,
		      const uint8_t *message, size_t bytes)
{
	memset(exchange, 0, sizeof(*exchange));
	if (bytes < sizeof(exchange->id) ||
	    !pending_set_address(exchange, client))
		return false;
	exchange->family = client->sa_family;
	exchange->socket = (uintptr_t)socket;
	memcpy(&exchange->id, message, sizeof(exchange->id));
	return true;
}

struct unbound_pending *
unbound_pending_new(void)
{
	return calloc(1, sizeof(struct unbound_pending));
}

void
unbound_pending_free(struct unbound_pending *pending)
{
	free(pending);
}

/* Multiplication carries upwards: the upper bits depend on all the rest. */
static struct pending_entry *
pending_find_set(struct unbound_pending *pending,
		 const struct unbound_exchange *exchange)
{
	const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
	uint64_t words[2];
	uint64_t hash;

	memcpy(words, exchange->address, sizeof(words));
	hash = (words[0] + exchange->socket) * odd;
	hash = ((hash ^ hash >> 32) + words[1]) * odd;
	hash ^= (uint64_t)exchange->port << 16 | exchange->id;
	hash = (hash ^ hash >> 32) * odd;
	/* Once more: ports and ids are often counted up, and alone they would
	 * favour some sets. */
	hash = (hash ^ hash >> 29) * odd;
	return pending->entries[(hash >> 32) % PENDING_SETS];
}

/* NULL when it is not in the set. */
static struct pending_entry *
pending_find(struct pending_entry *set, const struct unbound_exchange *exchange)
{
	for (int i = 0; i < PENDING_WAYS; i++)
		if (set[i].waiting > 0 &&
		    memcmp(&set[i].exchange, exchange, sizeof(*exchange)) == 0)
			return &set[i];
	return NULL;
}

static bool
pending_is_older(const struct timespec *one, const struct timespec *other)
{
	return one->tv_sec != other->tv_sec ? one->tv_sec < other->tv_sec
					    : one->tv_nsec < other->tv_nsec;
}

static struct pending_entry *
pending_make_room(struct pending_entry *set)
{
	struct pending_entry *oldest = &set[0];

	for (int i = 0; i < PENDING_WAYS; i++) {
		if (set[i].waiting == 0)
			return &set[i];
		if (pending_is_older(&set[i].came, &oldest->came))
			oldest = &set[i];
	}
	return oldest;
}

void
unbound_pending_put(struct unbound_pending *pending,
		    const struct unbound_exchange *exchange,
		    const struct timespec *came)
{
	struct pending_entry *set = pending_find_set(pending, exchange);
	struct pending_entry *entry = pending_find(set, exchange);

	if (entry != NULL &&
	    came->tv_sec - entry->came.tv_sec <= PENDING_SECONDS) {
		entry->waiting++;
		entry->ambiguous = true;
	} else {
		if (entry == NULL)
			entry = pending_make_room(set);
		entry->exchange = *exchange;
		entry->waiting = 1;
		entry->ambiguous = false;
	}
	entry->came = *came;
}

bool
unbound_pending_take(struct unbound_pending *pending,
		     const struct unbound_exchange *exchange,
		     struct timespec *came)
{
	struct pending_entry *entry =
		pending_find(pending_find_set(pending, exchange), exchange);

	if (entry == NULL)
		return false;
	entry->waiting--;
	if (entry->ambiguous)
		return false;
	*came = entry->came;
	return true;
}
