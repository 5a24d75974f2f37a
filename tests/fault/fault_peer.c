/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fault_peer.c: a Frame Streams reader that misbehaves on demand.
 *
 * Independent of the library under test: it knows of the protocol what it
 * needs to answer READY and STOP, and records every octet before it answers.
 * One process for each connection, so that one which is stuck holds up none
 * that follows; all of them die with the first. Or, where thousands of
 * connections are to come, one process for all.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "support/ports.h"

static const char help[] =
"Usage: fault_peer [option ...] unix:PATH | tcp:PORT | tcp6:PORT\n"
"Reads Frame Streams connections, one or many at once. Port 0: a free one.\n"
"\n"
"  --serial         each is read to its end and recorded before the next one\n"
"                   is taken\n"
"  --record PREFIX  what connection N sends goes to the file PREFIX.N;\n"
"                   PREFIX.N.end is made when it is closed. \"\": nowhere\n"
"  --answer WHAT    to READY: accept (the default), never, garbage, start,\n"
"                   data, huge, type\n"
"  --finish WHAT    to STOP: finish (the default), never, garbage; or early\n"
"  --rate N         reads at most N octets per second\n"
"  --read N         reads only N octets of a connection\n"
"  --then WHAT      after that: mute (the default), close, reset\n"
"  --faulty N       only the first N connections; later ones are served well\n"
"  --quiet          never says anything\n"
"  --deaf           takes no connection, and has no room for one\n"
"  --free-port      prints a free TCP port and exits\n";

/* Frame Streams control frame types. */
enum { ACCEPT = 1, START = 2, STOP = 3, READY = 4, FINISH = 5 };

struct peer {
	const char *record;
	const char *answer;
	const char *finish;
	const char *then;
	uint64_t rate;
	uint64_t read; /* UINT64_MAX: all */
	unsigned int faulty;
	bool serial;
	bool quiet;
	bool deaf;
};

struct connection {
	const struct peer *peer;
	int fd;
	int record;
	uint64_t got;
	/* Where the scan of the stream stands. */
	uint8_t head[12];
	size_t head_bytes;
	uint64_t skip;
};

static void
die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

/* When the writer has gone away, what it has sent is still there to read. */
static void
send_octets(int fd, const void *octets, size_t bytes)
{
	(void)!send(fd, octets, bytes, MSG_NOSIGNAL);
}

static void
put_be32(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 24);
	at[1] = (uint8_t)(value >> 16);
	at[2] = (uint8_t)(value >> 8);
	at[3] = (uint8_t)value;
}

/* A control frame with a content type, or without one when it is NULL. */
static void
send_control(int fd, uint32_t type, const char *content_type)
{
	size_t text = content_type == NULL ? 0 : strlen(content_type);
	uint8_t frame[128];
	size_t bytes = 12;

	put_be32(frame, 0);
	put_be32(frame + 8, type);
	if (content_type != NULL) {
		put_be32(frame + 12, 1);
		put_be32(frame + 16, (uint32_t)text);
		memcpy(frame + 20, content_type, text);
		bytes += 8 + text;
	}
	put_be32(frame + 4, (uint32_t)bytes - 8);
	send_octets(fd, frame, bytes);
}

static void
answer_ready(const struct connection *connection)
{
	const char *answer = connection->peer->answer;
	int fd = connection->fd;

	if (strcmp(answer, "accept") == 0)
		send_control(fd, ACCEPT, "protobuf:dnstap.Dnstap");
	else if (strcmp(answer, "type") == 0)
		send_control(fd, ACCEPT, "text/plain");
	else if (strcmp(answer, "start") == 0)
		send_control(fd, START, NULL);
	else if (strcmp(answer, "garbage") == 0)
		send_octets(fd, "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
	else if (strcmp(answer, "data") == 0)
		send_octets(fd, "\0\0\0\4data", 8);
	else if (strcmp(answer, "huge") == 0)
		send_octets(fd, "\0\0\0\0\377\377\377\377\0\0\0\1", 12);
	if (strcmp(connection->peer->finish, "early") == 0)
		send_control(fd, FINISH, NULL);
}

static void
obey(const struct connection *connection, uint32_t type)
{
	const struct peer *peer = connection->peer;

	if (peer->quiet)
		return;
	if (type == READY)
		answer_ready(connection);
	else if (type == STOP && strcmp(peer->finish, "finish") == 0)
		send_control(connection->fd, FINISH, NULL);
	else if (type == STOP && strcmp(peer->finish, "garbage") == 0)
		send_octets(connection->fd, "good bye", 8);
}

static uint32_t
get_be32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
	       (uint32_t)at[2] << 8 | at[3];
}

/* Looks at one more octet of the stream that is no frame's content. */
static void
scan_head(struct connection *connection, uint8_t octet)
{
	uint8_t *head = connection->head;

	head[connection->head_bytes++] = octet;
	if (connection->head_bytes == 4 && get_be32(head) != 0) {
		connection->skip = get_be32(head);
		connection->head_bytes = 0;
	} else if (connection->head_bytes == sizeof(connection->head)) {
		connection->skip = get_be32(head + 4) - 4;
		connection->head_bytes = 0;
		obey(connection, get_be32(head + 8));
	}
}

static void
scan(struct connection *connection, const uint8_t *octets, size_t bytes)
{
	while (bytes > 0) {
		size_t part = 1;

		if (connection->skip == 0) {
			scan_head(connection, *octets);
		} else {
			part = bytes < connection->skip
				       ? bytes
				       : (size_t)connection->skip;
			connection->skip -= part;
		}
		octets += part;
		bytes -= part;
	}
}

static void
record(const struct connection *connection, const uint8_t *octets,
       size_t bytes)
{
	if (connection->record >= 0 &&
	    write(connection->record, octets, bytes) != (ssize_t)bytes)
		die("record");
}

/* What to do with the connection when enough of it has been read. */
static void
turn_away(const struct connection *connection)
{
	struct linger at_once = { 1, 0 };
	struct pollfd hangup = { connection->fd, 0, 0 };

	if (strcmp(connection->peer->then, "mute") == 0)
		while (poll(&hangup, 1, -1) >= 0 && hangup.revents == 0)
			;
	if (strcmp(connection->peer->then, "reset") == 0)
		setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &at_once,
			   sizeof(at_once));
}

static void
read_at_rate(const struct peer *peer, size_t *room)
{
	struct timespec tenth = { 0, 100000000 };

	if (peer->rate == 0)
		return;
	nanosleep(&tenth, NULL);
	if (*room > peer->rate / 10)
		*room = (size_t)(peer->rate / 10);
}

static void
serve(struct connection *connection)
{
	const struct peer *peer = connection->peer;
	static uint8_t octets[65536];
	ssize_t got;

	for (;;) {
		size_t room = sizeof(octets);

		read_at_rate(peer, &room);
		if (room > peer->read - connection->got)
			room = (size_t)(peer->read - connection->got);
		if (room == 0) {
			turn_away(connection);
			return;
		}
		got = recv(connection->fd, octets, room, 0);
		if (got <= 0)
			return;
		connection->got += (uint64_t)got;
		record(connection, octets, (size_t)got);
		scan(connection, octets, (size_t)got);
	}
}

/* The file that connection N is recorded in, or the one that marks its end. */
static int
open_record(const struct peer *peer, unsigned int number, const char *suffix)
{
	char path[4096];
	int fd;

	if (peer->record == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s.%u%s", peer->record, number, suffix);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (fd < 0)
		die(path);
	return fd;
}

static void
serve_one(const struct peer *peer, int fd, unsigned int number)
{
	static const struct peer good = { .answer = "accept",
					  .finish = "finish",
					  .read = UINT64_MAX };
	struct connection connection = { .peer = peer, .fd = fd };

	if (number > peer->faulty)
		connection.peer = &good;
	connection.record = open_record(peer, number, "");
	serve(&connection);
	close(connection.record);
	close(fd);
	close(open_record(peer, number, ".end"));
}

static void
serve_in_child(const struct peer *peer, int listener, int fd,
	       unsigned int number)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(listener);
	serve_one(peer, fd, number);
	_exit(EXIT_SUCCESS);
}

static void
serve_all(const struct peer *peer, int listener)
{
	for (unsigned int number = 1;; number++) {
		int fd = accept(listener, NULL, NULL);
		pid_t child;

		if (fd < 0)
			die("accept");
		if (peer->serial) {
			serve_one(peer, fd, number);
			continue;
		}
		child = fork();
		if (child == 0)
			serve_in_child(peer, listener, fd, number);
		if (child < 0)
			die("fork");
		close(fd);
	}
}

static socklen_t
read_address(const char *uri, struct sockaddr_storage *address)
{
	struct sockaddr_in *four = (void *)address;
	struct sockaddr_in6 *six = (void *)address;
	struct sockaddr_un *local = (void *)address;

	memset(address, 0, sizeof(*address));
	if (strncmp(uri, "tcp:", 4) == 0) {
		four->sin_family = AF_INET;
		four->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		four->sin_port = htons((uint16_t)atoi(uri + 4));
		return sizeof(*four);
	}
	if (strncmp(uri, "tcp6:", 5) == 0) {
		six->sin6_family = AF_INET6;
		six->sin6_addr = in6addr_loopback;
		six->sin6_port = htons((uint16_t)atoi(uri + 5));
		return sizeof(*six);
	}
	if (strncmp(uri, "unix:", 5) != 0 ||
	    strlen(uri + 5) >= sizeof(local->sun_path)) {
		fputs(help, stderr);
		exit(2);
	}
	local->sun_family = AF_UNIX;
	strcpy(local->sun_path, uri + 5);
	unlink(local->sun_path);
	return sizeof(*local);
}

/* Connects to ourselves until nobody else can. */
static void
fill_queue(const struct sockaddr_storage *address, socklen_t bytes)
{
	int fd;

	do {
		fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	} while (fd >= 0 &&
		 connect(fd, (const struct sockaddr *)address, bytes) == 0);
}

static int
listen_at(const char *uri, bool deaf, unsigned int *port)
{
	struct sockaddr_storage address;
	socklen_t bytes = read_address(uri, &address);
	int fd = ports_listen((struct sockaddr *)&address, bytes,
			      deaf ? 0 : 64);

	if (fd < 0)
		die(uri);
	*port = 0;
	if (address.ss_family != AF_UNIX)
		*port = ntohs(((struct sockaddr_in *)&address)->sin_port);
	if (deaf)
		fill_queue(&address, bytes);
	return fd;
}

/* Free on both loopbacks: whoever asks will use one. */
static void
print_free_port(void)
{
	unsigned int port;
	char uri[16];
	int fd = listen_at("tcp6:0", false, &port);

	snprintf(uri, sizeof(uri), "tcp:%u", port);
	close(listen_at(uri, false, &port));
	close(fd);
	printf("%u\n", port);
}

static const char *
parse(struct peer *peer, int argc, char **argv)
{
	static const struct option options[] = {
		{ "record", required_argument, NULL, 'o' },
		{ "answer", required_argument, NULL, 'a' },
		{ "finish", required_argument, NULL, 'f' },
		{ "rate", required_argument, NULL, 'r' },
		{ "read", required_argument, NULL, 'n' },
		{ "then", required_argument, NULL, 't' },
		{ "faulty", required_argument, NULL, 'x' },
		{ "serial", no_argument, NULL, 's' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "deaf", no_argument, NULL, 'd' },
		{ "free-port", no_argument, NULL, 'p' },
		{ NULL, 0, NULL, 0 }
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'o': peer->record = optarg[0] ? optarg : NULL; break;
		case 'a': peer->answer = optarg; break;
		case 'f': peer->finish = optarg; break;
		case 'r': peer->rate = strtoull(optarg, NULL, 10); break;
		case 'n': peer->read = strtoull(optarg, NULL, 10); break;
		case 't': peer->then = optarg; break;
		case 'x': peer->faulty = (unsigned int)atoi(optarg); break;
		case 's': peer->serial = true; break;
		case 'q': peer->quiet = true; break;
		case 'd': peer->deaf = true; break;
		case 'p':
			print_free_port();
			exit(EXIT_SUCCESS);
		default:
			return NULL;
		}
	}
	return optind + 1 == argc ? argv[optind] : NULL;
}

int
main(int argc, char **argv)
{
	struct peer peer = { .answer = "accept",
			     .finish = "finish",
			     .then = "mute",
			     .read = UINT64_MAX,
			     .faulty = UINT32_MAX };
	const char *uri = parse(&peer, argc, argv);
	unsigned int port;
	int listener;

	if (uri == NULL) {
		fputs(help, stderr);
		return 2;
	}
	signal(SIGCHLD, SIG_IGN);
	listener = listen_at(uri, peer.deaf, &port);
	printf("ready %u\n", port);
	fflush(stdout);
	if (peer.deaf)
		for (;;)
			pause();
	serve_all(&peer, listener);
	return EXIT_SUCCESS;
}
