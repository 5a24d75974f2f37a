/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packet_parse.c: IPv4 (RFC 791), IPv6 with extension headers (RFC 8200),
 * UDP (RFC 768) and TCP (RFC 9293).
 *
 * What is left of the frame gets shorter with each header, and the lengths
 * in the headers can only make it shorter still: a frame on Ethernet may end
 * in padding. Fragments are not put together: the kernel does that for IPv4.
 */
#include "sidecar/packet_parse.h"

#include <stdbool.h>
#include <string.h>

#include <dnstap/event.h>

#define EXTENSIONS_MAX 8

/* Numbers of IANA's registry of protocols. */
enum {
	NEXT_HOP_BY_HOP = 0,
	NEXT_TCP = 6,
	NEXT_UDP = 17,
	NEXT_ROUTING = 43,
	NEXT_FRAGMENT = 44,
	NEXT_DESTINATION = 60
};

/* What is left of the frame. */
struct rest {
	const uint8_t *at;
	size_t bytes;
};

static uint16_t
get_be16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t
get_be32(const uint8_t *at)
{
	return (uint32_t)get_be16(at) << 16 | get_be16(at + 2);
}

static bool
rest_skip(struct rest *rest, size_t bytes)
{
	if (bytes > rest->bytes)
		return false;
	rest->at += bytes;
	rest->bytes -= bytes;
	return true;
}

/* Keeps as many octets; false when there are fewer. */
static bool
rest_cut(struct rest *rest, size_t bytes)
{
	if (bytes > rest->bytes)
		return false;
	rest->bytes = bytes;
	return true;
}

static void
set_addresses(struct packet_parts *parts, const uint8_t *source, size_t bytes)
{
	memcpy(parts->source.address, source, bytes);
	memcpy(parts->destination.address, source + bytes, bytes);
}

static enum packet_parse_result
parse_ip4(struct rest *rest, struct packet_parts *parts, uint8_t *next)
{
	const uint8_t *ip = rest->at;
	size_t header_bytes;
	size_t total_bytes;
	uint16_t fragment;

	if (rest->bytes < 20)
		return PACKET_PARSE_SHORT;
	parts->family = DTAP_INET;
	set_addresses(parts, ip + 12, 4);
	*next = ip[9];
	header_bytes = (size_t)(ip[0] & 0x0f) * 4;
	total_bytes = get_be16(ip + 2);
	/* Linux has segments longer than that field can say. */
	if (total_bytes == 0 && *next == NEXT_TCP)
		total_bytes = rest->bytes;
	fragment = get_be16(ip + 6) & 0x3fff;
	if ((fragment & 0x1fff) != 0)
		return PACKET_PARSE_FOREIGN;
	if (header_bytes < 20 || fragment != 0 ||
	    !rest_cut(rest, total_bytes) || !rest_skip(rest, header_bytes))
		return PACKET_PARSE_SHORT;
	return PACKET_PARSE_DONE;
}

static enum packet_parse_result
skip_extensions(struct rest *rest, uint8_t *next)
{
	for (int i = 0; i <= EXTENSIONS_MAX; i++) {
		const uint8_t *header = rest->at;
		size_t header_bytes;

		if (*next == NEXT_UDP || *next == NEXT_TCP)
			return PACKET_PARSE_DONE;
		if (*next != NEXT_HOP_BY_HOP && *next != NEXT_ROUTING &&
		    *next != NEXT_DESTINATION && *next != NEXT_FRAGMENT)
			return PACKET_PARSE_FOREIGN;
		if (rest->bytes < 8)
			return PACKET_PARSE_SHORT;
		header_bytes = ((size_t)header[1] + 1) * 8;
		if (*next == NEXT_FRAGMENT) {
			/* Whole, in spite of the header: RFC 6946. */
			uint16_t fragment = get_be16(header + 2) & 0xfff9;

			if ((fragment & 0xfff8) != 0)
				return PACKET_PARSE_FOREIGN;
			if (fragment != 0)
				return PACKET_PARSE_SHORT;
			header_bytes = 8;
		}
		*next = header[0];
		if (!rest_skip(rest, header_bytes))
			return PACKET_PARSE_SHORT;
	}
	return PACKET_PARSE_FOREIGN;
}

static enum packet_parse_result
parse_ip6(struct rest *rest, struct packet_parts *parts, uint8_t *next)
{
	const uint8_t *ip = rest->at;
	size_t payload_bytes;

	if (!rest_skip(rest, 40))
		return PACKET_PARSE_SHORT;
	parts->family = DTAP_INET6;
	set_addresses(parts, ip + 8, 16);
	*next = ip[6];
	payload_bytes = get_be16(ip + 4);
	/* A jumbogram, which Linux makes of TCP segments. */
	if (payload_bytes == 0)
		payload_bytes = rest->bytes;
	if (!rest_cut(rest, payload_bytes))
		return PACKET_PARSE_SHORT;
	return skip_extensions(rest, next);
}

static void
set_ports(struct packet_parts *parts, const uint8_t *transport)
{
	parts->source.port = get_be16(transport);
	parts->destination.port = get_be16(transport + 2);
}

static enum packet_parse_result
parse_udp(struct rest *rest, struct packet_parts *parts)
{
	const uint8_t *udp = rest->at;

	if (rest->bytes < 8)
		return PACKET_PARSE_SHORT;
	parts->protocol = PACKET_UDP;
	set_ports(parts, udp);
	if (!rest_cut(rest, get_be16(udp + 4)) || !rest_skip(rest, 8))
		return PACKET_PARSE_SHORT;
	return PACKET_PARSE_DONE;
}

static enum packet_parse_result
parse_tcp(struct rest *rest, struct packet_parts *parts)
{
	const uint8_t *tcp = rest->at;
	size_t header_bytes;

	if (rest->bytes < 20)
		return PACKET_PARSE_SHORT;
	parts->protocol = PACKET_TCP;
	set_ports(parts, tcp);
	parts->tcp_sequence = get_be32(tcp + 4);
	parts->tcp_flags = tcp[13] & (PACKET_FIN | PACKET_SYN | PACKET_RST);
	header_bytes = (size_t)(tcp[12] >> 4) * 4;
	if (header_bytes < 20 || !rest_skip(rest, header_bytes))
		return PACKET_PARSE_SHORT;
	return PACKET_PARSE_DONE;
}

enum packet_parse_result
packet_parse(const uint8_t *frame, size_t bytes, struct packet_parts *parts)
{
	struct rest rest = { frame, bytes };
	enum packet_parse_result result;
	uint8_t next = 0;

	memset(parts, 0, sizeof(*parts));
	if (bytes == 0)
		return PACKET_PARSE_SHORT;
	if (frame[0] >> 4 == 4)
		result = parse_ip4(&rest, parts, &next);
	else if (frame[0] >> 4 == 6)
		result = parse_ip6(&rest, parts, &next);
	else
		return PACKET_PARSE_FOREIGN;
	if (result != PACKET_PARSE_DONE)
		return result;
	if (next == NEXT_UDP)
		result = parse_udp(&rest, parts);
	else if (next == NEXT_TCP)
		result = parse_tcp(&rest, parts);
	else
		return PACKET_PARSE_FOREIGN;
	parts->payload = rest.at;
	parts->payload_bytes = rest.bytes;
	return result;
}
