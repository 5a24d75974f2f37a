/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_measure.c: clocks, quantiles and rows for the measuring programs.
 *
 * Machines that measure are rarely quiet. So each figure is a median, of
 * bursts short enough to fit between two interruptions, and then of rounds
 * that alternate between the subjects; the smallest and the largest round
 * are shown beside it. A mean would tell about the neighbours.
 */
#include "bench.h"

#include <ftw.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MEASURE_NS_PER_SEC UINT64_C(1000000000)

static uint64_t
measure_clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * MEASURE_NS_PER_SEC +
	       (uint64_t)now.tv_nsec;
}

uint64_t
bench_clock_ns(void)
{
	return measure_clock_ns(CLOCK_MONOTONIC);
}

uint64_t
bench_thread_cpu_ns(void)
{
	return measure_clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

uint64_t
bench_process_cpu_ns(void)
{
	return measure_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

void
bench_sleep_ns(uint64_t ns)
{
	struct timespec rest = { (time_t)(ns / MEASURE_NS_PER_SEC),
				 (long)(ns % MEASURE_NS_PER_SEC) };

	nanosleep(&rest, NULL);
}

double
bench_ticks_per_ns(void)
{
	static double rate;
	uint64_t begin_ns, begin;

	if (rate != 0)
		return rate;
	begin_ns = bench_clock_ns();
	begin = bench_ticks();
	bench_sleep_ns(50000000);
	rate = (double)(bench_ticks() - begin) /
	       (double)(bench_clock_ns() - begin_ns);
	return rate;
}

uint64_t
bench_ticks_overhead(void)
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < 10000; i++) {
		uint64_t begin = bench_ticks();
		uint64_t took = bench_ticks() - begin;

		if (took < least)
			least = took;
	}
	return least;
}

const char *
bench_kind_name(enum bench_kind kind)
{
	return kind == BENCH_QUERY60 ? "query60" : "response500";
}

void
bench_event_init(struct bench_event *made, enum bench_kind kind)
{
	struct dtap_event *event = &made->event;

	memset(made, 0, sizeof(*made));
	/* TEST-NET-1 and -2 (RFC 5737). */
	memcpy(made->query_address, "\xc0\x00\x02\x17", 4);
	memcpy(made->response_address, "\xc6\x33\x64\x35", 4);
	for (size_t i = 12; i < sizeof(made->message); i++)
		made->message[i] = (uint8_t)('a' + i % 26);
	event->size = sizeof(*event);
	event->socket_family = DTAP_INET;
	event->socket_protocol = DTAP_UDP;
	event->query_address = made->query_address;
	event->query_address_bytes = 4;
	event->response_address = made->response_address;
	event->response_address_bytes = 4;
	event->response_port = 53;
	event->query_time_sec = 1760000000;
	if (kind == BENCH_QUERY60) {
		event->type = DTAP_CLIENT_QUERY;
		event->query_message = made->message;
		event->query_message_bytes = 60;
	} else {
		event->type = DTAP_CLIENT_RESPONSE;
		event->response_time_sec = 1760000000;
		event->response_message = made->message;
		event->response_message_bytes = 500;
	}
}

void
bench_series_add(struct bench_series *series, double value)
{
	if (series->count < BENCH_ROUNDS_MAX)
		series->values[series->count++] = value;
}

static int
measure_compare_doubles(const void *one, const void *other)
{
	double a = *(const double *)one;
	double b = *(const double *)other;

	return (a > b) - (a < b);
}

static struct bench_series
measure_sorted(const struct bench_series *series)
{
	struct bench_series sorted = *series;

	qsort(sorted.values, (size_t)sorted.count, sizeof(double),
	      measure_compare_doubles);
	return sorted;
}

double
bench_series_median(const struct bench_series *series)
{
	struct bench_series sorted = measure_sorted(series);
	int middle = sorted.count / 2;

	if (sorted.count == 0)
		return 0;
	if (sorted.count % 2 != 0)
		return sorted.values[middle];
	return (sorted.values[middle - 1] + sorted.values[middle]) / 2;
}

static int
measure_compare_numbers(const void *one, const void *other)
{
	uint64_t a = *(const uint64_t *)one;
	uint64_t b = *(const uint64_t *)other;

	return (a > b) - (a < b);
}

uint64_t
bench_quantile(uint64_t *numbers, size_t count, double part)
{
	size_t place = (size_t)((double)count * part);

	qsort(numbers, count, sizeof(*numbers), measure_compare_numbers);
	return numbers[place < count ? place : count - 1];
}

static void
measure_print_series(const struct bench_series *series)
{
	struct bench_series sorted = measure_sorted(series);

	printf("\t%.6g\t%.6g\t%.6g", bench_series_median(&sorted),
	       sorted.values[0], sorted.values[sorted.count - 1]);
}

void
bench_row(const char *name, const char *unit, const struct bench_series *ours,
	  const struct bench_series *peer, const char *peer_name)
{
	printf("%s\t%s", name, unit);
	measure_print_series(ours);
	if (peer != NULL && peer->count > 0)
		measure_print_series(peer);
	else
		printf("\t-\t-\t-");
	printf("\t%s\n", peer_name != NULL ? peer_name : "-");
	fflush(stdout);
}

int
bench_rounds(int usual)
{
	const char *asked = getenv("DTAP_BENCH_ROUNDS");
	int rounds = asked != NULL ? atoi(asked) : usual;

	if (rounds < 1)
		return 1;
	return rounds < BENCH_ROUNDS_MAX ? rounds : BENCH_ROUNDS_MAX;
}

void
bench_pin(int which)
{
	cpu_set_t all, one;

	/* What this process was given at its start, not what it has left. */
	static cpu_set_t given;
	static bool known;

	if (!known)
		known = sched_getaffinity(0, sizeof(given), &given) == 0;
	all = given;
	CPU_ZERO(&one);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &all))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		if (which-- == 0)
			break;
	}
	sched_setaffinity(0, sizeof(one), &one);
}

static char measure_directory[64];

char *
bench_path(const char *name)
{
	const char *root = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	char *path = NULL;

	if (measure_directory[0] == '\0') {
		snprintf(measure_directory, sizeof(measure_directory),
			 "%s/dtap-bench-XXXXXX", root);
		if (mkdtemp(measure_directory) == NULL) {
			measure_directory[0] = '\0';
			bench_give_up(1, "cannot make a directory");
		}
	}
	if (asprintf(&path, "%s/%s", measure_directory, name) < 0)
		bench_give_up(1, "no memory");
	return path;
}

static int
measure_remove(const char *path, const struct stat *status, int kind,
	       struct FTW *where)
{
	(void)status;
	(void)kind;
	(void)where;
	return remove(path);
}

void
bench_leave(void)
{
	if (measure_directory[0] != '\0')
		nftw(measure_directory, measure_remove, 8,
		     FTW_DEPTH | FTW_PHYS);
	measure_directory[0] = '\0';
}

_Noreturn void
bench_give_up(int status, const char *why)
{
	fprintf(stderr, "bench: %s\n", why);
	bench_leave();
	exit(status);
}
