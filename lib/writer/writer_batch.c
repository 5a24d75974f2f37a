/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer_batch.c: see writer_batch.h.
 *
 * Frames are found by walking the big-endian lengths that the producers put
 * before them. That is done after the write, not before: by then the kernel
 * has read the same bytes on this CPU, and the walk runs in warm cache. The
 * alternative, a frame counter published beside head, would cost the
 * producers a second shared store for each event.
 *
 * The lengths come from our own encoder through memory that nobody else
 * writes, so they are trusted; input from outside never gets here.
 */
#include "writer/writer_batch.h"

#include <assert.h>
#include <string.h>

void
dtap__batch_init(struct dtap__batch *batch, struct dtap__ring_set *set)
{
	memset(batch, 0, sizeof(*batch));
	batch->set = set;
}

/* Octets of the frame at data, its length field included. */
static size_t
batch_frame_bytes(const uint8_t *data)
{
	return 4 + ((size_t)data[0] << 24 | (size_t)data[1] << 16 |
		    (size_t)data[2] << 8 | data[3]);
}

/* Adds a run, cut to what still fits. */
static void
batch_add(struct dtap__batch *batch, struct dtap__ring_node *node,
	  unsigned int index, const uint8_t *data, size_t bytes)
{
	size_t room = batch->bytes_max - batch->bytes;

	if (bytes == 0)
		return;
	if (batch->count == DTAP__BATCH_PARTS || room == 0) {
		batch->full = true;
		return;
	}
	if (bytes > room) {
		bytes = room;
		batch->full = true;
	}
	batch->parts[batch->count].iov_base = (void *)(uintptr_t)data;
	batch->parts[batch->count].iov_len = bytes;
	batch->nodes[batch->count] = node;
	batch->indexes[batch->count] = index;
	batch->count++;
	batch->bytes += bytes;
}

/*
 * Adds a ring from skip octets behind its tail. A frame never crosses from
 * one span into the next (ring.h, layouts), nor does skip.
 */
static void
batch_add_ring(struct dtap__batch *batch, struct dtap__ring_node *node,
	       unsigned int index, size_t skip)
{
	struct dtap__span span[2];

	dtap__ring_peek(&node->ring, span);
	assert(skip <= span[0].bytes);
	batch_add(batch, node, index, span[0].data + skip,
		  span[0].bytes - skip);
	batch_add(batch, node, index, span[1].data, span[1].bytes);
}

/* Octets of the frame at the tail of the ring in mid-frame. */
static size_t
batch_partial_frame(const struct dtap__ring_node *node)
{
	struct dtap__span span[2];

	dtap__ring_peek(&node->ring, span);
	return batch_frame_bytes(span[0].data);
}

struct batch_pass {
	struct dtap__batch *batch;
	unsigned int index;
	unsigned int turn; /* index of the ring that begins */
	bool wrapped;	   /* second pass: the rings before the turn */
};

static void
batch_visit(struct dtap__ring_node *node, void *context)
{
	struct batch_pass *pass = context;
	struct dtap__batch *batch = pass->batch;
	unsigned int index = pass->index++;
	size_t before = batch->bytes;

	/* Relaxed: the reaper looks again, with the proper order. */
	if (dtap__load_relaxed(&node->retired))
		batch->retired = true;
	if (batch->full || (index < pass->turn) != pass->wrapped)
		return;
	/* The frame in progress is in the batch already. */
	batch_add_ring(batch, node, index,
		       node == batch->partial ? batch_partial_frame(node) : 0);
	if (batch->full)
		batch->turn = batch->bytes > before ? index + 1 : index;
}

static void
batch_walk(struct dtap__batch *batch)
{
	struct batch_pass pass = { batch, 0, batch->turn, false };

	batch->retired = false;
	batch->turn = 0;
	dtap__ring_set_walk(batch->set, batch_visit, &pass);
	if (pass.turn == 0 || batch->full)
		return;
	pass.index = 0;
	pass.wrapped = true;
	dtap__ring_set_walk(batch->set, batch_visit, &pass);
}

size_t
dtap__batch_collect(struct dtap__batch *batch, size_t limit)
{
	struct dtap__ring_node *node = batch->partial;
	struct dtap__span span[2];

	batch->count = 0;
	batch->bytes = 0;
	batch->bytes_max = DTAP__BATCH_BYTES;
	batch->full = false;
	if (node != NULL) {
		dtap__ring_peek(&node->ring, span);
		/* The turn stays where it is. */
		batch_add(batch, node, batch->turn - 1,
			  span[0].data + node->partial,
			  batch_frame_bytes(span[0].data) - node->partial);
	}
	if (limit < batch->bytes_max)
		batch->bytes_max = limit;
	if (batch->bytes < batch->bytes_max)
		batch_walk(batch);
	return batch->bytes;
}

/* One part: bytes more of it were taken. Returns the frames completed. */
static uint64_t
batch_part_taken(struct dtap__batch *batch, int part, size_t bytes)
{
	struct dtap__ring_node *node = batch->nodes[part];
	const uint8_t *tail = (const uint8_t *)batch->parts[part].iov_base -
			      node->partial;
	size_t have = node->partial + bytes;
	size_t whole = 0;
	uint64_t frames = 0;

	while (have - whole >= 4) {
		size_t frame = batch_frame_bytes(tail + whole);

		if (frame > have - whole)
			break;
		whole += frame;
		frames++;
	}
	node->partial = have - whole;
	batch->partial = node->partial > 0 ? node : NULL;
	dtap__ring_release(&node->ring, whole);
	return frames;
}

uint64_t
dtap__batch_taken(struct dtap__batch *batch, size_t taken)
{
	size_t left = taken;
	uint64_t frames = 0;

	assert(taken <= batch->bytes);
	for (int part = 0; part < batch->count && left > 0; part++) {
		size_t bytes = batch->parts[part].iov_len;

		if (bytes > left)
			bytes = left;
		frames += batch_part_taken(batch, part, bytes);
		left -= bytes;
		if (taken < batch->bytes)
			batch->turn = batch->indexes[part] + 1;
	}
	batch->count = 0;
	batch->bytes = 0;
	return frames;
}

size_t
dtap__batch_partial_bytes(const struct dtap__batch *batch)
{
	return batch->partial != NULL ? batch->partial->partial : 0;
}

void
dtap__batch_forget_partial(struct dtap__batch *batch)
{
	if (batch->partial != NULL)
		batch->partial->partial = 0;
	batch->partial = NULL;
}

uint64_t
dtap__batch_count_frames(const struct dtap__ring *ring)
{
	struct dtap__span span[2];
	uint64_t frames = 0;

	dtap__ring_peek(ring, span);
	for (int i = 0; i < 2; i++)
		for (size_t at = 0; at < span[i].bytes; frames++)
			at += batch_frame_bytes(span[i].data + at);
	return frames;
}
