/* SPDX-License-Identifier: Apache-2.0 */
/*
 * output_socket.h: what the outputs into stream sockets share.
 *
 * Every call is non-blocking. The results and the error texts are those of
 * output.h, so most of these go into a vtable as they are. Used by
 * output_unix and output_tcp. One thread per socket.
 */
#ifndef DTAP_OUTPUT_OUTPUT_SOCKET_H
#define DTAP_OUTPUT_OUTPUT_SOCKET_H

#include <stdbool.h>
#include <sys/socket.h>

#include "output/descriptor.h"
#include "output/output.h"

struct dtap__output_socket {
	struct dtap__output output;
	struct dtap__descriptor descriptor;
	bool connecting; /* connect() is under way */
	char *peer;	 /* for error texts */
	struct sockaddr_storage address;
	socklen_t address_bytes;
};

/* Sets the fields, without an address. DTAP_OK or DTAP_E_NOMEM. */
enum dtap_result
dtap__output_socket_init(struct dtap__output_socket *stream,
			 const struct dtap__output_ops *ops, const char *peer);

/* Closes, and frees what the fields hold; not the struct. */
void
dtap__output_socket_fini(struct dtap__output_socket *stream);

/* Notes a failure and closes. Returns DTAP_E_SYSTEM. */
enum dtap_result
dtap__output_socket_fail(struct dtap__output_socket *stream, int system_errno,
			 const char *problem);

/* Makes the descriptor. DTAP_OK; DTAP_E_SYSTEM. */
enum dtap_result
dtap__output_socket_create(struct dtap__output_socket *stream);

/* Begins to connect to the address. DTAP_OK; DTAP_AGAIN; DTAP_E_SYSTEM. */
enum dtap_result
dtap__output_socket_connect(struct dtap__output_socket *stream);

/* Looks how connecting came out. DTAP_OK; DTAP_AGAIN; DTAP_E_SYSTEM. */
enum dtap_result
dtap__output_socket_finish(struct dtap__output_socket *stream);

enum dtap_result
dtap__output_socket_write(struct dtap__output *output,
			  const struct iovec *parts, int count, size_t *taken);

enum dtap_result
dtap__output_socket_read(struct dtap__output *output, void *into, size_t room,
			 size_t *got);

int
dtap__output_socket_get_fd(const struct dtap__output *output);

void
dtap__output_socket_close(struct dtap__output *output);

#endif
