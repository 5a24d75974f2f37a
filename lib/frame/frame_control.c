/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame_control.c: see frame_control.h.
 *
 * Reading is tolerant where the protocol leaves room to grow and strict
 * elsewhere. Fields of unknown types are stepped over, though libfstrm
 * refuses them; of a frame of unknown type nothing but the type is looked
 * at, since its layout is its own. What is written is what every known peer
 * takes: exactly one content type wherever one may stand.
 */
#include "frame/frame_control.h"

#include <string.h>

#include "base/cursor.h"

/* Control field types (fstrm control.h). */
#define CONTROL_FIELD_CONTENT_TYPE 1

/* Octets of our content type, without the terminating zero. */
#define CONTROL_CONTENT_TYPE_BYTES (sizeof(DTAP__CONTENT_TYPE) - 1)

_Static_assert(4 + 4 + 4 + 8 + CONTROL_CONTENT_TYPE_BYTES ==
	       DTAP__CONTROL_WRITTEN_MAX, "the longest frame we write");

/* How many content types a frame of this type may have. */
static unsigned int
control_content_types_max(uint32_t type)
{
	switch (type) {
	case DTAP__CONTROL_ACCEPT:
	case DTAP__CONTROL_READY:
		return DTAP__CONTROL_BYTES_MAX; /* no limit of its own */
	case DTAP__CONTROL_START:
		return 1;
	default:
		return 0;
	}
}

static uint8_t *
control_put_be32(uint8_t *out, uint32_t value)
{
	*out++ = (uint8_t)(value >> 24);
	*out++ = (uint8_t)(value >> 16);
	*out++ = (uint8_t)(value >> 8);
	*out++ = (uint8_t)value;
	return out;
}

size_t
dtap__control_write(uint8_t *out, enum dtap__control_type type)
{
	uint32_t named = control_content_types_max(type) > 0;
	uint32_t field_bytes = named * (8 + CONTROL_CONTENT_TYPE_BYTES);
	uint8_t *at = out;

	at = control_put_be32(at, 0);
	at = control_put_be32(at, 4 + field_bytes);
	at = control_put_be32(at, type);
	if (named) {
		at = control_put_be32(at, CONTROL_FIELD_CONTENT_TYPE);
		at = control_put_be32(at, CONTROL_CONTENT_TYPE_BYTES);
		memcpy(at, DTAP__CONTENT_TYPE, CONTROL_CONTENT_TYPE_BYTES);
		at += CONTROL_CONTENT_TYPE_BYTES;
	}
	return (size_t)(at - out);
}

/* Notes a content type; false when it may not be there. */
static bool
control_add_content_type(struct dtap__control *control, const uint8_t *octets,
			 uint32_t bytes)
{
	if (bytes > DTAP__CONTENT_TYPE_BYTES_MAX)
		return false;
	if (bytes == CONTROL_CONTENT_TYPE_BYTES &&
	    memcmp(octets, DTAP__CONTENT_TYPE, bytes) == 0)
		control->names_dnstap = true;
	control->content_types++;
	return control->content_types <=
	       control_content_types_max(control->type);
}

/* Reads one field; false when it is malformed. */
static bool
control_read_field(struct dtap__cursor *cursor, struct dtap__control *control)
{
	uint32_t type = dtap__cursor_read_be32(cursor);
	uint32_t bytes = dtap__cursor_read_be32(cursor);
	const uint8_t *octets = dtap__cursor_take(cursor, bytes);

	if (octets == NULL)
		return false;
	return type != CONTROL_FIELD_CONTENT_TYPE ||
	       control_add_content_type(control, octets, bytes);
}

enum dtap_result
dtap__control_read(const uint8_t *octets, size_t bytes,
		   struct dtap__control *control)
{
	struct dtap__cursor cursor;

	memset(control, 0, sizeof(*control));
	if (bytes > DTAP__CONTROL_BYTES_MAX)
		return DTAP_E_PROTOCOL;
	dtap__cursor_init(&cursor, octets, bytes);
	control->type = dtap__cursor_read_be32(&cursor);
	if (cursor.failed)
		return DTAP_E_PROTOCOL;
	if (!dtap__control_is_known(control->type))
		return DTAP_OK;
	while (dtap__cursor_left(&cursor) > 0) {
		if (!control_read_field(&cursor, control))
			return DTAP_E_PROTOCOL;
	}
	return DTAP_OK;
}

bool
dtap__control_is_known(uint32_t type)
{
	return type >= DTAP__CONTROL_ACCEPT && type <= DTAP__CONTROL_FINISH;
}

bool
dtap__control_allows_dnstap(const struct dtap__control *control)
{
	return control->content_types == 0 || control->names_dnstap;
}

const char *
dtap__control_name(uint32_t type)
{
	static const char *const names[] = {
		[DTAP__CONTROL_ACCEPT] = "ACCEPT",
		[DTAP__CONTROL_START] = "START",
		[DTAP__CONTROL_STOP] = "STOP",
		[DTAP__CONTROL_READY] = "READY",
		[DTAP__CONTROL_FINISH] = "FINISH",
	};

	return dtap__control_is_known(type) ? names[type] : "unknown";
}
