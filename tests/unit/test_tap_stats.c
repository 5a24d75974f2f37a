/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A snapshot sums over all who count, those that are gone included.
 */
#include <dnstap/dtap.h>

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "support/scratch.h"
#include "support/support.h"
#include "support/taps.h"

#define RING_BYTES 65536

static dtap_producer *
open_producer(dtap *tap)
{
	dtap_producer *producer;

	ck_assert_int_eq(dtap_producer_open(tap, &producer), DTAP_OK);
	return producer;
}

START_TEST(arguments_are_checked)
{
	struct dtap_stats stats = DTAP_STATS_INIT;
	dtap *tap = taps_open("file:x.fstrm", NULL);

	ck_assert_int_eq(dtap_stats_get(NULL, &stats), DTAP_E_INVALID);
	ck_assert_int_eq(dtap_stats_get(tap, NULL), DTAP_E_INVALID);
	stats.size = 8;
	ck_assert_int_eq(dtap_stats_get(tap, &stats), DTAP_E_INVALID);
	dtap_close(&tap);
}
END_TEST

START_TEST(a_new_tap_has_all_zeros)
{
	static const struct dtap_stats zeros = DTAP_STATS_INIT;
	dtap *tap = taps_open("file:x.fstrm", NULL);
	struct dtap_stats stats = taps_stats(tap);

	ck_assert_mem_eq(&stats, &zeros, sizeof(stats));
	ck_assert(dtap_stats_balanced(&stats));
	dtap_close(&tap);
}
END_TEST

START_TEST(producers_and_rings_are_those_of_now)
{
	static const char *const more[] = { "ring-bytes=64K",
					    "ring-memory-bytes=128K", NULL };
	dtap *tap = taps_open("file:x.fstrm", more);
	dtap_producer *producers[3];
	struct dtap_stats stats;

	for (int i = 0; i < 3; i++)
		producers[i] = open_producer(tap);
	stats = taps_stats(tap);
	ck_assert_uint_eq(stats.producers, 3);
	ck_assert_uint_eq(stats.rings, 2);
	ck_assert_uint_eq(stats.ring_bytes, 2 * RING_BYTES);
	dtap_producer_close(&producers[1]);
	dtap_producer_close(&producers[2]);
	stats = taps_stats(tap);
	ck_assert_uint_eq(stats.producers, 1);
	/* Nobody has looked at the retired one yet. */
	ck_assert_uint_eq(stats.rings, 2);
	dtap_producer_close(&producers[0]);
	dtap_close(&tap);
}
END_TEST

/* Submits one event that sampling keeps. */
static enum dtap_result
submit_kept(dtap_producer *producer)
{
	static uint16_t port;
	struct dtap_event event = taps_event(0);
	enum dtap_result result;

	do {
		event.query_port = ++port;
		result = dtap_submit(producer, &event);
	} while (result == DTAP_FILTERED);
	return result;
}

/* Submits until every fate but fork and stop has been met. */
static void
meet_fates(dtap_producer *producer, dtap_producer *ringless)
{
	static uint8_t large[DTAP_MESSAGE_BYTES_MAX + 1];
	struct dtap_event event = taps_event(0);
	enum dtap_result result;

	event.type = DTAP_TOOL_QUERY; /* not wanted */
	ck_assert_int_eq(dtap_submit(producer, &event), DTAP_FILTERED);
	event = taps_event(0);
	event.query_time_nsec = UINT32_MAX;
	ck_assert_int_eq(dtap_submit(producer, &event), DTAP_E_INVALID);
	event = taps_event(0);
	event.query_message = large;
	event.query_message_bytes = sizeof(large);
	ck_assert_int_eq(dtap_submit(producer, &event), DTAP_E_TOO_BIG);
	ck_assert_int_eq(submit_kept(ringless), DTAP_E_NO_RING);
	while ((result = submit_kept(producer)) == DTAP_OK)
		continue;
	ck_assert_int_eq(result, DTAP_E_FULL);
}

/* Everything that the producers count. */
static void
expect_same_counts(const struct dtap_stats *a, const struct dtap_stats *b)
{
	ck_assert_uint_eq(a->submitted, b->submitted);
	ck_assert_uint_eq(a->accepted, b->accepted);
	ck_assert_uint_eq(a->filtered, b->filtered);
	ck_assert_uint_eq(a->sampled_out, b->sampled_out);
	ck_assert_uint_eq(a->dropped_invalid, b->dropped_invalid);
	ck_assert_uint_eq(a->dropped_too_big, b->dropped_too_big);
	ck_assert_uint_eq(a->dropped_full, b->dropped_full);
	ck_assert_uint_eq(a->dropped_no_ring, b->dropped_no_ring);
	ck_assert_uint_eq(a->dropped_stopped, b->dropped_stopped);
	ck_assert_uint_eq(a->in_ring, b->in_ring);
	ck_assert_uint_eq(a->lost_shutdown, b->lost_shutdown);
}

START_TEST(a_producer_that_closes_leaves_its_counts)
{
	static const char *const more[] = { "ring-bytes=64K",
					    "ring-memory-bytes=64K",
					    "types=CQ", "sample-one-in=3",
					    NULL };
	dtap *tap = taps_open("file:x.fstrm", more);
	dtap_producer *producer = open_producer(tap);
	dtap_producer *ringless = open_producer(tap);
	struct dtap_stats before, after;

	meet_fates(producer, ringless);
	before = taps_stats(tap);
	ck_assert(dtap_stats_balanced(&before));
	ck_assert_uint_eq(before.filtered, 1);
	ck_assert_uint_gt(before.sampled_out, 0);
	ck_assert_uint_eq(before.dropped_invalid, 1);
	ck_assert_uint_eq(before.dropped_too_big, 1);
	ck_assert_uint_eq(before.dropped_full, 1);
	ck_assert_uint_eq(before.dropped_no_ring, 1);
	ck_assert_uint_gt(before.accepted, 0);
	ck_assert_uint_eq(before.in_ring, before.accepted);
	dtap_producer_close(&producer);
	dtap_producer_close(&ringless);
	after = taps_stats(tap);
	ck_assert(dtap_stats_balanced(&after));
	expect_same_counts(&before, &after);
	dtap_close(&tap);
}
END_TEST

START_TEST(what_the_writer_left_behind_is_lost_once)
{
	dtap *tap = taps_open("unix:missing/x.sock", NULL);
	dtap_producer *producer = open_producer(tap);
	struct dtap_event event = taps_event(0);
	struct dtap_stats before, after;

	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(dtap_submit(producer, &event), DTAP_OK);
	ck_assert_int_eq(dtap_start(tap), DTAP_OK);
	ck_assert_int_eq(dtap_stop(tap, 1000), DTAP_E_TIMEOUT);
	ck_assert_int_eq(dtap_submit(producer, &event), DTAP_E_STOPPED);
	before = taps_stats(tap);
	ck_assert(dtap_stats_balanced(&before));
	ck_assert_uint_eq(before.lost_shutdown, 10);
	ck_assert_uint_eq(before.in_ring, 0);
	ck_assert_uint_eq(before.dropped_stopped, 1);
	ck_assert_uint_eq(before.rings, 1);
	/* The ring goes with its producer, and what it held stays counted. */
	dtap_producer_close(&producer);
	after = taps_stats(tap);
	ck_assert(dtap_stats_balanced(&after));
	expect_same_counts(&before, &after);
	ck_assert_uint_eq(after.rings, 0);
	dtap_close(&tap);
}
END_TEST

START_TEST(the_writers_side_is_there_too)
{
	struct dtap_event event = taps_event(0);
	struct dtap_stats stats;
	dtap *tap;

	scratch_enter();
	tap = taps_start("file:x.fstrm", NULL);
	ck_assert_int_eq(dtap_submit(dtap_thread_producer(tap), &event),
			 DTAP_OK);
	while ((stats = taps_stats(tap)).written == 0)
		usleep(1000);
	ck_assert_int_eq(stats.connected, 1);
	ck_assert_uint_eq(stats.sessions, 1);
	ck_assert_uint_eq(stats.unconfirmed, 1);
	ck_assert_int_eq(dtap_stop(tap, 5000), DTAP_OK);
	stats = taps_stats(tap);
	ck_assert_int_eq(stats.connected, 0);
	ck_assert_uint_eq(stats.confirmed, 1);
	ck_assert_uint_eq(stats.unconfirmed, 0);
	ck_assert_uint_gt(stats.written_bytes, 64);
	dtap_close(&tap);
	scratch_leave();
}
END_TEST

#define EVENTS_UNDER_LOAD 20000

static void *
submit_many(void *tap)
{
	for (uint32_t i = 0; i < EVENTS_UNDER_LOAD; i++) {
		struct dtap_event event = taps_event(i);

		dtap_submit(dtap_thread_producer(tap), &event);
	}
	return NULL;
}

/* Written is never more than accepted, though both move meanwhile. */
START_TEST(under_load_no_number_is_below_zero)
{
	pthread_t threads[2];
	struct dtap_stats stats;
	uint64_t events = 0;
	dtap *tap;

	scratch_enter();
	tap = taps_start("file:x.fstrm", NULL);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL,
						submit_many, tap), 0);
	do {
		stats = taps_stats(tap);
		ck_assert_uint_le(stats.written, stats.accepted);
		ck_assert_uint_le(stats.in_ring, stats.accepted);
		ck_assert_uint_le(stats.confirmed, stats.written);
		ck_assert_uint_ge(stats.submitted, events);
		events = stats.submitted;
	} while (events < 2 * EVENTS_UNDER_LOAD);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	stats = taps_finish(&tap, 5000);
	ck_assert_uint_eq(stats.submitted, 2 * EVENTS_UNDER_LOAD);
	scratch_leave();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("tap_stats");

	support_add(suite, arguments_are_checked);
	support_add(suite, a_new_tap_has_all_zeros);
	support_add(suite, producers_and_rings_are_those_of_now);
	support_add(suite, a_producer_that_closes_leaves_its_counts);
	support_add(suite, what_the_writer_left_behind_is_lost_once);
	support_add(suite, the_writers_side_is_there_too);
	support_add(suite, under_load_no_number_is_below_zero);
	return support_run(suite);
}
