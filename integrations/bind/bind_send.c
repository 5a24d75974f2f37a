/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bind_send.c: dns_dt_send(), the one function that named's threads call for
 * each message.
 *
 * It takes no lock and never waits. Each thread has a producer of its own,
 * made at its first event: named's threads are an open set.
 */
#include "bind_env.h"
#include "bind_event.h"
#include "bind_view.h"

#include <dnstap/tap.h>

DTAP_API void
dns_dt_send(dns_view_t *view, dns_dtmsgtype_t type, isc_sockaddr_t *qaddr,
	    isc_sockaddr_t *raddr, bool tcp, isc_region_t *zone,
	    isc_time_t *qtime, isc_time_t *rtime, isc_buffer_t *wire)
{
	struct dtap_event event = DTAP_EVENT_INIT;
	struct bind_message message = {
		.type = type,
		.tcp = tcp,
		.query_address = qaddr,
		.response_address = raddr,
		.zone = zone,
		.query_time = qtime,
		.response_time = rtime,
		.wire = wire,
	};
	dns_dtenv_t *env;
	dns_dtmsgtype_t wanted;

	if (!bind_view_read(view, &env, &wanted) || wanted == 0)
		return;
	/* Mending changes the type, so it comes before the question. */
	if (env->mend)
		bind_event_mend(&event, &message);
	if ((message.type & wanted) == 0)
		return;
	if (!env->mend)
		bind_event_stamp(&event, &message);
	bind_event_fill(&event, &message);
	(void)dtap_submit(dtap_thread_producer(env->tap), &event);
}
