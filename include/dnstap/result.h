/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file result.h
 * One enumeration for the outcome of every call.
 *
 * Zero is success, negative values are failures, and the few positive
 * values are outcomes that are neither: the caller's event was not wanted,
 * more input is needed, the stream has ended. Values are never renumbered.
 *
 * Lifetime and threads: constants and static text, usable anywhere.
 */
#ifndef DTAP_RESULT_H
#define DTAP_RESULT_H

#include <dnstap/export.h>

/** The outcome of a call. */
enum dtap_result {
	/** Done as asked. */
	DTAP_OK = 0,

	/** The configuration does not want this event; it was counted. */
	DTAP_FILTERED = 1,
	/** More input, or more time, is needed; nothing has changed. */
	DTAP_AGAIN = 2,
	/** The stream ended as it should, with a STOP frame. */
	DTAP_END = 3,

	/** An argument, or a field of an event, is not allowed. */
	DTAP_E_INVALID = -1,
	/** Memory could not be had. */
	DTAP_E_NOMEM = -2,
	/** A system call failed. */
	DTAP_E_SYSTEM = -3,
	/** The call does not fit the state, e.g. start after stop. */
	DTAP_E_STATE = -4,
	/** There is no option of that name. */
	DTAP_E_OPTION = -5,
	/** The option does not take that value. */
	DTAP_E_VALUE = -6,
	/** Two options, or an option and a running tap, exclude each other. */
	DTAP_E_CONFLICT = -7,
	/** The producer's ring has no room: the event was dropped whole. */
	DTAP_E_FULL = -8,
	/** The event, or the frame, is larger than the limit. */
	DTAP_E_TOO_BIG = -9,
	/** The producer has no ring: the cap on ring memory was reached. */
	DTAP_E_NO_RING = -10,
	/** The tap belongs to the parent of this process. */
	DTAP_E_FORK = -11,
	/** The tap has been stopped. */
	DTAP_E_STOPPED = -12,
	/** The time allowed was over before the work was done. */
	DTAP_E_TIMEOUT = -13,
	/** The peer, or the file, breaks the rules of Frame Streams. */
	DTAP_E_PROTOCOL = -14,
	/** The stream carries something other than dnstap. */
	DTAP_E_CONTENT_TYPE = -15,
	/** The stream ends inside a frame, or without a STOP frame. */
	DTAP_E_TRUNCATED = -16,
	/** A frame is not a well-formed dnstap protobuf message. */
	DTAP_E_DAMAGED = -17,
	/** This build of the library cannot do it. */
	DTAP_E_UNSUPPORTED = -18,
	/** The peer closed the connection. */
	DTAP_E_CLOSED = -19
};

DTAP_BEGIN_DECLS

/**
 * Names a result, for logs and test output.
 *
 * @param  result  any value
 * @return the constant's name, e.g. "DTAP_E_FULL"; "DTAP_E_?" for a value
 *         that this version does not know
 * @threads    any thread
 * @blocks     never
 * @ownership  the text is static
 * @after      cannot fail
 * @since      0.1
 */
DTAP_API const char *
dtap_result_name(enum dtap_result result);

/**
 * Says in a few words what a result means.
 *
 * @param  result  any value
 * @return a sentence without a full stop; "unknown result" for a value that
 *         this version does not know
 * @threads    any thread
 * @blocks     never
 * @ownership  the text is static
 * @after      cannot fail
 * @since      0.1
 */
DTAP_API const char *
dtap_result_text(enum dtap_result result);

DTAP_END_DECLS

#endif
