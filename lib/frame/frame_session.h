/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame_session.h: the writer's side of a Frame Streams session, without I/O.
 *
 *   bidirectional:  READY ->  <- ACCEPT  START ->  data ...  STOP ->  <- FINISH
 *   unidirectional: START ->  data ...  STOP ->
 *
 * Bytes to send are asked for, bytes received are handed in; who moves them,
 * and how long that may take, is the writer's affair. Offers exactly one
 * content type; understands an ACCEPT with none (any type will do) or with
 * several, in any order; ignores control frames and fields it does not know.
 * Everything received is hostile: a control frame above
 * DTAP__CONTROL_BYTES_MAX, a data frame, or an ACCEPT without our type ends
 * the session with an error, and so does a FINISH before our STOP has left:
 * such a peer goes away with frames unread (DTAP_E_CLOSED). A session costs a
 * bounded number of octets from the peer: at most DTAP__SESSION_IGNORED_MAX
 * unknown control frames. What follows the FINISH that was waited for is
 * dropped unseen.
 *
 * Threads: one per session. Used by writer.
 */
#ifndef DTAP_FRAME_FRAME_SESSION_H
#define DTAP_FRAME_FRAME_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <dnstap/result.h>

#include "frame/frame_control.h"

#define DTAP__SESSION_IGNORED_MAX 64

enum dtap__session_state {
	DTAP__SESSION_IDLE,		/* before begin */
	DTAP__SESSION_ACCEPTING,	/* READY queued or sent */
	DTAP__SESSION_FLOWING,		/* START queued or sent */
	DTAP__SESSION_FINISHING,	/* STOP queued or sent */
	DTAP__SESSION_DONE,		/* STOP sent and, if asked, answered */
	DTAP__SESSION_FAILED
};

struct dtap__session {
	enum dtap__session_state state;
	bool bidirectional;
	uint8_t out[3 * DTAP__CONTROL_WRITTEN_MAX]; /* READY, START, STOP */
	size_t out_bytes;	/* queued; out_sent <= out_bytes */
	size_t out_sent;
	uint8_t in[DTAP__CONTROL_BYTES_MAX + 8];
	size_t in_bytes;	/* received, not yet understood */
	unsigned int ignored;	/* unknown control frames so far */
	enum dtap_result failure; /* why FAILED; else DTAP_OK */
	char error[128];	/* what the peer did wrong; "" if nothing */
};

/* Begins anew; queues READY or START. */
void
dtap__session_begin(struct dtap__session *session, bool bidirectional);

/* Control octets waiting to be sent; they go before any data frame. */
size_t
dtap__session_pending(const struct dtap__session *session,
		      const uint8_t **octets);

/* Notes that bytes <= pending of them have been sent. */
void
dtap__session_sent(struct dtap__session *session, size_t bytes);

/*
 * Hands in octets from the peer, as many as there are.
 * DTAP_OK; DTAP_E_PROTOCOL, DTAP_E_CONTENT_TYPE, DTAP_E_CLOSED: failed, for
 * good, and returned again by every later call.
 */
enum dtap_result
dtap__session_received(struct dtap__session *session, const void *data,
		       size_t bytes);

/* Data frames may be sent: START was queued and has left. */
bool
dtap__session_flows(const struct dtap__session *session);

/* Queues STOP behind what is pending; without effect unless FLOWING. */
void
dtap__session_finish(struct dtap__session *session);

/* The peer has confirmed everything: FINISH was received. */
bool
dtap__session_confirmed(const struct dtap__session *session);

/* Nothing more to send or to wait for: done, or failed. */
bool
dtap__session_over(const struct dtap__session *session);

#endif
