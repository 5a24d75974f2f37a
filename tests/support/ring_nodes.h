/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring_nodes.h: shorthands for tests of a set of rings.
 */
#ifndef DTAP_TESTS_RING_NODES_H
#define DTAP_TESTS_RING_NODES_H

#include <string.h>

#include "ring/ring_set.h"

#include "support/support.h"

#define SMALLEST DTAP__RING_BYTES_MIN

static inline struct dtap__ring_node *
add_ring(struct dtap__ring_set *set)
{
	struct dtap__ring_node *node;

	ck_assert_int_eq(dtap__ring_set_add(set, SMALLEST, DTAP__RING_WRAP,
					    &node), DTAP_OK);
	ck_assert_ptr_nonnull(node);
	return node;
}

static inline void
write_octets(struct dtap__ring_node *node, uint64_t bytes)
{
	uint8_t *slot = dtap__ring_reserve(&node->ring, bytes);

	ck_assert_ptr_nonnull(slot);
	memset(slot, 1, bytes);
	dtap__ring_commit(&node->ring, bytes);
}

static inline unsigned int
reap(struct dtap__ring_set *set)
{
	return dtap__ring_set_reap(set, false, NULL, NULL);
}

static inline void
check_sums(struct dtap__ring_set *set, uint64_t rings, uint64_t bytes)
{
	uint64_t found_rings;
	uint64_t found_bytes;

	dtap__ring_set_sums(set, &found_rings, &found_bytes);
	ck_assert_uint_eq(found_rings, rings);
	ck_assert_uint_eq(found_bytes, bytes);
}

/* What visits saw. */
struct visits {
	unsigned int count;
	uint64_t octets;
	struct dtap__ring_node *nodes[8];
};

static inline void
note_visit(struct dtap__ring_node *node, void *context)
{
	struct visits *visits = context;
	struct dtap__span span[2];

	visits->octets += dtap__ring_peek(&node->ring, span);
	visits->nodes[visits->count++ % 8] = node;
}

#endif
