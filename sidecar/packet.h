/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packet.h: what a capture hands over, whichever way it captured.
 *
 * A packet is a whole UDP datagram's payload, a piece of one direction of a
 * TCP connection, or a piece of the plaintext of a TLS connection, as one
 * socket saw it. A datagram on the loopback between two sockets of this host
 * is therefore two packets: sent by the one and received by the other.
 *
 * Everything in it was read from the network or from another process:
 * payload_bytes and the enums can be relied upon, nothing else.
 */
#ifndef DTAP_SIDECAR_PACKET_H
#define DTAP_SIDECAR_PACKET_H

#include <stddef.h>
#include <stdint.h>

/* TASK_COMM_LEN of the kernel, its NUL included. */
#define PACKET_COMM_BYTES 16
/* Longer names are cut. */
#define PACKET_EXE_BYTES 32

enum packet_direction {
	PACKET_RECEIVED,
	PACKET_SENT
};

/* The numbers of enum dtap_socket_protocol. */
enum packet_protocol {
	PACKET_UDP = 1,
	PACKET_TCP = 2,
	PACKET_TLS = 3 /* plaintext of DNS over TLS, in order */
};

/* Flags of the TCP header (RFC 9293 section 3.1) that matter here. */
enum packet_flag {
	PACKET_FIN = 0x01,
	PACKET_SYN = 0x02,
	PACKET_RST = 0x04
};

struct packet_endpoint {
	/* IPv4 in the first four octets, the rest zero. */
	uint8_t address[16];
	uint16_t port; /* host byte order */
};

/* The process that a socket belongs to; pid 0 when it is not known. */
struct packet_owner {
	uint32_t pid;
	uint32_t uid;
	uint64_t cgroup; /* inode of the cgroup's directory; 0 unknown */
	uint64_t netns;  /* inode of the network namespace; 0 unknown */
	char comm[PACKET_COMM_BYTES]; /* of the process; ends with a NUL */
	/* File name of its executable, without folders; ends with a NUL. */
	char exe[PACKET_EXE_BYTES];
};

struct packet {
	/* CLOCK_MONOTONIC: nobody sets that while others wait by it. */
	uint64_t time_ns;
	/* Names one socket of this host for as long as it lives. */
	uint64_t socket;
	struct packet_owner owner;
	struct packet_endpoint local;
	struct packet_endpoint remote;
	uint8_t family;    /* enum dtap_socket_family */
	uint8_t protocol;  /* enum packet_protocol */
	uint8_t direction; /* enum packet_direction */
	uint8_t tcp_flags; /* enum packet_flag, of a PACKET_TCP */
	/* Of the first octet of the payload, or of the SYN or FIN. */
	uint32_t tcp_sequence;
	size_t payload_bytes; /* may be 0 for TCP */
	const uint8_t *payload;
};

#endif
