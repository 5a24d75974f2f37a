/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compiler.h: what the language lacks, under names of our own.
 *
 * Used by every room. Nothing here has state.
 */
#ifndef DTAP_BASE_COMPILER_H
#define DTAP_BASE_COMPILER_H

#include <stddef.h>

#define dtap__likely(x) __builtin_expect(!!(x), 1)
#define dtap__unlikely(x) __builtin_expect(!!(x), 0)

#define dtap__always_inline inline __attribute__((always_inline))
#define dtap__noinline __attribute__((noinline))
#define dtap__printf(text, first) \
	__attribute__((format(printf, text, first)))

/*
 * Fields that different threads write must not share a cache line; two lines
 * because Intel's spatial prefetcher fetches them in pairs.
 */
#define DTAP__LINE 128
#define dtap__own_line _Alignas(DTAP__LINE)

#define dtap__container_of(pointer, type, member) \
	((type *)((char *)(pointer) - offsetof(type, member)))

#define DTAP__COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
