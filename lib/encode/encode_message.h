/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode_message.h: an event becomes a Dnstap protobuf message.
 *
 * Promises
 *  - The bytes are canonical: identical to those of protobuf-c for the same
 *    fields (ascending field numbers, shortest varints).
 *  - Before a byte is written, an upper bound of what will be written is
 *    known in O(1); writing never exceeds it.
 *  - Nothing here reads an octet that the event does not own, or keeps a
 *    pointer to it.
 *
 * There are two ways to the same bytes. The plain way serves what servers
 * send a million times a second: addresses, ports, times, messages. It
 * remembers for each message type the shape (types, family, address lengths)
 * it has checked last, and its header octets. The full way serves every
 * field and every first event of a shape, after dtap__event_check(). What
 * the plain way takes is always something the full way would take, too.
 *
 * Threads: an encoder belongs to one producer. Used by tap.
 */
#ifndef DTAP_ENCODE_ENCODE_MESSAGE_H
#define DTAP_ENCODE_ENCODE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <dnstap/event.h>

#include "base/compiler.h"

/* Limits of the options identity, version and extra. */
#define DTAP__IDENTITY_BYTES_MAX 255
#define DTAP__VERSION_BYTES_MAX 255
#define DTAP__EXTRA_BYTES_MAX 1024

/* Octets behind a reservation that wide stores may touch. */
#define DTAP__ENCODE_SLACK 64

/* The constant strings of one configuration, encoded once. */
struct dtap__prefix {
	/* Fields 1 and 2, then 3, ready to be copied; then slack. */
	uint8_t octets[DTAP__IDENTITY_BYTES_MAX + DTAP__VERSION_BYTES_MAX +
		       DTAP__EXTRA_BYTES_MAX + 16 + DTAP__ENCODE_SLACK];
	/* Octets of fields 1 and 2. */
	uint32_t server_bytes;
	/* Octets of fields 1, 2 and 3. */
	uint32_t bytes;
	/* The configured extra inside octets, for joining a loss report. */
	uint32_t extra_offset;
	uint32_t extra_bytes;
};

/* Fills a prefix; each length within its limit; 0 octets: field absent. */
void
dtap__prefix_init(struct dtap__prefix *prefix,
		  const void *identity, size_t identity_bytes,
		  const void *version, size_t version_bytes,
		  const void *extra, size_t extra_bytes);

/*
 * One shape of event that was found valid: the fields that tend to be the
 * same from one event to the next, and what is derived from them.
 */
struct dtap__shape {
	uint64_t key;	/* size-independent fields of the event; 0: empty */
	/* ... header octets and lengths; the encoder's own affair */
};

struct dtap__encoder {
	struct dtap__prefix prefix;
	struct dtap__shape shapes[16]; /* by message type */
};

/* Starts anew with a prefix, which is copied; forgets all shapes. */
void
dtap__encoder_init(struct dtap__encoder *encoder,
		   const struct dtap__prefix *prefix);

/*
 * Whether the event has only fields that the plain way serves: no zone,
 * policy, http_protocol or extra of its own, and the size of this version.
 * Says nothing about their values.
 */
static bool
dtap__encode_is_plain(const struct dtap_event *event);

/*
 * Upper bound, slack included, of what dtap__encode_plain() may touch. The
 * caller has checked that both message lengths are at most
 * DTAP_MESSAGE_BYTES_MAX.
 */
static size_t
dtap__encode_plain_bound(const struct dtap__encoder *encoder,
			 const struct dtap_event *event);

/*
 * Writes a plain event whose shape is known and whose values are valid.
 * Returns the octets of the frame's payload, or 0 when the event must take
 * the full way; then out's contents are undefined.
 */
size_t
dtap__encode_plain(struct dtap__encoder *encoder,
		   const struct dtap_event *event, uint8_t *out);

/*
 * Exact upper bound for the full way, slack included; event was checked by
 * dtap__event_check(); loss_bytes is the length of the loss report, or 0.
 */
size_t
dtap__encode_full_bound(const struct dtap__encoder *encoder,
			const struct dtap_event *event, size_t loss_bytes);

/*
 * Writes any checked event, and remembers its shape. extra becomes the
 * event's own or else the configured text, then a space, then loss. Returns
 * the octets of the frame's payload (never 0).
 */
size_t
dtap__encode_full(struct dtap__encoder *encoder,
		  const struct dtap_event *event, const char *loss,
		  size_t loss_bytes, uint8_t *out);

#endif
