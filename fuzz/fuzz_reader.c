/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_reader.c: any octets as a Frame Streams stream.
 *
 * Octet 0: bit 0 bidirectional; bit 1 a limit of 40 octets for a frame; bits
 * 2-4, when not 0, make the options those of a later release, with 7 octets
 * more: bits 3-4 are in the last of them.
 *
 * What must hold:
 *  - frames lie in the input, one behind the other, at the offsets and of the
 *    lengths that are written there;
 *  - DTAP_AGAIN asks for more than there is, never for more than the limit,
 *    and what it asked for is enough: octets that come one by one, only when
 *    they are asked for, make the same frames and the same end as the whole
 *    input at once;
 *  - what is final stays: the end and errors are returned again;
 *  - dtap_reader_finish() is content only behind STOP with nothing left, and
 *    never with a stream that nobody has looked at;
 *  - options of a later release are taken if and only if what is new is 0;
 *  - an error, and nothing else, has a text, and that is printable.
 */
#include <stdbool.h>
#include <string.h>

#include <dnstap/reader.h>

#include "fuzz.h"

#define LIMIT_SMALL 40
#define FRAMES_MAX 4096
/* Escape, length, and the longest control frame. */
#define CONTROL_BYTES_MAX (8 + 512)

struct options {
	struct dtap_reader_options known;
	uint8_t tail[7];
};

struct reading {
	const uint8_t *data;
	size_t bytes;
	struct options options;
	dtap_reader *reader;
	enum dtap_result result;
	size_t consumed;
	size_t frames;
	struct dtap_frame frame[FRAMES_MAX];
};

static uint32_t
number_at(const uint8_t *octets)
{
	return (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 |
	       (uint32_t)octets[2] << 8 | octets[3];
}

static size_t
limit_of(const struct reading *reading)
{
	size_t limit = reading->options.known.max_frame_bytes;

	return 4 + (limit != 0 ? limit : DTAP_READER_FRAME_BYTES_DEFAULT);
}

static void
open_reader(struct reading *reading)
{
	FUZZ_EXPECT(dtap_reader_open(&reading->options.known,
				     &reading->reader) == DTAP_OK);
}

/* Keeps a frame that was found at the octets consumed so far. */
static void
keep_frame(struct reading *reading, const struct dtap_frame *frame,
	   size_t consumed)
{
	const uint8_t *begin = reading->data + reading->consumed;
	size_t head = frame->kind == DTAP_FRAME_DATA ? 4 : 8;

	FUZZ_EXPECT(consumed <= reading->bytes - reading->consumed);
	FUZZ_EXPECT(frame->offset == reading->consumed);
	FUZZ_EXPECT(frame->data == begin + head);
	FUZZ_EXPECT(consumed == head + frame->bytes);
	FUZZ_EXPECT(number_at(begin + head - 4) == frame->bytes);
	FUZZ_EXPECT((number_at(begin) == 0) == (head == 8));
	if (reading->frames < FRAMES_MAX)
		reading->frame[reading->frames] = *frame;
	reading->frames++;
	reading->consumed += consumed;
}

/* Gives all there is at each call. */
static size_t
read_whole(void *context)
{
	struct reading *reading = context;
	struct dtap_frame frame;
	size_t consumed;

	dtap_reader_close(&reading->reader);
	open_reader(reading);
	reading->frames = reading->consumed = 0;
	do {
		reading->result = dtap_reader_next(
			reading->reader, reading->data + reading->consumed,
			reading->bytes - reading->consumed, &consumed, &frame);
		if (consumed > 0)
			keep_frame(reading, &frame, consumed);
	} while (consumed > 0);
	return reading->bytes;
}

static void
check_asked(const struct reading *reading, size_t given, size_t asked)
{
	FUZZ_EXPECT(asked > given);
	FUZZ_EXPECT(asked <= limit_of(reading) || asked <= CONTROL_BYTES_MAX);
}

/* Gives as much as was asked for, and at first nothing. */
static void
read_as_asked(struct reading *reading)
{
	size_t given = 0;
	struct dtap_frame frame;
	size_t consumed;

	open_reader(reading);
	for (;;) {
		size_t left = reading->bytes - reading->consumed;

		reading->result = dtap_reader_next(
			reading->reader, reading->data + reading->consumed,
			given, &consumed, &frame);
		if (consumed > 0) {
			FUZZ_EXPECT(consumed <= given);
			keep_frame(reading, &frame, consumed);
			given = 0;
		} else if (reading->result == DTAP_AGAIN && given < left) {
			check_asked(reading, given, frame.bytes);
			given = frame.bytes < left ? frame.bytes : left;
		} else if (reading->result == DTAP_END && given < left) {
			given = left;
		} else {
			return;
		}
	}
}

static void
check_same(const struct reading *a, const struct reading *b)
{
	size_t frames = a->frames < FRAMES_MAX ? a->frames : FRAMES_MAX;

	FUZZ_EXPECT(a->result == b->result);
	FUZZ_EXPECT(a->consumed == b->consumed);
	FUZZ_EXPECT(a->frames == b->frames);
	for (size_t i = 0; i < frames; i++) {
		FUZZ_EXPECT(a->frame[i].kind == b->frame[i].kind);
		FUZZ_EXPECT(a->frame[i].data == b->frame[i].data);
		FUZZ_EXPECT(a->frame[i].bytes == b->frame[i].bytes);
		FUZZ_EXPECT(a->frame[i].offset == b->frame[i].offset);
	}
	FUZZ_EXPECT(strcmp(dtap_reader_error(a->reader),
			   dtap_reader_error(b->reader)) == 0);
}

static bool
is_printable(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text < ' ' || *text > '~')
			return false;
	return true;
}

static bool
has_stopped(const struct reading *reading)
{
	for (size_t i = 0; i < reading->frames && i < FRAMES_MAX; i++)
		if (reading->frame[i].kind == DTAP_FRAME_STOP)
			return true;
	return false;
}

static void
check_end(struct reading *reading)
{
	size_t left = reading->bytes - reading->consumed;
	const char *error = dtap_reader_error(reading->reader);
	bool failed = reading->result != DTAP_AGAIN &&
		      reading->result != DTAP_END;
	enum dtap_result finish;
	struct dtap_frame frame;
	size_t consumed;

	FUZZ_EXPECT((error[0] != '\0') == failed);
	FUZZ_EXPECT(dtap_reader_next(reading->reader,
				     reading->data + reading->consumed, left,
				     &consumed, &frame) == reading->result);
	FUZZ_EXPECT(consumed == 0);
	finish = dtap_reader_finish(reading->reader, left);
	if (failed)
		FUZZ_EXPECT(finish == reading->result);
	else if (reading->frames <= FRAMES_MAX && !has_stopped(reading))
		FUZZ_EXPECT(finish == DTAP_E_TRUNCATED);
	else if (reading->frames <= FRAMES_MAX)
		FUZZ_EXPECT(finish ==
			    (left == 0 ? DTAP_OK : DTAP_E_PROTOCOL));
	error = dtap_reader_error(reading->reader);
	FUZZ_EXPECT((error[0] != '\0') == (finish != DTAP_OK));
	FUZZ_EXPECT(is_printable(error));
}

/* Of octets that were not looked at nothing good is said. */
static void
check_unseen(struct reading *reading)
{
	open_reader(reading);
	FUZZ_EXPECT(dtap_reader_finish(reading->reader, reading->bytes) ==
		    DTAP_E_TRUNCATED);
	FUZZ_EXPECT(is_printable(dtap_reader_error(reading->reader)));
	dtap_reader_close(&reading->reader);
}

/* false when there is no reader of such options. */
static bool
make_options(struct options *options, unsigned int how)
{
	dtap_reader *reader;

	memset(options, 0, sizeof(*options));
	options->known.size = sizeof(options->known);
	options->known.bidirectional = how & 1;
	options->known.max_frame_bytes = (how & 2) != 0 ? LIMIT_SMALL : 0;
	if ((how & 0x1c) != 0)
		options->known.size += sizeof(options->tail);
	options->tail[sizeof(options->tail) - 1] = how >> 3 & 3;
	if ((how & 0x18) == 0)
		return true;
	FUZZ_EXPECT(dtap_reader_open(&options->known, &reader) ==
		    DTAP_E_INVALID);
	FUZZ_EXPECT(reader == NULL);
	return false;
}

void
fuzz_input(const uint8_t *data, size_t bytes)
{
	static struct reading whole;
	static struct reading asked;
	struct fuzz_source source = { data, bytes };

	if (!make_options(&whole.options,
			  (unsigned int)fuzz_take_number(&source, 1)))
		return;
	whole.data = source.at;
	whole.bytes = source.left;
	asked.options = whole.options;
	asked.data = source.at;
	asked.bytes = source.left;
	asked.frames = asked.consumed = 0;
	check_unseen(&whole);
	fuzz_measure(read_whole, &whole);
	read_as_asked(&asked);
	check_same(&whole, &asked);
	check_end(&whole);
	check_end(&asked);
	dtap_reader_close(&whole.reader);
	dtap_reader_close(&asked.reader);
}
