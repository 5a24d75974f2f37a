/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tap that writes to a disk that is full (F10), a small tmpfs of the test's
 * own: nothing that was there is lost, no file ends within a frame, and when
 * there is room again the tap goes on by itself.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rig.h"
#include "support/scratch.h"
#include "support/support.h"
#include "support/taps.h"

#define HASTE "reconnect-min-ms=10", "reconnect-max-ms=40"
#define DISK "size=512k"
#define FILLER_BYTES (256 * 1024)

/* Whether this process may mount; tried in a child. */
static bool
may_mount(void)
{
	char path[] = "disk-XXXXXX";
	int status = -1;
	pid_t child;

	if (mkdtemp(path) == NULL)
		return false;
	rmdir(path);
	child = fork();
	if (child == 0)
		_exit(rig_mount_disk(path, DISK) ? EXIT_SUCCESS : EXIT_FAILURE);
	waitpid(child, &status, 0);
	rmdir(path);
	return status == 0;
}

static void
make_filler(void)
{
	static char octets[FILLER_BYTES];
	FILE *file = fopen("disk/filler", "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(octets, 1, sizeof(octets), file),
			  sizeof(octets));
	ck_assert_int_eq(fclose(file), 0);
	/* Where no capture is looked for. */
	ck_assert_int_eq(mkdir("disk/other", 0700), 0);
	ck_assert_int_eq(rename("disk/filler", "disk/other/filler"), 0);
}

/* A tap into disk/x, on a disk that has become full. */
static void
fill_disk(dtap **tap, struct rig_source *source, const char *const *options)
{
	scratch_enter();
	ck_assert(rig_mount_disk("disk", DISK));
	make_filler();
	scratch_write("disk/x", "not ours, and to be kept");
	*tap = taps_start("file:disk/x", options);
	rig_source_open(source, *tap, 0, 500);
	while (taps_stats(*tap).last_errno != ENOSPC) {
		rig_submit_many(source, 10);
		rig_nap_ms(1);
	}
	rig_submit_many(source, 1000);
	ck_assert_uint_gt(taps_stats(*tap).dropped_full, 0);
	rig_expect_rest("full disk");
}

static void
make_room(void)
{
	ck_assert_int_eq(unlink("disk/other/filler"), 0);
}

static void
expect_kept(void)
{
	scratch_expect("disk/x.1", "not ours, and to be kept");
	ck_assert_int_eq(umount("disk"), 0);
	scratch_leave();
}

static const char *const ways[][5] = {
	{ HASTE, "ring-bytes=64K", NULL },
	{ HASTE, "ring-bytes=64K", "rotate-bytes=64K", NULL },
};

START_TEST(a_full_disk_that_has_room_again) /* F10, F17, F19 */
{
	struct dtap_stats stats;
	struct rig_source source;
	enum dtap_result result;
	struct audit audit;
	unsigned int files;
	dtap *tap;

	fill_disk(&tap, &source, ways[_i]);
	make_room();
	rig_until(taps_stats(tap).in_ring == 0);
	rig_submit_many(&source, 50);
	rig_until(taps_stats(tap).in_ring == 0);
	stats = rig_finish(&tap, 10000, &result);
	dtap_producer_close(&source.producer);
	ck_assert_int_eq(result, DTAP_OK);
	ck_assert_uint_gt(stats.confirmed, 0);
	ck_assert_uint_eq(stats.submitted, stats.written + stats.dropped_full);
	files = rig_audit_files(&audit, "disk", "x.1", &stats);
	ck_assert_uint_eq(audit.torn, 0);
	ck_assert_uint_eq(audit.frames, stats.written);
	ck_assert_uint_eq(audit.missing, stats.dropped_full);
	printf("%u files, %llu of them broken off, %llu frames\n", files,
	       (unsigned long long)stats.broken_sessions,
	       (unsigned long long)audit.frames);
	ck_assert_uint_le(files, stats.sessions);
	expect_kept();
}
END_TEST

START_TEST(a_full_disk_when_the_tap_stops) /* F10, F30 */
{
	struct dtap_stats stats;
	struct rig_source source;
	enum dtap_result result;
	struct audit audit;
	dtap *tap;

	fill_disk(&tap, &source, ways[_i]);
	stats = rig_finish(&tap, 300, &result);
	dtap_producer_close(&source.producer);
	ck_assert_int_eq(result, DTAP_E_TIMEOUT);
	ck_assert_uint_gt(stats.lost_shutdown, 0);
	ck_assert_uint_eq(stats.submitted, stats.written + stats.dropped_full +
						   stats.lost_shutdown);
	rig_audit_files(&audit, "disk", "x.1", &stats);
	ck_assert_uint_eq(audit.torn, 0);
	ck_assert_uint_eq(audit.frames, stats.written);
	expect_kept();
}
END_TEST

int
main(void)
{
	Suite *suite;
	TCase *tests;

	if (!may_mount()) {
		puts("SKIP: a tmpfs cannot be mounted here, neither as root "
		     "nor in a user name space");
		return 77;
	}
	suite = suite_create("fault_disk");
	tests = tcase_create("disk");
	rig_init();
	tcase_set_timeout(tests, 120);
	tcase_add_loop_test(tests, a_full_disk_that_has_room_again, 0, 2);
	tcase_add_loop_test(tests, a_full_disk_when_the_tap_stops, 0, 2);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
