/* SPDX-License-Identifier: Apache-2.0 */
/*
 * craft_octets.h: protobuf, DNS and chance, octet by octet.
 *
 * Octets that do not fit end the program: what is crafted is known.
 */
#ifndef DTAP_TOOLS_CRAFT_OCTETS_H
#define DTAP_TOOLS_CRAFT_OCTETS_H

#include <stddef.h>
#include <stdint.h>

/* Octets being put together. */
struct octets {
	size_t bytes;
	uint8_t data[70000];
};

/* A field's octets; data is NULL when it is absent. */
struct part {
	const void *data;
	size_t bytes;
};

uint32_t
craft_random_below(uint32_t limit);

void
craft_put(struct octets *to, const void *data, size_t bytes);

void
craft_put_8(struct octets *to, unsigned int number);

void
craft_put_be16(struct octets *to, unsigned int number);

void
craft_put_be32(struct octets *to, uint32_t number);

void
craft_put_varint(struct octets *to, uint64_t number);

void
craft_put_part(struct octets *to, unsigned int field, struct part part);

void
craft_put_number(struct octets *to, unsigned int field, uint64_t number);

void
craft_put_fixed32(struct octets *to, unsigned int field, uint32_t number);

void
craft_put_header(struct octets *dns, unsigned int flags, unsigned int questions,
		 unsigned int answers, unsigned int authorities,
		 unsigned int additionals);

void
craft_put_question(struct octets *dns, unsigned int type, unsigned int class);

/* A record whose owner is the question's name. */
void
craft_put_record(struct octets *dns, unsigned int type, const void *rdata,
		 unsigned int bytes);

#endif
