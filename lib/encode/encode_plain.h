/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode_plain.h: the plain way, as far as it is compiled into its caller.
 *
 * All is written front to back, in the order of the frame (encode_message.h
 * draws it). Every store has a constant size, at least that of the field;
 * what it writes too much is overwritten by the next field or falls into the
 * slack. Absence is mostly an advance by 0 and not a branch, and addresses
 * are copied 4 or 16 octets at a time: with a small variable length compilers
 * emit a string instruction that alone takes longer than all else here
 * together.
 *
 * The lean layouts, which make up nearly all traffic, do not even sum up
 * their length first: they guess how many octets it will need, which is
 * certain but for a handful of sizes (dtap__lean_length_bytes()), and fill it
 * in at the end. Their text stands here once; callers compile it for each
 * layout, and copy the message themselves. It is inline because a call here
 * costs a tenth of the whole: registers to be saved, and arguments loaded
 * anew. What is not lean goes to dtap__encode_plain().
 *
 * Used by tap_submit.c and the encode room.
 */
#ifndef DTAP_ENCODE_ENCODE_PLAIN_H
#define DTAP_ENCODE_ENCODE_PLAIN_H

#include "encode/encode_message.h"
#include "encode/encode_octets.h"
#include "encode/encode_shape.h"

/* The message that a lean layout has; all else that varies is absent. */
enum dtap__lean_body {
	DTAP__LEAN_QUERY,	/* query_message, and no response_time */
	DTAP__LEAN_RESPONSE	/* response_message */
};

/* Upper bound, slack included, of a lean event but for its message. */
#define DTAP__LEAN_BOUND \
	(DTAP__PREFIX_LEAN_BYTES + DTAP__ENCODE_FIELDS_BYTES_MAX + \
	 DTAP__ENCODE_SLACK)
/* The same with a message that dtap__lean_copy_short() may copy. */
#define DTAP__LEAN_SHORT_BOUND (DTAP__LEAN_BOUND + DTAP__SHAPE_COPY_MAX)

/* Groups of 7 bits, each in an octet, without continuation bits: 14 bits. */
static dtap__always_inline uint32_t
plain_spread_once(uint32_t value)
{
	return value + (value & ~0x7fu);
}

/* The same for 21 bits. */
static dtap__always_inline uint32_t
plain_spread_twice(uint32_t value)
{
	value = plain_spread_once(value);
	return value + (value & ~0x7fffu);
}

/* A tag and a number of up to 21 bits, present even if it is 0. */
static dtap__always_inline uint8_t *
plain_put_number(uint8_t *p, unsigned int tag, uint32_t value)
{
	if (value <= 0x7f)
		return dtap__put_le16(p, tag | value << 8);
	if (value <= 0x3fff) {
		dtap__put_le32(p, (tag | 0x8000u) +
					  (plain_spread_once(value) << 8));
		return p + 3;
	}
	return dtap__put_le32(p, (tag | 0x808000u) +
					 (plain_spread_twice(value) << 8));
}

/* A tag and a number of up to 14 bits. */
static dtap__always_inline uint8_t *
plain_put_length(uint8_t *p, unsigned int tag, uint32_t value)
{
	if (value <= 0x7f)
		return dtap__put_le16(p, tag | value << 8);
	dtap__put_le32(p, (tag | 0x8000u) + (plain_spread_once(value) << 8));
	return p + 3;
}

/* Nearly all initiators have a port of three octets. */
static dtap__always_inline uint8_t *
plain_put_port(uint8_t *p, uint32_t port)
{
	if (dtap__likely(port > 0x3fff))
		return plain_put_number(p, DTAP__TAG_QUERY_PORT, port);
	if (port == 0)
		return p;
	return plain_put_number(p, DTAP__TAG_QUERY_PORT, port);
}

/* Whether the shape's octets but response_time are those of the event. */
static dtap__always_inline bool
dtap__shape_is_of(const struct dtap__shape *shape,
		  const struct dtap_event *event)
{
	return shape->key == dtap__shape_key(event) &&
	       shape->query_time_sec == event->query_time_sec &&
	       shape->response_port == event->response_port;
}

static dtap__always_inline uint8_t *
plain_put_addresses(uint8_t *p, const struct dtap_event *event,
		    enum dtap__shape_ends ends)
{
	const void *one;

	if (ends == DTAP__ENDS_INET) {
		memcpy(p, event->query_address, 4);
		dtap__put_le32(p + 4, DTAP__TAG_RESPONSE_ADDRESS | 4u << 8);
		memcpy(p + 6, event->response_address, 4);
		return p + 10;
	}
	if (ends == DTAP__ENDS_INET6) {
		memcpy(p, event->query_address, 16);
		dtap__put_le32(p + 16, DTAP__TAG_RESPONSE_ADDRESS | 16u << 8);
		memcpy(p + 18, event->response_address, 16);
		return p + 34;
	}
	if (ends == DTAP__ENDS_NONE)
		return p;
	one = event->query_address_bytes != 0 ? event->query_address
					      : event->response_address;
	if (ends == DTAP__ENDS_ONE_INET) {
		memcpy(p, one, 4);
		return p + 4;
	}
	memcpy(p, one, 16);
	return p + 16;
}

/* response_port and query_time. */
static dtap__always_inline uint8_t *
plain_put_middle(uint8_t *p, const struct dtap__shape *shape,
		 const struct dtap_event *event)
{
	memcpy(p, shape->middle, sizeof(shape->middle));
	dtap__put_le32(p + shape->middle_bytes, event->query_time_nsec);
	return p + shape->middle_total;
}

/* The same when there surely is a query_time. */
static dtap__always_inline uint8_t *
plain_put_middle_timed(uint8_t *p, const struct dtap__shape *shape,
		       const struct dtap_event *event)
{
	memcpy(p, shape->middle, sizeof(shape->middle));
	return dtap__put_le32(p + shape->middle_bytes, event->query_time_nsec);
}

static dtap__always_inline uint8_t *
plain_put_response_time(uint8_t *p, const struct dtap__shape *shape,
			const struct dtap_event *event)
{
	memcpy(p, shape->response_time, sizeof(shape->response_time));
	dtap__put_le32(p + shape->response_time_bytes,
		       event->response_time_nsec);
	return p + shape->response_time_total;
}

static dtap__always_inline const uint8_t *
dtap__lean_message(const struct dtap_event *event, enum dtap__lean_body body)
{
	return body == DTAP__LEAN_QUERY ? event->query_message
					: event->response_message;
}

static dtap__always_inline uint32_t
dtap__lean_message_bytes(const struct dtap_event *event,
			 enum dtap__lean_body body)
{
	return body == DTAP__LEAN_QUERY ? event->query_message_bytes
					: event->response_message_bytes;
}

/*
 * Whether an event of a known shape has that body and valid values in all
 * that its shape does not vouch for. The length of the message is
 * dtap__lean_length_bytes()'s to check.
 */
static dtap__always_inline bool
dtap__lean_is_valid(const struct dtap__shape *shape,
		    const struct dtap_event *event, enum dtap__lean_body body)
{
	if (event->query_time_nsec > shape->query_nsec_max ||
	    event->query_address == NULL || event->response_address == NULL ||
	    dtap__lean_message(event, body) == NULL)
		return false;
	if (body == DTAP__LEAN_QUERY) {
		uint64_t response_and_zone;

		memcpy(&response_and_zone, &event->response_message_bytes,
		       sizeof(response_and_zone));
		return (event->response_time_sec | event->response_time_nsec |
			response_and_zone | dtap__encode_not_plain(event)) == 0;
	}
	return event->response_time_sec == shape->response_time_sec &&
	       event->response_time_nsec <= shape->response_nsec_max &&
	       (event->query_message_bytes | event->query_zone_bytes |
		dtap__encode_not_plain(event)) == 0;
}

/* Whether dtap__lean_copy_short() will do; length_bytes is 1 then. */
static dtap__always_inline bool
dtap__lean_is_short(const struct dtap__shape *shape, uint32_t bytes)
{
	return bytes - DTAP__SHAPE_COPY_MIN <= shape->copy_span;
}

/* Whether the length of a Message surely takes two octets. */
static dtap__always_inline bool
dtap__lean_is_wide(const struct dtap__shape *shape, uint32_t bytes)
{
	return bytes - shape->wide_min <= DTAP__SHAPE_WIDE_SPAN;
}

/*
 * Copies a message that ends at end; two copies that overlap, as wide as they
 * may be.
 */
static dtap__always_inline void
dtap__lean_copy_short(uint8_t *end, const uint8_t *octets, size_t bytes)
{
	if (dtap__likely(bytes >= 32)) {
		memcpy(end - bytes, octets, 32);
		memcpy(end - 32, octets + bytes - 32, 32);
	} else {
		memcpy(end - bytes, octets, 16);
		memcpy(end - 16, octets + bytes - 16, 16);
	}
}

/*
 * How many octets the length of a lean Message takes, for a DNS message of
 * that many octets: 1 or 2; 0 when it must be counted first, or is neither.
 */
static dtap__always_inline unsigned int
dtap__lean_length_bytes(const struct dtap__shape *shape, uint32_t bytes)
{
	if (dtap__lean_is_wide(shape, bytes))
		return 2;
	return bytes - 1 < shape->short_max ? 1 : 0;
}

/*
 * Writes a valid event of a lean layout at out, all but the octets of the
 * message. Returns the place of these; behind them stands the trailer.
 */
static dtap__always_inline uint8_t *
dtap__lean_put(const struct dtap__encoder *encoder,
	       const struct dtap__shape *shape,
	       const struct dtap_event *event, enum dtap__shape_ends ends,
	       enum dtap__lean_body body, unsigned int length_bytes,
	       uint8_t *out)
{
	const bool query = body == DTAP__LEAN_QUERY;
	const uint32_t bytes = dtap__lean_message_bytes(event, body);
	const unsigned int tag = query ? DTAP__TAG_QUERY_MESSAGE
				       : DTAP__TAG_RESPONSE_MESSAGE;
	uint8_t *fields, *p;
	uint32_t length;

	memcpy(out, encoder->prefix.octets, DTAP__PREFIX_LEAN_BYTES);
	fields = out + encoder->prefix.bytes + 1 + length_bytes;
	memcpy(fields, shape->head, sizeof(shape->head));
	p = plain_put_addresses(fields + sizeof(shape->head), event, ends);
	p = plain_put_port(p, event->query_port);
	if (query)
		p = plain_put_middle_timed(p, shape, event);
	else
		p = plain_put_middle(p, shape, event);
	if (!query)
		p = plain_put_response_time(p, shape, event);
	if (length_bytes == 1)
		p = dtap__put_le16(p, tag | bytes << 8);
	else
		p = plain_put_length(p, tag, bytes);
	dtap__put_le32(p + bytes, DTAP__TRAILER);
	length = (uint32_t)(p + bytes - fields);
	if (length_bytes == 1)
		fields[-1] = (uint8_t)length;
	else
		dtap__put_le16(fields - 2, 0x80u + plain_spread_once(length));
	return p;
}

#endif
