/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cat_file.c: see cat_file.h.
 *
 * read() and not mmap(): the same code serves pipes, and a file that another
 * process truncates is a short file and not a SIGBUS. A file is read to its
 * end, so that octets after STOP are noticed; a pipe only to STOP, as its
 * writer may keep it open.
 */
#include "cat/cat_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cat/cat_signal.h"
#include "cat/cat_stream.h"

static void
read_stream(struct cat *cat, struct cat_stream *stream, int fd, bool regular)
{
	while (!cat->over && !stream->failed && (regular || !stream->stopped)) {
		struct pollfd readable = {.fd = fd, .events = POLLIN};
		uint8_t *room;
		size_t bytes;
		ssize_t n;

		if (cat->prompt || !regular)
			cat_flush(cat);
		if (!cat_signal_wait(&readable, 1, -1)) {
			cat->over = true;
			return;
		}
		room = cat_stream_room(cat, stream, &bytes);
		if (room == NULL)
			return;
		n = read(fd, room, bytes);
		if (n > 0) {
			cat_stream_take(cat, stream, (size_t)n);
		} else if (n == 0) {
			break;
		} else if (errno != EINTR && errno != EAGAIN) {
			cat_note_io(cat, stream->name, errno);
			return;
		}
	}
	cat_stream_end(cat, stream);
}

void
cat_file_read(struct cat *cat, const char *path)
{
	bool is_stdin = strcmp(path, "-") == 0;
	const char *name = is_stdin ? "standard input" : path;
	struct cat_stream stream;
	struct stat status;
	int fd = STDIN_FILENO;

	if (!is_stdin)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status) != 0) {
		cat_note_io(cat, name, errno);
	} else if (cat_stream_init(cat, &stream, name, -1)) {
		read_stream(cat, &stream, fd, S_ISREG(status.st_mode));
		cat_stream_fini(&stream);
	}
	if (fd >= 0 && !is_stdin)
		close(fd);
}
