/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipeline.c: from packets to lines. Both clocks are the test's: the program
 * is linked with -Wl,--wrap=clock_gettime.
 */
#include "sidecar/pipeline.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "support/support.h"

#define MS UINT64_C(1000000)
#define SECOND UINT64_C(1000000000)
#define YEAR_2026 UINT64_C(1767225600)

static uint64_t monotonic_ns;
static uint64_t realtime_ns;

int
__wrap_clock_gettime(clockid_t clock, struct timespec *time);

int
__wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
	uint64_t now_ns = clock == CLOCK_REALTIME ? realtime_ns : monotonic_ns;

	time->tv_sec = (time_t)(now_ns / SECOND);
	time->tv_nsec = (long)(now_ns % SECOND);
	return 0;
}

static struct sidecar_options options;
static struct pipeline *pipeline;
static char printed[65536];
static int standard_output;
static int ends[2];

/* With standard output in a pipe. */
static void
open_pipeline(const char *option)
{
	char *arguments[] = { "test", "--print", "--timeout=500",
			      (char *)(uintptr_t)option, NULL };

	monotonic_ns = 1000 * SECOND;
	realtime_ns = YEAR_2026 * SECOND;
	ck_assert_int_eq(sidecar_options_parse(&options, option ? 4 : 3,
					       arguments), SIDECAR_RUN);
	fflush(stdout);
	standard_output = dup(STDOUT_FILENO);
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	ck_assert_int_eq(dup2(ends[1], STDOUT_FILENO), STDOUT_FILENO);
	pipeline = pipeline_new(&options);
	ck_assert_ptr_nonnull(pipeline);
	pipeline_expire(pipeline);
}

static void
close_pipeline(void)
{
	ssize_t got;

	pipeline_flush(pipeline);
	got = read(ends[0], printed, sizeof(printed) - 1);
	printed[got > 0 ? got : 0] = '\0';
	dup2(standard_output, STDOUT_FILENO);
	close(standard_output);
	close(ends[0]);
	close(ends[1]);
	pipeline_free(&pipeline);
	sidecar_options_free(&options);
}

/* A query that this process sends, now. */
static void
send_query(uint8_t id)
{
	uint8_t query[] = { 0, id, 1, 0, 0, 1, 0, 0, 0, 0,
			    0, 0,  0, 0, 6, 0, 1 };
	struct packet packet = {
		.time_ns = monotonic_ns,
		.socket = 1,
		.owner = { .pid = (uint32_t)getpid(), .uid = 7,
			   .comm = "kdig", .exe = "kdig" },
		.local = { .port = 1000 },
		.remote = { .port = 53 },
		.family = DTAP_INET,
		.protocol = PACKET_UDP,
		.direction = PACKET_SENT,
		.payload = query,
		.payload_bytes = sizeof(query),
	};

	pipeline_packet(pipeline, &packet);
}

static void
pass(uint64_t ns)
{
	monotonic_ns += ns;
	realtime_ns += ns;
	pipeline_expire(pipeline);
}

static size_t
count_printed(const char *what)
{
	size_t count = 0;

	for (const char *at = printed; (at = strstr(at, what)) != NULL; at++)
		count++;
	return count;
}

START_TEST(packets_have_the_time_of_the_calendar)
{
	open_pipeline(NULL);
	pass(1500 * MS);
	send_query(1);
	close_pipeline();
	ck_assert_ptr_nonnull(strstr(printed,
				     "2026-01-01 00:00:01.500000 TQ "));
}
END_TEST

/* Whatever the clock is set to: a query waits as long as it was told. */
START_TEST(who_sets_the_clock_does_not_change_waits)
{
	open_pipeline(NULL);
	send_query(1);
	realtime_ns += 3600 * SECOND;
	pass(400 * MS);
	send_query(2);
	realtime_ns -= 7200 * SECOND;
	pass(400 * MS);
	send_query(3);
	pass(600 * MS);
	close_pipeline();
	ck_assert_uint_eq(count_printed("event=unanswered"), 3);
}
END_TEST

START_TEST(nothing_is_said_of_processes_unless_wanted)
{
	open_pipeline("--no-extra");
	send_query(1);
	pass(SECOND);
	close_pipeline();
	ck_assert_uint_eq(count_printed(" TQ "), 2);
	ck_assert_uint_eq(count_printed("extra=\"event=unanswered\""), 1);
	ck_assert_ptr_null(strstr(printed, "pid="));
	ck_assert_ptr_null(strstr(printed, "kdig"));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("sidecar pipeline");

	support_add(suite, packets_have_the_time_of_the_calendar);
	support_add(suite, who_sets_the_clock_does_not_change_waits);
	support_add(suite, nothing_is_said_of_processes_unless_wanted);
	return support_run(suite);
}
