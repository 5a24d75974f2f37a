/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tcp.h: from segments to DNS messages.
 *
 * One direction of one connection is a stream. Its segments may come out of
 * order, twice, overlapping, with holes, or from the middle on; each message
 * is a big-endian 16-bit length and as many octets (RFC 1035 section 4.2.2).
 * Whole messages are handed on, in the order of the stream.
 *
 * What a stream may hold, and how many there may be, is bounded; the one
 * that was used least recently makes room, and is counted. Pure: no clock, no
 * system calls; hostile segments cost memory within the bounds and nothing
 * else. Plaintext of TLS comes the same way, but already in order.
 */
#ifndef DTAP_SIDECAR_TCP_H
#define DTAP_SIDECAR_TCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sidecar/packet.h"

struct tcp_table;

struct tcp_limits {
	size_t streams;      /* at most so many directions at a time */
	size_t stream_bytes; /* held back for one direction; >= 65,537 + 64 Ki */
	size_t total_bytes;  /* held back for all */
	uint64_t idle_ns;    /* a stream silent for so long is forgotten */
};

struct tcp_counters {
	uint64_t segments;
	uint64_t messages;
	uint64_t duplicate_octets; /* retransmitted and overlapping */
	uint64_t gaps;             /* holes given up, each resynchronised */
	uint64_t skipped_octets;   /* that belong to no message handed on */
	uint64_t evicted;          /* streams that made room for others */
	uint64_t expired;          /* streams silent for idle_ns */
};

/* The message is in packet->payload, its time that of its last octet's
 * packet; owner and endpoints are those of that packet. */
typedef void
tcp_callback(void *user, const struct packet *message);

/* NULL without memory, or with limits that hold not even one message. */
struct tcp_table *
tcp_table_new(const struct tcp_limits *limits, tcp_callback *callback,
	      void *user);

void
tcp_table_free(struct tcp_table **table);

/* Takes a PACKET_TCP or PACKET_TLS. */
void
tcp_table_feed(struct tcp_table *table, const struct packet *packet);

/* Forgets what has been silent; to be called now and then. */
void
tcp_table_expire(struct tcp_table *table, uint64_t now_ns);

void
tcp_table_count(const struct tcp_table *table, struct tcp_counters *counters);

#endif
