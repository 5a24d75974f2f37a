/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode_octets.h: protobuf's wire format, as far as dnstap uses it.
 *
 * Varints are little-endian groups of 7 bits, shortest form; fixed32 is
 * little-endian (protobuf encoding guide, "Message Structure"). Every put
 * function writes at p, which has no alignment, and returns where the next
 * octet goes. Bounds are the caller's: they are known before anything is
 * written (encode_message.h).
 *
 * Internal to the encode room and its tests.
 */
#ifndef DTAP_ENCODE_ENCODE_OCTETS_H
#define DTAP_ENCODE_ENCODE_OCTETS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/compiler.h"

#define DTAP__TAG_VARINT(field) ((field) << 3)
#define DTAP__TAG_BYTES(field) ((field) << 3 | 2)
#define DTAP__TAG_FIXED32(field) ((field) << 3 | 5)

/* Field numbers of dnstap.proto, with their wire types. */
enum dtap__tag {
	DTAP__TAG_IDENTITY = DTAP__TAG_BYTES(1),	/* message Dnstap */
	DTAP__TAG_VERSION = DTAP__TAG_BYTES(2),
	DTAP__TAG_EXTRA = DTAP__TAG_BYTES(3),
	DTAP__TAG_MESSAGE = DTAP__TAG_BYTES(14),
	DTAP__TAG_DNSTAP_TYPE = DTAP__TAG_VARINT(15),

	DTAP__TAG_TYPE = DTAP__TAG_VARINT(1),		/* message Message */
	DTAP__TAG_FAMILY = DTAP__TAG_VARINT(2),
	DTAP__TAG_PROTOCOL = DTAP__TAG_VARINT(3),
	DTAP__TAG_QUERY_ADDRESS = DTAP__TAG_BYTES(4),
	DTAP__TAG_RESPONSE_ADDRESS = DTAP__TAG_BYTES(5),
	DTAP__TAG_QUERY_PORT = DTAP__TAG_VARINT(6),
	DTAP__TAG_RESPONSE_PORT = DTAP__TAG_VARINT(7),
	DTAP__TAG_QUERY_SEC = DTAP__TAG_VARINT(8),
	DTAP__TAG_QUERY_NSEC = DTAP__TAG_FIXED32(9),
	DTAP__TAG_QUERY_MESSAGE = DTAP__TAG_BYTES(10),
	DTAP__TAG_QUERY_ZONE = DTAP__TAG_BYTES(11),
	DTAP__TAG_RESPONSE_SEC = DTAP__TAG_VARINT(12),
	DTAP__TAG_RESPONSE_NSEC = DTAP__TAG_FIXED32(13),
	DTAP__TAG_RESPONSE_MESSAGE = DTAP__TAG_BYTES(14),
	DTAP__TAG_POLICY = DTAP__TAG_BYTES(15),
	DTAP__TAG_HTTP_PROTOCOL = DTAP__TAG_VARINT(16),

	DTAP__TAG_POLICY_TYPE = DTAP__TAG_BYTES(1),	/* message Policy */
	DTAP__TAG_POLICY_RULE = DTAP__TAG_BYTES(2),
	DTAP__TAG_POLICY_ACTION = DTAP__TAG_VARINT(3),
	DTAP__TAG_POLICY_MATCH = DTAP__TAG_VARINT(4),
	DTAP__TAG_POLICY_VALUE = DTAP__TAG_BYTES(5)
};

/* Dnstap.type = MESSAGE: what every frame ends with. */
#define DTAP__TRAILER_BYTES 2u
#define DTAP__TRAILER (DTAP__TAG_DNSTAP_TYPE | 1u << 8)

/* Octets of a varint that holds 64 bits at most. */
static dtap__always_inline unsigned int
dtap__varint_bytes(uint64_t value)
{
	return (70u - (unsigned int)__builtin_clzll(value | 1)) / 7;
}

static dtap__always_inline uint8_t *
dtap__put_varint(uint8_t *p, uint64_t value)
{
	while (value > 0x7f) {
		*p++ = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	*p++ = (uint8_t)value;
	return p;
}

static dtap__always_inline uint8_t *
dtap__put_le16(uint8_t *p, unsigned int value)
{
	uint16_t word = (uint16_t)value;

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap16(word);
#endif
	memcpy(p, &word, sizeof(word));
	return p + sizeof(word);
}

static dtap__always_inline uint8_t *
dtap__put_le32(uint8_t *p, uint32_t word)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap32(word);
#endif
	memcpy(p, &word, sizeof(word));
	return p + sizeof(word);
}

static dtap__always_inline uint8_t *
dtap__put_le64(uint8_t *p, uint64_t word)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap64(word);
#endif
	memcpy(p, &word, sizeof(word));
	return p + sizeof(word);
}

#endif
