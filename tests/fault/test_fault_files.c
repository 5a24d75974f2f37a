/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tap that writes files where it should not be able to: F06 a directory
 * that is not there, F14 a limit on the size of files.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "rig.h"
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
	ck_assert_ptr_nonnull(strstr(log.last, "late/x"));
	ck_assert_ptr_nonnull(strstr(log.last, strerror(ENOENT)));
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
	ck_assert_uint_eq(audit.frames, 1000);
	ck_assert_uint_eq(audit.missing, 0);
	scratch_leave();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("fault_files");

	rig_init();
	support_add(suite, a_directory_that_comes_late);
	support_add(suite, a_limit_on_the_size_of_files);
	return support_run(suite);
}
