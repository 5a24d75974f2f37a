/* SPDX-License-Identifier: Apache-2.0 */
/*
 * capture_rig.h: what the tests of captures share: a capture that keeps its
 * packets, a port of their own, and sockets that talk over it.
 *
 * Everything fails the test that calls it, if it fails.
 */
#ifndef DTAP_TESTS_CAPTURE_RIG_H
#define DTAP_TESTS_CAPTURE_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sidecar/capture.h"

#define RIG_PACKETS_MAX 20000

struct rig {
	struct capture *capture;
	uint16_t port; /* the one that is watched */
	size_t count;
	struct packet packets[RIG_PACKETS_MAX]; /* with payloads of their own */
};

/* Runs the suite, or says aloud why this kernel or this user cannot: whether
 * a program of two instructions may be loaded decides that, and not ours. */
int
rig_run(const char *name, void (*add)(void *suite));

/* A port that nobody uses, and options to watch it. */
struct capture_options
rig_options(struct rig *rig);

void
rig_open(struct rig *rig, const struct capture_options *options);

void
rig_close(struct rig *rig);

/* Drains until everything is there that happened before. */
void
rig_drain(struct rig *rig);

/* The same; then there are so many packets. */
void
rig_expect_count(struct rig *rig, size_t count);

/* Detaches an open capture between two datagrams: the first is still there,
 * the second does not come. */
void
rig_check_detach(struct rig *rig);

/* The next packet from index on that is of that direction; fails if none. */
const struct packet *
rig_find(const struct rig *rig, size_t *index,
	 enum packet_direction direction);

/* A socket on the loopback: bound to port, 0 for any; v6 or v4. */
int
rig_udp(bool v6, uint16_t port);

/* Sends to the loopback's port. */
void
rig_send(int fd, bool v6, uint16_t port, const void *data, size_t bytes);

/* Receives one datagram of that length, and answers with one of bytes. */
void
rig_answer(int fd, size_t expected, const void *data, size_t bytes);

int
rig_listen(uint16_t port);

int
rig_connect(uint16_t port);

void
rig_send_all(int fd, const void *data, size_t bytes);

void
rig_receive_all(int fd, size_t bytes);

uint16_t
rig_local_port(int fd);

/* Octets that differ from place to place; valid until the next call. */
const uint8_t *
rig_pattern(size_t bytes);

/* A child process that does work() and exits. */
pid_t
rig_child(void (*work)(void *user), void *user);

void
rig_wait_child(pid_t pid);

/* A new cgroup below the root of v2, and where it is. */
void
rig_make_cgroup(char path[4096]);

/* Moves the calling process. */
void
rig_enter_cgroup(const char *path);

/* ip and so on; the command's exit status. */
__attribute__((format(printf, 1, 2))) int
rig_shell(const char *format, ...);

#endif
