/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame_session.c: see frame_session.h.
 *
 * A session does no I/O, so that every order of events can be tested and
 * fuzzed without a socket, and so that time limits have one owner, the
 * writer. libfstrm mixes the two and waits for ACCEPT and FINISH without
 * limit.
 *
 * Received octets gather in session->in, never more than one control frame.
 * The two integers of a frame's head are judged as soon as each is there: a
 * peer that announces 4 GiB is refused at its eighth octet. Each turn of the
 * loop takes at least one octet or ends the session, so nothing spins.
 */
#include "frame/frame_session.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "base/cursor.h"

/* Escape and control length. */
#define SESSION_HEAD_BYTES 8

static void
session_fail(struct dtap__session *session, enum dtap_result failure,
	     const char *format, ...) dtap__printf(3, 4);

static void
session_fail(struct dtap__session *session, enum dtap_result failure,
	     const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(session->error, sizeof(session->error), format, arguments);
	va_end(arguments);
	session->failure = failure;
	session->state = DTAP__SESSION_FAILED;
}

/* At most READY, START and STOP in one session: out has room for them. */
static void
session_queue(struct dtap__session *session, enum dtap__control_type type)
{
	session->out_bytes +=
		dtap__control_write(session->out + session->out_bytes, type);
}

static bool
session_has_sent_all(const struct dtap__session *session)
{
	return session->out_sent == session->out_bytes;
}

static void
session_start(struct dtap__session *session)
{
	session_queue(session, DTAP__CONTROL_START);
	session->state = DTAP__SESSION_FLOWING;
}

void
dtap__session_begin(struct dtap__session *session, bool bidirectional)
{
	memset(session, 0, sizeof(*session));
	session->bidirectional = bidirectional;
	if (!bidirectional) {
		session_start(session);
		return;
	}
	session_queue(session, DTAP__CONTROL_READY);
	session->state = DTAP__SESSION_ACCEPTING;
}

size_t
dtap__session_pending(const struct dtap__session *session,
		      const uint8_t **octets)
{
	*octets = session->out + session->out_sent;
	if (session->state == DTAP__SESSION_FAILED)
		return 0;
	return session->out_bytes - session->out_sent;
}

void
dtap__session_sent(struct dtap__session *session, size_t bytes)
{
	session->out_sent += bytes;
	if (session->state == DTAP__SESSION_FINISHING &&
	    !session->bidirectional && session_has_sent_all(session))
		session->state = DTAP__SESSION_DONE;
}

static void
session_take_accept(struct dtap__session *session,
		    const struct dtap__control *control)
{
	if (session->state != DTAP__SESSION_ACCEPTING)
		session_fail(session, DTAP_E_PROTOCOL,
			     "peer sent ACCEPT out of order");
	else if (!dtap__control_allows_dnstap(control))
		session_fail(session, DTAP_E_CONTENT_TYPE,
			     "peer does not accept content type "
			     DTAP__CONTENT_TYPE);
	else
		session_start(session);
}

static void
session_take_finish(struct dtap__session *session)
{
	if (!session->bidirectional ||
	    session->state == DTAP__SESSION_ACCEPTING)
		session_fail(session, DTAP_E_PROTOCOL,
			     "peer sent FINISH out of order");
	else if (session->state != DTAP__SESSION_FINISHING ||
		 !session_has_sent_all(session))
		session_fail(session, DTAP_E_CLOSED,
			     "peer sent FINISH before STOP");
	else
		session->state = DTAP__SESSION_DONE;
}

/* Acts on one control frame: what follows its length field. */
static void
session_obey(struct dtap__session *session, const uint8_t *octets,
	     size_t bytes)
{
	struct dtap__control control;

	if (dtap__control_read(octets, bytes, &control) != DTAP_OK) {
		session_fail(session, DTAP_E_PROTOCOL,
			     "peer sent a malformed control frame");
		return;
	}
	switch (control.type) {
	case DTAP__CONTROL_ACCEPT:
		session_take_accept(session, &control);
		break;
	case DTAP__CONTROL_FINISH:
		session_take_finish(session);
		break;
	case DTAP__CONTROL_READY:
	case DTAP__CONTROL_START:
	case DTAP__CONTROL_STOP:
		session_fail(session, DTAP_E_PROTOCOL,
			     "peer sent %s, which only a writer sends",
			     dtap__control_name(control.type));
		break;
	default:
		if (++session->ignored > DTAP__SESSION_IGNORED_MAX)
			session_fail(session, DTAP_E_PROTOCOL,
				     "peer sent more than %d unknown control "
				     "frames", DTAP__SESSION_IGNORED_MAX);
	}
}

/* Octets that session->in should hold before it is looked at again. */
static size_t
session_wanted(const struct dtap__session *session)
{
	struct dtap__cursor head;

	dtap__cursor_init(&head, session->in, session->in_bytes);
	dtap__cursor_take(&head, 4);
	return SESSION_HEAD_BYTES + (size_t)dtap__cursor_read_be32(&head);
}

/* Looks at what is in session->in: a whole frame, or its beginning. */
static void
session_look(struct dtap__session *session)
{
	struct dtap__cursor cursor;
	const uint8_t *octets;
	uint32_t escape, bytes;

	dtap__cursor_init(&cursor, session->in, session->in_bytes);
	escape = dtap__cursor_read_be32(&cursor);
	bytes = dtap__cursor_read_be32(&cursor);
	octets = dtap__cursor_take(&cursor, bytes);
	if (escape != 0) {
		session_fail(session, DTAP_E_PROTOCOL,
			     "peer sent something other than a control frame "
			     "(0x%08x)", (unsigned int)escape);
	} else if (bytes > DTAP__CONTROL_BYTES_MAX) {
		session_fail(session, DTAP_E_PROTOCOL,
			     "peer sent a control frame of %u octets, the "
			     "limit is %d", (unsigned int)bytes,
			     DTAP__CONTROL_BYTES_MAX);
	} else if (octets != NULL) {
		session->in_bytes = 0;
		session_obey(session, octets, bytes);
	}
}

enum dtap_result
dtap__session_received(struct dtap__session *session, const void *data,
		       size_t bytes)
{
	const uint8_t *at = data;
	size_t part;

	while (bytes > 0 && !dtap__session_over(session)) {
		part = session_wanted(session) - session->in_bytes;
		if (part > bytes)
			part = bytes;
		memcpy(session->in + session->in_bytes, at, part);
		session->in_bytes += part;
		at += part;
		bytes -= part;
		session_look(session);
	}
	return session->failure;
}

bool
dtap__session_flows(const struct dtap__session *session)
{
	return session->state == DTAP__SESSION_FLOWING &&
	       session_has_sent_all(session);
}

void
dtap__session_finish(struct dtap__session *session)
{
	if (session->state != DTAP__SESSION_FLOWING)
		return;
	session_queue(session, DTAP__CONTROL_STOP);
	session->state = DTAP__SESSION_FINISHING;
}

bool
dtap__session_confirmed(const struct dtap__session *session)
{
	return session->bidirectional && session->state == DTAP__SESSION_DONE;
}

bool
dtap__session_over(const struct dtap__session *session)
{
	return session->state == DTAP__SESSION_DONE ||
	       session->state == DTAP__SESSION_FAILED;
}
