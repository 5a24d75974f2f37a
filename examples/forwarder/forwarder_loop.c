/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forwarder_loop.c: one thread of the server, and what its sockets share.
 *
 * All waits of a kind are equally long, so that a list in the order of their
 * beginning is one in the order of their ends.
 */
#include "forwarder.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define LOOP_MS_MAX 1000

uint64_t
clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void
wait_begin(struct wait *list, struct wait *wait, uint64_t until_ms)
{
	wait->until_ms = until_ms;
	wait->previous = list->previous;
	wait->next = list;
	list->previous->next = wait;
	list->previous = wait;
}

/* Harmless for one that has not begun. */
void
wait_end(struct wait *wait)
{
	if (wait->next == NULL)
		return;
	wait->previous->next = wait->next;
	wait->next->previous = wait->previous;
	wait->next = wait->previous = NULL;
}

int
worker_watch(struct worker *worker, struct watch *watch, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = watch };

	return epoll_ctl(worker->epoll, EPOLL_CTL_ADD, watch->fd, &event);
}

void
worker_rewatch(struct worker *worker, struct watch *watch, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = watch };

	epoll_ctl(worker->epoll, EPOLL_CTL_MOD, watch->fd, &event);
}

void
watch_close(struct watch *watch)
{
	if (watch->fd >= 0)
		close(watch->fd);
	watch->fd = -1;
}

bool
transfer_make(struct transfer *transfer, size_t message_bytes)
{
	transfer->octets = malloc(2 + message_bytes);
	if (transfer->octets == NULL)
		return false;
	dns_put16(transfer->octets, (uint16_t)message_bytes);
	transfer->bytes = 2 + message_bytes;
	transfer->done = 0;
	return true;
}

void
transfer_free(struct transfer *transfer)
{
	free(transfer->octets);
	*transfer = (struct transfer){ NULL, 0, 0 };
}

/* Memory for the message, once its length is known. */
static bool
transfer_grow(struct transfer *transfer)
{
	size_t message_bytes = dns_get16(transfer->octets);
	uint8_t *larger;

	if (message_bytes < DNS_HEADER_BYTES)
		return false;
	larger = realloc(transfer->octets, 2 + message_bytes);
	if (larger == NULL)
		return false;
	transfer->octets = larger;
	transfer->bytes = 2 + message_bytes;
	return true;
}

int
transfer_read(struct transfer *transfer, int fd)
{
	if (transfer->octets == NULL && !transfer_make(transfer, 0))
		return -1;
	for (;;) {
		ssize_t got = recv(fd, transfer->octets + transfer->done,
				   transfer->bytes - transfer->done, 0);

		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return 0;
		if (got <= 0)
			return -1;
		transfer->done += (size_t)got;
		if (transfer->done < transfer->bytes)
			continue;
		if (transfer->bytes > 2)
			return 1;
		if (!transfer_grow(transfer))
			return -1;
	}
}

int
transfer_write(struct transfer *transfer, int fd)
{
	while (transfer->done < transfer->bytes) {
		ssize_t sent = send(fd, transfer->octets + transfer->done,
				    transfer->bytes - transfer->done,
				    MSG_NOSIGNAL);

		if (sent < 0 && (errno == EAGAIN || errno == EINTR))
			return 0;
		if (sent < 0)
			return -1;
		transfer->done += (size_t)sent;
	}
	return 1;
}

static void
loop_end(struct worker *worker, struct watch *watch, uint32_t events)
{
	(void)watch;
	(void)events;
	worker->ended = true;
}

#define of_wait(wait, type, member) \
	((type *)(void *)((char *)(wait)-offsetof(type, member)))

/* Ends what is late; returns how long to sleep, in ms. */
static int
loop_expire(struct worker *worker)
{
	uint64_t now_ms = clock_ms();
	uint64_t next_ms = now_ms + LOOP_MS_MAX;
	struct wait *list;

	for (list = &worker->exchanges; list->next != list &&
					list->next->until_ms <= now_ms;)
		upstream_fail(worker,
			      of_wait(list->next, struct exchange, late));
	if (list->next != list && list->next->until_ms < next_ms)
		next_ms = list->next->until_ms;
	for (list = &worker->connections; list->next != list &&
					  list->next->until_ms <= now_ms;)
		connection_close(worker,
				 of_wait(list->next, struct connection, idle));
	if (list->next != list && list->next->until_ms < next_ms)
		next_ms = list->next->until_ms;
	return (int)(next_ms - now_ms);
}

/* One event at a time: it may end what the next one would have been for. */
static void
loop_serve(struct worker *worker)
{
	while (!worker->ended) {
		struct epoll_event event;
		struct watch *watch;

		if (epoll_wait(worker->epoll, &event, 1,
			       loop_expire(worker)) != 1)
			continue;
		watch = event.data.ptr;
		watch->ready(worker, watch, event.events);
	}
}

/* Exchanges and connections that are still there. */
static void
loop_leave(struct worker *worker)
{
	while (worker->exchanges.next != &worker->exchanges)
		exchange_end(worker, of_wait(worker->exchanges.next,
					     struct exchange, late));
	while (worker->connections.next != &worker->connections)
		connection_close(worker, of_wait(worker->connections.next,
						 struct connection, idle));
	for (size_t i = 0; i < worker->listeners_count; i++)
		watch_close(&worker->listeners[i].watch);
	close(worker->epoll);
}

static int
loop_listen(struct worker *worker)
{
	const struct settings *settings = worker->settings;

	for (size_t i = 0; i < settings->listen_count; i++)
		if (clients_listen(worker, &settings->listen[i],
				   SOCK_DGRAM) != 0 ||
		    clients_listen(worker, &settings->listen[i],
				   SOCK_STREAM) != 0)
			return -1;
	return 0;
}

int
worker_run(struct worker *worker, const struct settings *settings, dtap *tap,
	   int ending)
{
	int status = -1;

	worker->settings = settings;
	worker->exchanges.next = worker->exchanges.previous =
		&worker->exchanges;
	worker->connections.next = worker->connections.previous =
		&worker->connections;
	worker->ending = (struct watch){ ending, loop_end };
	worker->epoll = epoll_create1(EPOLL_CLOEXEC);
	/* Each thread has a producer of its own; without one, all goes on. */
	if (tap != NULL)
		dtap_producer_open(tap, &worker->producer);
	if (worker->epoll >= 0 &&
	    worker_watch(worker, &worker->ending, EPOLLIN) == 0 &&
	    loop_listen(worker) == 0) {
		status = 0;
		loop_serve(worker);
	}
	loop_leave(worker);
	dtap_producer_close(&worker->producer);
	return status;
}
