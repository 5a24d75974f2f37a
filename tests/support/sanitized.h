/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sanitized.h: whether a sanitizer has taken malloc() over.
 *
 * It keeps what was freed for a while, cannot be replaced by a test's own,
 * and holds locks that a child inherits when threads fork.
 */
#ifndef DTAP_TESTS_SANITIZED_H
#define DTAP_TESTS_SANITIZED_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#endif
