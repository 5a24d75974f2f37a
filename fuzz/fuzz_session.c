/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_session.c: any octets as the answers of a peer to our handshake and to
 * our STOP. The session must stay within its buffers and never hang.
 */
#include <stdlib.h>

#include "frame/frame_session.h"
#include "fuzz.h"

static void
fuzz_send_all(struct dtap__session *session)
{
	const uint8_t *octets;
	size_t bytes;

	while ((bytes = dtap__session_pending(session, &octets)) > 0)
		dtap__session_sent(session, bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct dtap__session session;
	size_t half = bytes / 2;

	dtap__session_begin(&session, true);
	fuzz_send_all(&session);
	dtap__session_received(&session, data, half);
	fuzz_send_all(&session);
	if (dtap__session_flows(&session))
		dtap__session_finish(&session);
	fuzz_send_all(&session);
	dtap__session_received(&session, data + half, bytes - half);
	if (session.in_bytes > sizeof(session.in) ||
	    session.out_bytes > sizeof(session.out))
		abort();
	return 0;
}
