/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cat_serve.c: see cat_serve.h.
 *
 * One thread and poll(): with at most 64 connections nothing else is needed.
 * Each connection has its own reader and buffer, so one that breaks or
 * stalls does not harm the others; one that has not sent START within five
 * seconds is closed. Beyond 64, connections wait in the kernel's queue.
 *
 * At the end what the kernel has received is still read, from connections
 * that nobody accepted as well, printed and, if STOP is there, confirmed: the
 * writer at the other end has sent it and will not send it again. The amount
 * is bounded, for a writer that never pauses.
 */
#include "cat/cat_serve.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cat/cat_signal.h"
#include "cat/cat_stream.h"

/* Reads of one connection at the end: some megabytes. */
#define LAST_READS_MAX 64

struct cat_connection {
	int fd;
	bool over; /* to be closed */
	uint64_t start_by_ms;
	struct cat_stream stream;
	char name[PATH_MAX + 32];
};

static uint64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

bool
cat_serve_open(struct cat_server *server, struct cat *cat)
{
	const struct cat_options *options = cat->options;

	server->cat = cat;
	for (unsigned int i = 0; i < options->source_count; i++) {
		const struct cat_source *source = &options->sources[i];
		struct cat_listener *listener =
			&server->listeners[server->listener_count];
		int error;

		if (source->kind == CAT_SOURCE_FILE)
			continue;
		error = cat_listen_open(listener, source);
		if (error != 0) {
			cat_note_io(cat, source->name, error);
			return false;
		}
		server->listener_count++;
	}
	return true;
}

static void
close_connection(struct cat_connection *connection)
{
	cat_stream_fini(&connection->stream);
	close(connection->fd);
	free(connection);
}

/* false when nobody waits, or no more can be taken. */
static bool
accept_one(struct cat_server *server, const struct cat_listener *listener)
{
	struct cat_connection *connection;
	int fd =
		accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0) {
		if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
			return false;
		cat_note_io(server->cat, listener->source->name, errno);
		server->cat->over = true;
		return false;
	}
	connection = calloc(1, sizeof(*connection));
	if (connection == NULL) {
		cat_note_io(server->cat, listener->source->name, ENOMEM);
		close(fd);
		return false;
	}
	connection->fd = fd;
	connection->start_by_ms = now_ms() + CAT_HANDSHAKE_MS;
	snprintf(connection->name, sizeof(connection->name),
		 "%s connection %" PRIu64, listener->source->name,
		 ++server->accepted);
	if (!cat_stream_init(server->cat, &connection->stream, connection->name,
			     fd)) {
		close(fd);
		free(connection);
		return false;
	}
	server->connections[server->connection_count++] = connection;
	return true;
}

/* Reads once; false when there was nothing to read. */
static bool
read_connection(struct cat *cat, struct cat_connection *connection)
{
	struct cat_stream *stream = &connection->stream;
	size_t bytes;
	uint8_t *room = cat_stream_room(cat, stream, &bytes);
	ssize_t n = -1;

	if (room != NULL)
		n = recv(connection->fd, room, bytes, MSG_DONTWAIT);
	if (n > 0) {
		cat_stream_take(cat, stream, (size_t)n);
		connection->over = stream->failed || stream->stopped;
		if (stream->stopped)
			cat_stream_end(cat, stream);
		return true;
	}
	if (n < 0 && room != NULL && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n < 0 && room != NULL && errno != ECONNRESET)
		cat_note_io(cat, stream->name, errno);
	else
		cat_stream_end(cat, stream);
	connection->over = true;
	return false;
}

static void
check_deadline(struct cat *cat, struct cat_connection *connection)
{
	if (connection->over || connection->stream.started ||
	    now_ms() < connection->start_by_ms)
		return;
	cat_note_damage(cat, connection->name, "no START within 5 s");
	connection->over = true;
}

/* Waits; the first entries of fds are the connections'. */
static bool
wait_for_work(struct cat_server *server, struct pollfd *fds)
{
	nfds_t count = 0;
	uint64_t now = now_ms();
	uint64_t wait_ms = UINT64_MAX;

	for (; count < server->connection_count; count++) {
		struct cat_connection *connection = server->connections[count];
		uint64_t by = connection->start_by_ms;
		uint64_t left_ms = by > now ? by - now : 0;

		fds[count].fd = connection->fd;
		fds[count].events = POLLIN;
		if (!connection->stream.started && left_ms < wait_ms)
			wait_ms = left_ms;
	}
	for (unsigned int i = 0; i < server->listener_count; i++, count++) {
		bool full = server->connection_count == CAT_CONNECTIONS_MAX;

		fds[count].fd = full ? -1 : server->listeners[i].fd;
		fds[count].events = POLLIN;
	}
	return cat_signal_wait(fds, count,
			       wait_ms == UINT64_MAX ? -1 : (int)wait_ms);
}

static void
close_finished(struct cat_server *server)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < server->connection_count; i++) {
		struct cat_connection *connection = server->connections[i];

		if (connection->over)
			close_connection(connection);
		else
			server->connections[kept++] = connection;
	}
	server->connection_count = kept;
}

static void
read_last(struct cat_server *server)
{
	for (unsigned int i = 0; i < server->listener_count; i++) {
		while (server->connection_count < CAT_CONNECTIONS_MAX &&
		       accept_one(server, &server->listeners[i]))
			;
	}
	for (unsigned int i = 0; i < server->connection_count; i++) {
		struct cat_connection *connection = server->connections[i];

		for (int n = 0; n < LAST_READS_MAX && !connection->over; n++) {
			if (!read_connection(server->cat, connection))
				break;
		}
	}
}

void
cat_serve_run(struct cat_server *server)
{
	struct pollfd fds[CAT_CONNECTIONS_MAX + CAT_LISTENERS_MAX];
	struct cat *cat = server->cat;

	while (!cat->over) {
		unsigned int connections = server->connection_count;

		cat_flush(cat);
		if (cat->over)
			return;
		if (!wait_for_work(server, fds)) {
			read_last(server);
			return;
		}
		for (unsigned int i = 0; i < connections; i++) {
			if (fds[i].revents != 0)
				read_connection(cat, server->connections[i]);
			check_deadline(cat, server->connections[i]);
		}
		for (unsigned int i = 0;
		     i < server->listener_count &&
		     server->connection_count < CAT_CONNECTIONS_MAX;
		     i++) {
			if (fds[connections + i].revents != 0)
				accept_one(server, &server->listeners[i]);
		}
		close_finished(server);
	}
}

void
cat_serve_close(struct cat_server *server)
{
	for (unsigned int i = 0; i < server->connection_count; i++)
		close_connection(server->connections[i]);
	server->connection_count = 0;
	for (unsigned int i = 0; i < server->listener_count; i++)
		cat_listen_close(&server->listeners[i]);
	server->listener_count = 0;
}
