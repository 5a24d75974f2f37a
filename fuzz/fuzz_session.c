/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_session.c: the handshake as the writer has it, with any peer.
 *
 * Octet 0: bit 0 bidirectional. Then steps, each one octet:
 *
 *   bits 0-1  0 the next n octets come from the peer; 1 the same with 16 n;
 *             2 n octets leave, or all for 0; 3 the stream is to end
 *   bits 2-7  n
 *
 * What must hold after each step:
 *  - what leaves is READY START STOP, or START STOP, from its beginning;
 *  - states are passed in their order, and what is over stays over;
 *  - a failure has a reason, keeps it, and sends nothing any more; a FINISH
 *    that came too early is told from other faults only while STOP is there;
 *  - data flows only behind START; what is confirmed was sent completely;
 *  - it makes no difference how the peer's octets are cut: a second session
 *    gets them one by one and is the same in everything.
 */
#include <string.h>

#include "frame/frame_session.h"
#include "fuzz.h"

struct writer {
	struct dtap__session session;
	size_t sent;
};

/* All that a session may ever send, and how much of it START is the end of. */
static uint8_t expected[3 * DTAP__CONTROL_WRITTEN_MAX];
static size_t expected_bytes;
static size_t expected_start;

static void
expect_frames(bool bidirectional)
{
	expected_bytes = 0;
	if (bidirectional)
		expected_bytes = dtap__control_write(expected,
						     DTAP__CONTROL_READY);
	expected_bytes += dtap__control_write(expected + expected_bytes,
					      DTAP__CONTROL_START);
	expected_start = expected_bytes;
	expected_bytes += dtap__control_write(expected + expected_bytes,
					      DTAP__CONTROL_STOP);
}

static void
check_failure(const struct writer *writer)
{
	const struct dtap__session *session = &writer->session;
	const uint8_t *octets;

	FUZZ_EXPECT(session->error[0] != '\0');
	FUZZ_EXPECT(session->failure == DTAP_E_PROTOCOL ||
		    session->failure == DTAP_E_CONTENT_TYPE ||
		    session->failure == DTAP_E_CLOSED);
	FUZZ_EXPECT(dtap__session_over(session));
	FUZZ_EXPECT(!dtap__session_confirmed(session));
	FUZZ_EXPECT(dtap__session_pending(session, &octets) == 0);
	/* Only a session that began to flow can be closed too early. */
	FUZZ_EXPECT(session->failure != DTAP_E_CLOSED ||
		    (session->bidirectional && writer->sent < expected_bytes &&
		     session->out_bytes >= expected_start));
}

static void
check(const struct writer *writer)
{
	const struct dtap__session *session = &writer->session;

	FUZZ_EXPECT(session->in_bytes < sizeof(session->in));
	FUZZ_EXPECT(session->out_bytes <= expected_bytes);
	FUZZ_EXPECT(session->out_sent == writer->sent);
	FUZZ_EXPECT(session->out_sent <= session->out_bytes);
	FUZZ_EXPECT(memcmp(session->out, expected, session->out_bytes) == 0);
	if (session->state == DTAP__SESSION_FAILED) {
		check_failure(writer);
		return;
	}
	FUZZ_EXPECT(session->failure == DTAP_OK && session->error[0] == '\0');
	FUZZ_EXPECT(session->ignored <= DTAP__SESSION_IGNORED_MAX);
	FUZZ_EXPECT(!dtap__session_flows(session) ||
		    writer->sent == expected_start);
	FUZZ_EXPECT(!dtap__session_confirmed(session) ||
		    (session->bidirectional &&
		     writer->sent == expected_bytes));
	FUZZ_EXPECT(dtap__session_over(session) ==
		    (session->state == DTAP__SESSION_DONE));
}

static void
check_same(const struct dtap__session *a, const struct dtap__session *b)
{
	FUZZ_EXPECT(a->state == b->state);
	FUZZ_EXPECT(a->failure == b->failure);
	FUZZ_EXPECT(strcmp(a->error, b->error) == 0);
	FUZZ_EXPECT(a->ignored == b->ignored);
	FUZZ_EXPECT(a->out_bytes == b->out_bytes);
	FUZZ_EXPECT(a->out_sent == b->out_sent);
	/* What failed may have failed before all of it was there. */
	if (a->state == DTAP__SESSION_FAILED)
		return;
	FUZZ_EXPECT(a->in_bytes == b->in_bytes);
	FUZZ_EXPECT(memcmp(a->in, b->in, a->in_bytes) == 0);
}

static void
receive(struct writer *writer, const uint8_t *octets, size_t bytes)
{
	enum dtap_result before = writer->session.failure;
	enum dtap_result result;

	result = dtap__session_received(&writer->session, octets, bytes);
	FUZZ_EXPECT(result == writer->session.failure);
	FUZZ_EXPECT(before == DTAP_OK || result == before);
}

static void
send(struct writer *writer, size_t bytes)
{
	const uint8_t *octets;
	size_t pending = dtap__session_pending(&writer->session, &octets);

	if (bytes == 0 || bytes > pending)
		bytes = pending;
	FUZZ_EXPECT(bytes <= expected_bytes - writer->sent);
	FUZZ_EXPECT(memcmp(octets, expected + writer->sent, bytes) == 0);
	dtap__session_sent(&writer->session, bytes);
	writer->sent += bytes;
}

static void
step(struct fuzz_source *source, struct writer *whole, struct writer *single)
{
	enum dtap__session_state before = whole->session.state;
	bool over = dtap__session_over(&whole->session);
	unsigned int step = (unsigned int)fuzz_take_number(source, 1);
	size_t bytes = step >> 2;
	const uint8_t *octets;

	switch (step & 3) {
	case 0:
	case 1:
		bytes *= (step & 1) != 0 ? 16 : 1;
		octets = fuzz_take_octets(source, &bytes);
		receive(whole, octets, bytes);
		for (size_t i = 0; i < bytes; i++)
			receive(single, octets + i, 1);
		break;
	case 2:
		send(whole, bytes);
		send(single, bytes);
		break;
	default:
		dtap__session_finish(&whole->session);
		dtap__session_finish(&single->session);
	}
	FUZZ_EXPECT(whole->session.state >= before);
	FUZZ_EXPECT(!over || whole->session.state == before);
}

struct stream {
	const uint8_t *octets;
	size_t bytes;
	bool bidirectional;
};

/* Its cost: the same octets at once, when all has been sent. */
static size_t
receive_all(void *context)
{
	const struct stream *stream = context;
	struct dtap__session session;
	const uint8_t *octets;

	dtap__session_begin(&session, stream->bidirectional);
	dtap__session_sent(&session, dtap__session_pending(&session, &octets));
	dtap__session_received(&session, stream->octets, stream->bytes);
	return stream->bytes;
}

void
fuzz_input(const uint8_t *data, size_t bytes)
{
	struct fuzz_source source = { data, bytes };
	bool bidirectional = (fuzz_take_number(&source, 1) & 1) != 0;
	struct stream stream = { source.at, source.left, bidirectional };
	struct writer whole = { .sent = 0 };
	struct writer single = { .sent = 0 };

	expect_frames(bidirectional);
	dtap__session_begin(&whole.session, bidirectional);
	dtap__session_begin(&single.session, bidirectional);
	check(&whole);
	while (source.left > 0) {
		step(&source, &whole, &single);
		check(&whole);
		check_same(&whole.session, &single.session);
	}
	fuzz_measure(receive_all, &stream);
}
