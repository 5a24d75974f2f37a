/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench.h: what the measuring programs share.
 *
 * A subject is something that takes DNS message events and writes them
 * somewhere: the library, a peer, or a plain copy as the floor. All subjects
 * are measured by the same loops, on the same events, in turns.
 */
#ifndef DTAP_BENCH_H
#define DTAP_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <dnstap/event.h>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

/* What a server of some size would configure. */
#define BENCH_IDENTITY "ns1.example.net"
#define BENCH_VERSION "Server 3.14.1"

/*
 * The events.
 */
enum bench_kind {
	BENCH_QUERY60,	  /* CLIENT_QUERY, a DNS message of 60 octets */
	BENCH_RESPONSE500 /* CLIENT_RESPONSE, 500 octets */
};

#define BENCH_KINDS 2

/* An event and all it points to. */
struct bench_event {
	struct dtap_event event;
	uint8_t query_address[4];
	uint8_t response_address[4];
	uint8_t message[512];
};

const char *
bench_kind_name(enum bench_kind kind);

void
bench_event_init(struct bench_event *made, enum bench_kind kind);

/* The first event has this number; ports and times follow from it. */
#define BENCH_NUMBER_FIRST 0x8000u

/*
 * What differs from one event to the next, as a server would set it; it
 * knows which of the two it is about to send. The message's octets stay as
 * they are: a server has received or composed them some time before, and
 * octets that were stored in this moment would be slow to load again.
 */
static inline __attribute__((always_inline)) void
bench_event_turn(struct bench_event *made, uint32_t number, bool response)
{
	struct dtap_event *event = &made->event;

	event->query_port = (uint16_t)number;
	event->query_time_nsec = number;
	if (response) {
		event->response_time_nsec = number;
		event->response_message = made->message;
	} else {
		event->query_message = made->message;
	}
}

/*
 * The subjects. uri: "file:PATH", "unix:PATH", "tcp:ADDRESS:PORT", or NULL:
 * nothing is ever taken out, so that the subject fills up.
 */
struct bench_subject {
	const char *name;
	/* NULL when it cannot be had; says why on standard error. */
	void *(*open)(const char *uri, enum bench_kind kind);
	/* Events in a row; returns how many were taken: all, or until full. */
	size_t (*burst)(void *self, size_t events);
	/* The same for queries, but does not mind refusal. */
	void (*insist)(void *self, size_t events);
	/* Events at a steady rate; how long each took, in ticks. */
	void (*pace)(void *self, uint64_t *ticks, size_t events);
	/* Events that have left on the other side, or a little less. */
	uint64_t (*written)(void *self);
	void (*close)(void *self);
	/* Largest burst of that kind that surely fits. */
	size_t burst_events[BENCH_KINDS];
	/* Events that may stay behind unwritten until close. */
	size_t slack_events;
};

extern const struct bench_subject bench_ours;
/* The producer of what bench_ours.open() returned. */
struct dtap_producer *
bench_ours_producer(void *self);

/* Copies a ready frame into the same ring: what no encoder can beat. */
extern const struct bench_subject bench_floor;
#ifdef BENCH_PEERS
/* protobuf-c and libfstrm as Knot DNS uses them, and at their best. */
extern const struct bench_subject bench_knot;
extern const struct bench_subject bench_tuned;
#endif

/*
 * Time.
 */
uint64_t
bench_clock_ns(void);

/* CPU time of the calling thread; of the whole process. */
uint64_t
bench_thread_cpu_ns(void);

uint64_t
bench_process_cpu_ns(void);

void
bench_sleep_ns(uint64_t ns);

/* The finest counter there is. */
static inline uint64_t
bench_ticks(void)
{
#if defined(__x86_64__)
	return __rdtsc();
#else
	return bench_clock_ns();
#endif
}

/* How many ticks a nanosecond has; measured at the first call. */
double
bench_ticks_per_ns(void);

/* What two readings of the counter in a row differ by. */
uint64_t
bench_ticks_overhead(void);

#define BENCH_PACE_NS 2000 /* between paced events: 500,000 a second */

/*
 * The loops, compiled into each subject, so that none pays for an indirect
 * call. submit returns whether the event was taken.
 */
typedef bool
bench_submit(void *self, struct bench_event *event);

static inline __attribute__((always_inline)) size_t
bench_loop_burst(bench_submit *submit, void *self, struct bench_event *event,
		 size_t events, bool response)
{
	size_t last = BENCH_NUMBER_FIRST + events;

	for (size_t n = BENCH_NUMBER_FIRST; n < last; n++) {
		bench_event_turn(event, (uint32_t)n, response);
		if (!submit(self, event))
			return n - BENCH_NUMBER_FIRST;
	}
	return events;
}

static inline __attribute__((always_inline)) void
bench_loop_insist(bench_submit *submit, void *self, struct bench_event *event,
		  size_t events, bool response)
{
	for (size_t i = 0; i < events; i++) {
		bench_event_turn(event, BENCH_NUMBER_FIRST + (uint32_t)i,
				 response);
		submit(self, event);
	}
}

static inline __attribute__((always_inline)) void
bench_loop_pace(bench_submit *submit, void *self, struct bench_event *event,
		uint64_t *ticks, size_t events, bool response)
{
	uint64_t step = (uint64_t)(BENCH_PACE_NS * bench_ticks_per_ns());
	uint64_t due = bench_ticks();

	for (size_t i = 0; i < events; i++) {
		uint64_t begin;

		due += step;
		while ((begin = bench_ticks()) < due)
			continue;
		/* Late by much: the CPU was taken away; do not catch up. */
		if (begin - due > 16 * step)
			due = begin;
		begin = bench_ticks();
		bench_event_turn(event, BENCH_NUMBER_FIRST + (uint32_t)i,
				 response);
		submit(self, event);
		ticks[i] = bench_ticks() - begin;
	}
}

/* The loops of one subject; prefix##_submit() and event are its own. */
#define BENCH_LOOPS(prefix, type)                                             \
	static __attribute__((noinline)) size_t                               \
	prefix##_burst(void *self, size_t events)                             \
	{                                                                     \
		struct bench_event *event = &((type *)self)->event;           \
                                                                              \
		return event->event.response_message_bytes != 0               \
			       ? bench_loop_burst(prefix##_submit, self,      \
						  event, events, true)        \
			       : bench_loop_burst(prefix##_submit, self,      \
						  event, events, false);      \
	}                                                                     \
	static __attribute__((noinline)) void                                 \
	prefix##_insist(void *self, size_t events)                            \
	{                                                                     \
		bench_loop_insist(prefix##_submit, self,                      \
				  &((type *)self)->event, events, false);     \
	}                                                                     \
	static __attribute__((noinline)) void                                 \
	prefix##_pace(void *self, uint64_t *ticks, size_t events)             \
	{                                                                     \
		struct bench_event *event = &((type *)self)->event;           \
                                                                              \
		bench_loop_pace(prefix##_submit, self, event, ticks, events,  \
				event->event.response_message_bytes != 0);    \
	}

/*
 * Results.
 */
#define BENCH_ROUNDS_MAX 64

/* One figure per round. */
struct bench_series {
	double values[BENCH_ROUNDS_MAX];
	int count;
};

void
bench_series_add(struct bench_series *series, double value);

double
bench_series_median(const struct bench_series *series);

/* Which of count numbers has that part of them below it; sorts them. */
uint64_t
bench_quantile(uint64_t *numbers, size_t count, double part);

/*
 * One line of the table, on standard output. peer may be NULL. unit: "ns",
 * "ms", "percent", "instructions": less is better; "frames/s": more is.
 */
void
bench_row(const char *name, const char *unit, const struct bench_series *ours,
	  const struct bench_series *peer, const char *peer_name);

/* Rounds to make: DTAP_BENCH_ROUNDS, or else the given number. */
int
bench_rounds(int usual);

/*
 * Places.
 */

/* The calling thread, and those it starts, run there: 0 or 1. */
void
bench_pin(int which);

/* A path in a directory of this process; the text is the caller's to free. */
char *
bench_path(const char *name);

/* Removes that directory. */
void
bench_leave(void);

/* Says why, leaves, and ends with that status. */
_Noreturn void
bench_give_up(int status, const char *why);

#endif
