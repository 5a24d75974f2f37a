/* SPDX-License-Identifier: Apache-2.0 */
/*
 * utf8.h: what of some octets is UTF-8.
 */
#ifndef DTAP_TOOLS_UTF8_H
#define DTAP_TOOLS_UTF8_H

#include <stddef.h>
#include <stdint.h>

/*
 * Octets of the UTF-8 sequence at the start of at, 0 when there is none:
 * no overlong forms, no surrogates, nothing above U+10FFFF (RFC 3629).
 */
size_t
utf8_sequence(const uint8_t *at, size_t left);

#endif
