/* SPDX-License-Identifier: Apache-2.0 */
/*
 * taps.h: taps, events and streams for tests of the whole library.
 */
#ifndef DTAP_TESTS_TAPS_H
#define DTAP_TESTS_TAPS_H

#include <stdint.h>

#include <dnstap/dtap.h>

/* Opens a tap on an output; more is NULL or "name=value" pairs, NULL-ended. */
dtap *
taps_open(const char *output, const char *const *more);

/* Opens and starts. */
dtap *
taps_start(const char *output, const char *const *more);

/* A valid event: a client query whose id and last octets are number. */
struct dtap_event
taps_event(uint32_t number);

/* The number of an event that was made by taps_event(). */
uint32_t
taps_number(const struct dtap_event *event);

struct dtap_stats
taps_stats(const dtap *tap);

/* Stops, checks that the ledger balances to the last event, and closes. */
struct dtap_stats
taps_finish(dtap **tap, uint32_t timeout_ms);

typedef void
taps_visit(const struct dtap_message *message, void *context);

/*
 * Reads a Frame Streams file to its STOP and decodes every frame, or fails
 * the test. Returns how many frames there were. visit may be NULL.
 */
uint64_t
taps_read(const char *path, taps_visit *visit, void *context);

#endif
