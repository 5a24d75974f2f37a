/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tcp.h: from segments to DNS messages.
 *
 * One direction of one connection is a stream. Its segments may come out of
 * order, twice, overlapping (the copy of an octet counts that Linux lets its
 * processes read: see tcp_stream.c), with holes, or from the middle on; each
 * message is a big-endian 16-bit length and as many octets (RFC 1035 section
 * 4.2.2). Whole messages are handed on, in the order of the stream, empty ones
 * too.
 *
 * What lies behind a hole is held back until the hole is filled. It is given
 * up when more would be held than allowed, after a second, or when the stream
 * is silent. If a message reaches across the hole that is known by its length,
 * this one is lost and the next one begins where it ends. Else, and in a
 * stream that was met in its middle, messages are found by their looks: see
 * tcp_looks.h.
 *
 * What a stream may hold, and how many there may be, is bounded; the one
 * that was used least recently makes room, and is counted. Pure: no clock, no
 * system calls; hostile segments cost memory within the bounds and nothing
 * else. Plaintext of TLS comes the same way, but already in order: sequence
 * numbers are not looked at, messages are always judged by their looks.
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
	/* Memory for octets held back, with all that it takes to hold them. */
	size_t stream_bytes; /* of one direction; >= 65,537 + 64 Ki */
	size_t total_bytes;  /* of all; >= stream_bytes */
	uint64_t idle_ns;    /* a stream silent for so long is forgotten */
};

/*
 * octets == message_octets + duplicate_octets + skipped_octets + held_octets,
 * after each call.
 */
struct tcp_counters {
	uint64_t segments;
	uint64_t octets;           /* of payload, in all segments */
	uint64_t messages;
	uint64_t message_octets;   /* of these, with their lengths */
	uint64_t duplicate_octets; /* retransmitted, overlapping, too late */
	uint64_t gaps;             /* holes given up, boundaries lost */
	uint64_t skipped_octets;   /* that belong to no message handed on */
	uint64_t evicted;          /* streams that made room for others */
	uint64_t expired;          /* streams silent for idle_ns */
	/* As it is now. */
	uint64_t streams;
	uint64_t held_octets;
	uint64_t memory_bytes;     /* what total_bytes bounds */
};

/*
 * The message is in packet->payload, until the call returns; its time is that
 * of its last octet's packet. Owner and endpoints are those of the stream's
 * latest packet with a known owner. It must not call the table.
 */
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

/* Gives up holes, forgets what has been silent: to be called about once a
 * second, or more often. */
void
tcp_table_expire(struct tcp_table *table, uint64_t now_ns);

/* Gives up all holes: hands on what is held back behind them. */
void
tcp_table_flush(struct tcp_table *table);

void
tcp_table_count(const struct tcp_table *table, struct tcp_counters *counters);

#endif
