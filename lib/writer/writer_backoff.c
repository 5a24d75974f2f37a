/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer_backoff.c: see writer_backoff.h. The generator is xorshift64: the
 * jitter needs to differ between processes, not to be unpredictable.
 */
#include "writer/writer_backoff.h"

#include "base/clock.h"

void
dtap__backoff_init(struct dtap__backoff *backoff, uint64_t min_ms,
		   uint64_t max_ms, uint64_t seed)
{
	backoff->min_ns = min_ms * DTAP__NS_PER_MS;
	backoff->max_ns = max_ms * DTAP__NS_PER_MS;
	backoff->delay_ns = backoff->min_ns;
	backoff->random = seed | 1;
}

void
dtap__backoff_reset(struct dtap__backoff *backoff)
{
	backoff->delay_ns = backoff->min_ns;
}

static uint64_t
backoff_random(struct dtap__backoff *backoff)
{
	uint64_t x = backoff->random;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	backoff->random = x;
	return x;
}

uint64_t
dtap__backoff_next_ns(struct dtap__backoff *backoff)
{
	uint64_t delay = backoff->delay_ns;
	uint64_t spread = backoff_random(backoff) % (delay / 2 + 1);

	backoff->delay_ns = delay > backoff->max_ns / 2 ? backoff->max_ns
							: delay * 2;
	return delay - delay / 4 + spread;
}
