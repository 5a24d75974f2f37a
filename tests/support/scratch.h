/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scratch.h: a directory of its own for a test that makes files.
 */
#ifndef DTAP_TESTS_SCRATCH_H
#define DTAP_TESTS_SCRATCH_H

#include <stdbool.h>

/* Makes a directory below the present one and goes there. */
void
scratch_enter(void);

/* Removes the directory with all it holds and goes back. */
void
scratch_leave(void);

/* Makes, or replaces, a file that holds text. */
void
scratch_write(const char *path, const char *text);

/* The test fails when the file at path does not hold exactly text. */
void
scratch_expect(const char *path, const char *text);

/* Whether there is something at path, be it a dangling link. */
bool
scratch_exists(const char *path);

#endif
