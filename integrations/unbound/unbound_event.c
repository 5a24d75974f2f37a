/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unbound_event.c: see unbound_event.h.
 *
 * An address that unbound does not know is 0.0.0.0 or ::, of a socket that is
 * bound to all of the host's addresses. As an address in a log it would be
 * false, so it is left out; the port stays.
 */
#include "unbound_event.h"

#include <netinet/in.h>

static size_t
event_address_bytes(const struct sockaddr *address)
{
	switch (address->sa_family) {
	case AF_INET:
		return sizeof(struct sockaddr_in);
	case AF_INET6:
		return sizeof(struct sockaddr_in6);
	default:
		return 0;
	}
}

static bool
event_is_wildcard(const struct sockaddr *address)
{
	const struct sockaddr_in *ip4 = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *ip6 = (const struct sockaddr_in6 *)address;

	return address->sa_family == AF_INET
		       ? ip4->sin_addr.s_addr == INADDR_ANY
		       : IN6_IS_ADDR_UNSPECIFIED(&ip6->sin6_addr);
}

static void
event_set_initiator(struct dtap_event *event, const struct sockaddr *address)
{
	if (address == NULL ||
	    dtap_event_set_query_sockaddr(
		    event, address, event_address_bytes(address)) != DTAP_OK ||
	    !event_is_wildcard(address))
		return;
	event->query_address = NULL;
	event->query_address_bytes = 0;
}

static void
event_set_responder(struct dtap_event *event, const struct sockaddr *address)
{
	if (address == NULL ||
	    dtap_event_set_response_sockaddr(
		    event, address, event_address_bytes(address)) != DTAP_OK ||
	    !event_is_wildcard(address))
		return;
	event->response_address = NULL;
	event->response_address_bytes = 0;
}

/* unbound's DNS over HTTPS is HTTP/2 and nothing else. */
static void
event_set_transport(struct dtap_event *event, enum comm_point_type transport,
		    bool tls)
{
	switch (transport) {
	case comm_udp:
		event->socket_protocol = DTAP_UDP;
		break;
	case comm_http:
		event->socket_protocol = DTAP_DOH;
		event->http_protocol = DTAP_HTTP2;
		break;
#if UBVER >= 122
	case comm_doq:
		event->socket_protocol = DTAP_DOQ;
		break;
#endif
	default:
		event->socket_protocol = tls ? DTAP_DOT : DTAP_TCP;
		break;
	}
}

void
unbound_event_init(struct dtap_event *event, enum dtap_message_type type,
		   const struct sockaddr_storage *initiator,
		   const struct sockaddr_storage *responder,
		   enum comm_point_type transport, bool tls)
{
	event->type = (uint8_t)type;
	event_set_initiator(event, (const struct sockaddr *)initiator);
	event_set_responder(event, (const struct sockaddr *)responder);
	event_set_transport(event, transport, tls);
}

void
unbound_event_set_query(struct dtap_event *event, struct sldns_buffer *query)
{
	event->query_message = sldns_buffer_begin(query);
	event->query_message_bytes = (uint32_t)sldns_buffer_limit(query);
}

void
unbound_event_set_response(struct dtap_event *event,
			   struct sldns_buffer *response)
{
	event->response_message = sldns_buffer_begin(response);
	event->response_message_bytes = (uint32_t)sldns_buffer_limit(response);
}

void
unbound_event_set_query_time(struct dtap_event *event,
			     const struct timespec *time)
{
	event->query_time_sec = (uint64_t)time->tv_sec;
	event->query_time_nsec = (uint32_t)time->tv_nsec;
}

void
unbound_event_set_response_time(struct dtap_event *event,
				const struct timespec *time)
{
	event->response_time_sec = (uint64_t)time->tv_sec;
	event->response_time_nsec = (uint32_t)time->tv_nsec;
}
