/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz.h: what libFuzzer calls, and fuzz_main.c without it.
 */
#ifndef DTAP_FUZZ_H
#define DTAP_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

#endif
