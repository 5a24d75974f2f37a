/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.c: see text.h.
 *
 * Own buffering instead of stdio: dtap-cat is to print millions of lines a
 * second, and stdio's locks and format strings take most of the time then.
 */
#include "cat/text.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

void
text_init(struct text *text, int fd)
{
	text->fd = fd;
	text->error = 0;
	text->used = 0;
	text->second.known = false;
}

/* A terminal or pipe that someone else made non-blocking. */
static void
wait_until_writable(int fd)
{
	struct pollfd writable = {.fd = fd, .events = POLLOUT};

	(void)poll(&writable, 1, -1);
}

void
text_flush(struct text *text)
{
	size_t done = 0;

	while (done < text->used && text->error == 0) {
		ssize_t n =
			write(text->fd, text->data + done, text->used - done);

		if (n >= 0)
			done += (size_t)n;
		else if (errno == EAGAIN)
			wait_until_writable(text->fd);
		else if (errno != EINTR)
			text->error = errno;
	}
	text->used = 0;
}

void
text_put(struct text *text, const void *data, size_t bytes)
{
	const char *at = data;

	while (bytes > sizeof(text->data) - text->used) {
		size_t room = sizeof(text->data) - text->used;

		memcpy(text->data + text->used, at, room);
		text->used += room;
		at += room;
		bytes -= room;
		text_flush(text);
	}
	if (bytes > 0)
		memcpy(text->data + text->used, at, bytes);
	text->used += bytes;
}

void
text_string(struct text *text, const char *string)
{
	text_put(text, string, strlen(string));
}

void
text_decimal_padded(struct text *text, uint64_t number, unsigned int digits)
{
	char reversed[20];
	char written[20];
	size_t n = 0;

	do {
		reversed[n++] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	while (n < digits)
		reversed[n++] = '0';
	for (size_t i = 0; i < n; i++)
		written[i] = reversed[n - 1 - i];
	text_put(text, written, n);
}

void
text_decimal(struct text *text, uint64_t number)
{
	text_decimal_padded(text, number, 1);
}
