/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file reader.h
 * Reads Frame Streams and dnstap: bounded, without allocation or copy.
 *
 * A reader is a parser and nothing else: the caller reads the bytes, from
 * wherever they come, and hands over what it has. Frames point into the
 * caller's own buffer. Every byte may be hostile: lengths are checked
 * against the limit before anything is waited for, and nothing is sized by
 * what a peer claims.
 *
 *     while (have bytes or can read more)
 *             dtap_reader_next() -> a frame | DTAP_AGAIN | DTAP_END | error
 *             dtap_reader_reply() -> bytes to send back, on a socket
 *     dtap_reader_finish() at end of file
 *
 * Frame Streams: a data frame is a 32-bit big-endian length above 0 and as
 * many bytes; length 0 announces a control frame: its length, type and
 * fields. A reader serves one stream, START to STOP.
 *
 * Lifetime: frames and decoded messages live as long as the caller's buffer.
 * Threads: one at a time for each reader.
 */
#ifndef DTAP_READER_H
#define DTAP_READER_H

#include <stddef.h>
#include <stdint.h>

#include <dnstap/event.h>
#include <dnstap/export.h>
#include <dnstap/result.h>

/** The content type of dnstap in Frame Streams. */
#define DTAP_CONTENT_TYPE "protobuf:dnstap.Dnstap"

/** Default of dtap_reader_options.max_frame_bytes: 1 MiB. */
#define DTAP_READER_FRAME_BYTES_DEFAULT (1024u * 1024u)

/** What dtap_reader_next() found. */
enum dtap_frame_kind {
	/** A data frame. */
	DTAP_FRAME_DATA = 0,
	/** Control frames, with the numbers of their Frame Streams types. */
	DTAP_FRAME_ACCEPT = 1,
	DTAP_FRAME_START = 2,
	DTAP_FRAME_STOP = 3,
	DTAP_FRAME_READY = 4,
	DTAP_FRAME_FINISH = 5,
	/** A control frame of a type unknown here: to be ignored. */
	DTAP_FRAME_UNKNOWN = 255
};

/** One frame in the caller's buffer. */
struct dtap_frame {
	enum dtap_frame_kind kind;
	/** The payload of a data frame; of a control frame what follows its
	 * length. */
	const void *data;
	/** Octets at data. After DTAP_AGAIN: how many are needed in all. */
	size_t bytes;
	/** Where the frame begins in the stream, its length field included. */
	uint64_t offset;
};

/** How a reader behaves; zeros mean the defaults. */
struct dtap_reader_options {
	/** sizeof(struct dtap_reader_options); append-only. */
	size_t size;
	/** Largest data frame allowed, in octets; 0 for the default. */
	uint32_t max_frame_bytes;
	/** 1: the other end can be answered, so READY is allowed to start. */
	uint8_t bidirectional;
	/** Zero. */
	uint8_t reserved[3];
};

/** A parser of one Frame Streams stream. */
typedef struct dtap_reader dtap_reader;

/** A borrowed run of octets; data is NULL when the field was absent. */
struct dtap_bytes {
	const void *data;
	size_t bytes;
};

/** A decoded Dnstap message: struct dtap_event and what stands around it. */
struct dtap_message {
	/** sizeof(struct dtap_message), set by the caller; append-only. */
	size_t size;
	/**
	 * Bit n is set when Message field n was in the frame, which tells a
	 * zero from an absent field.
	 */
	uint32_t present;
	/** Dnstap.type (15); 1 is MESSAGE. 0 when it was absent. */
	uint32_t dnstap_type;
	/** Dnstap.identity (1). */
	struct dtap_bytes identity;
	/** Dnstap.version (2). */
	struct dtap_bytes version;
	/** Dnstap.extra (3); event.extra shows the same octets. */
	struct dtap_bytes extra;
	/**
	 * Dnstap.message (14). Values that an enumeration here does not know
	 * are kept (255 for those above 255); addresses keep their length,
	 * whatever it is, up to 255.
	 */
	struct dtap_event event;
	/** Message.policy (15); event.policy points here when it is there. */
	struct dtap_policy policy;
	/** Policy.type (1): not terminated by a zero, so not in policy.type. */
	struct dtap_bytes policy_type;
};

/** Initialises a message on the stack. */
#ifdef __cplusplus
#define DTAP_MESSAGE_INIT { sizeof(struct dtap_message) }
#else
#define DTAP_MESSAGE_INIT { .size = sizeof(struct dtap_message) }
#endif

DTAP_BEGIN_DECLS

/**
 * Makes a reader for one stream.
 *
 * @param  options  NULL for the defaults; copied
 * @param  reader   set to the reader, or to NULL on failure; not NULL
 * @return DTAP_OK; DTAP_E_INVALID when @p reader is NULL or an option not
 *         allowed; DTAP_E_NOMEM
 * @threads    any thread
 * @blocks     never
 * @ownership  the caller closes it with dtap_reader_close()
 * @after      a failure leaves nothing behind
 * @since      0.1
 */
DTAP_API enum dtap_result
dtap_reader_open(const struct dtap_reader_options *options,
		 dtap_reader **reader);

/**
 * Closes a reader and sets the pointer to NULL.
 *
 * @param  reader  address of the pointer; NULL, or a pointer that is NULL,
 *                 is allowed
 * @threads    one at a time
 * @blocks     never
 * @ownership  the reader is gone; frames stay in the caller's buffer
 * @after      cannot fail
 * @since      0.1
 */
DTAP_API void
dtap_reader_close(dtap_reader **reader);

/**
 * Finds the next frame at the start of the caller's bytes.
 *
 * Control frames are checked, obeyed and reported as well, so that a caller
 * can show them. Data frames come only after START.
 *
 * @param  reader    not NULL
 * @param  data      the bytes that follow what was consumed so far; NULL
 *                   only when @p bytes is 0
 * @param  bytes     how many there are
 * @param  consumed  set to how many bytes the caller may now forget, 0
 *                   unless DTAP_OK or DTAP_END; not NULL
 * @param  frame     filled; not NULL
 * @return DTAP_OK with a frame; DTAP_AGAIN when frame->bytes octets must be
 *         there before it can go on; DTAP_END with the STOP or FINISH frame;
 *         DTAP_E_TOO_BIG for a data frame above the limit; DTAP_E_PROTOCOL
 *         for a control frame that is malformed, too long or out of order;
 *         DTAP_E_CONTENT_TYPE when the stream is not dnstap; DTAP_E_INVALID
 *         when an argument is NULL. DTAP_END and errors are final: they are
 *         returned again, so a loop must end at them.
 * @threads    one at a time
 * @blocks     never
 * @ownership  frame->data points into @p data
 * @after      a failure consumes nothing; dtap_reader_error() tells more
 * @since      0.1
 */
DTAP_API enum dtap_result
dtap_reader_next(dtap_reader *reader, const void *data, size_t bytes,
		 size_t *consumed, struct dtap_frame *frame);

/**
 * Gives the bytes that the writer at the other end waits for.
 *
 * After READY that is an ACCEPT frame, after STOP of a bidirectional stream
 * a FINISH frame. Call it after each frame of a stream that can be answered.
 *
 * @param  reader  not NULL
 * @param  bytes   set to the number of octets, 0 when there is nothing to
 *                 send; not NULL
 * @return the octets; NULL when there are none
 * @threads    one at a time
 * @blocks     never
 * @ownership  the octets belong to the reader and live until the next call
 * @after      the reply counts as sent
 * @since      0.1
 */
DTAP_API const void *
dtap_reader_reply(dtap_reader *reader, size_t *bytes);

/**
 * Judges how the input ended.
 *
 * @param  reader    not NULL
 * @param  leftover  octets at the end that dtap_reader_next() did not
 *                   consume
 * @return DTAP_OK when the stream ended with STOP and nothing is left over;
 *         DTAP_E_TRUNCATED when it ends inside a frame or without STOP;
 *         DTAP_E_PROTOCOL when octets follow STOP; else the error that
 *         dtap_reader_next() gave; DTAP_E_INVALID when @p reader is NULL
 * @threads    one at a time
 * @blocks     never
 * @ownership  nothing changes hands
 * @after      dtap_reader_error() tells more
 * @since      0.1
 */
DTAP_API enum dtap_result
dtap_reader_finish(dtap_reader *reader, size_t leftover);

/**
 * Says what is wrong with the stream, and at which offset.
 *
 * @param  reader  not NULL
 * @return a sentence in printable ASCII; "" when nothing is wrong
 * @threads    one at a time
 * @blocks     never
 * @ownership  the text belongs to the reader and lives until the next call
 * @after      cannot fail
 * @since      0.1
 */
DTAP_API const char *
dtap_reader_error(const dtap_reader *reader);

/**
 * Decodes the payload of a data frame.
 *
 * Unknown fields are skipped, of repeated ones the last counts, as protobuf
 * demands. A field with the wrong wire type counts as unknown.
 *
 * @param  payload  the frame's payload; NULL only when @p bytes is 0
 * @param  bytes    its length
 * @param  message  filled up to its size member; not NULL
 * @return DTAP_OK; DTAP_E_DAMAGED when the bytes are not well-formed
 *         protobuf, or a required field (Dnstap.type, Message.type) is
 *         missing; DTAP_E_INVALID when an argument is NULL or the size
 *         smaller than the first release's
 * @threads    any thread
 * @blocks     never
 * @ownership  all pointers in @p message lead into @p payload, except
 *             event.policy, which leads into @p message
 * @after      a failure leaves @p message with what was decoded so far
 * @since      0.1
 */
DTAP_API enum dtap_result
dtap_message_decode(const void *payload, size_t bytes,
		    struct dtap_message *message);

DTAP_END_DECLS

#endif
