/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forwarder_clients.c: the side where clients ask and are answered.
 *
 * What is not a query is not answered: neither are datagrams too short for a
 * header, nor responses. A TCP client sends one query after the other; the
 * next is read when the one before is answered.
 */
#include "forwarder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define CLIENTS_BATCH 32 /* datagrams in a row, so that others get a turn */
#define CLIENTS_BACKLOG 64

#define of_watch(watch, type, member) \
	((type *)(void *)((char *)(watch)-offsetof(type, member)))

static bool
clients_is_query(const uint8_t *message, size_t bytes)
{
	return bytes >= DNS_HEADER_BYTES && (message[2] & 0x80) == 0;
}

/* The exchange knows both ends by now. */
static void
clients_ask(struct worker *worker, struct exchange *exchange)
{
	uint8_t *message = exchange->query.octets + 2;

	clock_gettime(CLOCK_REALTIME, &exchange->received);
	exchange->client_id = dns_get16(message);
	dnstap_message(worker->producer, DTAP_CLIENT_QUERY, worker->settings,
		       exchange, message, exchange->query.bytes - 2);
	upstream_ask(worker, exchange);
}

static void
clients_datagram(struct worker *worker, struct watch *watch, uint32_t events)
{
	struct listener *listener = of_watch(watch, struct listener, watch);
	static _Thread_local uint8_t message[DNS_MESSAGE_BYTES_MAX];

	(void)events;
	for (int i = 0; i < CLIENTS_BATCH; i++) {
		struct address client = { .bytes = sizeof(client.sockaddr) };
		struct exchange *exchange;
		ssize_t got = recvfrom(watch->fd, message, sizeof(message), 0,
				       (struct sockaddr *)&client.sockaddr,
				       &client.bytes);

		if (got < 0)
			return;
		if (!clients_is_query(message, (size_t)got))
			continue;
		exchange = exchange_new(worker, message, (size_t)got);
		if (exchange == NULL)
			continue; /* the client will ask again */
		exchange->listener = listener;
		exchange->client = client;
		exchange->local = listener->local;
		clients_ask(worker, exchange);
	}
}

static void
connection_touch(struct worker *worker, struct connection *connection)
{
	wait_end(&connection->idle);
	wait_begin(&worker->connections, &connection->idle,
		   clock_ms() + worker->settings->idle_ms);
}

static void
connection_query(struct worker *worker, struct connection *connection)
{
	const uint8_t *message = connection->query.octets + 2;
	struct exchange *exchange = NULL;

	if (clients_is_query(message, connection->query.bytes - 2))
		exchange = exchange_new(worker, message,
					connection->query.bytes - 2);
	if (exchange == NULL) {
		connection_close(worker, connection);
		return;
	}
	transfer_free(&connection->query);
	connection->exchange = exchange;
	exchange->connection = connection;
	exchange->tcp = true;
	exchange->client = connection->client;
	exchange->local = connection->local;
	/* Until the answer only a hang-up is of interest. */
	worker_rewatch(worker, &connection->watch, 0);
	clients_ask(worker, exchange);
}

static void
connection_ready(struct worker *worker, struct watch *watch, uint32_t events)
{
	struct connection *connection =
		of_watch(watch, struct connection, watch);
	int state;

	if (events & EPOLLIN)
		state = transfer_read(&connection->query, watch->fd);
	else if (events & EPOLLOUT)
		state = transfer_write(&connection->answer, watch->fd);
	else
		state = -1;
	if (state < 0) {
		connection_close(worker, connection);
		return;
	}
	if (state == 0)
		return;
	connection_touch(worker, connection);
	if (events & EPOLLIN) {
		connection_query(worker, connection);
	} else {
		transfer_free(&connection->answer);
		worker_rewatch(worker, watch, EPOLLIN);
	}
}

static void
clients_connection(struct worker *worker, struct watch *watch, uint32_t events)
{
	struct connection *connection;
	struct address client = { .bytes = sizeof(client.sockaddr) };
	int fd = accept4(watch->fd, (struct sockaddr *)&client.sockaddr,
			 &client.bytes, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)events;
	if (fd < 0)
		return;
	connection = worker->connections_count < CONNECTIONS_MAX
			     ? calloc(1, sizeof(*connection))
			     : NULL;
	if (connection == NULL) {
		close(fd);
		return;
	}
	worker->connections_count++;
	connection->watch = (struct watch){ fd, connection_ready };
	connection->client = client;
	connection->local.bytes = sizeof(connection->local.sockaddr);
	connection_touch(worker, connection);
	if (getsockname(fd, (struct sockaddr *)&connection->local.sockaddr,
			&connection->local.bytes) != 0 ||
	    worker_watch(worker, &connection->watch, EPOLLIN) != 0)
		connection_close(worker, connection);
}

void
connection_close(struct worker *worker, struct connection *connection)
{
	if (connection->exchange != NULL)
		connection->exchange->connection = NULL;
	wait_end(&connection->idle);
	watch_close(&connection->watch);
	transfer_free(&connection->query);
	transfer_free(&connection->answer);
	worker->connections_count--;
	free(connection);
}

static void
connection_answer(struct worker *worker, struct connection *connection,
		  const uint8_t *message, size_t bytes)
{
	connection->exchange = NULL;
	if (!transfer_make(&connection->answer, bytes)) {
		connection_close(worker, connection);
		return;
	}
	memcpy(connection->answer.octets + 2, message, bytes);
	worker_rewatch(worker, &connection->watch, EPOLLOUT);
}

void
clients_answer(struct worker *worker, struct exchange *exchange,
	       const uint8_t *message, size_t bytes)
{
	bool sent = exchange->connection != NULL;

	if (exchange->tcp && sent)
		connection_answer(worker, exchange->connection, message, bytes);
	else if (!exchange->tcp)
		sent = sendto(exchange->listener->watch.fd, message, bytes, 0,
			      (struct sockaddr *)&exchange->client.sockaddr,
			      exchange->client.bytes) == (ssize_t)bytes;
	if (sent)
		dnstap_message(worker->producer, DTAP_CLIENT_RESPONSE,
			       worker->settings, exchange, message, bytes);
	exchange_end(worker, exchange);
}

int
clients_listen(struct worker *worker, const struct address *address, int type)
{
	struct listener *listener =
		&worker->listeners[worker->listeners_count];
	int yes = 1;

	listener->local = *address;
	listener->watch.ready = type == SOCK_DGRAM ? clients_datagram
						   : clients_connection;
	listener->watch.fd =
		socket(address->sockaddr.ss_family,
		       type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (listener->watch.fd < 0)
		return -1;
	worker->listeners_count++;
	setsockopt(listener->watch.fd, SOL_SOCKET, SO_REUSEADDR, &yes,
		   sizeof(yes));
	setsockopt(listener->watch.fd, SOL_SOCKET, SO_REUSEPORT, &yes,
		   sizeof(yes));
	if (bind(listener->watch.fd,
		 (const struct sockaddr *)&address->sockaddr,
		 address->bytes) != 0)
		return -1;
	if (type == SOCK_STREAM &&
	    listen(listener->watch.fd, CLIENTS_BACKLOG) != 0)
		return -1;
	return worker_watch(worker, &listener->watch, EPOLLIN);
}
