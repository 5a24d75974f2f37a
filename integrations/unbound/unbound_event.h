/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unbound_event.h: from what unbound hands over to a struct dtap_event.
 */
#ifndef DTAP_UNBOUND_EVENT_H
#define DTAP_UNBOUND_EVENT_H

#include "unbound_host.h"

#include <stdbool.h>
#include <time.h>

#include <dnstap/event.h>

/*
 * Fills both ends and the transport. Either address may be NULL; only the
 * octets of its own family are read.
 */
void
unbound_event_init(struct dtap_event *event, enum dtap_message_type type,
		   const struct sockaddr_storage *initiator,
		   const struct sockaddr_storage *responder,
		   enum comm_point_type transport, bool tls);

void
unbound_event_set_query(struct dtap_event *event, struct sldns_buffer *query);

void
unbound_event_set_response(struct dtap_event *event,
			   struct sldns_buffer *response);

void
unbound_event_set_query_time(struct dtap_event *event,
			     const struct timespec *time);

void
unbound_event_set_response_time(struct dtap_event *event,
				const struct timespec *time);

#endif
