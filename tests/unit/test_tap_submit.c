/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of one event: each fate once, and the ledger after it.
 */
#include <dnstap/dtap.h>

#include <string.h>
#include <unistd.h>

#include "stats/loss.h"
#include "support/scratch.h"
#include "support/support.h"
#include "support/taps.h"

static const char *const small_ring[] = { "ring-bytes=64K", NULL };

START_TEST(what_is_not_wanted_is_filtered)
{
	static const char *const more[] = { "types=CR,AQ", NULL };
	struct dtap_event event = taps_event(0);
	struct dtap_stats stats;
	dtap_producer *producer;
	dtap *tap;

	scratch_enter();
	tap = taps_start("file:x.fstrm", more);
	ck_assert_int_eq(dtap_producer_open(tap, &producer), DTAP_OK);
	ck_assert(!dtap_wants(producer, DTAP_CLIENT_QUERY));
	ck_assert(dtap_wants(producer, DTAP_CLIENT_RESPONSE));
	ck_assert(!dtap_wants(NULL, DTAP_CLIENT_RESPONSE));
	ck_assert(!dtap_wants(producer, (enum dtap_message_type)0));
	ck_assert(!dtap_wants(producer, (enum dtap_message_type)77));
	ck_assert_int_eq(dtap_submit(producer, &event), DTAP_FILTERED);
	event.type = DTAP_AUTH_QUERY;
	ck_assert_int_eq(dtap_submit(producer, &event), DTAP_OK);
	dtap_producer_close(&producer);
	stats = taps_finish(&tap, 5000);
	ck_assert_uint_eq(stats.filtered, 1);
	ck_assert_uint_eq(stats.written, 1);
	scratch_leave();
}
END_TEST

START_TEST(what_is_invalid_or_too_big_is_counted_as_such)
{
	struct dtap_event event = taps_event(0);
	static uint8_t large[DTAP_MESSAGE_BYTES_MAX + 1];
	struct dtap_stats stats;
	dtap_producer *producer;
	dtap *tap;

	scratch_enter();
	tap = taps_start("file:x.fstrm", NULL);
	ck_assert_int_eq(dtap_producer_open(tap, &producer), DTAP_OK);
	ck_assert_int_eq(dtap_submit(NULL, &event), DTAP_E_INVALID);
	ck_assert_int_eq(dtap_submit(producer, NULL), DTAP_E_INVALID);
	event.type = 15;
	ck_assert_int_eq(dtap_submit(producer, &event), DTAP_E_INVALID);
	event = taps_event(0);
	event.query_time_nsec = 1000000000;
	ck_assert_int_eq(dtap_submit(producer, &event), DTAP_E_INVALID);
	event = taps_event(0);
	event.query_message = NULL;
	ck_assert_int_eq(dtap_submit(producer, &event), DTAP_E_INVALID);
	event = taps_event(0);
	event.query_message = large;
	event.query_message_bytes = sizeof(large);
	ck_assert_int_eq(dtap_submit(producer, &event), DTAP_E_TOO_BIG);
	event.query_message_bytes = UINT32_MAX;
	ck_assert_int_eq(dtap_submit(producer, &event), DTAP_E_TOO_BIG);
	dtap_producer_close(&producer);
	stats = taps_finish(&tap, 5000);
	ck_assert_uint_eq(stats.submitted, 6);
	ck_assert_uint_eq(stats.dropped_invalid, 4);
	ck_assert_uint_eq(stats.dropped_too_big, 2);
	scratch_leave();
}
END_TEST

START_TEST(the_largest_event_fits_and_half_a_ring_is_the_limit)
{
	static uint8_t large[DTAP_MESSAGE_BYTES_MAX];
	struct dtap_event event = taps_event(0);
	struct dtap_stats stats;
	dtap_producer *producer;
	dtap *tap;

	scratch_enter();
	tap = taps_start("file:x.fstrm", NULL);
	ck_assert_int_eq(dtap_producer_open(tap, &producer), DTAP_OK);
	event.query_message = event.response_message = large;
	event.query_message_bytes = event.response_message_bytes =
		sizeof(large);
	ck_assert_int_eq(dtap_submit(producer, &event), DTAP_OK);
	dtap_producer_close(&producer);
	taps_finish(&tap, 5000);
	ck_assert_uint_eq(taps_read("x.fstrm", NULL, NULL), 1);

	tap = taps_open("file:y.fstrm", small_ring);
	ck_assert_int_eq(dtap_producer_open(tap, &producer), DTAP_OK);
	event.response_message_bytes = 0;
	event.query_message_bytes = 32 * 1024;
	ck_assert_int_eq(dtap_submit(producer, &event), DTAP_E_TOO_BIG);
	event.query_message_bytes = 32 * 1024 - 512;
	ck_assert_int_eq(dtap_submit(producer, &event), DTAP_OK);
	dtap_producer_close(&producer);
	ck_assert_int_eq(dtap_start(tap), DTAP_OK);
	stats = taps_finish(&tap, 5000);
	ck_assert_uint_eq(stats.dropped_too_big, 1);
	ck_assert_uint_eq(taps_read("y.fstrm", NULL, NULL), 1);
	scratch_leave();
}
END_TEST

/* Fills a ring that nobody drains; returns how many fitted. */
static uint32_t
fill(dtap_producer *producer)
{
	uint32_t number = 0;

	for (;;) {
		struct dtap_event event = taps_event(number);

		if (dtap_submit(producer, &event) != DTAP_OK)
			return number;
		number++;
	}
}

static void
remember_extra(const struct dtap_message *message, void *context)
{
	char *extra = context;

	if (message->extra.data == NULL)
		return;
	ck_assert_uint_lt(message->extra.bytes, 256);
	memcpy(extra, message->extra.data, message->extra.bytes);
	extra[message->extra.bytes] = '\0';
}

static void
join_extras(const struct dtap_message *message, void *context)
{
	char *extras = context;
	size_t length = strlen(extras);

	ck_assert_uint_lt(length + message->extra.bytes, 256);
	if (message->extra.data != NULL)
		memcpy(extras + length, message->extra.data,
		       message->extra.bytes);
	extras[length + message->extra.bytes] = '\0';
}

START_TEST(a_full_ring_drops_whole_events_and_tells_so_in_the_stream)
{
	struct dtap_event event;
	struct dtap_stats stats;
	dtap_producer *producer;
	char extra[256] = "";
	uint32_t fitted;
	dtap *tap;

	scratch_enter();
	tap = taps_open("file:x.fstrm", small_ring);
	ck_assert_int_eq(dtap_producer_open(tap, &producer), DTAP_OK);
	fitted = fill(producer); /* and one was lost */
	event = taps_event(111);
	ck_assert_int_eq(dtap_submit(producer, &event), DTAP_E_FULL);
	event = taps_event(222);
	ck_assert_int_eq(dtap_submit(producer, &event), DTAP_E_FULL);
	ck_assert_int_eq(dtap_start(tap), DTAP_OK);
	while (taps_stats(tap).written < fitted)
		usleep(1000);
	event.extra = "of the server";
	event.extra_bytes = 13;
	ck_assert_int_eq(dtap_submit(producer, &event), DTAP_OK);
	event = taps_event(333);
	ck_assert_int_eq(dtap_submit(producer, &event), DTAP_OK);
	dtap_producer_close(&producer);
	stats = taps_finish(&tap, 5000);
	ck_assert_uint_eq(stats.dropped_full, 3);
	ck_assert_uint_eq(stats.written, fitted + 2);
	ck_assert_uint_eq(taps_read("x.fstrm", remember_extra, extra),
			  fitted + 2);
	ck_assert_msg(strncmp(extra, "of the server dtap.lost=3 "
				     "dtap.cause=full dtap.first=17",
			      54) == 0,
		      "%s", extra);
	ck_assert_ptr_nonnull(
		strstr(extra, "dtap.last=1700000000.000000222"));
	scratch_leave();
}
END_TEST

/* The largest message that an empty ring of 64 KiB takes. */
static uint32_t
find_largest(struct dtap_event *event)
{
	static const char *const mute[] = { "ring-bytes=64K",
					    "loss-report=no", NULL };
	enum dtap_result result = DTAP_E_TOO_BIG;
	dtap_producer *producer;
	dtap *tap;

	tap = taps_open("file:x.fstrm", mute);
	ck_assert_int_eq(dtap_producer_open(tap, &producer), DTAP_OK);
	event->query_message_bytes = 32 * 1024;
	while (result == DTAP_E_TOO_BIG) {
		event->query_message_bytes--;
		result = dtap_submit(producer, event);
	}
	ck_assert_int_eq(result, DTAP_OK);
	dtap_producer_close(&producer);
	dtap_close(&tap);
	return event->query_message_bytes;
}

START_TEST(a_report_of_loss_makes_no_event_too_big)
{
	static uint8_t large[DTAP_MESSAGE_BYTES_MAX];
	struct dtap_event event = taps_event(0);
	struct dtap_event small = taps_event(1);
	dtap_producer *producer;
	char extra[256] = "";
	uint32_t largest;
	dtap *tap;

	scratch_enter();
	event.query_message = large;
	largest = find_largest(&event);
	tap = taps_open("file:x.fstrm", small_ring);
	ck_assert_int_eq(dtap_producer_open(tap, &producer), DTAP_OK);
	event.query_message_bytes = largest + 1;
	ck_assert_int_eq(dtap_submit(producer, &event), DTAP_E_TOO_BIG);
	event.query_message_bytes = largest;
	ck_assert_int_eq(dtap_submit(producer, &event), DTAP_OK);
	ck_assert_int_eq(dtap_submit(producer, &small), DTAP_OK);
	dtap_producer_close(&producer);
	ck_assert_int_eq(dtap_start(tap), DTAP_OK);
	taps_finish(&tap, 5000);
	ck_assert_uint_eq(taps_read("x.fstrm", remember_extra, extra), 2);
	ck_assert_ptr_eq(strstr(extra, "dtap.lost=1 dtap.cause=too-big"),
			 extra);
	scratch_leave();
}
END_TEST

/* Also when it could have been written without looking twice. */
START_TEST(a_loss_is_told_with_the_next_event_and_once)
{
	struct dtap_event event = taps_event(0);
	dtap_producer *producer;
	char extra[256] = "";
	uint32_t fitted;
	dtap *tap;

	scratch_enter();
	tap = taps_open("file:x.fstrm", small_ring);
	ck_assert_int_eq(dtap_producer_open(tap, &producer), DTAP_OK);
	fitted = fill(producer); /* and one was lost */
	ck_assert_int_eq(dtap_start(tap), DTAP_OK);
	while (taps_stats(tap).written < fitted)
		usleep(1000);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(dtap_submit(producer, &event), DTAP_OK);
	dtap_producer_close(&producer);
	taps_finish(&tap, 5000);
	taps_read("x.fstrm", join_extras, extra);
	ck_assert_ptr_eq(strstr(extra, "dtap.lost=1 dtap.cause=full"), extra);
	ck_assert_ptr_null(strstr(extra + 1, "dtap.lost"));
	scratch_leave();
}
END_TEST

START_TEST(the_report_of_loss_can_be_turned_off)
{
	static const char *const more[] = { "ring-bytes=64K", "loss-report=no",
					    "extra=mine", NULL };
	struct dtap_event event = taps_event(0);
	dtap_producer *producer;
	char extra[256] = "";
	uint32_t fitted;
	dtap *tap;

	scratch_enter();
	tap = taps_open("file:x.fstrm", more);
	ck_assert_int_eq(dtap_producer_open(tap, &producer), DTAP_OK);
	fitted = fill(producer);
	ck_assert_int_eq(dtap_start(tap), DTAP_OK);
	while (taps_stats(tap).written < fitted)
		usleep(1000);
	ck_assert_int_eq(dtap_submit(producer, &event), DTAP_OK);
	dtap_producer_close(&producer);
	taps_finish(&tap, 5000);
	taps_read("x.fstrm", remember_extra, extra);
	ck_assert_str_eq(extra, "mine");
	scratch_leave();
}
END_TEST

START_TEST(no_ring_is_a_fate_of_its_own)
{
	static const char *const more[] = { "ring-bytes=64K",
					    "ring-memory-bytes=64K", NULL };
	struct dtap_event event = taps_event(0);
	struct dtap_stats stats;
	dtap_producer *first;
	dtap_producer *second;
	dtap *tap;

	scratch_enter();
	tap = taps_start("file:x.fstrm", more);
	ck_assert_int_eq(dtap_producer_open(tap, &first), DTAP_OK);
	ck_assert_int_eq(dtap_producer_open(tap, &second), DTAP_OK);
	ck_assert_int_eq(dtap_submit(first, &event), DTAP_OK);
	ck_assert_int_eq(dtap_submit(second, &event), DTAP_E_NO_RING);
	ck_assert_int_eq(dtap_submit_frame(second, "xx", 2), DTAP_E_NO_RING);
	ck_assert_uint_eq(taps_stats(tap).rings, 1);
	dtap_producer_close(&first);
	dtap_producer_close(&second);
	stats = taps_finish(&tap, 5000);
	ck_assert_uint_eq(stats.dropped_no_ring, 2);
	scratch_leave();
}
END_TEST

START_TEST(a_stopped_tap_takes_no_more)
{
	struct dtap_event event = taps_event(0);
	struct dtap_stats stats;
	dtap_producer *producer;
	dtap *tap;

	scratch_enter();
	tap = taps_start("file:x.fstrm", NULL);
	ck_assert_int_eq(dtap_producer_open(tap, &producer), DTAP_OK);
	ck_assert_int_eq(dtap_submit(producer, &event), DTAP_OK);
	ck_assert_int_eq(dtap_stop(tap, 5000), DTAP_OK);
	ck_assert_int_eq(dtap_submit(producer, &event), DTAP_E_STOPPED);
	ck_assert_int_eq(dtap_submit_frame(producer, "xx", 2),
			 DTAP_E_STOPPED);
	dtap_producer_close(&producer);
	stats = taps_finish(&tap, 0);
	ck_assert_uint_eq(stats.dropped_stopped, 2);
	ck_assert_uint_eq(stats.written, 1);
	scratch_leave();
}
END_TEST

START_TEST(frames_that_are_encoded_already_pass_untouched)
{
	static uint8_t large[DTAP_FRAME_BYTES_MAX + 1];
	/* Dnstap { type = MESSAGE, message = { type = TOOL_QUERY } } */
	static const uint8_t frame[] = { 0x72, 2, 0x08, 11, 0x78, 1 };
	struct dtap_stats stats;
	dtap_producer *producer;
	dtap *tap;

	scratch_enter();
	tap = taps_start("file:x.fstrm", NULL);
	ck_assert_int_eq(dtap_producer_open(tap, &producer), DTAP_OK);
	ck_assert_int_eq(dtap_submit_frame(NULL, frame, 6), DTAP_E_INVALID);
	ck_assert_int_eq(dtap_submit_frame(producer, NULL, 6),
			 DTAP_E_INVALID);
	ck_assert_int_eq(dtap_submit_frame(producer, frame, 0),
			 DTAP_E_INVALID);
	ck_assert_int_eq(dtap_submit_frame(producer, large, sizeof(large)),
			 DTAP_E_TOO_BIG);
	ck_assert_int_eq(dtap_submit_frame(producer, frame, sizeof(frame)),
			 DTAP_OK);
	dtap_producer_close(&producer);
	stats = taps_finish(&tap, 5000);
	ck_assert_uint_eq(stats.dropped_invalid, 2);
	ck_assert_uint_eq(stats.dropped_too_big, 1);
	ck_assert_uint_eq(taps_read("x.fstrm", NULL, NULL), 1);
	scratch_leave();
}
END_TEST

START_TEST(sampling_keeps_about_one_in_n_and_counts_the_rest)
{
	static const char *const more[] = { "sample-one-in=10", NULL };
	struct dtap_stats stats;
	dtap_producer *producer;
	dtap *tap;

	scratch_enter();
	tap = taps_start("file:x.fstrm", more);
	ck_assert_int_eq(dtap_producer_open(tap, &producer), DTAP_OK);
	for (uint32_t i = 0; i < 10000; i++) {
		struct dtap_event event = taps_event(i);

		event.query_port = (uint16_t)(1024 + i);
		dtap_submit(producer, &event);
	}
	dtap_producer_close(&producer);
	stats = taps_finish(&tap, 5000);
	ck_assert_uint_eq(stats.accepted + stats.sampled_out, 10000);
	ck_assert_uint_gt(stats.accepted, 500);
	ck_assert_uint_lt(stats.accepted, 2000);
	scratch_leave();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("tap_submit");

	support_add(suite, what_is_not_wanted_is_filtered);
	support_add(suite, what_is_invalid_or_too_big_is_counted_as_such);
	support_add(suite, the_largest_event_fits_and_half_a_ring_is_the_limit);
	support_add(suite,
		    a_full_ring_drops_whole_events_and_tells_so_in_the_stream);
	support_add(suite, a_report_of_loss_makes_no_event_too_big);
	support_add(suite, a_loss_is_told_with_the_next_event_and_once);
	support_add(suite, the_report_of_loss_can_be_turned_off);
	support_add(suite, no_ring_is_a_fate_of_its_own);
	support_add(suite, a_stopped_tap_takes_no_more);
	support_add(suite, frames_that_are_encoded_already_pass_untouched);
	support_add(suite, sampling_keeps_about_one_in_n_and_counts_the_rest);
	return support_run(suite);
}
