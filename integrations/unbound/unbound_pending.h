/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unbound_pending.h: when the client queries came that still wait for their
 * response.
 *
 * unbound reports a response to a client without its query or the query's
 * time. This is the worker's own memory of them, of fixed size. Nothing of
 * unbound in here.
 *
 * Threads: one; each worker has its own.
 */
#ifndef DTAP_UNBOUND_PENDING_H
#define DTAP_UNBOUND_PENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>

/* Queries that fit, if they spread evenly. */
#define UNBOUND_PENDING_QUERIES 4096

struct unbound_pending;

/* What a response has in common with its query, and with no other. */
struct unbound_exchange {
	uint8_t address[16]; /* the client's; IPv4 in the first four */
	uintptr_t socket;    /* the server's end, for its identity alone */
	uint16_t port;
	uint16_t id; /* both as they are on the wire */
	uint16_t family;
	uint16_t zero;
};

/*
 * Fills an exchange. False when it cannot be told from others: the address is
 * neither IPv4 nor IPv6, or the message has no ID.
 */
bool
unbound_exchange_init(struct unbound_exchange *exchange,
		      const struct sockaddr *client, const void *socket,
		      const uint8_t *message, size_t bytes);

/* NULL when memory could not be had. */
struct unbound_pending *
unbound_pending_new(void);

void
unbound_pending_free(struct unbound_pending *pending);

/* Notes a query; never fails, but may push out an older one. */
void
unbound_pending_put(struct unbound_pending *pending,
		    const struct unbound_exchange *exchange,
		    const struct timespec *came);

/*
 * Takes a query out when its response goes. False, and *came unchanged, when
 * none is known or there were several.
 */
bool
unbound_pending_take(struct unbound_pending *pending,
		     const struct unbound_exchange *exchange,
		     struct timespec *came);

#endif
