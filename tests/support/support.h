/* SPDX-License-Identifier: Apache-2.0 */
/*
 * support.h: what unit tests share: one way to run a suite and end a program.
 */
#ifndef DTAP_TESTS_SUPPORT_H
#define DTAP_TESTS_SUPPORT_H

#include <stdbool.h>

#include <check.h>

/*
 * What counts, and with them the time that a test may take, are multiplied by:
 * DTAP_STRESS_FACTOR, 1 by default.
 */
unsigned int
support_factor(void);

/* Adds one test function as a test case of its own name. */
#define support_add(suite, function) \
	do { \
		TCase *added = tcase_create(#function); \
		tcase_add_test(added, function); \
		tcase_set_timeout(added, 120.0 * support_factor()); \
		suite_add_tcase((suite), added); \
	} while (0)

/* Under valgrind, where a test that tries everything may try a part. */
bool
support_is_slow(void);

/* Runs the suite; the program's exit status. */
int
support_run(Suite *suite);

#endif
