/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_ring_steps.c: one side interrupted by the other between any two of
 * its accesses.
 *
 * What threads meet once in a million rounds happens here in every call: the
 * sources of the room are compiled with accesses that call back.
 */
#define DTAP__ATOMIC_MODEL "support/ring_steps.h"

#include "ring/ring.c"
#include "ring/ring_set.c"

#include "support/ring_stream.h"

#define ROUNDS 5000

static struct stream stream;
static uint64_t round_number;

/* Differs from round to round, small or up to a third of the ring. */
static uint64_t
round_bytes(void)
{
	uint64_t mixed = ++round_number * UINT64_C(0x9e3779b97f4a7c15) >> 32;

	return 1 + mixed % (mixed & 1 ? SMALLEST / 3 : 300);
}

static void
produce_a_record(void)
{
	uint64_t bytes = round_bytes();

	stream_write(&stream, bytes, bytes);
}

/*
 * Releases at_most octets or what is there. Each octet is the right one, in
 * the middle of a commit too.
 */
static void
consume_some(uint64_t at_most)
{
	uint64_t place = stream.read;
	struct dtap__span span[2];
	uint64_t wrong = 0;
	size_t bytes = dtap__ring_peek(&stream.ring, span);

	ck_assert_uint_le(bytes, SMALLEST);
	ck_assert_uint_eq(span[0].bytes + span[1].bytes, bytes);
	for (int run = 0; run < 2; run++)
		for (size_t i = 0; i < span[run].bytes; i++)
			wrong += span[run].data[i] != octet_at(place++);
	ck_assert_uint_eq(wrong, 0);
	stream_release(&stream, bytes < at_most ? bytes : at_most);
}

static void
consume_all(void)
{
	consume_some(UINT64_MAX);
}

START_TEST(producer_may_be_interrupted_anywhere)
{
	stream_open(&stream, layouts[_i], -(UINT64_C(1) << 20));
	ring_step = consume_all;
	for (int i = 0; i < ROUNDS; i++)
		produce_a_record();
	ring_step = NULL;
	ck_assert_uint_gt(stream.written, 100 * SMALLEST);
	stream_check(&stream);
	stream_close(&stream);
}
END_TEST

START_TEST(consumer_may_be_interrupted_anywhere)
{
	stream_open(&stream, layouts[_i], -(UINT64_C(1) << 20));
	ring_step = produce_a_record;
	for (int i = 0; i < ROUNDS; i++)
		consume_some(2 * round_bytes());
	ring_step = NULL;
	ck_assert_uint_gt(stream.written, 100 * SMALLEST);
	stream_check(&stream);
	stream_close(&stream);
}
END_TEST

/* The producer's farewell in the middle of the reaper's look at its ring. */

static struct dtap__ring_node *leaving;
static int steps_left;

static void
commit_and_retire(void)
{
	if (steps_left-- != 0)
		return;
	memset(dtap__ring_reserve(&leaving->ring, 10), 1, 10);
	dtap__ring_commit(&leaving->ring, 10);
	dtap__ring_retire(leaving);
}

START_TEST(last_record_is_not_reaped_with_its_ring)
{
	int step = 0;

	do {
		struct dtap__ring_set set;

		dtap__ring_set_init(&set, SMALLEST);
		ck_assert_int_eq(dtap__ring_set_add(&set, SMALLEST,
						    layouts[_i], &leaving),
				 DTAP_OK);
		steps_left = step++;
		ring_step = commit_and_retire;
		ck_assert_uint_eq(dtap__ring_set_reap(&set, false, NULL, NULL),
				  0);
		ring_step = NULL;
		dtap__ring_set_fini(&set);
	} while (steps_left < 0);
	/* Loads of first, retired and next at least. */
	ck_assert_int_gt(step, 3);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ring steps");

	add_for_layouts(suite, producer_may_be_interrupted_anywhere);
	add_for_layouts(suite, consumer_may_be_interrupted_anywhere);
	add_for_layouts(suite, last_record_is_not_reaped_with_its_ring);
	return support_run(suite);
}
