/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_message.c: see gen_message.h.
 *
 * Layout (RFC 1035 section 4.1): 12 octets of header; the question, whose
 * name is always 35 octets long; then TXT records for the root name until the
 * size is reached. Up to 11 octets are missing where no record fits.
 */
#include "gen_message.h"

#include <stdbool.h>
#include <string.h>

#define GEN_HEADER_BYTES 12
#define GEN_TYPE_TXT 16
#define GEN_TYPE_A 1
#define GEN_CLASS_IN 1
/* Root name, type, class, TTL, length; then at least one empty string. */
#define GEN_RECORD_BYTES_MIN 12
/* A record's data: character-strings of up to 255 octets. */
#define GEN_DATA_BYTES_MAX 4096

static const uint8_t gen_name[] = "\023t0000-s000000000000"
				  "\003gen\004dtap\004test";

static uint8_t *
gen_put_be16(uint8_t *at, unsigned int value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
	return at + 2;
}

static void
gen_put_hex(uint8_t *at, uint64_t value, int digits)
{
	static const char hex[] = "0123456789abcdef";

	while (digits-- > 0) {
		at[digits] = (uint8_t)hex[value & 15];
		value >>= 4;
	}
}

static uint64_t
gen_random(struct gen_message *message)
{
	uint64_t x = message->random;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	message->random = x;
	return x;
}

void
gen_message_init(struct gen_message *message, unsigned int thread)
{
	message->bytes = 0;
	message->thread = thread;
	message->random = 0x9e3779b97f4a7c15u ^ ((uint64_t)thread << 32);
	memset(message->octets, 0, GEN_HEADER_BYTES);
}

/* Queries 51 to 91 octets; responses mostly small, a few up to 4096. */
static size_t
gen_draw_bytes(struct gen_message *message, bool response)
{
	uint64_t draw = gen_random(message);
	size_t spread = (draw >> 8) % 41;

	if (!response)
		return GEN_MESSAGE_BYTES_MIN + spread;
	switch (draw % 16) {
	case 0:
		return 1232 - spread;
	case 1:
		return 4096 - spread;
	case 2:
	case 3:
	case 4:
		return 400 + spread * 4;
	default:
		return 80 + spread * 3;
	}
}

/* One TXT record of the given size in all; bytes >= the smallest record. */
static uint8_t *
gen_put_record(uint8_t *at, size_t bytes)
{
	size_t data = bytes - (GEN_RECORD_BYTES_MIN - 1);

	*at++ = 0;
	at = gen_put_be16(at, GEN_TYPE_TXT);
	at = gen_put_be16(at, GEN_CLASS_IN);
	memset(at, 0, 4);
	at = gen_put_be16(at + 4, (unsigned int)data);
	while (data > 0) {
		size_t string = data > 256 ? 255 : data - 1;

		*at++ = (uint8_t)string;
		memset(at, 'x', string);
		at += string;
		data -= string + 1;
	}
	return at;
}

/* Fills up to bytes; returns how many records that took. */
static unsigned int
gen_put_records(struct gen_message *message, uint8_t *at, size_t bytes)
{
	unsigned int count = 0;
	size_t left = bytes - (size_t)(at - message->octets);

	while (left >= GEN_RECORD_BYTES_MIN) {
		size_t record = left;

		if (record > GEN_DATA_BYTES_MAX + GEN_RECORD_BYTES_MIN)
			record = GEN_DATA_BYTES_MAX;
		at = gen_put_record(at, record);
		left -= record;
		count++;
	}
	message->bytes = (size_t)(at - message->octets);
	return count;
}

void
gen_message_make(struct gen_message *message, enum dtap_message_type type,
		 uint64_t sequence, size_t bytes)
{
	bool response = type % 2 == 0;
	uint8_t *header = message->octets;
	uint8_t *at = header + GEN_HEADER_BYTES;
	unsigned int records = 0;

	if (bytes == GEN_MESSAGE_BYTES_MIX)
		bytes = gen_draw_bytes(message, response);
	gen_put_be16(header, (unsigned int)sequence);
	header[2] = response ? 0x85 : 0x01; /* QR, AA; RD */
	header[3] = 0;
	gen_put_be16(header + 4, 1);
	memcpy(at, gen_name, sizeof(gen_name));
	gen_put_hex(at + 2, message->thread, 4);
	gen_put_hex(at + 8, sequence, 12);
	at = gen_put_be16(at + sizeof(gen_name), GEN_TYPE_A);
	at = gen_put_be16(at, GEN_CLASS_IN);
	if (bytes > GEN_MESSAGE_BYTES_MIN)
		records = gen_put_records(message, at, bytes);
	else
		message->bytes = (size_t)(at - message->octets);
	/* Answers in responses, additional records in queries. */
	gen_put_be16(header + 6, response ? records : 0);
	gen_put_be16(header + 8, 0);
	gen_put_be16(header + 10, response ? 0 : records);
}
