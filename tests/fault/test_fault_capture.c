/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tap under load and fstrm_capture, the reader that most people run, which
 * is stopped (F01) and killed (F02). It does not know of either, and what it
 * wrote by then is what there is.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rig.h"
#include "support/ports.h"
#include "support/report.h"
#include "support/sanitized.h"
#include "support/scratch.h"
#include "support/support.h"
#include "support/taps.h"

#define HASTE "reconnect-min-ms=10", "reconnect-max-ms=40"

struct capture {
	pid_t pid;
	unsigned int number; /* of the file "cap.N" */
	char uri[64];
	char port[16]; /* "" for the Unix socket "sock" */
};

/* A port that nobody listens on. */
static unsigned int
free_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	int fd;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = ports_listen((struct sockaddr *)&address, sizeof(address), 1);
	ck_assert_int_ge(fd, 0);
	close(fd);
	return ntohs(address.sin_port);
}

static void
capture_init(struct capture *capture, int scheme)
{
	memset(capture, 0, sizeof(*capture));
	strcpy(capture->uri, "unix:sock");
	if (scheme == RIG_TCP) {
		unsigned int port = free_port();

		snprintf(capture->port, sizeof(capture->port), "%u", port);
		snprintf(capture->uri, sizeof(capture->uri),
			 "tcp:127.0.0.1:%u", port);
	}
}

/* Starts it, with a file of its own. */
static void
capture_start(struct capture *capture)
{
	char file[32];
	const char *const by_unix[] = { "fstrm_capture", "-t",
					"protobuf:dnstap.Dnstap", "-w", file,
					"-u", "sock", NULL };
	const char *const by_tcp[] = { "fstrm_capture", "-t",
				       "protobuf:dnstap.Dnstap", "-w", file,
				       "-a", "127.0.0.1", "-p", capture->port,
				       NULL };

	capture->number++;
	snprintf(file, sizeof(file), "cap.%u", capture->number);
	unlink("sock");
	capture->pid = rig_spawn(capture->port[0] == '\0' ? by_unix : by_tcp);
}

static void
capture_halt(const struct capture *capture)
{
	ck_assert_int_eq(kill(capture->pid, SIGSTOP), 0);
	rig_until(rig_is_in_state(capture->pid, 'T'));
}

static void
capture_resume(const struct capture *capture)
{
	ck_assert_int_eq(kill(capture->pid, SIGCONT), 0);
}

/* Whether more than a beginning has reached its file. */
static bool
capture_has_data(const struct capture *capture)
{
	struct stat status;
	char file[32];

	snprintf(file, sizeof(file), "cap.%u", capture->number);
	return stat(file, &status) == 0 && status.st_size > 4096;
}

/* Every event has one fate, and the reader has every frame. */
static void
expect_all_read(const struct audit *audit, const struct dtap_stats *stats)
{
	ck_assert_uint_eq(audit->frames, stats->written);
	ck_assert_uint_eq(stats->confirmed, stats->written);
	ck_assert_uint_eq(audit->late, 0);
	ck_assert_uint_eq(audit->missing, stats->dropped_full);
	ck_assert_uint_eq(audit->told, stats->dropped_full);
	ck_assert_uint_eq(stats->submitted,
			  stats->written + stats->dropped_full);
}

START_TEST(halted_under_load_and_resumed) /* F01 */
{
	static const char *const options[] = { HASTE, "ring-bytes=256K", NULL };
	struct capture capture;
	struct dtap_stats stats;
	enum dtap_result result;
	struct rig_load load;
	struct audit audit;
	uint64_t before;
	dtap *tap;

	scratch_enter();
	capture_init(&capture, _i);
	capture_start(&capture);
	tap = taps_start(capture.uri, options);
	rig_until(taps_stats(tap).connected == 1);
	rig_load_start(&load, tap, 0, 2000, 20);
	rig_until(taps_stats(tap).written > 1000);
	capture_halt(&capture);
	before = taps_stats(tap).dropped_full;
	rig_until(taps_stats(tap).dropped_full > before + 1000);
	capture_resume(&capture);
	before = taps_stats(tap).written;
	rig_until(taps_stats(tap).written > before + 2000);
	rig_load_end(&load);
	rig_until(taps_stats(tap).in_ring == 0);
	/* Tells of the last loss, if there was one. */
	ck_assert_int_eq(rig_submit(&load.source), DTAP_OK);
	stats = rig_finish(&tap, 20000, &result);
	dtap_producer_close(&load.source.producer);
	ck_assert_int_eq(result, DTAP_OK);
	ck_assert_uint_eq(stats.sessions, 1);
	rig_kill(capture.pid, SIGTERM);
	rig_audit(&audit, "cap", &stats);
	expect_all_read(&audit, &stats);
	scratch_leave();
}
END_TEST

START_TEST(halted_when_the_tap_stops) /* F01, F30 */
{
	static const char *const options[] = { "ring-bytes=8M", NULL };
	struct capture capture;
	struct rig_source source;
	struct dtap_stats stats;
	enum dtap_result result;
	struct audit audit;
	dtap *tap;

	scratch_enter();
	capture_init(&capture, _i);
	capture_start(&capture);
	tap = taps_start(capture.uri, options);
	rig_source_open(&source, tap, 0, 16000);
	rig_until(taps_stats(tap).connected == 1);
	capture_halt(&capture);
	rig_submit_until_stuck(&source, tap);
	rig_expect_rest("halted reader");
	stats = rig_finish(&tap, 200, &result);
	dtap_producer_close(&source.producer);
	ck_assert_int_eq(result, DTAP_E_TIMEOUT);
	ck_assert_uint_gt(stats.lost_shutdown, 0);
	capture_resume(&capture);
	rig_kill(capture.pid, SIGTERM);
	rig_audit(&audit, "cap", &stats);
	scratch_leave();
}
END_TEST

/* Sessions end without an answer, and new ones cannot begin. */
static const char *const impatient[] = { HASTE, "ring-bytes=256K",
					 "write-timeout-ms=150",
					 "handshake-timeout-ms=100", NULL };

static void
expect_recovery(struct capture *capture, dtap **tap, struct rig_load *load)
{
	struct dtap_stats stats;
	enum dtap_result result;
	struct audit audit;
	uint64_t before;

	rig_until(taps_stats(*tap).open_failures >= 2);
	before = taps_stats(*tap).written;
	capture_resume(capture);
	rig_until(taps_stats(*tap).written > before + 1000);
	rig_load_end(load);
	stats = rig_finish(tap, 20000, &result);
	dtap_producer_close(&load->source.producer);
	ck_assert_int_eq(result, DTAP_OK);
	rig_kill(capture->pid, SIGTERM);
	rig_audit(&audit, "cap", &stats);
	ck_assert_uint_eq(stats.submitted, stats.written + stats.dropped_full);
}

START_TEST(halted_for_longer_than_a_write_may_take) /* F01 */
{
	struct capture capture;
	struct rig_load load;
	dtap *tap;

	scratch_enter();
	capture_init(&capture, _i);
	capture_start(&capture);
	tap = taps_start(capture.uri, impatient);
	rig_load_start(&load, tap, 0, 2000, 20);
	rig_until(taps_stats(tap).written > 1000);
	capture_halt(&capture);
	rig_until(taps_stats(tap).broken_sessions == 1);
	expect_recovery(&capture, &tap, &load);
	scratch_leave();
}
END_TEST

START_TEST(halted_when_the_tap_is_to_reopen) /* F01, F17 */
{
	struct capture capture;
	struct rig_load load;
	uint64_t start_ms;
	dtap *tap;

	scratch_enter();
	capture_init(&capture, _i);
	capture_start(&capture);
	tap = taps_start(capture.uri, impatient);
	rig_load_start(&load, tap, 0, 2000, 20);
	rig_until(taps_stats(tap).written > 1000);
	capture_halt(&capture);
	start_ms = rig_clock_ms();
	ck_assert_int_eq(dtap_reopen(tap), DTAP_OK);
	printf("reopen: %llu ms\n",
	       (unsigned long long)(rig_clock_ms() - start_ms));
	rig_until(taps_stats(tap).broken_sessions == 1);
	expect_recovery(&capture, &tap, &load);
	scratch_leave();
}
END_TEST

/* What readers that come and go must not make more of. */
struct usage {
	unsigned int descriptors, threads, resident_kib;
};

static void
measure(struct usage *usage)
{
	usage->descriptors = rig_count_entries("/proc/self/fd");
	usage->threads = rig_count_entries("/proc/self/task");
	usage->resident_kib = rig_resident_kib();
}

/* Memory that malloc() and stdio come by in between. */
#define GROWTH_KIB_MAX 256
/* As many, and that is there. */
#define WARM_KILLS 20

static void
expect_same_usage(const struct usage *before)
{
	struct usage now;

	measure(&now);
	printf("%u -> %u KiB resident\n", before->resident_kib,
	       now.resident_kib);
	ck_assert_uint_eq(now.descriptors, before->descriptors);
	ck_assert_uint_eq(now.threads, before->threads);
	if (!SANITIZED)
		ck_assert_uint_le(now.resident_kib,
				  before->resident_kib + GROWTH_KIB_MAX);
}

/* Until frames have reached this reader's file. */
static void
capture_wait(const struct capture *capture, dtap *tap, uint64_t sessions)
{
	rig_until(taps_stats(tap).sessions > sessions &&
		  capture_has_data(capture));
}

static void
capture_kill(const struct capture *capture)
{
	char file[32];

	rig_kill(capture->pid, SIGKILL);
	/* It may not have come to that. */
	snprintf(file, sizeof(file), "cap.%u", capture->number);
	close(open(file, O_WRONLY | O_CREAT, 0600));
}

static void
capture_start_and_wait(struct capture *capture, dtap *tap)
{
	uint64_t sessions = taps_stats(tap).sessions;

	capture_start(capture);
	capture_wait(capture, tap, sessions);
}

/* A reader that is killed at its start, in the handshake, or at work. */
static void
capture_live_and_die(struct capture *capture, dtap *tap, uint64_t *random)
{
	if (rig_random(random) % 4 == 0)
		capture_start(capture);
	else
		capture_start_and_wait(capture, tap);
	rig_nap_us((unsigned int)(rig_random(random) % 8000));
	capture_kill(capture);
}

START_TEST(killed_again_and_again_under_load) /* F02, R6 */
{
	static const char *const options[] = { "reconnect-min-ms=10",
					       "reconnect-max-ms=10", NULL };
	unsigned int kills = 200 * support_factor();
	uint64_t random = rig_seed();
	struct capture capture;
	struct dtap_stats stats;
	struct usage usage;
	enum dtap_result result;
	struct rig_load load;
	struct audit audit;
	dtap *tap;

	scratch_enter();
	capture_init(&capture, _i);
	tap = taps_start(capture.uri, options);
	rig_load_start(&load, tap, 0, 500, 20);
	for (unsigned int i = 0; i < WARM_KILLS; i++)
		capture_live_and_die(&capture, tap, &random);
	capture_start_and_wait(&capture, tap);
	measure(&usage);
	capture_kill(&capture);
	while (capture.number < kills)
		capture_live_and_die(&capture, tap, &random);
	capture_start_and_wait(&capture, tap);
	expect_same_usage(&usage);
	rig_load_end(&load);
	stats = rig_finish(&tap, 20000, &result);
	dtap_producer_close(&load.source.producer);
	ck_assert_int_eq(result, DTAP_OK);
	ck_assert_uint_eq(stats.broken_sessions, stats.sessions - 1);
	ck_assert_uint_eq(stats.submitted, stats.written + stats.dropped_full);
	rig_kill(capture.pid, SIGTERM);
	rig_audit(&audit, "cap", &stats);
	ck_assert_uint_eq(audit.streams, kills + 1);
	ck_assert_uint_eq(audit.late, 0);
	ck_assert_uint_gt(stats.confirmed, 0);
	scratch_leave();
	report_gate("R06", "%u kills of a reader at %s, %" PRIu64 " sessions, %"
		    PRIu64 " written, %" PRIu64 " read", kills,
		    _i == RIG_TCP ? "tcp" : "unix", stats.sessions,
		    stats.written, audit.frames);
}
END_TEST

int
main(void)
{
	Suite *suite;
	TCase *tests;

	if (system("command -v fstrm_capture >/dev/null") != 0) {
		puts("SKIP: fstrm_capture is missing (Debian: apt-get install "
		     "fstrm-bin)");
		return 77;
	}
	suite = suite_create("fault_capture");
	tests = tcase_create("capture");
	tcase_set_timeout(tests, 240.0 * support_factor());
	tcase_add_loop_test(tests, halted_under_load_and_resumed, 0,
			    RIG_SCHEMES);
	tcase_add_loop_test(tests, halted_when_the_tap_stops, 0, RIG_SCHEMES);
	tcase_add_loop_test(tests, halted_for_longer_than_a_write_may_take, 0,
			    RIG_SCHEMES);
	tcase_add_loop_test(tests, halted_when_the_tap_is_to_reopen, 0,
			    RIG_SCHEMES);
	tcase_add_loop_test(tests, killed_again_and_again_under_load, 0,
			    RIG_SCHEMES);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
