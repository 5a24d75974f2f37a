/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lines.c: see lines.h.
 *
 * text.c waits in write() for as long as it takes, and signals are blocked
 * here: the program could only be killed. So its buffer is emptied before it
 * is full, in pieces that do not block a pipe when poll() says that there is
 * room: no longer than PIPE_BUF. A terminal blocks all the same, until it has
 * taken all. Its descriptor is not made non-blocking, since others share it:
 * the terminal is opened once more.
 */
#include "sidecar/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

/* Much longer than a line. */
#define LINES_ROOM_BYTES (TEXT_BUFFER_BYTES / 2)
#define LINES_TRY_MS 100
#define LINES_TRIES 10

void
lines_init(struct lines *lines, int fd)
{
	char path[32];

	lines->terminal = -1;
	lines->hurry = false;
	if (isatty(fd)) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		lines->terminal = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY |
						     O_CLOEXEC);
	}
	/* Another user's terminal cannot be opened. */
	text_init(&lines->text, lines->terminal >= 0 ? lines->terminal : fd);
}

void
lines_fini(struct lines *lines)
{
	if (lines->terminal >= 0)
		close(lines->terminal);
	lines->terminal = -1;
}

void
lines_hurry(struct lines *lines)
{
	lines->hurry = true;
}

static bool
lines_end_is_near(const struct lines *lines)
{
	sigset_t pending;

	return lines->hurry ||
	       (sigpending(&pending) == 0 &&
		(sigismember(&pending, SIGTERM) == 1 ||
		 sigismember(&pending, SIGINT) == 1));
}

/* Writes what there is room for, or waits for some; whether anything was
 * written. A terminal may say that it has room, and then take nothing. */
static bool
lines_write(struct lines *lines, size_t *done)
{
	struct text *text = &lines->text;
	struct pollfd writable = { .fd = text->fd, .events = POLLOUT };
	size_t bytes = text->used - *done;
	ssize_t written;

	if (poll(&writable, 1, LINES_TRY_MS) <= 0)
		return false;
	written = write(text->fd, text->data + *done,
			bytes < PIPE_BUF ? bytes : PIPE_BUF);
	if (written > 0)
		*done += (size_t)written;
	else if (written < 0 && errno == EAGAIN)
		poll(NULL, 0, LINES_TRY_MS);
	else if (written < 0 && errno != EINTR)
		text->error = errno;
	return written > 0;
}

void
lines_flush(struct lines *lines)
{
	struct text *text = &lines->text;
	size_t done = 0;
	int tries = 0;

	while (done < text->used && text->error == 0) {
		if (lines_write(lines, &done))
			tries = 0;
		else if (text->error == 0 && lines_end_is_near(lines) &&
			 ++tries == LINES_TRIES)
			text->error = ETIME;
	}
	text->used = 0;
}

void
lines_add(struct lines *lines, const struct dtap_message *message)
{
	if (lines->text.error != 0)
		return;
	cat_print_line(&lines->text, message);
	if (lines->text.used > LINES_ROOM_BYTES)
		lines_flush(lines);
}
