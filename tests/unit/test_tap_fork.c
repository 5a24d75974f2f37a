/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A child process counts, and never touches what is its parent's.
 */
#include <dnstap/dtap.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <urcu-bp.h>

#include "support/scratch.h"
#include "support/support.h"
#include "support/taps.h"

/* In the child: every call has a defined answer. Exit status 0 if so. */
static int
use_in_child(dtap *tap, dtap_producer *producer)
{
	struct dtap_event event = taps_event(9);
	struct dtap_stats stats = DTAP_STATS_INIT;
	dtap_options *options = dtap_options_new();
	dtap_producer *none;
	uint64_t before;

	dtap_stats_get(tap, &stats);
	before = stats.dropped_fork;
	dtap_options_set(options, "output", "file:x.fstrm");
	if (dtap_submit(producer, &event) != DTAP_E_FORK ||
	    dtap_submit_frame(producer, "x", 1) != DTAP_E_FORK ||
	    dtap_producer_open(tap, &none) != DTAP_E_FORK ||
	    dtap_thread_producer(tap) != NULL ||
	    dtap_start(tap) != DTAP_E_FORK ||
	    dtap_reopen(tap) != DTAP_E_FORK ||
	    dtap_reconfigure(tap, options) != DTAP_E_FORK ||
	    dtap_stop(tap, 10000) != DTAP_E_FORK)
		return 1;
	dtap_options_free(&options);
	if (dtap_stats_get(tap, &stats) != DTAP_OK ||
	    stats.dropped_fork != before + 3 || !dtap_stats_balanced(&stats))
		return 2;
	dtap_producer_close(&producer);
	dtap_close(&tap);
	return 0;
}

static void
expect_child_success(pid_t child)
{
	int status;

	ck_assert_int_gt(child, 0);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}

START_TEST(a_child_leaves_its_parents_stream_alone)
{
	struct dtap_event event = taps_event(0);
	struct dtap_stats stats;
	dtap_producer *producer;
	pid_t child;
	dtap *tap;

	scratch_enter();
	tap = taps_start("file:x.fstrm", NULL);
	ck_assert_int_eq(dtap_producer_open(tap, &producer), DTAP_OK);
	for (int i = 0; i < 100; i++) {
		ck_assert_int_eq(dtap_submit(producer, &event), DTAP_OK);
		if (i != 50)
			continue;
		child = fork();
		if (child == 0)
			_exit(use_in_child(tap, producer));
		expect_child_success(child);
	}
	dtap_producer_close(&producer);
	stats = taps_finish(&tap, 5000);
	ck_assert_uint_eq(stats.dropped_fork, 0);
	ck_assert_uint_eq(stats.written, 100);
	ck_assert_uint_eq(taps_read("x.fstrm", NULL, NULL), 100);
	scratch_leave();
}
END_TEST

START_TEST(a_tap_with_producers_is_not_the_childs)
{
	dtap_producer *producer;
	pid_t child;
	dtap *tap;

	scratch_enter();
	tap = taps_open("file:x.fstrm", NULL);
	ck_assert_int_eq(dtap_producer_open(tap, &producer), DTAP_OK);
	child = fork();
	if (child == 0)
		_exit(use_in_child(tap, producer));
	expect_child_success(child);
	ck_assert(!scratch_exists("x.fstrm"));
	dtap_producer_close(&producer);
	dtap_close(&tap);
	scratch_leave();
}
END_TEST

/* Starts a tap that is open, and submits one event. Exit status. */
static int
use_tap(dtap *tap)
{
	struct dtap_event event = taps_event(1);

	if (dtap_start(tap) != DTAP_OK ||
	    dtap_submit(dtap_thread_producer(tap), &event) != DTAP_OK ||
	    dtap_stop(tap, 5000) != DTAP_OK)
		return 1;
	dtap_close(&tap);
	return taps_read("child.fstrm", NULL, NULL) == 1 ? 0 : 2;
}

/* As daemon() has it: open, fork, start. */
START_TEST(a_tap_that_is_only_open_goes_over_into_the_child)
{
	pid_t child;
	dtap *tap;

	scratch_enter();
	tap = taps_open("file:child.fstrm", NULL);
	child = fork();
	if (child == 0)
		_exit(use_tap(tap));
	expect_child_success(child);
	dtap_close(&tap);
	scratch_leave();
}
END_TEST

START_TEST(a_child_can_have_a_tap_of_its_own)
{
	pid_t child;
	dtap *tap;

	scratch_enter();
	tap = taps_start("file:x.fstrm", NULL);
	child = fork();
	if (child == 0)
		_exit(use_tap(taps_open("file:child.fstrm", NULL)));
	expect_child_success(child);
	taps_finish(&tap, 5000);
	scratch_leave();
}
END_TEST

static atomic_bool busy_over;

/* Keeps every lock of the tap and of liburcu busy. */
static void *
keep_busy(void *tap)
{
	struct dtap_event event = taps_event(0);
	dtap_producer *producer;

	while (!atomic_load(&busy_over)) {
		taps_stats(tap);
		ck_assert_int_eq(dtap_producer_open(tap, &producer), DTAP_OK);
		dtap_submit(producer, &event);
		dtap_producer_close(&producer);
	}
	return NULL;
}

/*
 * In the child: takes those locks, and has a grace period. Allocates nothing,
 * for that the sanitizers' allocators do not allow here.
 */
static int
take_every_lock(dtap *tap)
{
	struct dtap_stats stats = DTAP_STATS_INIT;

	if (dtap_stats_get(tap, &stats) != DTAP_OK)
		return 1;
	urcu_bp_synchronize_rcu();
	return 0;
}

/* As expect_child_success(), but a child that hangs is ended. */
static void
expect_child_ends(pid_t child)
{
	int status;
	int waits = 0;

	ck_assert_int_gt(child, 0);
	while (waitpid(child, &status, WNOHANG) == 0) {
		if (++waits == 20000)
			kill(child, SIGKILL);
		usleep(1000);
	}
	ck_assert_msg(WIFEXITED(status), "the child hangs");
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}

START_TEST(a_fork_at_any_moment_leaves_no_lock_taken)
{
	enum { FORKS = 100 };
	static const char *const more[] = { "ring-bytes=64K",
					    "ring-memory-bytes=1G", NULL };
	pthread_t threads[3];
	dtap *tap;

	scratch_enter();
	tap = taps_start("file:x.fstrm", more);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, keep_busy,
						tap),
				 0);
	for (int i = 0; i < FORKS; i++) {
		pid_t child = fork();

		if (child == 0)
			_exit(take_every_lock(tap));
		expect_child_ends(child);
	}
	atomic_store(&busy_over, true);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	taps_finish(&tap, 5000);
	scratch_leave();
}
END_TEST

START_TEST(descriptors_do_not_reach_programs_that_are_executed)
{
	dtap *tap;

	scratch_enter();
	tap = taps_start("file:x.fstrm", NULL);
	while (taps_stats(tap).sessions == 0)
		usleep(1000);
	ck_assert_int_eq(system("for fd in /proc/self/fd/*; do "
				"case $(readlink $fd) in "
				"*x.fstrm*|*eventfd*|*memfd*) exit 1;; "
				"esac; done"),
			 0);
	taps_finish(&tap, 5000);
	scratch_leave();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("tap_fork");

	support_add(suite, a_child_leaves_its_parents_stream_alone);
	support_add(suite, a_tap_with_producers_is_not_the_childs);
	support_add(suite, a_tap_that_is_only_open_goes_over_into_the_child);
	support_add(suite, a_child_can_have_a_tap_of_its_own);
	support_add(suite, a_fork_at_any_moment_leaves_no_lock_taken);
	support_add(suite, descriptors_do_not_reach_programs_that_are_executed);
	return support_run(suite);
}
