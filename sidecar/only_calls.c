/* SPDX-License-Identifier: Apache-2.0 */
/*
 * only_calls.c: runs a program that is killed when it makes a system call
 * whose name is not a line of the file: what SystemCallFilter= of systemd
 * does, for test_sidecar.sh.
 *
 *	only_calls FILE PROGRAM [ARGUMENT ...]
 */
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A name that this architecture or library does not know is left out. */
static bool
allow(scmp_filter_ctx filter, FILE *names)
{
	char name[64];

	while (names != NULL && fgets(name, sizeof(name), names) != NULL) {
		int call;

		name[strcspn(name, "\n")] = '\0';
		call = seccomp_syscall_resolve_name(name);
		if (call != __NR_SCMP_ERROR &&
		    seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0) != 0)
			return false;
	}
	return names != NULL && fclose(names) == 0;
}

int
main(int argc, char **argv)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);

	if (argc < 3 || filter == NULL ||
	    !allow(filter, fopen(argv[1], "re")) ||
	    seccomp_load(filter) != 0) {
		fputs("only_calls: no filter\n", stderr);
		return EXIT_FAILURE;
	}
	execv(argv[2], argv + 2);
	perror(argv[2]);
	return EXIT_FAILURE;
}
