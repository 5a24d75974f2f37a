/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ports.c: see ports.h. Without libcheck, for programs that are no tests.
 */
#include "support/ports.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

#define PORTS_FIRST 2000
#define PORTS_COUNT 18000
#define PORTS_TRIES 500
#define PORTS_NAP_NS 10000000

/* Of IPv4 and IPv6; NULL for addresses that have none. */
static in_port_t *
ports_of(struct sockaddr *address)
{
	if (address->sa_family == AF_INET)
		return &((struct sockaddr_in *)(void *)address)->sin_port;
	if (address->sa_family == AF_INET6)
		return &((struct sockaddr_in6 *)(void *)address)->sin6_port;
	return NULL;
}

static int
ports_try(const struct sockaddr *address, socklen_t bytes, int backlog)
{
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int yes = 1;
	int error;

	if (fd < 0)
		return -1;
	/* What is left of connections does not count. */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(fd, address, bytes) == 0 && listen(fd, backlog) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

int
ports_listen(struct sockaddr *address, socklen_t bytes, int backlog)
{
	struct timespec nap = { 0, PORTS_NAP_NS };
	in_port_t *port = ports_of(address);
	bool choose = port != NULL && *port == 0;
	int tries = choose ? PORTS_COUNT : PORTS_TRIES;
	int fd = -1;

	for (int i = 0; i < tries && fd < 0; i++) {
		if (choose)
			*port = htons((in_port_t)(PORTS_FIRST +
						  (getpid() + i) %
							  PORTS_COUNT));
		else if (i > 0)
			nanosleep(&nap, NULL);
		fd = ports_try(address, bytes, backlog);
		if (fd < 0 && errno != EADDRINUSE)
			break;
	}
	return fd;
}
