/* SPDX-License-Identifier: Apache-2.0 */
#include "output/output_rotate.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support/scratch.h"
#include "support/support.h"

/* Stands in front of libc's, to be a race or an old file system. */
static enum {
	RENAME_WORKS,
	RENAME_LATE,
	RENAME_UNKNOWN
} rename_mood;

int
renameat2(int from_fd, const char *from, int to_fd, const char *to,
	  unsigned int flags)
{
	if (rename_mood == RENAME_LATE)
		scratch_write(to, "somebody else's");
	rename_mood = rename_mood == RENAME_LATE ? RENAME_WORKS : rename_mood;
	if (rename_mood == RENAME_UNKNOWN) {
		errno = EINVAL;
		return -1;
	}
	return (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, flags);
}

/* And this one, to be a neighbour who is quicker. */
static bool flock_late;

int
flock(int fd, int operation)
{
	if (flock_late) {
		ck_assert_int_eq(rename("x", "y"), 0);
		scratch_write("x", "somebody else's");
		flock_late = false;
	}
	return (int)syscall(SYS_flock, fd, operation);
}

static void
expect_moved(const char *path)
{
	const char *problem;

	ck_assert_int_eq(dtap__output_rotate_move_aside(path, &problem), 0);
	ck_assert(!scratch_exists(path));
}

static void
expect_refused(const char *path, int error, const char *text)
{
	const char *problem = "";

	ck_assert_int_eq(dtap__output_rotate_move_aside(path, &problem), error);
	ck_assert_str_eq(problem, text);
	ck_assert(scratch_exists(path));
}

START_TEST(name_is_expanded_in_utc)
{
	char name[64];

	setenv("TZ", "Pacific/Auckland", 1);
	ck_assert_int_eq(dtap__output_rotate_name("/a/%Y%m%d-%H%M%S.%%.fstrm",
						  86399, name, sizeof(name)),
			 0);
	ck_assert_str_eq(name, "/a/19700101-235959.%.fstrm");
}
END_TEST

START_TEST(name_has_to_fit)
{
	char name[5];

	ck_assert_int_eq(dtap__output_rotate_name("%Y", 0, name, sizeof(name)),
			 0);
	ck_assert_str_eq(name, "1970");
	ck_assert_int_eq(dtap__output_rotate_name("%Yx", 0, name, sizeof(name)),
			 ENAMETOOLONG);
	ck_assert_int_eq(dtap__output_rotate_name("", 0, name, sizeof(name)),
			 EINVAL);
}
END_TEST

START_TEST(numbers_count_up)
{
	scratch_enter();
	scratch_write("x", "first");
	expect_moved("x");
	scratch_write("x", "second");
	expect_moved("x");
	scratch_write("x", "");
	expect_moved("x");
	scratch_expect("x.1", "first");
	scratch_expect("x.2", "second");
	scratch_expect("x.3", "");
	scratch_leave();
}
END_TEST

START_TEST(number_is_above_the_highest_also_with_holes)
{
	scratch_enter();
	scratch_write("x.2", "older");
	scratch_write("x.10", "old");
	scratch_write("x", "young");
	expect_moved("x");
	scratch_expect("x.11", "young");
	scratch_expect("x.10", "old");
	scratch_expect("x.2", "older");
	ck_assert(!scratch_exists("x.1"));
	scratch_leave();
}
END_TEST

START_TEST(names_that_only_look_alike_do_not_count)
{
	static const char *const alike[] = {
		"x.07", "x.8a",	 "x.",	  "x.-9", "x8",
		"y.9",	"xx.10", "x.1.2", "x. 5", "x.9999999999999999999",
	};

	scratch_enter();
	for (size_t i = 0; i < sizeof(alike) / sizeof(alike[0]); i++)
		scratch_write(alike[i], "");
	scratch_write("x", "text");
	expect_moved("x");
	scratch_expect("x.1", "text");
	scratch_leave();
}
END_TEST

/* More names than one read of the directory returns. */
START_TEST(number_is_found_in_a_large_directory)
{
	char name[64];

	scratch_enter();
	for (int i = 1; i <= 600; i++) {
		snprintf(name, sizeof(name), "a-rather-long-name.%d000", i);
		scratch_write(name, "");
	}
	scratch_write("a-rather-long-name", "text");
	expect_moved("a-rather-long-name");
	scratch_expect("a-rather-long-name.600001", "text");
	scratch_leave();
}
END_TEST

START_TEST(other_directories_work)
{
	char here[PATH_MAX - 16];
	char path[PATH_MAX];

	scratch_enter();
	ck_assert_int_eq(mkdir("d", 0700), 0);
	scratch_write("d/x.4", "");
	scratch_write("d/x", "one");
	expect_moved("d/x");
	scratch_expect("d/x.5", "one");

	ck_assert_ptr_nonnull(getcwd(here, sizeof(here)));
	snprintf(path, sizeof(path), "%s/d/x", here);
	scratch_write("d/x", "two");
	expect_moved(path);
	scratch_expect("d/x.6", "two");
	scratch_leave();
}
END_TEST

START_TEST(nothing_there_is_fine)
{
	scratch_enter();
	expect_moved("x");
	ck_assert(!scratch_exists("x.1"));
	scratch_leave();
}
END_TEST

START_TEST(only_regular_files_are_moved)
{
	static const char text[] = "is not a regular file";

	scratch_enter();
	scratch_write("target", "text");
	ck_assert_int_eq(symlink("target", "link"), 0);
	ck_assert_int_eq(symlink("nowhere", "dangling"), 0);
	ck_assert_int_eq(mkdir("directory", 0700), 0);
	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	expect_refused("link", EEXIST, text);
	expect_refused("dangling", EEXIST, text);
	expect_refused("directory", EEXIST, text);
	expect_refused("fifo", EEXIST, text);
	scratch_expect("target", "text");
	ck_assert(!scratch_exists("link.1"));
	scratch_leave();
}
END_TEST

START_TEST(file_of_a_living_writer_stays)
{
	int fd;

	scratch_enter();
	scratch_write("x", "text");
	fd = open("x", O_WRONLY);
	ck_assert_int_eq(flock(fd, LOCK_EX), 0);
	expect_refused("x", EBUSY, "is in use by another writer");
	close(fd);
	expect_moved("x");
	scratch_expect("x.1", "text");
	scratch_leave();
}
END_TEST

START_TEST(file_that_has_just_taken_the_name_stays)
{
	scratch_enter();
	scratch_write("x", "text");
	flock_late = true;
	expect_refused("x", EBUSY, "cannot be moved aside");
	scratch_expect("x", "somebody else's");
	scratch_expect("y", "text");
	scratch_leave();
}
END_TEST

START_TEST(number_needs_room_in_the_name)
{
	char name[NAME_MAX + 1];

	scratch_enter();
	memset(name, 'n', NAME_MAX);
	name[NAME_MAX] = '\0';
	scratch_write(name, "text");
	expect_refused(name, ENAMETOOLONG, "cannot be moved aside");
	scratch_expect(name, "text");
	scratch_leave();
}
END_TEST

START_TEST(number_taken_at_the_last_moment_is_not_overwritten)
{
	scratch_enter();
	scratch_write("x", "text");
	rename_mood = RENAME_LATE;
	expect_moved("x");
	scratch_expect("x.1", "somebody else's");
	scratch_expect("x.2", "text");
	scratch_leave();
}
END_TEST

START_TEST(file_system_without_renameat2_will_do)
{
	scratch_enter();
	scratch_write("x.1", "old");
	scratch_write("x", "text");
	rename_mood = RENAME_UNKNOWN;
	expect_moved("x");
	scratch_expect("x.1", "old");
	scratch_expect("x.2", "text");
	scratch_leave();
}
END_TEST

START_TEST(by_link_moves_and_never_overwrites)
{
	scratch_enter();
	scratch_write("a", "one");
	scratch_write("b", "two");
	ck_assert_int_eq(dtap__output_rotate_by_link("a", "b"), EEXIST);
	scratch_expect("a", "one");
	scratch_expect("b", "two");
	ck_assert_int_eq(dtap__output_rotate_by_link("a", "c"), 0);
	scratch_expect("c", "one");
	ck_assert(!scratch_exists("a"));
	ck_assert_int_eq(dtap__output_rotate_by_link("a", "d"), ENOENT);
	scratch_leave();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("output_rotate");

	support_add(suite, name_is_expanded_in_utc);
	support_add(suite, name_has_to_fit);
	support_add(suite, numbers_count_up);
	support_add(suite, number_is_above_the_highest_also_with_holes);
	support_add(suite, names_that_only_look_alike_do_not_count);
	support_add(suite, number_is_found_in_a_large_directory);
	support_add(suite, other_directories_work);
	support_add(suite, nothing_there_is_fine);
	support_add(suite, only_regular_files_are_moved);
	support_add(suite, file_of_a_living_writer_stays);
	support_add(suite, file_that_has_just_taken_the_name_stays);
	support_add(suite, number_needs_room_in_the_name);
	support_add(suite, number_taken_at_the_last_moment_is_not_overwritten);
	support_add(suite, file_system_without_renameat2_will_do);
	support_add(suite, by_link_moves_and_never_overwrites);
	return support_run(suite);
}
