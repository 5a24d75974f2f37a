/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_ring_set_threads.c: walks, additions and departures at the same time;
 * no ring is freed early, no octet lost. Best run under ThreadSanitizer.
 */
#include "ring/ring_set.h"

#include <pthread.h>
#include <sched.h>

#include "support/ring_nodes.h"

/* A walk that stands on a ring while it is reaped. */

struct slow_walk {
	struct dtap__ring_set set;
	dtap__atomic(bool) entered;
	uint64_t rings; /* not yet freed */
	uint64_t octets;
};

static void
stay_until_unlinked(struct dtap__ring_node *node, void *context)
{
	struct slow_walk *walk = context;
	struct dtap__span span[2];
	uint64_t bytes;

	dtap__store_release(&walk->entered, true);
	while (dtap__load_acquire(&walk->set.first) != NULL)
		sched_yield();
	/* Now it could go. Give whoever would free it early a fair chance. */
	for (int i = 0; i < 1000; i++)
		sched_yield();
	dtap__ring_set_sums(&walk->set, &walk->rings, &bytes);
	if (walk->rings == 1)
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
	struct slow_walk walk = { .rings = 0 };
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
	ck_assert_uint_eq(walk.rings, 1);
	ck_assert_uint_eq(walk.octets, 3);
	dtap__ring_set_fini(&walk.set);
}
END_TEST

/*
 * The last thing the producer does is to retire its ring; the two threads
 * share nothing else that would put one after the other.
 */
static void *
write_give_up_and_retire(void *context)
{
	struct dtap__ring_node *node = context;

	write_octets(node, 10);
	dtap__ring_reserve(&node->ring, 5);
	dtap__ring_retire(node);
	return NULL;
}

START_TEST(ring_may_go_as_soon_as_it_is_retired)
{
	struct visits visits = { .count = 0 };
	struct dtap__ring_node *node;
	struct dtap__ring_set set;
	pthread_t producer;

	dtap__ring_set_init(&set, SMALLEST);
	node = add_ring(&set);
	ck_assert_int_eq(pthread_create(&producer, NULL,
					write_give_up_and_retire, node), 0);
	while (dtap__ring_set_reap(&set, true, note_visit, &visits) == 0)
		sched_yield();
	ck_assert_uint_eq(visits.octets, 10);
	ck_assert_int_eq(pthread_join(producer, NULL), 0);
	dtap__ring_set_fini(&set);
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
		dtap__ring_retire(node);
	}
	return NULL;
}

static void
add_capacity(struct dtap__ring_node *node, void *context)
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

		dtap__ring_set_walk(&crowd->set, add_capacity, &bytes);
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
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ring set, threads");

	support_add(suite, ring_is_not_freed_under_a_walk);
	support_add(suite, ring_may_go_as_soon_as_it_is_retired);
	support_add(suite, nothing_is_lost_in_a_crowd);
	return support_run(suite);
}
