/* SPDX-License-Identifier: Apache-2.0 */
/*
 * capture_wake.c: when the reader of the ring wakes up.
 *
 * To wake a process costs the one whose packet it is more than all the rest
 * (microseconds, against a few hundred nanoseconds for a record). So while
 * packets flow, nobody is woken for them: a timer makes the reader look every
 * latency_ms. Only who fills the ring beyond a threshold wakes the reader,
 * once for each drain.
 *
 * When some drains have found nothing, the reader asks to be woken by the
 * first packet, looks once more after latency_ms, for whoever has not seen
 * that yet, and then sets the timer to a second: an idle host is left alone.
 */
#include "sidecar/capture_wake.h"

#include <errno.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define EMPTY_DRAINS_TO_SLEEP 16
#define ASLEEP_MS 1000

static bool
set_timer(struct capture_wake *wake, uint32_t first_us, uint32_t each_ms)
{
	struct itimerspec spec = {
		.it_interval = { each_ms / 1000,
				 (long)(each_ms % 1000) * 1000000 },
		.it_value = { first_us / 1000000,
			      (long)(first_us % 1000000) * 1000 },
	};

	wake->timer_ms = each_ms;
	return timerfd_settime(wake->timer_fd, 0, &spec, NULL) == 0;
}

static bool
watch(struct capture_wake *wake, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };

	return epoll_ctl(wake->poll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

bool
capture_wake_open(struct capture_wake *wake, int ring_fd, uint32_t latency_ms,
		  uint32_t threshold_bytes)
{
	wake->latency_ms = latency_ms > 0 ? latency_ms : 1;
	wake->threshold_bytes = threshold_bytes;
	wake->empty_drains = 0;
	wake->poll_fd = epoll_create1(EPOLL_CLOEXEC);
	wake->timer_fd = timerfd_create(CLOCK_MONOTONIC,
					TFD_CLOEXEC | TFD_NONBLOCK);
	/* Edges: that there is something in the ring is no reason to look. */
	if (wake->poll_fd >= 0 && wake->timer_fd >= 0 &&
	    watch(wake, ring_fd, EPOLLIN | EPOLLET) &&
	    watch(wake, wake->timer_fd, EPOLLIN) &&
	    set_timer(wake, wake->latency_ms * 1000, wake->latency_ms))
		return true;
	capture_wake_close(wake);
	return false;
}

uint32_t
capture_wake_begin(struct capture_wake *wake)
{
	struct epoll_event events[2];
	int count = epoll_wait(wake->poll_fd, events, 2, 0);
	uint64_t times;

	for (int i = 0; i < count; i++)
		if (events[i].data.fd == wake->timer_fd &&
		    read(wake->timer_fd, &times, sizeof(times)) < 0)
			break; /* not yet, after all */
	return wake->empty_drains < EMPTY_DRAINS_TO_SLEEP ?
		       wake->threshold_bytes : 1;
}

void
capture_wake_end(struct capture_wake *wake, enum capture_wake_found found)
{
	uint32_t each_ms = wake->latency_ms;

	if (found != CAPTURE_WAKE_NOTHING)
		wake->empty_drains = 0;
	else if (wake->empty_drains < UINT32_MAX)
		wake->empty_drains++;
	if (wake->empty_drains > EMPTY_DRAINS_TO_SLEEP + 1)
		each_ms = ASLEEP_MS;
	if (found == CAPTURE_WAKE_MORE)
		set_timer(wake, 1, each_ms);
	else if (each_ms != wake->timer_ms)
		set_timer(wake, each_ms * 1000, each_ms);
}

void
capture_wake_close(struct capture_wake *wake)
{
	int saved = errno;

	if (wake->poll_fd >= 0)
		close(wake->poll_fd);
	if (wake->timer_fd >= 0)
		close(wake->timer_fd);
	wake->poll_fd = wake->timer_fd = -1;
	errno = saved;
}
