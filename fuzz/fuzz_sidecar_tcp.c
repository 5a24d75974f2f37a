/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_sidecar_tcp.c: any octets as segments of a few connections.
 *
 * The input is a row of segments, each of five octets and a payload:
 *
 *   0     bits 0-1 the socket, 2 the direction, 3 TLS, 4-6 FIN, SYN, RST;
 *         bit 7: the sequence number follows the one before, else it is given
 *   1, 2  the sequence number, from a place near where numbers wrap; or,
 *         with bit 7, milliseconds that pass
 *   3, 4  how often the payload is repeated; its octets, 63 at most
 *
 * What must hold, after each segment:
 *  - every octet is accounted for: handed on, doubled, skipped or held;
 *  - messages are whole, and as many octets as the counters say;
 *  - the memory stays within its bound, and at the end nothing is left.
 */
#include <stdbool.h>
#include <string.h>

#include "sidecar/tcp.h"

#include "fuzz.h"

#define BASE UINT32_C(0xffff8000)
#define TOTAL_BYTES 200000
#define STREAMS 5
#define REPEATED_MAX (63 * 256)

struct fuzz_tcp {
	struct tcp_table *table;
	uint64_t messages;
	uint64_t octets;
	uint64_t fed;
	unsigned int sum;
};

static void
fuzz_message(void *user, const struct packet *message)
{
	struct fuzz_tcp *fuzz = user;

	FUZZ_EXPECT(message->payload_bytes <= 65535);
	FUZZ_EXPECT(message->tcp_flags == 0);
	fuzz->messages++;
	fuzz->octets += 2 + message->payload_bytes;
	for (size_t i = 0; i < message->payload_bytes; i++)
		fuzz->sum += message->payload[i];
}

static void
fuzz_check(const struct fuzz_tcp *fuzz)
{
	struct tcp_counters counters;

	tcp_table_count(fuzz->table, &counters);
	FUZZ_EXPECT(counters.octets == fuzz->fed);
	FUZZ_EXPECT(counters.octets ==
		    counters.message_octets + counters.duplicate_octets +
			    counters.skipped_octets + counters.held_octets);
	FUZZ_EXPECT(counters.messages == fuzz->messages);
	FUZZ_EXPECT(counters.message_octets == fuzz->octets);
	FUZZ_EXPECT(counters.memory_bytes <= TOTAL_BYTES);
	FUZZ_EXPECT(counters.memory_bytes >= counters.held_octets);
	FUZZ_EXPECT(counters.streams <= STREAMS);
}

static void
fuzz_check_end(const struct fuzz_tcp *fuzz)
{
	struct tcp_counters counters;

	fuzz_check(fuzz);
	tcp_table_count(fuzz->table, &counters);
	FUZZ_EXPECT(counters.streams == 0);
	FUZZ_EXPECT(counters.memory_bytes == 0);
	FUZZ_EXPECT(counters.held_octets == 0);
}

/* Feeds one segment; returns how many octets of the input it took. */
static size_t
fuzz_segment(struct fuzz_tcp *fuzz, const uint8_t *data, size_t bytes,
	     struct packet *packet)
{
	static uint8_t payload[REPEATED_MAX];
	unsigned int number = (unsigned int)data[1] << 8 | data[2];
	size_t length = data[4] & 63;
	size_t repeated = 0;

	if (length > bytes - 5)
		length = bytes - 5;
	for (size_t i = 0; i <= data[3]; i++, repeated += length)
		memcpy(payload + repeated, data + 5, length);
	if ((data[0] & 0x80) != 0) {
		packet->time_ns += number * UINT64_C(1000000);
		packet->tcp_sequence += (uint32_t)packet->payload_bytes;
	} else {
		packet->tcp_sequence = BASE + number;
	}
	packet->socket = data[0] & 3;
	packet->direction = data[0] >> 2 & 1;
	packet->protocol = (data[0] & 8) != 0 ? PACKET_TLS : PACKET_TCP;
	packet->tcp_flags = data[0] >> 4 & 7;
	packet->payload = payload;
	packet->payload_bytes = repeated;
	fuzz->fed += repeated;
	tcp_table_feed(fuzz->table, packet);
	fuzz_check(fuzz);
	return 5 + length;
}

/* Returns the octets that the table has seen, which are more than the input. */
static size_t
fuzz_run(void *context)
{
	static const struct tcp_limits limits = {
		.streams = STREAMS,
		.stream_bytes = 140000,
		.total_bytes = TOTAL_BYTES,
		.idle_ns = UINT64_C(5000000000),
	};
	const struct fuzz_source *input = context;
	struct packet packet = { .tcp_sequence = BASE };
	struct fuzz_tcp fuzz = { .messages = 0 };
	size_t at = 0;

	fuzz.table = tcp_table_new(&limits, fuzz_message, &fuzz);
	FUZZ_EXPECT(fuzz.table != NULL);
	while (input->left - at >= 5) {
		at += fuzz_segment(&fuzz, input->at + at, input->left - at,
				   &packet);
		if (at % 16 == 0)
			tcp_table_expire(fuzz.table, packet.time_ns);
	}
	tcp_table_expire(fuzz.table, UINT64_MAX);
	fuzz_check_end(&fuzz);
	tcp_table_free(&fuzz.table);
	return input->left + fuzz.fed;
}

void
fuzz_input(const uint8_t *data, size_t bytes)
{
	struct fuzz_source input = { data, bytes };

	fuzz_measure(fuzz_run, &input);
}
