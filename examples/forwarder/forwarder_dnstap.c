/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forwarder_dnstap.c: what a server has to do for dnstap at each message.
 *
 * It is called at four places: where a query has come in (CLIENT_QUERY), where
 * it is sent on (FORWARDER_QUERY), where the upstream's answer has come back
 * (FORWARDER_RESPONSE), and where the client is answered (CLIENT_RESPONSE).
 */
#include "forwarder.h"

void
dnstap_message(dtap_producer *producer, enum dtap_message_type type,
	       const struct settings *settings,
	       const struct exchange *exchange, const uint8_t *message,
	       size_t bytes)
{
	bool client = type == DTAP_CLIENT_QUERY || type == DTAP_CLIENT_RESPONSE;
	bool query = type == DTAP_CLIENT_QUERY || type == DTAP_FORWARDER_QUERY;
	/* The initiator of the query, and the one who is asked. */
	const struct address *from =
		client ? &exchange->client : &exchange->source;
	const struct address *to =
		client ? &exchange->local : &settings->upstream;
	const struct timespec *asked =
		client ? &exchange->received : &exchange->asked;
	struct dtap_event event = DTAP_EVENT_INIT;
	struct timespec now;

	/* Nobody wants it: nothing has been spent on it. */
	if (!dtap_wants(producer, type))
		return;
	event.type = (uint8_t)type;
	event.socket_protocol = exchange->tcp ? DTAP_TCP : DTAP_UDP;
	dtap_event_set_query_sockaddr(
		&event, (const struct sockaddr *)&from->sockaddr, from->bytes);
	dtap_event_set_response_sockaddr(
		&event, (const struct sockaddr *)&to->sockaddr, to->bytes);
	event.query_time_sec = (uint64_t)asked->tv_sec;
	event.query_time_nsec = (uint32_t)asked->tv_nsec;
	if (query) {
		event.query_message = message;
		event.query_message_bytes = (uint32_t)bytes;
	} else {
		clock_gettime(CLOCK_REALTIME, &now);
		event.response_time_sec = (uint64_t)now.tv_sec;
		event.response_time_nsec = (uint32_t)now.tv_nsec;
		event.response_message = message;
		event.response_message_bytes = (uint32_t)bytes;
	}
	/* Whatever becomes of it is counted; the server goes on. */
	dtap_submit(producer, &event);
}
