/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event_filter.h: does the configuration want this event?
 *
 * Decided before a byte is encoded. Sampling keeps the messages of one
 * exchange together: it hashes the initiator's address and port and the DNS
 * message id, which a query and its response share.
 *
 * Pure. Used by tap.
 */
#ifndef DTAP_EVENT_EVENT_FILTER_H
#define DTAP_EVENT_EVENT_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include <dnstap/event.h>

#include "base/compiler.h"

/* Bits of all message types, 1 to 14. */
#define DTAP__TYPES_ALL 0x7ffeu

/* types: bit n set when message type n is wanted. */
static dtap__always_inline bool
dtap__event_wanted(uint32_t types, unsigned int type)
{
	return type < 32 && (types >> type & 1) != 0;
}

/* True for about one exchange in one_in; event was checked. */
bool
dtap__event_sampled(const struct dtap_event *event, uint64_t one_in);

#endif
