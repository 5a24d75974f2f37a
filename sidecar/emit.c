/* SPDX-License-Identifier: Apache-2.0 */
/*
 * emit.c: see emit.h.
 *
 * In dnstap, "query" is who asked and "response" who was asked, in both
 * messages of an exchange: at the server's end the remote one asked, at the
 * client's end the local one.
 */
#include "sidecar/emit.h"

#define EMIT_NS_PER_S UINT64_C(1000000000)

static void
emit_query_time(struct dtap_event *event, uint64_t time_ns)
{
	event->query_time_sec = time_ns / EMIT_NS_PER_S;
	event->query_time_nsec = (uint32_t)(time_ns % EMIT_NS_PER_S);
}

static void
emit_response_time(struct dtap_event *event, uint64_t time_ns)
{
	event->response_time_sec = time_ns / EMIT_NS_PER_S;
	event->response_time_nsec = (uint32_t)(time_ns % EMIT_NS_PER_S);
}

static void
emit_ends(const struct exchange_event *exchange, struct dtap_event *event)
{
	const struct packet *message = exchange->message;
	bool server = role_is_server_end(message, &exchange->header);
	const struct packet_endpoint *from =
		server ? &message->remote : &message->local;
	const struct packet_endpoint *to =
		server ? &message->local : &message->remote;
	uint8_t bytes = message->family == DTAP_INET ? 4 : 16;

	event->socket_family = message->family;
	event->socket_protocol = message->protocol;
	event->query_address = from->address;
	event->query_address_bytes = bytes;
	event->query_port = from->port;
	event->response_address = to->address;
	event->response_address_bytes = bytes;
	event->response_port = to->port;
}

void
emit_event(const struct exchange_event *exchange, uint64_t since_1970_ns,
	   bool query_in_response, struct dtap_event *event)
{
	const struct packet *message = exchange->message;

	*event = (struct dtap_event)DTAP_EVENT_INIT;
	event->type = exchange->verdict.type;
	emit_ends(exchange, event);
	if (!exchange->header.response) {
		emit_query_time(event, since_1970_ns + message->time_ns);
		event->query_message = message->payload;
		event->query_message_bytes = (uint32_t)message->payload_bytes;
		return;
	}
	emit_response_time(event, since_1970_ns + message->time_ns);
	event->response_message = message->payload;
	event->response_message_bytes = (uint32_t)message->payload_bytes;
	if (exchange->query_time_ns != 0)
		emit_query_time(event,
				since_1970_ns + exchange->query_time_ns);
	if (query_in_response && exchange->query != NULL) {
		event->query_message = exchange->query;
		event->query_message_bytes = (uint32_t)exchange->query_bytes;
	}
}
