/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_session_reader.c: the handshake as the reader has it, with our own
 * writer at the other end and with any other.
 *
 * Octet 0: bit 0 bidirectional; bit 1 the peer: our writer, or else what the
 * input says. With our writer each further octet is a step:
 *
 *   bits 0-1  0 n octets reach the reader; 1 n octets reach the writer;
 *             2 the writer sends a data frame of n + 1 octets; 3 it finishes
 *   bits 2-7  n
 *
 * and when the input has ended all goes its way to the end. Else each further
 * octet is a length, and so many octets reach the reader.
 *
 * What must hold:
 *  - frames come in the order that reader_stream.c draws;
 *  - ACCEPT is answered to READY, FINISH to the STOP of a stream that began
 *    with READY, at once, and nothing else ever;
 *  - our writer and our reader understand each other: every frame arrives
 *    once and unchanged, and a session with a handshake ends confirmed.
 */
#include <stdbool.h>
#include <string.h>

#include <dnstap/reader.h>

#include "frame/frame_session.h"
#include "fuzz.h"

#define WIRE_BYTES (64 * 1024)
#define FRAMES_MAX 512

/* Octets on their way. */
struct wire {
	size_t begin;
	size_t end;
	uint8_t octets[WIRE_BYTES];
};

struct pair {
	bool bidirectional;
	bool ended;	/* the reader has said so */
	dtap_reader *reader;
	enum dtap_result result; /* of the reader, at last */
	char seen[FRAMES_MAX]; /* by kind: 0 data, 1 ACCEPT ... */
	size_t seen_count;
	struct wire there;	/* to the reader */
	struct wire back;
	struct dtap__session session;
	size_t frames_sent;	/* data frames */
	size_t frames_taken;
	uint8_t lengths[FRAMES_MAX]; /* of the data frames sent */
};

/* Static, because it is large. */
static struct pair pair;

static void
wire_put(struct wire *wire, const void *octets, size_t bytes)
{
	FUZZ_EXPECT(bytes <= sizeof(wire->octets) - wire->end);
	if (bytes > 0)
		memcpy(wire->octets + wire->end, octets, bytes);
	wire->end += bytes;
}

/* Whether a frame of that kind may follow what was seen. */
static bool
is_in_order(enum dtap_frame_kind kind)
{
	bool ready = memchr(pair.seen, DTAP_FRAME_READY, pair.seen_count);
	bool start = memchr(pair.seen, DTAP_FRAME_START, pair.seen_count);
	bool stop = memchr(pair.seen, DTAP_FRAME_STOP, pair.seen_count);

	switch (kind) {
	case DTAP_FRAME_READY:
		return pair.bidirectional && !ready && !start;
	case DTAP_FRAME_START:
		return !start;
	case DTAP_FRAME_DATA:
	case DTAP_FRAME_STOP:
		return start && !stop;
	case DTAP_FRAME_FINISH:
		return stop;
	case DTAP_FRAME_UNKNOWN:
		return true;
	default:
		return false;
	}
}

/* What must be answered to the frame. */
static void
check_reply(enum dtap_frame_kind kind)
{
	uint8_t expected[DTAP__CONTROL_WRITTEN_MAX];
	size_t expected_bytes = 0;
	const void *reply;
	size_t bytes;

	if (kind == DTAP_FRAME_READY)
		expected_bytes = dtap__control_write(expected,
						     DTAP__CONTROL_ACCEPT);
	else if (kind == DTAP_FRAME_STOP && !pair.ended &&
		 memchr(pair.seen, DTAP_FRAME_READY, pair.seen_count))
		expected_bytes = dtap__control_write(expected,
						     DTAP__CONTROL_FINISH);
	reply = dtap_reader_reply(pair.reader, &bytes);
	FUZZ_EXPECT(bytes == expected_bytes);
	FUZZ_EXPECT((reply != NULL) == (bytes > 0));
	if (bytes > 0)
		FUZZ_EXPECT(memcmp(reply, expected, bytes) == 0);
	wire_put(&pair.back, reply, bytes);
	FUZZ_EXPECT(dtap_reader_reply(pair.reader, &bytes) == NULL);
}

/* Data frames of our writer say in each octet which one they are. */
static void
check_data(const struct dtap_frame *frame)
{
	const uint8_t *octets = frame->data;

	if (pair.frames_sent == 0)
		return;
	FUZZ_EXPECT(pair.frames_taken < pair.frames_sent);
	FUZZ_EXPECT(frame->bytes == pair.lengths[pair.frames_taken]);
	for (size_t i = 0; i < frame->bytes; i++)
		FUZZ_EXPECT(octets[i] == (uint8_t)pair.frames_taken);
	pair.frames_taken++;
}

static void
take_frame(const struct dtap_frame *frame)
{
	FUZZ_EXPECT(is_in_order(frame->kind));
	check_reply(frame->kind);
	if (frame->kind == DTAP_FRAME_DATA)
		check_data(frame);
	if (pair.seen_count < FRAMES_MAX)
		pair.seen[pair.seen_count++] = (char)frame->kind;
}

/* The next octets on the wire reach the reader. */
static void
read_some(size_t bytes)
{
	size_t consumed;
	struct dtap_frame frame;

	if (bytes > pair.there.end - pair.there.begin)
		bytes = pair.there.end - pair.there.begin;
	do {
		pair.result = dtap_reader_next(
			pair.reader, pair.there.octets + pair.there.begin,
			bytes, &consumed, &frame);
		FUZZ_EXPECT(consumed <= bytes);
		if (pair.result != DTAP_OK && pair.result != DTAP_END) {
			check_reply(DTAP_FRAME_UNKNOWN);
			return;
		}
		if (consumed > 0)
			take_frame(&frame);
		pair.there.begin += consumed;
		bytes -= consumed;
		pair.ended |= pair.result == DTAP_END;
	} while (consumed > 0);
	FUZZ_EXPECT(pair.result == DTAP_END);
}

static void
write_some(size_t bytes)
{
	if (bytes > pair.back.end - pair.back.begin)
		bytes = pair.back.end - pair.back.begin;
	FUZZ_EXPECT(dtap__session_received(&pair.session,
					   pair.back.octets + pair.back.begin,
					   bytes) == DTAP_OK);
	pair.back.begin += bytes;
}

static void
send_data(uint8_t bytes)
{
	uint8_t octets[4 + 64] = { [3] = bytes };

	if (!dtap__session_flows(&pair.session) ||
	    pair.frames_sent == FRAMES_MAX)
		return;
	memset(octets + 4, (uint8_t)pair.frames_sent, bytes);
	pair.lengths[pair.frames_sent++] = bytes;
	wire_put(&pair.there, octets, 4 + (size_t)bytes);
}

static void
send_control(void)
{
	const uint8_t *octets;
	size_t bytes = dtap__session_pending(&pair.session, &octets);

	wire_put(&pair.there, octets, bytes);
	dtap__session_sent(&pair.session, bytes);
}

static void
step(unsigned int step)
{
	size_t n = step >> 2;

	switch (step & 3) {
	case 0:
		read_some(n);
		break;
	case 1:
		write_some(n);
		break;
	case 2:
		send_data((uint8_t)(n + 1));
		break;
	default:
		dtap__session_finish(&pair.session);
	}
	send_control();
}

static void
run_with_our_writer(struct fuzz_source *source)
{
	dtap__session_begin(&pair.session, pair.bidirectional);
	send_control();
	while (source->left > 0)
		step((unsigned int)fuzz_take_number(source, 1));
	/* READY, ACCEPT, then STOP, FINISH. */
	for (int i = 0; i < 2; i++) {
		read_some(WIRE_BYTES);
		write_some(WIRE_BYTES);
		send_control();
		dtap__session_finish(&pair.session);
		send_control();
	}
	FUZZ_EXPECT(pair.session.failure == DTAP_OK);
	read_some(WIRE_BYTES);
	write_some(WIRE_BYTES);
	FUZZ_EXPECT(pair.result == DTAP_END);
	FUZZ_EXPECT(pair.frames_taken == pair.frames_sent);
	FUZZ_EXPECT(dtap__session_over(&pair.session));
	FUZZ_EXPECT(dtap__session_confirmed(&pair.session) ==
		    pair.bidirectional);
	FUZZ_EXPECT(dtap_reader_finish(pair.reader, 0) == DTAP_OK);
}

static void
run_with_any_writer(struct fuzz_source *source)
{
	pair.result = DTAP_OK;
	while (source->left > 0) {
		size_t bytes = (size_t)fuzz_take_number(source, 1);
		const uint8_t *octets = fuzz_take_octets(source, &bytes);

		wire_put(&pair.there, octets, bytes);
		read_some(WIRE_BYTES);
	}
	if (pair.result != DTAP_AGAIN && pair.result != DTAP_END)
		FUZZ_EXPECT((dtap_reader_error(pair.reader)[0] != '\0') ==
			    (pair.result != DTAP_OK));
}

/* A session from its beginning, whatever there was before. */
static size_t
run(void *context)
{
	struct dtap_reader_options options = { .size = sizeof(options) };
	struct fuzz_source source = *(const struct fuzz_source *)context;
	size_t bytes = source.left;
	unsigned int how = (unsigned int)fuzz_take_number(&source, 1);

	if (source.left > FRAMES_MAX)
		source.left = FRAMES_MAX;
	memset(&pair, 0, offsetof(struct pair, there));
	pair.there.begin = pair.there.end = 0;
	pair.back.begin = pair.back.end = 0;
	pair.frames_sent = pair.frames_taken = 0;
	pair.bidirectional = (how & 1) != 0;
	options.bidirectional = pair.bidirectional;
	FUZZ_EXPECT(dtap_reader_open(&options, &pair.reader) == DTAP_OK);
	if ((how & 2) != 0)
		run_with_our_writer(&source);
	else
		run_with_any_writer(&source);
	dtap_reader_close(&pair.reader);
	return bytes;
}

void
fuzz_input(const uint8_t *data, size_t bytes)
{
	struct fuzz_source source = { data, bytes };

	fuzz_measure(run, &source);
}
