/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame_control.h: Frame Streams control frames, octets to fields and back.
 *
 * Layout, all integers 32-bit big-endian: 0 (escape), control length, control
 * type, then fields: type, length, octets. The control length counts what
 * follows it. Limits as in fstrm's control.h: control length <= 512, content
 * type <= 256; peers exist that refuse 504 and above, so what we send stays
 * far below.
 *
 * Pure functions. Used by frame_session and reader.
 */
#ifndef DTAP_FRAME_FRAME_CONTROL_H
#define DTAP_FRAME_FRAME_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <dnstap/result.h>

/* Largest control length (octets after the length field) we understand. */
#define DTAP__CONTROL_BYTES_MAX 512
#define DTAP__CONTENT_TYPE_BYTES_MAX 256
#define DTAP__CONTENT_TYPE "protobuf:dnstap.Dnstap"
/* The longest frame we write: escape, length, type and one content type. */
#define DTAP__CONTROL_WRITTEN_MAX (4 + 4 + 4 + 8 + 22)

/* Control frame types (fstrm control.h). */
enum dtap__control_type {
	DTAP__CONTROL_ACCEPT = 1,
	DTAP__CONTROL_START = 2,
	DTAP__CONTROL_STOP = 3,
	DTAP__CONTROL_READY = 4,
	DTAP__CONTROL_FINISH = 5
};

/* What a control frame says, as far as dnstap cares. */
struct dtap__control {
	uint32_t type;			/* any number: unknown ones, too */
	unsigned int content_types;	/* how many such fields it has */
	bool names_dnstap;		/* one of them is ours */
};

/*
 * Writes a control frame, escape and length included, with our content type
 * when the type carries one (ACCEPT, START, READY). out has room for
 * DTAP__CONTROL_WRITTEN_MAX. Returns the octets written.
 */
size_t
dtap__control_write(uint8_t *out, enum dtap__control_type type);

/*
 * Understands the octets that follow a control frame's length field. Fields
 * of unknown types are stepped over; of a frame of unknown type only the type
 * is looked at.
 * DTAP_OK; DTAP_E_PROTOCOL when too long, malformed, or a content type above
 * its limit or in a frame that carries none; START with more than one.
 */
enum dtap_result
dtap__control_read(const uint8_t *octets, size_t bytes,
		   struct dtap__control *control);

/* Whether the number is one of enum dtap__control_type. */
bool
dtap__control_is_known(uint32_t type);

/* Whether the frame leaves the content type open or names ours. */
bool
dtap__control_allows_dnstap(const struct dtap__control *control);

/* "ACCEPT" ...; "unknown" for a number that names no type. */
const char *
dtap__control_name(uint32_t type);

#endif
