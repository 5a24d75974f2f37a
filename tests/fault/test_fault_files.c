/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tap that writes files, and what can come between: F06 a directory that is
 * not there, F14 a limit on the size of files, F17 reopening under load, F19
 * and F20 a process that is killed and started again.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rig.h"
#include "support/report.h"
#include "support/scratch.h"
#include "support/support.h"
#include "support/taps.h"

#define HASTE "reconnect-min-ms=10", "reconnect-max-ms=40"

START_TEST(a_directory_that_comes_late) /* F06 */
{
	static const char *const options[] = { HASTE, NULL };
	static struct rig_log log;
	struct rig_source source;
	struct dtap_stats stats;
	enum dtap_result result;
	struct audit audit;
	dtap *tap;

	scratch_enter();
	tap = rig_start_logging("file:late/x", options, &log);
	rig_source_open(&source, tap, 0, 200);
	rig_submit_many(&source, 1000);
	rig_until(taps_stats(tap).open_failures >= 5);
	rig_expect_rest("no directory");
	ck_assert_uint_eq(dtap__load_relaxed(&log.lines), 1);
	ck_assert_ptr_nonnull(strstr(rig_last_line(&log), "late/x"));
	ck_assert_ptr_nonnull(strstr(rig_last_line(&log), strerror(ENOENT)));
	ck_assert_int_eq(mkdir("late", 0700), 0);
	rig_until(taps_stats(tap).written == 1000);
	stats = rig_finish(&tap, 10000, &result);
	dtap_producer_close(&source.producer);
	ck_assert_int_eq(result, DTAP_OK);
	ck_assert_uint_eq(stats.confirmed, 1000);
	ck_assert_uint_eq(rig_audit_files(&audit, "late", NULL, &stats), 1);
	ck_assert_uint_eq(audit.frames, 1000);
	scratch_leave();
}
END_TEST

START_TEST(a_limit_on_the_size_of_files) /* F14 */
{
	static const char *const options[] = { HASTE, NULL };
	struct rlimit small = { 65536, RLIM_INFINITY };
	struct rig_source source;
	struct dtap_stats stats;
	enum dtap_result result;
	struct audit audit;
	unsigned int files;
	dtap *tap;

	scratch_enter();
	ck_assert_int_eq(mkdir("limited", 0700), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	signal(SIGXFSZ, SIG_DFL);
	tap = taps_start("file:limited/x", options);
	rig_source_open(&source, tap, 0, 500);
	rig_submit_many(&source, 1000);
	rig_until(taps_stats(tap).in_ring == 0);
	ck_assert_int_eq(taps_stats(tap).last_errno, EFBIG);
	stats = rig_finish(&tap, 10000, &result);
	dtap_producer_close(&source.producer);
	ck_assert_int_eq(result, DTAP_OK);
	ck_assert_uint_eq(stats.written, 1000);
	files = rig_audit_files(&audit, "limited", NULL, &stats);
	ck_assert_uint_eq(files, stats.broken_sessions + 1);
	ck_assert_uint_eq(audit.torn, 0);
	ck_assert_uint_eq(audit.frames, 1000);
	ck_assert_uint_eq(audit.missing, 0);
	scratch_leave();
}
END_TEST

START_TEST(reopening_under_load) /* F17, R16 */
{
	static const char *const options[] = { HASTE, "ring-bytes=16M",
					       "rotate-bytes=128K", NULL };
	uint64_t reopens = 1000 * support_factor();
	enum dtap_result result;
	struct dtap_stats stats;
	struct rig_load load[2];
	struct audit audit;
	unsigned int files;
	uint64_t submitted;
	dtap *tap;

	scratch_enter();
	ck_assert_int_eq(mkdir("d", 0700), 0);
	tap = taps_start("file:d/x", options);
	for (unsigned int i = 0; i < 2; i++)
		rig_load_start(&load[i], tap, i, 500, 10);
	while (taps_stats(tap).rotations < reopens) {
		ck_assert_int_eq(dtap_reopen(tap), DTAP_OK);
		rig_nap_ms(1);
	}
	submitted = rig_load_end(&load[0]) + rig_load_end(&load[1]);
	stats = rig_finish(&tap, 60000, &result);
	for (int i = 0; i < 2; i++)
		dtap_producer_close(&load[i].source.producer);
	ck_assert_int_eq(result, DTAP_OK);
	ck_assert_uint_eq(stats.broken_sessions, 0);
	ck_assert_uint_eq(stats.confirmed, stats.written);
	ck_assert_uint_eq(stats.written + stats.dropped_full, submitted);
	files = rig_audit_files(&audit, "d", NULL, &stats);
	ck_assert_uint_eq(files, stats.rotations + 1);
	ck_assert_uint_eq(audit.stops, files);
	ck_assert_uint_eq(audit.frames, stats.written);
	ck_assert_uint_eq(audit.missing, stats.dropped_full);
	scratch_leave();
	report_gate("R16", "%u rotations under load", files - 1);
	report_fault("F17", "file", "%u rotations, %llu frames", files - 1,
		     (unsigned long long)audit.frames);
}
END_TEST

/* What one that is to be killed says in time. */
struct legacy {
	dtap__atomic(uint64_t) written;
};

/* Writes to "d/x" until it is killed. */
static void
write_for_ever(struct legacy *legacy, int burst)
{
	static const char *const options[] = { "latency-ms=1", NULL };
	dtap *tap = taps_start("file:d/x", options);
	struct rig_source source;

	rig_source_open(&source, tap, 0, 300);
	for (;;) {
		/* A number again that the ring had no room for. */
		for (int i = 0; i < burst; i++)
			if (rig_submit(&source) != DTAP_OK)
				source.sequence--;
		dtap__store_relaxed(&legacy->written,
				    taps_stats(tap).written);
		rig_nap_us(500);
	}
}

static void
name_aside(unsigned int n, char *into, size_t room)
{
	snprintf(into, room, "d/x.%u", n);
}

/* Whether the n-th process, from 1 on, has made its file this large. */
static bool
has_reached(unsigned int n, off_t bytes)
{
	struct stat status;
	char aside[32];

	name_aside(n - 1, aside, sizeof(aside));
	return (n == 1 || access(aside, F_OK) == 0) &&
	       stat("d/x", &status) == 0 && status.st_size >= bytes;
}

/* All that was written up to some moment, and perhaps half a frame. */
static void
expect_prefix(struct audit *all, const char *path, uint64_t written)
{
	static struct audit audit;

	memset(&audit, 0, sizeof(audit));
	ck_assert_msg(audit_add(&audit, path), "%s", audit.error);
	audit_end(&audit);
	ck_assert_uint_eq(audit.missing, 0);
	ck_assert_uint_eq(audit.late, 0);
	ck_assert_uint_eq(audit.repeated, 0);
	ck_assert_uint_eq(audit.cut, 1);
	ck_assert_uint_ge(audit.frames, written);
	all->frames += audit.frames;
	all->torn += audit.torn;
}

/* At any moment: at the file's birth, at its first frames, or later. */
static void
kill_at_random(pid_t child, unsigned int n, uint64_t *random)
{
	static const off_t bytes[] = { 0, 1, 4096, 4096 };

	rig_until(has_reached(n, bytes[rig_random(random) % 4]));
	rig_nap_us((unsigned int)(rig_random(random) % 5000));
	rig_kill(child, SIGKILL);
}

START_TEST(killed_while_writing_and_started_again) /* F19, F20, R5 */
{
	unsigned int kills = 200 * support_factor();
	uint64_t random = rig_seed();
	struct legacy *legacies;
	struct audit all = { 0 };
	uint64_t told = 0;
	char aside[32];

	scratch_enter();
	ck_assert_int_eq(mkdir("d", 0700), 0);
	legacies = mmap(NULL, kills * sizeof(*legacies),
			PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
			0);
	ck_assert_ptr_ne(legacies, MAP_FAILED);
	for (unsigned int n = 1; n <= kills; n++) {
		pid_t child = rig_fork();

		if (child == 0)
			write_for_ever(&legacies[n - 1], n % 2 ? 20 : 500);
		kill_at_random(child, n, &random);
	}
	name_aside(kills, aside, sizeof(aside));
	ck_assert_int_eq(rename("d/x", aside), 0);
	for (unsigned int n = 1; n <= kills; n++) {
		uint64_t written =
			dtap__load_relaxed(&legacies[n - 1].written);

		name_aside(n, aside, sizeof(aside));
		expect_prefix(&all, aside, written);
		told += written;
	}
	ck_assert_uint_gt(told, 0);
	munmap(legacies, kills * sizeof(*legacies));
	scratch_leave();
	report_gate("R05", "%u kills, %" PRIu64 " frames known to be written, "
		    "%" PRIu64 " recovered, %" PRIu64 " files end within one",
		    kills, told, all.frames, all.torn);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("fault_files");

	rig_init();
	support_add(suite, a_directory_that_comes_late);
	support_add(suite, a_limit_on_the_size_of_files);
	support_add(suite, reopening_under_load);
	support_add(suite, killed_while_writing_and_started_again);
	return support_run(suite);
}
