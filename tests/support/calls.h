/* SPDX-License-Identifier: Apache-2.0 */
/*
 * calls.h: system calls of the library that fail on demand.
 *
 * Every call that lib/ makes on descriptors, and those that give memory and
 * threads, pass through a wrapper that the linker puts in their place
 * (calls_ldflags in tests/fault/Makefile.inc). While a script is in force they
 * are counted, each kind for itself, and those that the script names fail.
 */
#ifndef DTAP_TESTS_CALLS_H
#define DTAP_TESTS_CALLS_H

#include <stdbool.h>

enum calls_kind {
	CALLS_OPEN,
	CALLS_CLOSE,
	CALLS_FSTAT,
	CALLS_LSTAT,
	CALLS_FCNTL,
	CALLS_FLOCK,
	CALLS_FCHMOD,
	CALLS_WRITEV,
	CALLS_FDATASYNC,
	CALLS_SYNC_FILE_RANGE,
	CALLS_FTRUNCATE,
	CALLS_LINK,
	CALLS_UNLINK,
	CALLS_RENAMEAT2,
	CALLS_GETDENTS64,
	CALLS_SOCKET,
	CALLS_CONNECT,
	CALLS_SETSOCKOPT,
	CALLS_GETSOCKOPT,
	CALLS_GETSOCKNAME,
	CALLS_GETPEERNAME,
	CALLS_SHUTDOWN,
	CALLS_SENDMSG,
	CALLS_RECV,
	CALLS_POLL,
	CALLS_MEMFD_CREATE,
	CALLS_POSIX_FALLOCATE,
	CALLS_MMAP,
	CALLS_PTHREAD_CREATE,
	CALLS_KINDS
};

/* In the place of an errno: one octet is taken or given, and no more. */
#define CALLS_SHORT (-1)

#define CALLS_ERRORS_MAX 6

/* What a kind of call may fail with; ends with 0. */
struct calls_row {
	const char *name;
	int errors[CALLS_ERRORS_MAX + 1];
};

extern const struct calls_row calls_table[CALLS_KINDS];

/*
 * The number-th call of its kind fails, from 1 on; for ever: and all that
 * follow. Nothing is interrupted for ever: of those calls one in three gets
 * through.
 */
struct calls_fault {
	enum calls_kind kind;
	unsigned int number;
	int error;
	bool for_ever;
};

#define CALLS_FAULTS_MAX 8

struct calls_script {
	struct calls_fault faults[CALLS_FAULTS_MAX];
	unsigned int count;
};

const char *
calls_error_name(int error);

/* From here on calls are counted, from 0, and the script is obeyed. */
void
calls_begin(const struct calls_script *script);

/* Calls do again what they always do. The counts stay. */
void
calls_end(void);

/* How many there were of a kind. */
unsigned int
calls_seen(enum calls_kind kind);

/* How often a fault of the script has struck. */
unsigned int
calls_hits(unsigned int fault);

#endif
