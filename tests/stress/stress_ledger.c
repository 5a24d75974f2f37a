/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stress_ledger.c: a snapshot of the ledger is sound at every instant.
 *
 * A signal halts a producer at whatever instruction it stands, for longer
 * than the writer needs to take what has been published. Then the ledger is
 * read: nothing may have been written that was not accepted.
 */
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "support/output_gate.h"
#include "support/support.h"
#include "support/taps.h"

#define SNAPSHOTS 200
#define HALT_MS 8
#define LOOK_AFTER_MS 6

static dtap__atomic(bool) stress_over;

static void
rest_ms(long ms)
{
	struct timespec time = { 0, ms * 1000000 };

	nanosleep(&time, NULL);
}

static void
halt(int number)
{
	(void)number;
	rest_ms(HALT_MS);
}

static void *
produce(void *tap)
{
	struct dtap_event event = taps_event(0);
	dtap_producer *producer;

	if (dtap_producer_open(tap, &producer) != DTAP_OK)
		return NULL;
	while (!dtap__load_relaxed(&stress_over))
		dtap_submit(producer, &event);
	dtap_producer_close(&producer);
	return NULL;
}

static void
look_again_and_again(dtap *tap, pthread_t producer, unsigned long snapshots)
{
	for (unsigned long i = 0; i < snapshots; i++) {
		struct dtap_stats stats;

		pthread_kill(producer, SIGUSR1);
		rest_ms(LOOK_AFTER_MS);
		stats = taps_stats(tap);
		ck_assert_uint_le(stats.in_ring, stats.accepted);
		ck_assert_uint_le(stats.unconfirmed, stats.written);
		rest_ms(HALT_MS - LOOK_AFTER_MS + 1);
	}
}

START_TEST(nothing_is_written_that_was_not_accepted)
{
	struct sigaction action = { .sa_handler = halt };
	dtap_options *options = dtap_options_new();
	unsigned long snapshots = SNAPSHOTS * support_factor();
	struct output_gate gate;
	pthread_t producer;
	dtap *tap;

	sigaction(SIGUSR1, &action, NULL);
	dtap_options_set(options, "latency-ms", "1");
	dtap_options_set(options, "ring-bytes", "64M");
	tap = output_gate_start(&gate, false, options);
	dtap_options_free(&options);
	ck_assert_int_eq(pthread_create(&producer, NULL, produce, tap), 0);
	look_again_and_again(tap, producer, snapshots);
	dtap__store_relaxed(&stress_over, true);
	pthread_join(producer, NULL);
	ck_assert_uint_gt(taps_finish(&tap, 5000).written, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("stress_ledger");

	support_add(suite, nothing_is_written_that_was_not_accepted);
	return support_run(suite);
}
