/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record.h: what the kernel part and the program share: the records in the
 * ring between them, and the memory that both have mapped.
 *
 * Fixed widths and no padding, because the one side is compiled for BPF and
 * the other for this machine.
 */
#ifndef DTAP_SIDECAR_RECORD_H
#define DTAP_SIDECAR_RECORD_H

#include <linux/types.h>

#define RECORD_COMM_BYTES 16
#define RECORD_EXE_BYTES 32
#define RECORD_PORTS_MAX 8
/* Of the counters; a machine with more processors shares some of them. */
#define RECORD_CPUS_MAX 256

/* The longest payload of one record; a longer segment is several. */
#define RECORD_PAYLOAD_MAX 65536

/* A socket's process; kept with the socket, copied into each record. */
struct record_owner {
	__u32 pid;
	__u32 uid;
	__u64 cgroup;
	__u64 netns;
	char comm[RECORD_COMM_BYTES];
	char exe[RECORD_EXE_BYTES];
};

/* What stands before the payload of each record. */
struct record {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u64 cookie;  /* of the socket; a listener's, for what it is offered */
	struct record_owner owner;
	__u8 local[16];
	__u8 remote[16];
	__u16 local_port; /* host byte order, as all that follows */
	__u16 remote_port;
	__u32 tcp_sequence;
	__u32 payload_bytes;
	__u8 ip_version;
	__u8 protocol;  /* enum packet_protocol */
	__u8 direction; /* enum packet_direction */
	__u8 tcp_flags; /* enum packet_flag */
};

/* One processor's, a cache line of its own. */
struct record_counters {
	__u64 recorded;
	__u64 lost_full;  /* the ring had no room */
	__u64 lost_short; /* the payload could not be read */
	__u64 foreign;    /* not of a wanted port or process */
	__u64 spare[4];
};

#endif
