/* SPDX-License-Identifier: Apache-2.0 */
/*
 * output_file.c: an output into a regular file.
 *
 * What must hold, whatever happens to disk, host and neighbours:
 *  - No capture is truncated or overwritten. The file is created with O_EXCL
 *    under a name of its own; a file that has the name is moved aside first
 *    (output_rotate.c). Links at the name are refused, not followed.
 *  - One writer per file: flock. The lock is taken after the file exists, so
 *    a neighbour can move it aside in between; therefore the name is looked
 *    at once more with the lock held. It is dropped explicitly at close,
 *    because a forked child holds a copy of the descriptor and with it the
 *    lock.
 *  - The file ends on a frame boundary: close cuts off what stands behind the
 *    last mark (output.h).
 *  - A disk that stays full does not fill its directory: a file that
 *    holds nothing when it is closed is removed again, so that retrying leaves
 *    one file per stretch of good luck and not one per second.
 *  - fdatasync() is not repeated after a failure: the kernel reports a lost
 *    page once and forgets it, a second call would say that all is well.
 *
 *  - The end of a file is not what the rings wait for: the kernel is asked to
 *    begin writing every few megabytes, without waiting for it, so that the
 *    fdatasync() of a rotation finds little left to do. Without that a file
 *    of some hundred megabytes stalled the writer for longer than the rings
 *    last.
 *
 * O_APPEND, so that somebody who empties the file under us gets a file that
 * goes on at its beginning, without a hole. SIGXFSZ is the writer's to block.
 * If the host closes the descriptor behind our back, the file stays as it is
 * and may end in half a frame.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "output/descriptor.h"
#include "output/output.h"
#include "output/output_rotate.h"

/* Tries to create while others keep taking the name. */
#define FILE_ATTEMPTS 3
/* How much the kernel may gather before it is asked to begin writing. */
#define FILE_FLUSH_BYTES (UINT64_C(4) << 20)

struct output_file {
	struct dtap__output output;
	struct dtap__descriptor descriptor;
	char *pattern;
	mode_t mode;
	uint64_t rotate_bytes;
	uint64_t rotate_seconds;

	/* Of the file that is open. head <= marked <= written. */
	char path[PATH_MAX];
	uint64_t opened_ns;
	uint64_t written_bytes;
	uint64_t marked_bytes;
	uint64_t head_bytes;
	uint64_t flushed_bytes;
	int sync_errno;
};

static struct output_file *
file_of(struct dtap__output *output)
{
	return dtap__container_of(output, struct output_file, output);
}

static enum dtap_result
file_fail(struct output_file *file, int system_errno, const char *problem)
{
	return dtap__output_fail(&file->output, system_errno, file->path,
				 problem);
}

static enum dtap_result
file_lost(struct output_file *file)
{
	file_fail(file, EBADF, "its descriptor was closed by the program");
	return DTAP_E_CLOSED;
}

/* Creates the file at path, after moving aside one that is there. */
static enum dtap_result
file_create(struct output_file *file)
{
	const char *problem;
	int error;
	int fd = -1;

	for (int i = 0; i < FILE_ATTEMPTS; i++) {
		fd = open(file->path,
			  O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_APPEND |
				  O_CLOEXEC,
			  file->mode);
		if (fd >= 0 || errno != EEXIST)
			break;
		error = dtap__output_rotate_move_aside(file->path, &problem);
		if (error != 0)
			return file_fail(file, error, problem);
		errno = EEXIST;
	}
	if (fd < 0)
		return file_fail(file, errno, "cannot be created");
	error = dtap__descriptor_adopt(&file->descriptor, fd);
	if (error != 0)
		return file_fail(file, error, "cannot be created");
	return DTAP_OK;
}

/* Makes the new file ours alone, with the mode that was asked for. */
static enum dtap_result
file_claim(struct output_file *file)
{
	int fd = file->descriptor.fd;

	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		return file_fail(file, errno, "cannot be locked");
	if (!dtap__descriptor_is_at(&file->descriptor, file->path))
		return file_fail(file, EBUSY, "is in use by another writer");
	if (fchmod(fd, file->mode) != 0)
		return file_fail(file, errno, "cannot be given its mode");
	return DTAP_OK;
}

static void
file_close(struct dtap__output *output);

static int
file_set_path(struct output_file *file)
{
	return dtap__output_rotate_name(file->pattern, time(NULL), file->path,
					sizeof(file->path));
}

static enum dtap_result
file_open(struct dtap__output *output)
{
	struct output_file *file = file_of(output);
	enum dtap_result result;
	int error = file_set_path(file);

	if (error != 0)
		return dtap__output_fail(output, error, file->pattern,
					 "does not make a file name");
	file->written_bytes = 0;
	file->marked_bytes = 0;
	file->head_bytes = 0;
	file->flushed_bytes = 0;
	file->sync_errno = 0;
	result = file_create(file);
	if (result == DTAP_OK)
		result = file_claim(file);
	if (result != DTAP_OK)
		file_close(output);
	file->opened_ns = dtap__clock_monotonic_ns();
	return result;
}

/* A failure shows in fdatasync(); some file systems just cannot do it. */
static void
file_flush_early(struct output_file *file)
{
	uint64_t bytes = file->written_bytes - file->flushed_bytes;

	if (bytes < FILE_FLUSH_BYTES)
		return;
	(void)sync_file_range(file->descriptor.fd,
			      (off_t)file->flushed_bytes, (off_t)bytes,
			      SYNC_FILE_RANGE_WRITE);
	file->flushed_bytes = file->written_bytes;
}

static enum dtap_result
file_write(struct dtap__output *output, const struct iovec *parts, int count,
	   size_t *taken)
{
	struct output_file *file = file_of(output);
	ssize_t done;

	*taken = 0;
	if (!dtap__descriptor_check(&file->descriptor))
		return file_lost(file);
	do {
		done = writev(file->descriptor.fd, parts,
			      count < IOV_MAX ? count : IOV_MAX);
	} while (done < 0 && errno == EINTR);
	if (done <= 0)
		return file_fail(file, done < 0 ? errno : EIO,
				 "cannot be written");
	file->written_bytes += (uint64_t)done;
	file_flush_early(file);
	*taken = (size_t)done;
	return DTAP_OK;
}

static void
file_mark(struct dtap__output *output, size_t unfinished_bytes)
{
	struct output_file *file = file_of(output);

	file->marked_bytes = file->written_bytes - unfinished_bytes;
	if (file->head_bytes == 0)
		file->head_bytes = file->marked_bytes;
}

static enum dtap_result
file_sync(struct dtap__output *output)
{
	struct output_file *file = file_of(output);

	if (!dtap__descriptor_check(&file->descriptor))
		return file_lost(file);
	while (file->sync_errno == 0) {
		if (fdatasync(file->descriptor.fd) == 0)
			return DTAP_OK;
		if (errno != EINTR)
			file->sync_errno = errno;
	}
	return file_fail(file, file->sync_errno,
			 "may not have reached the disk");
}

static uint64_t
file_room(struct dtap__output *output, uint64_t now_ns)
{
	struct output_file *file = file_of(output);
	bool has_frames = file->written_bytes > file->head_bytes;
	uint64_t age_seconds = 0;

	if (file->descriptor.fd < 0)
		return UINT64_MAX;
	if (now_ns > file->opened_ns)
		age_seconds = (now_ns - file->opened_ns) / DTAP__NS_PER_SEC;
	if (has_frames && file->rotate_seconds > 0 &&
	    age_seconds >= file->rotate_seconds)
		return 0;
	if (file->rotate_bytes == 0)
		return UINT64_MAX;
	if (file->written_bytes >= file->rotate_bytes)
		return has_frames ? 0 : UINT64_MAX;
	return file->rotate_bytes - file->written_bytes;
}

static int
file_get_fd(const struct dtap__output *output)
{
	/* The head is the first member; container_of would drop the const. */
	return ((const struct output_file *)output)->descriptor.fd;
}

/*
 * Cuts the file back to the last mark; never makes it longer. A failure
 * leaves half a frame at the end, which every reader has to cope with anyway
 * after a crash.
 */
static void
file_cut_back(struct output_file *file)
{
	int fd = file->descriptor.fd;
	struct stat status;

	if (file->written_bytes == file->marked_bytes ||
	    fstat(fd, &status) != 0 ||
	    (uint64_t)status.st_size <= file->marked_bytes)
		return;
	while (ftruncate(fd, (off_t)file->marked_bytes) != 0 && errno == EINTR)
		;
}

/* Removes the file if it holds nothing and still has its name. */
static void
file_remove_empty(struct output_file *file)
{
	struct stat status;

	if (fstat(file->descriptor.fd, &status) == 0 && status.st_size == 0 &&
	    dtap__descriptor_is_at(&file->descriptor, file->path))
		unlink(file->path);
}

static void
file_close(struct dtap__output *output)
{
	struct output_file *file = file_of(output);

	if (!dtap__descriptor_check(&file->descriptor))
		return;
	file_cut_back(file);
	file_remove_empty(file);
	flock(file->descriptor.fd, LOCK_UN);
	dtap__descriptor_close(&file->descriptor);
}

static void
file_free(struct dtap__output *output)
{
	if (output == NULL)
		return;
	file_close(output);
	free(file_of(output)->pattern);
	free(file_of(output));
}

static const struct dtap__output_ops file_ops = {
	.name = "file",
	.open = file_open,
	.write = file_write,
	.mark = file_mark,
	.sync = file_sync,
	.room = file_room,
	.get_fd = file_get_fd,
	.close = file_close,
	.free = file_free,
};

struct dtap__output *
dtap__output_file_new(const char *path_pattern, unsigned int mode,
		      uint64_t rotate_bytes, uint64_t rotate_seconds)
{
	struct output_file *file = calloc(1, sizeof(*file));

	if (file == NULL)
		return NULL;
	file->output.ops = &file_ops;
	dtap__descriptor_init(&file->descriptor);
	file->mode = (mode_t)mode;
	file->rotate_bytes = rotate_bytes;
	file->rotate_seconds = rotate_seconds;
	file->pattern = strdup(path_pattern);
	if (file->pattern == NULL) {
		file_free(&file->output);
		return NULL;
	}
	/* libc allocates at its first use of time zones: better here. */
	(void)file_set_path(file);
	return &file->output;
}
