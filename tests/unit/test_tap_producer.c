/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Producers come and go, and learn of changes while they submit.
 */
#include <dnstap/dtap.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/report.h"
#include "support/scratch.h"
#include "support/support.h"
#include "support/taps.h"

static const char *const small_ring[] = { "ring-bytes=64K", NULL };

static void *
submit_once(void *tap)
{
	struct dtap_event event = taps_event(0);
	dtap_producer *producer = dtap_thread_producer(tap);

	ck_assert_ptr_nonnull(producer);
	ck_assert_ptr_eq(producer, dtap_thread_producer(tap));
	ck_assert_int_eq(dtap_submit(producer, &event), DTAP_OK);
	return NULL;
}

START_TEST(threads_that_come_and_go_leave_nothing_behind)
{
	enum { CYCLES = 1000, AT_ONCE = 4 };
	struct dtap_stats stats;
	dtap *tap;

	scratch_enter();
	tap = taps_start("file:x.fstrm", small_ring);
	for (int i = 0; i < CYCLES / AT_ONCE; i++) {
		pthread_t threads[AT_ONCE];

		for (int t = 0; t < AT_ONCE; t++)
			ck_assert_int_eq(pthread_create(&threads[t], NULL,
							submit_once, tap),
					 0);
		for (int t = 0; t < AT_ONCE; t++)
			pthread_join(threads[t], NULL);
	}
	ck_assert_uint_eq(taps_stats(tap).producers, 0);
	while (taps_stats(tap).rings > 0)
		usleep(1000);
	stats = taps_finish(&tap, 5000);
	ck_assert_uint_eq(stats.written, CYCLES);
	ck_assert_uint_eq(stats.dropped_no_ring, 0);
	ck_assert_uint_eq(taps_read("x.fstrm", NULL, NULL), CYCLES);
	scratch_leave();
}
END_TEST

START_TEST(empty_rings_go_while_the_output_is_down)
{
	dtap_producer *producer;
	int waits = 0;
	dtap *tap;

	scratch_enter();
	tap = taps_start("unix:missing/x.sock", small_ring);
	while (taps_stats(tap).open_failures == 0)
		usleep(1000);
	for (int i = 0; i < 10; i++) {
		ck_assert_int_eq(dtap_producer_open(tap, &producer), DTAP_OK);
		dtap_producer_close(&producer);
	}
	while (taps_stats(tap).rings > 0) {
		ck_assert_int_lt(waits++, 30000);
		usleep(1000);
	}
	dtap_close(&tap);
	scratch_leave();
}
END_TEST

START_TEST(a_thread_is_refused_when_the_tap_has_stopped)
{
	struct dtap_stats stats;
	dtap *tap;

	scratch_enter();
	tap = taps_start("file:x.fstrm", NULL);
	submit_once(tap);
	ck_assert_int_eq(dtap_stop(tap, 5000), DTAP_OK);
	/* The one that the thread has already is handed out still. */
	ck_assert_ptr_nonnull(dtap_thread_producer(tap));
	ck_assert_ptr_null(dtap_thread_producer(NULL));
	stats = taps_finish(&tap, 0);
	ck_assert_uint_eq(stats.submitted, 1);

	tap = taps_start("file:y.fstrm", NULL);
	ck_assert_int_eq(dtap_stop(tap, 5000), DTAP_OK);
	ck_assert_ptr_null(dtap_thread_producer(tap));
	/* However often it asks, no ring is made for it. */
	ck_assert_uint_eq(taps_stats(tap).rings, 0);
	stats = taps_finish(&tap, 0);
	ck_assert_uint_eq(stats.dropped_stopped, 1);
	scratch_leave();
}
END_TEST

struct swarm {
	dtap *tap;
	atomic_bool end;
	atomic_uint_fast64_t submitted;
};

/* Submits through a producer of its own until told to end. */
static void *
submit_until_end(void *context)
{
	struct swarm *swarm = context;
	dtap_producer *producer;
	uint64_t count = 0;

	/* A thread may come so late that the tap has stopped already. */
	if (dtap_producer_open(swarm->tap, &producer) != DTAP_OK)
		return NULL;
	while (!atomic_load(&swarm->end)) {
		struct dtap_event event = taps_event((uint32_t)count++);

		dtap_submit(producer, &event);
		if (count % 64 == 0)
			usleep(50);
	}
	dtap_producer_close(&producer);
	atomic_fetch_add(&swarm->submitted, count);
	return NULL;
}

static void
swarm_run(struct swarm *swarm, pthread_t *threads, int count)
{
	for (int i = 0; i < count; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL,
						submit_until_end, swarm),
				 0);
}

static void
swarm_end(struct swarm *swarm, pthread_t *threads, int count)
{
	atomic_store(&swarm->end, true);
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
}

/* Each frame names the identity and the version of one configuration. */
static void
expect_pair(const struct dtap_message *message, void *context)
{
	unsigned int *seen = context;
	char identity[32];
	char version[32];
	unsigned int number;

	ck_assert_uint_lt(message->identity.bytes, sizeof(identity));
	ck_assert_uint_lt(message->version.bytes, sizeof(version));
	memcpy(identity, message->identity.data, message->identity.bytes);
	identity[message->identity.bytes] = '\0';
	memcpy(version, message->version.data, message->version.bytes);
	version[message->version.bytes] = '\0';
	ck_assert_int_eq(sscanf(identity, "identity-%u", &number), 1);
	ck_assert_str_eq(strchr(identity, '-'), strchr(version, '-'));
	if (number > *seen)
		*seen = number;
}

static void
reconfigure(dtap *tap, unsigned int number)
{
	dtap_options *options = dtap_options_new();
	char text[32];

	dtap_options_set(options, "output", "file:x.fstrm");
	snprintf(text, sizeof(text), "identity-%u", number);
	dtap_options_set(options, "identity", text);
	snprintf(text, sizeof(text), "version-%u", number);
	dtap_options_set(options, "version", text);
	ck_assert_msg(dtap_reconfigure(tap, options) == DTAP_OK, "%s",
		      dtap_options_error(options));
	dtap_options_free(&options);
}

#define RECONFIGURATIONS 1000

START_TEST(reconfiguration_under_load_never_mixes_two)
{
	static const char *const more[] = { "identity=identity-0",
					    "version=version-0", NULL };
	struct swarm swarm = { 0 };
	pthread_t threads[3];
	struct dtap_stats stats;
	unsigned int seen = 0;

	scratch_enter();
	swarm.tap = taps_start("file:x.fstrm", more);
	swarm_run(&swarm, threads, 3);
	for (unsigned int i = 1; i <= RECONFIGURATIONS; i++) {
		reconfigure(swarm.tap, i);
		usleep(200);
	}
	swarm_end(&swarm, threads, 3);
	stats = taps_finish(&swarm.tap, 5000);
	ck_assert_uint_eq(stats.submitted, swarm.submitted);
	ck_assert_uint_eq(taps_read("x.fstrm", expect_pair, &seen),
			  stats.written);
	ck_assert_uint_ge(seen, 2);
	report_gate("R16", "%d reconfigurations under load, none mixed",
		    RECONFIGURATIONS);
	scratch_leave();
}
END_TEST

START_TEST(only_live_options_can_change)
{
	dtap_options *options = dtap_options_new();
	struct dtap_event event = taps_event(0);
	dtap_producer *producer;
	dtap *tap;

	scratch_enter();
	tap = taps_start("file:x.fstrm", NULL);
	ck_assert_int_eq(dtap_producer_open(tap, &producer), DTAP_OK);
	dtap_options_set(options, "output", "file:other.fstrm");
	ck_assert_int_eq(dtap_reconfigure(tap, options), DTAP_E_CONFLICT);
	ck_assert_ptr_nonnull(strstr(dtap_options_error(options), "output"));
	dtap_options_set(options, "output", "file:x.fstrm");
	dtap_options_set(options, "reconnect-min-ms", "60000");
	ck_assert_int_eq(dtap_reconfigure(tap, options), DTAP_E_CONFLICT);
	ck_assert_ptr_nonnull(strstr(dtap_options_error(options),
				     "reconnect-max-ms"));
	dtap_options_set(options, "reconnect-min-ms", "50");
	dtap_options_set(options, "types", "none");
	ck_assert_int_eq(dtap_reconfigure(tap, options), DTAP_OK);
	/* The first call after a change looks at it, and then at the event. */
	ck_assert_int_eq(dtap_submit(producer, NULL), DTAP_E_INVALID);
	ck_assert(!dtap_wants(producer, DTAP_CLIENT_QUERY));
	ck_assert_int_eq(dtap_submit(producer, &event), DTAP_FILTERED);
	ck_assert_int_eq(dtap_reconfigure(NULL, options), DTAP_E_INVALID);
	ck_assert_int_eq(dtap_reconfigure(tap, NULL), DTAP_E_INVALID);
	dtap_producer_close(&producer);
	ck_assert_int_eq(dtap_stop(tap, 5000), DTAP_OK);
	ck_assert_int_eq(dtap_reconfigure(tap, options), DTAP_E_STATE);
	taps_finish(&tap, 0);
	dtap_options_free(&options);
	scratch_leave();
}
END_TEST

START_TEST(a_stop_under_load_accounts_for_every_event)
{
	scratch_enter();
	for (int round = 0; round < 20; round++) {
		struct swarm swarm = { 0 };
		pthread_t threads[3];
		struct dtap_stats stats;

		swarm.tap = taps_start("file:x.fstrm", small_ring);
		swarm_run(&swarm, threads, 3);
		usleep(5000);
		dtap_stop(swarm.tap, 5000);
		usleep(1000);
		swarm_end(&swarm, threads, 3);
		stats = taps_finish(&swarm.tap, 0);
		ck_assert_uint_eq(stats.submitted, swarm.submitted);
		ck_assert_uint_eq(taps_read("x.fstrm", NULL, NULL),
				  stats.written);
	}
	scratch_leave();
}
END_TEST

/* Called once by the next read-side section of this thread, before it. */
static _Thread_local void (*before_reading)(void);
static dtap *stopped_while_reading;

void __real_urcu_bp_read_lock(void);
void __wrap_urcu_bp_read_lock(void);

void
__wrap_urcu_bp_read_lock(void)
{
	void (*before)(void) = before_reading;

	before_reading = NULL;
	if (before != NULL)
		before();
	__real_urcu_bp_read_lock();
}

static void
stop_the_tap(void)
{
	ck_assert_int_eq(dtap_stop(stopped_while_reading, 5000), DTAP_OK);
}

START_TEST(a_stop_amid_a_reconfiguration_is_noticed)
{
	struct dtap_event event = taps_event(0);
	dtap_producer *producer;
	struct dtap_stats stats;
	dtap *tap;

	scratch_enter();
	tap = taps_start("file:x.fstrm", NULL);
	ck_assert_int_eq(dtap_producer_open(tap, &producer), DTAP_OK);
	reconfigure(tap, 1);
	stopped_while_reading = tap;
	before_reading = stop_the_tap;
	/* In time or too late, that is open; the next one is too late. */
	dtap_submit(producer, &event);
	ck_assert_ptr_null(before_reading);
	ck_assert_int_eq(dtap_submit(producer, &event), DTAP_E_STOPPED);
	dtap_producer_close(&producer);
	stats = taps_finish(&tap, 0);
	ck_assert_uint_ge(stats.dropped_stopped, 1);
	scratch_leave();
}
END_TEST

START_TEST(producers_may_close_after_the_tap)
{
	struct swarm swarm = { 0 };
	pthread_t threads[3];

	scratch_enter();
	swarm.tap = taps_start("file:x.fstrm", NULL);
	swarm_run(&swarm, threads, 3);
	while (taps_stats(swarm.tap).producers < 3)
		usleep(100);
	dtap_close(&swarm.tap);
	usleep(2000);
	swarm_end(&swarm, threads, 3);
	taps_read("x.fstrm", NULL, NULL);
	scratch_leave();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("tap_producer");

	support_add(suite, threads_that_come_and_go_leave_nothing_behind);
	support_add(suite, empty_rings_go_while_the_output_is_down);
	support_add(suite, a_thread_is_refused_when_the_tap_has_stopped);
	support_add(suite, reconfiguration_under_load_never_mixes_two);
	support_add(suite, only_live_options_can_change);
	support_add(suite, a_stop_under_load_accounts_for_every_event);
	support_add(suite, a_stop_amid_a_reconfiguration_is_noticed);
	support_add(suite, producers_may_close_after_the_tap);
	return support_run(suite);
}
