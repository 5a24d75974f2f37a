/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tcp.c: the streams of a table, and who has to make room.
 *
 * A stream is in one of two lists, by its last use: those that live, and
 * those that have ended and are only remembered. It is besides in `holding`,
 * by its last use, while it holds octets, and in `waiting`, by the beginning
 * of the wait, while octets are missing. So each question has its answer at
 * the front of a list:
 *
 *   too many streams     the oldest that has ended, else the oldest
 *   too much memory      the oldest that holds any
 *   a hole grows old     the one that waits longest
 *   silence              the oldest of both kinds
 *
 * Memory is made free before a packet is looked at: enough for the packet
 * and the longest message, as far as others hold it. When that is not enough,
 * the meter refuses, and the stream itself does without (tcp_stream.c gives
 * up holes, tcp_framing.c messages). So there is no eviction in the midst of
 * a stream's work, and no way around the bound.
 *
 * Callbacks come from feed, expire and flush only.
 */
#include "sidecar/tcp.h"

#include <stdlib.h>

#include "sidecar/table.h"
#include "sidecar/tcp_stream.h"

/* Longer than a sender waits before it sends something again, on most paths
 * (RFC 6298: at first after one second; then, on Linux, 200 ms and what the
 * path takes). */
#define HOLE_NS UINT64_C(1000000000)

struct tcp_table {
	struct tcp_meter meter;
	struct tcp_limits limits;
	struct table streams;
	struct list_link live;
	struct list_link ended;
	struct list_link holding;
	struct list_link waiting;
};

struct tcp_table *
tcp_table_new(const struct tcp_limits *limits, tcp_callback *callback,
	      void *user)
{
	struct tcp_table *table;

	if (limits->streams == 0 ||
	    limits->stream_bytes < TCP_FRAME_BYTES_MAX + 65536 ||
	    limits->total_bytes < limits->stream_bytes)
		return NULL;
	table = calloc(1, sizeof(*table));
	if (table == NULL)
		return NULL;
	if (!table_init(&table->streams, limits->streams)) {
		free(table);
		return NULL;
	}
	table->limits = *limits;
	table->meter.memory_max = limits->total_bytes;
	table->meter.segment_bytes_max =
		limits->stream_bytes - TCP_FRAME_BYTES_MAX;
	table->meter.callback = callback;
	table->meter.user = user;
	list_init(&table->live);
	list_init(&table->ended);
	list_init(&table->holding);
	list_init(&table->waiting);
	return table;
}

/* The stream whose link this is: one of used, holding, waiting. */
#define stream_by(link, member) table_holder(link, struct tcp_stream, member)

static void
forget(struct tcp_table *table, struct tcp_stream *stream)
{
	tcp_stream_end(stream, &table->meter);
	table_remove(&table->streams, &stream->entry);
	list_remove(&stream->used);
	list_remove(&stream->holding);
	list_remove(&stream->waiting);
	free(stream);
}

void
tcp_table_free(struct tcp_table **table)
{
	struct list_link *link;

	if (*table == NULL)
		return;
	while ((link = list_first(&(*table)->ended)) != NULL ||
	       (link = list_first(&(*table)->live)) != NULL)
		forget(*table, stream_by(link, used));
	table_fini(&(*table)->streams);
	free(*table);
	*table = NULL;
}

static void
make_room_for_stream(struct tcp_table *table)
{
	struct list_link *link;

	if (table->streams.count < table->limits.streams)
		return;
	link = list_first(&table->ended);
	if (link == NULL) {
		link = list_first(&table->live);
		table->meter.counters.evicted++;
	}
	forget(table, stream_by(link, used));
}

/* The stream is the last of those that hold anything, if it is among them. */
static void
make_room_for_octets(struct tcp_table *table, const struct tcp_stream *stream,
		     size_t bytes)
{
	uint64_t *memory_bytes = &table->meter.counters.memory_bytes;
	struct list_link *link;

	bytes += TCP_FRAME_BYTES_MAX;
	while (table->meter.memory_max - *memory_bytes < bytes &&
	       (link = list_first(&table->holding)) != NULL &&
	       link != &stream->holding) {
		table->meter.counters.evicted++;
		forget(table, stream_by(link, holding));
	}
}

static uint64_t
stream_hash(const struct tcp_table *table, const struct packet *packet)
{
	uint64_t words[2] = {
		packet->socket,
		(uint64_t)packet->protocol << 8 | packet->direction,
	};

	return table_hash(&table->streams, words, 2);
}

static struct tcp_stream *
stream_new(struct tcp_table *table, const struct packet *packet, uint64_t hash)
{
	struct tcp_stream *stream;

	make_room_for_stream(table);
	stream = malloc(sizeof(*stream));
	if (stream == NULL)
		return NULL;
	table_add(&table->streams, &stream->entry, hash);
	list_init(&stream->used);
	list_init(&stream->holding);
	list_init(&stream->waiting);
	tcp_stream_begin(stream, packet);
	return stream;
}

/* NULL when there is none and none is wanted for this packet. */
static struct tcp_stream *
stream_for(struct tcp_table *table, const struct packet *packet)
{
	uint64_t hash = stream_hash(table, packet);
	struct table_entry *entry = table_find(&table->streams, hash);
	struct tcp_stream *stream;

	if (entry == NULL) {
		if (packet->payload_bytes == 0 &&
		    (packet->tcp_flags & PACKET_SYN) == 0)
			return NULL;
		return stream_new(table, packet, hash);
	}
	stream = table_holder(entry, struct tcp_stream, entry);
	if (tcp_stream_is_strange(stream, packet)) {
		tcp_stream_give_up(stream, &table->meter);
		tcp_stream_end(stream, &table->meter);
		tcp_stream_begin(stream, packet);
		list_remove(&stream->holding);
		list_remove(&stream->waiting);
	}
	return stream;
}

/* Puts the stream into the lists where it belongs. progress: what it waits
 * for, if for anything, is not what it has waited for. */
static void
settle(struct tcp_table *table, struct tcp_stream *stream, bool progress)
{
	list_move_last(stream->ended ? &table->ended : &table->live,
		       &stream->used);
	if (tcp_stream_is_holding(stream))
		list_move_last(&table->holding, &stream->holding);
	else
		list_remove(&stream->holding);
	if (!tcp_stream_is_waiting(stream)) {
		list_remove(&stream->waiting);
	} else if (progress || list_is_empty(&stream->waiting)) {
		stream->waiting_since_ns = stream->used_ns;
		list_move_last(&table->waiting, &stream->waiting);
	}
}

static bool
is_over(uint64_t since_ns, uint64_t wait_ns, uint64_t now_ns)
{
	return now_ns >= since_ns && now_ns - since_ns >= wait_ns;
}

static void
give_up_old_holes(struct tcp_table *table, uint64_t now_ns)
{
	struct list_link *link;

	while ((link = list_first(&table->waiting)) != NULL) {
		struct tcp_stream *stream = stream_by(link, waiting);

		if (!is_over(stream->waiting_since_ns, HOLE_NS, now_ns))
			return;
		tcp_stream_give_up(stream, &table->meter);
		list_remove(&stream->waiting);
		if (stream->ended)
			list_move_last(&table->ended, &stream->used);
		if (!tcp_stream_is_holding(stream))
			list_remove(&stream->holding);
	}
}

void
tcp_table_feed(struct tcp_table *table, const struct packet *packet)
{
	struct tcp_counters *counters = &table->meter.counters;
	struct tcp_stream *stream;
	uint32_t next;

	counters->segments++;
	counters->octets += packet->payload_bytes;
	give_up_old_holes(table, packet->time_ns);
	stream = stream_for(table, packet);
	if (stream == NULL) {
		counters->skipped_octets += packet->payload_bytes;
		return;
	}
	stream->used_ns = packet->time_ns;
	if (!list_is_empty(&stream->holding))
		list_move_last(&table->holding, &stream->holding);
	make_room_for_octets(table, stream, packet->payload_bytes);
	next = stream->next;
	tcp_stream_feed(stream, &table->meter, packet);
	settle(table, stream, stream->next != next);
}

static void
forget_silent(struct tcp_table *table, struct list_link *list, uint64_t now_ns)
{
	struct list_link *link;

	while ((link = list_first(list)) != NULL) {
		struct tcp_stream *stream = stream_by(link, used);

		if (!is_over(stream->used_ns, table->limits.idle_ns, now_ns))
			return;
		if (!stream->ended) {
			tcp_stream_give_up(stream, &table->meter);
			table->meter.counters.expired++;
		}
		forget(table, stream);
	}
}

void
tcp_table_expire(struct tcp_table *table, uint64_t now_ns)
{
	give_up_old_holes(table, now_ns);
	forget_silent(table, &table->live, now_ns);
	forget_silent(table, &table->ended, now_ns);
}

void
tcp_table_flush(struct tcp_table *table)
{
	give_up_old_holes(table, UINT64_MAX);
}

void
tcp_table_count(const struct tcp_table *table, struct tcp_counters *counters)
{
	*counters = table->meter.counters;
	counters->streams = table->streams.count;
}
