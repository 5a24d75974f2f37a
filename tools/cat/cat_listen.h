/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cat_listen.h: the listening sockets of -u and -l.
 */
#ifndef DTAP_TOOLS_CAT_LISTEN_H
#define DTAP_TOOLS_CAT_LISTEN_H

#include <stdbool.h>
#include <sys/types.h>

#include "cat/cat_options.h"

struct cat_listener {
	const struct cat_source *source;
	int fd;
	dev_t device; /* of the Unix socket's name, to know it again */
	ino_t inode;
};

/* 0, or errno. A Unix socket gets mode 0660; its name must be free. */
int
cat_listen_open(struct cat_listener *listener, const struct cat_source *source);

/* Unlinks the name of a Unix socket, if it still is the one that we made. */
void
cat_listen_close(struct cat_listener *listener);

#endif
