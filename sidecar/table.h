/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.h: a hash table and lists whose links live in what they hold.
 *
 * Keys are not kept: an entry is known by SipHash-2-4 of its key, 64 bits
 * under a secret of this table. Two keys with one hash would be taken for
 * one; among the thousands of entries that a table here holds this does not
 * happen by chance, and nobody outside can bring it about, nor fill one
 * bucket. Several entries may share a hash on purpose: they are found in the
 * order in which they were added.
 *
 * The number of buckets is fixed; whoever adds an entry bounds their number.
 * One thread.
 */
#ifndef DTAP_SIDECAR_TABLE_H
#define DTAP_SIDECAR_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sidecar/socket_id.h"

/* The structure whose member a pointer points to. */
#define table_holder(pointer, type, member) \
	((type *)((char *)(pointer) - offsetof(type, member)))

/* A list's head or a member's link; alone, it points to itself. */
struct list_link {
	struct list_link *previous;
	struct list_link *next;
};

static inline void
list_init(struct list_link *link)
{
	link->previous = link;
	link->next = link;
}

static inline bool
list_is_empty(const struct list_link *link)
{
	return link->next == link;
}

/* Of a link that is in no list, too. */
static inline void
list_remove(struct list_link *link)
{
	link->previous->next = link->next;
	link->next->previous = link->previous;
	list_init(link);
}

static inline void
list_insert_after(struct list_link *place, struct list_link *link)
{
	link->previous = place;
	link->next = place->next;
	place->next->previous = link;
	place->next = link;
}

/* Puts it last, wherever it was before. */
static inline void
list_move_last(struct list_link *list, struct list_link *link)
{
	list_remove(link);
	list_insert_after(list->previous, link);
}

/* NULL when the list is empty. */
static inline struct list_link *
list_first(const struct list_link *list)
{
	return list_is_empty(list) ? NULL : list->next;
}

struct table_entry {
	struct table_entry *next;
	uint64_t hash;
};

struct table {
	struct table_entry **buckets;
	size_t mask;
	size_t count;
	struct socket_id_key key;
};

/* For about so many entries; false without memory or randomness. */
bool
table_init(struct table *table, size_t entries);

/* The entries are not looked at any more. */
void
table_fini(struct table *table);

uint64_t
table_hash(const struct table *table, const uint64_t *words, size_t count);

/* The first that was added with this hash; NULL if none. */
struct table_entry *
table_find(const struct table *table, uint64_t hash);

/* The one that was added next with the same hash; NULL if none. */
struct table_entry *
table_find_next(const struct table_entry *entry);

void
table_add(struct table *table, struct table_entry *entry, uint64_t hash);

void
table_remove(struct table *table, struct table_entry *entry);

#endif
