/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode_plain.c: the plain way: what runs for nearly every event.
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
 * certain but for a handful of sizes, and fill it in at the end. Their text
 * stands here once and is compiled four times. Other events of a known shape
 * go through plain_write_any(); what is not valid, or not known to be, is
 * left to the full way. Nothing is stored before that is decided.
 *
 * The alternative, a ready frame per shape that is patched, was not faster:
 * the prefix and two lengths move everything behind them.
 *
 * Threads: an encoder belongs to one producer.
 */
#include "encode/encode_message.h"

#include "encode/encode_octets.h"
#include "encode/encode_shape.h"

/* The message that a lean layout has; all else that varies is absent. */
enum plain_body {
	PLAIN_QUERY,	/* query_message, and no response_time */
	PLAIN_RESPONSE	/* response_message */
};

/* Writes an event with a shape; returns as dtap__encode_plain(). */
typedef size_t
plain_writer(const struct dtap__encoder *encoder,
	     const struct dtap_event *event, uint8_t *out,
	     struct dtap__shape *shape);

/*
 * What a lean Message has beside the fixed octets of its shape (at most 76)
 * and the DNS message: at least the latter's tag and length, at most also the
 * query port.
 */
#define PLAIN_EXTRA_MIN 2u
#define PLAIN_EXTRA_MAX 8u

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
plain_is_known(const struct dtap__shape *shape, const struct dtap_event *event,
	       uint64_t key)
{
	return shape->key == key &&
	       shape->query_time_sec == event->query_time_sec &&
	       shape->response_port == event->response_port;
}

/*
 * Whether an event of a known shape has that body and valid values in all
 * that its shape does not vouch for. The length of the message is the
 * caller's to check.
 */
static dtap__always_inline bool
plain_is_lean(const struct dtap__shape *shape, const struct dtap_event *event,
	      enum plain_body body)
{
	if (event->query_time_nsec > shape->query_nsec_max ||
	    event->query_address == NULL || event->response_address == NULL)
		return false;
	if (body == PLAIN_QUERY)
		return event->query_message_bytes != 0 &&
		       event->query_message != NULL &&
		       (event->response_time_sec | event->response_time_nsec |
			event->response_message_bytes |
			event->query_zone_bytes) == 0;
	return event->response_message_bytes != 0 &&
	       event->response_message != NULL &&
	       event->response_time_sec == shape->response_time_sec &&
	       event->response_time_nsec <= shape->response_nsec_max &&
	       (event->query_message_bytes | event->query_zone_bytes) == 0;
}

static dtap__always_inline bool
plain_octets_valid(const void *octets, uint32_t bytes, uint32_t bytes_max)
{
	return bytes == 0 || (bytes <= bytes_max && octets != NULL);
}

/* The same for any event. */
static bool
plain_is_valid(const struct dtap__shape *shape, const struct dtap_event *event)
{
	return event->query_time_nsec <= shape->query_nsec_max &&
	       event->response_time_nsec <= shape->response_nsec_max &&
	       plain_octets_valid(event->query_address,
				  event->query_address_bytes, 16) &&
	       plain_octets_valid(event->response_address,
				  event->response_address_bytes, 16) &&
	       plain_octets_valid(event->query_message,
				  event->query_message_bytes,
				  DTAP_MESSAGE_BYTES_MAX) &&
	       plain_octets_valid(event->response_message,
				  event->response_message_bytes,
				  DTAP_MESSAGE_BYTES_MAX) &&
	       plain_octets_valid(event->query_zone, event->query_zone_bytes,
				  DTAP__ENCODE_ZONE_BYTES_MAX);
}

static dtap__always_inline uint8_t *
plain_put_addresses(uint8_t *p, const struct dtap_event *event,
		    enum dtap__shape_ends ends)
{
	const void *one;

	if (ends == DTAP__ENDS_INET) {
		memcpy(p, event->query_address, 4);
		dtap__put_le16(p + 4, DTAP__TAG_RESPONSE_ADDRESS | 4u << 8);
		memcpy(p + 6, event->response_address, 4);
		return p + 10;
	}
	if (ends == DTAP__ENDS_INET6) {
		memcpy(p, event->query_address, 16);
		dtap__put_le16(p + 16, DTAP__TAG_RESPONSE_ADDRESS | 16u << 8);
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

static dtap__always_inline uint8_t *
plain_put_response_time(uint8_t *p, const struct dtap__shape *shape,
			const struct dtap_event *event)
{
	memcpy(p, shape->response_time, sizeof(shape->response_time));
	dtap__put_le32(p + shape->response_time_bytes,
		       event->response_time_nsec);
	return p + shape->response_time_total;
}

/* An optional field of octets; it ends exactly where it should. */
static dtap__always_inline uint8_t *
plain_put_octets(uint8_t *p, unsigned int tag, const void *octets,
		 uint32_t bytes)
{
	if (bytes == 0)
		return p;
	p = plain_put_number(p, tag, bytes);
	memcpy(p, octets, bytes);
	return p + bytes;
}

static size_t
plain_octets_bytes(uint32_t bytes)
{
	return bytes == 0 ? 0 : 1 + dtap__varint_bytes(bytes) + bytes;
}

/*
 * Any event of a shape that is known, or known but for seconds and port; 0
 * for others, and for what is not valid.
 */
static dtap__noinline size_t
plain_write_any(const struct dtap__encoder *encoder,
		const struct dtap_event *event, uint8_t *out,
		struct dtap__shape *shape)
{
	const struct dtap__prefix *prefix = &encoder->prefix;
	uint8_t *p = out;
	size_t bytes;

	if (!plain_is_known(shape, event, dtap__shape_key(event)) ||
	    shape->response_time_sec != event->response_time_sec)
		if (!dtap__shape_refresh(shape, event))
			return 0;
	if (!plain_is_valid(shape, event))
		return 0;
	bytes = shape->fixed_bytes +
		plain_octets_bytes(event->query_message_bytes) +
		plain_octets_bytes(event->query_zone_bytes) +
		plain_octets_bytes(event->response_message_bytes);
	if (event->query_port != 0)
		bytes += 1 + dtap__varint_bytes(event->query_port);

	memcpy(p, prefix->octets, prefix->bytes);
	p = plain_put_number(p + prefix->bytes, DTAP__TAG_MESSAGE,
			     (uint32_t)bytes);
	memcpy(p, shape->head, sizeof(shape->head));
	p = plain_put_addresses(p + shape->head_bytes, event, shape->ends);
	p = plain_put_port(p, event->query_port);
	p = plain_put_middle(p, shape, event);
	p = plain_put_octets(p, DTAP__TAG_QUERY_MESSAGE, event->query_message,
			     event->query_message_bytes);
	p = plain_put_octets(p, DTAP__TAG_QUERY_ZONE, event->query_zone,
			     event->query_zone_bytes);
	p = plain_put_response_time(p, shape, event);
	p = plain_put_octets(p, DTAP__TAG_RESPONSE_MESSAGE,
			     event->response_message,
			     event->response_message_bytes);
	p = dtap__put_le16(p, DTAP__TRAILER);
	return (size_t)(p - out);
}

/* Not inlined: the caller need not save anything for after the copy. */
static dtap__noinline size_t
plain_copy_and_return(uint8_t *p, const void *octets, size_t bytes,
		      size_t result)
{
	memcpy(p, octets, bytes);
	return result;
}

/* The last thing to do: a message, which for most queries is 32 to 64. */
static dtap__always_inline size_t
plain_finish(uint8_t *p, const uint8_t *octets, size_t bytes, size_t result)
{
	if (bytes < 32 || bytes > 64)
		return plain_copy_and_return(p, octets, bytes, result);
	memcpy(p, octets, 32);
	memcpy(p + bytes - 32, octets + bytes - 32, 32);
	return result;
}

static dtap__always_inline size_t
plain_put_lean(const struct dtap__encoder *encoder,
	       const struct dtap_event *event, uint8_t *out,
	       const struct dtap__shape *shape, enum dtap__shape_ends ends,
	       enum plain_body body, bool short_length)
{
	const bool query = body == PLAIN_QUERY;
	const void *octets = query ? event->query_message
				   : event->response_message;
	const uint32_t bytes = query ? event->query_message_bytes
				     : event->response_message_bytes;
	const unsigned int tag = query ? DTAP__TAG_QUERY_MESSAGE
				       : DTAP__TAG_RESPONSE_MESSAGE;
	uint8_t *message, *p;
	uint32_t length;

	memcpy(out, encoder->prefix.octets, DTAP__PREFIX_LEAN_BYTES);
	message = out + encoder->prefix.bytes + (short_length ? 2 : 3);
	memcpy(message, shape->head, sizeof(shape->head));
	p = plain_put_addresses(message + sizeof(shape->head), event, ends);
	p = plain_put_port(p, event->query_port);
	p = plain_put_middle(p, shape, event);
	if (!query)
		p = plain_put_response_time(p, shape, event);
	if (short_length)
		p = dtap__put_le16(p, tag | bytes << 8);
	else
		p = plain_put_number(p, tag, bytes);
	dtap__put_le16(p + bytes, DTAP__TRAILER);
	length = (uint32_t)(p + bytes - message);
	if (short_length)
		message[-1] = (uint8_t)length;
	else
		dtap__put_le16(message - 2, 0x80u + plain_spread_once(length));
	return plain_finish(p, octets, bytes,
			    (size_t)(p + bytes - out) + DTAP__TRAILER_BYTES);
}

static dtap__always_inline size_t
plain_write_lean(const struct dtap__encoder *encoder,
		 const struct dtap_event *event, uint8_t *out,
		 struct dtap__shape *shape, enum dtap__shape_ends ends,
		 enum plain_body body)
{
	const uint32_t fixed = shape->fixed_bytes;
	const uint32_t bytes = body == PLAIN_QUERY
				       ? event->query_message_bytes
				       : event->response_message_bytes;

	if (dtap__unlikely(!plain_is_lean(shape, event, body)))
		return plain_write_any(encoder, event, out, shape);
	if (bytes <= 0x7f - PLAIN_EXTRA_MAX - fixed)
		return plain_put_lean(encoder, event, out, shape, ends, body,
				      true);
	if (bytes > 0x7f - PLAIN_EXTRA_MIN - fixed &&
	    bytes <= 0x3fff - PLAIN_EXTRA_MAX - fixed)
		return plain_put_lean(encoder, event, out, shape, ends, body,
				      false);
	return plain_write_any(encoder, event, out, shape);
}

/*
 * The lean layouts. Each is a function of its own, so that it saves only the
 * registers that it uses itself.
 */
static dtap__noinline size_t
plain_write_query_inet(const struct dtap__encoder *encoder,
		       const struct dtap_event *event, uint8_t *out,
		       struct dtap__shape *shape)
{
	return plain_write_lean(encoder, event, out, shape, DTAP__ENDS_INET,
				PLAIN_QUERY);
}

static dtap__noinline size_t
plain_write_query_inet6(const struct dtap__encoder *encoder,
			const struct dtap_event *event, uint8_t *out,
			struct dtap__shape *shape)
{
	return plain_write_lean(encoder, event, out, shape, DTAP__ENDS_INET6,
				PLAIN_QUERY);
}

static dtap__noinline size_t
plain_write_response_inet(const struct dtap__encoder *encoder,
			  const struct dtap_event *event, uint8_t *out,
			  struct dtap__shape *shape)
{
	return plain_write_lean(encoder, event, out, shape, DTAP__ENDS_INET,
				PLAIN_RESPONSE);
}

static dtap__noinline size_t
plain_write_response_inet6(const struct dtap__encoder *encoder,
			   const struct dtap_event *event, uint8_t *out,
			   struct dtap__shape *shape)
{
	return plain_write_lean(encoder, event, out, shape, DTAP__ENDS_INET6,
				PLAIN_RESPONSE);
}

static plain_writer *const plain_writers[] = {
	[DTAP__SHAPE_ANY] = plain_write_any,
	[DTAP__SHAPE_QUERY_INET] = plain_write_query_inet,
	[DTAP__SHAPE_QUERY_INET6] = plain_write_query_inet6,
	[DTAP__SHAPE_RESPONSE_INET] = plain_write_response_inet,
	[DTAP__SHAPE_RESPONSE_INET6] = plain_write_response_inet6,
};

size_t
dtap__encode_plain(struct dtap__encoder *encoder,
		   const struct dtap_event *event, uint8_t *out)
{
	uint64_t key = dtap__shape_key(event);
	struct dtap__shape *shape = dtap__shape_slot(encoder, key);

	if (dtap__unlikely(!plain_is_known(shape, event, key)))
		return plain_write_any(encoder, event, out, shape);
	return plain_writers[shape->layout](encoder, event, out, shape);
}
