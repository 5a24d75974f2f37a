/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode_plain.c: the plain way as a function; see encode_plain.h.
 *
 * Lean layouts are written by what stands there. Other events of a known
 * shape go through plain_write_any(), which sums up the length first; what is
 * not valid, or not known to be, is left to the full way. Nothing is stored
 * before that is decided.
 *
 * The alternative, a ready frame per shape that is patched, was not faster:
 * the prefix and two lengths move everything behind them.
 *
 * Threads: an encoder belongs to one producer.
 */
#include "encode/encode_plain.h"

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
static size_t
plain_write_any(const struct dtap__encoder *encoder,
		const struct dtap_event *event, uint8_t *out,
		struct dtap__shape *shape)
{
	const struct dtap__prefix *prefix = &encoder->prefix;
	uint8_t *p = out;
	size_t bytes;

	if (!dtap__shape_is_of(shape, event) ||
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

static size_t
plain_write_lean(const struct dtap__encoder *encoder,
		 const struct dtap_event *event, uint8_t *out,
		 const struct dtap__shape *shape, enum dtap__lean_body body)
{
	uint32_t bytes = dtap__lean_message_bytes(event, body);
	unsigned int length_bytes = dtap__lean_length_bytes(shape, bytes);
	uint8_t *message;

	if (length_bytes == 0 || !dtap__lean_is_valid(shape, event, body))
		return 0;
	message = dtap__lean_put(encoder, shape, event, shape->ends, body,
				 length_bytes, out);
	memcpy(message, dtap__lean_message(event, body), bytes);
	return (size_t)(message + bytes - out) + DTAP__TRAILER_BYTES;
}

size_t
dtap__encode_plain(struct dtap__encoder *encoder,
		   const struct dtap_event *event, uint8_t *out)
{
	struct dtap__shape *shape =
		dtap__shape_slot(encoder, dtap__shape_key(event));
	size_t bytes = 0;

	if (shape->layout != DTAP__SHAPE_ANY &&
	    dtap__shape_is_of(shape, event))
		bytes = plain_write_lean(encoder, event, out, shape,
					 shape->response_time_sec != 0
						 ? DTAP__LEAN_RESPONSE
						 : DTAP__LEAN_QUERY);
	if (bytes == 0)
		bytes = plain_write_any(encoder, event, out, shape);
	return bytes;
}
