/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unbound_callbacks.c: six symbols that must exist.
 *
 * util/fptr_wlist.c takes the addresses of the event callbacks of unbound's
 * own dnstap thread, to compare them with what is about to be called. Our
 * writer uses no libevent: nobody ever calls these.
 */
#include "unbound_host.h"

void
mq_wakeup_cb(void *argument)
{
	(void)argument;
}

void
dtio_reconnect_timeout_cb(int fd, short events, void *argument)
{
	(void)fd;
	(void)events;
	(void)argument;
}

void
dtio_output_cb(int fd, short events, void *argument)
{
	(void)fd;
	(void)events;
	(void)argument;
}

void
dtio_cmd_cb(int fd, short events, void *argument)
{
	(void)fd;
	(void)events;
	(void)argument;
}

void
dtio_stop_timer_cb(int fd, short events, void *argument)
{
	(void)fd;
	(void)events;
	(void)argument;
}

void
dtio_stop_ev_cb(int fd, short events, void *argument)
{
	(void)fd;
	(void)events;
	(void)argument;
}
