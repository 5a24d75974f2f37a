/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_ours.c: the library as a server uses it.
 *
 * Public interface only: the program that counts instructions links this
 * file against the static and against the shared library.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

#include <dnstap/dtap.h>

#define OURS_RING_BYTES "1M" /* the default, stated */

struct ours {
	dtap *tap;
	dtap_producer *producer;
	struct bench_event event;
};

static bool
ours_set(dtap_options *options, const char *name, const char *value)
{
	if (dtap_options_set(options, name, value) == DTAP_OK)
		return true;
	fprintf(stderr, "bench: %s\n", dtap_options_error(options));
	return false;
}

static dtap *
ours_open_tap(const char *uri)
{
	dtap_options *options = dtap_options_new();
	dtap *tap = NULL;

	if (options != NULL && ours_set(options, "output", uri) &&
	    ours_set(options, "identity", BENCH_IDENTITY) &&
	    ours_set(options, "version", BENCH_VERSION) &&
	    ours_set(options, "ring-bytes", OURS_RING_BYTES))
		dtap_open(options, &tap);
	dtap_options_free(&options);
	return tap;
}

static void
ours_close(void *self)
{
	struct ours *ours = self;

	dtap_producer_close(&ours->producer);
	dtap_close(&ours->tap);
	free(ours);
}

static void *
ours_open(const char *uri, enum bench_kind kind)
{
	struct ours *ours = calloc(1, sizeof(*ours));

	if (ours == NULL)
		return NULL;
	bench_event_init(&ours->event, kind);
	/* Without a start, nothing leaves the ring or touches the path. */
	ours->tap = ours_open_tap(uri != NULL ? uri : "file:/never-opened");
	bench_pin(1);
	if (ours->tap == NULL ||
	    (uri != NULL && dtap_start(ours->tap) != DTAP_OK)) {
		ours_close(ours);
		ours = NULL;
	}
	bench_pin(0);
	if (ours == NULL)
		return NULL;
	if (dtap_producer_open(ours->tap, &ours->producer) != DTAP_OK) {
		ours_close(ours);
		return NULL;
	}
	return ours;
}

static inline bool
ours_submit(void *self, struct bench_event *event)
{
	struct ours *ours = self;

	return dtap_submit(ours->producer, &event->event) == DTAP_OK;
}

BENCH_LOOPS(ours, struct ours)

struct dtap_producer *
bench_ours_producer(void *self)
{
	return ((struct ours *)self)->producer;
}

static uint64_t
ours_written(void *self)
{
	struct ours *ours = self;
	struct dtap_stats stats = DTAP_STATS_INIT;

	dtap_stats_get(ours->tap, &stats);
	return stats.written;
}

const struct bench_subject bench_ours = {
	.name = "libdtap",
	.open = ours_open,
	.burst = ours_burst,
	.insist = ours_insist,
	.pace = ours_pace,
	.written = ours_written,
	.close = ours_close,
	.burst_events = { 5000, 1200 },
};
