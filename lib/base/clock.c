/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.c: see clock.h. clock_gettime(CLOCK_MONOTONIC) cannot fail on a
 * system that has the clock (POSIX.1-2008, Monotonic Clock option), so its
 * result is not looked at.
 */
#include "base/clock.h"

#include <time.h>

uint64_t
dtap__clock_monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * DTAP__NS_PER_SEC +
	       (uint64_t)now.tv_nsec;
}

int
dtap__clock_wait_ms(uint64_t now_ns, uint64_t deadline_ns, int limit_ms)
{
	uint64_t wait_ms;

	if (deadline_ns <= now_ns)
		return 0;
	wait_ms = (deadline_ns - now_ns - 1) / DTAP__NS_PER_MS + 1;
	return wait_ms < (uint64_t)limit_ms ? (int)wait_ms : limit_ms;
}
