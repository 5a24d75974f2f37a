/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cat_listen.c: see cat_listen.h.
 *
 * A name that exists is refused even when nobody listens there: it may be
 * anything, and removing what others made is not ours to do.
 */
#include "cat/cat_listen.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "shared/tool_arguments.h"

/* No access but for owner and group: what is written tells of people. */
#define SOCKET_UMASK 0117
#define BACKLOG 64

static int
make_unix(struct cat_listener *listener)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = listener->source->name;
	struct stat status;
	mode_t before;
	int bound;

	if (strlen(path) >= sizeof(address.sun_path))
		return ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	listener->fd =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listener->fd < 0)
		return errno;
	before = umask(SOCKET_UMASK);
	bound = bind(listener->fd, (const struct sockaddr *)&address,
		     sizeof(address));
	umask(before);
	if (bound != 0 || stat(path, &status) != 0)
		return errno;
	listener->device = status.st_dev;
	listener->inode = status.st_ino;
	return 0;
}

static int
make_tcp(struct cat_listener *listener)
{
	struct sockaddr_storage address;
	socklen_t bytes;
	int one = 1;

	if (!tool_parse_endpoint(listener->source->name, &address, &bytes))
		return EINVAL;
	listener->fd = socket(address.ss_family,
			      SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listener->fd < 0)
		return errno;
	setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener->fd, (const struct sockaddr *)&address, bytes) != 0)
		return errno;
	return 0;
}

int
cat_listen_open(struct cat_listener *listener, const struct cat_source *source)
{
	int error;

	memset(listener, 0, sizeof(*listener));
	listener->source = source;
	listener->fd = -1;
	error = source->kind == CAT_SOURCE_UNIX ? make_unix(listener)
						: make_tcp(listener);
	if (error == 0 && listen(listener->fd, BACKLOG) != 0)
		error = errno;
	if (error != 0)
		cat_listen_close(listener);
	return error;
}

void
cat_listen_close(struct cat_listener *listener)
{
	struct stat status;

	if (listener->fd >= 0)
		close(listener->fd);
	listener->fd = -1;
	if (listener->inode != 0 &&
	    stat(listener->source->name, &status) == 0 &&
	    status.st_dev == listener->device &&
	    status.st_ino == listener->inode)
		unlink(listener->source->name);
	listener->inode = 0;
}
