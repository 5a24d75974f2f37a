/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_instructions.c: a loop for callgrind to count.
 *
 *   bench_instructions SUBJECT KIND EVENTS
 *
 * Only what SUBJECT's loop function executes is collected (bench/instructions
 * says --toggle-collect); the difference between a long and a short run,
 * divided by the difference in events, is the cost of one event: setting the
 * fields that change, and submitting. Nothing takes events out of the ring
 * meanwhile, so the counts are the same each time.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

static const struct {
	const char *name;
	const struct bench_subject *subject;
	bool full; /* the ring, or the queue, is full */
} instructions_subjects[] = {
	{ "ours", &bench_ours, false },
	{ "ours-full", &bench_ours, true },
#ifdef BENCH_PEERS
	{ "knot", &bench_knot, false },
	{ "knot-full", &bench_knot, true },
	{ "tuned", &bench_tuned, false },
#endif
#ifndef BENCH_SHARED
	{ "floor", &bench_floor, false },
#endif
};

static void
instructions_run(const struct bench_subject *subject, bool full,
		 enum bench_kind kind, size_t events)
{
	void *self = subject->open(NULL, kind);

	if (self == NULL)
		bench_give_up(1, "cannot open the subject");
	if (full) {
		while (subject->burst(self, 64) == 64)
			continue;
		subject->insist(self, events);
	} else {
		/* Both loops are counted; the short one cancels out. */
		if (subject->burst(self, 16) != 16 ||
		    subject->burst(self, events) != events)
			bench_give_up(1, "an event was refused");
	}
	subject->close(self);
}

int
main(int argc, char **argv)
{
	enum bench_kind kind;

	if (argc != 4)
		bench_give_up(2, "usage: bench_instructions SUBJECT "
				 "query60|response500 EVENTS");
	kind = strcmp(argv[2], "query60") == 0 ? BENCH_QUERY60
					       : BENCH_RESPONSE500;
	for (size_t i = 0; i < sizeof(instructions_subjects) /
				       sizeof(instructions_subjects[0]);
	     i++) {
		if (strcmp(instructions_subjects[i].name, argv[1]) != 0)
			continue;
		instructions_run(instructions_subjects[i].subject,
				 instructions_subjects[i].full, kind,
				 (size_t)atol(argv[3]));
		return 0;
	}
	bench_give_up(77, "there is no such subject in this build");
}
