/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explore_tiny.c: see explore_tiny.h. The first octet of a record holds its
 * number and its length, the others its number and their place.
 */
#include "explore_tiny.h"

#include "explore.h"
#include "ring/ring_memory.h"

enum dtap_result
dtap__ring_memory_map(uint64_t bytes, enum dtap__ring_layout layout,
		      uint8_t **base, uint64_t *contiguous)
{
	*base = explore_get(bytes, "octets");
	*contiguous = layout == DTAP__RING_MIRRORED ? 2 * bytes : bytes;
	return DTAP_OK;
}

void
dtap__ring_memory_unmap(uint8_t *base, uint64_t contiguous)
{
	(void)contiguous;
	explore_free(base);
}

/* The octet that both views show. */
static uint8_t *
tiny_octet(const struct dtap__ring *ring, const uint8_t *address)
{
	explore_promise(address >= ring->base &&
				address < ring->base + ring->contiguous,
			"nothing is touched outside the ring");
	return ring->base + ((uint64_t)(address - ring->base) & ring->mask);
}

static uint8_t
tiny_value(unsigned int number, size_t place, size_t bytes)
{
	return (uint8_t)(number << 4 | (place == 0 ? bytes : 8 + place));
}

void
tiny_write(const struct dtap__ring *ring, uint8_t *slot, unsigned int number,
	   size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		*tiny_octet(ring, slot + i) = tiny_value(number, i, bytes);
}

unsigned int
tiny_read(const struct dtap__ring *ring, const struct dtap__span span[2],
	  const unsigned int *numbers, size_t *first_bytes)
{
	unsigned int count = 0;

	*first_bytes = 0;
	for (int run = 0; run < 2; run++) {
		const uint8_t *data = span[run].data;
		size_t at = 0;

		while (at < span[run].bytes) {
			size_t bytes = *tiny_octet(ring, data + at) & 7;

			explore_promise(bytes > 0 &&
						bytes <= span[run].bytes - at,
					"a record lies in one run");
			for (size_t i = 0; i < bytes; i++)
				explore_promise(
					*tiny_octet(ring, data + at + i) ==
						tiny_value(numbers[count], i,
							   bytes),
					"records are whole and in order");
			if (count++ == 0)
				*first_bytes = bytes;
			at += bytes;
		}
	}
	return count;
}
