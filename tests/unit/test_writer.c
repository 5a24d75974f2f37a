/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the writer waits for between two rounds, and for how long. poll(), the
 * clock and its sleep are the test's: a wait that nothing ends takes no time
 * and moves the clock by its timeout.
 */
#include "support/writers.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>

/* The output's descriptor, which nobody opens. */
#define OUTPUT_FD 1000
#define WAITS_MAX 400

/* One call of poll(). */
struct wait {
	int fd; /* the output's */
	short events;
	int timeout_ms;
};

static struct wait waits[WAITS_MAX];
static unsigned int wait_count;
static uint64_t now_ns;
static bool real_time;
static int poll_error; /* what poll() is to fail with, unless 0 */

/* Called in each wait, with its number. */
static void (*at_wait)(struct fixture *f, unsigned int number);
static struct fixture *waiting;

int
__real_poll(struct pollfd *polled, nfds_t count, int timeout_ms);
int
__wrap_poll(struct pollfd *polled, nfds_t count, int timeout_ms);
int
__wrap_nanosleep(const struct timespec *time, struct timespec *left);
uint64_t
__real_dtap__clock_monotonic_ns(void);
uint64_t
__wrap_dtap__clock_monotonic_ns(void);

uint64_t
__wrap_dtap__clock_monotonic_ns(void)
{
	return real_time ? __real_dtap__clock_monotonic_ns() : now_ns;
}

int
__wrap_poll(struct pollfd *polled, nfds_t count, int timeout_ms)
{
	if (real_time)
		return __real_poll(polled, count, timeout_ms);
	ck_assert_uint_lt(wait_count, WAITS_MAX);
	ck_assert_uint_eq(count, 1);
	if (at_wait != NULL)
		at_wait(waiting, wait_count);
	waits[wait_count++] = (struct wait){ polled->fd, polled->events,
					     timeout_ms };
	errno = poll_error;
	if (poll_error != 0)
		return -1;
	now_ns += (uint64_t)timeout_ms * DTAP__NS_PER_MS;
	return 0;
}

/* The library's; nobody else in this program sleeps. */
int
__wrap_nanosleep(const struct timespec *time, struct timespec *left)
{
	(void)left;
	now_ns += (uint64_t)time->tv_sec * DTAP__NS_PER_SEC +
		  (uint64_t)time->tv_nsec;
	return 0;
}

static int
get_output_fd(const struct dtap__output *output)
{
	(void)output;
	return OUTPUT_FD;
}

static int
get_no_fd(const struct dtap__output *output)
{
	(void)output;
	return -1;
}

/* As fixture_init(), with a descriptor and timeouts that can be told apart. */
static void
wait_init(struct fixture *f, const struct dtap__memory_script *script)
{
	wait_count = 0;
	poll_error = 0;
	at_wait = NULL;
	waiting = f;
	fixture_init(f, script);
	now_ns = f->now_ns;
	f->ops.get_fd = get_output_fd;
	f->writer.config.connect_timeout_ms = 2000;
	f->writer.config.handshake_timeout_ms = 3000;
	f->writer.config.write_timeout_ms = 4000;
}

/* A stop that is asked for in the given wait, and has a second. */
static unsigned int stop_wait;

static void
stop_at_wait(struct fixture *f, unsigned int number)
{
	if (number == stop_wait)
		dtap__writer_request_stop(&f->writer,
					  now_ns + DTAP__NS_PER_SEC);
}

static void
run_until_wait(struct fixture *f, unsigned int number)
{
	stop_wait = number;
	at_wait = stop_at_wait;
	dtap__writer_run(&f->writer);
	ck_assert_uint_gt(wait_count, number);
}

static void
expect_wait(unsigned int number, int fd, short events, int timeout_ms)
{
	ck_assert_uint_lt(number, wait_count);
	ck_assert_int_eq(waits[number].fd, fd);
	ck_assert_int_eq(waits[number].events, events);
	ck_assert_int_eq(waits[number].timeout_ms, timeout_ms);
}

START_TEST(down_it_looks_for_requests_until_its_next_try)
{
	struct dtap__memory_script script = { .open_failures = UINT32_MAX };
	struct fixture f;
	uint64_t failures;

	wait_init(&f, &script);
	run_until_wait(&f, 60);
	for (unsigned int i = 0; i < 60; i++) {
		ck_assert_int_eq(waits[i].fd, -1);
		ck_assert_int_ge(waits[i].timeout_ms, 1);
		ck_assert_int_le(waits[i].timeout_ms, 10);
	}
	/* At 0, 50, 150 and 350 ms, each delay a quarter more or less; then
	 * perhaps one more, and the last one for the stop. */
	failures = dtap__load_relaxed(&f.writer.ledger.open_failures);
	ck_assert_uint_ge(failures, 4);
	ck_assert_uint_le(failures, 6);
	fixture_fini(&f);
}
END_TEST

START_TEST(connecting_it_waits_until_it_can_write)
{
	struct dtap__memory_script script = { .open_agains = 2 };
	struct fixture f;

	wait_init(&f, &script);
	run_until_wait(&f, 1);
	expect_wait(0, OUTPUT_FD, POLLOUT, 10);
	fixture_fini(&f);
}
END_TEST

START_TEST(shaking_hands_it_waits_for_the_answer)
{
	struct dtap__memory_script script = { .readable = true };
	struct fixture f;

	wait_init(&f, &script);
	run_until_wait(&f, 1);
	expect_wait(0, OUTPUT_FD, POLLIN, 10);
	fixture_fini(&f);

	script.again_every = 1;
	wait_init(&f, &script);
	run_until_wait(&f, 1);
	expect_wait(0, OUTPUT_FD, POLLIN | POLLOUT, 10);
	fixture_fini(&f);
}
END_TEST

static void
put_frame_at_5(struct fixture *f, unsigned int number)
{
	if (number == 5)
		put_frame(f);
	stop_at_wait(f, number);
}

START_TEST(idle_it_looks_again_after_longer_and_longer_rests)
{
	static const int rests_ms[] = { 3, 7, 10, 10, 10, 10, 1, 3 };
	struct dtap__memory_script script = { 0 };
	struct fixture f;

	wait_init(&f, &script);
	stop_wait = 8;
	at_wait = put_frame_at_5;
	dtap__writer_run(&f.writer);
	for (unsigned int i = 0; i < 8; i++)
		expect_wait(i, -1, 0, rests_ms[i]);
	ck_assert_uint_eq(written(&f), 1);
	fixture_fini(&f);
}
END_TEST

START_TEST(frames_flow_and_the_peer_is_still_listened_to)
{
	uint8_t accept[DTAP__CONTROL_WRITTEN_MAX];
	struct dtap__memory_reply reply = { 1, accept, 0 };
	struct dtap__memory_script script = {
		.readable = true,
		.replies = &reply,
		.reply_count = 1,
	};
	struct fixture f;

	reply.bytes = dtap__control_write(accept, DTAP__CONTROL_ACCEPT);
	wait_init(&f, &script);
	run_until_wait(&f, 1);
	expect_wait(0, OUTPUT_FD, POLLIN, 3);
	fixture_fini(&f);
}
END_TEST

START_TEST(a_full_output_is_waited_for_until_it_counts_as_broken)
{
	/* Writes 1 and 2 are START and a frame; there is room no more. */
	struct dtap__memory_script script = { .again_every = 3 };
	struct fixture f;

	wait_init(&f, &script);
	put_frame(&f);
	at_wait = put_frame_at_5;
	stop_wait = 7;
	dtap__writer_run(&f.writer);
	ck_assert_int_eq(waits[5].fd, -1);
	expect_wait(6, OUTPUT_FD, POLLOUT, 10);
	ck_assert_uint_eq(written(&f), 2);
	fixture_fini(&f);
}
END_TEST

START_TEST(an_output_without_a_descriptor_is_always_ready)
{
	struct dtap__memory_script script = { .again_every = 2 };
	struct fixture f;

	wait_init(&f, &script);
	f.ops.get_fd = get_no_fd;
	for (int i = 0; i < 10; i++)
		put_frame(&f);
	dtap__writer_request_stop(&f.writer, now_ns + DTAP__NS_PER_SEC);
	dtap__writer_run(&f.writer);
	ck_assert(f.writer.complete);
	ck_assert_uint_eq(written(&f), 10);
	ck_assert_uint_eq(wait_count, 0);
	fixture_fini(&f);
}
END_TEST

START_TEST(no_wait_is_longer_than_a_stop_allows)
{
	static const struct dtap__memory_script scripts[] = {
		{ .open_agains = UINT32_MAX },
		{ .readable = true },
		{ .again_every = 1 },
	};

	for (size_t i = 0; i < DTAP__COUNT_OF(scripts); i++) {
		struct fixture f;

		wait_init(&f, &scripts[i]);
		put_frame(&f);
		dtap__writer_request_stop(&f.writer,
					  now_ns + 20 * DTAP__NS_PER_MS);
		dtap__writer_run(&f.writer);
		ck_assert(!f.writer.complete);
		ck_assert_uint_eq(now_ns, DTAP__NS_PER_SEC +
						  20 * DTAP__NS_PER_MS);
		fixture_fini(&f);
	}
}
END_TEST

/* Under a limit of no descriptors at all poll() fails, and at once. */
START_TEST(a_refused_poll_is_slept_through)
{
	static const int errors[] = { EINVAL, ENOMEM, EPERM };
	struct dtap__memory_script script = { .open_failures = UINT32_MAX };

	for (size_t i = 0; i < DTAP__COUNT_OF(errors); i++) {
		uint64_t start_ns;
		uint64_t waited_ms = 0;
		struct fixture f;

		wait_init(&f, &script);
		poll_error = errors[i];
		start_ns = now_ns;
		run_until_wait(&f, 20);
		for (unsigned int wait = 0; wait < wait_count; wait++)
			waited_ms += (uint64_t)waits[wait].timeout_ms;
		ck_assert_uint_ge(waited_ms, 20);
		ck_assert_uint_eq(now_ns - start_ns,
				  waited_ms * DTAP__NS_PER_MS);
		fixture_fini(&f);
	}
}
END_TEST

/* What interrupts it may be a reason to look. */
START_TEST(an_interrupted_poll_is_a_wait_that_has_ended)
{
	struct dtap__memory_script script = { 0 };
	struct fixture f;
	uint64_t start_ns;

	wait_init(&f, &script);
	poll_error = EINTR;
	start_ns = now_ns;
	run_until_wait(&f, 5);
	ck_assert_uint_eq(now_ns, start_ns);
	fixture_fini(&f);
}
END_TEST

static void
reopen_at_2(struct fixture *f, unsigned int number)
{
	if (number == 2)
		dtap__writer_request_reopen(&f->writer);
	stop_at_wait(f, number);
}

START_TEST(a_request_is_noticed_once_and_in_the_next_round)
{
	struct dtap__memory_script script = { 0 };
	struct fixture f;

	wait_init(&f, &script);
	stop_wait = 6;
	at_wait = reopen_at_2;
	dtap__writer_run(&f.writer);
	ck_assert_uint_eq(wait_count, 7);
	ck_assert_uint_eq(dtap__output_memory_sessions(f.output), 2);
	ck_assert(f.writer.complete);
	fixture_fini(&f);
}
END_TEST

static void *
run_writer(void *writer)
{
	dtap__writer_run(writer);
	return NULL;
}

START_TEST(a_thread_of_its_own_takes_what_there_is_and_ends)
{
	struct dtap__memory_script script = { 0 };
	pthread_t thread;
	struct fixture f;

	wait_init(&f, &script);
	real_time = true;
	ck_assert_int_eq(pthread_create(&thread, NULL, run_writer, &f.writer),
			 0);
	for (int i = 0; i < 1000; i++)
		put_frame(&f);
	while (written(&f) == 0)
		sched_yield();
	dtap__writer_request_reopen(&f.writer);
	dtap__writer_request_stop(&f.writer,
				  __real_dtap__clock_monotonic_ns() +
					  60 * DTAP__NS_PER_SEC);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert(f.writer.complete);
	ck_assert_uint_eq(written(&f), 1000);
	fixture_fini(&f);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("writer");

	support_add(suite, down_it_looks_for_requests_until_its_next_try);
	support_add(suite, connecting_it_waits_until_it_can_write);
	support_add(suite, shaking_hands_it_waits_for_the_answer);
	support_add(suite, idle_it_looks_again_after_longer_and_longer_rests);
	support_add(suite, frames_flow_and_the_peer_is_still_listened_to);
	support_add(suite,
		    a_full_output_is_waited_for_until_it_counts_as_broken);
	support_add(suite, an_output_without_a_descriptor_is_always_ready);
	support_add(suite, no_wait_is_longer_than_a_stop_allows);
	support_add(suite, a_refused_poll_is_slept_through);
	support_add(suite, an_interrupted_poll_is_a_wait_that_has_ended);
	support_add(suite, a_request_is_noticed_once_and_in_the_next_round);
	support_add(suite, a_thread_of_its_own_takes_what_there_is_and_ends);
	return support_run(suite);
}
