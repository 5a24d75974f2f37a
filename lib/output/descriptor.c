/* SPDX-License-Identifier: Apache-2.0 */
/*
 * descriptor.c: see descriptor.h.
 *
 * The library lives in other people's processes, and daemons do close every
 * descriptor they do not know. The number is then given to the next file the
 * host opens, and frames would go into a zone file or a client's connection.
 * So device and inode are noted when the file is opened and compared before
 * each use. fstat() costs about 0.2 us, once per batch. A host that closes
 * and opens between check and use still wins the race; what is left is a
 * window of nanoseconds instead of the rest of the process's life.
 *
 * fstat() that fails with anything but EBADF says that there is a file which
 * cannot be asked just now: a server of network files that has gone away, a
 * FUSE daemon that has died. It is taken for ours. Had we left it alone, it
 * would stay open for good, and with it the lock that keeps the next writer
 * out; what is written to it fails by itself.
 *
 * The standard descriptors are avoided for the same reason the other way
 * round: a host that runs without them and prints must not print into us.
 */
#include "output/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

void
dtap__descriptor_init(struct dtap__descriptor *descriptor)
{
	*descriptor = (struct dtap__descriptor){.fd = -1};
}

/* A duplicate above standard error; -1 with errno. fd is closed. */
static int
descriptor_move_up(int fd)
{
	int moved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	int error = errno;

	close(fd);
	errno = error;
	return moved;
}

int
dtap__descriptor_adopt(struct dtap__descriptor *descriptor, int fd)
{
	struct stat status;
	int error;

	if (fd <= STDERR_FILENO)
		fd = descriptor_move_up(fd);
	if (fd < 0)
		return errno;
	if (fstat(fd, &status) != 0) {
		error = errno;
		close(fd);
		return error;
	}
	descriptor->fd = fd;
	descriptor->device = status.st_dev;
	descriptor->inode = status.st_ino;
	return 0;
}

static bool
descriptor_is_file(const struct dtap__descriptor *descriptor,
		   const struct stat *status)
{
	return status->st_dev == descriptor->device &&
	       status->st_ino == descriptor->inode;
}

bool
dtap__descriptor_check(struct dtap__descriptor *descriptor)
{
	struct stat status;

	if (descriptor->fd < 0)
		return false;
	if (fstat(descriptor->fd, &status) == 0
		    ? descriptor_is_file(descriptor, &status)
		    : errno != EBADF)
		return true;
	descriptor->fd = -1;
	return false;
}

bool
dtap__descriptor_is_at(const struct dtap__descriptor *descriptor,
		       const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0 &&
	       descriptor_is_file(descriptor, &status);
}

void
dtap__descriptor_close(struct dtap__descriptor *descriptor)
{
	if (dtap__descriptor_check(descriptor))
		close(descriptor->fd);
	descriptor->fd = -1;
}
