/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics_serve.h: the counters over HTTP, on a Unix socket or loopback.
 *
 * GET and HEAD of any path yield the text; all else is refused. The thread
 * that polls the descriptor serves: no thread is made. By libmicrohttpd.
 */
#ifndef DTAP_SIDECAR_METRICS_SERVE_H
#define DTAP_SIDECAR_METRICS_SERVE_H

#include <stdbool.h>
#include <stddef.h>

#include "sidecar/metrics.h"

struct metrics_server;

/* Fills the text; returns its length. */
typedef size_t
metrics_source(void *user, char text[METRICS_TEXT_BYTES]);

/* where: unix:PATH, 127.0.0.1:PORT or [::1]:PORT. NULL with *why for the
 * operator. A socket that is in the way at PATH is replaced. */
struct metrics_server *
metrics_serve(const char *where, metrics_source *source, void *user,
	      const char **why);

/* To be polled for POLLIN; -1 without a server. */
int
metrics_serve_descriptor(const struct metrics_server *server);

void
metrics_serve_run(struct metrics_server *server);

void
metrics_serve_end(struct metrics_server **server);

#endif
