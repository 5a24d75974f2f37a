/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_submit.c: what submitting costs the server's thread.
 *
 *   burst  events in a row into an idle ring or queue that has room for all
 *          of them; timed as a whole, so that the clock costs nothing. The
 *          clock stands still while the other side catches up.
 *   paced  500,000 events a second, each timed by itself, with the reading
 *          of the counter subtracted: p50 and p99. The counter does not wait
 *          for stores to retire, so p50 is a lower bound; the burst is not.
 *   full   every event is refused, because nothing is ever taken out.
 *   off    dtap_wants() says no: the type is masked out, or there is no tap.
 *
 * The producer is on the first CPU of this process, writer threads on the
 * second.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

#include <dnstap/dtap.h>

#define SUBMIT_BURSTS 40	/* in a round */
#define SUBMIT_PACED 50000	/* events in a round: 0.1 s */
#define SUBMIT_FULL 20000	/* events in a round */
#define SUBMIT_OFF 1000000
#define SUBMIT_ROUNDS 7
#define SUBMIT_SETTLE_NS UINT64_C(3000000000)

struct submit_result {
	struct bench_series burst, p50, p99;
};

/* The events so far have left on the other side, but for the slack. */
static void
submit_settle(const struct bench_subject *subject, void *self, uint64_t taken)
{
	uint64_t until_ns = bench_clock_ns() + SUBMIT_SETTLE_NS;

	while (subject->written(self) + subject->slack_events < taken) {
		if (bench_clock_ns() > until_ns)
			bench_give_up(1, "the other side does not catch up");
		bench_sleep_ns(200000);
	}
}

static void *
submit_open(const struct bench_subject *subject, enum bench_kind kind)
{
	char *path = NULL;
	char uri[128];
	void *self;

	if (subject->slack_events == 0) {
		path = bench_path("sink");
		snprintf(uri, sizeof(uri), "file:%s", path);
	} else {
		snprintf(uri, sizeof(uri), "file:/dev/null");
	}
	self = subject->open(uri, kind);
	if (self == NULL)
		bench_give_up(1, "cannot open a subject");
	free(path);
	return self;
}

static void
submit_close(const struct bench_subject *subject, void *self)
{
	char *path = bench_path("sink");

	subject->close(self);
	remove(path);
	free(path);
}

/* The median burst of one round, in nanoseconds for an event. */
static double
submit_bursts(const struct bench_subject *subject, void *self,
	      enum bench_kind kind, uint64_t *taken)
{
	struct bench_series bursts = { .count = 0 };
	size_t events = subject->burst_events[kind];

	for (int i = -1; i < SUBMIT_BURSTS; i++) {
		uint64_t begin_ns = bench_clock_ns();
		size_t done = subject->burst(self, events);
		uint64_t took_ns = bench_clock_ns() - begin_ns;

		*taken += done;
		if (i >= 0 && done == events)
			bench_series_add(&bursts,
					 (double)took_ns / (double)events);
		submit_settle(subject, self, *taken);
	}
	return bench_series_median(&bursts);
}

static void
submit_paced(const struct bench_subject *subject, void *self,
	     struct submit_result *result)
{
	static uint64_t ticks[SUBMIT_PACED];
	double rate = bench_ticks_per_ns();
	double overhead = (double)bench_ticks_overhead();

	subject->pace(self, ticks, SUBMIT_PACED);
	bench_series_add(&result->p50,
			 ((double)bench_quantile(ticks, SUBMIT_PACED, 0.50) -
			  overhead) / rate);
	bench_series_add(&result->p99,
			 ((double)bench_quantile(ticks, SUBMIT_PACED, 0.99) -
			  overhead) / rate);
}

static void
submit_round(const struct bench_subject *subject, enum bench_kind kind,
	     struct submit_result *result)
{
	void *self = submit_open(subject, kind);
	uint64_t taken = 0;

	bench_series_add(&result->burst,
			 submit_bursts(subject, self, kind, &taken));
	submit_paced(subject, self, result);
	submit_close(subject, self);
}

static const struct bench_subject *const submit_subjects[] = {
	&bench_ours,
	&bench_floor,
#ifdef BENCH_PEERS
	&bench_knot,
	&bench_tuned,
#endif
};

#define SUBMIT_SUBJECTS (sizeof(submit_subjects) / sizeof(submit_subjects[0]))

static void
submit_rows(const char *kind, const struct submit_result *results)
{
	char name[64];

	for (size_t i = 1; i < SUBMIT_SUBJECTS; i++) {
		const char *peer = submit_subjects[i]->name;

		snprintf(name, sizeof(name), "submit_%s_ns", kind);
		bench_row(name, "ns", &results[0].burst, &results[i].burst,
			  peer);
		snprintf(name, sizeof(name), "submit_%s_p50_ns", kind);
		bench_row(name, "ns", &results[0].p50, &results[i].p50, peer);
		snprintf(name, sizeof(name), "submit_%s_p99_ns", kind);
		bench_row(name, "ns", &results[0].p99, &results[i].p99, peer);
	}
}

static void
submit_measure(enum bench_kind kind)
{
	struct submit_result results[SUBMIT_SUBJECTS] = { 0 };
	int rounds = bench_rounds(SUBMIT_ROUNDS);

	for (int round = 0; round < rounds; round++)
		for (size_t i = 0; i < SUBMIT_SUBJECTS; i++)
			submit_round(submit_subjects[i], kind, &results[i]);
	submit_rows(bench_kind_name(kind), results);
}

/* The median of several runs in which every event is refused. */
static double
submit_full_once(const struct bench_subject *subject)
{
	struct bench_series runs = { .count = 0 };
	void *self = subject->open(NULL, BENCH_QUERY60);

	if (self == NULL)
		bench_give_up(1, "cannot open a subject");
	/* A thread on the other side may take a few more. */
	for (int i = 0; i < 3; i++) {
		while (subject->burst(self, 256) == 256)
			continue;
		bench_sleep_ns(2000000);
	}
	for (int i = 0; i < 9; i++) {
		uint64_t begin_ns = bench_clock_ns();

		subject->insist(self, SUBMIT_FULL);
		bench_series_add(&runs, (double)(bench_clock_ns() - begin_ns) /
						SUBMIT_FULL);
	}
	subject->close(self);
	return bench_series_median(&runs);
}

static void
submit_measure_full(void)
{
	struct bench_series ours = { .count = 0 };
	struct bench_series peer = { .count = 0 };
	int rounds = bench_rounds(SUBMIT_ROUNDS);

	for (int round = 0; round < rounds; round++) {
		bench_series_add(&ours, submit_full_once(&bench_ours));
#ifdef BENCH_PEERS
		bench_series_add(&peer, submit_full_once(&bench_knot));
#endif
	}
#ifdef BENCH_PEERS
	bench_row("submit_full_ns", "ns", &ours, &peer, bench_knot.name);
#else
	bench_row("submit_full_ns", "ns", &ours, &peer, NULL);
#endif
}

static dtap *
submit_open_masked(dtap_producer **producer)
{
	dtap_options *options = dtap_options_new();
	dtap *tap = NULL;

	dtap_options_set(options, "output", "file:/never-opened");
	dtap_options_set(options, "types", "CR");
	if (dtap_open(options, &tap) != DTAP_OK ||
	    dtap_producer_open(tap, producer) != DTAP_OK)
		bench_give_up(1, "cannot open a tap");
	dtap_options_free(&options);
	return tap;
}

static double
submit_off_once(const dtap_producer *producer)
{
	uint64_t begin_ns = bench_clock_ns();
	unsigned int wanted = 0;

	for (int i = 0; i < SUBMIT_OFF; i++)
		wanted += dtap_wants(producer, DTAP_CLIENT_QUERY);
	if (wanted != 0)
		bench_give_up(1, "an event that is masked out is wanted");
	return (double)(bench_clock_ns() - begin_ns) / SUBMIT_OFF;
}

static void
submit_measure_off(void)
{
	struct bench_series masked = { .count = 0 };
	struct bench_series absent = { .count = 0 };
	dtap_producer *producer = NULL;
	dtap *tap = submit_open_masked(&producer);
	int rounds = bench_rounds(SUBMIT_ROUNDS);

	for (int round = 0; round < rounds; round++) {
		bench_series_add(&masked, submit_off_once(producer));
		bench_series_add(&absent, submit_off_once(NULL));
	}
	bench_row("submit_disabled_ns", "ns", &masked, NULL, NULL);
	bench_row("submit_no_producer_ns", "ns", &absent, NULL, NULL);
	dtap_producer_close(&producer);
	dtap_close(&tap);
}

int
main(void)
{
	bench_pin(0);
	bench_ticks_per_ns();
	submit_measure(BENCH_QUERY60);
	submit_measure(BENCH_RESPONSE500);
	submit_measure_full();
	submit_measure_off();
	bench_leave();
	return 0;
}
