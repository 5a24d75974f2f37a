/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode_shape.c: see encode_shape.h.
 *
 * Of the two dozen fields of a frame, few differ between one event of a busy
 * server and the next: the addresses, one port, the nanoseconds, the message.
 * A shape holds the octets of the others. It is written in two steps. The
 * key, and with it all that makes an event valid or not, is only taken from
 * events that passed the full check: there is no second set of rules here
 * that could disagree with the first. The seconds and the responder's port
 * may have almost any value, so they are taken over from any event, once a
 * second and where a server asks servers on different ports.
 *
 * The slot is computed, not searched. A fixed image per (family, protocol)
 * pair would have done without memory, but with a dozen branches instead.
 *
 * Threads: a shape belongs to its encoder's producer.
 */
#include "encode/encode_shape.h"

#include "encode/encode_octets.h"

#define SHAPE_NSEC_MAX 999999999u
#define SHAPE_SECONDS_MAX (UINT64_MAX >> 1)

_Static_assert(offsetof(struct dtap_event, reserved) + sizeof(uint16_t) -
			       offsetof(struct dtap_event, type) ==
		       sizeof(uint64_t),
	       "type to reserved are the eight octets of the key");
_Static_assert(sizeof(struct dtap__shape) == 128, "see struct dtap__shape");

void
dtap__shape_clear_all(struct dtap__encoder *encoder)
{
	memset(encoder->shapes, 0, sizeof(encoder->shapes));
	/*
	 * 0 is a key that only an event without type could have, and that
	 * belongs into slot 0. So slot 0 is emptied with a key that belongs
	 * elsewhere.
	 */
	encoder->shapes[0].key = UINT64_MAX;
}

/* The octets up to the first address's; the same for all of a key. */
static void
shape_set_head(struct dtap__shape *shape, const struct dtap_event *event)
{
	uint8_t *p = shape->head;

	*p++ = DTAP__TAG_TYPE;
	*p++ = event->type;
	if (event->socket_family != 0) {
		*p++ = DTAP__TAG_FAMILY;
		*p++ = event->socket_family;
	}
	if (event->socket_protocol != 0) {
		*p++ = DTAP__TAG_PROTOCOL;
		*p++ = event->socket_protocol;
	}
	if (event->query_address_bytes != 0) {
		*p++ = DTAP__TAG_QUERY_ADDRESS;
		*p++ = event->query_address_bytes;
	} else if (event->response_address_bytes != 0) {
		*p++ = DTAP__TAG_RESPONSE_ADDRESS;
		*p++ = event->response_address_bytes;
	}
	shape->head_bytes = (uint8_t)(p - shape->head);
}

static void
shape_set_ends(struct dtap__shape *shape, const struct dtap_event *event)
{
	unsigned int query = event->query_address_bytes;
	unsigned int response = event->response_address_bytes;
	unsigned int sum = query + response;

	if (query != 0 && response != 0) {
		shape->ends = query == 4 ? DTAP__ENDS_INET : DTAP__ENDS_INET6;
		sum += 2; /* tag and length of the second */
	} else if (sum == 0) {
		shape->ends = DTAP__ENDS_NONE;
	} else {
		shape->ends = sum == 4 ? DTAP__ENDS_ONE_INET
				       : DTAP__ENDS_ONE_INET6;
	}
	shape->address_bytes = (uint8_t)sum;
}

/*
 * Writes the octets of a time up to its nanoseconds. Nothing for 0 seconds:
 * such a time is absent, or else it takes the full way.
 */
static uint8_t *
shape_put_time(uint8_t *p, unsigned int sec_tag, unsigned int nsec_tag,
	       uint64_t seconds)
{
	if (seconds == 0)
		return p;
	*p++ = (uint8_t)sec_tag;
	p = dtap__put_varint(p, seconds);
	*p++ = (uint8_t)nsec_tag;
	return p;
}

static void
shape_set_middle(struct dtap__shape *shape, const struct dtap_event *event)
{
	uint64_t seconds = event->query_time_sec;
	uint8_t *p = shape->middle;

	if (event->response_port != 0) {
		*p++ = DTAP__TAG_RESPONSE_PORT;
		p = dtap__put_varint(p, event->response_port);
	}
	p = shape_put_time(p, DTAP__TAG_QUERY_SEC, DTAP__TAG_QUERY_NSEC,
			   seconds);
	shape->response_port = event->response_port;
	shape->query_time_sec = seconds;
	shape->query_nsec_max = seconds != 0 ? SHAPE_NSEC_MAX : 0;
	shape->middle_bytes = (uint8_t)(p - shape->middle);
	shape->middle_total = (uint8_t)(shape->middle_bytes +
					(seconds != 0 ? 4 : 0));
}

static void
shape_set_response_time(struct dtap__shape *shape,
			const struct dtap_event *event)
{
	uint64_t seconds = event->response_time_sec;
	uint8_t *end = shape_put_time(shape->response_time,
				      DTAP__TAG_RESPONSE_SEC,
				      DTAP__TAG_RESPONSE_NSEC, seconds);

	shape->response_time_sec = seconds;
	shape->response_nsec_max = seconds != 0 ? SHAPE_NSEC_MAX : 0;
	shape->response_time_bytes = (uint8_t)(end - shape->response_time);
	shape->response_time_total = (uint8_t)(shape->response_time_bytes +
					       (seconds != 0 ? 4 : 0));
}

/*
 * What a lean Message has beside its fixed octets (at most 76) and the DNS
 * message: at least the latter's tag and length, at most also the query port.
 */
#define SHAPE_EXTRA_MIN 2
#define SHAPE_EXTRA_MAX 8
_Static_assert(0x3fff - SHAPE_EXTRA_MAX - (0x80 - SHAPE_EXTRA_MIN) ==
		       DTAP__SHAPE_WIDE_SPAN,
	       "a length of 14 bits takes two octets");

static void
shape_set_layout(struct dtap__shape *shape)
{
	bool response = shape->response_time_sec != 0;

	shape->fixed_bytes =
		(uint8_t)(shape->head_bytes + shape->address_bytes +
			  shape->middle_total + shape->response_time_total);
	shape->short_max =
		(uint8_t)(0x7f - SHAPE_EXTRA_MAX - shape->fixed_bytes);
	shape->wide_min =
		(uint8_t)(0x80 - SHAPE_EXTRA_MIN - shape->fixed_bytes);
	shape->copy_span = shape->short_max < DTAP__SHAPE_COPY_MAX
				   ? shape->short_max - DTAP__SHAPE_COPY_MIN
				   : DTAP__SHAPE_COPY_MAX -
					     DTAP__SHAPE_COPY_MIN;
	if (!shape->lean || (!response && shape->query_time_sec == 0))
		shape->layout = DTAP__SHAPE_ANY;
	else if (shape->ends == DTAP__ENDS_INET)
		shape->layout = response ? DTAP__SHAPE_RESPONSE_INET
					 : DTAP__SHAPE_QUERY_INET;
	else
		shape->layout = response ? DTAP__SHAPE_RESPONSE_INET6
					 : DTAP__SHAPE_QUERY_INET6;
}

bool
dtap__shape_refresh(struct dtap__shape *shape, const struct dtap_event *event)
{
	if (shape->key != dtap__shape_key(event) ||
	    event->query_time_sec > SHAPE_SECONDS_MAX ||
	    event->response_time_sec > SHAPE_SECONDS_MAX)
		return false;
	shape_set_middle(shape, event);
	shape_set_response_time(shape, event);
	shape_set_layout(shape);
	return true;
}

void
dtap__shape_remember(struct dtap__encoder *encoder,
		     const struct dtap_event *event)
{
	uint64_t key = dtap__shape_key(event);
	struct dtap__shape *shape = dtap__shape_slot(encoder, key);

	/* http_protocol has its place behind the messages: never plain. */
	if (shape->key == key || event->http_protocol != 0)
		return;
	shape->key = key;
	shape_set_head(shape, event);
	shape_set_ends(shape, event);
	shape->lean = shape->head_bytes == sizeof(shape->head) &&
		      shape->ends <= DTAP__ENDS_INET6 &&
		      encoder->prefix.bytes < DTAP__PREFIX_LEAN_BYTES;
	dtap__shape_refresh(shape, event);
}
