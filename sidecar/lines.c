/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lines.c: see lines.h.
 *
 * text.c waits in write() for as long as it takes, and signals are blocked
 * here: the program could only be killed. So its buffer is emptied before it
 * is full, in pieces that do not block when poll() says that there is room:
 * no longer than PIPE_BUF. The descriptor is not made non-blocking, since a
 * terminal is shared with others.
 */
#include "sidecar/lines.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

/* Much longer than a line. */
#define LINES_ROOM_BYTES (TEXT_BUFFER_BYTES / 2)
#define LINES_TRY_MS 100
#define LINES_TRIES 10

void
lines_init(struct lines *lines, int fd)
{
	text_init(&lines->text, fd);
	lines->hurry = false;
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

static bool
lines_wait(const struct lines *lines)
{
	struct pollfd writable = { .fd = lines->text.fd, .events = POLLOUT };
	int tries = 0;

	while (poll(&writable, 1, LINES_TRY_MS) <= 0)
		if (lines_end_is_near(lines) && ++tries == LINES_TRIES)
			return false;
	return true;
}

static void
lines_write(struct lines *lines, size_t *done)
{
	struct text *text = &lines->text;
	size_t bytes = text->used - *done;
	ssize_t written;

	if (!lines_wait(lines)) {
		text->error = ETIME;
		return;
	}
	written = write(text->fd, text->data + *done,
			bytes < PIPE_BUF ? bytes : PIPE_BUF);
	if (written >= 0)
		*done += (size_t)written;
	else if (errno != EAGAIN && errno != EINTR)
		text->error = errno;
}

void
lines_flush(struct lines *lines)
{
	size_t done = 0;

	while (done < lines->text.used && lines->text.error == 0)
		lines_write(lines, &done);
	lines->text.used = 0;
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
