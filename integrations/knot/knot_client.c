/* SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later */
/*
 * knot_client.c: asks a server exactly what it is told, for test_knot.sh.
 *
 *     knot_client port
 *     knot_client frames FILE
 *     knot_client udp|tcp ADDRESS PORT [MESSAGES] < queries-in-hex
 *
 * Sends each line of hexadecimal digits as one DNS message and prints what
 * went over the socket, octet by octet, as `dnstap-read -x` would show it:
 *
 *     AQ 127.0.0.1:40001 127.0.0.1:5300 UDP 1F3A...
 *
 * so that the test compares text with text. It uses nothing of libdtap: it
 * is the other opinion. Over UDP it waits for the answer to each query before
 * it sends the next. Over TCP it sends all queries in one piece on one
 * connection, ends its direction, and reads to the end; or, when MESSAGES is
 * given, resets the connection after so many messages. The first form prints
 * a port that is free for UDP and TCP on 127.0.0.1 and, if there is one, on
 * ::1; the second counts the data frames of a Frame Streams file, which must
 * end with a STOP frame and nothing behind it.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENT_OCTETS_MAX 65535
#define CLIENT_QUERIES_MAX 64
#define CLIENT_QUERY_OCTETS_MAX 1024
#define CLIENT_WAIT_MS 5000
#define CLIENT_OPCODE_UPDATE 5
#define CLIENT_FRAME_STOP 3

union client_address {
	struct sockaddr any;
	struct sockaddr_in ip4;
	struct sockaddr_in6 ip6;
};

struct client {
	int socket;
	bool tcp;
	union client_address remote;
	char from[INET6_ADDRSTRLEN + 8];
	char to[INET6_ADDRSTRLEN + 8];
};

static void
fail(const char *what)
{
	perror(what);
	exit(1);
}

static socklen_t
size_of(const union client_address *address)
{
	return address->any.sa_family == AF_INET ? sizeof(address->ip4)
						 : sizeof(address->ip6);
}

static bool
make_address(union client_address *address, const char *text, uint16_t port)
{
	memset(address, 0, sizeof(*address));
	if (inet_pton(AF_INET, text, &address->ip4.sin_addr) == 1) {
		address->ip4.sin_family = AF_INET;
		address->ip4.sin_port = htons(port);
		return true;
	}
	address->ip6.sin6_family = AF_INET6;
	address->ip6.sin6_port = htons(port);
	return inet_pton(AF_INET6, text, &address->ip6.sin6_addr) == 1;
}

static void
show_address(const union client_address *address, char *text, size_t room)
{
	bool ip4 = address->any.sa_family == AF_INET;
	char number[INET6_ADDRSTRLEN];

	inet_ntop(address->any.sa_family,
		  ip4 ? (const void *)&address->ip4.sin_addr
		      : (const void *)&address->ip6.sin6_addr,
		  number, sizeof(number));
	snprintf(text, room, "%s:%u", number,
		 ntohs(ip4 ? address->ip4.sin_port : address->ip6.sin6_port));
}

static void
show_message(const struct client *client, const uint8_t *octets, size_t count)
{
	bool update = count > 2 &&
		      (octets[2] >> 3 & 15) == CLIENT_OPCODE_UPDATE;
	bool response = count > 2 && (octets[2] & 0x80) != 0;

	printf("%c%c %s %s %s ", update ? 'U' : 'A', response ? 'R' : 'Q',
	       client->from, client->to, client->tcp ? "TCP" : "UDP");
	for (size_t i = 0; i < count; i++)
		printf("%02X", octets[i]);
	printf("\n");
}

/* One line of hexadecimal digits; false at the end of the input. */
static bool
read_query(uint8_t *octets, size_t *count)
{
	static char line[2 * CLIENT_OCTETS_MAX + 2];
	unsigned int octet;

	if (fgets(line, sizeof(line), stdin) == NULL)
		return false;
	*count = 0;
	while (sscanf(line + 2 * *count, "%2x", &octet) == 1)
		octets[(*count)++] = (uint8_t)octet;
	return true;
}

static void
wait_readable(const struct client *client)
{
	struct pollfd waiting = { .fd = client->socket, .events = POLLIN };

	if (poll(&waiting, 1, CLIENT_WAIT_MS) != 1) {
		fprintf(stderr, "knot_client: no answer in %d ms\n",
			CLIENT_WAIT_MS);
		exit(1);
	}
}

static void
open_socket(struct client *client, const char *address, const char *port)
{
	union client_address local;
	socklen_t bytes = sizeof(local);

	if (!make_address(&client->remote, address, (uint16_t)atoi(port)))
		fail(address);
	client->socket = socket(client->remote.any.sa_family,
				client->tcp ? SOCK_STREAM : SOCK_DGRAM, 0);
	if (client->socket < 0 ||
	    connect(client->socket, &client->remote.any,
		    size_of(&client->remote)) != 0 ||
	    getsockname(client->socket, &local.any, &bytes) != 0)
		fail(address);
	show_address(&local, client->from, sizeof(client->from));
	show_address(&client->remote, client->to, sizeof(client->to));
}

static void
talk_udp(const struct client *client)
{
	static uint8_t octets[CLIENT_OCTETS_MAX];
	size_t count;
	ssize_t got;

	while (read_query(octets, &count)) {
		if (send(client->socket, octets, count, 0) != (ssize_t)count)
			fail("send");
		show_message(client, octets, count);
		wait_readable(client);
		got = recv(client->socket, octets, sizeof(octets), 0);
		if (got < 0)
			fail("recv");
		show_message(client, octets, (size_t)got);
	}
}

static void
send_queries(const struct client *client)
{
	static uint8_t stream[CLIENT_QUERIES_MAX * CLIENT_QUERY_OCTETS_MAX];
	size_t used = 0;
	size_t count;

	while (used + CLIENT_QUERY_OCTETS_MAX <= sizeof(stream) &&
	       read_query(stream + used + 2, &count)) {
		stream[used] = (uint8_t)(count >> 8);
		stream[used + 1] = (uint8_t)count;
		show_message(client, stream + used + 2, count);
		used += 2 + count;
	}
	if (send(client->socket, stream, used, 0) != (ssize_t)used)
		fail("send");
}

/* False when the server has closed the connection. */
static bool
receive_exactly(const struct client *client, uint8_t *octets, size_t count)
{
	size_t have = 0;

	while (have < count) {
		ssize_t got;

		wait_readable(client);
		got = recv(client->socket, octets + have, count - have, 0);
		if (got < 0)
			fail("recv");
		if (got == 0)
			return false;
		have += (size_t)got;
	}
	return true;
}

static bool
receive_message(const struct client *client)
{
	static uint8_t octets[CLIENT_OCTETS_MAX];
	uint8_t length[2];
	size_t count;

	if (!receive_exactly(client, length, sizeof(length)))
		return false;
	count = (size_t)length[0] << 8 | length[1];
	if (!receive_exactly(client, octets, count))
		return false;
	show_message(client, octets, count);
	return true;
}

static void
talk_tcp(const struct client *client, long messages)
{
	struct linger reset = { .l_onoff = 1, .l_linger = 0 };

	send_queries(client);
	if (messages == 0) {
		shutdown(client->socket, SHUT_WR);
		while (receive_message(client))
			;
		return;
	}
	while (messages-- > 0 && receive_message(client))
		;
	setsockopt(client->socket, SOL_SOCKET, SO_LINGER, &reset,
		   sizeof(reset));
}

static bool
is_free(const char *address, uint16_t port, int type)
{
	union client_address local;
	int one = 1;
	int fd;
	bool bound;

	if (!make_address(&local, address, port))
		return false;
	fd = socket(local.any.sa_family, type, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	bound = bind(fd, &local.any, size_of(&local)) == 0;
	close(fd);
	return bound;
}

static bool
read_number(FILE *file, uint32_t *number)
{
	uint8_t octets[4];

	if (fread(octets, 1, sizeof(octets), file) != sizeof(octets))
		return false;
	*number = (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 |
		  (uint32_t)octets[2] << 8 | octets[3];
	return true;
}

static int
print_frame_count(const char *path)
{
	FILE *file = fopen(path, "r");
	unsigned long frames = 0;
	uint32_t length;
	uint32_t type = 0;

	if (file == NULL)
		fail(path);
	while (read_number(file, &length)) {
		if (length > 0) {
			frames++;
			fseek(file, (long)length, SEEK_CUR);
			continue;
		}
		if (!read_number(file, &length) || !read_number(file, &type))
			break;
		fseek(file, (long)length - 4, SEEK_CUR);
		if (type == CLIENT_FRAME_STOP)
			break;
	}
	if (type != CLIENT_FRAME_STOP || fgetc(file) != EOF) {
		fprintf(stderr, "%s does not end with a STOP frame\n", path);
		return 1;
	}
	fclose(file);
	printf("%lu\n", frames);
	return 0;
}

static int
print_free_port(void)
{
	bool ip6 = is_free("::1", 0, SOCK_DGRAM);
	int first = 20000 + (int)(getpid() % 10000);

	for (int i = 0; i < 1000; i++) {
		uint16_t port = (uint16_t)(first + i);

		if (is_free("127.0.0.1", port, SOCK_DGRAM) &&
		    is_free("127.0.0.1", port, SOCK_STREAM) &&
		    (!ip6 || (is_free("::1", port, SOCK_DGRAM) &&
			      is_free("::1", port, SOCK_STREAM)))) {
			printf("%u\n", port);
			return 0;
		}
	}
	return 1;
}

int
main(int argc, char **argv)
{
	struct client client;

	if (argc == 2 && strcmp(argv[1], "port") == 0)
		return print_free_port();
	if (argc == 3 && strcmp(argv[1], "frames") == 0)
		return print_frame_count(argv[2]);
	if (argc < 4) {
		fprintf(stderr, "knot_client udp|tcp ADDRESS PORT "
				"[MESSAGES] < hex\n");
		return 2;
	}
	client.tcp = strcmp(argv[1], "tcp") == 0;
	open_socket(&client, argv[2], argv[3]);
	if (client.tcp)
		talk_tcp(&client, argc > 4 ? atol(argv[4]) : 0);
	else
		talk_udp(&client);
	close(client.socket);
	return 0;
}
