/* SPDX-License-Identifier: Apache-2.0 */
#include "sidecar/packet_parse.h"

#include <stdlib.h>
#include <string.h>

#include <dnstap/event.h>

#include "support/support.h"

#define IP4 20
#define IP6 40
#define UDP 8
#define TCP 20

/* A frame that a test changes before it is parsed. */
static uint8_t frame[256];
static size_t frame_bytes;
static struct packet_parts parts;

static void
put16(size_t at, unsigned value)
{
	frame[at] = (uint8_t)(value >> 8);
	frame[at + 1] = (uint8_t)value;
}

static void
begin_ip4(uint8_t protocol, size_t payload_bytes)
{
	static const uint8_t addresses[] = { 192, 0, 2, 1, 198, 51, 100, 2 };

	memset(frame, 0, sizeof(frame));
	frame[0] = 0x45;
	frame[9] = protocol;
	memcpy(frame + 12, addresses, sizeof(addresses));
	frame_bytes = IP4 + payload_bytes;
	put16(2, (unsigned)frame_bytes);
}

static void
begin_ip6(uint8_t next, size_t payload_bytes)
{
	memset(frame, 0, sizeof(frame));
	frame[0] = 0x60;
	frame[6] = next;
	memset(frame + 8, 0x11, 16);
	memset(frame + 24, 0x22, 16);
	frame_bytes = IP6 + payload_bytes;
	put16(4, (unsigned)payload_bytes);
}

static void
put_udp(size_t at, size_t payload_bytes)
{
	put16(at, 5000);
	put16(at + 2, 53);
	put16(at + 4, (unsigned)(UDP + payload_bytes));
	memset(frame + at + UDP, 'u', payload_bytes);
}

static void
put_tcp(size_t at, uint8_t header_bytes, uint8_t flags)
{
	put16(at, 5000);
	put16(at + 2, 53);
	put16(at + 4, 0x1234);
	put16(at + 6, 0x5678);
	frame[at + 12] = (uint8_t)(header_bytes / 4 << 4);
	frame[at + 13] = flags;
}

/* The frame ends where allocated memory does, for the sanitizer to see. */
static enum packet_parse_result
parse(void)
{
	uint8_t *copy = malloc(frame_bytes > 0 ? frame_bytes : 1);
	enum packet_parse_result result;

	memcpy(copy, frame, frame_bytes);
	result = packet_parse(copy, frame_bytes, &parts);
	if (result == PACKET_PARSE_DONE) {
		ck_assert(parts.payload >= copy);
		ck_assert(parts.payload + parts.payload_bytes <=
			  copy + frame_bytes);
	}
	parts.payload = NULL;
	free(copy);
	return result;
}

START_TEST(udp_over_ip4)
{
	static const uint8_t source[16] = { 192, 0, 2, 1 };
	static const uint8_t destination[16] = { 198, 51, 100, 2 };

	begin_ip4(17, UDP + 5);
	put_udp(IP4, 5);
	ck_assert_int_eq(packet_parse(frame, frame_bytes, &parts),
			 PACKET_PARSE_DONE);
	ck_assert_uint_eq(parts.family, DTAP_INET);
	ck_assert_uint_eq(parts.protocol, PACKET_UDP);
	ck_assert_mem_eq(parts.source.address, source, 16);
	ck_assert_mem_eq(parts.destination.address, destination, 16);
	ck_assert_uint_eq(parts.source.port, 5000);
	ck_assert_uint_eq(parts.destination.port, 53);
	ck_assert_uint_eq(parts.payload_bytes, 5);
	ck_assert_ptr_eq(parts.payload, frame + IP4 + UDP);
}
END_TEST

START_TEST(tcp_over_ip6)
{
	begin_ip6(6, TCP + 12 + 3);
	put_tcp(IP6, TCP + 12, 0x18 | PACKET_SYN);
	ck_assert_int_eq(packet_parse(frame, frame_bytes, &parts),
			 PACKET_PARSE_DONE);
	ck_assert_uint_eq(parts.family, DTAP_INET6);
	ck_assert_uint_eq(parts.protocol, PACKET_TCP);
	ck_assert_uint_eq(parts.source.address[15], 0x11);
	ck_assert_uint_eq(parts.destination.address[0], 0x22);
	ck_assert_uint_eq(parts.tcp_sequence, 0x12345678);
	/* ACK and PSH do not matter. */
	ck_assert_uint_eq(parts.tcp_flags, PACKET_SYN);
	ck_assert_uint_eq(parts.payload_bytes, 3);
	ck_assert_ptr_eq(parts.payload, frame + IP6 + TCP + 12);
}
END_TEST

START_TEST(options_and_padding_are_no_payload)
{
	begin_ip4(17, 4 + UDP + 5);
	frame[0] = 0x46;
	put_udp(IP4 + 4, 5);
	frame_bytes += 18;
	ck_assert_int_eq(parse(), PACKET_PARSE_DONE);
	ck_assert_uint_eq(parts.payload_bytes, 5);
	/* UDP may be shorter than IP says, too. */
	put16(IP4 + 4 + 4, UDP + 2);
	ck_assert_int_eq(parse(), PACKET_PARSE_DONE);
	ck_assert_uint_eq(parts.payload_bytes, 2);
}
END_TEST

START_TEST(lengths_that_lie_are_found)
{
	begin_ip4(17, UDP + 5);
	put_udp(IP4, 6);
	ck_assert_int_eq(parse(), PACKET_PARSE_SHORT);
	put_udp(IP4, 5);
	put16(IP4 + 4, UDP - 1);
	ck_assert_int_eq(parse(), PACKET_PARSE_SHORT);
	put_udp(IP4, 5);
	put16(2, (unsigned)frame_bytes + 1);
	ck_assert_int_eq(parse(), PACKET_PARSE_SHORT);
	put16(2, IP4 - 1);
	ck_assert_int_eq(parse(), PACKET_PARSE_SHORT);
	put16(2, (unsigned)frame_bytes);
	frame[0] = 0x44;
	ck_assert_int_eq(parse(), PACKET_PARSE_SHORT);
	frame[0] = 0x4f;
	ck_assert_int_eq(parse(), PACKET_PARSE_SHORT);
	begin_ip6(6, TCP);
	put_tcp(IP6, 16, 0);
	ck_assert_int_eq(parse(), PACKET_PARSE_SHORT);
	put_tcp(IP6, 24, 0);
	ck_assert_int_eq(parse(), PACKET_PARSE_SHORT);
	put_tcp(IP6, 20, 0);
	ck_assert_int_eq(parse(), PACKET_PARSE_DONE);
}
END_TEST

START_TEST(frames_cut_anywhere_are_short)
{
	begin_ip4(17, UDP + 5);
	put_udp(IP4, 5);
	for (frame_bytes--; frame_bytes > 0; frame_bytes--)
		ck_assert_int_eq(parse(), PACKET_PARSE_SHORT);
	ck_assert_int_eq(parse(), PACKET_PARSE_SHORT);
	begin_ip6(0, 8 + TCP);
	frame[IP6] = 6;
	put_tcp(IP6 + 8, TCP, 0);
	ck_assert_int_eq(parse(), PACKET_PARSE_DONE);
	for (frame_bytes--; frame_bytes > 0; frame_bytes--)
		ck_assert_int_eq(parse(), PACKET_PARSE_SHORT);
}
END_TEST

START_TEST(extension_headers_are_stepped_over)
{
	/* Hop-by-hop, routing of 16 octets, destination options. */
	begin_ip6(0, 8 + 16 + 8 + UDP + 4);
	frame[IP6] = 43;
	frame[IP6 + 8] = 60;
	frame[IP6 + 9] = 1;
	frame[IP6 + 24] = 17;
	put_udp(IP6 + 32, 4);
	ck_assert_int_eq(parse(), PACKET_PARSE_DONE);
	ck_assert_uint_eq(parts.payload_bytes, 4);
	/* One that is unknown hides what follows. */
	frame[IP6 + 24] = 135;
	ck_assert_int_eq(parse(), PACKET_PARSE_FOREIGN);
}
END_TEST

START_TEST(extension_headers_without_end_come_to_an_end)
{
	begin_ip6(0, 9 * 8 + UDP);
	for (int i = 0; i < 8; i++)
		frame[IP6 + 8 * i] = 0;
	frame[IP6 + 7 * 8] = 17;
	put_udp(IP6 + 8 * 8, 0);
	ck_assert_int_eq(parse(), PACKET_PARSE_DONE);
	frame[IP6 + 7 * 8] = 0;
	frame[IP6 + 8 * 8] = 17;
	frame[IP6 + 8 * 8 + 1] = 0;
	ck_assert_int_eq(parse(), PACKET_PARSE_FOREIGN);
}
END_TEST

START_TEST(fragments_are_not_taken_for_datagrams)
{
	begin_ip4(17, UDP + 5);
	put_udp(IP4, 5);
	put16(6, 0x4000);
	ck_assert_int_eq(parse(), PACKET_PARSE_DONE);
	/* The first one counts as loss, others do not count again. */
	put16(6, 0x2000);
	ck_assert_int_eq(parse(), PACKET_PARSE_SHORT);
	put16(6, 0x2001);
	ck_assert_int_eq(parse(), PACKET_PARSE_FOREIGN);
	put16(6, 0x0001);
	ck_assert_int_eq(parse(), PACKET_PARSE_FOREIGN);

	begin_ip6(44, 8 + UDP + 5);
	frame[IP6] = 17;
	put_udp(IP6 + 8, 5);
	ck_assert_int_eq(parse(), PACKET_PARSE_DONE);
	put16(IP6 + 2, 0x0001);
	ck_assert_int_eq(parse(), PACKET_PARSE_SHORT);
	put16(IP6 + 2, 0x0009);
	ck_assert_int_eq(parse(), PACKET_PARSE_FOREIGN);
	put16(IP6 + 2, 0x0008);
	ck_assert_int_eq(parse(), PACKET_PARSE_FOREIGN);
}
END_TEST

START_TEST(other_protocols_are_foreign)
{
	begin_ip4(1, 8);
	ck_assert_int_eq(parse(), PACKET_PARSE_FOREIGN);
	begin_ip6(58, 8);
	ck_assert_int_eq(parse(), PACKET_PARSE_FOREIGN);
	frame[0] = 0x50;
	ck_assert_int_eq(parse(), PACKET_PARSE_FOREIGN);
}
END_TEST

START_TEST(segments_longer_than_ip_can_say_are_whole)
{
	begin_ip4(6, TCP + 7);
	put_tcp(IP4, TCP, 0);
	put16(2, 0);
	ck_assert_int_eq(parse(), PACKET_PARSE_DONE);
	ck_assert_uint_eq(parts.payload_bytes, 7);
	begin_ip4(17, UDP + 5);
	put_udp(IP4, 5);
	put16(2, 0);
	ck_assert_int_eq(parse(), PACKET_PARSE_SHORT);
	begin_ip6(6, TCP + 7);
	put_tcp(IP6, TCP, 0);
	put16(4, 0);
	ck_assert_int_eq(parse(), PACKET_PARSE_DONE);
	ck_assert_uint_eq(parts.payload_bytes, 7);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("packet_parse");

	support_add(suite, udp_over_ip4);
	support_add(suite, tcp_over_ip6);
	support_add(suite, options_and_padding_are_no_payload);
	support_add(suite, lengths_that_lie_are_found);
	support_add(suite, frames_cut_anywhere_are_short);
	support_add(suite, extension_headers_are_stepped_over);
	support_add(suite, extension_headers_without_end_come_to_an_end);
	support_add(suite, fragments_are_not_taken_for_datagrams);
	support_add(suite, other_protocols_are_foreign);
	support_add(suite, segments_longer_than_ip_can_say_are_whole);
	return support_run(suite);
}
