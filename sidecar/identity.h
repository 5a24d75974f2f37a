/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity.h: what is known of a process, from /proc and its cgroup.
 *
 * Looked up once for each process (a pid together with its start time) and
 * remembered within bounds. Processes that are gone by then keep what the
 * kernel part said of them. Reads files of /proc and /sys/fs/cgroup, which
 * is allowed to the unprivileged only in part: what cannot be read is empty.
 */
#ifndef DTAP_SIDECAR_IDENTITY_H
#define DTAP_SIDECAR_IDENTITY_H

#include <stddef.h>

#include "sidecar/packet.h"

#define IDENTITY_TEXT_BYTES 256

struct identity {
	char exe[IDENTITY_TEXT_BYTES];       /* file name without folders */
	char cgroup[IDENTITY_TEXT_BYTES];    /* path within the hierarchy */
	char container[IDENTITY_TEXT_BYTES]; /* id, from the cgroup's path */
};

struct identity_table;

struct identity_table *
identity_table_new(void);

void
identity_table_free(struct identity_table **table);

/* Never NULL; valid until the next call. */
const struct identity *
identity_table_find(struct identity_table *table,
		    const struct packet_owner *owner);

/* The container's id in a path of a cgroup, as Docker, containerd, CRI-O,
 * Podman and systemd-nspawn name them; "" if none. Pure. */
void
identity_container(const char *cgroup, char *container, size_t bytes);

#endif
