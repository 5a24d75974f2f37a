/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_ring_set.c: rings come and go; none is lost, leaked or freed early.
 *
 * The linker puts the functions below between the library and the system.
 */
#include "ring/ring_set.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "support/support.h"

#define SMALLEST DTAP__RING_BYTES_MIN

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

/* Shorthands. */

static struct dtap__ring_node *
add_ring(struct dtap__ring_set *set)
{
	struct dtap__ring_node *node;

	ck_assert_int_eq(dtap__ring_set_add(set, SMALLEST, DTAP__RING_WRAP,
					    &node), DTAP_OK);
	ck_assert_ptr_nonnull(node);
	return node;
}

static void
write_octets(struct dtap__ring_node *node, uint64_t bytes)
{
	uint8_t *slot = dtap__ring_reserve(&node->ring, bytes);

	ck_assert_ptr_nonnull(slot);
	memset(slot, 1, bytes);
	dtap__ring_commit(&node->ring, bytes);
}

static unsigned int
reap(struct dtap__ring_set *set)
{
	return dtap__ring_set_reap(set, false, NULL, NULL);
}

static void
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

static void
note_visit(struct dtap__ring_node *node, void *context)
{
	struct visits *visits = context;
	struct dtap__span span[2];

	visits->octets += dtap__ring_peek(&node->ring, span);
	visits->nodes[visits->count++ % 8] = node;
}

/* Tests. */

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

/* A walk that stands on a ring while it is reaped. */

struct slow_walk {
	struct dtap__ring_set set;
	dtap__atomic(bool) entered;
	size_t alive;
	uint64_t octets;
};

static void
stay_until_unlinked(struct dtap__ring_node *node, void *context)
{
	struct slow_walk *walk = context;
	struct dtap__span span[2];

	dtap__store_release(&walk->entered, true);
	while (dtap__load_acquire(&walk->set.first) != NULL)
		sched_yield();
	/* Now it could go. Give whoever would free it early a fair chance. */
	for (int i = 0; i < 1000; i++)
		sched_yield();
	walk->alive = nodes_alive();
	if (walk->alive == 1)
		walk->octets = dtap__ring_peek(&node->ring, span);
}

static void *
walk_slowly(void *context)
{
	struct slow_walk *walk = context;

	dtap__ring_set_walk(&walk->set, stay_until_unlinked, walk);
	return NULL;
}

START_TEST(ring_is_not_freed_under_a_walk)
{
	struct slow_walk walk = { .alive = 0 };
	struct dtap__ring_node *node;
	pthread_t walker;

	dtap__ring_set_init(&walk.set, SMALLEST);
	node = add_ring(&walk.set);
	write_octets(node, 3);
	dtap__ring_retire(node);
	ck_assert_int_eq(pthread_create(&walker, NULL, walk_slowly, &walk), 0);
	while (!dtap__load_acquire(&walk.entered))
		sched_yield();
	ck_assert_uint_eq(dtap__ring_set_reap(&walk.set, true, NULL, NULL), 1);
	ck_assert_int_eq(pthread_join(walker, NULL), 0);
	ck_assert_uint_eq(walk.alive, 1);
	ck_assert_uint_eq(walk.octets, 3);
	dtap__ring_set_fini(&walk.set);
	check_nothing_is_left();
}
END_TEST

/* Everybody at once. */

#define CROWD_PRODUCERS 2
#define CROWD_ROUNDS 300

struct crowd {
	struct dtap__ring_set set;
	dtap__atomic(bool) over;
	uint64_t consumed;
};

struct crowd_producer {
	struct crowd *crowd;
	pthread_t thread;
	uint64_t produced;
};

static void *
come_and_go(void *context)
{
	struct crowd_producer *self = context;
	struct crowd *crowd = self->crowd;

	for (unsigned int round = 0; round < CROWD_ROUNDS; round++) {
		struct dtap__ring_node *node;

		while (dtap__ring_set_add(&crowd->set, SMALLEST,
					  DTAP__RING_WRAP, &node) != DTAP_OK)
			sched_yield();
		for (unsigned int i = 0; i < round % 4; i++) {
			write_octets(node, 1 + round);
			self->produced += 1 + round;
		}
		/* Its traces must be over before the ring is freed. */
		dtap__ring_reserve(&node->ring, 1);
		dtap__ring_retire(node);
	}
	return NULL;
}

static void
count_ring(struct dtap__ring_node *node, void *context)
{
	uint64_t *bytes = context;

	*bytes += node->ring.capacity;
}

static void *
watch(void *context)
{
	struct crowd *crowd = context;
	uint64_t most_bytes = 0;

	while (!dtap__load_acquire(&crowd->over)) {
		uint64_t bytes = 0;

		dtap__ring_set_walk(&crowd->set, count_ring, &bytes);
		if (bytes > most_bytes)
			most_bytes = bytes;
		sched_yield();
	}
	return (void *)(uintptr_t)most_bytes;
}

static void
drain_ring(struct dtap__ring_node *node, void *context)
{
	struct crowd *crowd = context;
	struct dtap__span span[2];
	size_t bytes = dtap__ring_peek(&node->ring, span);

	for (int run = 0; run < 2; run++)
		for (size_t i = 0; i < span[run].bytes; i++)
			crowd->consumed += span[run].data[i];
	dtap__ring_release(&node->ring, bytes);
}

static void *
consume(void *context)
{
	struct crowd *crowd = context;
	unsigned int reaped = 0;

	while (reaped < CROWD_PRODUCERS * CROWD_ROUNDS) {
		dtap__ring_set_walk(&crowd->set, drain_ring, crowd);
		reaped += reap(&crowd->set);
		sched_yield();
	}
	return NULL;
}

START_TEST(nothing_is_lost_in_a_crowd)
{
	struct crowd_producer producers[CROWD_PRODUCERS];
	struct crowd crowd = { .consumed = 0 };
	uint64_t produced = 0;
	pthread_t consumer;
	pthread_t watcher;
	void *most_bytes;

	/* Room for three, so that the cap is met too. */
	dtap__ring_set_init(&crowd.set, 3 * SMALLEST);
	ck_assert_int_eq(pthread_create(&consumer, NULL, consume, &crowd), 0);
	ck_assert_int_eq(pthread_create(&watcher, NULL, watch, &crowd), 0);
	for (int i = 0; i < CROWD_PRODUCERS; i++) {
		producers[i] = (struct crowd_producer){ .crowd = &crowd };
		ck_assert_int_eq(pthread_create(&producers[i].thread, NULL,
						come_and_go, &producers[i]), 0);
	}
	for (int i = 0; i < CROWD_PRODUCERS; i++) {
		ck_assert_int_eq(pthread_join(producers[i].thread, NULL), 0);
		produced += producers[i].produced;
	}
	ck_assert_int_eq(pthread_join(consumer, NULL), 0);
	dtap__store_release(&crowd.over, true);
	ck_assert_int_eq(pthread_join(watcher, &most_bytes), 0);

	ck_assert_uint_le((uintptr_t)most_bytes, 3 * SMALLEST);
	ck_assert_uint_eq(crowd.consumed, produced);
	check_sums(&crowd.set, 0, 0);
	dtap__ring_set_fini(&crowd.set);
	check_nothing_is_left();
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
	support_add(suite, ring_is_not_freed_under_a_walk);
	support_add(suite, nothing_is_lost_in_a_crowd);
	return support_run(suite);
}
