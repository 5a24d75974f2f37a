/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/outputs.h"
#include "support/scratch.h"
#include "support/support.h"

START_TEST(parts_go_in_in_order)
{
	struct dtap__output *output;
	struct iovec parts[] = {{"one ", 4}, {"", 0}, {"two ", 4}, {"x", 1}};
	size_t taken;

	scratch_enter();
	output = outputs_open_file("x");
	ck_assert_int_eq(output->ops->write(output, parts, 4, &taken), DTAP_OK);
	ck_assert_uint_eq(taken, 9);
	outputs_write_frame(output, " more");
	output->ops->free(output);
	scratch_expect("x", "one two x more");
	scratch_leave();
}
END_TEST

START_TEST(more_parts_than_the_system_takes_are_a_short_write)
{
	static struct iovec parts[IOV_MAX + 10];
	struct dtap__output *output;
	size_t taken;

	scratch_enter();
	for (int i = 0; i < IOV_MAX + 10; i++)
		parts[i] = (struct iovec){"x", 1};
	output = outputs_open_file("x");
	ck_assert_int_eq(
		output->ops->write(output, parts, IOV_MAX + 10, &taken),
		DTAP_OK);
	ck_assert_uint_eq(taken, IOV_MAX);
	output->ops->free(output);
	scratch_leave();
}
END_TEST

START_TEST(mode_does_not_depend_on_the_umask)
{
	static const mode_t masks[] = {0, 022, 077, 0777};
	struct dtap__output *output;
	struct stat status;
	char name[8];

	scratch_enter();
	for (size_t i = 0; i < 4; i++) {
		mode_t before = umask(masks[i]);

		snprintf(name, sizeof(name), "x%zu", i);
		output = outputs_open_file(name);
		umask(before);
		ck_assert_int_eq(stat(name, &status), 0);
		ck_assert_int_eq(status.st_mode & 07777, 0640);
		output->ops->free(output);
	}
	scratch_leave();
}
END_TEST

START_TEST(no_child_program_inherits_it)
{
	struct dtap__output *output;

	scratch_enter();
	output = outputs_open_file("x");
	ck_assert_int_eq(fcntl(output->ops->get_fd(output), F_GETFD),
			 FD_CLOEXEC);
	output->ops->free(output);
	scratch_leave();
}
END_TEST

START_TEST(existing_file_is_moved_aside)
{
	struct dtap__output *output;

	scratch_enter();
	scratch_write("x", "older");
	scratch_write("x.1", "oldest");
	output = outputs_open_file("x");
	outputs_write_frame(output, "new");
	output->ops->free(output);
	scratch_expect("x.1", "oldest");
	scratch_expect("x.2", "older");
	scratch_expect("x", "new");
	scratch_leave();
}
END_TEST

START_TEST(every_open_is_a_new_file)
{
	struct dtap__output *output;

	scratch_enter();
	output = outputs_open_file("x");
	for (int i = 0; i < 3; i++) {
		outputs_write_frame(output, i == 0 ? "a" : i == 1 ? "b" : "c");
		output->ops->close(output);
		ck_assert_int_eq(output->ops->get_fd(output), -1);
		ck_assert_int_eq(output->ops->open(output), DTAP_OK);
	}
	outputs_write_frame(output, "d");
	output->ops->free(output);
	scratch_expect("x.1", "a");
	scratch_expect("x.2", "b");
	scratch_expect("x.3", "c");
	scratch_expect("x", "d");
	scratch_leave();
}
END_TEST

START_TEST(name_comes_from_the_clock)
{
	struct dtap__output *output;
	char early[64], late[64];
	struct tm utc;
	time_t now;

	scratch_enter();
	setenv("TZ", "Pacific/Auckland", 1);
	now = time(NULL);
	strftime(early, sizeof(early), "x-%Y%m%dT%H", gmtime_r(&now, &utc));
	output = outputs_open_file("x-%Y%m%dT%H");
	now = time(NULL);
	strftime(late, sizeof(late), "x-%Y%m%dT%H", gmtime_r(&now, &utc));
	ck_assert(scratch_exists(early) || scratch_exists(late));
	output->ops->free(output);
	scratch_leave();
}
END_TEST

START_TEST(links_are_refused)
{
	struct dtap__output *output;

	scratch_enter();
	scratch_write("target", "text");
	ck_assert_int_eq(symlink("target", "x"), 0);
	output = outputs_new_file("x");
	outputs_expect_refused(output, EEXIST,
			       "x: is not a regular file: File exists");
	unlink("x");
	ck_assert_int_eq(symlink("nowhere", "x"), 0);
	outputs_expect_refused(output, EEXIST,
			       "x: is not a regular file: File exists");
	ck_assert(!scratch_exists("nowhere"));
	scratch_expect("target", "text");
	output->ops->free(output);
	scratch_leave();
}
END_TEST

/* Not a device of this machine: a defect would rename it. */
START_TEST(pipes_are_refused)
{
	struct dtap__output *output;

	scratch_enter();
	ck_assert_int_eq(mkfifo("x", 0600), 0);
	output = outputs_new_file("x");
	outputs_expect_refused(output, EEXIST,
			       "x: is not a regular file: File exists");
	output->ops->free(output);
	ck_assert(scratch_exists("x"));
	scratch_leave();
}
END_TEST

START_TEST(missing_directory_is_named)
{
	struct dtap__output *output;

	scratch_enter();
	output = outputs_new_file("no/x");
	outputs_expect_refused(output, ENOENT,
			       "no/x: cannot be created: "
			       "No such file or directory");
	ck_assert_int_eq(mkdir("no", 0700), 0);
	ck_assert_int_eq(output->ops->open(output), DTAP_OK);
	output->ops->free(output);
	scratch_leave();
}
END_TEST

START_TEST(names_that_are_too_long_are_refused)
{
	char name[PATH_MAX + 1];
	struct dtap__output *output;

	scratch_enter();
	memset(name, 'n', PATH_MAX);
	name[PATH_MAX] = '\0';
	output = outputs_new_file(name);
	ck_assert_int_eq(output->ops->open(output), DTAP_E_SYSTEM);
	ck_assert_int_eq(output->system_errno, ENAMETOOLONG);
	output->ops->free(output);

	name[NAME_MAX + 1] = '\0';
	output = outputs_new_file(name);
	ck_assert_int_eq(output->ops->open(output), DTAP_E_SYSTEM);
	ck_assert_int_eq(output->system_errno, ENAMETOOLONG);
	output->ops->free(output);
	scratch_leave();
}
END_TEST

START_TEST(second_writer_is_refused)
{
	struct dtap__output *first, *second;

	scratch_enter();
	first = outputs_open_file("x");
	outputs_write_frame(first, "one");
	second = outputs_new_file("x");
	outputs_expect_refused(second, EBUSY,
			       "x: is in use by another writer: "
			       "Device or resource busy");
	outputs_write_frame(first, " and more");
	first->ops->free(first);
	scratch_expect("x", "one and more");
	ck_assert(!scratch_exists("x.1"));
	ck_assert_int_eq(second->ops->open(second), DTAP_OK);
	second->ops->free(second);
	scratch_expect("x.1", "one and more");
	scratch_leave();
}
END_TEST

/* A child that a daemon has forked shares the lock and never gives it up. */
START_TEST(forked_child_does_not_hold_up_rotation)
{
	struct dtap__output *output;
	pid_t child;

	scratch_enter();
	output = outputs_open_file("x");
	outputs_write_frame(output, "one");
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		alarm(60);
		pause();
		_exit(0);
	}
	output->ops->close(output);
	ck_assert_int_eq(output->ops->open(output), DTAP_OK);
	output->ops->free(output);
	kill(child, SIGKILL);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	scratch_expect("x.1", "one");
	scratch_leave();
}
END_TEST

START_TEST(due_by_size)
{
	struct dtap__output *output;

	scratch_enter();
	output = dtap__output_file_new("x", 0640, 10, 0);
	ck_assert(output->ops->room(output, DTAP__NEVER) > 0);
	ck_assert_int_eq(output->ops->open(output), DTAP_OK);
	outputs_write_frame(output, "head");
	outputs_write_frame(output, "12345");
	ck_assert(output->ops->room(output, DTAP__NEVER) > 0);
	outputs_write_frame(output, "6");
	ck_assert(output->ops->room(output, DTAP__NEVER) == 0);
	output->ops->close(output);
	ck_assert(output->ops->room(output, DTAP__NEVER) > 0);
	ck_assert_int_eq(output->ops->open(output), DTAP_OK);
	outputs_write_frame(output, "a longer head");
	ck_assert(output->ops->room(output, DTAP__NEVER) > 0);
	output->ops->free(output);
	scratch_leave();
}
END_TEST

START_TEST(due_by_age_unless_idle)
{
	struct dtap__output *output;
	uint64_t before, after;

	scratch_enter();
	output = dtap__output_file_new("x", 0640, 0, 60);
	before = dtap__clock_monotonic_ns();
	ck_assert_int_eq(output->ops->open(output), DTAP_OK);
	after = dtap__clock_monotonic_ns();
	ck_assert(output->ops->room(output, DTAP__NEVER) > 0);
	outputs_write_frame(output, "head");
	ck_assert(output->ops->room(output, DTAP__NEVER) > 0);
	outputs_write_frame(output, "1");
	ck_assert(output->ops->room(output, 0) > 0);
	ck_assert(output->ops->room(output,
				    before + 60 * DTAP__NS_PER_SEC - 1) > 0);
	ck_assert(output->ops->room(output,
				    after + 60 * DTAP__NS_PER_SEC) == 0);
	output->ops->free(output);
	scratch_leave();
}
END_TEST

START_TEST(never_due_when_not_asked_for)
{
	struct dtap__output *output;

	scratch_enter();
	output = outputs_open_file("x");
	outputs_write_frame(output, "head");
	outputs_write_frame(output, "1");
	ck_assert(output->ops->room(output, DTAP__NEVER) > 0);
	output->ops->free(output);
	scratch_leave();
}
END_TEST

START_TEST(unopened_one_can_be_closed_and_freed)
{
	struct dtap__output *output = outputs_new_file("x");
	const struct dtap__output_ops *ops = output->ops;
	size_t taken;

	ops->close(output);
	ck_assert_int_eq(outputs_write(output, "x", &taken), DTAP_E_CLOSED);
	ck_assert(!scratch_exists("x"));
	ops->free(output);
	ops->free(NULL);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("output_file");

	support_add(suite, parts_go_in_in_order);
	support_add(suite, more_parts_than_the_system_takes_are_a_short_write);
	support_add(suite, mode_does_not_depend_on_the_umask);
	support_add(suite, no_child_program_inherits_it);
	support_add(suite, existing_file_is_moved_aside);
	support_add(suite, every_open_is_a_new_file);
	support_add(suite, name_comes_from_the_clock);
	support_add(suite, links_are_refused);
	support_add(suite, pipes_are_refused);
	support_add(suite, missing_directory_is_named);
	support_add(suite, names_that_are_too_long_are_refused);
	support_add(suite, second_writer_is_refused);
	support_add(suite, forked_child_does_not_hold_up_rotation);
	support_add(suite, due_by_size);
	support_add(suite, due_by_age_unless_idle);
	support_add(suite, never_due_when_not_asked_for);
	support_add(suite, unopened_one_can_be_closed_and_freed);
	return support_run(suite);
}
