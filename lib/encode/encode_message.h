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
 * send a million times a second: addresses, ports, times, messages and the
 * zone. It knows a number of shapes, that is, combinations of types, family
 * and address lengths that the full way has written before, and keeps their
 * octets ready. The full way serves every field and every first event of a
 * shape, after dtap__event_check(). What the plain way takes is always
 * something the full way would take, too, and with the same result.
 *
 * Threads: an encoder belongs to one producer. Used by tap.
 */
#ifndef DTAP_ENCODE_ENCODE_MESSAGE_H
#define DTAP_ENCODE_ENCODE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <dnstap/event.h>

#include "base/compiler.h"

/* Limits of the options identity, version and extra. */
#define DTAP__IDENTITY_BYTES_MAX 255
#define DTAP__VERSION_BYTES_MAX 255
#define DTAP__EXTRA_BYTES_MAX 1024

/* Octets behind a reservation that wide stores may touch. */
#define DTAP__ENCODE_SLACK 64

/* query_zone, a name in wire format (RFC 1035 section 3.1). */
#define DTAP__ENCODE_ZONE_BYTES_MAX 255

/*
 * Octets of a frame beside the prefix, the two messages and the event's own
 * zone, policy and extra: all tags, lengths, numbers and addresses.
 */
#define DTAP__ENCODE_FIELDS_BYTES_MAX 128

/* A prefix, the tag behind it included, up to which events can be lean. */
#define DTAP__PREFIX_LEAN_BYTES 64

/* The constant strings of one configuration, encoded once. */
struct dtap__prefix {
	/*
	 * Fields 1 and 2, then 3, ready to be copied; then the tag of the
	 * message, which always follows; then slack.
	 */
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

/* Slots for shapes: a power of two. */
#define DTAP__SHAPES 64

/* Which addresses a shape has. */
enum dtap__shape_ends {
	DTAP__ENDS_INET,	/* both, 4 octets each */
	DTAP__ENDS_INET6,	/* both, 16 octets each */
	DTAP__ENDS_ONE_INET,	/* one of them, 4 octets */
	DTAP__ENDS_ONE_INET6,	/* one of them, 16 octets */
	DTAP__ENDS_NONE
};

/* Which of the plain way's versions serves a shape. */
enum dtap__shape_layout {
	DTAP__SHAPE_ANY,
	DTAP__SHAPE_QUERY_INET,	/* both addresses, a query */
	DTAP__SHAPE_RESPONSE_INET,	/* and response_time, a response */
	DTAP__SHAPE_QUERY_INET6,
	DTAP__SHAPE_RESPONSE_INET6
};

/* From wide_min so many octets further, the length still takes two. */
#define DTAP__SHAPE_WIDE_SPAN 0x3f79u
/* DNS messages, nearly all queries, that are copied without a loop. */
#define DTAP__SHAPE_COPY_MIN 16
#define DTAP__SHAPE_COPY_MAX 64

/*
 * One shape of event that was found valid, and the octets of the fields that
 * tend to be the same from one event to the next. A plain frame is
 *
 *   prefix | length | head | addresses | query_port | middle, nsec |
 *   query_message | query_zone | response_time, nsec | response_message |
 *   trailer
 *
 * of which head, middle and response_time stand here. The first part of the
 * structure changes only with the key, the second also with the seconds and
 * the responder's port, which are nearly always those of the last event.
 */
struct dtap__shape {
	/* The event's octets from type to reserved; see shape_clear_all(). */
	uint64_t key;
	/* type, socket_family, socket_protocol, first address tag, length */
	uint8_t head[8];
	uint8_t head_bytes;
	/* Octets of the addresses, with the tag and length of the second. */
	uint8_t address_bytes;
	uint8_t ends;		/* enum dtap__shape_ends */
	bool lean;		/* may have a lean layout */

	uint8_t layout;		/* enum dtap__shape_layout */
	/* Octets before query_time_nsec, and with it if there is a time. */
	uint8_t middle_bytes;
	uint8_t middle_total;
	/* The same for response_time. */
	uint8_t response_time_bytes;
	uint8_t response_time_total;
	/* head + addresses + middle + response_time: all but what varies. */
	uint8_t fixed_bytes;
	/* Of the lean: the longest DNS message with which the length of the
	 * Message surely takes one octet, and the shortest with two. */
	uint8_t short_max;
	uint8_t wide_min;
	/* From DTAP__SHAPE_COPY_MIN so many octets further, a DNS message is
	 * no longer than short_max and DTAP__SHAPE_COPY_MAX. */
	uint8_t copy_span;
	uint16_t response_port;
	/* The largest nanoseconds that fit: 0 when the time is absent. */
	uint32_t query_nsec_max;
	uint32_t response_nsec_max;
	uint64_t query_time_sec;
	uint64_t response_time_sec;
	/* response_port, query_time_sec, tag of query_time_nsec */
	uint8_t middle[16];
	/* response_time_sec, tag of response_time_nsec */
	uint8_t response_time[16];
	/* Makes the size a power of two: a slot is found by shifting. */
	uint8_t unused[40];
};

struct dtap__encoder {
	struct dtap__shape shapes[DTAP__SHAPES];
	struct dtap__prefix prefix;
};

/* Starts anew with a prefix, which is copied; forgets all shapes. */
void
dtap__encoder_init(struct dtap__encoder *encoder,
		   const struct dtap__prefix *prefix);

/*
 * 0 when the event has only fields that the plain way may serve: no policy
 * or extra of its own, and the size of this version. Says nothing about
 * their values, and the plain way may still decline.
 */
static dtap__always_inline uint64_t
dtap__encode_not_plain(const struct dtap_event *event)
{
	uint64_t extra_and_tail;

	memcpy(&extra_and_tail,
	       (const char *)event + offsetof(struct dtap_event, extra_bytes),
	       sizeof(extra_and_tail));
	return (event->size ^ sizeof(*event)) | (uintptr_t)event->policy |
	       extra_and_tail;
}

static dtap__always_inline bool
dtap__encode_is_plain(const struct dtap_event *event)
{
	return dtap__encode_not_plain(event) == 0;
}

/*
 * Upper bound, slack included, of what dtap__encode_plain() may touch. The
 * caller has checked that both message lengths are at most
 * DTAP_MESSAGE_BYTES_MAX.
 */
static dtap__always_inline size_t
dtap__encode_plain_bound(const struct dtap__encoder *encoder,
			 const struct dtap_event *event)
{
	return encoder->prefix.bytes + DTAP__ENCODE_FIELDS_BYTES_MAX +
	       DTAP__ENCODE_ZONE_BYTES_MAX + DTAP__ENCODE_SLACK +
	       (size_t)event->query_message_bytes +
	       event->response_message_bytes;
}

/*
 * Writes a plain event whose shape is known and whose values are valid. Its
 * leanest part is in encode_plain.h, for callers to whom a call matters.
 * Returns the octets of the frame's payload, or 0 when the event must take
 * the full way; then out's contents are undefined.
 */
size_t
dtap__encode_plain(struct dtap__encoder *encoder,
		   const struct dtap_event *event, uint8_t *out);

/*
 * What the full way will write, exactly, plus the slack; event was checked by
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
