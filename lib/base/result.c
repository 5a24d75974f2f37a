/* SPDX-License-Identifier: Apache-2.0 */
/*
 * result.c: the words for enum dtap_result.
 *
 * A switch without a default, so that the compiler names the constant that
 * has no words yet; a value of another version falls out of it.
 *
 * Static text; any thread.
 */
#include <dnstap/result.h>

const char *
dtap_result_name(enum dtap_result result)
{
#define RESULT_NAME(constant) \
	case constant: \
		return #constant

	switch (result) {
	RESULT_NAME(DTAP_OK);
	RESULT_NAME(DTAP_FILTERED);
	RESULT_NAME(DTAP_AGAIN);
	RESULT_NAME(DTAP_END);
	RESULT_NAME(DTAP_E_INVALID);
	RESULT_NAME(DTAP_E_NOMEM);
	RESULT_NAME(DTAP_E_SYSTEM);
	RESULT_NAME(DTAP_E_STATE);
	RESULT_NAME(DTAP_E_OPTION);
	RESULT_NAME(DTAP_E_VALUE);
	RESULT_NAME(DTAP_E_CONFLICT);
	RESULT_NAME(DTAP_E_FULL);
	RESULT_NAME(DTAP_E_TOO_BIG);
	RESULT_NAME(DTAP_E_NO_RING);
	RESULT_NAME(DTAP_E_FORK);
	RESULT_NAME(DTAP_E_STOPPED);
	RESULT_NAME(DTAP_E_TIMEOUT);
	RESULT_NAME(DTAP_E_PROTOCOL);
	RESULT_NAME(DTAP_E_CONTENT_TYPE);
	RESULT_NAME(DTAP_E_TRUNCATED);
	RESULT_NAME(DTAP_E_DAMAGED);
	RESULT_NAME(DTAP_E_UNSUPPORTED);
	RESULT_NAME(DTAP_E_CLOSED);
	}
#undef RESULT_NAME
	return "DTAP_E_?";
}

const char *
dtap_result_text(enum dtap_result result)
{
	switch (result) {
	case DTAP_OK:
		return "done";
	case DTAP_FILTERED:
		return "the configuration does not want this event";
	case DTAP_AGAIN:
		return "more input or time is needed";
	case DTAP_END:
		return "the stream has ended";
	case DTAP_E_INVALID:
		return "an argument or a field of the event is not allowed";
	case DTAP_E_NOMEM:
		return "out of memory";
	case DTAP_E_SYSTEM:
		return "a system call failed";
	case DTAP_E_STATE:
		return "the call does not fit the state";
	case DTAP_E_OPTION:
		return "there is no option of that name";
	case DTAP_E_VALUE:
		return "the option does not take that value";
	case DTAP_E_CONFLICT:
		return "options exclude each other";
	case DTAP_E_FULL:
		return "the ring is full, the event was dropped";
	case DTAP_E_TOO_BIG:
		return "the event or frame exceeds the limit";
	case DTAP_E_NO_RING:
		return "the limit of ring memory was reached";
	case DTAP_E_FORK:
		return "the tap belongs to the parent process";
	case DTAP_E_STOPPED:
		return "the tap has been stopped";
	case DTAP_E_TIMEOUT:
		return "the time allowed was over";
	case DTAP_E_PROTOCOL:
		return "the peer or file breaks the rules of Frame Streams";
	case DTAP_E_CONTENT_TYPE:
		return "the stream does not carry dnstap";
	case DTAP_E_TRUNCATED:
		return "the stream ends before its end";
	case DTAP_E_DAMAGED:
		return "a frame is not a well-formed dnstap message";
	case DTAP_E_UNSUPPORTED:
		return "this build of the library cannot do it";
	case DTAP_E_CLOSED:
		return "the peer closed the connection";
	}
	return "unknown result";
}
