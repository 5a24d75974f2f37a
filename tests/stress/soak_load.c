/* SPDX-License-Identifier: Apache-2.0 */
/*
 * soak_load.c: see soak_load.h.
 *
 * Half of the threads open their producers, the others have implicit ones.
 * Most messages are as small as messages are, some as large as they may be,
 * and a few events are wrong.
 */
#include "soak_load.h"

#include <string.h>

#include "rig.h"
#include "support/taps.h"

#define BURST_MAX 64
#define LIFE_MS_MAX 3000
#define MESSAGE_BYTES_MAX 65535

/* A thread's view of a sink. */
struct soak_user {
	dtap_producer *producer; /* its own; NULL: none */
	unsigned int generation; /* of the tap that it is of */
	uint64_t counts[SOAK_FATES];
};

static const uint8_t soak_octets[MESSAGE_BYTES_MAX + 1] = { 0x5d };

/* Without ck_assert(), which would hold the threads up with a lock. */
static enum soak_fate
soak_fate_of(enum dtap_result result)
{
	switch (result) {
	case DTAP_OK: return SOAK_ACCEPTED;
	case DTAP_FILTERED: return SOAK_FILTERED;
	case DTAP_E_INVALID: return SOAK_INVALID;
	case DTAP_E_TOO_BIG: return SOAK_TOO_BIG;
	case DTAP_E_FULL: return SOAK_FULL;
	case DTAP_E_NO_RING:
	case DTAP_E_STOPPED: return SOAK_REFUSED;
	default: return SOAK_WRONG;
	}
}

/* From nothing to the largest, and now and then beyond. */
static uint32_t
soak_draw_bytes(uint64_t *random)
{
	uint64_t draw = rig_random(random);

	if (draw % 128 == 0)
		return (uint32_t)(draw / 128 % (MESSAGE_BYTES_MAX + 2));
	return (uint32_t)(draw / 128 % (UINT64_C(1) << draw / 4 % 11));
}

static struct dtap_event
soak_draw_event(uint64_t *random)
{
	struct dtap_event event = taps_event(0);
	uint64_t draw = rig_random(random);

	event.type = 1 + draw % 14;
	event.query_time_nsec = draw / 16 % 512 == 0 ? 1000000000 : 1;
	event.query_message = NULL;
	event.query_message_bytes = 0;
	if (event.type % 2 == 1) {
		event.query_message = soak_octets;
		event.query_message_bytes = soak_draw_bytes(random);
	} else {
		event.response_message = soak_octets;
		event.response_message_bytes = soak_draw_bytes(random);
	}
	return event;
}

/* The producer for a burst, opened when need be; NULL when there is none. */
static dtap_producer *
soak_take_producer(struct soak_user *user, const struct soak_sink *sink,
		   bool implicit)
{
	if (implicit) {
		dtap_producer *mine = dtap_thread_producer(sink->tap);

		/* The library has counted one event. */
		user->counts[SOAK_REFUSED] += mine == NULL;
		return mine;
	}
	if (user->generation != sink->generation)
		dtap_producer_close(&user->producer);
	user->generation = sink->generation;
	if (user->producer == NULL)
		(void)!dtap_producer_open(sink->tap, &user->producer);
	return user->producer;
}

static void
soak_burst(struct soak_thread *thread, struct soak_user *user,
	   struct soak_sink *sink, bool implicit)
{
	dtap_producer *producer = soak_take_producer(user, sink, implicit);
	unsigned int events = (unsigned int)rig_random(&thread->random) %
			      BURST_MAX;

	while (producer != NULL && events-- > 0) {
		struct dtap_event event = soak_draw_event(&thread->random);

		user->counts[soak_fate_of(dtap_submit(producer, &event))]++;
	}
	/* Relaxed: the gate orders them. */
	for (int fate = 0; fate < SOAK_FATES; fate++)
		atomic_fetch_add_explicit(&sink->counts[fate],
					  user->counts[fate],
					  memory_order_relaxed);
	memset(user->counts, 0, sizeof(user->counts));
}

static void *
soak_main(void *argument)
{
	struct soak_thread *thread = argument;
	struct soak_load *load = thread->load;
	struct soak_user users[SOAK_SINKS] = { 0 };
	uint64_t draw = rig_random(&thread->random);
	uint64_t end_ms = rig_clock_ms() + draw / 2 % LIFE_MS_MAX;
	bool implicit = draw % 2;

	while (!dtap__load_relaxed(&load->ending) && rig_clock_ms() < end_ms) {
		unsigned int sink;

		draw = rig_random(&thread->random);
		sink = draw % SOAK_SINKS;
		pthread_rwlock_rdlock(&load->gate);
		soak_burst(thread, &users[sink], &load->sinks[sink], implicit);
		pthread_rwlock_unlock(&load->gate);
		rig_nap_us(draw / 16 % 64 == 0 ? 20000 : draw / 1024 % 400);
	}
	for (int sink = 0; sink < SOAK_SINKS; sink++)
		dtap_producer_close(&users[sink].producer);
	/* Pairs with the acquire in soak_load_tend(). */
	dtap__store_release(&thread->gone, true);
	return NULL;
}

static void
soak_thread_start(struct soak_thread *thread, uint64_t *random)
{
	thread->random = rig_random(random);
	dtap__store_relaxed(&thread->gone, false);
	ck_assert_int_eq(pthread_create(&thread->thread, NULL, soak_main,
					thread), 0);
	thread->load->started++;
}

void
soak_load_start(struct soak_load *load, uint64_t *random)
{
	pthread_rwlockattr_t attributes;

	/* Bursts follow each other closely. */
	pthread_rwlockattr_init(&attributes);
	pthread_rwlockattr_setkind_np(
		&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&load->gate, &attributes);
	pthread_rwlockattr_destroy(&attributes);
	dtap__store_relaxed(&load->ending, false);
	for (int i = 0; i < SOAK_THREADS; i++) {
		load->threads[i].load = load;
		soak_thread_start(&load->threads[i], random);
	}
}

void
soak_load_tend(struct soak_load *load, uint64_t *random)
{
	for (int i = 0; i < SOAK_THREADS; i++) {
		struct soak_thread *thread = &load->threads[i];

		/* Pairs with the release in soak_main(). */
		if (!dtap__load_acquire(&thread->gone))
			continue;
		pthread_join(thread->thread, NULL);
		soak_thread_start(thread, random);
	}
}

void
soak_load_end(struct soak_load *load)
{
	dtap__store_relaxed(&load->ending, true);
	for (int i = 0; i < SOAK_THREADS; i++)
		pthread_join(load->threads[i].thread, NULL);
	pthread_rwlock_destroy(&load->gate);
}

uint64_t
soak_load_compare(const struct soak_sink *sink)
{
	struct dtap_stats stats = taps_stats(sink->tap);
	uint64_t counts[SOAK_FATES];
	uint64_t events = 0;

	for (int fate = 0; fate < SOAK_FATES; fate++) {
		counts[fate] = dtap__load_relaxed(&sink->counts[fate]);
		events += counts[fate];
	}
	ck_assert_uint_eq(counts[SOAK_WRONG], 0);
	ck_assert(dtap_stats_balanced(&stats));
	ck_assert_uint_eq(stats.submitted, events);
	ck_assert_uint_eq(stats.accepted, counts[SOAK_ACCEPTED]);
	ck_assert_uint_eq(stats.filtered + stats.sampled_out,
			  counts[SOAK_FILTERED]);
	ck_assert_uint_eq(stats.dropped_invalid, counts[SOAK_INVALID]);
	ck_assert_uint_eq(stats.dropped_too_big, counts[SOAK_TOO_BIG]);
	ck_assert_uint_eq(stats.dropped_full, counts[SOAK_FULL]);
	ck_assert_uint_eq(stats.dropped_no_ring + stats.dropped_stopped,
			  counts[SOAK_REFUSED]);
	ck_assert_uint_eq(stats.dropped_fork, 0);
	return events;
}
