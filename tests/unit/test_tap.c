/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a tap, on real files and sockets. The reader of the stream is
 * our own; others read the same files in tests/interop.
 */
#include <dnstap/dtap.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/output_gate.h"
#include "support/scratch.h"
#include "support/support.h"
#include "support/taps.h"

START_TEST(open_checks_and_opens_nothing)
{
	dtap_options *options = dtap_options_new();
	dtap *tap = (dtap *)(uintptr_t)1;

	scratch_enter();
	ck_assert_int_eq(dtap_open(NULL, &tap), DTAP_E_INVALID);
	ck_assert_ptr_null(tap);
	ck_assert_int_eq(dtap_open(options, NULL), DTAP_E_INVALID);
	ck_assert_int_eq(dtap_open(options, &tap), DTAP_E_CONFLICT);
	ck_assert_ptr_nonnull(strstr(dtap_options_error(options), "output"));
	dtap_options_set(options, "output", "file:x.fstrm");
	ck_assert_int_eq(dtap_open(options, &tap), DTAP_OK);
	dtap_options_free(&options);
	ck_assert_ptr_null(options);
	ck_assert(!scratch_exists("x.fstrm"));
	dtap_close(&tap);
	dtap_close(&tap);
	dtap_close(NULL);
	ck_assert(!scratch_exists("x.fstrm"));
	scratch_leave();
}
END_TEST

START_TEST(calls_that_do_not_fit_the_state_are_refused)
{
	dtap_producer *producer;
	dtap *tap;

	scratch_enter();
	tap = taps_open("file:x.fstrm", NULL);
	ck_assert_int_eq(dtap_stop(tap, 10), DTAP_E_STATE);
	ck_assert_int_eq(dtap_reopen(tap), DTAP_E_STATE);
	ck_assert_int_eq(dtap_start(tap), DTAP_OK);
	ck_assert_int_eq(dtap_start(tap), DTAP_E_STATE);
	ck_assert_int_eq(dtap_stop(tap, 5000), DTAP_OK);
	ck_assert_int_eq(dtap_stop(tap, 5000), DTAP_OK);
	ck_assert_int_eq(dtap_start(tap), DTAP_E_STATE);
	ck_assert_int_eq(dtap_reopen(tap), DTAP_E_STATE);
	ck_assert_int_eq(dtap_producer_open(tap, &producer), DTAP_E_STOPPED);
	ck_assert_ptr_null(producer);
	ck_assert_int_eq(dtap_start(NULL), DTAP_E_INVALID);
	ck_assert_int_eq(dtap_stop(NULL, 0), DTAP_E_INVALID);
	ck_assert_int_eq(dtap_reopen(NULL), DTAP_E_INVALID);
	ck_assert_int_eq(dtap_producer_open(NULL, &producer), DTAP_E_INVALID);
	ck_assert_int_eq(dtap_producer_open(tap, NULL), DTAP_E_INVALID);
	dtap_close(&tap);
	scratch_leave();
}
END_TEST

static void
expect_next_number(const struct dtap_message *message, void *context)
{
	uint32_t *next = context;

	ck_assert_uint_eq(taps_number(&message->event), *next);
	++*next;
}

START_TEST(events_before_and_after_start_arrive_in_order)
{
	dtap_producer *producer;
	struct dtap_stats stats;
	uint32_t next = 0;
	dtap *tap;

	scratch_enter();
	tap = taps_open("file:x.fstrm", NULL);
	ck_assert_int_eq(dtap_producer_open(tap, &producer), DTAP_OK);
	for (uint32_t i = 0; i < 1000; i++) {
		struct dtap_event event = taps_event(i);

		if (i == 500)
			ck_assert_int_eq(dtap_start(tap), DTAP_OK);
		ck_assert_int_eq(dtap_submit(producer, &event), DTAP_OK);
	}
	dtap_producer_close(&producer);
	ck_assert_ptr_null(producer);
	stats = taps_finish(&tap, 5000);
	ck_assert_uint_eq(stats.confirmed, 1000);
	ck_assert_uint_eq(stats.sessions, 1);
	ck_assert_uint_eq(taps_read("x.fstrm", expect_next_number, &next),
			  1000);
	scratch_leave();
}
END_TEST

START_TEST(start_succeeds_when_the_output_cannot_be_opened)
{
	static const char *const outputs[] = {
		"file:missing/x.fstrm",
		"unix:missing/x.sock",
		("unix:a-path-that-is-too-long-for-a-unix-socket-because-it-"
		 "has-more-than-the-one-hundred-and-seven-octets-of-sun_path"),
		"tcp:127.0.0.1:1",
		"tcp:[::1]:1",
	};

	scratch_enter();
	for (size_t i = 0; i < sizeof(outputs) / sizeof(outputs[0]); i++) {
		dtap *tap = taps_start(outputs[i], NULL);
		struct dtap_event event = taps_event(7);
		struct dtap_stats stats;
		dtap_producer *producer;

		ck_assert_int_eq(dtap_producer_open(tap, &producer), DTAP_OK);
		ck_assert_int_eq(dtap_submit(producer, &event), DTAP_OK);
		ck_assert_int_eq(dtap_stop(tap, 1000), DTAP_E_TIMEOUT);
		dtap_producer_close(&producer);
		stats = taps_finish(&tap, 0);
		ck_assert_uint_eq(stats.lost_shutdown, 1);
		ck_assert_uint_ge(stats.open_failures, 1);
		ck_assert_int_ne(stats.last_errno, 0);
	}
	scratch_leave();
}
END_TEST

struct log_lines {
	pthread_mutex_t lock;
	unsigned int open_lines;
	char last[512];
};

static void
keep_line(void *user, enum dtap_log_level level, const char *text)
{
	struct log_lines *lines = user;

	(void)level;
	pthread_mutex_lock(&lines->lock);
	if (strstr(text, "missing/x.sock") != NULL) {
		lines->open_lines++;
		strncpy(lines->last, text, sizeof(lines->last) - 1);
	}
	pthread_mutex_unlock(&lines->lock);
}

START_TEST(many_failures_make_one_log_line_that_names_the_path)
{
	struct log_lines lines = { .lock = PTHREAD_MUTEX_INITIALIZER };
	dtap_options *options = dtap_options_new();
	dtap *tap;

	dtap_options_set(options, "output", "unix:missing/x.sock");
	dtap_options_set(options, "reconnect-min-ms", "10");
	dtap_options_set(options, "reconnect-max-ms", "10");
	dtap_options_set_log(options, keep_line, &lines);
	ck_assert_int_eq(dtap_open(options, &tap), DTAP_OK);
	dtap_options_free(&options);
	ck_assert_int_eq(dtap_start(tap), DTAP_OK);
	while (taps_stats(tap).open_failures < 10)
		usleep(1000);
	dtap_stop(tap, 1000);
	dtap_close(&tap);
	ck_assert_uint_eq(lines.open_lines, 1);
	ck_assert_ptr_nonnull(strstr(lines.last, strerror(ENOENT)));
}
END_TEST

struct loss_lines {
	pthread_mutex_t lock;
	unsigned int begun;
	unsigned int ended;
};

static void
keep_loss(void *user, enum dtap_log_level level, const char *text)
{
	struct loss_lines *lines = user;

	(void)level;
	pthread_mutex_lock(&lines->lock);
	if (strstr(text, "1 events dropped so far: ring full 0") != NULL)
		lines->begun++;
	if (strstr(text, "no more events are dropped; 1 were") != NULL)
		lines->ended++;
	pthread_mutex_unlock(&lines->lock);
}

START_TEST(loss_and_its_end_are_logged)
{
	struct loss_lines lines = { .lock = PTHREAD_MUTEX_INITIALIZER };
	dtap_options *options = dtap_options_new();
	bool ended = false;
	dtap *tap;

	scratch_enter();
	dtap_options_set(options, "output", "file:x.fstrm");
	dtap_options_set_log(options, keep_loss, &lines);
	ck_assert_int_eq(dtap_open(options, &tap), DTAP_OK);
	dtap_options_free(&options);
	ck_assert_int_eq(dtap_start(tap), DTAP_OK);
	ck_assert_int_eq(dtap_submit(dtap_thread_producer(tap), NULL),
			 DTAP_E_INVALID);
	while (!ended) {
		usleep(10000);
		pthread_mutex_lock(&lines.lock);
		ended = lines.ended > 0;
		pthread_mutex_unlock(&lines.lock);
	}
	taps_finish(&tap, 5000);
	ck_assert_uint_eq(lines.begun, 1);
	ck_assert_uint_eq(lines.ended, 1);
	scratch_leave();
}
END_TEST

START_TEST(reopen_moves_the_old_file_aside_and_loses_nothing)
{
	dtap_producer *producer;
	struct dtap_stats stats;
	uint32_t next = 0;
	dtap *tap;

	scratch_enter();
	tap = taps_start("file:x.fstrm", NULL);
	while (taps_stats(tap).sessions == 0)
		usleep(1000); /* until then there is nothing to open anew */
	ck_assert_int_eq(dtap_producer_open(tap, &producer), DTAP_OK);
	for (uint32_t i = 0; i < 4000; i++) {
		struct dtap_event event = taps_event(i);

		ck_assert_int_eq(dtap_submit(producer, &event), DTAP_OK);
		if (i % 1000 == 500) {
			uint64_t before = taps_stats(tap).sessions;

			ck_assert_int_eq(dtap_reopen(tap), DTAP_OK);
			/* Between two files a request would ask for nothing. */
			while (taps_stats(tap).sessions == before)
				usleep(1000);
		}
	}
	dtap_producer_close(&producer);
	stats = taps_finish(&tap, 5000);
	ck_assert_uint_eq(stats.rotations, 4);
	ck_assert_uint_eq(stats.confirmed, 4000);
	taps_read("x.fstrm.1", expect_next_number, &next);
	taps_read("x.fstrm.2", expect_next_number, &next);
	taps_read("x.fstrm.3", expect_next_number, &next);
	taps_read("x.fstrm.4", expect_next_number, &next);
	taps_read("x.fstrm", expect_next_number, &next);
	ck_assert_uint_eq(next, 4000);
	scratch_leave();
}
END_TEST

START_TEST(rotation_by_size_keeps_every_frame_whole)
{
	static const char *const more[] = { "rotate-bytes=64K", NULL };
	dtap_producer *producer;
	struct dtap_stats stats;
	uint32_t next = 0;
	dtap *tap;

	scratch_enter();
	tap = taps_start("file:x.fstrm", more);
	ck_assert_int_eq(dtap_producer_open(tap, &producer), DTAP_OK);
	for (uint32_t i = 0; i < 20000; i++) {
		struct dtap_event event = taps_event(i);

		while (dtap_submit(producer, &event) == DTAP_E_FULL)
			usleep(100);
	}
	dtap_producer_close(&producer);
	stats = taps_finish(&tap, 5000);
	ck_assert_uint_ge(stats.rotations, 2);
	for (uint64_t i = 1; i <= stats.rotations; i++) {
		char path[32];

		snprintf(path, sizeof(path), "x.fstrm.%u", (unsigned int)i);
		if (scratch_exists(path))
			taps_read(path, expect_next_number, &next);
	}
	if (scratch_exists("x.fstrm"))
		taps_read("x.fstrm", expect_next_number, &next);
	ck_assert_uint_eq(next, 20000);
	scratch_leave();
}
END_TEST

/* The signal mask of the thread with that name; 0 when there is none. */
static uint64_t
blocked_signals(const char *name)
{
	unsigned long long blocked = 0;
	char line[256];
	bool ours = false;
	FILE *pipe = popen("cat /proc/$PPID/task/*/status", "r");

	ck_assert_ptr_nonnull(pipe);
	while (fgets(line, sizeof(line), pipe) != NULL) {
		if (strncmp(line, "Name:", 5) == 0)
			ours = strstr(line, name) != NULL;
		if (ours && sscanf(line, "SigBlk: %llx", &blocked) == 1)
			break;
	}
	pclose(pipe);
	return blocked;
}

START_TEST(the_writer_thread_blocks_every_signal)
{
	uint64_t blocked;
	sigset_t mine;
	dtap *tap;

	scratch_enter();
	tap = taps_start("file:x.fstrm", NULL);
	blocked = blocked_signals("dtap-writer");
	/* All but KILL, STOP and the two that glibc keeps for itself. */
	for (int number = 1; number <= 64; number++)
		if (number != SIGKILL && number != SIGSTOP && number != 32 &&
		    number != 33)
			ck_assert_msg(blocked >> (number - 1) & 1,
				      "signal %d", number);
	pthread_sigmask(SIG_SETMASK, NULL, &mine);
	ck_assert(!sigismember(&mine, SIGTERM));
	taps_finish(&tap, 5000);
	scratch_leave();
}
END_TEST

static void *
stop_tap(void *tap)
{
	ck_assert_int_eq(dtap_stop(tap, 5000), DTAP_OK);
	return NULL;
}

START_TEST(concurrent_stops_agree)
{
	pthread_t threads[4];
	dtap *tap;

	scratch_enter();
	tap = taps_start("file:x.fstrm", NULL);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, stop_tap,
						tap),
				 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	taps_finish(&tap, 0);
	scratch_leave();
}
END_TEST

static dtap_options *
options_with_log(dtap_log_function *function, void *user)
{
	dtap_options *options = dtap_options_new();

	ck_assert_int_eq(dtap_options_set_log(options, function, user),
			 DTAP_OK);
	return options;
}

static void *
stop_second_and_briefly(void *tap)
{
	/* As soon as the first has begun. */
	while (dtap_reopen(tap) != DTAP_E_STATE)
		usleep(1000);
	return (void *)(intptr_t)dtap_stop(tap, 1);
}

static void *
unlock_later(void *gate)
{
	usleep(400000);
	output_gate_unlock(gate);
	return NULL;
}

START_TEST(a_second_stop_waits_for_the_first)
{
	dtap_options *options = options_with_log(NULL, NULL);
	struct output_gate gate;
	pthread_t threads[2];
	void *second;
	dtap *tap;

	tap = output_gate_start(&gate, true, options);
	pthread_create(&threads[0], NULL, stop_second_and_briefly, tap);
	pthread_create(&threads[1], NULL, unlock_later, &gate);
	ck_assert_int_eq(dtap_stop(tap, 20000), DTAP_OK);
	pthread_join(threads[0], &second);
	pthread_join(threads[1], NULL);
	ck_assert_int_eq((int)(intptr_t)second, DTAP_OK);
	dtap_close(&tap);
	dtap_options_free(&options);
}
END_TEST

static void
count_line(void *lines, enum dtap_log_level level, const char *text)
{
	(void)level;
	(void)text;
	__atomic_fetch_add((int *)lines, 1, __ATOMIC_RELAXED);
}

/* The host's log may be gone by the time the file system answers. */
START_TEST(a_writer_that_is_left_behind_has_no_log)
{
	int lines = 0;
	dtap_options *options = options_with_log(count_line, &lines);
	struct output_gate gate;
	int before;
	dtap *tap;

	tap = output_gate_start(&gate, true, options);
	dtap_options_free(&options);
	usleep(20000);
	ck_assert_int_eq(dtap_stop(tap, 0), DTAP_E_TIMEOUT);
	dtap_close(&tap);
	before = __atomic_load_n(&lines, __ATOMIC_RELAXED);
	/* That frames flow would be a line. */
	output_gate_unlock(&gate);
	while (!output_gate_is_freed(&gate))
		usleep(1000);
	ck_assert_int_eq(__atomic_load_n(&lines, __ATOMIC_RELAXED), before);
}
END_TEST

START_TEST(close_stops_what_still_runs)
{
	dtap_producer *producer;
	struct dtap_event event = taps_event(0);
	uint32_t next = 0;
	dtap *tap;

	scratch_enter();
	tap = taps_start("file:x.fstrm", NULL);
	ck_assert_int_eq(dtap_producer_open(tap, &producer), DTAP_OK);
	ck_assert_int_eq(dtap_submit(producer, &event), DTAP_OK);
	dtap_close(&tap);
	ck_assert_uint_eq(taps_read("x.fstrm", expect_next_number, &next), 1);
	/* The producer outlives its tap. */
	ck_assert_int_eq(dtap_submit(producer, &event), DTAP_E_STOPPED);
	dtap_producer_close(&producer);
	scratch_leave();
}
END_TEST

START_TEST(two_taps_do_not_know_each_other)
{
	struct dtap_event event = taps_event(0);
	dtap *one;
	dtap *other;

	scratch_enter();
	one = taps_start("file:one.fstrm", NULL);
	other = taps_start("file:other.fstrm", NULL);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(dtap_submit(dtap_thread_producer(one),
					     &event),
				 DTAP_OK);
	ck_assert_int_eq(dtap_submit(dtap_thread_producer(other), &event),
			 DTAP_OK);
	ck_assert_uint_eq(taps_finish(&one, 5000).written, 3);
	ck_assert_uint_eq(taps_finish(&other, 5000).written, 1);
	ck_assert_uint_eq(taps_read("one.fstrm", NULL, NULL), 3);
	ck_assert_uint_eq(taps_read("other.fstrm", NULL, NULL), 1);
	scratch_leave();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("tap");

	support_add(suite, open_checks_and_opens_nothing);
	support_add(suite, calls_that_do_not_fit_the_state_are_refused);
	support_add(suite, events_before_and_after_start_arrive_in_order);
	support_add(suite, start_succeeds_when_the_output_cannot_be_opened);
	support_add(suite, many_failures_make_one_log_line_that_names_the_path);
	support_add(suite, loss_and_its_end_are_logged);
	support_add(suite, reopen_moves_the_old_file_aside_and_loses_nothing);
	support_add(suite, rotation_by_size_keeps_every_frame_whole);
	if (!support_is_slow())
		support_add(suite, the_writer_thread_blocks_every_signal);
	else
		puts("the mask is valgrind's here: not looked at");
	support_add(suite, concurrent_stops_agree);
	support_add(suite, a_second_stop_waits_for_the_first);
	support_add(suite, a_writer_that_is_left_behind_has_no_log);
	support_add(suite, close_stops_what_still_runs);
	support_add(suite, two_taps_do_not_know_each_other);
	return support_run(suite);
}
