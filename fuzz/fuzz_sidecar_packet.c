/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_sidecar_packet.c: any octets as a frame, from its IP header on.
 *
 * What must hold:
 *  - the payload of what is understood lies in the frame, and behind a header
 *    whose ports are those found; addresses are octets of the IP header;
 *  - of an IPv4 frame no more is taken than its length says;
 *  - the end that sees the frame has its source and destination, one way
 *    round or the other, and the same payload;
 *  - a frame that was seen is not seen again within a millisecond, and is
 *    when it comes later;
 *  - between interfaces: what leaves is seen where its source is, and what
 *    arrives unless its source is here and its destination is not.
 */
#include <stdbool.h>
#include <string.h>

#include "sidecar/packet_parse.h"
#include "sidecar/packet_view.h"

#include "fuzz.h"

struct parsing {
	const uint8_t *data;
	size_t bytes;
	enum packet_parse_result result;
	struct packet_parts parts;
};

static size_t
parse(void *context)
{
	struct parsing *parsing = context;

	parsing->result = packet_parse(parsing->data, parsing->bytes,
				       &parsing->parts);
	return parsing->bytes;
}

static unsigned int
number_at(const uint8_t *octets)
{
	return (unsigned int)octets[0] << 8 | octets[1];
}

/* The TCP header that ends where the payload begins; the nearest, or NULL. */
static const uint8_t *
tcp_before(const struct parsing *parsing)
{
	size_t before = (size_t)(parsing->parts.payload - parsing->data);

	for (size_t words = 5; words < 16 && words * 4 <= before; words++) {
		const uint8_t *tcp = parsing->parts.payload - words * 4;

		if (tcp[12] >> 4 == words &&
		    number_at(tcp) == parsing->parts.source.port &&
		    number_at(tcp + 2) == parsing->parts.destination.port)
			return tcp;
	}
	return NULL;
}

/* Where the transport header begins. */
static const uint8_t *
transport_of(const struct parsing *parsing)
{
	const struct packet_parts *parts = &parsing->parts;
	const uint8_t *ip = parsing->data;
	size_t before = (size_t)(parts->payload - ip);

	if (parts->family == 1) {
		FUZZ_EXPECT(ip[0] >> 4 == 4);
		FUZZ_EXPECT(memcmp(parts->source.address, ip + 12, 4) == 0);
		FUZZ_EXPECT(memcmp(parts->destination.address, ip + 16, 4) ==
			    0);
		FUZZ_EXPECT(number_at(ip + 2) == 0 ||
			    before + parts->payload_bytes <=
				    number_at(ip + 2));
		return ip + (size_t)(ip[0] & 15) * 4;
	}
	FUZZ_EXPECT(parts->family == 2 && ip[0] >> 4 == 6);
	FUZZ_EXPECT(memcmp(parts->source.address, ip + 8, 16) == 0);
	FUZZ_EXPECT(memcmp(parts->destination.address, ip + 24, 16) == 0);
	/* Extension headers in between: looked for from the payload back. */
	return parts->protocol == PACKET_UDP ? parts->payload - 8
					     : tcp_before(parsing);
}

static void
check_parts(const struct parsing *parsing)
{
	const struct packet_parts *parts = &parsing->parts;
	const uint8_t *transport;

	FUZZ_EXPECT(parts->protocol == PACKET_UDP ||
		    parts->protocol == PACKET_TCP);
	FUZZ_EXPECT(parts->payload >= parsing->data + 20 + 8);
	FUZZ_EXPECT(parts->payload <= parsing->data + parsing->bytes);
	transport = transport_of(parsing);
	FUZZ_EXPECT(parts->payload_bytes <=
		    (size_t)(parsing->data + parsing->bytes - parts->payload));
	FUZZ_EXPECT(transport != NULL &&
		    (parts->family == 1 || transport >= parsing->data + 40));
	FUZZ_EXPECT(parts->source.port == number_at(transport));
	FUZZ_EXPECT(parts->destination.port == number_at(transport + 2));
	if (parts->protocol == PACKET_UDP)
		FUZZ_EXPECT(parts->payload == transport + 8);
	else
		FUZZ_EXPECT(parts->payload ==
			    transport + (size_t)(transport[12] >> 4) * 4);
}

static bool
same_end(const struct packet_endpoint *a, const struct packet_endpoint *b)
{
	return a->port == b->port &&
	       memcmp(a->address, b->address, sizeof(a->address)) == 0;
}

static void
check_packet(const struct packet *packet, const struct packet_parts *parts)
{
	FUZZ_EXPECT((same_end(&packet->local, &parts->source) &&
		     same_end(&packet->remote, &parts->destination)) ||
		    (same_end(&packet->local, &parts->destination) &&
		     same_end(&packet->remote, &parts->source)));
	FUZZ_EXPECT(packet->payload == parts->payload);
	FUZZ_EXPECT(packet->payload_bytes == parts->payload_bytes);
	FUZZ_EXPECT(packet->family == parts->family);
	FUZZ_EXPECT(packet->protocol == parts->protocol);
}

static struct packet_view view;

static void
begin_view(const struct packet_parts *parts)
{
	static const struct socket_id_key key;

	memset(&view, 0, sizeof(view));
	view.ports = &parts->source.port;
	view.ports_count = 1;
	view.key = &key;
}

/* On the loopback: the frame is seen, then not, then again. */
static void
check_twins(const struct packet_parts *parts, bool leaves)
{
	struct packet_view_frame frame = { .loopback = true };
	struct packet packet;

	begin_view(parts);
	frame.leaves = leaves;
	frame.time_ns = UINT64_C(1) << 60;
	FUZZ_EXPECT(packet_view_end(&view, &frame, parts, &packet));
	check_packet(&packet, parts);
	frame.time_ns += PACKET_VIEW_TWIN_NS - 1;
	FUZZ_EXPECT(!packet_view_end(&view, &frame, parts, &packet));
	frame.time_ns += PACKET_VIEW_TWIN_NS;
	FUZZ_EXPECT(packet_view_end(&view, &frame, parts, &packet));
	check_packet(&packet, parts);
}

static bool
is_group(const struct packet_parts *parts)
{
	return parts->destination.address[0] >=
	       (parts->family == 1 ? 0xe0 : 0xff);
}

/* The frame at an interface, when the host has some of its addresses. */
static void
check_interface(const struct packet_parts *parts, bool leaves, bool from_here,
		bool to_here)
{
	struct packet_view_frame frame = { .leaves = leaves };
	bool same = memcmp(parts->source.address, parts->destination.address,
			   sizeof(parts->source.address)) == 0;
	struct packet_view_address *address = view.addresses;
	struct packet packet;
	bool seen;

	begin_view(parts);
	memcpy(address[0].octets, parts->source.address, 16);
	memcpy(address[1].octets, parts->destination.address, 16);
	address[0].family = from_here ? parts->family : 0;
	address[1].family = to_here ? parts->family : 0;
	view.addresses_count = 2;
	frame.time_ns = UINT64_C(1) << 60;
	seen = packet_view_end(&view, &frame, parts, &packet);
	from_here |= same && to_here;
	to_here |= (same && from_here) || is_group(parts);
	FUZZ_EXPECT(seen == (leaves ? from_here : to_here || !from_here));
	if (seen)
		check_packet(&packet, parts);
}

void
fuzz_input(const uint8_t *data, size_t bytes)
{
	struct parsing parsing = { .data = data, .bytes = bytes };

	fuzz_measure(parse, &parsing);
	if (parsing.result != PACKET_PARSE_DONE)
		return;
	check_parts(&parsing);
	check_twins(&parsing.parts, bytes % 2 != 0);
	for (unsigned int i = 0; i < 8; i++)
		check_interface(&parsing.parts, (i & 1) != 0, (i & 2) != 0,
				(i & 4) != 0);
}
