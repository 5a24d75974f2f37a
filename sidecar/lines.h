/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lines.h: what --print writes, to a descriptor that may not be read.
 *
 * Who reads slowly is waited for: what comes meanwhile is in the kernel's
 * ring, or lost there and counted. Only the end of the program does not wait:
 * neither once lines_hurry() was called, nor while SIGTERM or SIGINT is
 * pending, which have to be blocked. One thread.
 */
#ifndef DTAP_SIDECAR_LINES_H
#define DTAP_SIDECAR_LINES_H

#include <stdbool.h>

#include <dnstap/reader.h>

#include "cat/cat_print.h"

struct lines {
	struct text text; /* its error: of the first write that failed */
	int terminal;     /* opened once more; -1: it is none */
	bool hurry;
};

/* The descriptor stays the caller's, and as it is. */
void
lines_init(struct lines *lines, int fd);

/* Flushes nothing. */
void
lines_fini(struct lines *lines);

/* After an error nothing is written any more. */
void
lines_add(struct lines *lines, const struct dtap_message *message);

void
lines_flush(struct lines *lines);

/* From now on a second is enough, each time. */
void
lines_hurry(struct lines *lines);

#endif
