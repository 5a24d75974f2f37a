/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sidecar_stream.h: what tests of the sidecar's reassembly share: messages to
 * send, segments of them, and a list of what came out.
 */
#ifndef DTAP_TESTS_SIDECAR_STREAM_H
#define DTAP_TESTS_SIDECAR_STREAM_H

#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sidecar/tcp.h"

#define STREAM_SECOND UINT64_C(1000000000)
#define STREAM_LEAST (65537 + 65536)
#define STREAM_CAUGHT_MAX 4096
/* Header and question of the messages made here. */
#define STREAM_MESSAGE_MIN 19

struct caught {
	uint64_t time_ns;
	uint64_t socket;
	uint32_t pid;
	size_t bytes;
	uint8_t *octets;
};

static struct {
	struct tcp_table *table;
	uint64_t now_ns;
	size_t count;
	struct caught of[STREAM_CAUGHT_MAX];
} stream;

static inline void
stream_catch(void *user, const struct packet *message)
{
	struct caught *caught = &stream.of[stream.count];

	ck_assert_ptr_eq(user, &stream);
	ck_assert_uint_lt(stream.count, STREAM_CAUGHT_MAX);
	stream.count++;
	caught->time_ns = message->time_ns;
	caught->socket = message->socket;
	caught->pid = message->owner.pid;
	caught->bytes = message->payload_bytes;
	caught->octets = malloc(message->payload_bytes + 1);
	ck_assert_ptr_nonnull(caught->octets);
	memcpy(caught->octets, message->payload, message->payload_bytes);
}

static inline void
stream_open_with(const struct tcp_limits *limits)
{
	stream.now_ns = 1000 * STREAM_SECOND;
	stream.count = 0;
	stream.table = tcp_table_new(limits, stream_catch, &stream);
	ck_assert_ptr_nonnull(stream.table);
}

static inline void
stream_open(void)
{
	struct tcp_limits limits = { 16, STREAM_LEAST, 4 * STREAM_LEAST,
				     60 * STREAM_SECOND };

	stream_open_with(&limits);
}

static inline struct tcp_counters
stream_counters(void)
{
	struct tcp_counters counters;

	tcp_table_count(stream.table, &counters);
	ck_assert_uint_eq(counters.octets,
			  counters.message_octets + counters.duplicate_octets +
				  counters.skipped_octets +
				  counters.held_octets);
	return counters;
}

static inline void
stream_forget_caught(void)
{
	while (stream.count > 0)
		free(stream.of[--stream.count].octets);
}

static inline void
stream_close(void)
{
	stream_counters();
	tcp_table_free(&stream.table);
	ck_assert_ptr_null(stream.table);
	tcp_table_free(&stream.table);
	stream_forget_caught();
}

/* A segment of socket 1, received. Each comes a millisecond later. */
static inline struct packet
stream_packet(uint32_t sequence, const void *octets, size_t bytes,
	      unsigned int flags)
{
	struct packet packet = {
		.time_ns = stream.now_ns += STREAM_SECOND / 1000,
		.socket = 1,
		.family = 1,
		.protocol = PACKET_TCP,
		.direction = PACKET_RECEIVED,
		.tcp_flags = (uint8_t)flags,
		.tcp_sequence = sequence,
		.payload = octets,
		.payload_bytes = bytes,
	};

	return packet;
}

/* From memory of just this size, for the sanitizer to look at. */
static inline void
stream_feed_packet(const struct packet *packet)
{
	struct packet fed = *packet;
	uint8_t *copy = malloc(packet->payload_bytes + 1);

	ck_assert_ptr_nonnull(copy);
	if (packet->payload_bytes > 0)
		memcpy(copy + 1, packet->payload, packet->payload_bytes);
	fed.payload = copy + 1;
	tcp_table_feed(stream.table, &fed);
	free(copy);
	stream_counters();
}

static inline void
stream_feed(uint32_t sequence, const void *octets, size_t bytes,
	    unsigned int flags)
{
	struct packet packet = stream_packet(sequence, octets, bytes, flags);

	stream_feed_packet(&packet);
}

/*
 * Writes the length and a message of so many octets: a query for the root,
 * then octets that depend on the id and look like no message.
 */
static inline size_t
stream_message(uint8_t *frame, uint16_t id, size_t bytes)
{
	static const uint8_t header[] = { 0, 0, 0x01, 0, 0, 1, 0, 0, 0, 0, 0,
					  0, 0, 0, 6, 0, 1, 0xee, 0xee };

	frame[0] = (uint8_t)(bytes >> 8);
	frame[1] = (uint8_t)bytes;
	for (size_t i = 0; i < bytes; i++)
		frame[2 + i] = i < sizeof(header) ?
				       header[i] :
				       (uint8_t)(0x80 | (i * 7 + id));
	if (bytes >= 2) {
		frame[2] = (uint8_t)(id >> 8);
		frame[3] = (uint8_t)id;
	}
	return 2 + bytes;
}

/* The number-th message that came out is the one of stream_message(). */
static inline void
stream_expect(size_t number, uint16_t id, size_t bytes)
{
	static uint8_t frame[2 + 65535];

	ck_assert_uint_lt(number, stream.count);
	stream_message(frame, id, bytes);
	ck_assert_uint_eq(stream.of[number].bytes, bytes);
	ck_assert_mem_eq(stream.of[number].octets, frame + 2, bytes);
}

#endif
