/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_floor.c: a ready frame is copied into the same ring.
 *
 * No encoder can be faster than this: the frame's octets have to get there.
 * It reaches into the producer for its ring, so that memory, writer thread
 * and output are those of the library; what it copies is not counted by the
 * ledger, so `written` asks the ring itself.
 */
#include "bench.h"

#include <stdlib.h>

#include <dnstap/dtap.h>

#include "tap.h"

struct floor {
	void *ours; /* of bench_ours; its producer is borrowed */
	struct dtap__ring *ring;
	size_t bytes;
	struct bench_event event;
	uint8_t frame[1024];
};

/*
 * The frame as the encoder has just written it, found in the ring of a tap
 * that was never started.
 */
static bool
floor_take_frame(struct floor *self, enum bench_kind kind)
{
	void *ours = bench_ours.open(NULL, kind);
	struct dtap__span span[2];

	if (ours == NULL)
		return false;
	bench_ours.burst(ours, 1);
	dtap__ring_peek(bench_ours_producer(ours)->ring, span);
	self->bytes = span[0].bytes;
	memcpy(self->frame, span[0].data, self->bytes);
	bench_ours.close(ours);
	return self->bytes > 0;
}

static void *
floor_open(const char *uri, enum bench_kind kind)
{
	struct floor *self = calloc(1, sizeof(*self));

	if (self == NULL || !floor_take_frame(self, kind)) {
		free(self);
		return NULL;
	}
	bench_event_init(&self->event, kind);
	self->ours = bench_ours.open(uri, kind);
	if (self->ours == NULL) {
		free(self);
		return NULL;
	}
	self->ring = bench_ours_producer(self->ours)->ring;
	return self;
}

static inline bool
floor_submit(void *self, struct bench_event *event)
{
	struct floor *floor = self;
	uint8_t *slot = dtap__ring_reserve(floor->ring, floor->bytes);

	(void)event;
	if (slot == NULL)
		return false;
	memcpy(slot, floor->frame, floor->bytes);
	dtap__ring_commit(floor->ring, floor->bytes);
	return true;
}

BENCH_LOOPS(floor, struct floor)

static uint64_t
floor_written(void *self)
{
	struct floor *floor = self;
	bool empty = dtap__load_acquire(&floor->ring->tail) ==
		     dtap__load_relaxed(&floor->ring->head);

	/* All or nothing: that is what its callers wait for. */
	return empty ? UINT64_MAX : 0;
}

static void
floor_close(void *self)
{
	struct floor *floor = self;

	bench_ours.close(floor->ours);
	free(floor);
}

const struct bench_subject bench_floor = {
	.name = "memcpy into the ring",
	.open = floor_open,
	.burst = floor_burst,
	.insist = floor_insist,
	.pace = floor_pace,
	.written = floor_written,
	.close = floor_close,
	.burst_events = { 5000, 1200 },
};
