/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stress_ring.c: one producer and one consumer at full speed, both layouts.
 *
 *	stress_ring [records]
 *
 * The stream is the same in every run: record after record of known size,
 * octets known by their place. The consumer checks it octet by octet as it
 * comes and gives it back in pieces of any size, wherever records end. The
 * ring is the smallest there is, so it is full, empty and at its end often,
 * and begins so that the indexes wrap early on.
 */
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "ring/ring.h"

#define RECORDS_DEFAULT 50000
#define RECORD_BYTES_MAX 1500

struct stress {
	struct dtap__ring ring;
	uint64_t records;
	dtap__atomic(bool) done;	/* the producer has ended */
	/* The producer's. */
	uint64_t refusals;
	uint64_t gaps;
	/* The consumer's. */
	uint64_t wrong;
	uint64_t consumed;
};

static uint64_t
mix(uint64_t value)
{
	value *= UINT64_C(0x9e3779b97f4a7c15);
	value ^= value >> 29;
	value *= UINT64_C(0xbf58476d1ce4e5b9);
	return value ^ value >> 32;
}

static uint64_t
record_bytes(uint64_t number)
{
	return 1 + mix(number) % RECORD_BYTES_MAX;
}

static void *
produce(void *context)
{
	struct stress *stress = context;
	uint64_t place = 0;

	for (uint64_t n = 0; n < stress->records; n++) {
		uint64_t bytes = record_bytes(n);
		uint64_t slack = n % 64;
		uint8_t *slot;

		/* Now and then one that is given up, of another size. */
		if (n % 7 == 0)
			dtap__ring_reserve(&stress->ring, 1 + n % 5000);
		while ((slot = dtap__ring_reserve(&stress->ring,
						  bytes + slack)) == NULL) {
			stress->refusals++;
			sched_yield();
		}
		for (uint64_t i = 0; i < bytes; i++)
			slot[i] = (uint8_t)mix(place++);
		stress->gaps += stress->ring.crossing &&
				stress->ring.next % stress->ring.capacity != 0;
		dtap__ring_commit(&stress->ring, bytes);
	}
	dtap__store_release(&stress->done, true);
	return NULL;
}

static void
consume(struct stress *stress)
{
	uint64_t turn = 0;
	size_t bytes;
	bool done;

	do {
		uint64_t place = stress->consumed;
		struct dtap__span span[2];
		size_t part;

		/* First this, so that empty and done means the end. */
		done = dtap__load_acquire(&stress->done);
		bytes = dtap__ring_peek(&stress->ring, span);
		for (int run = 0; run < 2; run++)
			for (size_t i = 0; i < span[run].bytes; i++)
				stress->wrong += span[run].data[i] !=
						 (uint8_t)mix(place++);
		/* Half the time only a part; the rest is seen again. */
		part = bytes;
		if (mix(turn++) % 2 == 0)
			part = mix(turn) % (bytes + 1);
		dtap__ring_release(&stress->ring, part);
		stress->consumed += part;
		if (bytes == 0)
			sched_yield();
	} while (bytes > 0 || !done);
}

static bool
stress_layout(enum dtap__ring_layout layout, const char *name,
	      uint64_t records)
{
	struct stress stress = { .records = records };
	uint64_t produced = 0;
	pthread_t producer;

	if (dtap__ring_init(&stress.ring, DTAP__RING_BYTES_MIN, layout) !=
	    DTAP_OK) {
		fprintf(stderr, "%s: no memory, or not to be had here\n", name);
		return false;
	}
	dtap__ring_start_at(&stress.ring, -(UINT64_C(1) << 20) - 12345);
	if (pthread_create(&producer, NULL, produce, &stress) != 0) {
		perror("pthread_create");
		return false;
	}
	consume(&stress);
	pthread_join(producer, NULL);
	dtap__ring_fini(&stress.ring);

	for (uint64_t n = 0; n < records; n++)
		produced += record_bytes(n);
	printf("%s: %llu records, %llu octets, %llu gaps, refused %llu times, "
	       "consumed %llu octets, %llu wrong\n", name,
	       (unsigned long long)records, (unsigned long long)produced,
	       (unsigned long long)stress.gaps,
	       (unsigned long long)stress.refusals,
	       (unsigned long long)stress.consumed,
	       (unsigned long long)stress.wrong);
	return stress.wrong == 0 && stress.consumed == produced;
}

int
main(int argc, char **argv)
{
	uint64_t records = RECORDS_DEFAULT;
	bool passed;

	if (argc > 1)
		records = strtoull(argv[1], NULL, 10);
	if (records == 0) {
		fprintf(stderr, "usage: stress_ring [records]\n");
		return EXIT_FAILURE;
	}
	passed = stress_layout(DTAP__RING_MIRRORED, "mirrored", records);
	passed &= stress_layout(DTAP__RING_WRAP, "wrap", records);
	return passed ? EXIT_SUCCESS : EXIT_FAILURE;
}
