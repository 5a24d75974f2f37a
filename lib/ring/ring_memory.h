/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring_memory.h: the memory of a ring, mapped twice in a row where possible.
 *
 * Threads: any; there is no state. Used by ring.c only.
 */
#ifndef DTAP_RING_RING_MEMORY_H
#define DTAP_RING_RING_MEMORY_H

#include "ring/ring.h"

/*
 * Maps and pre-faults. *base gets the memory, *contiguous how many octets
 * are mapped from there on: 2 * bytes when mirrored, else bytes. Both are
 * untouched on failure. Results as dtap__ring_init().
 */
enum dtap_result
dtap__ring_memory_map(uint64_t bytes, enum dtap__ring_layout layout,
		      uint8_t **base, uint64_t *contiguous);

/* base may be NULL. */
void
dtap__ring_memory_unmap(uint8_t *base, uint64_t contiguous);

#endif
