/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_ring_set.c: rings come and go; none is lost, leaked or counted wrong.
 *
 * The linker puts the functions below between the library and the system.
 */
#include "ring/ring_set.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "support/ring_nodes.h"

/* What the system gave and got back; and which request it refuses. */

static struct {
	pthread_mutex_t lock;
	size_t mapped_bytes;
	void *nodes[64];
	size_t node_count;
	int requests;
	int refuse; /* the number of the request, from 1; 0: none */
} memory = { .lock = PTHREAD_MUTEX_INITIALIZER };

void *__real_mmap(void *, size_t, int, int, int, off_t);
void *__wrap_mmap(void *, size_t, int, int, int, off_t);
int __real_munmap(void *, size_t);
int __wrap_munmap(void *, size_t);
void *__real_aligned_alloc(size_t, size_t);
void *__wrap_aligned_alloc(size_t, size_t);
void __real_free(void *);
void __wrap_free(void *);

void *
__wrap_mmap(void *address, size_t bytes, int protection, int flags, int fd,
	    off_t offset)
{
	void *mapped = MAP_FAILED;

	pthread_mutex_lock(&memory.lock);
	errno = ENOMEM;
	if (++memory.requests != memory.refuse)
		mapped = __real_mmap(address, bytes, protection, flags, fd,
				     offset);
	if (mapped != MAP_FAILED && address == NULL)
		memory.mapped_bytes += bytes;
	pthread_mutex_unlock(&memory.lock);
	return mapped;
}

int
__wrap_munmap(void *address, size_t bytes)
{
	pthread_mutex_lock(&memory.lock);
	memory.mapped_bytes -= bytes;
	pthread_mutex_unlock(&memory.lock);
	return __real_munmap(address, bytes);
}

void *
__wrap_aligned_alloc(size_t alignment, size_t bytes)
{
	void *node = NULL;

	pthread_mutex_lock(&memory.lock);
	if (++memory.requests != memory.refuse)
		node = __real_aligned_alloc(alignment, bytes);
	if (node != NULL)
		memory.nodes[memory.node_count++] = node;
	pthread_mutex_unlock(&memory.lock);
	return node;
}

void
__wrap_free(void *address)
{
	pthread_mutex_lock(&memory.lock);
	for (size_t i = 0; i < memory.node_count; i++)
		if (memory.nodes[i] == address) {
			memory.nodes[i] = memory.nodes[--memory.node_count];
			break;
		}
	pthread_mutex_unlock(&memory.lock);
	__real_free(address);
}

static size_t
nodes_alive(void)
{
	size_t count;

	pthread_mutex_lock(&memory.lock);
	count = memory.node_count;
	pthread_mutex_unlock(&memory.lock);
	return count;
}

static void
check_nothing_is_left(void)
{
	ck_assert_uint_eq(memory.mapped_bytes, 0);
	ck_assert_uint_eq(nodes_alive(), 0);
}

START_TEST(walk_visits_each_ring_once)
{
	struct dtap__ring_node *added[3];
	struct visits visits = { .count = 0 };
	struct dtap__ring_set set;

	dtap__ring_set_init(&set, 100 * SMALLEST);
	dtap__ring_set_walk(&set, note_visit, &visits);
	ck_assert_uint_eq(visits.count, 0);
	check_sums(&set, 0, 0);

	for (int i = 0; i < 3; i++) {
		added[i] = add_ring(&set);
		write_octets(added[i], 1 + (uint64_t)i);
	}
	dtap__ring_set_walk(&set, note_visit, &visits);
	ck_assert_uint_eq(visits.count, 3);
	ck_assert_uint_eq(visits.octets, 1 + 2 + 3);
	for (int i = 0; i < 3; i++)
		ck_assert(visits.nodes[0] == added[i] ||
			  visits.nodes[1] == added[i] ||
			  visits.nodes[2] == added[i]);
	check_sums(&set, 3, 3 * SMALLEST);
	dtap__ring_set_fini(&set);
	check_nothing_is_left();
}
END_TEST

START_TEST(cap_is_exact)
{
	struct dtap__ring_node *first;
	struct dtap__ring_node *node;
	struct dtap__ring_set set;

	dtap__ring_set_init(&set, 4 * SMALLEST - 1);
	first = add_ring(&set);
	add_ring(&set);
	node = first;
	ck_assert_int_eq(dtap__ring_set_add(&set, 2 * SMALLEST,
					    DTAP__RING_WRAP, &node),
			 DTAP_E_NO_RING);
	ck_assert_ptr_null(node);
	add_ring(&set);
	check_sums(&set, 3, 3 * SMALLEST);
	ck_assert_int_eq(dtap__ring_set_add(&set, SMALLEST, DTAP__RING_WRAP,
					    &node), DTAP_E_NO_RING);
	ck_assert_int_eq(dtap__ring_set_add(&set, UINT64_MAX, DTAP__RING_WRAP,
					    &node), DTAP_E_NO_RING);

	/* A ring that went makes room for another. */
	dtap__ring_retire(first);
	ck_assert_uint_eq(reap(&set), 1);
	add_ring(&set);
	check_sums(&set, 3, 3 * SMALLEST);
	dtap__ring_set_fini(&set);

	dtap__ring_set_init(&set, SMALLEST);
	add_ring(&set);
	check_sums(&set, 1, SMALLEST);
	dtap__ring_set_fini(&set);
	check_nothing_is_left();
}
END_TEST

START_TEST(ring_that_cannot_be_made_is_not_counted)
{
	struct dtap__ring_node *node;
	struct dtap__ring_set set;

	dtap__ring_set_init(&set, SMALLEST);
	ck_assert_int_eq(dtap__ring_set_add(&set, SMALLEST - 1,
					    DTAP__RING_AUTO, &node),
			 DTAP_E_INVALID);
	ck_assert_ptr_null(node);
	/* The node, then the ring's memory. */
	for (int at = 1; at <= 2; at++) {
		memory.requests = 0;
		memory.refuse = at;
		ck_assert_int_eq(dtap__ring_set_add(&set, SMALLEST,
						    DTAP__RING_WRAP, &node),
				 DTAP_E_NOMEM);
		ck_assert_ptr_null(node);
		check_sums(&set, 0, 0);
		check_nothing_is_left();
	}
	memory.refuse = 0;
	add_ring(&set);
	dtap__ring_set_fini(&set);
	check_nothing_is_left();
}
END_TEST

START_TEST(ring_goes_when_retired_and_empty)
{
	struct dtap__ring_node *node;
	struct dtap__ring_set set;

	dtap__ring_set_init(&set, 100 * SMALLEST);
	node = add_ring(&set);
	ck_assert_uint_eq(reap(&set), 0);
	write_octets(node, 10);
	dtap__ring_retire(node);
	ck_assert_uint_eq(reap(&set), 0);
	dtap__ring_release(&node->ring, 9);
	ck_assert_uint_eq(reap(&set), 0);
	check_sums(&set, 1, SMALLEST);
	dtap__ring_release(&node->ring, 1);
	ck_assert_uint_eq(reap(&set), 1);
	check_sums(&set, 0, 0);
	check_nothing_is_left();
	ck_assert_uint_eq(reap(&set), 0);
	dtap__ring_set_fini(&set);
}
END_TEST

/* Every subset of four rings retires: first, last, neighbours, all. */
START_TEST(others_stay_when_some_go)
{
	for (unsigned int going = 0; going < 16; going++) {
		struct visits visits = { .count = 0 };
		struct dtap__ring_node *nodes[4];
		struct dtap__ring_set set;
		unsigned int count = 0;

		dtap__ring_set_init(&set, 100 * SMALLEST);
		for (int i = 0; i < 4; i++)
			nodes[i] = add_ring(&set);
		for (int i = 0; i < 4; i++)
			if (going & 1u << i) {
				dtap__ring_retire(nodes[i]);
				count++;
			} else {
				write_octets(nodes[i], UINT64_C(1) << i);
			}
		ck_assert_uint_eq(reap(&set), count);
		dtap__ring_set_walk(&set, note_visit, &visits);
		ck_assert_uint_eq(visits.count, 4 - count);
		ck_assert_uint_eq(visits.octets, 15 ^ going);
		check_sums(&set, 4 - count, (4 - count) * SMALLEST);
		dtap__ring_set_fini(&set);
		check_nothing_is_left();
	}
}
END_TEST

START_TEST(discard_shows_what_is_lost)
{
	struct visits visits = { .count = 0 };
	struct dtap__ring_node *full;
	struct dtap__ring_node *alive;
	struct dtap__ring_set set;

	dtap__ring_set_init(&set, 100 * SMALLEST);
	dtap__ring_retire(add_ring(&set));
	full = add_ring(&set);
	write_octets(full, 77);
	dtap__ring_retire(full);
	alive = add_ring(&set);
	write_octets(alive, 5);
	ck_assert_uint_eq(dtap__ring_set_reap(&set, true, note_visit, &visits),
			  2);
	ck_assert_uint_eq(visits.count, 1);
	ck_assert_uint_eq(visits.octets, 77);
	check_sums(&set, 1, SMALLEST);

	write_octets(alive, 5);
	dtap__ring_retire(alive);
	ck_assert_uint_eq(dtap__ring_set_reap(&set, true, NULL, NULL), 1);
	dtap__ring_set_fini(&set);
	check_nothing_is_left();
}
END_TEST

START_TEST(rings_come_and_go_without_growth)
{
	struct dtap__ring_set set;

	dtap__ring_set_init(&set, 2 * SMALLEST);
	for (int i = 0; i < 10000; i++) {
		struct dtap__ring_node *node = add_ring(&set);

		dtap__ring_retire(node);
		ck_assert_uint_eq(reap(&set), 1);
		check_nothing_is_left();
	}
	check_sums(&set, 0, 0);
	dtap__ring_set_fini(&set);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ring set");

	support_add(suite, walk_visits_each_ring_once);
	support_add(suite, cap_is_exact);
	support_add(suite, ring_that_cannot_be_made_is_not_counted);
	support_add(suite, ring_goes_when_retired_and_empty);
	support_add(suite, others_stay_when_some_go);
	support_add(suite, discard_shows_what_is_lost);
	support_add(suite, rings_come_and_go_without_growth);
	return support_run(suite);
}
