/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_cost.c: a fuzz target under libFuzzer, and what an input may cost.
 *
 * libFuzzer's -timeout knows whole seconds of the wall clock, which finds
 * what hangs. That a parser takes 100 times longer for one input than for
 * others of its length must be measured: in processor time of the thread,
 * which other programs do not lengthen. What exceeds the limit is tried
 * again, and the least of all tries counts: page faults and interrupts do not
 * come each time. The limit is the same with sanitizers, though everything is
 * slower then.
 */
#include "fuzz.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define COST_FIXED_NS 1000000.0
#define COST_MIB_NS 100000000.0
#define TRIES 20

/* What libFuzzer calls. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	fuzz_input(data, bytes);
	return 0;
}

static double
thread_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

void
fuzz_measure(fuzz_work *work, void *context)
{
	double limit_ns = 0;
	double least_ns = HUGE_VAL;

	for (int i = 0; i < TRIES; i++) {
		double begin_ns = thread_ns();
		size_t bytes = work(context);
		double cost_ns = thread_ns() - begin_ns;

		if (cost_ns < least_ns)
			least_ns = cost_ns;
		limit_ns = COST_FIXED_NS +
			   COST_MIB_NS * (double)bytes / (1024 * 1024);
		if (cost_ns <= limit_ns)
			return;
	}
	fprintf(stderr, "takes %.0f ns of processor time, %.0f are allowed\n",
		least_ns, limit_ns);
	abort();
}
