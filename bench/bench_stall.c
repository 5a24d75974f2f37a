/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_stall.c: what trouble at the output costs the server's thread.
 *
 * A thread submits 500,000 events a second, each timed by itself, while the
 * output is well, and while it suffers each of a list of faults; the cases
 * take turns. Shown are the medians of the rounds for p50, p99 and p99.9 of
 * one call, the thread's CPU time for one event (which includes the waiting
 * loop between events, and is there to show that it does not change), and
 * the ratio of p99.9 to that of the turn's healthy case.
 *
 * The producer is on the first CPU of this process, writer and reader on the
 * second. The readers are tests/fault/fault_peer.
 */
#include "bench.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <dnstap/dtap.h>

#define STALL_EVENTS 100000 /* in a round: 0.2 s */
#define STALL_WARM 20000    /* before: the ring fills, the fault is met */
#define STALL_ROUNDS 7
#define STALL_ARGUMENTS 6
#define STALL_FILE_LIMIT 65536

enum stall_sink {
	STALL_UNIX,
	STALL_TCP,
	STALL_NO_ONE, /* at a Unix path where nobody listens */
	STALL_FILE,
	STALL_FILE_FULL
};

struct stall_case {
	const char *name;
	enum stall_sink sink;
	const char *arguments[STALL_ARGUMENTS]; /* of fault_peer */
};

/* The first case of each sink that has a reader is the healthy one. */
static const struct stall_case stall_cases[] = {
	{ "unix", STALL_UNIX, { NULL } },
	{ "unix, reader stuck", STALL_UNIX, { "--read", "65536" } },
	{ "unix, reader takes 1 KiB/s", STALL_UNIX, { "--rate", "1024" } },
	{ "unix, READY never answered", STALL_UNIX, { "--answer", "never" } },
	{ "unix, READY answered by garbage", STALL_UNIX,
	  { "--answer", "garbage" } },
	{ "unix, closed after 64 KiB", STALL_UNIX,
	  { "--read", "65536", "--then", "close" } },
	{ "unix, connections not taken", STALL_UNIX, { "--deaf" } },
	{ "unix, nobody there", STALL_NO_ONE, { NULL } },
	{ "tcp", STALL_TCP, { NULL } },
	{ "tcp, reader stuck", STALL_TCP, { "--read", "65536" } },
	{ "tcp, reset after 64 KiB", STALL_TCP,
	  { "--read", "65536", "--then", "reset" } },
	{ "file", STALL_FILE, { NULL } },
	{ "file, no room after 64 KiB", STALL_FILE_FULL, { NULL } },
};

#define STALL_CASES (sizeof(stall_cases) / sizeof(stall_cases[0]))

struct stall_result {
	struct bench_series p50, p99, p999, cpu, ratio;
};

struct stall_reader {
	pid_t process; /* 0: none */
	char uri[128];
};

static void
stall_become(const struct stall_case *one, const char *where, int output)
{
	const char *words[STALL_ARGUMENTS + 3] = { "fault_peer" };
	int count = 1;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, 0);
	bench_pin(1);
	dup2(output, STDOUT_FILENO);
	for (int i = 0; one->arguments[i] != NULL; i++)
		words[count++] = one->arguments[i];
	words[count++] = where;
	words[count] = NULL;
	execv("tests/fault/fault_peer", (char **)(uintptr_t)words);
	_exit(127);
}

static void
stall_start_reader(const struct stall_case *one, struct stall_reader *reader)
{
	char where[128] = "tcp:0";
	char line[64] = "";
	unsigned int port;
	int ends[2];

	if (one->sink == STALL_UNIX) {
		char *path = bench_path("stall.sock");

		snprintf(where, sizeof(where), "unix:%s", path);
		free(path);
	}
	if (pipe(ends) != 0)
		bench_give_up(1, "no pipe");
	reader->process = fork();
	if (reader->process == 0)
		stall_become(one, where, ends[1]);
	close(ends[1]);
	if (read(ends[0], line, sizeof(line) - 1) <= 0 ||
	    sscanf(line, "ready %u", &port) != 1)
		bench_give_up(1, "no reader");
	close(ends[0]);
	snprintf(reader->uri, sizeof(reader->uri), "%s", where);
	if (one->sink == STALL_TCP)
		snprintf(reader->uri, sizeof(reader->uri), "tcp:127.0.0.1:%u",
			 port);
}

static void
stall_start(const struct stall_case *one, struct stall_reader *reader)
{
	char *path = bench_path("stall");

	reader->process = 0;
	snprintf(reader->uri, sizeof(reader->uri), "%s:%s",
		 one->sink == STALL_NO_ONE ? "unix" : "file", path);
	remove(path);
	free(path);
	if (one->sink == STALL_UNIX || one->sink == STALL_TCP)
		stall_start_reader(one, reader);
}

static void
stall_stop(struct stall_reader *reader)
{
	if (reader->process == 0)
		return;
	kill(-reader->process, SIGKILL);
	waitpid(reader->process, NULL, 0);
}

/* The writer ignores SIGXFSZ itself; this thread writes nothing. */
static void
stall_limit_files(bool limited)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_FSIZE, &limit) != 0)
		bench_give_up(1, "no limits here");
	limit.rlim_cur = limited ? STALL_FILE_LIMIT : limit.rlim_max;
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
		bench_give_up(1, "cannot set a limit");
}

/* Returns p99.9. */
static double
stall_round(const struct stall_case *one, struct stall_result *result)
{
	static uint64_t ticks[STALL_EVENTS];
	double rate = bench_ticks_per_ns();
	double overhead = (double)bench_ticks_overhead();
	struct stall_reader reader;
	uint64_t cpu_ns;
	double p999;
	void *self;

	stall_start(one, &reader);
	stall_limit_files(one->sink == STALL_FILE_FULL);
	self = bench_ours.open(reader.uri, BENCH_QUERY60);
	if (self == NULL)
		bench_give_up(1, "cannot open a tap");
	bench_ours.pace(self, ticks, STALL_WARM);
	cpu_ns = bench_thread_cpu_ns();
	bench_ours.pace(self, ticks, STALL_EVENTS);
	cpu_ns = bench_thread_cpu_ns() - cpu_ns;
	bench_series_add(&result->cpu, (double)cpu_ns / STALL_EVENTS);
	bench_series_add(&result->p50,
			 ((double)bench_quantile(ticks, STALL_EVENTS, 0.50) -
			  overhead) / rate);
	bench_series_add(&result->p99,
			 ((double)bench_quantile(ticks, STALL_EVENTS, 0.99) -
			  overhead) / rate);
	p999 = ((double)bench_quantile(ticks, STALL_EVENTS, 0.999) -
		overhead) / rate;
	bench_series_add(&result->p999, p999);
	bench_ours.close(self);
	stall_limit_files(false);
	stall_stop(&reader);
	return p999;
}

static void
stall_print(const struct stall_case *one, const struct stall_result *result)
{
	printf("%-33s %7.1f %7.1f %8.1f %8.0f %7.2f\n", one->name,
	       bench_series_median(&result->p50),
	       bench_series_median(&result->p99),
	       bench_series_median(&result->p999),
	       bench_series_median(&result->cpu),
	       bench_series_median(&result->ratio));
}

static bool
stall_is_healthy(const struct stall_case *one)
{
	return strchr(one->name, ',') == NULL;
}

int
main(void)
{
	static struct stall_result results[STALL_CASES];
	int rounds = bench_rounds(STALL_ROUNDS);
	double worst = 0;

	signal(SIGXFSZ, SIG_IGN);
	bench_pin(0);
	bench_ticks_per_ns();
	for (int round = 0; round < rounds; round++) {
		double healthy = 1;

		for (size_t i = 0; i < STALL_CASES; i++) {
			double p999 = stall_round(&stall_cases[i], &results[i]);

			if (stall_is_healthy(&stall_cases[i]))
				healthy = p999;
			bench_series_add(&results[i].ratio, p999 / healthy);
		}
	}
	printf("%-33s %7s %7s %8s %8s %7s\n", "output, and what ails it",
	       "p50 ns", "p99 ns", "p99.9 ns", "CPU ns", "ratio");
	for (size_t i = 0; i < STALL_CASES; i++) {
		double ratio = bench_series_median(&results[i].ratio);

		stall_print(&stall_cases[i], &results[i]);
		if (!stall_is_healthy(&stall_cases[i]) && ratio > worst)
			worst = ratio;
	}
	printf("worst p99.9 under a fault: %.2f of the healthy one, %zu faults,"
	       " %d rounds\n", worst, STALL_CASES - 3, rounds);
	bench_leave();
	return 0;
}
