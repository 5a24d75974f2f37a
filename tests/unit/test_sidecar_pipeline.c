/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipeline.c: from packets to lines. Both clocks are the test's: the program
 * is linked with -Wl,--wrap=clock_gettime.
 */
#include "sidecar/pipeline.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/scratch.h"
#include "support/support.h"

#define MS UINT64_C(1000000)
#define SECOND UINT64_C(1000000000)
#define YEAR_2026 UINT64_C(1767225600)

static uint64_t monotonic_ns;
static uint64_t realtime_ns;
static uint64_t pause_ns; /* after the next look at a clock */

int
__wrap_clock_gettime(clockid_t clock, struct timespec *time);

int
__wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
	uint64_t now_ns = clock == CLOCK_REALTIME ? realtime_ns : monotonic_ns;

	time->tv_sec = (time_t)(now_ns / SECOND);
	time->tv_nsec = (long)(now_ns % SECOND);
	monotonic_ns += pause_ns;
	realtime_ns += pause_ns;
	pause_ns = 0;
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

#define MESSAGE_BYTES 17

/* A query of this process, or with flags 0x80 its response; now. */
static struct packet
make_packet(uint8_t octets[MESSAGE_BYTES], uint8_t id, uint8_t flags)
{
	const uint8_t message[MESSAGE_BYTES] = { 0, id, 1 | flags, 0, 0, 1,
						 [14] = 6, [16] = 1 };
	struct packet packet = {
		.time_ns = monotonic_ns,
		.socket = 1,
		.owner = { .pid = (uint32_t)getpid(), .uid = 7,
			   .comm = "kdig", .exe = "kdig" },
		.local = { .port = 1000 },
		.remote = { .port = 53 },
		.family = DTAP_INET,
		.protocol = PACKET_UDP,
		.direction = flags != 0 ? PACKET_RECEIVED : PACKET_SENT,
		.payload = octets,
		.payload_bytes = MESSAGE_BYTES,
	};

	memcpy(octets, message, MESSAGE_BYTES);
	return packet;
}

static void
send_query(uint8_t id)
{
	uint8_t octets[MESSAGE_BYTES];
	struct packet packet = make_packet(octets, id, 0);

	pipeline_packet(pipeline, &packet);
}

static void
send_query_of(uint8_t id, const struct packet_owner *owner)
{
	uint8_t octets[MESSAGE_BYTES];
	struct packet packet = make_packet(octets, id, 0);

	packet.owner = *owner;
	pipeline_packet(pipeline, &packet);
}

static void
receive_response(uint8_t id, uint64_t time_ns)
{
	uint8_t octets[MESSAGE_BYTES];
	struct packet packet = make_packet(octets, id, 0x80);

	packet.time_ns = time_ns;
	pipeline_packet(pipeline, &packet);
}

/* Nothing comes: the second call knows that. */
static void
pass(uint64_t ns)
{
	monotonic_ns += ns;
	realtime_ns += ns;
	pipeline_expire(pipeline);
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

/* Another process may run between two looks at two clocks. */
START_TEST(what_passes_between_two_looks_does_not_move_time)
{
	open_pipeline(NULL);
	pause_ns = 20 * MS;
	pipeline_expire(pipeline);
	send_query(1);
	pause_ns = MS / 10;
	pipeline_expire(pipeline);
	send_query(2);
	realtime_ns += SECOND;
	pipeline_expire(pipeline);
	send_query(3);
	close_pipeline();
	ck_assert_ptr_nonnull(strstr(printed, "2026-01-01 00:00:00.020000 "));
	ck_assert_ptr_nonnull(strstr(printed, "2026-01-01 00:00:00.020100 "));
	ck_assert_ptr_nonnull(strstr(printed, "2026-01-01 00:00:01.020100 "));
}
END_TEST

/* While we were held up, responses came: in the kernel's ring they wait for
 * more than one drain. */
START_TEST(who_was_answered_in_time_is_not_reported)
{
	uint64_t begin_ns;
	int wait_ms;

	open_pipeline(NULL);
	begin_ns = monotonic_ns;
	for (uint8_t id = 1; id <= 3; id++)
		send_query(id);
	monotonic_ns += 600 * MS;
	ck_assert_int_eq(pipeline_expire(pipeline), 1);
	receive_response(1, begin_ns + 1 * MS);
	pipeline_expire(pipeline);
	receive_response(2, begin_ns + 499 * MS);
	wait_ms = pipeline_expire(pipeline);
	pipeline_expire(pipeline);
	close_pipeline();
	ck_assert_int_eq(wait_ms, 1);
	ck_assert_uint_eq(count_printed("event=unanswered"), 1);
	ck_assert_uint_eq(count_printed("NOERROR"), 2);
	ck_assert_ptr_nonnull(strstr(printed, " 1.000ms "));
	ck_assert_ptr_nonnull(strstr(printed, " 499.000ms "));
}
END_TEST

#define LONG_NAME "a-name-that-is-forty-octets-long-exactly"

/* A child that waits in a program of that name. */
static pid_t
start_long_name(void)
{
	char *arguments[] = { "sleep", "1000", NULL };
	int program = open(LONG_NAME, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
	int from = open("/bin/sleep", O_RDONLY | O_CLOEXEC);
	int ready[2];
	pid_t pid;

	ck_assert_int_gt(sendfile(program, from, NULL, 1 << 30), 0);
	close(from);
	close(program);
	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		execv(LONG_NAME, arguments);
		_exit(1);
	}
	close(ready[1]);
	/* Its end closes with the exec. */
	ck_assert_int_eq(read(ready[0], &(char){ 0 }, 1), 0);
	close(ready[0]);
	return pid;
}

START_TEST(a_role_may_be_that_of_a_long_name)
{
	struct packet_owner owner = { .comm = "5" };
	pid_t pid;

	scratch_enter();
	pid = start_long_name();
	owner.pid = (uint32_t)pid;
	/* As the kernel part cuts it. */
	memcpy(owner.exe, LONG_NAME, sizeof(owner.exe) - 1);
	open_pipeline("--role=" LONG_NAME "=stub");
	send_query_of(1, &owner);
	close_pipeline();
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	scratch_leave();
	ck_assert_uint_eq(strlen(LONG_NAME), 40);
	ck_assert_ptr_nonnull(strstr(printed, " SQ "));
	ck_assert_ptr_nonnull(strstr(printed, "exe=" LONG_NAME " "));
	ck_assert_ptr_nonnull(strstr(printed, "confidence=told"));
}
END_TEST

/* Their texts have the same place; no process has these numbers. */
START_TEST(each_message_has_its_own_process)
{
	static const struct packet_owner owners[] = {
		{ .pid = 1 << 22, .uid = 7, .comm = "one", .exe = "one" },
		{ .pid = (1 << 22) + 256, .uid = 7, .comm = "one",
		  .exe = "one" },
		{ .pid = 1 << 22, .uid = 8, .comm = "one", .exe = "one" },
		{ .pid = 1 << 22, .uid = 8, .comm = "two", .exe = "one" },
		{ .pid = 1 << 22, .uid = 8, .comm = "two", .exe = "two" },
	};

	open_pipeline(NULL);
	for (uint8_t id = 0; id < 5; id++)
		send_query_of(id, &owners[id]);
	close_pipeline();
	for (size_t i = 0; i < 5; i++) {
		char text[64];

		snprintf(text, sizeof(text), "pid=%u exe=%s comm=%s uid=%u ",
			 owners[i].pid, owners[i].exe, owners[i].comm,
			 owners[i].uid);
		ck_assert_uint_eq(count_printed(text), 1);
	}
}
END_TEST

/* A segment before it has not come, and no longer will. */
START_TEST(the_end_hands_on_what_waits_in_a_stream)
{
	uint8_t octets[2 + MESSAGE_BYTES] = { 0, MESSAGE_BYTES };
	struct packet packet = make_packet(octets + 2, 1, 0);

	packet.protocol = PACKET_TCP;
	packet.tcp_flags = PACKET_SYN;
	packet.payload_bytes = 0;
	open_pipeline(NULL);
	pipeline_packet(pipeline, &packet);
	packet.tcp_flags = 0;
	packet.tcp_sequence = 1 + sizeof(octets);
	packet.payload = octets;
	packet.payload_bytes = sizeof(octets);
	pipeline_packet(pipeline, &packet);
	close_pipeline();
	ck_assert_uint_eq(count_printed(" TCP "), 1);
	ck_assert_uint_eq(count_printed(" TQ "), 1);
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
	support_add(suite, what_passes_between_two_looks_does_not_move_time);
	support_add(suite, who_was_answered_in_time_is_not_reported);
	support_add(suite, a_role_may_be_that_of_a_long_name);
	support_add(suite, each_message_has_its_own_process);
	support_add(suite, the_end_hands_on_what_waits_in_a_stream);
	support_add(suite, nothing_is_said_of_processes_unless_wanted);
	return support_run(suite);
}
