/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tap under a time of day that jumps by years (F38), while the monotonic
 * clock goes on: waits, back-off and rotation go by the latter, and only the
 * names of files tell what the former said.
 *
 * The calls for the time of day are replaced when this program is linked.
 * libfaketime 0.9.10 would not do: under it pthread_cond_timedwait() with a
 * monotonic clock returns at once.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>

#include "rig.h"
#include "support/report.h"
#include "support/scratch.h"
#include "support/support.h"
#include "support/taps.h"

#define YEAR_SECONDS 31557600

static dtap__atomic(unsigned int) looks;

time_t
__real_time(time_t *now);

int
__real_clock_gettime(clockid_t clock, struct timespec *now);

time_t
__wrap_time(time_t *now);

int
__wrap_clock_gettime(clockid_t clock, struct timespec *now);

/* Another year whenever somebody looks: 10 years ahead, 10 back, as it is. */
static time_t
jump(void)
{
	static const int years[] = { 10, -10, 0 };
	unsigned int look = dtap__load_relaxed(&looks);

	dtap__store_relaxed(&looks, look + 1);
	return (time_t)years[look % 3] * YEAR_SECONDS;
}

time_t
__wrap_time(time_t *now)
{
	time_t seconds = __real_time(NULL) + jump();

	if (now != NULL)
		*now = seconds;
	return seconds;
}

int
__wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	int result = __real_clock_gettime(clock, now);

	if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
		now->tv_sec += jump();
	return result;
}

/* Years that files are named after, and how many files there are. */
static unsigned int
count_years(unsigned int *files)
{
	DIR *directory = opendir("d");
	struct dirent *entry;
	unsigned int count = 0;
	int seen[3] = { 0 };

	*files = 0;
	ck_assert_ptr_nonnull(directory);
	while ((entry = readdir(directory)) != NULL) {
		int year = atoi(entry->d_name);
		unsigned int i = 0;

		if (year == 0)
			continue;
		(*files)++;
		while (i < count && seen[i] != year)
			i++;
		/* At a turn of the year there may be more. */
		if (i == count && count < 3)
			seen[count++] = year;
	}
	closedir(directory);
	return count;
}

START_TEST(a_clock_that_jumps_by_years) /* F38 */
{
	/* Room for some seconds in which the disk is busy. */
	static const char *const options[] = { "rotate-seconds=1",
					       "ring-bytes=16M", NULL };
	struct dtap_stats stats;
	enum dtap_result result;
	struct rig_load load;
	struct audit audit;
	uint64_t start_ms;
	unsigned int files;
	uint64_t submitted, ms;
	dtap *tap;

	scratch_enter();
	ck_assert_int_eq(mkdir("d", 0700), 0);
	start_ms = rig_clock_ms();
	tap = taps_start("file:d/%Y", options);
	rig_load_start(&load, tap, 0, 100, 10);
	rig_until(taps_stats(tap).rotations >= 3);
	submitted = rig_load_end(&load);
	ms = rig_clock_ms() - start_ms;
	stats = rig_finish(&tap, 10000, &result);
	dtap_producer_close(&load.source.producer);
	ck_assert_int_eq(result, DTAP_OK);
	ck_assert_uint_eq(stats.written, submitted);
	ck_assert_uint_eq(stats.open_failures, 0);
	ck_assert_uint_eq(count_years(&files), 3);
	ck_assert_uint_eq(rig_audit_files(&audit, "d", NULL, &stats), files);
	ck_assert_uint_eq(audit.frames, submitted);
	ck_assert_uint_eq(audit.stops, files);
	/* As often as seconds went by, and not at every look. */
	ck_assert_uint_eq(files, stats.rotations + 1);
	ck_assert_uint_le(stats.rotations, ms / 1000 + 1);
	scratch_leave();
	report_fault("F38", "file", "%u jumps, %u files, %u frames",
		     dtap__load_relaxed(&looks), files,
		     (unsigned int)audit.frames);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("fault_clock");

	rig_init();
	support_add(suite, a_clock_that_jumps_by_years);
	return support_run(suite);
}
