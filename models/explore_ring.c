/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explore_ring.c: every way in which one producer and one consumer can use
 * the shipped ring (lib/ring/ring.c and ring.h), on any processor.
 *
 * The promises, after each step and at the end of each run:
 *   - what the consumer peeks at are whole records, in order, none twice, and
 *     none that was not committed (A, B and D in ring.c);
 *   - no octet is written while it may still be read (C), or read while it is
 *     written: the explorer reports data races, here those of the octets and
 *     those of the ring's own members;
 *   - what was accepted is what was read and what is left; what was refused
 *     has left no trace;
 *   - an empty ring takes the largest record.
 *
 * The ring has eight octets, and its indexes start two octets before they
 * wrap. The producer submits a few records, each of any of the kinds below;
 * the consumer looks a few times and gives back what it likes; the rest is
 * read when both are done. So boundaries are met with a gap and without one,
 * and the ring is empty, full and anything in between.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explore.h"
#include "explore_tiny.h"

#define RECORDS_MAX 8

/* What a producer may do: reserve so many octets, and commit so many. */
static const struct {
	size_t reserved;
	size_t committed; /* 0: the reservation is given up */
} kinds[] = { { 1, 1 }, { 3, 3 }, { 4, 2 }, { 4, 4 }, { 3, 0 } };

enum {
	SAW_FULL,
	SAW_GIVEN_UP,
	SAW_EMPTY,
	SAW_TWO_RUNS,
	SAW_ALL_READ
};

static enum dtap__ring_layout layout;
static unsigned int records;
static unsigned int rounds;

static struct dtap__ring *ring;
static unsigned int accepted[RECORDS_MAX + 1]; /* their numbers */
static unsigned int accepted_count;
static unsigned int refused_count;
static unsigned int given_up_count;
static unsigned int released_count; /* records */

static void
prepare(void)
{
	ring = explore_get(sizeof(*ring), "ring");
	dtap__ring_init(ring, TINY_BYTES, layout);
	dtap__ring_start_at(ring, -UINT64_C(2));
	explore_label(&ring->head, "head");
	explore_label(&ring->gap, "gap");
	explore_label(&ring->tail, "tail");
	memset(accepted, 0, sizeof(accepted));
	accepted_count = refused_count = given_up_count = 0;
	released_count = 0;
}

static void
submit(unsigned int number)
{
	unsigned int kind = explore_choose(sizeof(kinds) / sizeof(kinds[0]));
	uint8_t *slot = dtap__ring_reserve(ring, kinds[kind].reserved);

	if (slot == NULL) {
		refused_count++;
		explore_saw(SAW_FULL);
		return;
	}
	/* All that was reserved is written to, as encoders may do. */
	tiny_write(ring, slot, number, kinds[kind].reserved);
	if (kinds[kind].committed == 0) {
		given_up_count++;
		explore_saw(SAW_GIVEN_UP);
		return;
	}
	tiny_write(ring, slot, number, kinds[kind].committed);
	accepted[accepted_count++] = number;
	dtap__ring_commit(ring, kinds[kind].committed);
}

static void
produce(void)
{
	for (unsigned int number = 1; number <= records; number++)
		submit(number);
}

/* Looks, and gives back all, the first record only, or the first and then
 * the rest. */
static unsigned int
consume_once(void)
{
	struct dtap__span span[2];
	size_t bytes = dtap__ring_peek(ring, span);
	size_t first_bytes;
	unsigned int count;

	explore_promise(bytes == span[0].bytes + span[1].bytes &&
				bytes <= TINY_BYTES,
			"no more than fits is found");
	count = tiny_read(ring, span, accepted + released_count, &first_bytes);
	if (count == 0) {
		explore_saw(SAW_EMPTY);
		return 0;
	}
	if (span[1].bytes > 0)
		explore_saw(SAW_TWO_RUNS);
	switch (count > 1 ? explore_choose(3) : 0) {
	case 0:
		dtap__ring_release(ring, bytes);
		break;
	case 1:
		dtap__ring_release(ring, first_bytes);
		count = 1;
		break;
	default:
		dtap__ring_release(ring, first_bytes);
		dtap__ring_release(ring, bytes - first_bytes);
		break;
	}
	released_count += count;
	return count;
}

static void
consume(void)
{
	for (unsigned int i = 0; i < rounds; i++)
		consume_once();
}

static void
settle(void)
{
	if (released_count == records)
		explore_saw(SAW_ALL_READ);
	while (consume_once() > 0)
		continue;
	explore_promise(released_count == accepted_count,
			"what was accepted was read");
	explore_promise(records == accepted_count + refused_count +
					   given_up_count,
			"every record has one fate");
	explore_promise(dtap__ring_reserve(ring, TINY_BYTES / 2) != NULL,
			"an empty ring takes the largest record");
	explore_promise(dtap__ring_reserve(ring, TINY_BYTES / 2 + 1) == NULL,
			"no ring takes more than that");
}

static void
try(enum dtap__ring_layout wanted_layout, unsigned int wanted_records,
    unsigned int wanted_rounds)
{
	bool mirrored = wanted_layout == DTAP__RING_MIRRORED;
	char name[64];
	struct explore_scenario scenario = {
		.name = name,
		.before = prepare,
		.threads = { { "producer", produce },
			     { "consumer", consume } },
		.after = settle,
		.events = { [SAW_FULL] = "a record was refused",
			    [SAW_GIVEN_UP] = "a reservation was given up",
			    [SAW_EMPTY] = "nothing was found",
			    [SAW_TWO_RUNS] = mirrored ? NULL
						      : "two runs were found",
			    [SAW_ALL_READ] = "all was read in time" },
	};

	layout = wanted_layout;
	records = wanted_records;
	rounds = wanted_rounds;
	snprintf(name, sizeof(name), "%s ring, %u records, %u rounds",
		 mirrored ? "mirrored" : "wrap", records, rounds);
	explore(&scenario);
}

int
main(int argc, char **argv)
{
	unsigned int more = argc > 1 && strcmp(argv[1], "long") == 0 ? 1 : 0;

	try(DTAP__RING_WRAP, 4 + more, 3);
	try(DTAP__RING_MIRRORED, 4 + more, 3);
	return EXIT_SUCCESS;
}
