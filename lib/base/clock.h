/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.h: the monotonic clock. Every wait and deadline in the library uses
 * it, so that a step of the wall clock changes nothing. Event times come from
 * the caller.
 *
 * Used by writer, output, tap. Any thread; never blocks.
 */
#ifndef DTAP_BASE_CLOCK_H
#define DTAP_BASE_CLOCK_H

#include <stdint.h>

#define DTAP__NS_PER_MS UINT64_C(1000000)
#define DTAP__NS_PER_SEC UINT64_C(1000000000)
/* A deadline that never comes. */
#define DTAP__NEVER UINT64_MAX

/* Nanoseconds since an arbitrary start, never stepped back. */
uint64_t
dtap__clock_monotonic_ns(void);

/*
 * Milliseconds from now until deadline for poll(): rounded up, so that a wait
 * never ends early and spins; 0 when it has passed; at most limit_ms.
 */
int
dtap__clock_wait_ms(uint64_t now_ns, uint64_t deadline_ns, int limit_ms);

#endif
