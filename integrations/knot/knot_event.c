/* SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later */
/*
 * knot_event.c: see knot_event.h.
 *
 * Which query a hook is about. Knot has no handle that lives as long as a
 * query and that a module may mark: the query data, the packet and the
 * buffers sit at the same addresses for one query after another. But one
 * answering thread finishes a query before it takes the next one, and the
 * END hook sees in its state whether Knot will produce another message. So
 * "the previous END was not final" makes the next BEGIN of that thread a
 * continuation. A client that leaves in the middle of a transfer would make
 * this stale; therefore the descriptor, the address and port, the message ID
 * and the query type have to match as well.
 *
 * Which octets were received. A parsed query may have lost its TSIG record:
 * max_size still tells how many octets came in, and ARCOUNT is put right for
 * as long as the event takes to encode. Copying up to 64 KiB onto the stack
 * of the server's thread would be the alternative.
 *
 * Where the query was sent to. Up to Knot 3.2 each call of
 * knotd_qdata_local_addr() is a system call. UDP sockets are bound when the
 * server starts, so the answer is kept by descriptor; a TCP connection is
 * asked once per query. The memory of it goes with the module instance, that
 * is at each reload.
 */
#include "knot_event.h"

#include <string.h>

static size_t
address_bytes(sa_family_t family)
{
	switch (family) {
	case AF_INET:
		return sizeof(struct sockaddr_in);
	case AF_INET6:
		return sizeof(struct sockaddr_in6);
	default:
		return 0;
	}
}

static void
address_copy(union knot_address *to, const struct sockaddr_storage *from)
{
	to->any.sa_family = AF_UNSPEC;
	if (from != NULL)
		memcpy(to, from, address_bytes(from->ss_family));
}

static bool
address_equal(const union knot_address *one,
	      const struct sockaddr_storage *other)
{
	union knot_address two;

	address_copy(&two, other);
	if (one->any.sa_family != two.any.sa_family)
		return false;
	switch (two.any.sa_family) {
	case AF_INET:
		return one->ip4.sin_port == two.ip4.sin_port &&
		       one->ip4.sin_addr.s_addr == two.ip4.sin_addr.s_addr;
	case AF_INET6:
		return one->ip6.sin6_port == two.ip6.sin6_port &&
		       IN6_ARE_ADDR_EQUAL(&one->ip6.sin6_addr,
					  &two.ip6.sin6_addr);
	default:
		return true;
	}
}

static void
exchange_ask_local(union knot_address *local, knotd_qdata_t *qdata)
{
#if KNOTD_MOD_ABI_VERSION >= 500
	address_copy(local, knotd_qdata_local_addr(qdata));
#else
	struct sockaddr_storage storage;

	address_copy(local, knotd_qdata_local_addr(qdata, &storage));
#endif
}

/* XDP has no socket, and its address costs nothing. */
static void
exchange_find_local(struct knot_exchange *exchange, knotd_qdata_t *qdata)
{
	const knotd_qdata_params_t *params = qdata->params;
	int number = params->socket + 1;
	unsigned int slot = (unsigned int)number % KNOT_EXCHANGE_SOCKETS;

	if (params->proto != KNOTD_QUERY_PROTO_UDP || params->xdp_msg != NULL ||
	    number <= 0) {
		exchange_ask_local(&exchange->local, qdata);
		return;
	}
	if (exchange->udp[slot].socket != number) {
		exchange_ask_local(&exchange->udp[slot].local, qdata);
		exchange->udp[slot].socket = number;
	}
	exchange->local = exchange->udp[slot].local;
}

void
knot_exchange_begin(struct knot_exchange *exchange, knotd_qdata_t *qdata)
{
	clock_gettime(CLOCK_REALTIME, &exchange->query_time);
	address_copy(&exchange->remote, knotd_qdata_remote_addr(qdata));
	exchange_find_local(exchange, qdata);
	exchange->unfinished = false;
	exchange->id = knot_wire_get_id(qdata->query->wire);
	exchange->socket = qdata->params->socket;
}

bool
knot_exchange_continues(const struct knot_exchange *exchange,
			const knotd_qdata_t *qdata)
{
	return exchange->unfinished &&
	       (qdata->type == KNOTD_QUERY_TYPE_AXFR ||
		qdata->type == KNOTD_QUERY_TYPE_IXFR) &&
	       exchange->id == knot_wire_get_id(qdata->query->wire) &&
	       exchange->socket == qdata->params->socket &&
	       address_equal(&exchange->remote, qdata->params->remote);
}

void
knot_exchange_end(struct knot_exchange *exchange, knotd_state_t state)
{
	switch (state) {
	case KNOTD_STATE_NOOP:
	case KNOTD_STATE_DONE:
	case KNOTD_STATE_FAIL:
	case KNOTD_STATE_FINAL:
		exchange->unfinished = false;
		break;
	default: /* Knot's internal "produce": it has no public name. */
		exchange->unfinished = true;
		break;
	}
}

static uint8_t
event_protocol(const knotd_qdata_t *qdata)
{
	switch ((int)qdata->params->proto) {
	case KNOT_PROBE_PROTO_UDP:
		return DTAP_UDP;
	case KNOT_PROBE_PROTO_TCP:
		return DTAP_TCP;
	case KNOT_PROBE_PROTO_QUIC:
		return DTAP_DOQ;
	case KNOT_PROBE_PROTO_TLS:
		return DTAP_DOT;
	case KNOT_PROBE_PROTO_HTTPS:
		return DTAP_DOH;
	default:
		return 0;
	}
}

/* A socket bound to all addresses does not know the one that was used. */
static void
event_forget_wildcard(struct dtap_event *event,
		      const union knot_address *local)
{
	if (local->any.sa_family == AF_INET
		    ? local->ip4.sin_addr.s_addr == INADDR_ANY
		    : IN6_IS_ADDR_UNSPECIFIED(&local->ip6.sin6_addr)) {
		event->response_address = NULL;
		event->response_address_bytes = 0;
	}
}

/* Addresses of another family, such as AF_UNIX, are left out. */
static void
event_set_addresses(struct dtap_event *event,
		    const struct knot_exchange *exchange)
{
	const union knot_address *remote = &exchange->remote;
	const union knot_address *local = &exchange->local;

	(void)dtap_event_set_query_sockaddr(
		event, &remote->any, address_bytes(remote->any.sa_family));
	if (dtap_event_set_response_sockaddr(
		    event, &local->any, address_bytes(local->any.sa_family)) ==
	    DTAP_OK)
		event_forget_wildcard(event, local);
}

static void
event_set_common(struct dtap_event *event, const struct knot_exchange *exchange,
		 knotd_qdata_t *qdata)
{
	const knot_dname_t *zone = knotd_qdata_zone_name(qdata);

	event->socket_protocol = event_protocol(qdata);
	event_set_addresses(event, exchange);
	event->query_time_sec = (uint64_t)exchange->query_time.tv_sec;
	event->query_time_nsec = (uint32_t)exchange->query_time.tv_nsec;
	if (zone != NULL) {
		event->query_zone = zone;
		event->query_zone_bytes = (uint32_t)knot_dname_size(zone);
	}
}

static bool
event_is_update(const knotd_qdata_t *qdata)
{
	return qdata->type == KNOTD_QUERY_TYPE_UPDATE;
}

void
knot_event_query(struct dtap_event *event, const struct knot_exchange *exchange,
		 knotd_qdata_t *qdata)
{
	event->type = event_is_update(qdata) ? DTAP_UPDATE_QUERY
					     : DTAP_AUTH_QUERY;
	event_set_common(event, exchange, qdata);
	knot_event_add_query(event, qdata);
}

void
knot_event_response(struct dtap_event *event,
		    const struct knot_exchange *exchange, knotd_qdata_t *qdata,
		    const knot_pkt_t *response)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	event->type = event_is_update(qdata) ? DTAP_UPDATE_RESPONSE
					     : DTAP_AUTH_RESPONSE;
	event_set_common(event, exchange, qdata);
	event->response_time_sec = (uint64_t)now.tv_sec;
	event->response_time_nsec = (uint32_t)now.tv_nsec;
	event->response_message = response->wire;
	event->response_message_bytes = (uint32_t)response->size;
}

void
knot_event_add_query(struct dtap_event *event, const knotd_qdata_t *qdata)
{
	event->query_message = qdata->query->wire;
	event->query_message_bytes = (uint32_t)qdata->query->max_size;
}

bool
knot_event_restore_tsig(knotd_qdata_t *qdata)
{
	knot_pkt_t *query = qdata->query;
	bool stripped = query->tsig_wire.len > 0 &&
			query->size < query->max_size;

	if (stripped)
		knot_wire_add_arcount(query->wire, 1);
	return stripped;
}

void
knot_event_strip_tsig(knotd_qdata_t *qdata)
{
	knot_wire_add_arcount(qdata->query->wire, -1);
}
