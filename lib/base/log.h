/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.h: log lines for the host's callback, at most one per cause in 30 s.
 *
 * A line that was held back is not lost without a word: the next one of its
 * cause says how many were. Used by writer and tap; output and config
 * return results and texts instead of logging.
 *
 * Threads: any; the state is guarded by a mutex that no producer's submit
 * ever takes.
 */
#ifndef DTAP_BASE_LOG_H
#define DTAP_BASE_LOG_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

/* What a line is about; each cause is throttled for itself. */
enum dtap__log_cause {
	DTAP__LOG_STATE,	/* start and stop: never throttled */
	DTAP__LOG_OPEN,		/* the output cannot be opened */
	DTAP__LOG_HANDSHAKE,	/* the peer does not speak Frame Streams */
	DTAP__LOG_BROKEN,	/* a session broke */
	DTAP__LOG_CONNECTED,	/* frames flow (again) */
	DTAP__LOG_LOSS,		/* events are being dropped */
	DTAP__LOG_LOSS_END,	/* ... and no longer */
	DTAP__LOG_RING,		/* no ring for a producer */
	DTAP__LOG_CAUSES
};

#define DTAP__LOG_INTERVAL_NS (UINT64_C(30) * 1000000000)
#define DTAP__LOG_LINE_BYTES 512

/* Same shape as dtap_log_function, without the public header. */
typedef void
dtap__log_sink(void *user, int level, const char *text);

struct dtap__log {
	dtap__log_sink *sink;	/* NULL: no log; immutable after init */
	void *user;		/* immutable after init */
	pthread_mutex_t lock;	/* guards what follows */
	bool silent;
	struct {
		uint64_t last_ns; /* 0: none yet */
		uint64_t held_back;
	} causes[DTAP__LOG_CAUSES];
};

void
dtap__log_init(struct dtap__log *log, dtap__log_sink *sink, void *user);

void
dtap__log_fini(struct dtap__log *log);

/* No line begins after this; one that another thread is in still ends. */
void
dtap__log_silence(struct dtap__log *log);

/* Levels are those of enum dtap_log_level. */
void
dtap__log(struct dtap__log *log, enum dtap__log_cause cause, int level,
	  const char *format, ...) dtap__printf(4, 5);

#endif
