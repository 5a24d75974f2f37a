/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer_phase.c: what the writer does in each of its phases.
 *
 * One function per phase, called once per round with the time of the round.
 * It does what can be done without waiting and may change the phase; all
 * waiting is writer.c's. Whatever goes wrong ends in one of two places:
 * writer_fail_open() before frames have flowed, writer_break() after.
 *
 * Threads: the writer's.
 */
#include "writer/writer_phase.h"

#include <errno.h>

#include "base/clock.h"

/* A batch at least this large means traffic: look again at once. */
#define WRITER_BUSY_BYTES ((size_t)32 * 1024)
/* Batches in a row before requests are looked at again. */
#define WRITER_BATCHES_PER_ROUND 16

/* enum dtap_log_level, which base/log.h takes as plain numbers. */
enum { WRITER_LOG_WARNING = 2, WRITER_LOG_NOTICE = 3 };

static void
writer_set_phase(struct dtap__writer *writer, enum dtap__writer_phase phase,
		 uint64_t deadline_ns)
{
	writer->phase = phase;
	writer->deadline_ns = deadline_ns;
	writer->blocked = false;
	dtap__store_relaxed(&writer->ledger.connected,
			    phase == DTAP__WRITER_FLOWING);
}

/* Gives up the file or connection; frames in progress will be sent again. */
static void
writer_drop_output(struct dtap__writer *writer)
{
	writer->output->ops->close(writer->output);
	dtap__batch_forget_partial(&writer->batch);
	writer->session_frames = 0;
}

/* In the ledger, and in the log. What outputs complain of names them already;
 * what we do does not. */
static void
writer_note_problem(struct dtap__writer *writer, enum dtap__log_cause cause,
		    const char *why, const char *then)
{
	bool named = why == writer->output->error;

	dtap__store_relaxed(&writer->ledger.last_errno,
			    writer->output->system_errno);
	dtap__log(writer->log, cause, WRITER_LOG_WARNING,
		  "dnstap output %s%s%s%s", named ? "" : writer->config.where,
		  named ? "" : ": ", why, then);
}

/* The output failed, and is opened again later. */
static void
writer_retreat(struct dtap__writer *writer, uint64_t now_ns,
	       enum dtap__log_cause cause, const char *why)
{
	writer_drop_output(writer);
	writer_note_problem(writer, cause, why, "; will try again");
	writer->retry_ns = now_ns + dtap__backoff_next_ns(&writer->backoff);
	writer_set_phase(writer, DTAP__WRITER_DOWN, DTAP__NEVER);
}

/* Before frames flowed. */
static void
writer_fail_open(struct dtap__writer *writer, uint64_t now_ns,
		 enum dtap__log_cause cause, const char *why)
{
	dtap__count_add(&writer->ledger.open_failures, 1);
	writer_retreat(writer, now_ns, cause, why);
}

/* While frames flowed. */
static void
writer_break(struct dtap__writer *writer, uint64_t now_ns, const char *why)
{
	dtap__count_add(&writer->ledger.broken_sessions, 1);
	/* Some peers take every connection and drop it: only a session that
	 * lasted longer than we would wait next earns a short wait. */
	if (now_ns - writer->flowing_ns >= writer->backoff.delay_ns)
		dtap__backoff_reset(&writer->backoff);
	writer_retreat(writer, now_ns, DTAP__LOG_BROKEN, why);
}

/* Tells the output where the last whole frame ends. */
static void
writer_mark(struct dtap__writer *writer)
{
	if (writer->output->ops->mark != NULL)
		writer->output->ops->mark(
			writer->output,
			dtap__batch_partial_bytes(&writer->batch));
}

/* Sends control octets that are due. DTAP_AGAIN: the output is full. */
static enum dtap_result
writer_send_control(struct dtap__writer *writer)
{
	const uint8_t *octets;
	size_t bytes;

	while ((bytes = dtap__session_pending(&writer->session, &octets)) > 0) {
		struct iovec part = { (void *)(uintptr_t)octets, bytes };
		size_t taken = 0;
		enum dtap_result result = writer->output->ops->write(
			writer->output, &part, 1, &taken);

		dtap__session_sent(&writer->session, taken);
		dtap__count_add(&writer->ledger.written_bytes, taken);
		if (result != DTAP_OK)
			return result;
		if (taken == bytes)
			writer_mark(writer);
	}
	return DTAP_OK;
}

/* Hands the session what the peer has sent. */
static enum dtap_result
writer_receive(struct dtap__writer *writer)
{
	uint8_t octets[1024];
	enum dtap_result result;
	size_t got = 0;

	if (writer->output->ops->read == NULL)
		return DTAP_OK;
	result = writer->output->ops->read(writer->output, octets,
					   sizeof(octets), &got);
	if (result == DTAP_AGAIN)
		return DTAP_OK;
	if (result != DTAP_OK)
		return result;
	return dtap__session_received(&writer->session, octets, got);
}

/* The text for a log: the session's complaint, or the output's, or ours that
 * time is up. */
static const char *
writer_complaint(struct dtap__writer *writer, enum dtap_result result,
		 const char *late)
{
	if (result == DTAP_OK || result == DTAP_AGAIN) {
		writer->output->system_errno = ETIMEDOUT;
		return late;
	}
	if (writer->session.error[0] != '\0')
		return writer->session.error;
	if (writer->output->error[0] != '\0')
		return writer->output->error;
	return "the peer closed the connection";
}

static void
writer_step_opening(struct dtap__writer *writer, uint64_t now_ns)
{
	enum dtap_result result = writer->output->ops->open(writer->output);

	if (result == DTAP_AGAIN && now_ns < writer->deadline_ns)
		return;
	if (result == DTAP_AGAIN) {
		writer->output->system_errno = ETIMEDOUT;
		writer_fail_open(writer, now_ns, DTAP__LOG_OPEN,
				 "connecting took too long");
		return;
	}
	if (result != DTAP_OK) {
		writer_fail_open(writer, now_ns, DTAP__LOG_OPEN,
				 writer->output->error);
		return;
	}
	dtap__session_begin(&writer->session,
			    writer->config.bidirectional &&
				    writer->output->ops->read != NULL);
	writer_set_phase(writer, DTAP__WRITER_SHAKING,
			 now_ns + writer->config.handshake_timeout_ms *
					  DTAP__NS_PER_MS);
}

/* The output has been tried at least once, and there is nothing to deliver. */
static bool
writer_may_leave(struct dtap__writer *writer)
{
	return dtap__load_relaxed(&writer->ledger.sessions) +
			       dtap__load_relaxed(
				       &writer->ledger.open_failures) > 0 &&
	       dtap__batch_collect(&writer->batch, SIZE_MAX) == 0;
}

static void
writer_step_down(struct dtap__writer *writer, uint64_t now_ns)
{
	bool stopping = dtap__writer_stopping(writer);

	if (!stopping && now_ns < writer->retry_ns)
		return;
	if (stopping && (writer->last_try || writer_may_leave(writer))) {
		writer->complete = !writer->last_try;
		writer_set_phase(writer, DTAP__WRITER_ENDED, DTAP__NEVER);
		return;
	}
	writer->last_try = stopping;
	/* A reopen that was asked for before is served by this open. */
	dtap__store_relaxed(&writer->reopen_requested, false);
	writer_set_phase(writer, DTAP__WRITER_OPENING,
			 now_ns + writer->config.connect_timeout_ms *
					  DTAP__NS_PER_MS);
	writer_step_opening(writer, now_ns);
}

static void
writer_begin_flow(struct dtap__writer *writer, uint64_t now_ns)
{
	dtap__count_add(&writer->ledger.sessions, 1);
	dtap__log(writer->log, DTAP__LOG_CONNECTED, WRITER_LOG_NOTICE,
		  "dnstap output %s: frames flow", writer->config.where);
	writer->flowing_ns = now_ns;
	writer->idle_ms = 1;
	writer_set_phase(writer, DTAP__WRITER_FLOWING, DTAP__NEVER);
}

static void
writer_step_shaking(struct dtap__writer *writer, uint64_t now_ns)
{
	enum dtap_result result = writer_send_control(writer);
	bool failed;

	writer->blocked = result == DTAP_AGAIN;
	if (result == DTAP_OK || result == DTAP_AGAIN)
		result = writer_receive(writer);
	if (result == DTAP_OK && !writer->blocked)
		result = writer_send_control(writer);
	failed = result != DTAP_OK && result != DTAP_AGAIN;
	if (!failed && dtap__session_flows(&writer->session))
		writer_begin_flow(writer, now_ns);
	else if (failed || now_ns >= writer->deadline_ns)
		writer_fail_open(writer, now_ns, DTAP__LOG_HANDSHAKE,
				 writer_complaint(writer, result,
						  "the peer sent no ACCEPT"));
}

/* Accounts for what the output took of the batch. */
static void
writer_account(struct dtap__writer *writer, size_t taken)
{
	uint64_t frames = dtap__batch_taken(&writer->batch, taken);

	writer->session_frames += frames;
	dtap__count_add(&writer->ledger.written_bytes, taken);
	/* Release: whoever reads it sees the rings' tails moved, too. */
	dtap__store_release(&writer->ledger.written,
			    dtap__load_relaxed(&writer->ledger.written) +
				    frames);
	if (frames == 0)
		return;
	writer_mark(writer);
	/* Only a frame is progress: many a session breaks at its first. */
	writer->last_try = false;
}

/* One batch, and at most limit octets beyond the frame in progress. DTAP_OK:
 * taken whole; *bytes: what there was to take. */
static enum dtap_result
writer_write_batch(struct dtap__writer *writer, size_t limit, size_t *bytes)
{
	struct dtap__batch *batch = &writer->batch;
	enum dtap_result result;
	size_t taken = 0;

	*bytes = dtap__batch_collect(batch, limit);
	if (*bytes == 0)
		return DTAP_OK;
	result = writer->output->ops->write(writer->output, batch->parts,
					    batch->count, &taken);
	writer_account(writer, taken);
	/* A short count means that the output is full, or nearly so. */
	if (result == DTAP_OK && taken < *bytes)
		result = DTAP_AGAIN;
	if (taken > 0)
		writer->deadline_ns = DTAP__NEVER;
	return result;
}

/* Octets that fit before rotation is due; 0 when it is. */
static size_t
writer_room(const struct dtap__writer *writer, uint64_t now_ns)
{
	const struct dtap__output_ops *ops = writer->output->ops;
	uint64_t room = UINT64_MAX;

	if (ops->room != NULL)
		room = ops->room(writer->output, now_ns);
	return room < SIZE_MAX ? (size_t)room : SIZE_MAX;
}

/* How long to rest after a round that moved so many octets, the last batch
 * of which had so many. */
static uint64_t
writer_rest_ms(const struct dtap__writer *writer, size_t moved, size_t last)
{
	uint64_t longer_ms = writer->idle_ms * 2 + 1;

	if (last >= WRITER_BUSY_BYTES)
		return 0;
	if (moved > 0)
		return 1;
	return longer_ms < writer->config.latency_ms
		       ? longer_ms
		       : writer->config.latency_ms;
}

/* Batches until the rings are nearly empty, at the end until they are. */
static enum dtap_result
writer_drain(struct dtap__writer *writer, uint64_t now_ns)
{
	size_t enough = dtap__writer_stopping(writer) ? 1 : WRITER_BUSY_BYTES;
	enum dtap_result result = DTAP_OK;
	size_t bytes = 0;
	size_t moved = 0;

	for (int i = 0; i < WRITER_BATCHES_PER_ROUND; i++) {
		size_t room = writer_room(writer, now_ns);

		result = writer_write_batch(writer, room, &bytes);
		moved += bytes;
		if (result != DTAP_OK || bytes < enough || bytes >= room)
			break;
	}
	writer->drained = bytes == 0;
	writer->idle_ms = writer_room(writer, now_ns) == 0
				  ? 0
				  : writer_rest_ms(writer, moved, bytes);
	if (writer->batch.retired)
		dtap__ring_set_reap(writer->batch.set, false, NULL, NULL);
	return result;
}

/* Whether the session should end now, and whether another is to follow. */
static bool
writer_wants_finish(struct dtap__writer *writer, uint64_t now_ns)
{
	writer->reopening = dtap__load_acquire(&writer->reopen_requested) ||
			    writer_room(writer, now_ns) == 0;
	return writer->reopening || dtap__writer_stopping(writer);
}

static void
writer_begin_finish(struct dtap__writer *writer, uint64_t now_ns)
{
	dtap__store_relaxed(&writer->reopen_requested, false);
	dtap__session_finish(&writer->session);
	writer_set_phase(writer, DTAP__WRITER_FINISHING,
			 now_ns + writer->config.handshake_timeout_ms *
					  DTAP__NS_PER_MS);
}

/* Waiting for room: the first time sets the deadline of progress. */
static void
writer_note_blocked(struct dtap__writer *writer, uint64_t now_ns)
{
	writer->blocked = true;
	if (writer->deadline_ns == DTAP__NEVER)
		writer->deadline_ns = now_ns + writer->config.write_timeout_ms *
						       DTAP__NS_PER_MS;
}

static void
writer_step_flowing(struct dtap__writer *writer, uint64_t now_ns)
{
	bool finish = writer_wants_finish(writer, now_ns);
	enum dtap_result result = writer_receive(writer);
	size_t bytes = 0;

	writer->blocked = false;
	if (result == DTAP_OK && writer->reopening)
		result = writer_write_batch(writer, 0, &bytes);
	else if (result == DTAP_OK)
		result = writer_drain(writer, now_ns);

	if (result == DTAP_AGAIN && now_ns < writer->deadline_ns) {
		writer_note_blocked(writer, now_ns);
	} else if (result != DTAP_OK) {
		writer_break(writer, now_ns,
			     writer_complaint(writer, result,
					      "the peer takes no more frames"));
	} else if (finish && (writer->reopening || writer->drained)) {
		writer_begin_finish(writer, now_ns);
	}
}

/* Whether the file has reached the disk; true for what is no file. */
static bool
writer_sync(struct dtap__writer *writer)
{
	struct dtap__output *output = writer->output;

	if (output->ops->sync == NULL || output->ops->sync(output) == DTAP_OK)
		return true;
	writer_note_problem(writer, DTAP__LOG_BROKEN, output->error, "");
	return false;
}

/* The stream has ended: as it should (complete), or for good. */
static void
writer_end_session(struct dtap__writer *writer, uint64_t now_ns, bool complete)
{
	/* Release: whoever reads it sees written, too: never less. */
	if (complete && (writer->output->ops->sync != NULL ||
			 dtap__session_confirmed(&writer->session)))
		dtap__store_release(
			&writer->ledger.confirmed,
			dtap__load_relaxed(&writer->ledger.confirmed) +
				writer->session_frames);
	if (complete) {
		dtap__backoff_reset(&writer->backoff);
		/* It works: what is left has a try of its own. */
		writer->last_try = false;
	}
	if (writer->reopening)
		dtap__count_add(&writer->ledger.rotations, 1);
	writer_drop_output(writer);
	writer->complete = complete;
	writer->retry_ns = now_ns;
	writer_set_phase(writer,
			 writer->reopening ? DTAP__WRITER_DOWN
					   : DTAP__WRITER_ENDED,
			 DTAP__NEVER);
}

static void
writer_step_finishing(struct dtap__writer *writer, uint64_t now_ns)
{
	enum dtap_result result = writer_send_control(writer);

	writer->blocked = result == DTAP_AGAIN;
	if (result == DTAP_OK || result == DTAP_AGAIN)
		result = writer_receive(writer);
	if (writer->session.state == DTAP__SESSION_DONE) {
		writer_end_session(writer, now_ns, writer_sync(writer));
		return;
	}
	if (result == DTAP_OK && now_ns < writer->deadline_ns)
		return;
	dtap__count_add(&writer->ledger.broken_sessions, 1);
	writer_note_problem(writer, DTAP__LOG_BROKEN,
			    writer_complaint(writer, result,
					     "the peer sent no FINISH"), "");
	writer_end_session(writer, now_ns, false);
}

/* One call of the phase's function; true when it changed the phase. */
static bool
writer_step_phase(struct dtap__writer *writer, uint64_t now_ns)
{
	static void (*const steps[])(struct dtap__writer *, uint64_t) = {
		[DTAP__WRITER_DOWN] = writer_step_down,
		[DTAP__WRITER_OPENING] = writer_step_opening,
		[DTAP__WRITER_SHAKING] = writer_step_shaking,
		[DTAP__WRITER_FLOWING] = writer_step_flowing,
		[DTAP__WRITER_FINISHING] = writer_step_finishing,
	};
	enum dtap__writer_phase before = writer->phase;

	if (before != DTAP__WRITER_ENDED)
		steps[before](writer, now_ns);
	return writer->phase != before;
}

bool
dtap__writer_step(struct dtap__writer *writer, uint64_t now_ns)
{
	bool expired = dtap__writer_stopping(writer) &&
		       now_ns >=
			       dtap__load_relaxed(&writer->stop_deadline_ns);

	/* What needs no waiting is still done when the time is up. Not to go
	 * round for ever, the clock is looked at again when back in DOWN. */
	while (writer_step_phase(writer, now_ns) &&
	       writer->phase != DTAP__WRITER_DOWN)
		continue;
	if (expired && writer->phase != DTAP__WRITER_ENDED) {
		writer_drop_output(writer);
		/* A session that ended before this one may have set it. */
		writer->complete = false;
		writer_set_phase(writer, DTAP__WRITER_ENDED, DTAP__NEVER);
	}
	return writer->phase != DTAP__WRITER_ENDED;
}
