/* SPDX-License-Identifier: Apache-2.0 */
/*
 * output_rotate.c: see output_rotate.h.
 *
 * What was captured is never truncated and never overwritten, so a name that
 * is taken is freed by moving its file aside. Numbers only grow: PATH.1 is
 * the oldest file and PATH.n the youngest, also when some in between have
 * been deleted. The other custom, PATH.1 being the youngest, renames every
 * file at each rotation, and a reader that follows along loses its place.
 *
 * Who may rename: the holder of the flock of the file that path names. After
 * the lock is had the name is looked at again, because another writer may
 * have moved the file aside and put a new one in its place meanwhile.
 *
 * The directory is read with getdents64() and not with readdir(): opendir()
 * allocates, and the writer thread does not.
 */
#include "output/output_rotate.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "output/descriptor.h"

/* Names tried when others take numbers at the same time. */
#define ROTATE_ATTEMPTS 100
/* More digits are no number of ours; as many fit a uint64_t. */
#define ROTATE_DIGITS_MAX 18

int
dtap__output_rotate_name(const char *pattern, time_t now, char *into,
			 size_t room)
{
	struct tm utc;

	if (pattern[0] == '\0')
		return EINVAL;
	if (gmtime_r(&now, &utc) == NULL)
		return errno;
	if (strftime(into, room, pattern, &utc) == 0)
		return ENAMETOOLONG;
	return 0;
}

/* Opens the directory that holds path. */
static int
rotate_open_directory(const char *path)
{
	const char *slash = strrchr(path, '/');
	int bytes = slash == NULL ? 0 : (int)(slash - path) + 1;
	char directory[PATH_MAX];

	snprintf(directory, sizeof(directory), "%.*s.", bytes, path);
	return open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* The n of "BASE.n"; 0 when name is something else. */
static uint64_t
rotate_number_of(const char *name, const char *base)
{
	size_t base_bytes = strlen(base);
	const char *digits = name + base_bytes + 1;

	if (strncmp(name, base, base_bytes) != 0 || name[base_bytes] != '.')
		return 0;
	if (digits[0] == '0' || strlen(digits) > ROTATE_DIGITS_MAX ||
	    digits[strspn(digits, "0123456789")] != '\0')
		return 0;
	return strtoull(digits, NULL, 10);
}

/* The highest number among the names in one block of getdents64(). */
static uint64_t
rotate_last_in_block(const char *block, size_t bytes, const char *base)
{
	uint64_t last = 0;

	for (size_t at = 0; at < bytes;) {
		const struct dirent64 *entry = (const void *)(block + at);
		uint64_t number = rotate_number_of(entry->d_name, base);

		if (number > last)
			last = number;
		at += entry->d_reclen;
	}
	return last;
}

/* The highest number in use beside path; 0 when there is none. */
static int
rotate_find_last(const char *path, uint64_t *last)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash == NULL ? path : slash + 1;
	_Alignas(struct dirent64) char block[4096];
	int directory = rotate_open_directory(path);
	ssize_t got;
	int error;

	*last = 0;
	if (directory < 0)
		return errno;
	while ((got = getdents64(directory, block, sizeof(block))) > 0) {
		uint64_t number =
			rotate_last_in_block(block, (size_t)got, base);

		if (number > *last)
			*last = number;
	}
	error = got < 0 ? errno : 0;
	close(directory);
	return error;
}

int
dtap__output_rotate_by_link(const char *from, const char *to)
{
	int error;

	if (link(from, to) != 0)
		return errno;
	if (unlink(from) == 0)
		return 0;
	error = errno;
	unlink(to);
	return error;
}

/* EEXIST when `to` is taken. */
static int
rotate_rename(const char *from, const char *to)
{
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	/* EINVAL: this file system does not know the flag. */
	if (errno == EINVAL || errno == ENOSYS)
		return dtap__output_rotate_by_link(from, to);
	return errno;
}

static int
rotate_to_next_number(const char *path)
{
	char aside[PATH_MAX];
	uint64_t last;
	int error = rotate_find_last(path, &last);

	for (int i = 1; error == 0 && i <= ROTATE_ATTEMPTS; i++) {
		int bytes = snprintf(aside, sizeof(aside), "%s.%" PRIu64, path,
				     last + (uint64_t)i);

		if ((size_t)bytes >= sizeof(aside))
			return ENAMETOOLONG;
		error = rotate_rename(path, aside);
		if (error != EEXIST)
			return error;
		error = 0;
	}
	return error == 0 ? EEXIST : error;
}

/* The locked file's part of move_aside. */
static int
rotate_locked(const struct dtap__descriptor *file, const char *path,
	      const char **problem)
{
	if (flock(file->fd, LOCK_EX | LOCK_NB) != 0) {
		*problem = "is in use by another writer";
		return errno == EWOULDBLOCK ? EBUSY : errno;
	}
	*problem = "cannot be moved aside";
	if (!dtap__descriptor_is_at(file, path))
		return EBUSY;
	return rotate_to_next_number(path);
}

int
dtap__output_rotate_move_aside(const char *path, const char **problem)
{
	struct dtap__descriptor file;
	struct stat status;
	int error;
	int fd;

	*problem = "exists and cannot be examined";
	if (lstat(path, &status) != 0)
		return errno == ENOENT ? 0 : errno;
	/* Looked at before it is opened: opening a device may do things. */
	if (!S_ISREG(status.st_mode)) {
		*problem = "is not a regular file";
		return EEXIST;
	}
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : errno;
	dtap__descriptor_init(&file);
	error = dtap__descriptor_adopt(&file, fd);
	if (error == 0)
		error = rotate_locked(&file, path, problem);
	dtap__descriptor_close(&file);
	return error;
}
