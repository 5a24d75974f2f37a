/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_run.c: see gen_run.h.
 *
 * Pacing is by slices of a millisecond: a thread submits what is due, then
 * sleeps until the next slice. Time is looked at once per slice or, without
 * a rate, once per GEN_LOOK_EVENTS, so that the generator measures the
 * library and not clock_gettime().
 */
#include "gen_run.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "gen_message.h"

#define GEN_LOOK_EVENTS 1024
#define GEN_NS_PER_SEC UINT64_C(1000000000)
#define GEN_SLICE_NS UINT64_C(1000000)

/* Lock-free, so the signal handler may set it (C11 7.14.1.1). */
static atomic_int gen_interrupted;

struct gen_worker {
	const struct gen_options *options;
	dtap *tap;
	pthread_t thread;
	unsigned int number;
	uint64_t events; /* of this thread; 0: no limit */
	uint64_t start_ns;
	struct gen_message message;
};

void
gen_run_interrupt(void)
{
	atomic_store_explicit(&gen_interrupted, 1, memory_order_relaxed);
}

static uint64_t
gen_clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * GEN_NS_PER_SEC + (uint64_t)now.tv_nsec;
}

/* What all events of a thread have in common. */
static void
gen_event_init(struct dtap_event *event, const struct gen_worker *worker,
	       struct sockaddr_in *client, struct sockaddr_in *server)
{
	memset(client, 0, sizeof(*client));
	memset(server, 0, sizeof(*server));
	client->sin_family = server->sin_family = AF_INET;
	/* TEST-NET-1 and -2 (RFC 5737). */
	client->sin_addr.s_addr =
		htonl(0xc0000200u | (worker->number & 0xff));
	client->sin_port = htons((uint16_t)(1024 + worker->number));
	server->sin_addr.s_addr = htonl(0xc6336435u);
	server->sin_port = htons(53);
	event->socket_protocol = DTAP_UDP;
	dtap_event_set_query_sockaddr(event, (struct sockaddr *)client,
				      sizeof(*client));
	dtap_event_set_response_sockaddr(event, (struct sockaddr *)server,
					 sizeof(*server));
}

static void
gen_submit(struct gen_worker *worker, dtap_producer *producer,
	   struct dtap_event *event, uint64_t sequence, uint64_t now_ns)
{
	const struct gen_options *options = worker->options;
	enum dtap_message_type type =
		options->types[sequence % options->type_count];

	gen_message_make(&worker->message, type, sequence,
			 options->message_bytes);
	event->type = (uint8_t)type;
	event->query_time_sec = now_ns / GEN_NS_PER_SEC;
	event->query_time_nsec = (uint32_t)(now_ns % GEN_NS_PER_SEC);
	if (type % 2 != 0) {
		event->query_message = worker->message.octets;
		event->query_message_bytes = (uint32_t)worker->message.bytes;
		event->response_message_bytes = 0;
		event->response_time_sec = 0;
		event->response_time_nsec = 0;
	} else {
		event->response_message = worker->message.octets;
		event->response_message_bytes =
			(uint32_t)worker->message.bytes;
		event->query_message_bytes = 0;
		event->response_time_sec = event->query_time_sec;
		event->response_time_nsec = event->query_time_nsec;
	}
	dtap_submit(producer, event);
}

/* How many events may have been submitted by now; sleeps to the next slice. */
static uint64_t
gen_allowance(const struct gen_worker *worker, uint64_t done)
{
	const struct gen_options *options = worker->options;
	struct timespec slice = { 0, GEN_SLICE_NS };
	uint64_t elapsed_ns;

	if (options->rate == 0)
		return done + GEN_LOOK_EVENTS;
	nanosleep(&slice, NULL);
	elapsed_ns = gen_clock_ns(CLOCK_MONOTONIC) - worker->start_ns;
	return (uint64_t)((double)options->rate / options->threads *
			  ((double)elapsed_ns / (double)GEN_NS_PER_SEC));
}

static bool
gen_time_is_up(const struct gen_worker *worker)
{
	return atomic_load_explicit(&gen_interrupted, memory_order_relaxed) ||
	       (worker->options->seconds != 0 &&
		gen_clock_ns(CLOCK_MONOTONIC) - worker->start_ns >=
			worker->options->seconds * GEN_NS_PER_SEC);
}

static void *
gen_worker_main(void *argument)
{
	struct gen_worker *worker = argument;
	struct dtap_event event = DTAP_EVENT_INIT;
	struct sockaddr_in client;
	struct sockaddr_in server;
	dtap_producer *producer = NULL;
	uint64_t sequence = 0;

	if (dtap_producer_open(worker->tap, &producer) != DTAP_OK)
		return argument;
	gen_message_init(&worker->message, worker->number);
	gen_event_init(&event, worker, &client, &server);
	worker->start_ns = gen_clock_ns(CLOCK_MONOTONIC);
	while (!gen_time_is_up(worker) &&
	       (worker->events == 0 || sequence < worker->events)) {
		uint64_t until = gen_allowance(worker, sequence);
		uint64_t now_ns = gen_clock_ns(CLOCK_REALTIME);

		if (worker->events != 0 && until > worker->events)
			until = worker->events;
		while (sequence < until)
			gen_submit(worker, producer, &event, sequence++,
				   now_ns);
	}
	dtap_producer_close(&producer);
	return NULL;
}

/* A line on a terminal, once a second, until all threads have ended. */
static void
gen_show_progress(dtap *tap)
{
	struct dtap_stats stats = DTAP_STATS_INIT;

	dtap_stats_get(tap, &stats);
	fprintf(stderr, "\rsubmitted %llu  written %llu  dropped %llu ",
		(unsigned long long)stats.submitted,
		(unsigned long long)stats.written,
		(unsigned long long)(stats.submitted - stats.accepted));
}

static void *
gen_progress_main(void *argument)
{
	struct timespec second = { 1, 0 };

	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	for (;;) {
		nanosleep(&second, NULL); /* where the thread is cancelled */
		pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
		gen_show_progress(argument);
		pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	}
	return NULL;
}

/* Events are shared out evenly; the first threads take what is left over. */
static uint64_t
gen_share(const struct gen_options *options, unsigned int number)
{
	return options->events / options->threads +
	       (number < options->events % options->threads ? 1 : 0);
}

static bool
gen_start(struct gen_worker *worker, const struct gen_options *options,
	  dtap *tap, unsigned int number)
{
	worker->options = options;
	worker->tap = tap;
	worker->number = number;
	worker->events = gen_share(options, number);
	if (options->events != 0 && worker->events == 0) {
		worker->options = NULL;
		return true;
	}
	return pthread_create(&worker->thread, NULL, gen_worker_main,
			      worker) == 0;
}

bool
gen_run(const struct gen_options *options, dtap *tap, double *seconds)
{
	struct gen_worker *workers = calloc(options->threads,
					    sizeof(*workers));
	uint64_t start_ns = gen_clock_ns(CLOCK_MONOTONIC);
	bool terminal = isatty(STDERR_FILENO) == 1;
	pthread_t progress;
	unsigned int started = 0;
	bool good = workers != NULL;
	void *failed;

	if (terminal)
		terminal = pthread_create(&progress, NULL, gen_progress_main,
					  tap) == 0;
	while (good && started < options->threads &&
	       gen_start(&workers[started], options, tap, started))
		started++;
	good = good && started == options->threads;
	if (!good)
		gen_run_interrupt();
	for (unsigned int i = 0; i < started; i++) {
		if (workers[i].options == NULL)
			continue;
		pthread_join(workers[i].thread, &failed);
		good = good && failed == NULL;
	}
	*seconds = (double)(gen_clock_ns(CLOCK_MONOTONIC) - start_ns) /
		   (double)GEN_NS_PER_SEC;
	if (terminal) {
		pthread_cancel(progress);
		pthread_join(progress, NULL);
		fputc('\n', stderr);
	}
	free(workers);
	return good;
}
