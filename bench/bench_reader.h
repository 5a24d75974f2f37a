/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_reader.h: a collector in a process of its own, on the first CPU. It
 * answers the handshake of Frame Streams and discards what it reads.
 */
#ifndef DTAP_BENCH_READER_H
#define DTAP_BENCH_READER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum bench_medium {
	BENCH_FILE,
	BENCH_UNIX,
	BENCH_TCP
};

struct bench_reader {
	pid_t process;
	int from;	/* what it reports */
	char uri[128];	/* where it listens */
};

/* To be called while this process has one thread. Unix or TCP. */
void
bench_reader_start(struct bench_reader *reader, enum bench_medium medium);

/* Until the handshake is done. */
void
bench_reader_await(struct bench_reader *reader);

/* When the next octets arrived at the reader, on the clock of bench.h. */
uint64_t
bench_reader_next_ns(struct bench_reader *reader);

/* Until it has ended, which it does after STOP. Returns the octets read. */
uint64_t
bench_reader_finish(struct bench_reader *reader);

#endif
