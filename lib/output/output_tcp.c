/* SPDX-License-Identifier: Apache-2.0 */
/*
 * output_tcp.c: an output into a TCP connection.
 *
 * TCP_USER_TIMEOUT and keepalive, because without them a cable that is pulled
 * out is noticed after a quarter of an hour and more. TCP_NODELAY, because
 * the writer batches already and a lone event in an idle server should not
 * wait for an acknowledgement.
 *
 * A connection to a local port that nobody listens on can, once in some
 * 28,000 attempts, meet itself: the system picks the very port as the source
 * and TCP's simultaneous open does the rest. A writer that retries for days
 * gets there, and would send every frame to itself. Such a connection counts
 * as refused.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "output/output.h"
#include "output/output_socket.h"

#define TCP_KEEP_IDLE_SECONDS 10
#define TCP_KEEP_INTERVAL_SECONDS 3
#define TCP_KEEP_PROBES 3
/* "IPV6-ADDRESS port 65535" */
#define TCP_NAME_BYTES (INET6_ADDRSTRLEN + sizeof(" port 65535"))

struct output_tcp {
	struct dtap__output_socket stream;
	uint32_t user_timeout_ms;
};

static struct output_tcp *
tcp_of(struct dtap__output *output)
{
	return dtap__container_of(output, struct output_tcp, stream.output);
}

static enum dtap_result
tcp_tune(struct output_tcp *tcp)
{
	const struct {
		int level;
		int name;
		int value;
	} settings[] = {
		{IPPROTO_TCP, TCP_NODELAY, 1},
		{IPPROTO_TCP, TCP_USER_TIMEOUT, (int)tcp->user_timeout_ms},
		{IPPROTO_TCP, TCP_KEEPIDLE, TCP_KEEP_IDLE_SECONDS},
		{IPPROTO_TCP, TCP_KEEPINTVL, TCP_KEEP_INTERVAL_SECONDS},
		{IPPROTO_TCP, TCP_KEEPCNT, TCP_KEEP_PROBES},
		{SOL_SOCKET, SO_KEEPALIVE, 1},
	};

	for (size_t i = 0; i < DTAP__COUNT_OF(settings); i++)
		if (setsockopt(tcp->stream.descriptor.fd, settings[i].level,
			       settings[i].name, &settings[i].value,
			       sizeof(settings[i].value)) != 0)
			return dtap__output_socket_fail(&tcp->stream, errno,
							"cannot be tuned");
	return DTAP_OK;
}

static enum dtap_result
tcp_connect(struct output_tcp *tcp)
{
	enum dtap_result result;

	if (tcp->stream.connecting)
		return dtap__output_socket_finish(&tcp->stream);
	result = dtap__output_socket_create(&tcp->stream);
	if (result == DTAP_OK)
		result = tcp_tune(tcp);
	if (result == DTAP_OK)
		result = dtap__output_socket_connect(&tcp->stream);
	return result;
}

static bool
tcp_met_itself(const struct output_tcp *tcp)
{
	struct sockaddr_storage here = {0}, there = {0};
	socklen_t here_bytes = sizeof(here), there_bytes = sizeof(there);
	int fd = tcp->stream.descriptor.fd;

	return getsockname(fd, (struct sockaddr *)&here, &here_bytes) == 0 &&
	       getpeername(fd, (struct sockaddr *)&there, &there_bytes) == 0 &&
	       here_bytes == there_bytes &&
	       memcmp(&here, &there, here_bytes) == 0;
}

static enum dtap_result
tcp_open(struct dtap__output *output)
{
	struct output_tcp *tcp = tcp_of(output);
	enum dtap_result result = tcp_connect(tcp);

	if (result == DTAP_OK && tcp_met_itself(tcp))
		return dtap__output_socket_fail(&tcp->stream, ECONNREFUSED,
						"met only itself");
	return result;
}

static void
tcp_free(struct dtap__output *output)
{
	if (output == NULL)
		return;
	dtap__output_socket_fini(&tcp_of(output)->stream);
	free(tcp_of(output));
}

static const struct dtap__output_ops tcp_ops = {
	.name = "tcp",
	.open = tcp_open,
	.write = dtap__output_socket_write,
	.read = dtap__output_socket_read,
	.get_fd = dtap__output_socket_get_fd,
	.close = dtap__output_socket_close,
	.free = tcp_free,
};

/* "127.0.0.1 port 6000" */
static void
tcp_name(const struct sockaddr_storage *address, char *into, size_t room)
{
	char host[INET6_ADDRSTRLEN] = "?";
	struct sockaddr_in6 six;
	struct sockaddr_in four;
	unsigned int port = 0;

	if (address->ss_family == AF_INET) {
		memcpy(&four, address, sizeof(four));
		inet_ntop(AF_INET, &four.sin_addr, host, sizeof(host));
		port = ntohs(four.sin_port);
	} else if (address->ss_family == AF_INET6) {
		memcpy(&six, address, sizeof(six));
		inet_ntop(AF_INET6, &six.sin6_addr, host, sizeof(host));
		port = ntohs(six.sin6_port);
	}
	snprintf(into, room, "%s port %u", host, port);
}

struct dtap__output *
dtap__output_tcp_new(const struct sockaddr *address, socklen_t address_bytes,
		     uint32_t user_timeout_ms)
{
	struct output_tcp *tcp = malloc(sizeof(*tcp));
	struct sockaddr_storage copy = {0};
	char name[TCP_NAME_BYTES];

	if (tcp == NULL)
		return NULL;
	if (address_bytes > sizeof(copy))
		address_bytes = sizeof(copy);
	memcpy(&copy, address, address_bytes);
	tcp_name(&copy, name, sizeof(name));
	if (dtap__output_socket_init(&tcp->stream, &tcp_ops, name) != DTAP_OK) {
		tcp_free(&tcp->stream.output);
		return NULL;
	}
	tcp->stream.address = copy;
	tcp->stream.address_bytes = address_bytes;
	tcp->user_timeout_ms = user_timeout_ms;
	return &tcp->stream.output;
}
