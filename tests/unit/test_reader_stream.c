/* SPDX-License-Identifier: Apache-2.0 */
#include <dnstap/reader.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "frame/frame_control.h"

#include "support/support.h"

/* Whole frames. */
#define HEAD(length) "\0\0\0\0" "\0\0\0" length
#define OURS "\0\0\0\1" "\0\0\0\x16" "protobuf:dnstap.Dnstap"
#define TEXT "\0\0\0\1" "\0\0\0\4" "text"
#define START HEAD("\x22") "\0\0\0\2" OURS
#define START_BARE HEAD("\4") "\0\0\0\2"
#define START_TEXT HEAD("\x10") "\0\0\0\2" TEXT
#define STOP HEAD("\4") "\0\0\0\3"
#define READY HEAD("\x22") "\0\0\0\4" OURS
#define READY_BARE HEAD("\4") "\0\0\0\4"
#define READY_TEXT HEAD("\x10") "\0\0\0\4" TEXT
#define READY_BOTH HEAD("\x2e") "\0\0\0\4" TEXT OURS
#define ACCEPT HEAD("\4") "\0\0\0\1"
#define FINISH HEAD("\4") "\0\0\0\5"
#define UNKNOWN HEAD("\x0b") "\0\0\0\x63" "unknown"
#define DATA "\0\0\0\5" "hello"

static const struct dtap_reader_options answerable = {
	.size = sizeof(answerable), .bidirectional = 1
};

/* What became of a stream that was read from beginning to end. */
struct outcome {
	enum dtap_result result; /* of next(), or of finish() after AGAIN */
	char kinds[80];		/* one letter for each frame */
	char reply[80];		/* all that was to be sent back */
	size_t reply_bytes;
	uint64_t offset;	/* octets consumed */
	char error[160];
};

static char
letter_of(enum dtap_frame_kind kind)
{
	return kind <= DTAP_FRAME_FINISH ? "dA<>RF"[kind] : '?';
}

static void
collect_reply(dtap_reader *reader, struct outcome *out)
{
	size_t bytes;
	const void *reply = dtap_reader_reply(reader, &bytes);

	ck_assert((reply == NULL) == (bytes == 0));
	ck_assert_uint_le(out->reply_bytes + bytes, sizeof(out->reply));
	if (bytes > 0)
		memcpy(out->reply + out->reply_bytes, reply, bytes);
	out->reply_bytes += bytes;
}

/* Checks what is promised of each outcome of next(). */
static void
check_frame(const struct dtap_frame *frame, enum dtap_result result,
	    const uint8_t *at, size_t left, size_t consumed)
{
	if (result != DTAP_OK && result != DTAP_END) {
		ck_assert_uint_eq(consumed, 0);
		ck_assert_ptr_null(frame->data);
		if (result == DTAP_AGAIN)
			ck_assert_uint_gt(frame->bytes, left);
		return;
	}
	ck_assert_uint_le(consumed, left);
	ck_assert_uint_gt(consumed, 0);
	ck_assert_ptr_eq((const uint8_t *)frame->data + frame->bytes,
			 at + consumed);
	ck_assert_uint_eq(consumed, frame->bytes +
			  (frame->kind == DTAP_FRAME_DATA ? 4u : 8u));
}

static void
read_all(const struct dtap_reader_options *options, const void *stream,
	 size_t bytes, struct outcome *out)
{
	/* No larger than the stream, so that reading on is seen. */
	uint8_t *copy = malloc(bytes + 1);
	uint8_t *end = copy + bytes + 1, *at = copy + 1;
	dtap_reader *reader;
	struct dtap_frame frame;
	size_t consumed, frames = 0;

	memcpy(at, stream, bytes);
	memset(out, 0, sizeof(*out));
	ck_assert_int_eq(dtap_reader_open(options, &reader), DTAP_OK);
	do {
		out->result = dtap_reader_next(reader, at, (size_t)(end - at),
					       &consumed, &frame);
		ck_assert_uint_eq(frame.offset, (size_t)(at - copy - 1));
		check_frame(&frame, out->result, at, (size_t)(end - at),
			    consumed);
		if (consumed > 0 && frames < sizeof(out->kinds) - 1)
			out->kinds[frames++] = letter_of(frame.kind);
		collect_reply(reader, out);
		at += consumed;
	} while (out->result == DTAP_OK);
	if (out->result == DTAP_AGAIN || out->result == DTAP_END)
		out->result = dtap_reader_finish(reader, (size_t)(end - at));
	ck_assert_int_eq(dtap_reader_finish(reader, (size_t)(end - at)),
			 out->result);
	out->offset = (size_t)(at - copy - 1);
	strcpy(out->error, dtap_reader_error(reader));
	ck_assert((out->result == DTAP_OK) == (out->error[0] == '\0'));
	dtap_reader_close(&reader);
	free(copy);
}

struct stream_case {
	const char *octets;
	size_t bytes;
	bool answerable;
	enum dtap_result result;
	const char *kinds;
	const char *error;
};

#define UNI(octets, result, kinds, error) \
	{ octets, sizeof(octets) - 1, false, result, kinds, error }
#define BI(octets, result, kinds, error) \
	{ octets, sizeof(octets) - 1, true, result, kinds, error }
static const struct stream_case stream_cases[] = {
	UNI(START STOP, DTAP_OK, "<>", ""),
	UNI(START DATA "\0\0\0\1x" STOP, DTAP_OK, "<dd>", ""),
	UNI(START_BARE DATA STOP, DTAP_OK, "<d>", ""),
	UNI(UNKNOWN START UNKNOWN DATA UNKNOWN STOP, DTAP_OK, "?<?d?>", ""),
	BI(START DATA STOP, DTAP_OK, "<d>", ""),
	BI(READY START DATA STOP, DTAP_OK, "R<d>", ""),
	BI(READY_BARE START_BARE STOP, DTAP_OK, "R<>", ""),
	BI(READY_BOTH START STOP, DTAP_OK, "R<>", ""),

	UNI("", DTAP_E_TRUNCATED, "", "stream ends without STOP at offset 0"),
	UNI(START DATA, DTAP_E_TRUNCATED, "<d",
	    "stream ends without STOP at offset 51"),
	UNI(START "\0\0", DTAP_E_TRUNCATED, "<",
	    "stream ends inside a frame at offset 42 (2 of 4 octets)"),
	UNI(START "\0\0\0\5" "hell", DTAP_E_TRUNCATED, "<",
	    "stream ends inside a frame at offset 42 (8 of 9 octets)"),
	UNI(START "\0\0\0\0" "\0\0\0", DTAP_E_TRUNCATED, "<",
	    "stream ends inside a frame at offset 42 (7 of 8 octets)"),
	UNI(START "\0\0\0\0" "\0\0\0\4" "\0\0\0", DTAP_E_TRUNCATED, "<",
	    "stream ends inside a frame at offset 42 (11 of 12 octets)"),
	UNI(START STOP "x", DTAP_E_PROTOCOL, "<>",
	    "offset 54: 1 octets follow STOP"),

	UNI("plain text\n", DTAP_E_PROTOCOL, "",
	    "offset 0: not a Frame Streams stream: data frame before START"),
	UNI("\0\0\0\0\0\0\0\0\0\0\0\0", DTAP_E_PROTOCOL, "",
	    "offset 0: not a Frame Streams stream: malformed control frame of "
	    "0 octets"),
	UNI("\0\0\0\0\x7f" "ELF", DTAP_E_PROTOCOL, "",
	    "offset 0: not a Frame Streams stream: control frame of "
	    "2135247942 octets exceeds the limit of 512"),
	UNI(UNKNOWN DATA, DTAP_E_PROTOCOL, "?",
	    "offset 19: data frame before START"),
	BI(READY DATA, DTAP_E_PROTOCOL, "R",
	   "offset 42: data frame before START"),

	UNI(START_TEXT, DTAP_E_CONTENT_TYPE, "",
	    "offset 0: START names a content type other than "
	    "protobuf:dnstap.Dnstap"),
	BI(READY_BOTH START_TEXT, DTAP_E_CONTENT_TYPE, "R",
	   "offset 54: START names a content type other than "
	   "protobuf:dnstap.Dnstap"),
	BI(READY_TEXT, DTAP_E_CONTENT_TYPE, "",
	   "offset 0: READY does not offer protobuf:dnstap.Dnstap"),

	UNI(READY START, DTAP_E_PROTOCOL, "",
	    "offset 0: READY on a stream that cannot be answered"),
	UNI(STOP, DTAP_E_PROTOCOL, "", "offset 0: STOP out of order"),
	UNI(ACCEPT, DTAP_E_PROTOCOL, "", "offset 0: ACCEPT out of order"),
	UNI(START START, DTAP_E_PROTOCOL, "<", "offset 42: START out of order"),
	UNI(START FINISH, DTAP_E_PROTOCOL, "<",
	    "offset 42: FINISH out of order"),
	BI(READY READY, DTAP_E_PROTOCOL, "R",
	   "offset 42: READY out of order"),
	BI(START READY, DTAP_E_PROTOCOL, "<", "offset 42: READY out of order"),
	UNI(START "\0\0\0\0" "\0\0\2\1", DTAP_E_PROTOCOL, "<",
	    "offset 42: control frame of 513 octets exceeds the limit of "
	    "512"),
	UNI(START "\0\0\0\0" "\xff\xff\xff\xff", DTAP_E_PROTOCOL, "<",
	    "offset 42: control frame of 4294967295 octets exceeds the limit "
	    "of 512"),
	UNI(START HEAD("\5") "\0\0\0\3x", DTAP_E_PROTOCOL, "<",
	    "offset 42: malformed control frame of 5 octets"),
	UNI(START "\xff\xff\xff\xff", DTAP_E_TOO_BIG, "<",
	    "offset 42: data frame of 4294967295 octets exceeds the limit of "
	    "1048576"),
	UNI(START "\0\x10\0\1", DTAP_E_TOO_BIG, "<",
	    "offset 42: data frame of 1048577 octets exceeds the limit of "
	    "1048576"),
};

START_TEST(every_stream_has_its_outcome)
{
	const struct stream_case *c;
	struct outcome out;

	for (size_t i = 0; i < DTAP__COUNT_OF(stream_cases); i++) {
		c = &stream_cases[i];
		read_all(c->answerable ? &answerable : NULL, c->octets,
			 c->bytes, &out);
		ck_assert_str_eq(out.error, c->error);
		ck_assert_str_eq(out.kinds, c->kinds);
		ck_assert_int_eq(out.result, c->result);
	}
}
END_TEST

START_TEST(replies_to_ready_and_to_stop)
{
	uint8_t expected[2 * DTAP__CONTROL_WRITTEN_MAX];
	size_t bytes = dtap__control_write(expected, DTAP__CONTROL_ACCEPT);
	struct outcome out;

	read_all(&answerable, READY START DATA, sizeof(READY START DATA) - 1,
		 &out);
	ck_assert_uint_eq(out.reply_bytes, bytes);
	ck_assert_mem_eq(out.reply, expected, bytes);

	bytes += dtap__control_write(expected + bytes, DTAP__CONTROL_FINISH);
	read_all(&answerable, READY START STOP, sizeof(READY START STOP) - 1,
		 &out);
	ck_assert_uint_eq(out.reply_bytes, bytes);
	ck_assert_mem_eq(out.reply, expected, bytes);

	/* Nobody waits for FINISH after a stream that began with START. */
	read_all(&answerable, START STOP, sizeof(START STOP) - 1, &out);
	ck_assert_uint_eq(out.reply_bytes, 0);
}
END_TEST

START_TEST(replies_fetched_late_come_in_order)
{
	static const char in[] = READY START STOP;
	uint8_t expected[2 * DTAP__CONTROL_WRITTEN_MAX];
	size_t bytes = dtap__control_write(expected, DTAP__CONTROL_ACCEPT);
	size_t at = 0, consumed, reply_bytes;
	struct dtap_frame frame;
	dtap_reader *reader;
	const void *reply;

	bytes += dtap__control_write(expected + bytes, DTAP__CONTROL_FINISH);
	ck_assert_int_eq(dtap_reader_open(&answerable, &reader), DTAP_OK);
	for (; at < sizeof(in) - 1; at += consumed)
		ck_assert_int_ge(dtap_reader_next(reader, in + at,
						  sizeof(in) - 1 - at,
						  &consumed, &frame), DTAP_OK);
	reply = dtap_reader_reply(reader, &reply_bytes);
	ck_assert_uint_eq(reply_bytes, bytes);
	ck_assert_mem_eq(reply, expected, bytes);
	ck_assert_ptr_null(dtap_reader_reply(reader, &reply_bytes));
	ck_assert_uint_eq(reply_bytes, 0);
	dtap_reader_close(&reader);
}
END_TEST

START_TEST(again_says_how_much_is_needed)
{
	static const char in[] = START "\0\x10\0\0";
	struct dtap_frame frame;
	dtap_reader *reader;
	size_t consumed;

	ck_assert_int_eq(dtap_reader_open(NULL, &reader), DTAP_OK);
	for (size_t bytes = 0; bytes < 42; bytes++) {
		ck_assert_int_eq(dtap_reader_next(reader, in, bytes,
						  &consumed, &frame),
				 DTAP_AGAIN);
		ck_assert_uint_eq(frame.bytes, bytes < 4 ? 4 :
					       bytes < 8 ? 8 : 42);
	}
	ck_assert_int_eq(dtap_reader_next(reader, in, 42, &consumed, &frame),
			 DTAP_OK);
	/* A frame as large as the limit, and not an octet of it yet. */
	ck_assert_int_eq(dtap_reader_next(reader, in + 42, 4, &consumed,
					  &frame), DTAP_AGAIN);
	ck_assert_uint_eq(frame.bytes, 4 + DTAP_READER_FRAME_BYTES_DEFAULT);
	ck_assert_uint_eq(frame.offset, 42);
	ck_assert_str_eq(dtap_reader_error(reader), "");
	dtap_reader_close(&reader);
}
END_TEST

START_TEST(octets_that_were_not_looked_at_are_told_as_such)
{
	struct dtap_frame frame;
	dtap_reader *reader;
	size_t consumed;

	ck_assert_int_eq(dtap_reader_open(NULL, &reader), DTAP_OK);
	dtap_reader_next(reader, START, 41, &consumed, &frame);
	dtap_reader_next(reader, START, 42, &consumed, &frame);
	ck_assert_int_eq(dtap_reader_finish(reader, 9), DTAP_E_TRUNCATED);
	ck_assert_str_eq(dtap_reader_error(reader), "stream ends without "
			 "STOP, 9 octets from offset 42 on were not looked at");
	dtap_reader_close(&reader);
}
END_TEST

START_TEST(the_limit_is_the_callers)
{
	struct dtap_reader_options options = {
		.size = sizeof(options), .max_frame_bytes = 5
	};
	struct outcome out;

	read_all(&options, START DATA STOP, sizeof(START DATA STOP) - 1, &out);
	ck_assert_int_eq(out.result, DTAP_OK);
	options.max_frame_bytes = 4;
	read_all(&options, START DATA STOP, sizeof(START DATA STOP) - 1, &out);
	ck_assert_int_eq(out.result, DTAP_E_TOO_BIG);
	ck_assert_uint_eq(out.offset, 42);
	options.max_frame_bytes = UINT32_MAX;
	read_all(&options, START "\xff\xff\xff\xff", 46, &out);
	ck_assert_str_eq(out.error, "stream ends inside a frame at offset 42 "
			 "(4 of 4294967299 octets)");
}
END_TEST

START_TEST(errors_are_final)
{
	struct dtap_frame frame;
	dtap_reader *reader;
	size_t consumed;

	ck_assert_int_eq(dtap_reader_open(NULL, &reader), DTAP_OK);
	ck_assert_int_eq(dtap_reader_next(reader, DATA, 9, &consumed, &frame),
			 DTAP_E_PROTOCOL);
	ck_assert_int_eq(dtap_reader_next(reader, START, 42, &consumed,
					  &frame), DTAP_E_PROTOCOL);
	ck_assert_uint_eq(consumed, 0);
	ck_assert_int_eq(dtap_reader_finish(reader, 0), DTAP_E_PROTOCOL);
	dtap_reader_close(&reader);
	ck_assert_ptr_null(reader);
}
END_TEST

/* Reads START and STOP, then what follows. */
static enum dtap_result
next_after_stop(const char *octets, size_t bytes, size_t *consumed,
		struct dtap_frame *frame, enum dtap_result *finish)
{
	static const char in[] = START STOP;
	dtap_reader *reader;
	enum dtap_result result;

	ck_assert_int_eq(dtap_reader_open(NULL, &reader), DTAP_OK);
	dtap_reader_next(reader, in, 54, consumed, frame);
	ck_assert_uint_eq(*consumed, 42);
	ck_assert_int_eq(dtap_reader_next(reader, in + 42, 12, consumed,
					  frame), DTAP_END);
	ck_assert_int_eq(frame->kind, DTAP_FRAME_STOP);
	result = dtap_reader_next(reader, octets, bytes, consumed, frame);
	*finish = dtap_reader_finish(reader, bytes - *consumed);
	dtap_reader_close(&reader);
	return result;
}

START_TEST(after_stop_comes_nothing_but_a_finish)
{
	struct dtap_frame frame;
	enum dtap_result finish;
	size_t consumed;

	ck_assert_int_eq(next_after_stop(NULL, 0, &consumed, &frame, &finish),
			 DTAP_END);
	ck_assert_int_eq(finish, DTAP_OK);
	ck_assert_int_eq(next_after_stop(FINISH, 12, &consumed, &frame,
					 &finish), DTAP_END);
	ck_assert_int_eq(frame.kind, DTAP_FRAME_FINISH);
	ck_assert_uint_eq(consumed, 12);
	ck_assert_int_eq(finish, DTAP_OK);
	ck_assert_int_eq(next_after_stop(DATA, 9, &consumed, &frame, &finish),
			 DTAP_E_PROTOCOL);
	ck_assert_int_eq(next_after_stop(START, 42, &consumed, &frame,
					 &finish), DTAP_E_PROTOCOL);
	ck_assert_int_eq(next_after_stop("\0", 1, &consumed, &frame, &finish),
			 DTAP_AGAIN);
	ck_assert_int_eq(finish, DTAP_E_PROTOCOL);
}
END_TEST

START_TEST(arguments_are_checked)
{
	struct {
		struct dtap_reader_options options;
		uint64_t tail;
	} later = { { .size = sizeof(later) }, 0 };
	struct dtap_reader_options options = answerable;
	struct dtap_frame frame;
	dtap_reader *reader;
	size_t n;

	ck_assert_int_eq(dtap_reader_open(NULL, NULL), DTAP_E_INVALID);
	options.bidirectional = 2;
	ck_assert_int_eq(dtap_reader_open(&options, &reader), DTAP_E_INVALID);
	ck_assert_ptr_null(reader);
	options = answerable;
	options.reserved[2] = 1;
	ck_assert_int_eq(dtap_reader_open(&options, &reader), DTAP_E_INVALID);
	options = answerable;
	options.size--;
	ck_assert_int_eq(dtap_reader_open(&options, &reader), DTAP_E_INVALID);

	/* Options of a later release: a zero tail is accepted. */
	later.tail = 1;
	ck_assert_int_eq(dtap_reader_open(&later.options, &reader),
			 DTAP_E_INVALID);
	later.tail = 0;
	ck_assert_int_eq(dtap_reader_open(&later.options, &reader), DTAP_OK);

	ck_assert_int_eq(dtap_reader_next(NULL, "", 0, &n, &frame),
			 DTAP_E_INVALID);
	ck_assert_int_eq(dtap_reader_next(reader, NULL, 1, &n, &frame),
			 DTAP_E_INVALID);
	ck_assert_int_eq(dtap_reader_next(reader, "", 0, NULL, &frame),
			 DTAP_E_INVALID);
	ck_assert_int_eq(dtap_reader_next(reader, "", 0, &n, NULL),
			 DTAP_E_INVALID);
	ck_assert_int_eq(dtap_reader_next(reader, NULL, 0, &n, &frame),
			 DTAP_AGAIN);
	ck_assert_int_eq(dtap_reader_finish(NULL, 0), DTAP_E_INVALID);
	ck_assert_ptr_null(dtap_reader_reply(NULL, &n));
	ck_assert_ptr_null(dtap_reader_reply(reader, NULL));
	ck_assert_str_eq(dtap_reader_error(NULL), "");
	dtap_reader_close(&reader);
	dtap_reader_close(&reader);
	dtap_reader_close(NULL);
}
END_TEST

static const char whole[] = READY UNKNOWN START DATA UNKNOWN DATA STOP;

START_TEST(every_cut_yields_the_whole_frames_before_it)
{
	struct outcome out, full;
	size_t bytes = sizeof(whole) - 1;

	read_all(&answerable, whole, bytes, &full);
	ck_assert_int_eq(full.result, DTAP_OK);
	ck_assert_str_eq(full.kinds, "R?<d?d>");
	for (size_t cut = 0; cut < bytes; cut++) {
		read_all(&answerable, whole, cut, &out);
		ck_assert_int_eq(out.result, DTAP_E_TRUNCATED);
		ck_assert_int_eq(strncmp(out.kinds, full.kinds,
					 strlen(out.kinds)), 0);
		ck_assert_uint_le(out.offset, cut);
		ck_assert_uint_lt(cut - out.offset, 42);
	}
}
END_TEST

START_TEST(every_changed_octet_has_a_defined_outcome)
{
	char changed[sizeof(whole)];
	struct outcome out;
	size_t unprintable = 0;
	size_t step = support_is_slow() ? 13 : 1;

	for (size_t i = 0; i < (sizeof(whole) - 1) * 256; i += step) {
		memcpy(changed, whole, sizeof(whole));
		changed[i / 256] = (char)(i % 256);
		read_all(&answerable, changed, sizeof(whole) - 1, &out);
		ck_assert(out.result == DTAP_OK ||
			  out.result == DTAP_E_PROTOCOL ||
			  out.result == DTAP_E_CONTENT_TYPE ||
			  out.result == DTAP_E_TOO_BIG ||
			  out.result == DTAP_E_TRUNCATED);
		for (const char *c = out.error; *c != '\0'; c++)
			unprintable += *c < ' ' || *c > '~';
	}
	ck_assert_uint_eq(unprintable, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("reader_stream");

	support_add(suite, every_stream_has_its_outcome);
	support_add(suite, replies_to_ready_and_to_stop);
	support_add(suite, replies_fetched_late_come_in_order);
	support_add(suite, again_says_how_much_is_needed);
	support_add(suite, octets_that_were_not_looked_at_are_told_as_such);
	support_add(suite, the_limit_is_the_callers);
	support_add(suite, errors_are_final);
	support_add(suite, after_stop_comes_nothing_but_a_finish);
	support_add(suite, arguments_are_checked);
	support_add(suite, every_cut_yields_the_whole_frames_before_it);
	support_add(suite, every_changed_octet_has_a_defined_outcome);
	return support_run(suite);
}
