/* SPDX-License-Identifier: Apache-2.0 */
/*
 * output_memory.h: an output that keeps what it gets and misbehaves on
 * demand. For tests of everything that stands above outputs.
 *
 * It has no descriptor: get_fd is -1 and the caller takes it for always
 * ready. Used by tests. Threads: those of output.h; what it has kept is
 * looked at when the writer thread has ended.
 */
#ifndef DTAP_OUTPUT_OUTPUT_MEMORY_H
#define DTAP_OUTPUT_OUTPUT_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#include "output/output.h"

#define DTAP__MEMORY_SESSIONS_MAX 64

/* What the other side sends once it has got after_bytes in this session. */
struct dtap__memory_reply {
	size_t after_bytes;
	const void *data; /* borrowed as long as the output lives */
	size_t bytes;	  /* at least one */
};

/* How it behaves. All zero: takes everything at once and has no read. */
struct dtap__memory_script {
	unsigned int open_failures; /* first so many opens are refused */
	unsigned int open_agains;   /* then each takes so many DTAP_AGAIN */
	size_t write_max_bytes;	    /* at most so many per write; 0: all */
	unsigned int again_every;   /* every k-th write is DTAP_AGAIN */
	unsigned int breaks;	    /* first so many sessions break ... */
	size_t break_after_bytes;   /* ... when they have so many octets */
	bool readable;		    /* has a read */
	size_t read_max_bytes;	    /* at most so many per read; 0: all */
	const struct dtap__memory_reply *replies; /* borrowed; in order */
	size_t reply_count;
	bool closes; /* ends the session after the last reply */
};

/*
 * Keeps up to capacity_bytes octets, all sessions together; beyond that
 * writes fail with ENOSPC. The script is copied. NULL when memory could not
 * be had.
 */
struct dtap__output *
dtap__output_memory_new(size_t capacity_bytes,
			const struct dtap__memory_script *script);

/* How many times it was opened with success. */
size_t
dtap__output_memory_sessions(const struct dtap__output *output);

/*
 * The octets of one session, from 0; NULL with *bytes 0 when there was none
 * or it is past DTAP__MEMORY_SESSIONS_MAX. Borrowed until free.
 */
const unsigned char *
dtap__output_memory_get(const struct dtap__output *output, size_t session,
			size_t *bytes);

#endif
