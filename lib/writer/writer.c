/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer.c: see writer.h for the drawing.
 *
 * A round (writer_phase.c) does what can be done without waiting; the wait
 * between two rounds is here, and is derived from the phase alone, so that a
 * new phase cannot forget a deadline. No wait is longer than latency_ms, which
 * is how requests get noticed and the tick is kept while a peer is stuck.
 *
 * Rejected: an eventfd to be woken through by requests. Hosts that close
 * every descriptor they do not know turn it into a poll() that never waits;
 * hosts that open a file in its place get our octets written into it and
 * theirs eaten; and all eventfds are one inode, so nothing tells that it has
 * happened. It would save a stop a few milliseconds.
 *
 * Rejected: a wake-up by producers when a ring fills. It costs them a load
 * and a branch per event and a system call now and then, and buys nothing
 * over a poll every few milliseconds: on a busy machine the writer is late
 * by its scheduling (tens of milliseconds), not by its timer, and that is
 * what the rings are sized for.
 */
#include "writer/writer.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "writer/writer_phase.h"

void
dtap__writer_init(struct dtap__writer *writer,
		  const struct dtap__writer_config *config,
		  struct dtap__ring_set *set, struct dtap__output *output,
		  struct dtap__log *log)
{
	memset(writer, 0, sizeof(*writer));
	writer->config = *config;
	writer->output = output;
	writer->log = log;
	writer->idle_ms = 1;
	dtap__batch_init(&writer->batch, set);
	dtap__backoff_init(&writer->backoff, config->reconnect_min_ms,
			   config->reconnect_max_ms,
			   dtap__clock_monotonic_ns() ^
				   (uint64_t)(uintptr_t)writer);
}

void
dtap__writer_request_stop(struct dtap__writer *writer, uint64_t deadline_ns)
{
	dtap__store_relaxed(&writer->stop_deadline_ns, deadline_ns);
	/* Pairs with the acquire in dtap__writer_stopping(). */
	dtap__store_release(&writer->stop_requested, true);
}

void
dtap__writer_request_reopen(struct dtap__writer *writer)
{
	dtap__store_release(&writer->reopen_requested, true);
}

bool
dtap__writer_stopping(const struct dtap__writer *writer)
{
	/* Pairs with the release in dtap__writer_request_stop(). */
	return dtap__load_acquire(&writer->stop_requested);
}

/* When the next round is due at the latest. */
static uint64_t
writer_next_round_ns(const struct dtap__writer *writer, uint64_t now_ns)
{
	uint64_t next = writer->deadline_ns;

	if (writer->phase == DTAP__WRITER_DOWN)
		next = dtap__writer_stopping(writer) ? now_ns
						     : writer->retry_ns;
	else if (writer->phase == DTAP__WRITER_FLOWING && !writer->blocked)
		next = now_ns + writer->idle_ms * DTAP__NS_PER_MS;
	return next;
}

/* What of the output's descriptor is worth waking up for. */
static short
writer_poll_events(const struct dtap__writer *writer)
{
	short events = 0;

	if (writer->phase == DTAP__WRITER_DOWN)
		return 0;
	if (writer->blocked || writer->phase == DTAP__WRITER_OPENING)
		events |= POLLOUT;
	if (writer->output->ops->read != NULL &&
	    writer->phase != DTAP__WRITER_OPENING)
		events |= POLLIN;
	return events;
}

/*
 * poll() may be refused: by a limit of no descriptors at all, or a sandbox.
 * Time must pass all the same, or the writer would spin. No wait has a second.
 */
static void
writer_poll(struct pollfd *polled, int timeout_ms)
{
	struct timespec rest = { 0, timeout_ms * (long)DTAP__NS_PER_MS };

	if (poll(polled, 1, timeout_ms) < 0 && errno != EINTR)
		nanosleep(&rest, NULL);
}

static void
writer_wait(struct dtap__writer *writer)
{
	uint64_t now_ns = dtap__clock_monotonic_ns();
	int timeout_ms = dtap__clock_wait_ms(
		now_ns, writer_next_round_ns(writer, now_ns),
		(int)writer->config.latency_ms);
	struct pollfd polled = { -1, writer_poll_events(writer), 0 };

	if (timeout_ms == 0)
		return;
	if (polled.events != 0)
		polled.fd = writer->output->ops->get_fd(writer->output);
	/* No descriptor to wait for means that the output is ready. */
	if (writer->blocked && polled.fd < 0)
		return;
	writer_poll(&polled, timeout_ms);
}

/*
 * About once a second, in every phase. While the output is down no batch
 * notices that producers have gone, and their empty rings would use up the
 * memory of those that come.
 */
static void
writer_tick(struct dtap__writer *writer, uint64_t now_ns)
{
	if (now_ns < writer->tick_ns)
		return;
	writer->tick_ns = now_ns + DTAP__NS_PER_SEC;
	dtap__ring_set_reap(writer->batch.set, false, NULL, NULL);
	if (writer->config.tick != NULL)
		writer->config.tick(writer->config.context);
}

void
dtap__writer_run(struct dtap__writer *writer)
{
	uint64_t now_ns = dtap__clock_monotonic_ns();

	while (dtap__writer_step(writer, now_ns)) {
		writer_tick(writer, now_ns);
		writer_wait(writer);
		now_ns = dtap__clock_monotonic_ns();
	}
}
