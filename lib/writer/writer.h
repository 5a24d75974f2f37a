/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer.h: the one thread that takes frames out of the rings.
 *
 *   DOWN --open--> OPENING --connected--> SHAKING --START sent--> FLOWING
 *    ^                |                     |                       |
 *    |<--- failed, refused, timed out ------+<----- broken ---------+
 *    |                                                              |
 *    +<-- FINISH read, file synced, or timed out -- FINISHING <-----+
 *                                            reopen, rotation, stop
 *
 * Promises
 *  - Waits in one place (poll), with a deadline for everything that a peer
 *    can delay: connect, handshake, progress of writing, FINISH.
 *  - Discards nothing: what cannot be written stays in the rings, and loss
 *    happens where events come in.
 *  - Ends within its stop deadline, whatever the peer does; a file system
 *    that hangs in write() or fdatasync() is the one thing that can hold it.
 *  - Looks at the rings every millisecond while there is traffic and backs
 *    off to latency_ms while there is none. Producers never wake it.
 *  - Allocates nothing while it runs.
 *
 * Threads: init and fini by the owner, run by the writer thread, the
 * requests by any thread. Used by tap.
 */
#ifndef DTAP_WRITER_WRITER_H
#define DTAP_WRITER_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include <dnstap/result.h>

#include "base/atomic.h"
#include "base/log.h"
#include "frame/frame_session.h"
#include "output/output.h"
#include "stats/ledger.h"
#include "writer/writer_backoff.h"
#include "writer/writer_batch.h"

struct dtap__writer_config {
	const char *where;  /* the output's URI, for logs; borrowed */
	/* Called about once a second while the writer runs; NULL: never. */
	void (*tick)(void *context);
	void *context;
	bool bidirectional; /* wanted; the output may have no read */
	uint64_t latency_ms;
	uint64_t connect_timeout_ms;
	uint64_t handshake_timeout_ms;
	uint64_t write_timeout_ms;
	uint64_t reconnect_min_ms;
	uint64_t reconnect_max_ms;
};

enum dtap__writer_phase {
	DTAP__WRITER_DOWN,
	DTAP__WRITER_OPENING,
	DTAP__WRITER_SHAKING,
	DTAP__WRITER_FLOWING,
	DTAP__WRITER_FINISHING,
	DTAP__WRITER_ENDED
};

struct dtap__writer {
	/* Immutable after init. */
	struct dtap__writer_config config;
	struct dtap__output *output;
	struct dtap__log *log;

	/* Requests, from any thread. */
	dtap__atomic(bool) stop_requested;
	dtap__atomic(uint64_t) stop_deadline_ns; /* set before the request */
	dtap__atomic(bool) reopen_requested;

	/* The writer thread's own. */
	enum dtap__writer_phase phase;
	struct dtap__session session;
	struct dtap__batch batch;
	struct dtap__backoff backoff;
	uint64_t retry_ns;	/* DOWN: when to open */
	uint64_t tick_ns;	/* when to reap and call config.tick next */
	uint64_t deadline_ns;	/* of the phase, or of progress */
	uint64_t flowing_ns;	/* FLOWING: since when */
	uint64_t idle_ms;	/* FLOWING: how long to rest */
	uint64_t session_frames; /* written since START */
	bool blocked;		/* the output takes no more for now */
	bool reopening;		/* FINISHING for a new file or connection */
	bool drained;		/* FLOWING: the last look found nothing */
	bool last_try;		/* tried since the stop, in vain so far */
	bool complete;		/* ENDED: all was delivered */

	struct dtap__ledger ledger;
};

/* The output, the set and the log are borrowed. */
void
dtap__writer_init(struct dtap__writer *writer,
		  const struct dtap__writer_config *config,
		  struct dtap__ring_set *set, struct dtap__output *output,
		  struct dtap__log *log);

/* The body of the writer thread: returns when the stop is done. */
void
dtap__writer_run(struct dtap__writer *writer);

void
dtap__writer_request_stop(struct dtap__writer *writer, uint64_t deadline_ns);

void
dtap__writer_request_reopen(struct dtap__writer *writer);

#endif
