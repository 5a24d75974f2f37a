/* SPDX-License-Identifier: Apache-2.0 */
/*
 * support.c: see support.h.
 */
#include "support.h"

#include <stdlib.h>

unsigned int
support_factor(void)
{
	const char *text = getenv("DTAP_STRESS_FACTOR");

	return text != NULL && atoi(text) > 0 ? (unsigned int)atoi(text) : 1;
}

bool
support_is_slow(void)
{
	return getenv("DTAP_UNDER_VALGRIND") != NULL;
}

int
support_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	/* Each test by its name: what is told of faults rests on it. */
	srunner_run_all(runner, CK_VERBOSE);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
