/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.c: see log.h.
 *
 * The decision is taken under the lock, the callback runs outside it: a host
 * that logs slowly delays the writer thread, never another thread that wants
 * to log. A line that does not fit DTAP__LOG_LINE_BYTES is cut.
 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

void
dtap__log_init(struct dtap__log *log, dtap__log_sink *sink, void *user)
{
	memset(log, 0, sizeof(*log));
	log->sink = sink;
	log->user = user;
	pthread_mutex_init(&log->lock, NULL);
}

void
dtap__log_fini(struct dtap__log *log)
{
	pthread_mutex_destroy(&log->lock);
}

void
dtap__log_silence(struct dtap__log *log)
{
	pthread_mutex_lock(&log->lock);
	log->silent = true;
	pthread_mutex_unlock(&log->lock);
}

/* Takes a turn for the cause; *held_back tells how many lines had none. */
static bool
log_take_turn(struct dtap__log *log, enum dtap__log_cause cause,
	      uint64_t *held_back)
{
	uint64_t now = dtap__clock_monotonic_ns();
	bool turn;

	pthread_mutex_lock(&log->lock);
	turn = !log->silent &&
	       (cause == DTAP__LOG_STATE || log->causes[cause].last_ns == 0 ||
		now - log->causes[cause].last_ns >= DTAP__LOG_INTERVAL_NS);
	if (turn) {
		*held_back = log->causes[cause].held_back;
		log->causes[cause].held_back = 0;
		log->causes[cause].last_ns = now;
	} else {
		log->causes[cause].held_back++;
	}
	pthread_mutex_unlock(&log->lock);
	return turn;
}

void
dtap__log(struct dtap__log *log, enum dtap__log_cause cause, int level,
	  const char *format, ...)
{
	char line[DTAP__LOG_LINE_BYTES];
	uint64_t held_back = 0;
	size_t length;
	va_list arguments;

	if (log->sink == NULL || !log_take_turn(log, cause, &held_back))
		return;
	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	length = strlen(line);
	if (held_back > 0)
		snprintf(line + length, sizeof(line) - length,
			 " (%llu more like this in the last while)",
			 (unsigned long long)held_back);
	log->sink(log->user, level, line);
}
