/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange.h: queries and the responses that belong to them.
 *
 * Takes whole DNS messages in the order of their capture and hands on the
 * same messages with their type, each once: a response together with its
 * query, a query once more when no response came in time (as a report, not
 * as a message). A query whose type depends on its response is held back for
 * hold_ns at most; all else is handed on at once. So a query always comes
 * before its response.
 *
 * A response belongs to the oldest query without one that has the same
 * socket, peer, id and question; names are compared without regard to case,
 * and a response without a question (a format error) belongs by its id. A
 * query that is sent twice is two queries. Several responses belong to the
 * same query only in a zone transfer (AXFR, IXFR) over TCP or TLS: the first
 * answers it; those that follow within timeout_ns after the previous one are
 * `continued`, and have its query and query time as well.
 *
 * In multicast DNS, where several hosts may answer and ids are zero,
 * responses belong to no query and no query is ever unanswered.
 *
 * Pure: the time comes from the packets and from exchange_table_expire().
 * Bounded: the oldest query makes room, and is counted.
 */
#ifndef DTAP_SIDECAR_EXCHANGE_H
#define DTAP_SIDECAR_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sidecar/packet.h"
#include "sidecar/role.h"

struct exchange_table;

struct exchange_options {
	size_t queries;       /* waiting at a time, at most */
	size_t query_bytes;   /* octets of their messages, at most */
	uint64_t timeout_ns;  /* then a query counts as unanswered */
	uint64_t hold_ns;     /* longest wait for a type; 0: never wait */
	bool report_unanswered;
};

enum exchange_kind {
	EXCHANGE_MESSAGE,
	EXCHANGE_UNANSWERED /* the query again, after timeout_ns */
};

struct exchange_event {
	uint8_t kind;             /* enum exchange_kind */
	struct role_verdict verdict;
	const struct packet *message;
	struct role_header header;
	/* Of a response whose query was seen; else NULL, 0 and 0. */
	const uint8_t *query;
	size_t query_bytes;
	uint64_t query_time_ns;
	/* A further message of a zone transfer: no answer to the query. */
	bool continued;
	/* See role_is_multicast(). */
	bool multicast;
};

/* Messages fed: queries + responses + malformed. Of those, all but the last
 * and those that are held back now were handed on. */
struct exchange_counters {
	uint64_t queries;
	uint64_t responses;
	uint64_t unmatched;   /* responses to no query seen; not of mDNS */
	uint64_t unanswered;  /* queries without a response in time */
	uint64_t evicted;     /* queries without a response that made room */
	uint64_t malformed;   /* too short for a header: handed on to nobody */
	/* As it is now. */
	uint64_t held;        /* queries held back */
	uint64_t waiting;     /* queries remembered, the held included */
	uint64_t query_bytes; /* octets of these */
};

/* All that the event points to lasts until the call returns. It must not call
 * the table. */
typedef void
exchange_callback(void *user, const struct exchange_event *event);

/* Finds the name of the executable of a packet's owner; "" if unknown. It
 * need not last beyond the next call. */
typedef const char *
exchange_exe(void *user, const struct packet_owner *owner);

/* NULL without memory, or with options that allow no query. roles stays the
 * caller's. */
struct exchange_table *
exchange_table_new(const struct exchange_options *options,
		   struct role_table *roles, exchange_exe *exe,
		   exchange_callback *callback, void *user);

/* What is still held back is handed on; all queries are forgotten. */
void
exchange_table_flush(struct exchange_table *table);

/* Hands nothing on. */
void
exchange_table_free(struct exchange_table **table);

void
exchange_table_feed(struct exchange_table *table,
		    const struct packet *message);

/* Ends waits; returns when to call again, at the latest, by the packets' clock:
 * UINT64_MAX when nothing waits. What is fed later may be due earlier. */
uint64_t
exchange_table_expire(struct exchange_table *table, uint64_t now_ns);

void
exchange_table_count(const struct exchange_table *table,
		     struct exchange_counters *counters);

#endif
