/* SPDX-License-Identifier: Apache-2.0 */
/*
 * emit.h: from what an exchange says to an event of libdtap.
 */
#ifndef DTAP_SIDECAR_EMIT_H
#define DTAP_SIDECAR_EMIT_H

#include <stdbool.h>

#include <dnstap/dtap.h>

#include "sidecar/exchange.h"

/* Fills the event; it points into the exchange's. extra stays empty.
 * since_1970_ns: what is to be added to the time of packets. */
void
emit_event(const struct exchange_event *exchange, uint64_t since_1970_ns,
	   bool query_in_response, struct dtap_event *event);

#endif
