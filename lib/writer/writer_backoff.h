/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer_backoff.h: when to try the output again.
 *
 * Delays double from min to max; each is spread by up to a quarter either
 * way, so that a hundred servers do not knock at a restarted collector in
 * step. Times are monotonic.
 *
 * Threads: the writer's. Used by writer.
 */
#ifndef DTAP_WRITER_WRITER_BACKOFF_H
#define DTAP_WRITER_WRITER_BACKOFF_H

#include <stdint.h>

struct dtap__backoff {
	uint64_t min_ns;
	uint64_t max_ns;
	uint64_t delay_ns;  /* the next delay, before it is spread */
	uint64_t random;    /* state of the generator; never 0 */
};

/* 0 < min_ms <= max_ms; seed: any number. */
void
dtap__backoff_init(struct dtap__backoff *backoff, uint64_t min_ms,
		   uint64_t max_ms, uint64_t seed);

/* After a success: the next delay is the shortest again. */
void
dtap__backoff_reset(struct dtap__backoff *backoff);

/* How long to wait now; the one after will be longer. */
uint64_t
dtap__backoff_next_ns(struct dtap__backoff *backoff);

#endif
