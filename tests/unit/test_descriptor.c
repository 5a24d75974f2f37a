/* SPDX-License-Identifier: Apache-2.0 */
#include "output/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/scratch.h"
#include "support/support.h"

int
__real_fstat(int fd, struct stat *into);
int
__wrap_fstat(int fd, struct stat *into);

static int fstat_error; /* what it is to fail with, unless 0 */

int
__wrap_fstat(int fd, struct stat *into)
{
	errno = fstat_error;
	return fstat_error != 0 ? -1 : __real_fstat(fd, into);
}

static void
adopt_file(struct dtap__descriptor *descriptor, const char *path)
{
	int fd;

	scratch_write(path, "");
	fd = open(path, O_WRONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	dtap__descriptor_init(descriptor);
	ck_assert_int_eq(dtap__descriptor_adopt(descriptor, fd), 0);
}

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

START_TEST(owns_what_it_adopts)
{
	struct dtap__descriptor descriptor;
	int fd;

	scratch_enter();
	adopt_file(&descriptor, "a");
	fd = descriptor.fd;
	ck_assert(dtap__descriptor_check(&descriptor));
	ck_assert_int_eq(descriptor.fd, fd);
	dtap__descriptor_close(&descriptor);
	ck_assert_int_eq(descriptor.fd, -1);
	ck_assert(!is_open(fd));
	dtap__descriptor_close(&descriptor);
	ck_assert(!dtap__descriptor_check(&descriptor));
	scratch_leave();
}
END_TEST

START_TEST(adopting_nothing_fails_and_leaves_nothing)
{
	struct dtap__descriptor descriptor;

	dtap__descriptor_init(&descriptor);
	ck_assert(!is_open(100));
	ck_assert_int_eq(dtap__descriptor_adopt(&descriptor, 100), EBADF);
	ck_assert_int_eq(descriptor.fd, -1);
}
END_TEST

START_TEST(stays_away_from_standard_descriptors)
{
	struct dtap__descriptor descriptor;

	scratch_enter();
	close(STDIN_FILENO);
	adopt_file(&descriptor, "a");
	ck_assert_int_gt(descriptor.fd, STDERR_FILENO);
	ck_assert_int_eq(fcntl(descriptor.fd, F_GETFD), FD_CLOEXEC);
	ck_assert(!is_open(STDIN_FILENO));
	dtap__descriptor_close(&descriptor);
	scratch_leave();
}
END_TEST

START_TEST(neither_uses_nor_closes_a_foreign_file)
{
	struct dtap__descriptor descriptor;
	struct dtap__descriptor other;
	int fd;

	scratch_enter();
	adopt_file(&descriptor, "a");
	adopt_file(&other, "b");
	fd = descriptor.fd;
	ck_assert_int_eq(dup2(other.fd, fd), fd);
	ck_assert(!dtap__descriptor_check(&descriptor));
	ck_assert_int_eq(descriptor.fd, -1);
	dtap__descriptor_close(&descriptor);
	ck_assert(is_open(fd));

	descriptor.fd = fd;
	dtap__descriptor_close(&descriptor);
	ck_assert(is_open(fd));
	ck_assert_int_eq(descriptor.fd, -1);
	close(fd);
	dtap__descriptor_close(&other);
	scratch_leave();
}
END_TEST

START_TEST(notices_that_it_was_closed)
{
	struct dtap__descriptor descriptor;

	scratch_enter();
	adopt_file(&descriptor, "a");
	close(descriptor.fd);
	ck_assert(!dtap__descriptor_check(&descriptor));
	ck_assert_int_eq(descriptor.fd, -1);
	scratch_leave();
}
END_TEST

START_TEST(a_file_that_cannot_be_asked_is_not_left_open)
{
	struct dtap__descriptor descriptor;
	int fd;

	scratch_enter();
	adopt_file(&descriptor, "a");
	fd = descriptor.fd;
	fstat_error = EIO;
	ck_assert(dtap__descriptor_check(&descriptor));
	ck_assert_int_eq(descriptor.fd, fd);
	dtap__descriptor_close(&descriptor);
	ck_assert_int_eq(descriptor.fd, -1);
	ck_assert(!is_open(fd));
	scratch_leave();
}
END_TEST

START_TEST(a_file_that_cannot_be_asked_is_not_adopted)
{
	struct dtap__descriptor descriptor;
	int fd;

	scratch_enter();
	scratch_write("a", "");
	dtap__descriptor_init(&descriptor);
	fd = open("a", O_WRONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	fstat_error = EIO;
	ck_assert_int_eq(dtap__descriptor_adopt(&descriptor, fd), EIO);
	ck_assert_int_eq(descriptor.fd, -1);
	ck_assert(!is_open(fd));
	scratch_leave();
}
END_TEST

START_TEST(knows_its_own_name)
{
	struct dtap__descriptor descriptor;

	scratch_enter();
	adopt_file(&descriptor, "a");
	scratch_write("b", "");
	ck_assert(dtap__descriptor_is_at(&descriptor, "a"));
	ck_assert(!dtap__descriptor_is_at(&descriptor, "b"));
	ck_assert(!dtap__descriptor_is_at(&descriptor, "c"));
	ck_assert_int_eq(symlink("a", "link"), 0);
	ck_assert(!dtap__descriptor_is_at(&descriptor, "link"));
	dtap__descriptor_close(&descriptor);
	scratch_leave();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("descriptor");

	support_add(suite, owns_what_it_adopts);
	support_add(suite, adopting_nothing_fails_and_leaves_nothing);
	support_add(suite, stays_away_from_standard_descriptors);
	support_add(suite, neither_uses_nor_closes_a_foreign_file);
	support_add(suite, notices_that_it_was_closed);
	support_add(suite, a_file_that_cannot_be_asked_is_not_left_open);
	support_add(suite, a_file_that_cannot_be_asked_is_not_adopted);
	support_add(suite, knows_its_own_name);
	return support_run(suite);
}
