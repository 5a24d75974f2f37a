/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_ring_model.c: the ring against a simple model, step by random step.
 *
 * The model is a queue of records, each with its place; the rule for places
 * is written down a second time, without offsets, caches or gaps.
 */
#include "ring/ring.h"

#include <stdlib.h>

#include "support/ring_stream.h"

struct model {
	struct {
		uint64_t at;
		uint64_t bytes;
	} queue[SMALLEST];
	size_t first;
	size_t count;
	uint64_t next;
	uint64_t tail;
};

static uint64_t random_state;

static uint64_t
random_below(uint64_t limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state % limit;
}

static uint64_t
model_place(const struct model *model, uint64_t bytes, bool wrap)
{
	uint64_t place = model->next;

	if (wrap)
		while (place / SMALLEST != (place + bytes - 1) / SMALLEST)
			place++;
	return place;
}

static bool
model_fits(const struct model *model, uint64_t bytes, bool wrap)
{
	return model_place(model, bytes, wrap) + bytes <=
	       model->tail + SMALLEST;
}

static void
model_push(struct model *model, uint64_t reserved, uint64_t bytes, bool wrap)
{
	size_t last = (model->first + model->count++) % SMALLEST;

	model->queue[last].at = model_place(model, reserved, wrap);
	model->queue[last].bytes = bytes;
	model->next = model->queue[last].at + bytes;
}

static void
model_pop(struct model *model, uint64_t bytes)
{
	while (bytes > 0) {
		size_t at = model->first % SMALLEST;
		uint64_t part = model->queue[at].bytes;

		if (part > bytes)
			part = bytes;
		bytes -= part;
		model->queue[at].at += part;
		model->queue[at].bytes -= part;
		if (model->queue[at].bytes == 0) {
			model->first++;
			model->count--;
		}
	}
	model->tail = model->count == 0
			      ? model->next
			      : model->queue[model->first % SMALLEST].at;
}

struct comparison {
	struct stream stream;
	struct model model;
	bool wrap;
	unsigned int refusals;
};

static void
step_give_up(struct comparison *both)
{
	uint64_t at_most = 1 + random_below(SMALLEST / 2);

	ck_assert_int_eq(
		dtap__ring_reserve(&both->stream.ring, at_most) != NULL,
		model_fits(&both->model, at_most, both->wrap));
}

static void
step_produce(struct comparison *both)
{
	uint64_t size = UINT64_C(1) << (1 + random_below(15));
	uint64_t at_most = 1 + random_below(size);
	uint64_t bytes = 1 + random_below(at_most);
	bool fits = model_fits(&both->model, at_most, both->wrap);

	ck_assert_int_eq(stream_write(&both->stream, at_most, bytes), fits);
	if (fits)
		model_push(&both->model, at_most, bytes, both->wrap);
	else
		both->refusals++;
}

static void
step_consume(struct comparison *both)
{
	uint64_t there = both->stream.written - both->stream.read;
	uint64_t bytes = random_below(there + 1);

	if (random_below(4) == 0)
		bytes = there;
	stream_check(&both->stream);
	stream_release(&both->stream, bytes);
	model_pop(&both->model, bytes);
}

/*
 * Fast and slow consumers take turns, so the ring is often full and often
 * empty. The model counts from its own second lap and need not wrap.
 */
static void
compare_with_model(enum dtap__ring_layout layout, uint64_t index)
{
	struct comparison *both = calloc(1, sizeof(*both));

	ck_assert_ptr_nonnull(both);
	random_state = index + UINT64_C(88172645463325252);
	stream_open(&both->stream, layout, index);
	both->wrap = layout == DTAP__RING_WRAP;
	both->model.next = SMALLEST + index % SMALLEST;
	both->model.tail = both->model.next;
	for (int step = 0; step < 10000; step++) {
		uint64_t choice = random_below(step / 250 % 2 ? 8 : 64);

		if (choice == 0)
			step_give_up(both);
		else if (choice <= 2)
			step_consume(both);
		else
			step_produce(both);
	}
	stream_check(&both->stream);
	/* Else it was too seldom full, or did not go round enough. */
	ck_assert_uint_gt(both->refusals, 100);
	ck_assert_uint_gt(both->stream.written, 20 * SMALLEST);
	stream_close(&both->stream);
	free(both);
}

START_TEST(agrees_with_the_model)
{
	static const uint64_t indexes[] = {
		0,
		(UINT64_C(1) << 32) - 3,
		-(UINT64_C(1) << 16),
		-(UINT64_C(1) << 17) - 5
	};

	for (size_t i = 0; i < DTAP__COUNT_OF(indexes); i++)
		compare_with_model(layouts[_i], indexes[i]);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ring model");

	add_for_layouts(suite, agrees_with_the_model);
	return support_run(suite);
}
