/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cat_stream.h: one input: a buffer, and the reader that parses it.
 *
 * Files and connections differ in how octets arrive and whether they can be
 * answered; the rest is here. The buffer grows only when it is full of
 * octets that did arrive, and never above the largest frame allowed and one
 * more read.
 */
#ifndef DTAP_TOOLS_CAT_STREAM_H
#define DTAP_TOOLS_CAT_STREAM_H

#include "cat/cat.h"

struct cat_stream {
	const char *name; /* for messages; borrowed */
	int answer_fd;	  /* a socket for ACCEPT and FINISH; -1: none */
	dtap_reader *reader;
	uint8_t *buffer;
	size_t capacity;
	size_t begin; /* octets from begin to end are not parsed yet */
	size_t end;
	bool started; /* START was read */
	bool stopped; /* STOP was read */
	bool failed;  /* no more can be read; it has been said */
};

/* false when memory is short; it has been said. */
bool
cat_stream_init(struct cat *cat, struct cat_stream *stream, const char *name,
		int answer_fd);

void
cat_stream_fini(struct cat_stream *stream);

/* Where the next octets go, at least one; NULL when memory is short. */
uint8_t *
cat_stream_room(struct cat *cat, struct cat_stream *stream, size_t *bytes);

/* Octets have been put into the room: takes the frames that are complete. */
void
cat_stream_take(struct cat *cat, struct cat_stream *stream, size_t bytes);

/* There are no more octets: says so if some are missing. */
void
cat_stream_end(struct cat *cat, struct cat_stream *stream);

#endif
