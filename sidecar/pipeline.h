/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipeline.h: from packets to frames, in one thread.
 *
 *   capture -> UDP ------------------> exchange -> emit -> libdtap
 *          \-> TCP -> reassembly ---/          \-> print
 */
#ifndef DTAP_SIDECAR_PIPELINE_H
#define DTAP_SIDECAR_PIPELINE_H

#include <stddef.h>

#include <dnstap/dtap.h>

#include "sidecar/capture.h"
#include "sidecar/metrics.h"
#include "sidecar/sidecar_options.h"

struct pipeline;

/* NULL without memory. The options stay the caller's, and in use. */
struct pipeline *
pipeline_new(const struct sidecar_options *options);

void
pipeline_free(struct pipeline **pipeline);

/* For capture_open(): user is the pipeline. */
void
pipeline_packet(void *user, const struct packet *packet);

/* Where events go from now on; NULL: nowhere. */
void
pipeline_connect(struct pipeline *pipeline, dtap_producer *producer);

/*
 * Ends waits; returns how long nothing will be late, in ms. To be called after
 * each drain: if that brought packets, there may be more, and what waits for
 * one does so until the time of the last; if not, all has come that came
 * before the previous call.
 */
int
pipeline_expire(struct pipeline *pipeline);

/* The end is near: who does not read what is printed is not waited for. */
void
pipeline_hurry(struct pipeline *pipeline);

/* Hands on all that was held back, and writes out what was printed. */
void
pipeline_flush(struct pipeline *pipeline);

/* Why standard output takes no more; 0: it does. */
int
pipeline_print_error(const struct pipeline *pipeline);

/* All counters but those of the capture and of the tap. */
void
pipeline_count(const struct pipeline *pipeline, struct metrics_view *view);

#endif
