/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_ring.c: what ring.h promises, in both layouts.
 */
#include "ring/ring.h"

#include <pthread.h>
#include <sched.h>

#include "support/ring_stream.h"

START_TEST(empty_ring_shows_nothing)
{
	static const uint64_t indexes[] = { 0, 1, SMALLEST - 1, SMALLEST,
					    UINT64_MAX };
	struct stream stream;

	for (size_t i = 0; i < DTAP__COUNT_OF(indexes); i++) {
		stream_open(&stream, layouts[_i], indexes[i]);
		stream_check(&stream);
		stream_release(&stream, 0);
		stream_check(&stream);
		stream_close(&stream);
	}
}
END_TEST

START_TEST(ring_fills_to_the_last_octet)
{
	struct stream stream;

	stream_open(&stream, layouts[_i], 0);
	ck_assert(stream_write(&stream, SMALLEST / 2, SMALLEST / 2));
	ck_assert(stream_write(&stream, SMALLEST / 2 - 1, SMALLEST / 2 - 1));
	ck_assert(!stream_write(&stream, 2, 2));
	ck_assert(stream_write(&stream, 1, 1));
	ck_assert(!stream_write(&stream, 1, 1));
	stream_check(&stream);

	/* One octet back is room for one, not for two. */
	stream_release(&stream, 1);
	ck_assert(!stream_write(&stream, 2, 2));
	ck_assert(stream_write(&stream, 1, 1));
	ck_assert(!stream_write(&stream, 1, 1));
	stream_check(&stream);
	stream_release(&stream, SMALLEST);
	stream_check(&stream);
	stream_close(&stream);
}
END_TEST

START_TEST(longest_record_fits_an_empty_ring_anywhere)
{
	uint64_t longest = SMALLEST / 2;
	struct stream stream;

	stream_open(&stream, layouts[_i], 0);
	for (uint64_t offset = 0; offset < SMALLEST; offset += 97) {
		stream_go_to(&stream, offset);
		ck_assert(stream_write(&stream, longest, longest));
		stream_check(&stream);
		stream_release(&stream, longest);
		stream_check(&stream);
		/* And again, from wherever that has led to. */
		ck_assert(stream_write(&stream, longest, longest));
		stream_check(&stream);
	}
	stream_close(&stream);
}
END_TEST

START_TEST(reservation_given_up_changes_nothing)
{
	struct stream stream;
	struct dtap__ring before;

	stream_open(&stream, layouts[_i], SMALLEST - 100);
	ck_assert(stream_write(&stream, 60, 60));
	before = stream.ring;
	/* One that stays before the end, one that does not. */
	ck_assert_ptr_nonnull(dtap__ring_reserve(&stream.ring, 40));
	ck_assert_ptr_nonnull(dtap__ring_reserve(&stream.ring, 400));
	ck_assert_ptr_null(dtap__ring_reserve(&stream.ring, SMALLEST));
	ck_assert_uint_eq(stream.ring.next, before.next);
	ck_assert_uint_eq(dtap__load_relaxed(&stream.ring.head),
			  dtap__load_relaxed(&before.head));
	ck_assert_uint_eq(dtap__load_relaxed(&stream.ring.gap),
			  dtap__load_relaxed(&before.gap));
	stream_check(&stream);
	ck_assert(stream_write(&stream, 40, 40));
	stream_check(&stream);
	ck_assert(stream_write(&stream, 1, 1));
	stream_check(&stream);
	stream_close(&stream);
}
END_TEST

/* The short way goes by what was seen at the last look, and never too far. */
START_TEST(what_fits_near_is_what_reserve_would_grant)
{
	struct stream stream;
	unsigned int near = 0;

	stream_open(&stream, layouts[_i], 0);
	ck_assert(!dtap__ring_fits_near(&stream.ring, 1));
	for (int i = 0; i < 1000; i++) {
		struct dtap__ring other = stream.ring;
		uint64_t bytes = 1 + (uint64_t)i * 37 % 999;

		if (dtap__ring_fits_near(&stream.ring, bytes)) {
			near++;
			ck_assert_ptr_eq(dtap__ring_near(&stream.ring),
					 dtap__ring_look(&other, bytes));
			ck_assert(!other.crossing);
		}
		if (!stream_write(&stream, bytes, bytes))
			stream_release(&stream, stream.written - stream.read);
	}
	stream_check(&stream);
	ck_assert_uint_gt(near, 900);
	stream_close(&stream);
}
END_TEST

START_TEST(record_above_the_longest_is_refused_by_an_empty_ring)
{
	struct stream stream;

	stream_open(&stream, layouts[_i], 0);
	ck_assert_ptr_null(dtap__ring_reserve(&stream.ring, SMALLEST / 2 + 1));
	ck_assert(stream_write(&stream, 1, 1));
	ck_assert_ptr_null(dtap__ring_reserve(&stream.ring, SMALLEST / 2 + 1));
	stream_close(&stream);
}
END_TEST

START_TEST(refused_reservation_leaves_the_last_commit_alone)
{
	struct stream stream;

	stream_open(&stream, layouts[_i], 0);
	while (stream_write(&stream, 1000, 1000))
		;
	stream_check(&stream);
	stream_release(&stream, 1000);
	ck_assert(stream_write(&stream, 1000, 1000) ||
		  layouts[_i] == DTAP__RING_WRAP);
	stream_check(&stream);
	stream_close(&stream);
}
END_TEST

START_TEST(slack_is_not_published)
{
	struct stream stream;

	/* The bound does not fit before the end, the record would have. */
	stream_open(&stream, layouts[_i], SMALLEST - 100);
	ck_assert(stream_write(&stream, 101, 10));
	stream_check(&stream);
	ck_assert(stream_write(&stream, 2000, 1));
	stream_check(&stream);
	stream_release(&stream, 10);
	stream_check(&stream);
	stream_release(&stream, 1);
	stream_check(&stream);
	stream_close(&stream);
}
END_TEST

/*
 * Three records across the end, with the widest and narrowest gaps there
 * are; released in two parts, split at every octet.
 */
START_TEST(partial_release_works_at_every_octet)
{
	static const uint64_t left[] = { 0, 1, 2, 59, 60, 61, 119, 120 };
	struct stream stream;

	stream_open(&stream, layouts[_i], 0);
	for (size_t i = 0; i < DTAP__COUNT_OF(left); i++)
		for (uint64_t part = 0; part <= 180; part++) {
			stream_go_to(&stream, SMALLEST - 60 - left[i]);
			for (int n = 0; n < 3; n++)
				ck_assert(stream_write(&stream, 60, 60));
			stream_release(&stream, part);
			stream_check(&stream);
			stream_release(&stream, 180 - part);
			stream_check(&stream);
		}
	stream_close(&stream);
}
END_TEST

START_TEST(octets_can_be_released_one_by_one)
{
	struct stream stream;

	stream_open(&stream, layouts[_i], SMALLEST - 100);
	ck_assert(stream_write(&stream, 70, 70));
	ck_assert(stream_write(&stream, 70, 70));
	for (int i = 0; i < 140; i++) {
		stream_check(&stream);
		stream_release(&stream, 1);
	}
	stream_check(&stream);
	stream_close(&stream);
}
END_TEST

/* The consumer stands at the place where the gap is going to be. */
START_TEST(gap_may_come_after_all_before_it_was_released)
{
	struct stream stream;

	stream_open(&stream, layouts[_i], SMALLEST - 100);
	ck_assert(stream_write(&stream, 70, 70));
	stream_release(&stream, 70);
	ck_assert(stream_write(&stream, 70, 70));
	stream_check(&stream);
	stream_release(&stream, 30);
	stream_check(&stream);
	stream_release(&stream, 40);
	stream_check(&stream);
	stream_close(&stream);
}
END_TEST

/* Otherwise a full ring would stay full for longer than it need. */
START_TEST(gap_is_room_again_with_the_octet_before_it)
{
	struct stream stream;

	stream_open(&stream, layouts[_i], SMALLEST - 100);
	ck_assert(stream_write(&stream, 70, 70));
	ck_assert(stream_write(&stream, SMALLEST / 2, SMALLEST / 2));
	stream_release(&stream, 70);
	ck_assert(stream_write(&stream, SMALLEST / 2, SMALLEST / 2));
	stream_check(&stream);
	stream_close(&stream);
}
END_TEST

/* The gap of the lap before must not be taken for this lap's. */
START_TEST(lap_filled_to_its_end_leaves_no_gap)
{
	struct stream stream;

	stream_open(&stream, layouts[_i], SMALLEST - 100);
	ck_assert(stream_write(&stream, 101, 101));
	stream_release(&stream, 101);
	while (stream.ring.next % SMALLEST != SMALLEST - 200) {
		ck_assert(stream_write(&stream, 1, 1));
		stream_release(&stream, 1);
	}
	ck_assert(stream_write(&stream, 200, 200));
	stream_check(&stream);
	ck_assert(stream_write(&stream, 10, 10));
	stream_check(&stream);
	stream_release(&stream, 200);
	stream_check(&stream);
	stream_release(&stream, 10);
	stream_check(&stream);
	stream_close(&stream);
}
END_TEST

/* Two threads. */

#define THREAD_RECORDS 20000

static uint64_t
record_bytes(uint64_t number)
{
	return 9 + (number * 2654435761u) % 700;
}

static void *
produce_records(void *context)
{
	struct dtap__ring *ring = context;

	for (uint64_t n = 0; n < THREAD_RECORDS; n++) {
		uint64_t bytes = record_bytes(n);
		uint8_t *slot;

		while ((slot = dtap__ring_reserve(ring, bytes + 13)) == NULL)
			sched_yield();
		memcpy(slot, &n, sizeof(n));
		memset(slot + sizeof(n), (int)(n & 0xff), bytes - sizeof(n));
		dtap__ring_commit(ring, bytes);
	}
	return NULL;
}

/* Checks the records in a run, which holds whole ones only; their count. */
static uint64_t
check_records(struct dtap__span run, uint64_t expected)
{
	uint64_t number = expected;
	size_t at = 0;

	while (at < run.bytes) {
		uint64_t bytes = record_bytes(number);
		uint64_t found;
		uint64_t wrong = 0;

		ck_assert_uint_le(at + bytes, run.bytes);
		memcpy(&found, run.data + at, sizeof(found));
		ck_assert_uint_eq(found, number);
		for (size_t i = sizeof(found); i < bytes; i++)
			wrong += run.data[at + i] != (number & 0xff);
		ck_assert_uint_eq(wrong, 0);
		at += bytes;
		number++;
	}
	return number - expected;
}

START_TEST(consumer_thread_sees_whole_records_in_order)
{
	uint64_t number = 0;
	struct stream stream;
	pthread_t producer;

	stream_open(&stream, layouts[_i], -(UINT64_C(1) << 20));
	ck_assert_int_eq(pthread_create(&producer, NULL, produce_records,
					&stream.ring), 0);
	while (number < THREAD_RECORDS) {
		struct dtap__span span[2];
		size_t bytes = dtap__ring_peek(&stream.ring, span);

		number += check_records(span[0], number);
		number += check_records(span[1], number);
		dtap__ring_release(&stream.ring, bytes);
		if (bytes == 0)
			sched_yield();
	}
	ck_assert_int_eq(pthread_join(producer, NULL), 0);
	stream.written = stream.read;
	stream_check(&stream);
	stream_close(&stream);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ring");

	add_for_layouts(suite, empty_ring_shows_nothing);
	add_for_layouts(suite, ring_fills_to_the_last_octet);
	add_for_layouts(suite, longest_record_fits_an_empty_ring_anywhere);
	add_for_layouts(suite, reservation_given_up_changes_nothing);
	add_for_layouts(suite, what_fits_near_is_what_reserve_would_grant);
	add_for_layouts(suite,
			record_above_the_longest_is_refused_by_an_empty_ring);
	add_for_layouts(suite,
			refused_reservation_leaves_the_last_commit_alone);
	add_for_layouts(suite, slack_is_not_published);
	add_for_layouts(suite, partial_release_works_at_every_octet);
	add_for_layouts(suite, octets_can_be_released_one_by_one);
	add_for_layouts(suite, gap_may_come_after_all_before_it_was_released);
	add_for_layouts(suite, gap_is_room_again_with_the_octet_before_it);
	add_for_layouts(suite, lap_filled_to_its_end_leaves_no_gap);
	add_for_layouts(suite, consumer_thread_sees_whole_records_in_order);
	return support_run(suite);
}
