/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.c: see report.h.
 *
 * One write for each line, so that the lines of processes that share a log
 * stay whole; and flushed, because a process that forks afterwards would
 * print it twice.
 */
#include "support/report.h"

#include <stdarg.h>
#include <stdio.h>

static void
report_line(const char *title, const char *format, va_list arguments)
	dtap__printf(2, 0);

static void
report_line(const char *title, const char *format, va_list arguments)
{
	char text[512];

	vsnprintf(text, sizeof(text), format, arguments);
	fflush(stdout);
	printf("%s PASS %s\n", title, text);
	fflush(stdout);
}

void
report_gate(const char *id, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	report_line(id, format, arguments);
	va_end(arguments);
}

void
report_fault(const char *id, const char *sink, const char *format, ...)
{
	va_list arguments;
	char title[64];

	snprintf(title, sizeof(title), "%s %s", id, sink);
	va_start(arguments, format);
	report_line(title, format, arguments);
	va_end(arguments);
}
