/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event_filter.c: see event_filter.h.
 *
 * A counter would be the cheapest sampler, but it would keep queries and lose
 * their responses, and a reader could no longer tell latency or answer rate.
 * So the decision is a hash of what both sides of an exchange share. It has
 * no secret: sampling is not a defence, and two servers with the same rate
 * choose the same exchanges.
 *
 * Pure functions; any thread.
 */
#include "event/event_filter.h"

#include <string.h>

/* Mixes 64 more bits in: xor, multiply by an odd number, fold. */
static uint64_t
filter_mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * UINT64_C(0x9fb21c651e98df25);
	return hash ^ hash >> 32;
}

/* The DNS message id (RFC 1035 section 4.1.1); 0 without a message. */
static uint64_t
filter_message_id(const struct dtap_event *event)
{
	const uint8_t *octets;

	if (event->query_message_bytes >= 2)
		octets = event->query_message;
	else if (event->response_message_bytes >= 2)
		octets = event->response_message;
	else
		return 0;
	return (uint64_t)octets[0] << 8 | octets[1];
}

static uint64_t
filter_hash(const struct dtap_event *event)
{
	uint64_t address[2] = {0, 0};
	uint64_t hash = 0;

	if (event->query_address_bytes == 4)
		memcpy(address, event->query_address, 4);
	else if (event->query_address_bytes == 16)
		memcpy(address, event->query_address, 16);
	hash = filter_mix(hash, address[0]);
	hash = filter_mix(hash, address[1]);
	hash = filter_mix(hash, (uint64_t)event->query_port << 16 |
					filter_message_id(event));
	return filter_mix(hash, hash >> 29);
}

bool
dtap__event_sampled(const struct dtap_event *event, uint64_t one_in)
{
	return one_in <= 1 || filter_hash(event) % one_in == 0;
}
