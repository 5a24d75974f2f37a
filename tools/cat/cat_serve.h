/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cat_serve.h: listens, and reads what connects.
 */
#ifndef DTAP_TOOLS_CAT_SERVE_H
#define DTAP_TOOLS_CAT_SERVE_H

#include "cat/cat.h"
#include "cat/cat_listen.h"

/* Listening sockets of one program, and connections at one time. */
#define CAT_LISTENERS_MAX 16
#define CAT_CONNECTIONS_MAX 64
/* From accept() to START. */
#define CAT_HANDSHAKE_MS 5000

struct cat_connection;

struct cat_server {
	struct cat *cat;
	struct cat_listener listeners[CAT_LISTENERS_MAX];
	unsigned int listener_count;
	struct cat_connection *connections[CAT_CONNECTIONS_MAX];
	unsigned int connection_count;
	uint64_t accepted; /* connections so far: gives each its number */
};

/* Opens all listening sockets; false when one fails: it has been said. */
bool
cat_serve_open(struct cat_server *server, struct cat *cat);

/* Serves until the end is asked for. */
void
cat_serve_run(struct cat_server *server);

void
cat_serve_close(struct cat_server *server);

#endif
