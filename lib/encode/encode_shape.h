/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode_shape.h: what the plain way remembers, and how it is found.
 *
 * Internal to the encode room and its tests.
 */
#ifndef DTAP_ENCODE_ENCODE_SHAPE_H
#define DTAP_ENCODE_ENCODE_SHAPE_H

#include "encode/encode_message.h"

/*
 * The eight fields from type to reserved as one number, in the machine's own
 * byte order: it is only ever compared with another one.
 */
static dtap__always_inline uint64_t
dtap__shape_key(const struct dtap_event *event)
{
	uint64_t key;

	memcpy(&key,
	       (const char *)event + offsetof(struct dtap_event, type),
	       sizeof(key));
	return key;
}

/*
 * Where a shape is kept: slot (4 * type + family + 2 * protocol) modulo 64,
 * which one multiplication gathers from three octets of the key. IPv4 and
 * IPv6 over UDP and TCP of one type have four slots, and no other type shares
 * them: a server that mixes them does not forget one for the other.
 */
static dtap__always_inline struct dtap__shape *
dtap__shape_slot(struct dtap__encoder *encoder, uint64_t key)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	key = __builtin_bswap64(key);
#endif
	key = (uint32_t)key * (4u << 26 | 1u << 18 | 2u << 10) >> 26;
	return &encoder->shapes[key];
}

/* Empties all slots. */
void
dtap__shape_clear_all(struct dtap__encoder *encoder);

/* Takes the shape of a checked event in, unless it is known already. */
void
dtap__shape_remember(struct dtap__encoder *encoder,
		     const struct dtap_event *event);

/*
 * Takes over the seconds and the responder's port of an event. False, and
 * nothing changed, when the event is of another shape or its seconds are out
 * of range.
 */
bool
dtap__shape_refresh(struct dtap__shape *shape, const struct dtap_event *event);

#endif
