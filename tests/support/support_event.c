/* SPDX-License-Identifier: Apache-2.0 */
/*
 * support_event.c: see support_event.h. Every second event looks like those
 * of a busy server, so that what an encoder remembers is used again; in the
 * others each field is drawn for itself.
 */
#include "support/support_event.h"

#include <stddef.h>

#define DRAW(random, table) \
	((table)[support_random_below((random), \
				      sizeof(table) / sizeof((table)[0]))])

/* Octets that events point to; filled once. */
static uint8_t event_octets[65536];

uint64_t
support_random_next(struct support_random *random)
{
	uint64_t word = random->state += UINT64_C(0x9e3779b97f4a7c15);

	word = (word ^ word >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	word = (word ^ word >> 27) * UINT64_C(0x94d049bb133111eb);
	return word ^ word >> 31;
}

uint32_t
support_random_below(struct support_random *random, uint32_t limit)
{
	return (uint32_t)(support_random_next(random) % limit);
}

static const uint8_t *
random_octets(struct support_random *random, uint32_t bytes)
{
	if (event_octets[0] == 0)
		for (size_t i = 0; i < sizeof(event_octets); i++)
			event_octets[i] = (uint8_t)(i * 167 + i / 256 + 1);
	return event_octets + support_random_below(
				      random, (uint32_t)sizeof(event_octets) -
						      bytes);
}

static uint32_t
random_message_bytes(struct support_random *random)
{
	static const uint32_t edges[] = {
		0,    1,    12,	   31,	  32,	 64,	65,   127,
		128,  255,  256,   16300, 16383, 16384, 65534, 65535};

	switch (support_random_below(random, 16)) {
	case 0:
		return DRAW(random, edges);
	case 1:
		return support_random_below(random, 4000);
	default:
		return support_random_below(random, 300);
	}
}

static uint64_t
random_seconds(struct support_random *random)
{
	static const uint64_t edges[] = {
		0,
		1,
		127,
		128,
		(UINT64_C(1) << 28) - 1,
		UINT64_C(1) << 28,
		UINT64_C(1) << 31,
		(UINT64_C(1) << 35) - 1,
		UINT64_C(1) << 35,
		(UINT64_C(1) << 63) - 1,
	};

	switch (support_random_below(random, 4)) {
	case 0:
		return DRAW(random, edges);
	case 1:
		return 0;
	default:
		return 1700000000 + support_random_below(random, 3);
	}
}

static uint32_t
random_nsec(struct support_random *random)
{
	static const uint32_t edges[] = {0, 0, 1, 999999999};

	if (support_random_below(random, 2) == 0)
		return DRAW(random, edges);
	return support_random_below(random, 1000000000);
}

static uint16_t
random_port(struct support_random *random)
{
	static const uint16_t edges[] = {0,   1,    53,	   127,	  128,
					 853, 16383, 16384, 65535};

	if (support_random_below(random, 2) == 0)
		return DRAW(random, edges);
	return (uint16_t)support_random_next(random);
}

static void
random_addresses(struct support_random *random, struct dtap_event *event,
		 unsigned int ends)
{
	uint8_t bytes = event->socket_family == DTAP_INET ? 4 : 16;

	if (event->socket_family == 0)
		return;
	if (ends & 1) {
		event->query_address = random_octets(random, bytes);
		event->query_address_bytes = bytes;
	}
	if (ends & 2) {
		event->response_address = random_octets(random, bytes);
		event->response_address_bytes = bytes;
	}
}

static void
random_query(struct support_random *random, struct dtap_event *event)
{
	event->query_message_bytes = random_message_bytes(random);
	event->query_message =
		random_octets(random, event->query_message_bytes);
}

static void
random_response(struct support_random *random, struct dtap_event *event)
{
	event->response_message_bytes = random_message_bytes(random);
	event->response_message =
		random_octets(random, event->response_message_bytes);
}

/* As a resolver or an authoritative server would send it. */
static void
random_usual(struct support_random *random, struct dtap_event *event)
{
	event->type = (uint8_t)(DTAP_CLIENT_QUERY +
				support_random_below(random, 2));
	event->socket_family =
		(uint8_t)(1 + support_random_below(random, 2));
	event->socket_protocol =
		(uint8_t)(1 + support_random_below(random, 2));
	random_addresses(random, event, 3);
	event->query_port = random_port(random);
	event->response_port = 53;
	event->query_time_sec =
		1700000000 + support_random_below(random, 2);
	event->query_time_nsec = random_nsec(random);
	if (event->type == DTAP_CLIENT_QUERY) {
		random_query(random, event);
	} else {
		event->response_time_sec =
			1700000000 + support_random_below(random, 2);
		event->response_time_nsec = random_nsec(random);
		random_response(random, event);
	}
}

/* Anything that is allowed. */
static void
random_any(struct support_random *random, struct dtap_event *event)
{
	event->type = (uint8_t)(1 + support_random_below(random, 14));
	event->socket_family = (uint8_t)support_random_below(random, 3);
	event->socket_protocol = (uint8_t)support_random_below(random, 8);
	random_addresses(random, event, support_random_below(random, 4));
	event->query_port = random_port(random);
	event->response_port = random_port(random);
	event->query_time_sec = random_seconds(random);
	event->query_time_nsec = random_nsec(random);
	event->response_time_sec = random_seconds(random);
	event->response_time_nsec = random_nsec(random);
	if (support_random_below(random, 2) == 0)
		random_query(random, event);
	if (support_random_below(random, 2) == 0)
		random_response(random, event);
	if (support_random_below(random, 3) == 0) {
		event->query_zone_bytes = support_random_below(random, 256);
		event->query_zone =
			random_octets(random, event->query_zone_bytes);
	}
}

static void
random_policy(struct support_random *random, struct dtap_policy *policy)
{
	static const char *const types[] = {NULL, "", "RPZ", "block list"};

	*policy = (struct dtap_policy)DTAP_POLICY_INIT;
	policy->type = DRAW(random, types);
	policy->rule_bytes = support_random_below(random, 200);
	policy->rule = random_octets(random, policy->rule_bytes);
	policy->value_bytes = support_random_below(random, 2) == 0 ? 0 : 16;
	policy->value = random_octets(random, policy->value_bytes);
	policy->action = (uint8_t)support_random_below(random, 7);
	policy->match = (uint8_t)support_random_below(random, 6);
}

void
support_random_event(struct support_random *random, struct dtap_event *event,
		     struct dtap_policy *policy, bool plain)
{
	*event = (struct dtap_event)DTAP_EVENT_INIT;
	if (support_random_below(random, 2) == 0)
		random_usual(random, event);
	else
		random_any(random, event);
	if (plain)
		return;
	event->http_protocol = (uint8_t)support_random_below(random, 4);
	if (support_random_below(random, 2) == 0) {
		random_policy(random, policy);
		event->policy = policy;
	}
	if (support_random_below(random, 2) == 0) {
		event->extra_bytes = support_random_below(random, 300);
		event->extra = random_octets(random, event->extra_bytes);
	}
}
