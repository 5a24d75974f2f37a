/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_sidecar_packet.c: any octets as a frame. What is found must be within
 * the frame, and every octet of it readable.
 */
#include <stdlib.h>
#include <string.h>

#include "sidecar/packet_parse.h"
#include "sidecar/packet_view.h"

#include "fuzz.h"

static struct packet_view view;

/* Adds the octets up, for the sanitizer. */
static unsigned
fuzz_sum(const struct packet *packet)
{
	unsigned sum = 0;

	for (size_t i = 0; i < packet->payload_bytes; i++)
		sum += packet->payload[i];
	return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static const struct socket_id_key key;
	struct packet_view_frame frame = { .loopback = true };
	struct packet_parts parts;
	struct packet packet;
	uint16_t port;

	if (packet_parse(data, bytes, &parts) != PACKET_PARSE_DONE)
		return 0;
	if (parts.payload < data ||
	    parts.payload_bytes > bytes - (size_t)(parts.payload - data))
		abort();
	port = parts.source.port;
	view.ports = &port;
	view.ports_count = 1;
	view.key = &key;
	frame.leaves = bytes % 2 != 0;
	frame.time_ns = bytes;
	if (packet_view_end(&view, &frame, &parts, &packet) &&
	    fuzz_sum(&packet) == 1 && packet.payload_bytes == 0)
		abort();
	return 0;
}
