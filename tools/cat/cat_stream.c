/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cat_stream.c: see cat_stream.h.
 */
#include "cat/cat_stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* What one read() is offered at first. */
#define ROOM_BYTES ((size_t)256 * 1024)

bool
cat_stream_init(struct cat *cat, struct cat_stream *stream, const char *name,
		int answer_fd)
{
	struct dtap_reader_options options = {.size = sizeof(options)};

	memset(stream, 0, sizeof(*stream));
	stream->name = name;
	stream->answer_fd = answer_fd;
	options.max_frame_bytes = cat->options->max_frame_bytes;
	options.bidirectional = answer_fd >= 0;
	stream->buffer = malloc(ROOM_BYTES);
	stream->capacity = ROOM_BYTES;
	if (stream->buffer != NULL &&
	    dtap_reader_open(&options, &stream->reader) == DTAP_OK)
		return true;
	cat_note_io(cat, name, ENOMEM);
	cat_stream_fini(stream);
	return false;
}

void
cat_stream_fini(struct cat_stream *stream)
{
	dtap_reader_close(&stream->reader);
	free(stream->buffer);
	stream->buffer = NULL;
}

uint8_t *
cat_stream_room(struct cat *cat, struct cat_stream *stream, size_t *bytes)
{
	size_t left = stream->end - stream->begin;

	if (left > 0 && stream->begin > 0)
		memmove(stream->buffer, stream->buffer + stream->begin, left);
	stream->begin = 0;
	stream->end = left;
	if (left == stream->capacity) {
		uint8_t *grown = realloc(stream->buffer, 2 * left);

		if (grown == NULL) {
			cat_note_io(cat, stream->name, ENOMEM);
			stream->failed = true;
			return NULL;
		}
		stream->buffer = grown;
		stream->capacity = 2 * left;
	}
	*bytes = stream->capacity - left;
	return stream->buffer + left;
}

static void
note_failure(struct cat *cat, struct cat_stream *stream, const char *what)
{
	cat_note_damage(cat, stream->name, what);
	stream->failed = true;
}

/* ACCEPT and FINISH are a few octets: a socket that is read takes them. */
static void
answer(struct cat *cat, struct cat_stream *stream)
{
	size_t bytes;
	const void *reply = dtap_reader_reply(stream->reader, &bytes);
	ssize_t sent;

	if (reply == NULL || stream->answer_fd < 0)
		return;
	if (stream->stopped)
		cat_flush(cat); /* FINISH promises that all is in safe hands */
	sent = send(stream->answer_fd, reply, bytes,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent != (ssize_t)bytes && !stream->stopped)
		note_failure(cat, stream, "the handshake cannot be answered");
}

void
cat_stream_take(struct cat *cat, struct cat_stream *stream, size_t bytes)
{
	stream->end += bytes;
	while (stream->begin < stream->end && !cat->over && !stream->failed) {
		struct dtap_frame frame;
		size_t consumed;
		enum dtap_result result = dtap_reader_next(
			stream->reader, stream->buffer + stream->begin,
			stream->end - stream->begin, &consumed, &frame);

		if (result == DTAP_AGAIN)
			return;
		if (result != DTAP_OK && result != DTAP_END) {
			note_failure(cat, stream,
				     dtap_reader_error(stream->reader));
			return;
		}
		stream->begin += consumed;
		if (frame.kind == DTAP_FRAME_DATA) {
			cat_frame(cat, stream->name, &frame);
			continue;
		}
		if (frame.kind == DTAP_FRAME_START)
			stream->started = true;
		if (result == DTAP_END)
			stream->stopped = true;
		answer(cat, stream);
	}
}

void
cat_stream_end(struct cat *cat, struct cat_stream *stream)
{
	if (cat->over || stream->failed)
		return;
	if (dtap_reader_finish(stream->reader, stream->end - stream->begin) !=
	    DTAP_OK)
		note_failure(cat, stream, dtap_reader_error(stream->reader));
}
