/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bind_pair.h: a response finds its query again.
 */
#ifndef BIND_PAIR_H
#define BIND_PAIR_H

#include <stdint.h>
#include <time.h>

#include <isc/time.h>

#include <dns/types.h>

/* What is remembered of a query. */
struct bind_pair {
	const isc_time_t *stamp; /* where named keeps its time */
	isc_time_t coarse;	 /* the time that stood there */
	struct timespec seen;	 /* by our own clock */
	dns_dtmsgtype_t type;	 /* as it was logged */
	uint16_t id;		 /* of the DNS message */
};

/* Remembers a query of the calling thread. */
void
bind_pair_note(const isc_time_t *stamp, uint16_t id, dns_dtmsgtype_t type,
	       const struct timespec *seen);

/* NULL when the query is not remembered. Borrowed until the next note. */
const struct bind_pair *
bind_pair_find(const isc_time_t *stamp, uint16_t id);

#endif
