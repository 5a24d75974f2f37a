/* SPDX-License-Identifier: Apache-2.0 */
/*
 * output.c: see output.h. How a failure is put into words.
 *
 * A path may have 4095 octets and a log line has not: of a long name the end
 * is kept, because that is the part that tells files apart, and the reason
 * always stays whole.
 */
#include "output/output.h"

#include <stdio.h>
#include <string.h>

/* Leaves room in dtap__output.error for a problem and a system text. */
#define OUTPUT_NAME_BYTES 128

enum dtap_result
dtap__output_fail(struct dtap__output *output, int system_errno,
		  const char *name, const char *problem)
{
	size_t name_bytes = strlen(name);
	const char *cut = "";
	char buffer[96];

	if (name_bytes > OUTPUT_NAME_BYTES) {
		name += name_bytes - OUTPUT_NAME_BYTES;
		cut = "...";
	}
	output->system_errno = system_errno;
	if (system_errno == 0)
		snprintf(output->error, sizeof(output->error), "%s%s: %s", cut,
			 name, problem);
	else
		snprintf(output->error, sizeof(output->error), "%s%s: %s: %s",
			 cut, name, problem,
			 strerror_r(system_errno, buffer, sizeof(buffer)));
	return DTAP_E_SYSTEM;
}
