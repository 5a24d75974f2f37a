/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file export.h
 * Marks what the library exports; everything else is hidden.
 *
 * Lifetime and threads: none, this header holds only macros.
 */
#ifndef DTAP_EXPORT_H
#define DTAP_EXPORT_H

#if defined(__GNUC__) || defined(__clang__)
#define DTAP_API __attribute__((visibility("default")))
#define DTAP_NODISCARD __attribute__((warn_unused_result))
#else
#define DTAP_API
#define DTAP_NODISCARD
#endif

#ifdef __cplusplus
#define DTAP_BEGIN_DECLS extern "C" {
#define DTAP_END_DECLS }
#else
#define DTAP_BEGIN_DECLS
#define DTAP_END_DECLS
#endif

#endif
