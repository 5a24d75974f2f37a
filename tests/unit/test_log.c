/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line per cause in 30 s, and none lost without a word. Time passes by
 * setting the last line of a cause back.
 */
#include "base/log.h"

#include <string.h>

#include "base/clock.h"
#include "support/support.h"

/* What the host's callback got. */
struct host {
	struct dtap__log log;
	unsigned int lines;
	int level;
	char last[2 * DTAP__LOG_LINE_BYTES];
};

static void
keep_line(void *user, int level, const char *text)
{
	struct host *host = user;

	/* The callback may take its time: the lock is not held meanwhile. */
	ck_assert_int_eq(pthread_mutex_trylock(&host->log.lock), 0);
	pthread_mutex_unlock(&host->log.lock);
	host->lines++;
	host->level = level;
	ck_assert_uint_lt(strlen(text), sizeof(host->last));
	strcpy(host->last, text);
}

static void
host_init(struct host *host)
{
	memset(host, 0, sizeof(*host));
	dtap__log_init(&host->log, keep_line, host);
}

static void
let_31_seconds_pass(struct host *host, enum dtap__log_cause cause)
{
	host->log.causes[cause].last_ns -= 31 * DTAP__NS_PER_SEC;
}

START_TEST(the_first_line_of_a_cause_passes)
{
	struct host host;

	host_init(&host);
	dtap__log(&host.log, DTAP__LOG_OPEN, 3, "%s: %d", "text", 42);
	ck_assert_uint_eq(host.lines, 1);
	ck_assert_int_eq(host.level, 3);
	ck_assert_str_eq(host.last, "text: 42");
	dtap__log_fini(&host.log);
}
END_TEST

START_TEST(more_of_a_cause_wait_and_are_counted_in_the_next)
{
	struct host host;

	host_init(&host);
	for (int i = 0; i < 4; i++)
		dtap__log(&host.log, DTAP__LOG_OPEN, 2, "line %d", i);
	ck_assert_uint_eq(host.lines, 1);
	ck_assert_str_eq(host.last, "line 0");
	let_31_seconds_pass(&host, DTAP__LOG_OPEN);
	dtap__log(&host.log, DTAP__LOG_OPEN, 2, "line 4");
	ck_assert_uint_eq(host.lines, 2);
	ck_assert_str_eq(host.last,
			 "line 4 (3 more like this in the last while)");
	dtap__log_fini(&host.log);
}
END_TEST

START_TEST(the_count_begins_anew_with_each_line)
{
	struct host host;

	host_init(&host);
	dtap__log(&host.log, DTAP__LOG_LOSS, 2, "a");
	dtap__log(&host.log, DTAP__LOG_LOSS, 2, "b");
	let_31_seconds_pass(&host, DTAP__LOG_LOSS);
	dtap__log(&host.log, DTAP__LOG_LOSS, 2, "c");
	dtap__log(&host.log, DTAP__LOG_LOSS, 2, "d");
	dtap__log(&host.log, DTAP__LOG_LOSS, 2, "e");
	ck_assert_uint_eq(host.lines, 2);
	let_31_seconds_pass(&host, DTAP__LOG_LOSS);
	dtap__log(&host.log, DTAP__LOG_LOSS, 2, "f");
	ck_assert_str_eq(host.last, "f (2 more like this in the last while)");
	let_31_seconds_pass(&host, DTAP__LOG_LOSS);
	dtap__log(&host.log, DTAP__LOG_LOSS, 2, "g");
	ck_assert_str_eq(host.last, "g");
	dtap__log_fini(&host.log);
}
END_TEST

START_TEST(each_cause_is_held_back_for_itself)
{
	struct host host;

	host_init(&host);
	for (int cause = DTAP__LOG_OPEN; cause < DTAP__LOG_CAUSES; cause++) {
		host.lines = 0;
		for (int i = 0; i < 3; i++)
			dtap__log(&host.log, (enum dtap__log_cause)cause, 2,
				  "text");
		ck_assert_uint_eq(host.lines, 1);
	}
	let_31_seconds_pass(&host, DTAP__LOG_BROKEN);
	dtap__log(&host.log, DTAP__LOG_OPEN, 2, "text");
	ck_assert_uint_eq(host.lines, 1);
	dtap__log(&host.log, DTAP__LOG_BROKEN, 2, "text");
	ck_assert_uint_eq(host.lines, 2);
	dtap__log_fini(&host.log);
}
END_TEST

START_TEST(start_and_stop_are_never_held_back)
{
	struct host host;

	host_init(&host);
	for (unsigned int i = 1; i < 5; i++) {
		dtap__log(&host.log, DTAP__LOG_STATE, 4, "text");
		ck_assert_uint_eq(host.lines, i);
		ck_assert_str_eq(host.last, "text");
	}
	dtap__log_fini(&host.log);
}
END_TEST

START_TEST(a_line_that_is_too_long_is_cut)
{
	char text[2 * DTAP__LOG_LINE_BYTES];
	struct host host;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	host_init(&host);
	for (int i = 0; i < 2; i++)
		dtap__log(&host.log, DTAP__LOG_OPEN, 2, "%s", text);
	ck_assert_uint_eq(strlen(host.last), DTAP__LOG_LINE_BYTES - 1);
	let_31_seconds_pass(&host, DTAP__LOG_OPEN);
	/* There is no room to tell how many were held back. */
	dtap__log(&host.log, DTAP__LOG_OPEN, 2, "%s", text);
	ck_assert_uint_eq(host.lines, 2);
	ck_assert_uint_eq(strlen(host.last), DTAP__LOG_LINE_BYTES - 1);
	ck_assert_uint_eq(strspn(host.last, "x"), DTAP__LOG_LINE_BYTES - 1);
	dtap__log_fini(&host.log);
}
END_TEST

START_TEST(silence_is_for_good)
{
	struct host host;

	host_init(&host);
	dtap__log(&host.log, DTAP__LOG_STATE, 4, "one");
	dtap__log_silence(&host.log);
	dtap__log(&host.log, DTAP__LOG_STATE, 4, "two");
	dtap__log(&host.log, DTAP__LOG_OPEN, 2, "three");
	ck_assert_uint_eq(host.lines, 1);
	dtap__log_fini(&host.log);
}
END_TEST

START_TEST(without_a_callback_there_is_no_log)
{
	struct dtap__log log;

	dtap__log_init(&log, NULL, NULL);
	dtap__log(&log, DTAP__LOG_OPEN, 2, "text");
	ck_assert_uint_eq(log.causes[DTAP__LOG_OPEN].last_ns, 0);
	dtap__log_fini(&log);
}
END_TEST

#define THREADS 4
#define LINES_PER_THREAD 1000

static void *
log_many(void *log)
{
	for (int i = 0; i < LINES_PER_THREAD; i++)
		dtap__log(log, DTAP__LOG_RING, 2, "text");
	return NULL;
}

static void
count_line(void *user, int level, const char *text)
{
	(void)level;
	(void)text;
	++*(unsigned int *)user;
}

START_TEST(of_many_threads_one_has_the_turn)
{
	pthread_t threads[THREADS];
	unsigned int lines = 0;
	struct dtap__log log;

	dtap__log_init(&log, count_line, &lines);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, log_many,
						&log), 0);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	ck_assert_uint_eq(lines, 1);
	ck_assert_uint_eq(log.causes[DTAP__LOG_RING].held_back,
			  THREADS * LINES_PER_THREAD - 1);
	dtap__log_fini(&log);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("log");

	support_add(suite, the_first_line_of_a_cause_passes);
	support_add(suite, more_of_a_cause_wait_and_are_counted_in_the_next);
	support_add(suite, the_count_begins_anew_with_each_line);
	support_add(suite, each_cause_is_held_back_for_itself);
	support_add(suite, start_and_stop_are_never_held_back);
	support_add(suite, a_line_that_is_too_long_is_cut);
	support_add(suite, silence_is_for_good);
	support_add(suite, without_a_callback_there_is_no_log);
	support_add(suite, of_many_threads_one_has_the_turn);
	return support_run(suite);
}
