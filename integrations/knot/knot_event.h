/* SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later */
/*
 * knot_event.h: from Knot's view of a query to struct dtap_event.
 *
 * Knot calls its BEGIN and END hooks once for each message that it sends, so
 * for a zone transfer many times; an exchange is what one answering thread
 * remembers between the hooks, so that one query makes one query event.
 *
 * Threads: an exchange belongs to one answering thread.
 */
#ifndef DTAP_KNOT_EVENT_H
#define DTAP_KNOT_EVENT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include <knot/module.h>

#include <dnstap/event.h>

/* 3.2 has 400, 3.3 has 500, 3.4 and 3.5 have 600. */
#if KNOTD_MOD_ABI_VERSION < 400 || KNOTD_MOD_ABI_VERSION > 600
#error "this Knot has a module ABI for which mod-dtap was not made; \
look what has changed in knot/module.h, then raise the limit here"
#endif

/* An address and port, without the 100 idle octets of sockaddr_storage. */
union knot_address {
	struct sockaddr any; /* AF_UNSPEC: not known */
	struct sockaddr_in ip4;
	struct sockaddr_in6 ip6;
};

#define KNOT_EXCHANGE_SOCKETS 8

struct knot_exchange {
	/* When the query was first seen, CLOCK_REALTIME. */
	struct timespec query_time;
	union knot_address remote;
	union knot_address local;
	/* The END hook said that another message of this response follows. */
	bool unfinished;
	/* The query's, to tell that message from a new query. */
	uint16_t id;
	int socket;
	/* Local addresses of the UDP sockets seen last, by descriptor. */
	struct {
		int socket; /* one more than the descriptor; 0: empty */
		union knot_address local;
	} udp[KNOT_EXCHANGE_SOCKETS];
};

/* Takes the time and the addresses of a query that is new. */
void
knot_exchange_begin(struct knot_exchange *exchange, knotd_qdata_t *qdata);

/* Whether the hook was called for a further message of the same response. */
bool
knot_exchange_continues(const struct knot_exchange *exchange,
			const knotd_qdata_t *qdata);

/* Notes how the END hook left the query. */
void
knot_exchange_end(struct knot_exchange *exchange, knotd_state_t state);

/* Fills an event with the query. It borrows from exchange and qdata. */
void
knot_event_query(struct dtap_event *event, const struct knot_exchange *exchange,
		 knotd_qdata_t *qdata);

/* Fills an event with one response, sent now. Borrows likewise. */
void
knot_event_response(struct dtap_event *event,
		    const struct knot_exchange *exchange, knotd_qdata_t *qdata,
		    const knot_pkt_t *response);

/* Adds the query's octets to a response event. */
void
knot_event_add_query(struct dtap_event *event, const knotd_qdata_t *qdata);

/*
 * Knot takes the TSIG record off a query that it has parsed: it lowers
 * ARCOUNT and the size, and leaves the octets. Between these two calls the
 * wire is what was received. The first tells whether the second is due.
 */
bool
knot_event_restore_tsig(knotd_qdata_t *qdata);

void
knot_event_strip_tsig(knotd_qdata_t *qdata);

#endif
