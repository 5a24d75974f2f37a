/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.h: a buffer in front of a file descriptor.
 *
 * Everything dtap-cat writes goes through one: lines to standard output, and
 * frames to the file of -w. Writing never fails where it is called: the
 * first error is kept, what comes after it is thrown away, and the caller
 * looks at `error` when it flushes. The buffer does not grow.
 *
 * One thread.
 */
#ifndef DTAP_TOOLS_TEXT_H
#define DTAP_TOOLS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define TEXT_BUFFER_BYTES 65536

/* The second that was formatted last: the next one is mostly the same. */
struct text_second {
	bool known;
	uint64_t sec;
	size_t bytes; /* 0: the calendar has no such second */
	char text[64];
};

struct text {
	int fd;
	int error; /* errno of the first failed write; 0 if none */
	size_t used;
	struct text_second second;
	char data[TEXT_BUFFER_BYTES];
};

void
text_init(struct text *text, int fd);

/* Writes out what is buffered. */
void
text_flush(struct text *text);

void
text_put(struct text *text, const void *data, size_t bytes);

void
text_string(struct text *text, const char *string);

void
text_decimal(struct text *text, uint64_t number);

/* At least digits of them, zeros in front; digits <= 20. */
void
text_decimal_padded(struct text *text, uint64_t number, unsigned int digits);

static inline void
text_char(struct text *text, char c)
{
	if (text->used == sizeof(text->data))
		text_flush(text);
	text->data[text->used++] = c;
}

#endif
