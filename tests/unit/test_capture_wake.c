/* SPDX-License-Identifier: Apache-2.0 */
#include "sidecar/capture_wake.h"

#include <poll.h>
#include <unistd.h>

#include "support/support.h"

#define THRESHOLD 4096
/* Longer than a test may take: what becomes readable did so by itself. */
#define LATENCY_MS 1000000

static struct capture_wake wake;
static int ring[2];

static void
set_up(uint32_t latency_ms)
{
	ck_assert_int_eq(pipe(ring), 0);
	ck_assert(capture_wake_open(&wake, ring[0], latency_ms, THRESHOLD));
}

static void
tear_down(void)
{
	capture_wake_close(&wake);
	close(ring[0]);
	close(ring[1]);
}

static bool
is_readable(int wait_ms)
{
	struct pollfd polled = { .fd = wake.poll_fd, .events = POLLIN };

	return poll(&polled, 1, wait_ms) == 1;
}

START_TEST(while_packets_flow_only_the_threshold_wakes)
{
	set_up(LATENCY_MS);
	for (int i = 0; i < 100; i++) {
		ck_assert_uint_eq(capture_wake_begin(&wake), THRESHOLD);
		capture_wake_end(&wake, CAPTURE_WAKE_SOME);
	}
	tear_down();
}
END_TEST

START_TEST(an_idle_reader_is_woken_by_the_first_packet)
{
	int drains = 0;

	set_up(LATENCY_MS);
	while (capture_wake_begin(&wake) == THRESHOLD) {
		capture_wake_end(&wake, CAPTURE_WAKE_NOTHING);
		ck_assert_int_lt(++drains, 1000);
	}
	ck_assert_int_gt(drains, 1);
	capture_wake_end(&wake, CAPTURE_WAKE_SOME);
	ck_assert_uint_eq(capture_wake_begin(&wake), THRESHOLD);
	tear_down();
}
END_TEST

/* Who did not see yet that the reader sleeps is found after latency_ms: only
 * then may the timer become slow. */
START_TEST(before_it_sleeps_the_reader_looks_twice)
{
	set_up(LATENCY_MS);
	while (capture_wake_begin(&wake) == THRESHOLD)
		capture_wake_end(&wake, CAPTURE_WAKE_NOTHING);
	capture_wake_end(&wake, CAPTURE_WAKE_NOTHING);
	ck_assert_uint_eq(wake.timer_ms, LATENCY_MS);
	ck_assert_uint_eq(capture_wake_begin(&wake), 1);
	capture_wake_end(&wake, CAPTURE_WAKE_NOTHING);
	ck_assert_uint_ne(wake.timer_ms, LATENCY_MS);
	ck_assert_uint_eq(capture_wake_begin(&wake), 1);
	capture_wake_end(&wake, CAPTURE_WAKE_SOME);
	ck_assert_uint_eq(wake.timer_ms, LATENCY_MS);
	tear_down();
}
END_TEST

/* The ring stays readable while there is something in it; that alone is no
 * reason to look again. */
START_TEST(each_wake_is_one)
{
	set_up(LATENCY_MS);
	ck_assert(!is_readable(0));
	ck_assert_int_eq(write(ring[1], "x", 1), 1);
	ck_assert(is_readable(0));
	capture_wake_begin(&wake);
	capture_wake_end(&wake, CAPTURE_WAKE_SOME);
	ck_assert(!is_readable(0));
	ck_assert_int_eq(write(ring[1], "x", 1), 1);
	ck_assert(is_readable(0));
	tear_down();
}
END_TEST

START_TEST(what_was_left_behind_is_looked_at_at_once)
{
	set_up(LATENCY_MS);
	capture_wake_begin(&wake);
	capture_wake_end(&wake, CAPTURE_WAKE_MORE);
	ck_assert(is_readable(-1));
	capture_wake_begin(&wake);
	capture_wake_end(&wake, CAPTURE_WAKE_SOME);
	ck_assert(!is_readable(0));
	tear_down();
}
END_TEST

START_TEST(the_timer_wakes_again_and_again)
{
	set_up(1);
	for (int i = 0; i < 3; i++) {
		ck_assert(is_readable(-1));
		capture_wake_begin(&wake);
		capture_wake_end(&wake, CAPTURE_WAKE_SOME);
	}
	tear_down();
	ck_assert_int_eq(wake.poll_fd, -1);
	capture_wake_close(&wake);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("capture_wake");

	support_add(suite, while_packets_flow_only_the_threshold_wakes);
	support_add(suite, an_idle_reader_is_woken_by_the_first_packet);
	support_add(suite, before_it_sleeps_the_reader_looks_twice);
	support_add(suite, each_wake_is_one);
	support_add(suite, what_was_left_behind_is_looked_at_at_once);
	support_add(suite, the_timer_wakes_again_and_again);
	return support_run(suite);
}
