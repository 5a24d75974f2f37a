/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.c: see table.h.
 */
#include "sidecar/table.h"

#include <stdlib.h>

#include <sys/random.h>

bool
table_init(struct table *table, size_t entries)
{
	size_t buckets = 16;

	while (buckets < entries && buckets < SIZE_MAX / 2)
		buckets *= 2;
	table->count = 0;
	table->mask = buckets - 1;
	table->buckets = NULL;
	if (getrandom(&table->key, sizeof(table->key), 0) !=
	    (ssize_t)sizeof(table->key))
		return false;
	table->buckets = calloc(buckets, sizeof(struct table_entry *));
	return table->buckets != NULL;
}

void
table_fini(struct table *table)
{
	free(table->buckets);
	table->buckets = NULL;
}

uint64_t
table_hash(const struct table *table, const uint64_t *words, size_t count)
{
	return socket_id_words(&table->key, words, count);
}

static struct table_entry *
table_search(struct table_entry *entry, uint64_t hash)
{
	while (entry != NULL && entry->hash != hash)
		entry = entry->next;
	return entry;
}

struct table_entry *
table_find(const struct table *table, uint64_t hash)
{
	return table_search(table->buckets[hash & table->mask], hash);
}

struct table_entry *
table_find_next(const struct table_entry *entry)
{
	return table_search(entry->next, entry->hash);
}

void
table_add(struct table *table, struct table_entry *entry, uint64_t hash)
{
	struct table_entry **place = &table->buckets[hash & table->mask];

	while (*place != NULL)
		place = &(*place)->next;
	entry->next = NULL;
	entry->hash = hash;
	*place = entry;
	table->count++;
}

void
table_remove(struct table *table, struct table_entry *entry)
{
	struct table_entry **place =
		&table->buckets[entry->hash & table->mask];

	while (*place != entry)
		place = &(*place)->next;
	*place = entry->next;
	table->count--;
}
