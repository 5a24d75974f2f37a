/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explore_atomic.h: the library's four accesses, handed to the explorer.
 *
 * Takes the place of <stdatomic.h> in lib/base/atomic.h when the shipped
 * sources are compiled with
 * -DDTAP__ATOMIC_MODEL='"explore_atomic.h"'.
 */
#ifndef DTAP_MODELS_EXPLORE_ATOMIC_H
#define DTAP_MODELS_EXPLORE_ATOMIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where the value that was read stands until the next access. */
const void *
explore_load(const volatile void *address, size_t bytes, bool acquire);

void
explore_store(volatile void *address, const void *value, size_t bytes,
	      bool release);

#define dtap__atomic(type) __typeof__(type)

#define dtap__load_relaxed(p) \
	(*(const __typeof__(*(p)) *)explore_load((p), sizeof(*(p)), false))
#define dtap__load_acquire(p) \
	(*(const __typeof__(*(p)) *)explore_load((p), sizeof(*(p)), true))

#define EXPLORE_STORE(p, v, release) \
	do { \
		__typeof__(*(p)) explore_value = (v); \
		explore_store((p), &explore_value, sizeof(*(p)), (release)); \
	} while (0)
#define dtap__store_relaxed(p, v) EXPLORE_STORE(p, v, false)
#define dtap__store_release(p, v) EXPLORE_STORE(p, v, true)

#endif
