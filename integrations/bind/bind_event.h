/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bind_event.h: from the arguments of dns_dt_send() to a dtap_event.
 */
#ifndef BIND_EVENT_H
#define BIND_EVENT_H

#include <stdbool.h>

#include <isc/buffer.h>
#include <isc/region.h>
#include <isc/sockaddr.h>
#include <isc/time.h>

#include <dns/dnstap.h>

#include <dnstap/event.h>

/* The arguments as they come, except that the type may be mended. */
struct bind_message {
	dns_dtmsgtype_t type;
	bool tcp;
	const isc_sockaddr_t *query_address;
	const isc_sockaddr_t *response_address;
	const isc_region_t *zone;
	const isc_time_t *query_time;	 /* NULL: now, for a query */
	const isc_time_t *response_time; /* NULL: now, for a response */
	const isc_buffer_t *wire;
};

/*
 * Puts the type right, sets the times, and remembers what the response will
 * want: to be called for each message, wanted or not.
 */
void
bind_event_mend(struct dtap_event *event, struct bind_message *message);

/* Instead of that: sets the times as BIND itself would. */
void
bind_event_stamp(struct dtap_event *event, const struct bind_message *message);

/* Sets all the rest. */
void
bind_event_fill(struct dtap_event *event, const struct bind_message *message);

#endif
