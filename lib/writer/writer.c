/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer.c: see writer.h for the drawing.
 *
 * A round (writer_phase.c) does what can be done without waiting; the wait
 * between two rounds is here, and is derived from the phase alone, so that a
 * new phase cannot forget a deadline.
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
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "writer/writer_phase.h"

/* Longest sleep in poll(), in case a clock misbehaves. */
#define WRITER_WAIT_LIMIT_MS 60000
enum dtap_result
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
	writer->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return writer->wake_fd < 0 ? DTAP_E_SYSTEM : DTAP_OK;
}

void
dtap__writer_fini(struct dtap__writer *writer)
{
	if (writer->wake_fd >= 0)
		close(writer->wake_fd);
	writer->wake_fd = -1;
}

static void
writer_wake(struct dtap__writer *writer)
{
	uint64_t one = 1;

	/* Can only fail when the count is full: then it is awake anyway. */
	while (write(writer->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		continue;
}

void
dtap__writer_request_stop(struct dtap__writer *writer, uint64_t deadline_ns)
{
	dtap__store_relaxed(&writer->stop_deadline_ns, deadline_ns);
	/* Pairs with the acquire in dtap__writer_stopping(). */
	dtap__store_release(&writer->stop_requested, true);
	writer_wake(writer);
}

void
dtap__writer_request_reopen(struct dtap__writer *writer)
{
	dtap__store_release(&writer->reopen_requested, true);
	writer_wake(writer);
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
		next = writer->retry_ns;
	else if (writer->phase == DTAP__WRITER_FLOWING && !writer->blocked)
		next = now_ns + writer->idle_ms * DTAP__NS_PER_MS;
	if (dtap__writer_stopping(writer)) {
		uint64_t stop = dtap__load_relaxed(&writer->stop_deadline_ns);

		if (writer->phase == DTAP__WRITER_DOWN)
			next = now_ns;
		if (stop < next)
			next = stop;
	}
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

static void
writer_wait(struct dtap__writer *writer)
{
	uint64_t now_ns = dtap__clock_monotonic_ns();
	int timeout_ms = dtap__clock_wait_ms(
		now_ns, writer_next_round_ns(writer, now_ns),
		WRITER_WAIT_LIMIT_MS);
	short events = writer_poll_events(writer);
	struct pollfd polled[2] = {
		{ writer->wake_fd, POLLIN, 0 },
		{ -1, events, 0 },
	};
	uint64_t wakes;

	if (timeout_ms == 0)
		return;
	if (events != 0)
		polled[1].fd = writer->output->ops->get_fd(writer->output);
	/* No descriptor to wait for means that the output is ready. */
	if (writer->blocked && polled[1].fd < 0)
		return;
	poll(polled, 2, timeout_ms);
	if (polled[0].revents != 0)
		while (read(writer->wake_fd, &wakes, sizeof(wakes)) < 0 &&
		       errno == EINTR)
			continue;
}

static void
writer_tick(struct dtap__writer *writer, uint64_t now_ns)
{
	if (writer->config.tick == NULL || now_ns < writer->tick_ns)
		return;
	writer->tick_ns = now_ns + DTAP__NS_PER_SEC;
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
