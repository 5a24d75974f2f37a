/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stress_threads.c: threads that come, submit and go, ten thousand of them
 * (F28). Rings, descriptors, mappings and memory come and go with them, and
 * the ledger knows of every event.
 *
 * DTAP_STRESS_FACTOR multiplies how many threads there are.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "rig.h"
#include "support/report.h"
#include "support/sanitized.h"
#include "support/scratch.h"
#include "support/support.h"
#include "support/taps.h"

#define THREADS 10000
#define AT_A_TIME 4
#define EVENTS 3
/* Warm: rings and stacks of as many threads have been there before. */
#define WARM_THREADS 1000
/* What the C library may keep besides. */
#define GROWTH_KIB_MAX 512

struct usage {
	unsigned int descriptors;
	unsigned int tasks;
	unsigned int mappings;
	unsigned int resident_kib;
};

static void
measure(struct usage *usage)
{
	FILE *file = fopen("/proc/self/maps", "r");
	int octet;

	usage->resident_kib = rig_resident_kib();
	usage->mappings = 0;
	ck_assert_ptr_nonnull(file);
	while ((octet = getc(file)) != EOF)
		usage->mappings += octet == '\n';
	fclose(file);
	usage->descriptors = rig_count_entries("/proc/self/fd");
	usage->tasks = rig_count_entries("/proc/self/task");
}

static void *
come_and_go(void *tap)
{
	dtap_producer *producer = dtap_thread_producer(tap);

	for (uint32_t number = 0; number < EVENTS; number++) {
		struct dtap_event event = taps_event(number);

		dtap_submit(producer, &event);
	}
	return (void *)(intptr_t)gettid();
}

/* Joined, it may still be counted for a moment. */
static void
wait_until_gone(pthread_t thread)
{
	void *number;

	ck_assert_int_eq(pthread_join(thread, &number), 0);
	rig_await_gone((pid_t)(intptr_t)number);
}

static void
run_threads(dtap *tap, unsigned int threads)
{
	while (threads > 0) {
		pthread_t running[AT_A_TIME];

		for (int i = 0; i < AT_A_TIME; i++)
			ck_assert_int_eq(pthread_create(&running[i], NULL,
							come_and_go, tap), 0);
		for (int i = 0; i < AT_A_TIME; i++)
			wait_until_gone(running[i]);
		threads -= AT_A_TIME;
	}
	while (taps_stats(tap).rings > 0)
		usleep(1000);
}

START_TEST(ten_thousand_threads_leave_nothing_behind) /* F28 */
{
	static const char *const options[] = { "ring-bytes=64K", NULL };
	unsigned int threads = THREADS * support_factor();
	struct usage before, after;
	struct dtap_stats stats;
	dtap *tap;

	scratch_enter();
	tap = taps_start("file:x.fstrm", options);
	run_threads(tap, WARM_THREADS);
	measure(&before);
	run_threads(tap, threads);
	measure(&after);
	stats = taps_stats(tap);
	ck_assert_uint_eq(after.descriptors, before.descriptors);
	ck_assert_uint_eq(after.tasks, before.tasks);
	if (!SANITIZED) {
		ck_assert_uint_le(after.mappings, before.mappings + 8);
		ck_assert_uint_le(after.resident_kib,
				  before.resident_kib + GROWTH_KIB_MAX);
	}
	ck_assert_uint_eq(stats.producers, 0);
	ck_assert_uint_eq(stats.ring_bytes, 0);
	stats = taps_finish(&tap, 10000);
	ck_assert_uint_eq(stats.submitted,
			  (uint64_t)EVENTS * (threads + WARM_THREADS));
	ck_assert_uint_eq(stats.submitted,
			  stats.confirmed + stats.dropped_no_ring);
	ck_assert_uint_eq(taps_read("x.fstrm", NULL, NULL), stats.confirmed);
	scratch_leave();
	report_gate("R17", "%u threads came and went, %u -> %u KiB", threads,
		    before.resident_kib, after.resident_kib);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("stress_threads");

	support_add(suite, ten_thousand_threads_leave_nothing_behind);
	return support_run(suite);
}
