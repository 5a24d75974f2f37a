/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_idle.c: what an idle server sees of its tap.
 *
 *   latency  one event into a tap that has been idle for a while: how long
 *            until the reader has it, over a Unix socket
 *   CPU      of a tap that is connected and has nothing to do, as a part of
 *            one CPU
 *
 * The idle times between the events differ, so that they meet the writer in
 * all phases of its rest.
 */
#include "bench.h"

#include "bench_reader.h"

#define IDLE_EVENTS 12
#define IDLE_LEAST_MS 230
#define IDLE_STEP_MS 37
#define IDLE_WINDOWS 3
#define IDLE_WINDOW_NS UINT64_C(1000000000)
#define IDLE_NS_PER_MS 1000000

struct idle_result {
	struct bench_series latency_ms;
	struct bench_series cpu_percent;
};

static void
idle_measure(const struct bench_subject *subject, struct idle_result *result)
{
	struct bench_reader reader;
	void *self;

	bench_reader_start(&reader, BENCH_UNIX);
	self = subject->open(reader.uri, BENCH_QUERY60);
	if (self == NULL)
		bench_give_up(1, "cannot open a subject");
	bench_reader_await(&reader);
	for (int i = 0; i < IDLE_EVENTS; i++) {
		uint64_t begin_ns;

		bench_sleep_ns((uint64_t)(IDLE_LEAST_MS + i * IDLE_STEP_MS) *
			       IDLE_NS_PER_MS);
		begin_ns = bench_clock_ns();
		subject->burst(self, 1);
		bench_series_add(&result->latency_ms,
				 (double)(bench_reader_next_ns(&reader) -
					  begin_ns) /
					 IDLE_NS_PER_MS);
	}
	for (int i = 0; i < IDLE_WINDOWS; i++) {
		uint64_t begin_ns = bench_clock_ns();
		uint64_t cpu_ns = bench_process_cpu_ns();

		bench_sleep_ns(IDLE_WINDOW_NS);
		cpu_ns = bench_process_cpu_ns() - cpu_ns;
		bench_series_add(&result->cpu_percent,
				 (double)cpu_ns * 100 /
					 (double)(bench_clock_ns() - begin_ns));
	}
	subject->close(self);
	bench_reader_finish(&reader);
}

int
main(void)
{
	struct idle_result ours = { 0 };
	struct idle_result peer = { 0 };
	const char *name = NULL;

	bench_pin(0);
	idle_measure(&bench_ours, &ours);
#ifdef BENCH_PEERS
	idle_measure(&bench_knot, &peer);
	name = bench_knot.name;
#endif
	bench_row("latency_idle_ms", "ms", &ours.latency_ms, &peer.latency_ms,
		  name);
	bench_row("idle_cpu_percent", "percent", &ours.cpu_percent,
		  &peer.cpu_percent, name);
	bench_leave();
	return 0;
}
