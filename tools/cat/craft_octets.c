/* SPDX-License-Identifier: Apache-2.0 */
/*
 * craft_octets.c: see craft_octets.h.
 */
#include "craft_octets.h"

#include <stdlib.h>
#include <string.h>

static uint64_t random_state = 0x9e3779b97f4a7c15;

uint32_t
craft_random_below(uint32_t limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)((random_state >> 20) % limit);
}

void
craft_put(struct octets *to, const void *data, size_t bytes)
{
	if (bytes > sizeof(to->data) - to->bytes)
		abort();
	if (bytes > 0)
		memcpy(to->data + to->bytes, data, bytes);
	to->bytes += bytes;
}

void
craft_put_8(struct octets *to, unsigned int number)
{
	uint8_t octet = (uint8_t)number;

	craft_put(to, &octet, 1);
}

void
craft_put_be16(struct octets *to, unsigned int number)
{
	craft_put_8(to, number >> 8);
	craft_put_8(to, number);
}

void
craft_put_be32(struct octets *to, uint32_t number)
{
	craft_put_be16(to, number >> 16);
	craft_put_be16(to, number);
}

void
craft_put_varint(struct octets *to, uint64_t number)
{
	for (; number > 127; number >>= 7)
		craft_put_8(to, (unsigned int)(number & 127) | 128);
	craft_put_8(to, (unsigned int)number);
}

void
craft_put_part(struct octets *to, unsigned int field, struct part part)
{
	if (part.data == NULL)
		return;
	craft_put_varint(to, field << 3 | 2);
	craft_put_varint(to, part.bytes);
	craft_put(to, part.data, part.bytes);
}

void
craft_put_number(struct octets *to, unsigned int field, uint64_t number)
{
	craft_put_varint(to, field << 3);
	craft_put_varint(to, number);
}

void
craft_put_fixed32(struct octets *to, unsigned int field, uint32_t number)
{
	craft_put_varint(to, field << 3 | 5);
	for (int i = 0; i < 4; i++)
		craft_put_8(to, number >> (8 * i));
}

void
craft_put_header(struct octets *dns, unsigned int flags, unsigned int questions,
		 unsigned int answers, unsigned int authorities,
		 unsigned int additionals)
{
	dns->bytes = 0;
	craft_put_be16(dns, 0x1234);
	craft_put_be16(dns, flags);
	craft_put_be16(dns, questions);
	craft_put_be16(dns, answers);
	craft_put_be16(dns, authorities);
	craft_put_be16(dns, additionals);
}

void
craft_put_question(struct octets *dns, unsigned int type, unsigned int class)
{
	craft_put(dns, "\3www\7example\4test", 18);
	craft_put_be16(dns, type);
	craft_put_be16(dns, class);
}

void
craft_put_record(struct octets *dns, unsigned int type, const void *rdata,
		 unsigned int bytes)
{
	craft_put_be16(dns, 0xc00c);
	craft_put_be16(dns, type);
	craft_put_be16(dns, 1);
	craft_put_be32(dns, 300);
	craft_put_be16(dns, bytes);
	craft_put(dns, rdata, bytes);
}
