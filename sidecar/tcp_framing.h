/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tcp_framing.h: from the octets of a stream, in order, to messages.
 *
 * Keeps the beginning of one message and no more. When it may not have the
 * memory for that, the message is lost: its octets are skipped and counted.
 */
#ifndef DTAP_SIDECAR_TCP_FRAMING_H
#define DTAP_SIDECAR_TCP_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sidecar/tcp.h"

/* The longest message with its length. */
#define TCP_FRAME_BYTES_MAX (2 + 65535)

/* What all streams of a table share. */
struct tcp_meter {
	struct tcp_counters counters;
	size_t memory_max;        /* of counters.memory_bytes */
	size_t segment_bytes_max; /* of segments held back by one stream */
	tcp_callback *callback;
	void *user;
};

/* Memory that may be had now: reserved before it is allocated. */
bool
tcp_meter_take(struct tcp_meter *meter, size_t bytes);

void
tcp_meter_give(struct tcp_meter *meter, size_t bytes);

struct tcp_framing {
	uint8_t *octets; /* the beginning of a message */
	size_t used;
	size_t room;
	size_t skip;  /* octets to come that end a broken message */
	bool certain; /* boundaries are known by counting */
	bool found;   /* else: one is known by its looks */
};

/* Certain: the first octet to come begins a message. */
void
tcp_framing_begin(struct tcp_framing *framing, bool certain);

/* latest gives what a message has besides its octets. */
void
tcp_framing_feed(struct tcp_framing *framing, struct tcp_meter *meter,
		 const struct packet *latest, const uint8_t *octets,
		 size_t bytes);

/* So many octets will never come; the next call has those behind them. */
void
tcp_framing_gap(struct tcp_framing *framing, struct tcp_meter *meter,
		size_t bytes);

/* Skips what has been kept. */
void
tcp_framing_end(struct tcp_framing *framing, struct tcp_meter *meter);

#endif
