/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring_steps.h: stands in for base/atomic.h's accesses and lets a test act
 * after each one, as the other thread might. One access at a time, all in
 * one order: weaker orders are the business of models and sanitizers.
 */
#ifndef DTAP_TESTS_RING_STEPS_H
#define DTAP_TESTS_RING_STEPS_H

#include <stddef.h>

/* Called after each access; what it does is not interrupted in turn. */
static void (*ring_step)(void);

static inline void
ring_step_done(void)
{
	void (*step)(void) = ring_step;

	if (step == NULL)
		return;
	ring_step = NULL;
	step();
	ring_step = step;
}

#define ring_step_load(from) \
	({ \
		__typeof__(*(from)) loaded = *(from); \
		ring_step_done(); \
		loaded; \
	})

#define ring_step_store(to, value) \
	({ \
		*(to) = (value); \
		ring_step_done(); \
	})

#define dtap__atomic(type) type
#define dtap__load_relaxed(p) ring_step_load(p)
#define dtap__load_acquire(p) ring_step_load(p)
#define dtap__store_relaxed(p, v) ring_step_store((p), (v))
#define dtap__store_release(p, v) ring_step_store((p), (v))

#endif
