/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader_message.c: a Dnstap protobuf message becomes an event again.
 *
 * One loop over the fields for each of the three messages of dnstap.proto,
 * each octet looked at once, nothing copied or allocated. A general decoder
 * such as protobuf-c keeps unknown fields and allocates for each submessage,
 * which a hostile frame of many small fields turns into hundreds of times
 * the work; here such a field costs its two varints.
 *
 * A field is known by number and wire type together (its key), so that one
 * with the wrong wire type falls among the unknown ones by itself.
 *
 * Decisions where protobuf or the schema leave room:
 *  - A message (14) or policy (15) that occurs again is decoded over the
 *    first: the last occurrence of each inner field counts. That is what
 *    protobuf calls merging.
 *  - Enumerations and ports keep the low 32 bits of their varint, as protobuf
 *    does; then what does not fit is clamped to 255 or 65,535.
 *  - An address above 255 octets counts as empty; its present bit is set.
 *  - Groups (wire types 3 and 4) count as damage. They are long deprecated,
 *    the schema never had one, and protobuf-c refuses them, too.
 *  - So do the field number 0, a key above 32 bits and a varint above 64, which
 *    the encoding guide rules out, and a payload of 2 GiB or more, which
 *    protobuf rules out. protobuf-c takes the first three, and drops the bits
 *    that it has no room for.
 *
 * Threads: any; there is no state.
 */
#include <dnstap/reader.h>

#include <stdbool.h>
#include <string.h>

#include "base/compiler.h"
#include "base/cursor.h"

/* Wire types (protobuf encoding guide, "Message Structure"). */
#define DECODE_VARINT 0u
#define DECODE_FIXED64 1u
#define DECODE_OCTETS 2u
#define DECODE_FIXED32 5u

/* How number and wire type are written before each field. */
#define DECODE_KEY(number, wire_type) ((number) << 3 | (wire_type))

struct decode_field {
	uint32_t key;
	uint64_t value;		/* VARINT, FIXED32 */
	struct dtap_bytes octets; /* OCTETS */
};

/*
 * Reads the next field. false at the end of the octets or where they are
 * damaged; the cursor tells which.
 */
static bool
decode_next(struct dtap__cursor *cursor, struct decode_field *field)
{
	uint64_t key, bytes;

	if (dtap__cursor_left(cursor) == 0)
		return false;
	key = dtap__cursor_read_varint(cursor);
	if (key < DECODE_KEY(1, 0) || key > UINT32_MAX) {
		cursor->failed = true;
		return false;
	}
	field->key = (uint32_t)key;
	switch (key & 7) {
	case DECODE_VARINT:
		field->value = dtap__cursor_read_varint(cursor);
		break;
	case DECODE_FIXED64:
		dtap__cursor_take(cursor, 8);
		break;
	case DECODE_OCTETS:
		bytes = dtap__cursor_read_varint(cursor);
		field->octets.data = dtap__cursor_take(cursor, bytes);
		field->octets.bytes = (size_t)bytes;
		break;
	case DECODE_FIXED32:
		field->value = dtap__cursor_read_le32(cursor);
		break;
	default:
		cursor->failed = true;
	}
	return !cursor->failed;
}

static uint8_t
decode_enum(const struct decode_field *field)
{
	uint32_t value = (uint32_t)field->value;

	return value < UINT8_MAX ? (uint8_t)value : UINT8_MAX;
}

static uint16_t
decode_port(const struct decode_field *field)
{
	uint32_t value = (uint32_t)field->value;

	return value < UINT16_MAX ? (uint16_t)value : UINT16_MAX;
}

/* The length fits: no payload reaches 2 GiB. */
static const void *
decode_octets(const struct decode_field *field, uint32_t *bytes)
{
	*bytes = (uint32_t)field->octets.bytes;
	return field->octets.data;
}

static const void *
decode_address(const struct decode_field *field, uint8_t *bytes)
{
	if (field->octets.bytes > UINT8_MAX) {
		*bytes = 0;
		return NULL;
	}
	*bytes = (uint8_t)field->octets.bytes;
	return field->octets.data;
}

/* Policy; false when damaged. */
static bool
decode_policy(const struct dtap_bytes *in, struct dtap_message *message)
{
	struct dtap_policy *policy = &message->policy;
	struct dtap__cursor cursor;
	struct decode_field field;

	policy->size = sizeof(*policy);
	message->event.policy = policy;
	dtap__cursor_init(&cursor, in->data, in->bytes);
	while (decode_next(&cursor, &field)) {
		switch (field.key) {
		case DECODE_KEY(1, DECODE_OCTETS):
			message->policy_type = field.octets;
			break;
		case DECODE_KEY(2, DECODE_OCTETS):
			policy->rule = decode_octets(&field,
						     &policy->rule_bytes);
			break;
		case DECODE_KEY(3, DECODE_VARINT):
			policy->action = decode_enum(&field);
			break;
		case DECODE_KEY(4, DECODE_VARINT):
			policy->match = decode_enum(&field);
			break;
		case DECODE_KEY(5, DECODE_OCTETS):
			policy->value = decode_octets(&field,
						      &policy->value_bytes);
			break;
		}
	}
	return !cursor.failed;
}

/*
 * A varint or fixed32 field of Message; false when there is none of that
 * key.
 */
static bool
decode_number(const struct decode_field *field, struct dtap_event *event)
{
	switch (field->key) {
	case DECODE_KEY(1, DECODE_VARINT):
		event->type = decode_enum(field);
		return true;
	case DECODE_KEY(2, DECODE_VARINT):
		event->socket_family = decode_enum(field);
		return true;
	case DECODE_KEY(3, DECODE_VARINT):
		event->socket_protocol = decode_enum(field);
		return true;
	case DECODE_KEY(6, DECODE_VARINT):
		event->query_port = decode_port(field);
		return true;
	case DECODE_KEY(7, DECODE_VARINT):
		event->response_port = decode_port(field);
		return true;
	case DECODE_KEY(8, DECODE_VARINT):
		event->query_time_sec = field->value;
		return true;
	case DECODE_KEY(9, DECODE_FIXED32):
		event->query_time_nsec = (uint32_t)field->value;
		return true;
	case DECODE_KEY(12, DECODE_VARINT):
		event->response_time_sec = field->value;
		return true;
	case DECODE_KEY(13, DECODE_FIXED32):
		event->response_time_nsec = (uint32_t)field->value;
		return true;
	case DECODE_KEY(16, DECODE_VARINT):
		event->http_protocol = decode_enum(field);
		return true;
	default:
		return false;
	}
}

/* A field of octets of Message; false when there is none of that key. */
static bool
decode_borrowed(const struct decode_field *field, struct dtap_event *event)
{
	switch (field->key) {
	case DECODE_KEY(4, DECODE_OCTETS):
		event->query_address = decode_address(
			field, &event->query_address_bytes);
		return true;
	case DECODE_KEY(5, DECODE_OCTETS):
		event->response_address = decode_address(
			field, &event->response_address_bytes);
		return true;
	case DECODE_KEY(10, DECODE_OCTETS):
		event->query_message = decode_octets(
			field, &event->query_message_bytes);
		return true;
	case DECODE_KEY(11, DECODE_OCTETS):
		event->query_zone = decode_octets(
			field, &event->query_zone_bytes);
		return true;
	case DECODE_KEY(14, DECODE_OCTETS):
		event->response_message = decode_octets(
			field, &event->response_message_bytes);
		return true;
	default:
		return false;
	}
}

/* Message; false when damaged. */
static bool
decode_message(const struct dtap_bytes *in, struct dtap_message *message)
{
	struct dtap__cursor cursor;
	struct decode_field field;

	dtap__cursor_init(&cursor, in->data, in->bytes);
	while (decode_next(&cursor, &field)) {
		if (field.key == DECODE_KEY(15, DECODE_OCTETS)) {
			if (!decode_policy(&field.octets, message))
				return false;
		} else if (!decode_number(&field, &message->event) &&
			   !decode_borrowed(&field, &message->event)) {
			continue;
		}
		message->present |= UINT32_C(1) << (field.key >> 3);
	}
	return !cursor.failed;
}

/* Dnstap; false when damaged or a required field is missing. */
static bool
decode_dnstap(const void *payload, size_t bytes, struct dtap_message *message)
{
	bool typed = false, has_message = false;
	struct dtap__cursor cursor;
	struct decode_field field;

	dtap__cursor_init(&cursor, payload, bytes);
	while (decode_next(&cursor, &field)) {
		switch (field.key) {
		case DECODE_KEY(1, DECODE_OCTETS):
			message->identity = field.octets;
			break;
		case DECODE_KEY(2, DECODE_OCTETS):
			message->version = field.octets;
			break;
		case DECODE_KEY(3, DECODE_OCTETS):
			message->extra = field.octets;
			message->event.extra = decode_octets(
				&field, &message->event.extra_bytes);
			break;
		case DECODE_KEY(14, DECODE_OCTETS):
			if (!decode_message(&field.octets, message))
				return false;
			has_message = true;
			break;
		case DECODE_KEY(15, DECODE_VARINT):
			message->dnstap_type = (uint32_t)field.value;
			typed = true;
			break;
		}
	}
	if (has_message && (message->present & UINT32_C(1) << 1) == 0)
		return false;
	return typed && !cursor.failed;
}

enum dtap_result
dtap_message_decode(const void *payload, size_t bytes,
		    struct dtap_message *message)
{
	size_t size;

	if (message == NULL || message->size < sizeof(*message) ||
	    (payload == NULL && bytes > 0))
		return DTAP_E_INVALID;
	size = message->size;
	memset(message, 0, size);
	message->size = size;
	message->event.size = sizeof(message->event);
	if (bytes > INT32_MAX)
		return DTAP_E_DAMAGED;
	return decode_dnstap(payload, bytes, message) ? DTAP_OK :
							DTAP_E_DAMAGED;
}
