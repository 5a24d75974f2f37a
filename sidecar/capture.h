/* SPDX-License-Identifier: Apache-2.0 */
/*
 * capture.h: where packets come from.
 *
 * A capture is opened with all privileges, read without any, and closed. It
 * never loses a packet without counting it. One thread uses it.
 */
#ifndef DTAP_SIDECAR_CAPTURE_H
#define DTAP_SIDECAR_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sidecar/packet.h"

#define CAPTURE_PORTS_MAX 8
#define CAPTURE_REASON_BYTES 512

struct capture;

enum capture_kind {
	CAPTURE_AUTO,   /* cgroup hooks where the kernel has them */
	CAPTURE_CGROUP, /* hooks at sockets: both ends, and their process */
	CAPTURE_PACKET  /* AF_PACKET: no process; forwarded traffic, too */
};

struct capture_options {
	enum capture_kind kind;
	uint16_t ports[CAPTURE_PORTS_MAX]; /* host byte order */
	size_t ports_count;
	/* Directory of a cgroup v2; NULL: the root of the hierarchy. */
	const char *cgroup;
	uint32_t pid;         /* packets of this process alone; 0: of all */
	uint32_t ring_bytes;  /* a power of two, at least 64 KiB */
	uint32_t latency_ms;  /* a packet waits no longer in the kernel */
	/* Plaintext of processes that use OpenSSL or GnuTLS, over these ports;
	 * none is 853. They should not be among the ports above. */
	bool tls_plaintext;
	uint16_t tls_ports[CAPTURE_PORTS_MAX];
	size_t tls_ports_count;
	/* Of this process alone, with the libraries that it uses; 0: of all
	 * that use those of the system. */
	uint32_t tls_pid;
};

/*
 * Each packet is in exactly one of the first four. A segment of TCP without
 * payload that neither begins nor ends a connection is no packet; one of more
 * than 64 KiB is several, and so is one with data in its SYN. Of frames,
 * those are counted that came through the socket's filter for ports.
 */
struct capture_counters {
	uint64_t taken;       /* handed to the callback */
	uint64_t lost_kernel; /* the ring was full */
	uint64_t lost_short;  /* octets could not be read, or were missing */
	uint64_t foreign;     /* not of a wanted process or port */
	uint64_t unowned;     /* taken, but of no known process */
};

typedef void
capture_callback(void *user, const struct packet *packet);

/*
 * Loads and attaches. On failure *reason holds one or more sentences for the
 * operator, with the remedy, and *capture is NULL. With CAPTURE_AUTO and
 * success it says why there are frames and no hooks, or is empty.
 */
bool
capture_open(const struct capture_options *options,
	     capture_callback *callback, void *user,
	     struct capture **capture, char reason[CAPTURE_REASON_BYTES]);

/* What is polled for POLLIN; the descriptor stays the capture's. When it is
 * readable there need not be any packets: drain all the same. */
int
capture_descriptor(const struct capture *capture);

/* Hands over what has come so far, or a part of it; never waits. Packets
 * arrive in the order in which the kernel saw them. false with errno when the
 * capture is broken: ENOENT when the cgroup that was asked for is gone. Makes
 * no system call but epoll_wait, read, clock_gettime, timerfd_settime and
 * faccessat; of frames, recvmmsg, getsockopt and, for the addresses of the
 * host, those of getifaddrs(), which may fail. */
bool
capture_drain(struct capture *capture);

void
capture_count(const struct capture *capture, struct capture_counters *counters);

/* CAPTURE_CGROUP or CAPTURE_PACKET. */
enum capture_kind
capture_kind(const struct capture *capture);

/* No more packets come; those that have come are still to be drained. Only of
 * frames some may, when the kernel has no memory for the filter. */
void
capture_detach(struct capture *capture);

/* Detaches everything. *capture becomes NULL. */
void
capture_close(struct capture **capture);

/* A line for each hook: its name, what it is for, and whether this kernel
 * lets it load ("yes", "no: reason"). For --list-hooks. */
void
capture_list_hooks(void (*line)(void *user, const char *hook,
				const char *purpose, const char *verdict),
		   void *user);

#endif
