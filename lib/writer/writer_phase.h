/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer_phase.h: the writer's state machine, apart from its thread.
 *
 * Threads: the writer's. Used by writer, and by tests that look between the
 * rounds.
 */
#ifndef DTAP_WRITER_WRITER_PHASE_H
#define DTAP_WRITER_WRITER_PHASE_H

#include "writer/writer.h"

/*
 * Does what can be done without waiting. False when the writer has ended.
 * now_ns: monotonic.
 */
bool
dtap__writer_step(struct dtap__writer *writer, uint64_t now_ns);

/* Whether dtap__writer_request_stop() was called. */
bool
dtap__writer_stopping(const struct dtap__writer *writer);

#endif
