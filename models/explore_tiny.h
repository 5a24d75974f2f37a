/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explore_tiny.h: rings of a few octets, and numbered records in them.
 *
 * Stands in for lib/ring/ring_memory.c, whose rings are at least a page. A
 * mirrored ring of eight octets cannot be mapped twice, so what goes in and
 * out here reads and writes the first view in the place of the second; the
 * ring itself never touches its octets.
 */
#ifndef DTAP_MODELS_EXPLORE_TINY_H
#define DTAP_MODELS_EXPLORE_TINY_H

#include "ring/ring.h"

#define TINY_BYTES 8

/* Writes record number with so many octets; each octet tells its place. */
void
tiny_write(const struct dtap__ring *ring, uint8_t *slot, unsigned int number,
	   size_t bytes);

/*
 * Reads what a peek has found, whole records, and promises that they are so:
 * not torn, numbered as numbers says. Returns how many there are, and the
 * octets of the first.
 */
unsigned int
tiny_read(const struct dtap__ring *ring, const struct dtap__span span[2],
	  const unsigned int *numbers, size_t *first_bytes);

#endif
