/* SPDX-License-Identifier: Apache-2.0 */
/*
 * support_event.h: random events for tests: every field, every presence, the
 * lengths at which an encoding changes.
 */
#ifndef DTAP_TESTS_SUPPORT_EVENT_H
#define DTAP_TESTS_SUPPORT_EVENT_H

#include <stdbool.h>

#include <dnstap/event.h>

/* A sequence of pseudo-random numbers; any seed. */
struct support_random {
	uint64_t state;
};

uint64_t
support_random_next(struct support_random *random);

/* A number below limit; limit > 0. */
uint32_t
support_random_below(struct support_random *random, uint32_t limit);

/*
 * A valid event. It points into static octets, and into *policy when it has
 * one. With plain, no policy, extra or http_protocol.
 */
void
support_random_event(struct support_random *random, struct dtap_event *event,
		     struct dtap_policy *policy, bool plain);

#endif
