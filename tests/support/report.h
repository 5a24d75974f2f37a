/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.h: one line of standard output for each promise that a test has kept.
 *
 * Collected from the logs of many tests, such lines say at a glance what was
 * shown, and how often. To be called last, when nothing can fail any more:
 * there is no line for what did not pass.
 */
#ifndef DTAP_TESTS_REPORT_H
#define DTAP_TESTS_REPORT_H

#include "base/compiler.h"

/* "R03 PASS 2345 injections, 0 violations" */
void
report_gate(const char *id, const char *format, ...) dtap__printf(2, 3);

/* "F17 file PASS 12 rotations" */
void
report_fault(const char *id, const char *sink, const char *format, ...)
	dtap__printf(3, 4);

#endif
