/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit.h: what a reader got, event by event.
 *
 * Events are told apart by the query name that tools/gen/gen_message.c gives
 * them: thread and sequence number. Within a thread sequence numbers only
 * grow, over all streams in the order in which they were received.
 */
#ifndef DTAP_TESTS_AUDIT_H
#define DTAP_TESTS_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define AUDIT_THREADS 64

/* What has been seen of one thread: a bit for each sequence number. */
struct audit_thread {
	uint8_t *seen;
	size_t seen_bytes;
	uint64_t end; /* beyond the last of them */
};

struct audit {
	uint64_t streams;
	uint64_t stops;	   /* streams that ended with STOP */
	uint64_t cut;	   /* streams that ended anywhere else ... */
	uint64_t torn;	   /* ... and of these, within a frame */
	uint64_t frames;   /* whole ones */
	uint64_t repeated; /* frames that had been there before */
	uint64_t late;	   /* frames that came behind a later one */
	uint64_t missing;  /* sequence numbers below a thread's last */
	uint64_t told;	   /* losses that the stream itself tells of */
	struct audit_thread threads[AUDIT_THREADS];
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

/* Frees what it remembers of events; the numbers stay. */
void
audit_end(struct audit *audit);

#endif
