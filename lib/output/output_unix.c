/* SPDX-License-Identifier: Apache-2.0 */
/*
 * output_unix.c: an output into a Unix stream socket.
 *
 * connect() on such a socket never is under way: it succeeds or fails at
 * once, with EAGAIN when the listener's queue is full. That is a failure like
 * any other here, because there is nothing to poll for; the writer comes back
 * later. A path that is too long for struct sockaddr_un is refused when it is
 * opened, so that a tap with such a path starts, says so and counts.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/compiler.h"
#include "output/output.h"
#include "output/output_socket.h"

static enum dtap_result
unix_open(struct dtap__output *output)
{
	struct dtap__output_socket *stream =
		dtap__container_of(output, struct dtap__output_socket, output);
	enum dtap_result result;

	if (stream->address_bytes == 0)
		return dtap__output_socket_fail(stream, ENAMETOOLONG,
						"is no path for a socket");
	result = dtap__output_socket_create(stream);
	if (result != DTAP_OK)
		return result;
	return dtap__output_socket_connect(stream);
}

static void
unix_free(struct dtap__output *output)
{
	if (output == NULL)
		return;
	dtap__output_socket_fini(
		dtap__container_of(output, struct dtap__output_socket, output));
	free(output);
}

static const struct dtap__output_ops unix_ops = {
	.name = "unix",
	.open = unix_open,
	.write = dtap__output_socket_write,
	.read = dtap__output_socket_read,
	.get_fd = dtap__output_socket_get_fd,
	.close = dtap__output_socket_close,
	.free = unix_free,
};

/* Leaves address_bytes at 0 when the path does not fit. */
static void
unix_set_path(struct dtap__output_socket *stream, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t bytes = strlen(path) + 1;

	if (bytes > sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, path, bytes);
	memcpy(&stream->address, &address, sizeof(address));
	stream->address_bytes =
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + bytes);
}

struct dtap__output *
dtap__output_unix_new(const char *path)
{
	struct dtap__output_socket *stream = malloc(sizeof(*stream));

	if (stream == NULL)
		return NULL;
	if (dtap__output_socket_init(stream, &unix_ops, path) != DTAP_OK) {
		unix_free(&stream->output);
		return NULL;
	}
	unix_set_path(stream, path);
	return &stream->output;
}
