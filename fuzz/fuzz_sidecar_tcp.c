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
 * Every octet must be accounted for and every message whole, the memory must
 * stay within its bound, and messages must come from what was fed.
 */
#include <stdlib.h>
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
	unsigned int sum;
};

static void
fuzz_message(void *user, const struct packet *message)
{
	struct fuzz_tcp *fuzz = user;

	if (message->payload_bytes > 65535 || message->tcp_flags != 0)
		abort();
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
	if (counters.octets != counters.message_octets +
				       counters.duplicate_octets +
				       counters.skipped_octets +
				       counters.held_octets ||
	    counters.messages != fuzz->messages ||
	    counters.message_octets != fuzz->octets ||
	    counters.memory_bytes > TOTAL_BYTES ||
	    counters.memory_bytes < counters.held_octets ||
	    counters.streams > STREAMS)
		abort();
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
	tcp_table_feed(fuzz->table, packet);
	fuzz_check(fuzz);
	return 5 + length;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static const struct tcp_limits limits = {
		.streams = STREAMS,
		.stream_bytes = 140000,
		.total_bytes = TOTAL_BYTES,
		.idle_ns = UINT64_C(5000000000),
	};
	struct packet packet = { .tcp_sequence = BASE };
	struct fuzz_tcp fuzz = { .messages = 0 };
	struct tcp_counters counters;
	size_t at = 0;

	fuzz.table = tcp_table_new(&limits, fuzz_message, &fuzz);
	if (fuzz.table == NULL)
		return 0;
	while (bytes - at >= 5) {
		at += fuzz_segment(&fuzz, data + at, bytes - at, &packet);
		if (at % 16 == 0)
			tcp_table_expire(fuzz.table, packet.time_ns);
	}
	tcp_table_expire(fuzz.table, UINT64_MAX);
	fuzz_check(&fuzz);
	tcp_table_count(fuzz.table, &counters);
	if (counters.streams != 0 || counters.memory_bytes != 0 ||
	    counters.held_octets != 0)
		abort();
	tcp_table_free(&fuzz.table);
	return 0;
}
