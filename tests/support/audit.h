/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit.h: what a reader got, event by event.
 *
 * Events are told apart by the query name that tools/gen/gen_message.c gives
 * them: thread and sequence number. The streams of one run are added in the
 * order in which they were received; within a thread sequence numbers only
 * grow, over all of them.
 */
#ifndef DTAP_TESTS_AUDIT_H
#define DTAP_TESTS_AUDIT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define AUDIT_THREADS 64

struct audit {
	uint64_t streams;
	uint64_t stops;	   /* streams that ended with STOP */
	uint64_t cut;	   /* streams that ended anywhere else */
	uint64_t frames;   /* whole ones */
	uint64_t repeated; /* frames not later than one before them */
	uint64_t missing;  /* sequence numbers that were passed over */
	uint64_t told;	   /* losses that the stream itself tells of */
	uint64_t next[AUDIT_THREADS]; /* sequence number that may come */
	FILE *names;	   /* NULL, or where each query name goes */
	char error[256];   /* why a stream is malformed */
};

/*
 * Adds the stream in a file; what a bidirectional writer sent, too. It may
 * end anywhere, as a connection may. False when it is malformed before that,
 * or holds an event that dtap-gen does not make.
 */
bool
audit_add(struct audit *audit, const char *path);

#endif
