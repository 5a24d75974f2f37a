/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The output into a file, when the disk or the host does its worst.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support/outputs.h"
#include "support/scratch.h"
#include "support/support.h"

/* Stand in front of libc's and fail once with what is set here. */
static int next_write_errno;
static int next_sync_errno;
static int sync_calls;
static bool flock_late; /* a neighbour takes the file before we lock it */

ssize_t
writev(int fd, const struct iovec *parts, int count)
{
	if (next_write_errno != 0) {
		errno = next_write_errno;
		next_write_errno = 0;
		return -1;
	}
	return syscall(SYS_writev, fd, parts, count);
}

int
fdatasync(int fd)
{
	sync_calls++;
	if (next_sync_errno != 0) {
		errno = next_sync_errno;
		next_sync_errno = 0;
		return -1;
	}
	return (int)syscall(SYS_fdatasync, fd);
}

int
flock(int fd, int operation)
{
	if (flock_late) {
		ck_assert_int_eq(rename("x", "x.1"), 0);
		scratch_write("x", "the neighbour's");
		flock_late = false;
	}
	return (int)syscall(SYS_flock, fd, operation);
}

START_TEST(interrupted_write_is_repeated)
{
	struct dtap__output *output;

	scratch_enter();
	output = outputs_open_file("x");
	next_write_errno = EINTR;
	outputs_write_frame(output, "text");
	ck_assert_int_eq(next_write_errno, 0);
	output->ops->free(output);
	scratch_expect("x", "text");
	scratch_leave();
}
END_TEST

START_TEST(failed_write_names_its_cause_and_is_cut_back)
{
	static const int errors[] = {ENOSPC, EDQUOT, EIO};
	struct dtap__output *output;
	size_t taken;

	scratch_enter();
	output = outputs_new_file("x");
	for (size_t i = 0; i < 3; i++) {
		char text[128];

		ck_assert_int_eq(output->ops->open(output), DTAP_OK);
		outputs_write_frame(output, "whole");
		outputs_write_all(output, "half of a fr");
		next_write_errno = errors[i];
		ck_assert_int_eq(outputs_write(output, "ame", &taken),
				 DTAP_E_SYSTEM);
		ck_assert_uint_eq(taken, 0);
		ck_assert_int_eq(output->system_errno, errors[i]);
		snprintf(text, sizeof(text), "x: cannot be written: %s",
			 strerror(errors[i]));
		ck_assert_str_eq(output->error, text);
		output->ops->close(output);
		scratch_expect("x", "whole");
	}
	output->ops->free(output);
	scratch_expect("x.1", "whole");
	scratch_expect("x.2", "whole");
	scratch_leave();
}
END_TEST

START_TEST(failure_is_forgotten_by_the_next_file)
{
	struct dtap__output *output;
	size_t taken;

	scratch_enter();
	output = outputs_open_file("x");
	outputs_write_frame(output, "whole");
	next_write_errno = ENOSPC;
	ck_assert_int_eq(outputs_write(output, "x", &taken), DTAP_E_SYSTEM);
	output->ops->close(output);
	ck_assert_int_eq(output->ops->open(output), DTAP_OK);
	outputs_write_frame(output, "marked");
	output->ops->close(output);
	scratch_expect("x", "marked");
	output->ops->free(output);
	scratch_leave();
}
END_TEST

START_TEST(mark_is_forgotten_by_the_next_file)
{
	struct dtap__output *output;
	size_t taken;

	scratch_enter();
	output = outputs_open_file("x");
	outputs_write_frame(output, "whole");
	output->ops->close(output);
	ck_assert_int_eq(output->ops->open(output), DTAP_OK);
	outputs_write_all(output, "half a head");
	next_write_errno = ENOSPC;
	ck_assert_int_eq(outputs_write(output, "er", &taken), DTAP_E_SYSTEM);
	output->ops->free(output);
	ck_assert(!scratch_exists("x"));
	scratch_expect("x.1", "whole");
	scratch_leave();
}
END_TEST

START_TEST(file_moved_aside_before_it_was_locked_is_given_up)
{
	struct dtap__output *output;

	scratch_enter();
	output = outputs_new_file("x");
	flock_late = true;
	outputs_expect_refused(output, EBUSY,
			       "x: is in use by another writer: "
			       "Device or resource busy");
	scratch_expect("x", "the neighbour's");
	scratch_expect("x.1", "");
	output->ops->free(output);
	scratch_leave();
}
END_TEST

/* Check keeps its own records in a file, so no assertion in between. */
static void
limit_files(rlim_t bytes)
{
	struct rlimit limit;

	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
	setrlimit(RLIMIT_FSIZE, &limit);
}

/* A real limit: the kernel takes a part of the frame, then nothing. */
START_TEST(cut_at_every_octet_leaves_whole_frames)
{
	scratch_enter();
	signal(SIGXFSZ, SIG_IGN);
	for (rlim_t octets = 11; octets < 20; octets++) {
		struct dtap__output *output = outputs_open_file("x");
		enum dtap_result part, rest;
		size_t taken, none;

		outputs_write_frame(output, "0123456789");
		limit_files(octets);
		part = outputs_write(output, "abcdefghij", &taken);
		rest = outputs_write(output, "j", &none);
		limit_files(RLIM_INFINITY);
		ck_assert_int_eq(part, DTAP_OK);
		ck_assert_uint_eq(taken, octets - 10);
		ck_assert_int_eq(rest, DTAP_E_SYSTEM);
		ck_assert_uint_eq(none, 0);
		ck_assert_int_eq(output->system_errno, EFBIG);
		output->ops->free(output);
		scratch_expect("x", "0123456789");
	}
	scratch_leave();
}
END_TEST

START_TEST(close_cuts_off_what_no_mark_has_ended)
{
	struct dtap__output *output;

	scratch_enter();
	output = outputs_open_file("x");
	outputs_write_frame(output, "marked");
	outputs_write_all(output, " and whole; and not");
	output->ops->mark(output, strlen("; and not"));
	output->ops->free(output);
	scratch_expect("x", "marked and whole");
	scratch_leave();
}
END_TEST

START_TEST(cut_never_makes_a_file_longer)
{
	struct dtap__output *output;
	size_t taken;

	scratch_enter();
	output = outputs_open_file("x");
	outputs_write_frame(output, "a long frame that goes");
	ck_assert_int_eq(truncate("x", 0), 0);
	outputs_write_all(output, "new");
	next_write_errno = ENOSPC;
	ck_assert_int_eq(outputs_write(output, "er", &taken), DTAP_E_SYSTEM);
	output->ops->free(output);
	scratch_expect("x", "new");
	scratch_leave();
}
END_TEST

START_TEST(full_disk_leaves_no_empty_files)
{
	struct dtap__output *output;
	size_t taken;

	scratch_enter();
	output = outputs_new_file("x");
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(output->ops->open(output), DTAP_OK);
		ck_assert(scratch_exists("x"));
		outputs_write_all(output, "half a head");
		next_write_errno = ENOSPC;
		ck_assert_int_eq(outputs_write(output, "er", &taken),
				 DTAP_E_SYSTEM);
		output->ops->close(output);
		ck_assert(!scratch_exists("x"));
	}
	ck_assert(!scratch_exists("x.1"));
	output->ops->free(output);
	scratch_leave();
}
END_TEST

START_TEST(somebody_elses_file_is_not_removed)
{
	struct dtap__output *output;

	scratch_enter();
	output = outputs_open_file("x");
	ck_assert_int_eq(rename("x", "y"), 0);
	scratch_write("x", "");
	output->ops->free(output);
	ck_assert(scratch_exists("x"));
	ck_assert(scratch_exists("y"));
	scratch_leave();
}
END_TEST

START_TEST(sync_succeeds_as_often_as_wanted)
{
	struct dtap__output *output;

	scratch_enter();
	output = outputs_open_file("x");
	outputs_write_frame(output, "one");
	ck_assert_int_eq(output->ops->sync(output), DTAP_OK);
	next_sync_errno = EINTR;
	ck_assert_int_eq(output->ops->sync(output), DTAP_OK);
	ck_assert_int_eq(sync_calls, 3);
	output->ops->free(output);
	scratch_leave();
}
END_TEST

START_TEST(failed_sync_is_never_tried_again_on_that_file)
{
	struct dtap__output *output;

	scratch_enter();
	output = outputs_open_file("x");
	outputs_write_frame(output, "one");
	next_sync_errno = EIO;
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(output->ops->sync(output), DTAP_E_SYSTEM);
		ck_assert_int_eq(output->system_errno, EIO);
		ck_assert_str_eq(output->error,
				 "x: may not have reached the disk: "
				 "Input/output error");
	}
	ck_assert_int_eq(sync_calls, 1);
	output->ops->close(output);
	ck_assert_int_eq(output->ops->open(output), DTAP_OK);
	ck_assert_int_eq(output->ops->sync(output), DTAP_OK);
	ck_assert_int_eq(sync_calls, 2);
	output->ops->free(output);
	scratch_leave();
}
END_TEST

START_TEST(never_writes_into_a_foreign_file)
{
	struct dtap__output *output;
	size_t taken;
	int foreign;
	int fd;

	scratch_enter();
	scratch_write("zone", "");
	output = outputs_open_file("x");
	outputs_write_frame(output, "one");
	fd = output->ops->get_fd(output);
	foreign = open("zone", O_WRONLY);
	ck_assert_int_eq(dup2(foreign, fd), fd);
	ck_assert_int_eq(outputs_write(output, "two", &taken), DTAP_E_CLOSED);
	ck_assert_uint_eq(taken, 0);
	ck_assert_int_eq(output->system_errno, EBADF);
	ck_assert_int_eq(output->ops->get_fd(output), -1);
	ck_assert_int_eq(output->ops->sync(output), DTAP_E_CLOSED);
	ck_assert_int_eq(sync_calls, 0);
	output->ops->close(output);
	ck_assert_int_ge(fcntl(fd, F_GETFD), 0);
	scratch_expect("zone", "");

	ck_assert_int_eq(output->ops->open(output), DTAP_OK);
	output->ops->free(output);
	scratch_expect("x.1", "one");
	close(fd);
	close(foreign);
	scratch_leave();
}
END_TEST

START_TEST(close_spares_a_foreign_file)
{
	struct dtap__output *output;
	size_t taken;
	int fd;

	scratch_enter();
	scratch_write("zone", "zone data");
	output = outputs_open_file("x");
	fd = output->ops->get_fd(output);
	next_write_errno = EIO;
	ck_assert_int_eq(outputs_write(output, "two", &taken), DTAP_E_SYSTEM);
	close(fd);
	ck_assert_int_eq(open("zone", O_WRONLY), fd);
	output->ops->free(output);
	ck_assert_int_ge(fcntl(fd, F_GETFD), 0);
	scratch_expect("zone", "zone data");
	close(fd);
	scratch_leave();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("output_file_faults");

	support_add(suite, interrupted_write_is_repeated);
	support_add(suite, failed_write_names_its_cause_and_is_cut_back);
	support_add(suite, failure_is_forgotten_by_the_next_file);
	support_add(suite, mark_is_forgotten_by_the_next_file);
	support_add(suite, file_moved_aside_before_it_was_locked_is_given_up);
	support_add(suite, cut_at_every_octet_leaves_whole_frames);
	support_add(suite, close_cuts_off_what_no_mark_has_ended);
	support_add(suite, cut_never_makes_a_file_longer);
	support_add(suite, full_disk_leaves_no_empty_files);
	support_add(suite, somebody_elses_file_is_not_removed);
	support_add(suite, sync_succeeds_as_often_as_wanted);
	support_add(suite, failed_sync_is_never_tried_again_on_that_file);
	support_add(suite, never_writes_into_a_foreign_file);
	support_add(suite, close_spares_a_foreign_file);
	return support_run(suite);
}
