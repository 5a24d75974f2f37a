/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explore_ring_set.c: every way in which rings come and go while the writer
 * walks them: the shipped lib/ring/ring_set.c, with ring.c below it.
 *
 * The promises:
 *   - no ring is used before it is made or after it is freed: either would
 *     race with the making or the freeing, and races are reported;
 *   - every record that was committed is read, once and in order, also those
 *     of threads that have gone;
 *   - in the end every ring has been freed, and the sums are zero.
 *
 * A server thread adds a ring, commits two records and retires it. The writer
 * walks, reads and reaps. An onlooker, as statistics are, only walks.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explore.h"
#include "explore_tiny.h"
#include "ring/ring_set.h"

#define SERVERS 2
#define RECORDS 2

enum {
	SAW_REAPED_AT_WORK,
	SAW_REAPED_AFTER,
	SAW_WALKED_BY,
	SAW_REFUSED
};

static unsigned int rings_allowed;
static unsigned int rounds;

static struct dtap__ring_set *set;
static unsigned int committed[SERVERS];
static unsigned int received[SERVERS];

static void
prepare(void)
{
	set = explore_get(sizeof(*set), "set");
	dtap__ring_set_init(set, rings_allowed * TINY_BYTES);
	explore_label(&set->first, "first");
	explore_label(&set->lock, "lock");
	memset(committed, 0, sizeof(committed));
	memset(received, 0, sizeof(received));
}

static void
serve(unsigned int server)
{
	struct dtap__ring_node *node;

	if (dtap__ring_set_add(set, TINY_BYTES, DTAP__RING_WRAP, &node) !=
	    DTAP_OK) {
		explore_saw(SAW_REFUSED);
		return;
	}
	explore_label(&node->ring.head, "head");
	explore_label(&node->ring.tail, "tail");
	explore_label(&node->next, "next");
	explore_label(&node->retired, "retired");
	for (unsigned int i = 0; i < RECORDS; i++) {
		uint8_t *slot = dtap__ring_reserve(&node->ring, 1);

		explore_promise(slot != NULL, "there is room");
		*slot = (uint8_t)(server << 4 | i);
		committed[server]++;
		dtap__ring_commit(&node->ring, 1);
	}
	dtap__ring_retire(node);
}

static void
serve_first(void)
{
	serve(0);
}

static void
serve_second(void)
{
	serve(1);
}

static void
receive(uint8_t octet)
{
	unsigned int server = octet >> 4;

	explore_promise(server < SERVERS && (octet & 15) == received[server] &&
				received[server] < committed[server],
			"records are read once and in order");
	received[server]++;
}

static void
visit_and_read(struct dtap__ring_node *node, void *context)
{
	struct dtap__span span[2];
	size_t bytes = dtap__ring_peek(&node->ring, span);

	(void)context;
	for (int run = 0; run < 2; run++)
		for (size_t i = 0; i < span[run].bytes; i++)
			receive(span[run].data[i]);
	if (bytes > 0)
		dtap__ring_release(&node->ring, bytes);
}

static unsigned int
write_once(void)
{
	dtap__ring_set_walk(set, visit_and_read, NULL);
	return dtap__ring_set_reap(set, false, NULL, NULL);
}

static void
write_all(void)
{
	for (unsigned int i = 0; i < rounds; i++)
		if (write_once() > 0)
			explore_saw(SAW_REAPED_AT_WORK);
}

static void
visit_and_look(struct dtap__ring_node *node, void *context)
{
	uint64_t *bytes = context;

	*bytes += node->ring.capacity;
	explore_saw(SAW_WALKED_BY);
}

static void
look_on(void)
{
	uint64_t bytes = 0;

	dtap__ring_set_walk(set, visit_and_look, &bytes);
	explore_promise(bytes <= rings_allowed * TINY_BYTES,
			"the cap is kept");
}

static void
settle(void)
{
	uint64_t rings, bytes;

	while (write_once() > 0)
		explore_saw(SAW_REAPED_AFTER);
	for (int i = 0; i < SERVERS; i++)
		explore_promise(received[i] == committed[i],
				"what was committed was read");
	dtap__ring_set_sums(set, &rings, &bytes);
	explore_promise(rings == 0 && bytes == 0, "the sums are zero");
	dtap__ring_set_fini(set);
	explore_free(set);
	explore_promise(explore_in_use() == 0, "all memory is freed");
}

int
main(int argc, char **argv)
{
	unsigned int more = argc > 1 && strcmp(argv[1], "long") == 0 ? 1 : 0;
	struct explore_scenario scenario = {
		.name = "ring set, a server, the writer, an onlooker",
		.before = prepare,
		.threads = { { "server", serve_first },
			     { "writer", write_all },
			     { "onlooker", look_on } },
		.after = settle,
		.events = { [SAW_REAPED_AT_WORK] = "the writer reaped",
			    [SAW_REAPED_AFTER] = "a ring was left to the end",
			    [SAW_WALKED_BY] = "a ring was looked at" },
	};

	rings_allowed = 1;
	rounds = 3 + more;
	explore(&scenario);

	scenario.name = "ring set, two servers and the writer";
	scenario.threads[2].name = "server 2";
	scenario.threads[2].run = serve_second;
	scenario.events[SAW_WALKED_BY] = NULL;
	rings_allowed = 2;
	rounds = 2 + more;
	explore(&scenario);

	scenario.name = "ring set, two servers, room for one ring";
	scenario.events[SAW_REFUSED] = "a ring was refused";
	rings_allowed = 1;
	explore(&scenario);
	return EXIT_SUCCESS;
}
