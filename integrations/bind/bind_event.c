/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bind_event.c: see bind_event.h.
 *
 * What is mended, as seen in BIND 9.18.49:
 *  - A query to a forwarder is logged as RESOLVER_QUERY, and its response as
 *    RESOLVER_RESPONSE: the flags are looked at after they were reset. The
 *    message itself says it by its RD bit, which named sets for forwarders
 *    only.
 *  - A recursive query that a server without recursion receives is logged as
 *    AUTH_QUERY and answered by a CLIENT_RESPONSE: the query is judged by RD
 *    and by what the client may have, the response by RD alone. A response
 *    takes after its query, and where that is not known, RA tells.
 *  - Responses lack the time of their query, though it is handed over.
 *  - The clock moves in steps of 4 ms: query and response of an answer from
 *    memory have the same time.
 */
#include "bind_event.h"

#include <stdint.h>
#include <time.h>

#include "bind_pair.h"

/* Of a DNS message (RFC 1035 section 4.1.1). */
#define MESSAGE_HEADER_BYTES 12
#define MESSAGE_RD 0x01 /* in octet 2 */
#define MESSAGE_RA 0x80 /* in octet 3 */

/* No clock of the kernel moves in larger steps (CONFIG_HZ=100). */
#define EVENT_COARSE_STEP_NS 10000000
#define EVENT_NS_PER_SEC 1000000000

#define EVENT_CLIENT_SIDE \
	(DNS_DTTYPE_CQ | DNS_DTTYPE_CR | DNS_DTTYPE_AQ | DNS_DTTYPE_AR)
#define EVENT_RESOLVER_SIDE \
	(DNS_DTTYPE_RQ | DNS_DTTYPE_RR | DNS_DTTYPE_FQ | DNS_DTTYPE_FR)
#define EVENT_WITH_ZONE (DNS_DTTYPE_AR | EVENT_RESOLVER_SIDE)

/* By the number of the one bit that is set. */
static const uint8_t event_types[] = {
	DTAP_STUB_QUERY,      DTAP_STUB_RESPONSE,     DTAP_CLIENT_QUERY,
	DTAP_CLIENT_RESPONSE, DTAP_AUTH_QUERY,	      DTAP_AUTH_RESPONSE,
	DTAP_RESOLVER_QUERY,  DTAP_RESOLVER_RESPONSE, DTAP_FORWARDER_QUERY,
	DTAP_FORWARDER_RESPONSE, DTAP_TOOL_QUERY,     DTAP_TOOL_RESPONSE,
	DTAP_UPDATE_QUERY,    DTAP_UPDATE_RESPONSE,
};

/* 0, which the library refuses and counts, for what is no type. */
static uint8_t
event_type(dns_dtmsgtype_t type)
{
	unsigned int bit = type == 0 ? 16 : (unsigned int)__builtin_ctz(type);

	return bit < sizeof(event_types) ? event_types[bit] : 0;
}

static bool
event_is_query(const struct bind_message *message)
{
	return (message->type & DNS_DTTYPE_QUERY) != 0;
}

static struct timespec
event_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now;
}

static struct timespec
event_time(const isc_time_t *time)
{
	return (struct timespec){ .tv_sec = time->seconds,
				  .tv_nsec = time->nanoseconds };
}

static struct timespec
event_time_or(const isc_time_t *time, struct timespec otherwise)
{
	return time != NULL ? event_time(time) : otherwise;
}

static void
event_set_query_time(struct dtap_event *event, struct timespec time)
{
	event->query_time_sec = (uint64_t)time.tv_sec;
	event->query_time_nsec = (uint32_t)time.tv_nsec;
}

static void
event_set_response_time(struct dtap_event *event, struct timespec time)
{
	event->response_time_sec = (uint64_t)time.tv_sec;
	event->response_time_nsec = (uint32_t)time.tv_nsec;
}

static uint8_t
event_octet(const struct bind_message *message, unsigned int at)
{
	const isc_buffer_t *wire = message->wire;

	return wire->used >= MESSAGE_HEADER_BYTES
		       ? ((const uint8_t *)wire->base)[at]
		       : 0;
}

static uint16_t
event_message_id(const struct bind_message *message)
{
	return (uint16_t)(event_octet(message, 0) << 8 |
			  event_octet(message, 1));
}

/* Other families than IPv4 and IPv6 are left out. */
static void
event_set_addresses(struct dtap_event *event,
		    const struct bind_message *message)
{
	const isc_sockaddr_t *query = message->query_address;
	const isc_sockaddr_t *response = message->response_address;

	if (query != NULL)
		(void)dtap_event_set_query_sockaddr(event, &query->type.sa,
						    sizeof(query->type));
	if (response != NULL)
		(void)dtap_event_set_response_sockaddr(
			event, &response->type.sa, sizeof(response->type));
	if (event->socket_family != 0)
		event->socket_protocol = message->tcp ? DTAP_TCP : DTAP_UDP;
}

void
bind_event_fill(struct dtap_event *event, const struct bind_message *message)
{
	const isc_region_t *zone = message->zone;

	event->type = event_type(message->type);
	event_set_addresses(event, message);
	if (event_is_query(message)) {
		event->query_message = message->wire->base;
		event->query_message_bytes = message->wire->used;
	} else {
		event->response_message = message->wire->base;
		event->response_message_bytes = message->wire->used;
	}
	if ((message->type & EVENT_WITH_ZONE) != 0 && zone != NULL) {
		event->query_zone = zone->base;
		event->query_zone_bytes = zone->length;
	}
}

void
bind_event_stamp(struct dtap_event *event, const struct bind_message *message)
{
	struct timespec now = event_now();

	if (event_is_query(message)) {
		event_set_query_time(event,
				     event_time_or(message->query_time, now));
		return;
	}
	now = event_time_or(message->response_time, now);
	event_set_response_time(event, now);
	if ((message->type & EVENT_RESOLVER_SIDE) != 0)
		event_set_query_time(event,
				     event_time_or(message->query_time, now));
}

/* A time that is only as old as its clock is coarse means now. */
static struct timespec
event_refine(const isc_time_t *coarse, struct timespec now)
{
	int64_t age_ns;

	if (coarse == NULL)
		return now;
	age_ns = (int64_t)(now.tv_sec - (time_t)coarse->seconds) *
			 EVENT_NS_PER_SEC +
		 now.tv_nsec - coarse->nanoseconds;
	return age_ns >= 0 && age_ns < EVENT_COARSE_STEP_NS
		       ? now
		       : event_time(coarse);
}

static dns_dtmsgtype_t
event_true_query_type(const struct bind_message *message)
{
	if (message->type == DNS_DTTYPE_RQ &&
	    (event_octet(message, 2) & MESSAGE_RD) != 0)
		return DNS_DTTYPE_FQ;
	return message->type;
}

static dns_dtmsgtype_t
event_true_response_type(const struct bind_message *message,
			 const struct bind_pair *query)
{
	dns_dtmsgtype_t type = message->type;

	/* Each response type is the bit above that of its query. */
	if (query != NULL && (type & (EVENT_CLIENT_SIDE |
				      EVENT_RESOLVER_SIDE)) != 0)
		return (dns_dtmsgtype_t)(query->type << 1);
	if (type == DNS_DTTYPE_RR &&
	    (event_octet(message, 2) & MESSAGE_RD) != 0)
		return DNS_DTTYPE_FR;
	if (type == DNS_DTTYPE_CR &&
	    (event_octet(message, 3) & MESSAGE_RA) == 0)
		return DNS_DTTYPE_AR;
	return type;
}

static void
event_mend_query(struct dtap_event *event, struct bind_message *message)
{
	struct timespec seen = event_refine(message->query_time, event_now());

	message->type = event_true_query_type(message);
	event_set_query_time(event, seen);
	if (message->query_time != NULL)
		bind_pair_note(message->query_time, event_message_id(message),
			       message->type, &seen);
}

static void
event_mend_response(struct dtap_event *event, struct bind_message *message)
{
	const isc_time_t *stamp = message->query_time;
	const struct bind_pair *query = NULL;

	if (stamp != NULL)
		query = bind_pair_find(stamp, event_message_id(message));
	message->type = event_true_response_type(message, query);
	event_set_response_time(event, event_time_or(message->response_time,
						     event_now()));
	if (query != NULL)
		event_set_query_time(event, query->seen);
	else if (stamp != NULL)
		event_set_query_time(event, event_time(stamp));
}

void
bind_event_mend(struct dtap_event *event, struct bind_message *message)
{
	if (event_is_query(message))
		event_mend_query(event, message);
	else
		event_mend_response(event, message);
}
