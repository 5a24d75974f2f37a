/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tap and the threads of its host:
 *
 *   F27 threads are cancelled, the writer's too      F40 memory does not grow
 *   F29 there are a thousand of them                 F44 buffers are reused
 */
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rig.h"
#include "support/outputs.h"
#include "support/report.h"
#include "support/sanitized.h"
#include "support/scratch.h"
#include "support/support.h"
#include "support/taps.h"
#include "tap.h"

/* A thread that submits numbered events through another's producer. */
struct victim {
	dtap_producer *producer;
	dtap__atomic(uint32_t) next;
	int cancel_type;
};

static void *
submit_until_cancelled(void *argument)
{
	struct victim *victim = argument;

	pthread_setcanceltype(victim->cancel_type, NULL);
	for (;;) {
		uint32_t number = dtap__load_relaxed(&victim->next);
		struct dtap_event event = taps_event(number);

		/* Taken before it is used: none is used twice. */
		dtap__store_relaxed(&victim->next, number + 1);
		dtap_submit(victim->producer, &event);
		if (victim->cancel_type == PTHREAD_CANCEL_DEFERRED)
			pthread_testcancel();
	}
	return NULL;
}

static void
expect_growing(const struct dtap_message *message, void *context)
{
	int64_t *last = context;
	int64_t number = taps_number(&message->event);

	ck_assert_int_gt(number, *last);
	*last = number;
}

#define CANCELS 200

/* Cancelled amid an event, a thread leaves a ring that the next can use. */
START_TEST(threads_that_are_cancelled) /* F27 */
{
	static const int types[] = { PTHREAD_CANCEL_DEFERRED,
				     PTHREAD_CANCEL_ASYNCHRONOUS };
	struct victim victim = { .cancel_type = types[_i] };
	uint64_t cuts_max = _i == 0 ? 0 : CANCELS;
	struct dtap_stats stats;
	int64_t last = -1;
	uint64_t frames;
	dtap *tap;

	scratch_enter();
	tap = taps_start("file:x", NULL);
	ck_assert_int_eq(dtap_producer_open(tap, &victim.producer), DTAP_OK);
	for (int i = 0; i < CANCELS; i++) {
		uint32_t before = dtap__load_relaxed(&victim.next);
		pthread_t thread;

		ck_assert_int_eq(pthread_create(&thread, NULL,
						submit_until_cancelled,
						&victim), 0);
		while (dtap__load_relaxed(&victim.next) <= before + 9)
			sched_yield();
		ck_assert_int_eq(pthread_cancel(thread), 0);
		ck_assert_int_eq(pthread_join(thread, NULL), 0);
	}
	ck_assert_int_eq(dtap_stop(tap, 10000), DTAP_OK);
	stats = taps_stats(tap);
	/* An event that was cut off has no fate, or never comes. */
	ck_assert_uint_le(stats.submitted - stats.accepted -
			  stats.dropped_full, cuts_max);
	ck_assert_uint_le(stats.in_ring, cuts_max);
	ck_assert_uint_eq(stats.written, stats.accepted - stats.in_ring);
	dtap_producer_close(&victim.producer);
	dtap_close(&tap);
	frames = taps_read("x", expect_growing, &last);
	ck_assert_uint_eq(frames, stats.written);
	scratch_leave();
	if (_i == 1)
		report_fault("F27", "any", "%d cancellations, %" PRIu64
			     " whole frames", CANCELS, frames);
}
END_TEST

START_TEST(a_writer_that_is_cancelled) /* F27 */
{
	struct dtap_event event = taps_event(1);
	dtap_producer *producer;
	dtap *tap;

	scratch_enter();
	tap = taps_start("file:x", NULL);
	rig_until(rig_writer() != 0);
	ck_assert_int_eq(pthread_cancel(tap->thread), 0);
	ck_assert_int_eq(dtap_producer_open(tap, &producer), DTAP_OK);
	ck_assert_int_eq(dtap_submit(producer, &event), DTAP_OK);
	rig_until(taps_stats(tap).written == 1);
	dtap_producer_close(&producer);
	rig_finish(&tap, 5000, NULL);
	ck_assert_uint_eq(taps_read("x", NULL, NULL), 1);
	scratch_leave();
}
END_TEST

#define CROWD 1024
#define CROWD_EVENTS 20
/* Room for three quarters of them. */
#define CROWD_RINGS 768

struct crowd {
	dtap *tap;
	pthread_barrier_t barrier;
	dtap__atomic(unsigned int) next; /* the next thread's number */
};

struct crowd_member {
	struct crowd *crowd;
	pthread_t thread;
	uint32_t number;
	unsigned int taken, refused;
};

static void *
crowd_main(void *argument)
{
	struct crowd_member *member = argument;
	dtap_producer *producer = dtap_thread_producer(member->crowd->tap);

	/* All have their rings at the same time. */
	pthread_barrier_wait(&member->crowd->barrier);
	for (uint32_t i = 0; i < CROWD_EVENTS; i++) {
		struct dtap_event event =
			taps_event(member->number * CROWD_EVENTS + i);
		enum dtap_result result = dtap_submit(producer, &event);

		member->taken += result == DTAP_OK;
		member->refused += result == DTAP_E_NO_RING;
	}
	return NULL;
}

static void
mark_seen(const struct dtap_message *message, void *context)
{
	uint8_t *seen = context;

	ck_assert_uint_lt(taps_number(&message->event), CROWD * CROWD_EVENTS);
	seen[taps_number(&message->event)]++;
}

/* All of a thread's events arrive once, or it was refused all of them. */
static unsigned int
count_served(const struct crowd_member *members, const uint8_t *seen)
{
	unsigned int served = 0;

	for (unsigned int i = 0; i < CROWD; i++) {
		unsigned int arrived = members[i].taken / CROWD_EVENTS;

		ck_assert_uint_eq(members[i].taken + members[i].refused,
				  CROWD_EVENTS);
		ck_assert_uint_eq(members[i].taken % CROWD_EVENTS, 0);
		for (unsigned int k = 0; k < CROWD_EVENTS; k++)
			ck_assert_uint_eq(seen[i * CROWD_EVENTS + k], arrived);
		served += arrived;
	}
	return served;
}

START_TEST(a_thousand_threads) /* F29 */
{
	static const char *const options[] = { "ring-bytes=64K",
					       "ring-memory-bytes=48M", NULL };
	static struct crowd_member members[CROWD];
	static uint8_t seen[CROWD * CROWD_EVENTS];
	struct dtap_stats stats;
	struct crowd crowd;
	pthread_attr_t small;

	scratch_enter();
	crowd.tap = taps_start("file:x", options);
	ck_assert_int_eq(pthread_barrier_init(&crowd.barrier, NULL, CROWD), 0);
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 256 * 1024);
	for (unsigned int i = 0; i < CROWD; i++) {
		members[i].crowd = &crowd;
		members[i].number = i;
		ck_assert_int_eq(pthread_create(&members[i].thread, &small,
						crowd_main, &members[i]), 0);
	}
	for (unsigned int i = 0; i < CROWD; i++)
		ck_assert_int_eq(pthread_join(members[i].thread, NULL), 0);
	pthread_attr_destroy(&small);
	stats = rig_finish(&crowd.tap, 20000, NULL);
	taps_read("x", mark_seen, seen);
	ck_assert_uint_eq(count_served(members, seen), CROWD_RINGS);
	ck_assert_uint_eq(stats.written, CROWD_RINGS * CROWD_EVENTS);
	ck_assert_uint_eq(stats.dropped_no_ring,
			  (CROWD - CROWD_RINGS) * CROWD_EVENTS);
	scratch_leave();
	report_fault("F29", "any", "%d threads, %d of them over the limit",
		     CROWD, CROWD - CROWD_RINGS);
}
END_TEST

/*
 * Counted page by page; what statm(5) tells may be off by a few dozen. Pages
 * of programs come and go as the system likes.
 */
static unsigned int
own_kib(void)
{
	FILE *file = fopen("/proc/self/smaps_rollup", "r");
	unsigned int kib = 0;
	char line[256];

	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file) != NULL &&
	       sscanf(line, "Anonymous: %u", &kib) != 1)
		continue;
	fclose(file);
	ck_assert_uint_gt(kib, 0);
	return kib;
}

static void
submit_in_bursts(dtap_producer *producer, uint32_t events)
{
	for (uint32_t i = 0; i < events; i++) {
		struct dtap_event event = taps_event(i);

		/* Overload and rest in turn. */
		if (i % 100000 == 0)
			rig_nap_ms(5);
		dtap_submit(producer, &event);
	}
}

#define MANY_EVENTS 10000000
#define GROWTH_KIB_MAX 64

/* Reads one connection to its end and keeps nothing. */
static void *
read_all(void *listener)
{
	int fd = accept(*(int *)listener, NULL, NULL);
	static char octets[65536];

	ck_assert_int_ge(fd, 0);
	while (read(fd, octets, sizeof(octets)) > 0)
		continue;
	close(fd);
	return NULL;
}

START_TEST(ten_million_events_need_no_more_memory) /* F40 */
{
	static const char *const options[] = { "bidirectional=no", NULL };
	int listener;
	pthread_t reader;
	unsigned int before_kib, after_kib;
	dtap_producer *producer;
	struct dtap_stats stats;
	dtap *tap;

	scratch_enter();
	listener = outputs_listen_unix("sock", 1);
	ck_assert_int_eq(pthread_create(&reader, NULL, read_all, &listener),
			 0);
	tap = taps_start("unix:sock", options);
	ck_assert_int_eq(dtap_producer_open(tap, &producer), DTAP_OK);
	submit_in_bursts(producer, MANY_EVENTS / 20);
	before_kib = own_kib();
	submit_in_bursts(producer, MANY_EVENTS);
	after_kib = own_kib();
	stats = rig_finish(&tap, 20000, NULL);
	dtap_producer_close(&producer);
	if (!SANITIZED)
		ck_assert_uint_le(after_kib, before_kib + GROWTH_KIB_MAX);
	ck_assert_uint_eq(stats.submitted, MANY_EVENTS + MANY_EVENTS / 20);
	ck_assert_uint_ge(stats.written, MANY_EVENTS / 100);
	ck_assert_int_eq(pthread_join(reader, NULL), 0);
	close(listener);
	scratch_leave();
	report_gate("R17", "%u KiB more after %d events",
		    after_kib > before_kib ? after_kib - before_kib : 0,
		    MANY_EVENTS);
	report_fault("F40", "any", "%d events, %" PRIu64 " of them written, "
		     "%u -> %u KiB", MANY_EVENTS, stats.written, before_kib,
		     after_kib);
}
END_TEST

/* A copy on pages of its own, which can be taken away. */
static void *
borrow(const void *octets, size_t bytes)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(page, MAP_FAILED);
	ck_assert_uint_le(bytes, 4096);
	memcpy(page, octets, bytes);
	return page;
}

static void
expect_intact(const struct dtap_message *message, void *context)
{
	const struct dtap_event *event = &message->event;

	(void)context;
	ck_assert_uint_eq(event->query_message_bytes, 13);
	ck_assert_mem_eq(event->query_message, "query message", 13);
	ck_assert_uint_eq(event->response_message_bytes, 16);
	ck_assert_mem_eq(event->response_message, "response message", 16);
	ck_assert_uint_eq(event->query_zone_bytes, 5);
	ck_assert_mem_eq(event->query_zone, "\3one", 5);
}

START_TEST(buffers_that_are_gone_when_submit_returns) /* F44 */
{
	dtap_producer *producer;
	dtap *tap;

	scratch_enter();
	/* Not yet started: all that is read later comes from the ring. */
	tap = taps_open("file:x", NULL);
	ck_assert_int_eq(dtap_producer_open(tap, &producer), DTAP_OK);
	for (uint32_t i = 0; i < 100; i++) {
		struct dtap_event made = taps_event(i), *event;
		void *query = borrow("query message", 13);
		void *response = borrow("response message", 16);
		void *zone = borrow("\3one", 5);

		made.type = DTAP_AUTH_RESPONSE;
		made.query_message = query;
		made.query_message_bytes = 13;
		made.response_message = response;
		made.response_message_bytes = 16;
		made.query_zone = zone;
		made.query_zone_bytes = 5;
		event = borrow(&made, sizeof(made));
		ck_assert_int_eq(dtap_submit(producer, event), DTAP_OK);
		munmap(event, 4096);
		munmap(zone, 4096);
		munmap(response, 4096);
		munmap(query, 4096);
	}
	ck_assert_int_eq(dtap_start(tap), DTAP_OK);
	rig_finish(&tap, 5000, NULL);
	dtap_producer_close(&producer);
	ck_assert_uint_eq(taps_read("x", expect_intact, NULL), 100);
	scratch_leave();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("fault_threads");
	TCase *tests = tcase_create("threads");

	rig_init();
	tcase_set_timeout(tests, 120);
	/* ThreadSanitizer is lost when a thread ends anywhere. */
	tcase_add_loop_test(tests, threads_that_are_cancelled, 0,
			    SANITIZED ? 1 : 2);
	tcase_add_test(tests, a_writer_that_is_cancelled);
	tcase_add_test(tests, a_thousand_threads);
	tcase_add_test(tests, ten_million_events_need_no_more_memory);
	tcase_add_test(tests, buffers_that_are_gone_when_submit_returns);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
