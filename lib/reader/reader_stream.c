/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader_stream.c: Frame Streams, from the reading end.
 *
 * A pull parser over bytes that the caller keeps. libfstrm's reader owns the
 * descriptor and copies each frame into a buffer that it grows; here the
 * caller chooses file, socket, mmap or fuzzer, and nothing is copied. The one
 * allocation is the reader itself.
 *
 * A frame's length is judged before its octets are there: what is too long
 * is refused at once, and DTAP_AGAIN never asks for more than the limit and
 * the length field. Which control frame may come when:
 *
 *	state \ frame	READY	START	data	STOP	FINISH
 *	BEGINNING	OFFERED	FLOWING	-	-	-
 *	OFFERED		-	FLOWING	-	-	-
 *	FLOWING		-	-	FLOWING	STOPPED	-
 *	STOPPED		-	-	-	-	FINISHED
 *	FINISHED	-	-	-	-	-
 *
 * READY needs the option bidirectional, without which nobody could answer.
 * FINISH travels the other way, but a recording of a session may have it at
 * its end. Unknown control frames change nothing; ACCEPT never fits.
 *
 * Threads: one at a time for each reader.
 */
#include <dnstap/reader.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/cursor.h"
#include "frame/frame_control.h"

/* Length field of a data frame, or escape of a control frame. */
#define STREAM_LENGTH_BYTES 4
/* Escape and control length. */
#define STREAM_CONTROL_HEAD_BYTES 8

enum stream_state {
	STREAM_BEGINNING,
	STREAM_OFFERED,		/* READY was read, ACCEPT is our answer */
	STREAM_FLOWING,		/* START was read */
	STREAM_STOPPED,		/* STOP was read */
	STREAM_FINISHED		/* a FINISH after it, too */
};

struct dtap_reader {
	enum stream_state state;
	uint32_t max_frame_bytes;
	bool bidirectional;	/* READY is allowed */
	bool handshaken;	/* READY was read: FINISH is waited for */
	uint64_t offset;	/* of the next frame */
	uint64_t needed_bytes;	/* by that frame, as DTAP_AGAIN told; or 0 */
	enum dtap_result failure; /* DTAP_OK: none; else final */
	uint8_t reply[2 * DTAP__CONTROL_WRITTEN_MAX]; /* ACCEPT, FINISH */
	size_t reply_bytes;
	char error[160];
};

static enum dtap_result
stream_fail(dtap_reader *reader, enum dtap_result failure, const char *format,
	    ...) dtap__printf(3, 4);

static enum dtap_result
stream_fail(dtap_reader *reader, enum dtap_result failure, const char *format,
	    ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(reader->error, sizeof(reader->error), format, arguments);
	va_end(arguments);
	reader->failure = failure;
	return failure;
}

/* What to say before the fault of a stream that never was one. */
static const char *
stream_doubt(const dtap_reader *reader)
{
	return reader->offset == 0 ? "not a Frame Streams stream: " : "";
}

static bool
stream_options_are_valid(const struct dtap_reader_options *options)
{
	static const struct dtap_reader_options zeros;
	const uint8_t *octets = (const uint8_t *)options;

	if (options->size < sizeof(*options) || options->bidirectional > 1 ||
	    memcmp(options->reserved, zeros.reserved,
		   sizeof(zeros.reserved)) != 0)
		return false;
	for (size_t i = sizeof(*options); i < options->size; i++) {
		if (octets[i] != 0)
			return false;
	}
	return true;
}

enum dtap_result
dtap_reader_open(const struct dtap_reader_options *options,
		 dtap_reader **reader)
{
	dtap_reader *opened;

	if (reader == NULL)
		return DTAP_E_INVALID;
	*reader = NULL;
	if (options != NULL && !stream_options_are_valid(options))
		return DTAP_E_INVALID;
	opened = calloc(1, sizeof(*opened));
	if (opened == NULL)
		return DTAP_E_NOMEM;
	opened->max_frame_bytes = DTAP_READER_FRAME_BYTES_DEFAULT;
	if (options != NULL && options->max_frame_bytes > 0)
		opened->max_frame_bytes = options->max_frame_bytes;
	if (options != NULL)
		opened->bidirectional = options->bidirectional == 1;
	*reader = opened;
	return DTAP_OK;
}

void
dtap_reader_close(dtap_reader **reader)
{
	if (reader == NULL)
		return;
	free(*reader);
	*reader = NULL;
}

/* Asks for more; a size_t of 32 bits may be too small for the answer. */
static enum dtap_result
stream_again(dtap_reader *reader, struct dtap_frame *frame, uint64_t needed)
{
	reader->needed_bytes = needed;
	frame->bytes = needed > SIZE_MAX - 1 ? SIZE_MAX : (size_t)needed;
	return DTAP_AGAIN;
}

static void
stream_queue_reply(dtap_reader *reader, enum dtap__control_type type)
{
	reader->reply_bytes += dtap__control_write(
		reader->reply + reader->reply_bytes, type);
}

static enum dtap_result
stream_out_of_order(dtap_reader *reader, const struct dtap__control *control)
{
	return stream_fail(reader, DTAP_E_PROTOCOL,
			   "offset %" PRIu64 ": %s out of order",
			   reader->offset, dtap__control_name(control->type));
}

static enum dtap_result
stream_take_ready(dtap_reader *reader, const struct dtap__control *control)
{
	if (reader->state != STREAM_BEGINNING)
		return stream_out_of_order(reader, control);
	if (!reader->bidirectional)
		return stream_fail(reader, DTAP_E_PROTOCOL,
				   "offset %" PRIu64 ": READY on a stream that "
				   "cannot be answered", reader->offset);
	if (!dtap__control_allows_dnstap(control))
		return stream_fail(reader, DTAP_E_CONTENT_TYPE,
				   "offset %" PRIu64 ": READY does not offer "
				   DTAP__CONTENT_TYPE, reader->offset);
	reader->state = STREAM_OFFERED;
	reader->handshaken = true;
	stream_queue_reply(reader, DTAP__CONTROL_ACCEPT);
	return DTAP_OK;
}

static enum dtap_result
stream_take_start(dtap_reader *reader, const struct dtap__control *control)
{
	if (reader->state != STREAM_BEGINNING &&
	    reader->state != STREAM_OFFERED)
		return stream_out_of_order(reader, control);
	if (!dtap__control_allows_dnstap(control))
		return stream_fail(reader, DTAP_E_CONTENT_TYPE,
				   "offset %" PRIu64 ": START names a content "
				   "type other than " DTAP__CONTENT_TYPE,
				   reader->offset);
	reader->state = STREAM_FLOWING;
	return DTAP_OK;
}

static enum dtap_result
stream_take_stop(dtap_reader *reader, const struct dtap__control *control)
{
	if (reader->state != STREAM_FLOWING)
		return stream_out_of_order(reader, control);
	reader->state = STREAM_STOPPED;
	if (reader->handshaken)
		stream_queue_reply(reader, DTAP__CONTROL_FINISH);
	return DTAP_END;
}

static enum dtap_result
stream_take_finish(dtap_reader *reader, const struct dtap__control *control)
{
	if (reader->state != STREAM_STOPPED)
		return stream_out_of_order(reader, control);
	reader->state = STREAM_FINISHED;
	return DTAP_END;
}

static enum dtap_result
stream_obey(dtap_reader *reader, const struct dtap__control *control)
{
	switch (control->type) {
	case DTAP__CONTROL_READY:
		return stream_take_ready(reader, control);
	case DTAP__CONTROL_START:
		return stream_take_start(reader, control);
	case DTAP__CONTROL_STOP:
		return stream_take_stop(reader, control);
	case DTAP__CONTROL_FINISH:
		return stream_take_finish(reader, control);
	case DTAP__CONTROL_ACCEPT:
		return stream_out_of_order(reader, control);
	default:
		return DTAP_OK;
	}
}

/* The cursor stands behind the escape. */
static enum dtap_result
stream_next_control(dtap_reader *reader, struct dtap__cursor *cursor,
		    struct dtap_frame *frame)
{
	uint32_t bytes = dtap__cursor_read_be32(cursor);
	struct dtap__control control;
	enum dtap_result result;
	const uint8_t *octets;

	if (cursor->failed)
		return stream_again(reader, frame, STREAM_CONTROL_HEAD_BYTES);
	if (bytes > DTAP__CONTROL_BYTES_MAX)
		return stream_fail(reader, DTAP_E_PROTOCOL,
				   "offset %" PRIu64 ": %scontrol frame of "
				   "%" PRIu32 " octets exceeds the limit of %d",
				   reader->offset, stream_doubt(reader), bytes,
				   DTAP__CONTROL_BYTES_MAX);
	octets = dtap__cursor_take(cursor, bytes);
	if (octets == NULL)
		return stream_again(reader, frame, STREAM_CONTROL_HEAD_BYTES +
				    (uint64_t)bytes);
	if (dtap__control_read(octets, bytes, &control) != DTAP_OK)
		return stream_fail(reader, DTAP_E_PROTOCOL,
				   "offset %" PRIu64 ": %smalformed control "
				   "frame of %" PRIu32 " octets",
				   reader->offset, stream_doubt(reader), bytes);
	result = stream_obey(reader, &control);
	if (reader->failure != DTAP_OK)
		return result;
	frame->data = octets;
	frame->bytes = bytes;
	frame->kind = DTAP_FRAME_UNKNOWN;
	if (dtap__control_is_known(control.type))
		frame->kind = (enum dtap_frame_kind)control.type;
	return result;
}

/* The cursor stands behind the length, bytes > 0. */
static enum dtap_result
stream_next_data(dtap_reader *reader, struct dtap__cursor *cursor,
		 uint32_t bytes, struct dtap_frame *frame)
{
	if (dtap__unlikely(reader->state != STREAM_FLOWING))
		return stream_fail(reader, DTAP_E_PROTOCOL,
				   "offset %" PRIu64 ": %sdata frame %s",
				   reader->offset, stream_doubt(reader),
				   reader->state < STREAM_FLOWING ?
				   "before START" : "after STOP");
	if (dtap__unlikely(bytes > reader->max_frame_bytes))
		return stream_fail(reader, DTAP_E_TOO_BIG,
				   "offset %" PRIu64 ": data frame of %" PRIu32
				   " octets exceeds the limit of %" PRIu32,
				   reader->offset, bytes,
				   reader->max_frame_bytes);
	frame->data = dtap__cursor_take(cursor, bytes);
	if (frame->data == NULL)
		return stream_again(reader, frame, STREAM_LENGTH_BYTES +
				    (uint64_t)bytes);
	frame->kind = DTAP_FRAME_DATA;
	frame->bytes = bytes;
	return DTAP_OK;
}

static enum dtap_result
stream_next_frame(dtap_reader *reader, struct dtap__cursor *cursor,
		  struct dtap_frame *frame)
{
	uint32_t bytes;

	if (reader->state >= STREAM_STOPPED && dtap__cursor_left(cursor) == 0) {
		frame->kind = reader->state == STREAM_STOPPED ?
			DTAP_FRAME_STOP : DTAP_FRAME_FINISH;
		return DTAP_END;
	}
	bytes = dtap__cursor_read_be32(cursor);
	if (cursor->failed)
		return stream_again(reader, frame, STREAM_LENGTH_BYTES);
	if (bytes == 0)
		return stream_next_control(reader, cursor, frame);
	return stream_next_data(reader, cursor, bytes, frame);
}

enum dtap_result
dtap_reader_next(dtap_reader *reader, const void *data, size_t bytes,
		 size_t *consumed, struct dtap_frame *frame)
{
	struct dtap__cursor cursor;
	enum dtap_result result;

	if (reader == NULL || consumed == NULL || frame == NULL ||
	    (data == NULL && bytes > 0))
		return DTAP_E_INVALID;
	*consumed = 0;
	memset(frame, 0, sizeof(*frame));
	frame->offset = reader->offset;
	if (reader->failure != DTAP_OK)
		return reader->failure;
	dtap__cursor_init(&cursor, data, bytes);
	result = stream_next_frame(reader, &cursor, frame);
	if (result == DTAP_OK || result == DTAP_END) {
		*consumed = (size_t)(cursor.at - cursor.begin);
		reader->offset += *consumed;
		reader->needed_bytes = 0;
	}
	return result;
}

const void *
dtap_reader_reply(dtap_reader *reader, size_t *bytes)
{
	if (bytes == NULL)
		return NULL;
	*bytes = 0;
	if (reader == NULL || reader->reply_bytes == 0)
		return NULL;
	*bytes = reader->reply_bytes;
	reader->reply_bytes = 0;
	return reader->reply;
}

enum dtap_result
dtap_reader_finish(dtap_reader *reader, size_t leftover)
{
	if (reader == NULL)
		return DTAP_E_INVALID;
	if (reader->failure != DTAP_OK)
		return reader->failure;
	if (reader->state >= STREAM_STOPPED && leftover == 0)
		return DTAP_OK;
	if (reader->state >= STREAM_STOPPED)
		return stream_fail(reader, DTAP_E_PROTOCOL,
				   "offset %" PRIu64 ": %zu octets follow STOP",
				   reader->offset, leftover);
	if (leftover == 0)
		return stream_fail(reader, DTAP_E_TRUNCATED,
				   "stream ends without STOP at offset "
				   "%" PRIu64, reader->offset);
	if (reader->needed_bytes <= leftover)
		return stream_fail(reader, DTAP_E_TRUNCATED,
				   "stream ends without STOP, %zu octets from "
				   "offset %" PRIu64 " on were not looked at",
				   leftover, reader->offset);
	return stream_fail(reader, DTAP_E_TRUNCATED,
			   "stream ends inside a frame at offset %" PRIu64
			   " (%zu of %" PRIu64 " octets)", reader->offset,
			   leftover, reader->needed_bytes);
}

const char *
dtap_reader_error(const dtap_reader *reader)
{
	return reader != NULL ? reader->error : "";
}
