/* SPDX-License-Identifier: Apache-2.0 */
/*
 * output_socket.c: see output_socket.h.
 *
 * One call here is one system call on the socket, and its result is handed
 * up as it is: a short write is an ordinary answer. Looping until all is
 * written belongs to the caller, who knows where it stands in its bytes; two
 * places that both advance an iovec are one too many. Only EINTR is retried,
 * which for a call that does not wait means that nothing had happened yet.
 *
 * MSG_NOSIGNAL on each write: a host with SIGPIPE at its default lives on.
 */
#include "output/output_socket.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"

static struct dtap__output_socket *
socket_of(struct dtap__output *output)
{
	return dtap__container_of(output, struct dtap__output_socket, output);
}

enum dtap_result
dtap__output_socket_init(struct dtap__output_socket *stream,
			 const struct dtap__output_ops *ops, const char *peer)
{
	memset(stream, 0, sizeof(*stream));
	stream->output.ops = ops;
	dtap__descriptor_init(&stream->descriptor);
	stream->peer = strdup(peer);
	return stream->peer == NULL ? DTAP_E_NOMEM : DTAP_OK;
}

void
dtap__output_socket_fini(struct dtap__output_socket *stream)
{
	dtap__output_socket_close(&stream->output);
	free(stream->peer);
	stream->peer = NULL;
}

enum dtap_result
dtap__output_socket_fail(struct dtap__output_socket *stream, int system_errno,
			 const char *problem)
{
	dtap__output_socket_close(&stream->output);
	return dtap__output_fail(&stream->output, system_errno, stream->peer,
				 problem);
}

enum dtap_result
dtap__output_socket_create(struct dtap__output_socket *stream)
{
	int fd = socket(stream->address.ss_family,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error = fd < 0 ? errno
			   : dtap__descriptor_adopt(&stream->descriptor, fd);

	if (error != 0)
		return dtap__output_socket_fail(stream, error,
						"cannot make a socket");
	return DTAP_OK;
}

enum dtap_result
dtap__output_socket_connect(struct dtap__output_socket *stream)
{
	if (connect(stream->descriptor.fd,
		    (const struct sockaddr *)&stream->address,
		    stream->address_bytes) == 0)
		return DTAP_OK;
	if (errno != EINPROGRESS)
		return dtap__output_socket_fail(stream, errno,
						"cannot connect");
	stream->connecting = true;
	return DTAP_AGAIN;
}

/* The check has already forgotten the descriptor. */
static enum dtap_result
socket_lost(struct dtap__output_socket *stream)
{
	dtap__output_socket_fail(stream, EBADF,
				 "its descriptor was closed by the program");
	return DTAP_E_CLOSED;
}

/* SO_ERROR is 0 also while nothing is decided, so readiness is asked first. */
enum dtap_result
dtap__output_socket_finish(struct dtap__output_socket *stream)
{
	struct pollfd ready = {.fd = stream->descriptor.fd, .events = POLLOUT};
	int error = 0;
	socklen_t bytes = sizeof(error);

	if (!dtap__descriptor_check(&stream->descriptor))
		return socket_lost(stream);
	if (poll(&ready, 1, 0) <= 0)
		return DTAP_AGAIN;
	if (getsockopt(stream->descriptor.fd, SOL_SOCKET, SO_ERROR, &error,
		       &bytes) != 0)
		error = errno;
	if (error != 0)
		return dtap__output_socket_fail(stream, error,
						"cannot connect");
	stream->connecting = false;
	return DTAP_OK;
}

static enum dtap_result
socket_broken(struct dtap__output_socket *stream, int error,
	      const char *problem)
{
	dtap__output_fail(&stream->output, error, stream->peer, problem);
	return error == 0 || error == EPIPE || error == ECONNRESET
		       ? DTAP_E_CLOSED
		       : DTAP_E_SYSTEM;
}

enum dtap_result
dtap__output_socket_write(struct dtap__output *output,
			  const struct iovec *parts, int count, size_t *taken)
{
	struct dtap__output_socket *stream = socket_of(output);
	struct msghdr message = {0};
	ssize_t done;

	*taken = 0;
	if (!dtap__descriptor_check(&stream->descriptor))
		return socket_lost(stream);
	message.msg_iov = (struct iovec *)(uintptr_t)parts;
	message.msg_iovlen = count < IOV_MAX ? (size_t)count : IOV_MAX;
	do {
		done = sendmsg(stream->descriptor.fd, &message,
			       MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (done < 0 && errno == EINTR);
	if (done < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return DTAP_AGAIN;
	if (done < 0)
		return socket_broken(stream, errno, "cannot be written to");
	*taken = (size_t)done;
	return DTAP_OK;
}

enum dtap_result
dtap__output_socket_read(struct dtap__output *output, void *into, size_t room,
			 size_t *got)
{
	struct dtap__output_socket *stream = socket_of(output);
	ssize_t done;

	*got = 0;
	if (!dtap__descriptor_check(&stream->descriptor))
		return socket_lost(stream);
	do {
		done = recv(stream->descriptor.fd, into, room, MSG_DONTWAIT);
	} while (done < 0 && errno == EINTR);
	if (done < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return DTAP_AGAIN;
	if (done < 0)
		return socket_broken(stream, errno, "cannot be read from");
	if (done == 0)
		return socket_broken(stream, 0, "closed the connection");
	*got = (size_t)done;
	return DTAP_OK;
}

int
dtap__output_socket_get_fd(const struct dtap__output *output)
{
	/* The head is the first member; container_of would drop the const. */
	return ((const struct dtap__output_socket *)output)->descriptor.fd;
}

void
dtap__output_socket_close(struct dtap__output *output)
{
	struct dtap__output_socket *stream = socket_of(output);

	/* For the peer, the end: children of the host may hold copies. */
	if (dtap__descriptor_check(&stream->descriptor))
		shutdown(stream->descriptor.fd, SHUT_RDWR);
	dtap__descriptor_close(&stream->descriptor);
	stream->connecting = false;
}
