/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream_audit.c: tells scripts what is in files that readers have written.
 *
 *	stream_audit [--names FILE] STREAM...
 *
 * Streams in the order in which they were received. Prints name=value pairs
 * on one line (audit.h explains them). Exit status 1 when a stream is
 * malformed; one that was cut off anywhere is not.
 */
#include <stdlib.h>
#include <string.h>

#include "support/audit.h"

static void
print_pair(const char *name, uint64_t value)
{
	printf("%s=%llu ", name, (unsigned long long)value);
}

int
main(int argc, char **argv)
{
	static struct audit audit;
	int argument = 1;

	if (argc > 2 && strcmp(argv[1], "--names") == 0) {
		audit.names = fopen(argv[2], "w");
		if (audit.names == NULL) {
			perror(argv[2]);
			return EXIT_FAILURE;
		}
		argument = 3;
	}
	for (; argument < argc; argument++) {
		if (!audit_add(&audit, argv[argument])) {
			fprintf(stderr, "stream_audit: %s\n", audit.error);
			return EXIT_FAILURE;
		}
	}
	audit_end(&audit);
	if (audit.names != NULL && fclose(audit.names) != 0)
		return EXIT_FAILURE;
	print_pair("streams", audit.streams);
	print_pair("stops", audit.stops);
	print_pair("cut", audit.cut);
	print_pair("frames", audit.frames);
	print_pair("repeated", audit.repeated);
	print_pair("late", audit.late);
	print_pair("missing", audit.missing);
	print_pair("told", audit.told);
	putchar('\n');
	return EXIT_SUCCESS;
}
