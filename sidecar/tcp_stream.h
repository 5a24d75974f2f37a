/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tcp_stream.h: one direction of one connection, its segments in order.
 */
#ifndef DTAP_SIDECAR_TCP_STREAM_H
#define DTAP_SIDECAR_TCP_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sidecar/packet.h"
#include "sidecar/table.h"
#include "sidecar/tcp_framing.h"

/* Segments of one stream held back at a time: what bounds the search for
 * the place of the next one. */
#define TCP_STREAM_SEGMENTS_MAX 512

struct tcp_stream {
	/* The table's. */
	struct table_entry entry;
	struct list_link used;
	struct list_link holding;
	struct list_link waiting;
	uint64_t used_ns;
	uint64_t waiting_since_ns;

	struct packet latest; /* without payload */
	uint32_t first;       /* where the stream began, or 1 GiB ago */
	uint32_t next;        /* up to here all octets were seen */
	uint32_t end;         /* behind the last octet, if has_end */
	bool began;           /* its SYN was seen */
	bool has_end;
	bool ended;           /* all has come: what comes now is old */
	struct list_link segments; /* held back, behind next */
	size_t segments_count;
	size_t segment_bytes; /* memory for all of them */
	struct tcp_framing framing;
};

/* The packet is the first of the stream; it is not fed by this. */
void
tcp_stream_begin(struct tcp_stream *stream, const struct packet *packet);

/* The packet cannot belong to this stream: another has taken its name. */
bool
tcp_stream_is_strange(const struct tcp_stream *stream,
		      const struct packet *packet);

void
tcp_stream_feed(struct tcp_stream *stream, struct tcp_meter *meter,
		const struct packet *packet);

/* Octets are missing before others that are there, or before the end. */
bool
tcp_stream_is_waiting(const struct tcp_stream *stream);

bool
tcp_stream_is_holding(const struct tcp_stream *stream);

/* Waits no longer for what is missing. */
void
tcp_stream_give_up(struct tcp_stream *stream, struct tcp_meter *meter);

/* Skips all that is held. */
void
tcp_stream_end(struct tcp_stream *stream, struct tcp_meter *meter);

#endif
