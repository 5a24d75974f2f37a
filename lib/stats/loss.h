/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loss.h: what a producer has lost since its last frame, as text.
 *
 * The first frame that is published after a loss carries it in Dnstap.extra,
 * as logfmt:
 *
 *   dtap.lost=1532 dtap.cause=full dtap.first=1700000000.000000001
 *   dtap.last=1700000001.250000000
 *
 * (one line; times are those of the first and the last lost event, absent
 * when the event had none). Text, because every reader of dnstap shows
 * `extra` as a string. Causes: full, too-big, invalid, or mixed.
 *
 * Threads: the producer's. Used by tap.
 */
#ifndef DTAP_STATS_LOSS_H
#define DTAP_STATS_LOSS_H

#include <stddef.h>
#include <stdint.h>

#include <dnstap/event.h>

/* Longest text: the keys, three numbers of 20 digits, two of 9, a cause. */
#define DTAP__LOSS_TEXT_MAX 160

enum dtap__loss_cause {
	DTAP__LOSS_FULL = 1,
	DTAP__LOSS_TOO_BIG = 2,
	DTAP__LOSS_INVALID = 4
};

struct dtap__loss_time {
	uint64_t sec;
	uint32_t nsec;
};

struct dtap__loss {
	uint64_t lost;	       /* events since the last report; 0: none */
	unsigned int causes;   /* bits of enum dtap__loss_cause */
	struct dtap__loss_time first;
	struct dtap__loss_time last;
};

/* Notes one lost event; event may be NULL. */
void
dtap__loss_note(struct dtap__loss *loss, enum dtap__loss_cause cause,
		const struct dtap_event *event);

/* Writes the text, not terminated; out has room for DTAP__LOSS_TEXT_MAX. */
size_t
dtap__loss_text(const struct dtap__loss *loss, char *out);

#endif
