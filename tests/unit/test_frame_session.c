/* SPDX-License-Identifier: Apache-2.0 */
#include "frame/frame_session.h"

#include <string.h>

#include <dnstap/reader.h>

#include "base/compiler.h"

#include "support/support.h"

/* Whole frames as a peer sends them. */
#define HEAD(length) "\0\0\0\0" "\0\0\0" length
#define TYPE_OURS "\0\0\0\1" "\0\0\0\x16" "protobuf:dnstap.Dnstap"
#define TYPE_TEXT "\0\0\0\1" "\0\0\0\4" "text"
#define ACCEPT_BARE HEAD("\4") "\0\0\0\1"
#define ACCEPT_OURS HEAD("\x22") "\0\0\0\1" TYPE_OURS
#define ACCEPT_TEXT_OURS HEAD("\x2e") "\0\0\0\1" TYPE_TEXT TYPE_OURS
#define ACCEPT_OURS_TEXT HEAD("\x2e") "\0\0\0\1" TYPE_OURS TYPE_TEXT
#define ACCEPT_TEXT HEAD("\x10") "\0\0\0\1" TYPE_TEXT
#define ACCEPT_FIELD HEAD("\x0e") "\0\0\0\1" "\0\0\0\x63" "\0\0\0\2" "??"
#define START_BARE HEAD("\4") "\0\0\0\2"
#define STOP HEAD("\4") "\0\0\0\3"
#define READY_BARE HEAD("\4") "\0\0\0\4"
#define FINISH HEAD("\4") "\0\0\0\5"
#define UNKNOWN HEAD("\x0b") "\0\0\0\x63" "unknown"

/* Everything pending is sent; checks that it is the frame expected. */
static void
expect_sent(struct dtap__session *session, enum dtap__control_type type)
{
	uint8_t frame[DTAP__CONTROL_WRITTEN_MAX];
	size_t frame_bytes = dtap__control_write(frame, type);
	const uint8_t *octets;

	ck_assert_uint_eq(dtap__session_pending(session, &octets),
			  frame_bytes);
	ck_assert_mem_eq(octets, frame, frame_bytes);
	dtap__session_sent(session, frame_bytes);
	ck_assert_uint_eq(dtap__session_pending(session, &octets), 0);
}

/* Brings a session to a state, everything sent. */
static void
bring_to(struct dtap__session *session, enum dtap__session_state state)
{
	dtap__session_begin(session, true);
	expect_sent(session, DTAP__CONTROL_READY);
	if (state == DTAP__SESSION_ACCEPTING)
		return;
	ck_assert_int_eq(dtap__session_received(session, ACCEPT_OURS,
						sizeof(ACCEPT_OURS) - 1),
			 DTAP_OK);
	expect_sent(session, DTAP__CONTROL_START);
	if (state == DTAP__SESSION_FLOWING)
		return;
	dtap__session_finish(session);
	expect_sent(session, DTAP__CONTROL_STOP);
	if (state == DTAP__SESSION_FINISHING)
		return;
	ck_assert_int_eq(dtap__session_received(session, FINISH,
						sizeof(FINISH) - 1), DTAP_OK);
	ck_assert_int_eq(session->state, DTAP__SESSION_DONE);
}

START_TEST(bidirectional_from_ready_to_finish)
{
	struct dtap__session session;

	dtap__session_begin(&session, true);
	ck_assert(!dtap__session_flows(&session));
	expect_sent(&session, DTAP__CONTROL_READY);
	ck_assert(!dtap__session_flows(&session));
	ck_assert_int_eq(dtap__session_received(&session, ACCEPT_OURS,
						sizeof(ACCEPT_OURS) - 1),
			 DTAP_OK);
	ck_assert(!dtap__session_flows(&session));
	expect_sent(&session, DTAP__CONTROL_START);
	ck_assert(dtap__session_flows(&session));
	dtap__session_finish(&session);
	ck_assert(!dtap__session_flows(&session));
	expect_sent(&session, DTAP__CONTROL_STOP);
	ck_assert(!dtap__session_over(&session));
	ck_assert(!dtap__session_confirmed(&session));
	ck_assert_int_eq(dtap__session_received(&session, FINISH,
						sizeof(FINISH) - 1), DTAP_OK);
	ck_assert(dtap__session_over(&session));
	ck_assert(dtap__session_confirmed(&session));
	ck_assert_str_eq(session.error, "");
}
END_TEST

START_TEST(unidirectional_from_start_to_stop)
{
	struct dtap__session session;

	dtap__session_begin(&session, false);
	ck_assert(!dtap__session_flows(&session));
	expect_sent(&session, DTAP__CONTROL_START);
	ck_assert(dtap__session_flows(&session));
	dtap__session_finish(&session);
	ck_assert(!dtap__session_over(&session));
	expect_sent(&session, DTAP__CONTROL_STOP);
	ck_assert(dtap__session_over(&session));
	ck_assert(!dtap__session_confirmed(&session));
}
END_TEST

START_TEST(one_octet_at_a_time_makes_no_difference)
{
	static const char in[] = UNKNOWN ACCEPT_TEXT_OURS UNKNOWN;
	struct dtap__session session;
	const uint8_t *octets;
	size_t pending;

	dtap__session_begin(&session, true);
	for (size_t i = 0; i < sizeof(in) - 1; i++) {
		pending = dtap__session_pending(&session, &octets);
		dtap__session_sent(&session, pending > 0);
		ck_assert_int_eq(dtap__session_received(&session, in + i, 1),
				 DTAP_OK);
	}
	ck_assert_int_eq(session.state, DTAP__SESSION_FLOWING);
	ck_assert(!dtap__session_flows(&session));
	pending = dtap__session_pending(&session, &octets);
	dtap__session_sent(&session, pending - 1);
	ck_assert(!dtap__session_flows(&session));
	dtap__session_sent(&session, 1);
	ck_assert(dtap__session_flows(&session));
}
END_TEST

START_TEST(eager_peer_is_answered_behind_what_is_pending)
{
	struct dtap__session session;
	uint8_t expected[2 * DTAP__CONTROL_WRITTEN_MAX];
	const uint8_t *octets;
	size_t bytes = dtap__control_write(expected, DTAP__CONTROL_READY);

	bytes += dtap__control_write(expected + bytes, DTAP__CONTROL_START);
	dtap__session_begin(&session, true);
	dtap__session_sent(&session, 5);
	ck_assert_int_eq(dtap__session_received(&session, ACCEPT_BARE,
						sizeof(ACCEPT_BARE) - 1),
			 DTAP_OK);
	ck_assert_uint_eq(dtap__session_pending(&session, &octets), bytes - 5);
	ck_assert_mem_eq(octets, expected + 5, bytes - 5);
}
END_TEST

START_TEST(empty_stream_needs_no_pause_before_stop)
{
	struct dtap__session session;
	const uint8_t *octets;
	size_t pending;

	dtap__session_begin(&session, false);
	dtap__session_finish(&session);
	pending = dtap__session_pending(&session, &octets);
	ck_assert_uint_eq(pending, 42 + 12);
	dtap__session_sent(&session, pending);
	ck_assert(dtap__session_over(&session));
}
END_TEST

START_TEST(finish_waits_for_flowing)
{
	struct dtap__session session;
	const uint8_t *octets;

	bring_to(&session, DTAP__SESSION_ACCEPTING);
	dtap__session_finish(&session);
	ck_assert_int_eq(session.state, DTAP__SESSION_ACCEPTING);
	ck_assert_uint_eq(dtap__session_pending(&session, &octets), 0);
	bring_to(&session, DTAP__SESSION_DONE);
	dtap__session_finish(&session);
	ck_assert_int_eq(session.state, DTAP__SESSION_DONE);
	ck_assert_uint_eq(dtap__session_pending(&session, &octets), 0);
}
END_TEST

struct peer_case {
	enum dtap__session_state before;
	const char *octets;
	size_t bytes;
	enum dtap_result result;
	enum dtap__session_state after;
	const char *error;
};

#define PEER(before, octets, result, after, error) \
	{ DTAP__SESSION_##before, octets, sizeof(octets) - 1, result, \
	  DTAP__SESSION_##after, error }
#define BAD(before, octets, result, error) \
	PEER(before, octets, result, FAILED, error)

static const struct peer_case peer_cases[] = {
	PEER(ACCEPTING, ACCEPT_BARE, DTAP_OK, FLOWING, ""),
	PEER(ACCEPTING, ACCEPT_OURS, DTAP_OK, FLOWING, ""),
	PEER(ACCEPTING, ACCEPT_TEXT_OURS, DTAP_OK, FLOWING, ""),
	PEER(ACCEPTING, ACCEPT_OURS_TEXT, DTAP_OK, FLOWING, ""),
	PEER(ACCEPTING, ACCEPT_FIELD, DTAP_OK, FLOWING, ""),
	PEER(ACCEPTING, UNKNOWN UNKNOWN ACCEPT_BARE UNKNOWN, DTAP_OK, FLOWING,
	     ""),
	PEER(ACCEPTING, UNKNOWN, DTAP_OK, ACCEPTING, ""),
	PEER(FLOWING, UNKNOWN UNKNOWN, DTAP_OK, FLOWING, ""),
	PEER(FINISHING, UNKNOWN FINISH, DTAP_OK, DONE, ""),
	/* What follows the FINISH that was waited for does not matter. */
	PEER(FINISHING, FINISH "garbage", DTAP_OK, DONE, ""),
	PEER(DONE, FINISH, DTAP_OK, DONE, ""),

	BAD(ACCEPTING, ACCEPT_TEXT, DTAP_E_CONTENT_TYPE,
	    "peer does not accept content type protobuf:dnstap.Dnstap"),
	BAD(ACCEPTING, FINISH, DTAP_E_PROTOCOL,
	    "peer sent FINISH out of order"),
	BAD(ACCEPTING, READY_BARE, DTAP_E_PROTOCOL,
	    "peer sent READY, which only a writer sends"),
	BAD(ACCEPTING, START_BARE, DTAP_E_PROTOCOL,
	    "peer sent START, which only a writer sends"),
	BAD(FLOWING, STOP, DTAP_E_PROTOCOL,
	    "peer sent STOP, which only a writer sends"),
	BAD(ACCEPTING, ACCEPT_BARE ACCEPT_BARE, DTAP_E_PROTOCOL,
	    "peer sent ACCEPT out of order"),
	BAD(FLOWING, ACCEPT_OURS, DTAP_E_PROTOCOL,
	    "peer sent ACCEPT out of order"),
	BAD(FINISHING, ACCEPT_OURS, DTAP_E_PROTOCOL,
	    "peer sent ACCEPT out of order"),
	BAD(FLOWING, FINISH, DTAP_E_CLOSED, "peer sent FINISH before STOP"),
	/* Garbage and data frames. */
	BAD(ACCEPTING, "HTTP", DTAP_E_PROTOCOL,
	    "peer sent something other than a control frame (0x48545450)"),
	BAD(FLOWING, "\0\0\0\1", DTAP_E_PROTOCOL,
	    "peer sent something other than a control frame (0x00000001)"),
	/* Lengths, judged before the octets are there. */
	BAD(ACCEPTING, "\0\0\0\0" "\xff\xff\xff\xff", DTAP_E_PROTOCOL,
	    "peer sent a control frame of 4294967295 octets, the limit is "
	    "512"),
	BAD(FINISHING, "\0\0\0\0" "\0\0\2\1", DTAP_E_PROTOCOL,
	    "peer sent a control frame of 513 octets, the limit is 512"),
	BAD(ACCEPTING, HEAD("\0"), DTAP_E_PROTOCOL,
	    "peer sent a malformed control frame"),
	BAD(ACCEPTING, HEAD("\3") "\0\0\0", DTAP_E_PROTOCOL,
	    "peer sent a malformed control frame"),
	BAD(ACCEPTING, HEAD("\x0c") "\0\0\0\1" "\0\0\0\1" "\xff\xff\xff\xff",
	    DTAP_E_PROTOCOL, "peer sent a malformed control frame"),
};

static void
check_peer_case(const struct peer_case *c, size_t chunk_bytes)
{
	struct dtap__session session;
	const uint8_t *octets;
	enum dtap_result result = DTAP_OK;

	bring_to(&session, c->before);
	for (size_t at = 0; at < c->bytes; at += chunk_bytes) {
		size_t part = c->bytes - at;

		if (part > chunk_bytes)
			part = chunk_bytes;
		result = dtap__session_received(&session, c->octets + at,
						part);
	}
	ck_assert_int_eq(result, c->result);
	ck_assert_int_eq(session.state, c->after);
	ck_assert_str_eq(session.error, c->error);
	if (c->after != DTAP__SESSION_FAILED)
		return;
	ck_assert(dtap__session_over(&session));
	ck_assert(!dtap__session_confirmed(&session));
	ck_assert_uint_eq(dtap__session_pending(&session, &octets), 0);
	ck_assert_int_eq(dtap__session_received(&session, ACCEPT_BARE, 12),
			 c->result);
	ck_assert_int_eq(dtap__session_received(&session, NULL, 0),
			 c->result);
}

START_TEST(every_answer_has_its_outcome)
{
	static const size_t chunks[] = { 1, 3, 8, 13, SIZE_MAX / 2 };

	for (size_t i = 0; i < DTAP__COUNT_OF(peer_cases); i++) {
		for (size_t j = 0; j < DTAP__COUNT_OF(chunks); j++)
			check_peer_case(&peer_cases[i], chunks[j]);
	}
}
END_TEST

START_TEST(finish_before_all_of_stop_has_left_confirms_nothing)
{
	struct dtap__session session;

	bring_to(&session, DTAP__SESSION_FLOWING);
	dtap__session_finish(&session);
	dtap__session_sent(&session, 11);
	ck_assert_int_eq(dtap__session_received(&session, FINISH,
						sizeof(FINISH) - 1),
			 DTAP_E_CLOSED);
	ck_assert(!dtap__session_confirmed(&session));
}
END_TEST

START_TEST(unidirectional_peer_has_nothing_to_say)
{
	struct dtap__session session;

	dtap__session_begin(&session, false);
	ck_assert_int_eq(dtap__session_received(&session, ACCEPT_BARE,
						sizeof(ACCEPT_BARE) - 1),
			 DTAP_E_PROTOCOL);
	dtap__session_begin(&session, false);
	ck_assert_int_eq(dtap__session_received(&session, FINISH,
						sizeof(FINISH) - 1),
			 DTAP_E_PROTOCOL);
}
END_TEST

START_TEST(longest_control_frame_is_understood)
{
	static uint8_t in[8 + DTAP__CONTROL_BYTES_MAX] = { [6] = 2, [8] = 99 };
	struct dtap__session session;

	bring_to(&session, DTAP__SESSION_ACCEPTING);
	ck_assert_int_eq(dtap__session_received(&session, in, sizeof(in)),
			 DTAP_OK);
	ck_assert_uint_eq(session.ignored, 1);
	ck_assert_uint_eq(session.in_bytes, 0);
}
END_TEST

START_TEST(patience_with_unknown_frames_ends)
{
	struct dtap__session session;

	bring_to(&session, DTAP__SESSION_ACCEPTING);
	for (int i = 0; i < DTAP__SESSION_IGNORED_MAX; i++)
		ck_assert_int_eq(dtap__session_received(&session, UNKNOWN,
							sizeof(UNKNOWN) - 1),
				 DTAP_OK);
	ck_assert_int_eq(dtap__session_received(&session, UNKNOWN,
						sizeof(UNKNOWN) - 1),
			 DTAP_E_PROTOCOL);
	ck_assert_str_eq(session.error,
			 "peer sent more than 64 unknown control frames");
}
END_TEST

START_TEST(begins_anew_after_a_failure)
{
	struct dtap__session session;

	bring_to(&session, DTAP__SESSION_ACCEPTING);
	ck_assert_int_eq(dtap__session_received(&session, "HTTP/1.1", 8),
			 DTAP_E_PROTOCOL);
	bring_to(&session, DTAP__SESSION_DONE);
	ck_assert_str_eq(session.error, "");
}
END_TEST

START_TEST(any_changed_octet_has_a_defined_outcome)
{
	static const char in[] = ACCEPT_TEXT_OURS UNKNOWN;
	struct dtap__session session;
	char changed[sizeof(in)];

	for (size_t i = 0; i < (sizeof(in) - 1) * 256; i++) {
		enum dtap_result result;

		memcpy(changed, in, sizeof(in));
		changed[i / 256] = (char)(i % 256);
		bring_to(&session, DTAP__SESSION_ACCEPTING);
		result = dtap__session_received(&session, changed,
						sizeof(in) - 1);
		ck_assert_int_eq(result, session.failure);
		ck_assert((result == DTAP_OK) == (session.error[0] == '\0'));
		ck_assert((result == DTAP_OK) ==
			  (session.state != DTAP__SESSION_FAILED));
	}
}
END_TEST

/* Two ends of one connection, whose pieces are cut at random. */
struct talk {
	struct dtap__session session;
	dtap_reader *reader;
	uint32_t random;
	uint8_t there[8192]; /* on the way to the reader, and kept by it */
	size_t there_bytes, read_bytes;
	uint8_t back[256];
	size_t back_bytes, received_bytes;
	unsigned int frames_sent, frames_read;
	bool ended;
};

static size_t
random_part(struct talk *talk, size_t most)
{
	talk->random = talk->random * 1664525u + 1013904223u;
	return (talk->random >> 8) % (most + 1);
}

static void
writer_turn(struct talk *talk)
{
	size_t part = random_part(talk, talk->back_bytes -
				  talk->received_bytes);
	const uint8_t *octets;
	uint8_t *at;

	ck_assert_int_eq(dtap__session_received(&talk->session, talk->back +
						talk->received_bytes, part),
			 DTAP_OK);
	talk->received_bytes += part;
	part = random_part(talk, dtap__session_pending(&talk->session,
						       &octets));
	memcpy(talk->there + talk->there_bytes, octets, part);
	dtap__session_sent(&talk->session, part);
	talk->there_bytes += part;
	if (!dtap__session_flows(&talk->session))
		return;
	if (talk->frames_sent == 20) {
		dtap__session_finish(&talk->session);
		return;
	}
	part = 1 + random_part(talk, 200);
	at = talk->there + talk->there_bytes;
	memset(at, 0, 3);
	memset(at + 3, (int)part, 1 + part);
	talk->there_bytes += 4 + part;
	talk->frames_sent++;
}

static void
reader_turn(struct talk *talk)
{
	size_t part = random_part(talk, talk->there_bytes - talk->read_bytes);
	struct dtap_frame frame;
	enum dtap_result result;
	size_t consumed, reply_bytes;
	const void *reply;

	if (talk->ended)
		return;
	result = dtap_reader_next(talk->reader, talk->there +
				  talk->read_bytes, part, &consumed, &frame);
	ck_assert_int_ge(result, DTAP_OK);
	talk->ended = result == DTAP_END;
	talk->read_bytes += consumed;
	if (result == DTAP_OK && frame.kind == DTAP_FRAME_DATA) {
		talk->frames_read++;
		ck_assert_uint_eq(*(const uint8_t *)frame.data, frame.bytes);
	}
	reply = dtap_reader_reply(talk->reader, &reply_bytes);
	if (reply_bytes > 0)
		memcpy(talk->back + talk->back_bytes, reply, reply_bytes);
	talk->back_bytes += reply_bytes;
}

static void
check_talk(uint32_t seed, bool bidirectional)
{
	static const struct dtap_reader_options options = {
		.size = sizeof(options), .bidirectional = 1
	};
	struct talk talk = { .random = seed };

	ck_assert_int_eq(dtap_reader_open(&options, &talk.reader), DTAP_OK);
	dtap__session_begin(&talk.session, bidirectional);
	for (int turn = 0; turn < 100000 && !(talk.ended &&
	     dtap__session_over(&talk.session)); turn++) {
		writer_turn(&talk);
		reader_turn(&talk);
	}
	ck_assert_int_eq(talk.session.state, DTAP__SESSION_DONE);
	ck_assert(dtap__session_confirmed(&talk.session) == bidirectional);
	ck_assert_uint_eq(talk.frames_sent, 20);
	ck_assert_uint_eq(talk.frames_read, 20);
	ck_assert_int_eq(dtap_reader_finish(talk.reader, talk.there_bytes -
					    talk.read_bytes), DTAP_OK);
	dtap_reader_close(&talk.reader);
}

START_TEST(session_and_reader_understand_each_other)
{
	for (uint32_t seed = 0; seed < 200; seed++) {
		check_talk(seed, true);
		check_talk(seed, false);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("frame_session");

	support_add(suite, bidirectional_from_ready_to_finish);
	support_add(suite, unidirectional_from_start_to_stop);
	support_add(suite, one_octet_at_a_time_makes_no_difference);
	support_add(suite, eager_peer_is_answered_behind_what_is_pending);
	support_add(suite, empty_stream_needs_no_pause_before_stop);
	support_add(suite, finish_waits_for_flowing);
	support_add(suite, every_answer_has_its_outcome);
	support_add(suite,
		    finish_before_all_of_stop_has_left_confirms_nothing);
	support_add(suite, unidirectional_peer_has_nothing_to_say);
	support_add(suite, longest_control_frame_is_understood);
	support_add(suite, patience_with_unknown_frames_ends);
	support_add(suite, begins_anew_after_a_failure);
	support_add(suite, any_changed_octet_has_a_defined_outcome);
	support_add(suite, session_and_reader_understand_each_other);
	return support_run(suite);
}
