/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_options.c: any text as the name and the value of an option; the first
 * newline separates the two. A refusal must come with an explanation.
 */
#include <stdlib.h>
#include <string.h>

#include <dnstap/dtap.h>

#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	dtap_options *options = dtap_options_new();
	char *text = malloc(bytes + 1);
	char *newline;

	if (options != NULL && text != NULL) {
		memcpy(text, data, bytes);
		text[bytes] = '\0';
		newline = strchr(text, '\n');
		if (newline != NULL)
			*newline++ = '\0';
		if (dtap_options_set(options, newline != NULL ? text : "output",
				     newline != NULL ? newline : text) !=
			    DTAP_OK &&
		    dtap_options_error(options)[0] == '\0')
			abort();
	}
	free(text);
	dtap_options_free(&options);
	return 0;
}
