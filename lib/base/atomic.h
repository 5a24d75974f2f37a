/* SPDX-License-Identifier: Apache-2.0 */
/*
 * atomic.h: the four orderings the library uses, and no others.
 *
 * All sharing between threads goes through these names, so that
 *  - a reader sees at each access which ordering it has,
 *  - tests can put a model of C11 memory behind them and explore every
 *    interleaving of the shipped source (DTAP__ATOMIC_MODEL),
 *  - no stand-alone fence slips in: ThreadSanitizer does not model them, and
 *    on the producer's path one costs more than the whole encoder.
 *
 * A counter with one writer is bumped with relaxed load and store: no locked
 * instruction, and any other thread may read it at any time.
 */
#ifndef DTAP_BASE_ATOMIC_H
#define DTAP_BASE_ATOMIC_H

#ifdef DTAP__ATOMIC_MODEL
#include DTAP__ATOMIC_MODEL
#else
#include <stdatomic.h>

#define dtap__atomic(type) _Atomic(type)
#define dtap__load_relaxed(p) atomic_load_explicit((p), memory_order_relaxed)
#define dtap__load_acquire(p) atomic_load_explicit((p), memory_order_acquire)
#define dtap__store_relaxed(p, v) \
	atomic_store_explicit((p), (v), memory_order_relaxed)
#define dtap__store_release(p, v) \
	atomic_store_explicit((p), (v), memory_order_release)
#endif

/* Adds to a counter that only the calling thread writes. */
#define dtap__count_add(p, n) \
	dtap__store_relaxed((p), dtap__load_relaxed(p) + (n))

/*
 * RCU grace periods order a reader's last access before the reclaimer's
 * first. ThreadSanitizer cannot see that through liburcu's own assembly, so
 * these two tell it; elsewhere they vanish.
 */
#if defined(__SANITIZE_THREAD__)
#define DTAP__TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define DTAP__TSAN 1
#endif
#endif

#ifdef DTAP__TSAN
void __tsan_acquire(void *address);
void __tsan_release(void *address);
#define dtap__grace_reader_done(p) __tsan_release(p)
#define dtap__grace_elapsed(p) __tsan_acquire(p)
#else
#define dtap__grace_reader_done(p) ((void)(p))
#define dtap__grace_elapsed(p) ((void)(p))
#endif

#endif
