/* SPDX-License-Identifier: Apache-2.0 */
#include "sidecar/packet_view.h"

#include <string.h>

#include <dnstap/event.h>

#include "support/support.h"

#define HERE 1
#define THERE 2
#define ELSEWHERE 3

static const struct socket_id_key key = { { 1, 2 } };
static const uint16_t wanted[] = { 53, 5353 };
static struct packet_view view;
static struct packet_view_frame met;
static struct packet_parts parts;
static struct packet packet;

/* 192.0.2.1 is this host's. */
static void
set_up(void)
{
	static const uint8_t payload[] = "0123456789";

	memset(&view, 0, sizeof(view));
	view.ports = wanted;
	view.ports_count = 2;
	view.key = &key;
	view.addresses_count = 1;
	memcpy(view.addresses[0].octets, "\xc0\0\2\1", 4);
	view.addresses[0].family = DTAP_INET;
	memset(&met, 0, sizeof(met));
	met.time_ns = UINT64_C(1000000000);
	memset(&parts, 0, sizeof(parts));
	parts.family = DTAP_INET;
	parts.protocol = PACKET_UDP;
	parts.payload = payload;
	parts.payload_bytes = 10;
}

static bool
see(uint8_t from, uint16_t from_port, uint8_t to, uint16_t to_port,
    bool leaves)
{
	memcpy(parts.source.address, "\xc0\0\2", 3);
	parts.source.address[3] = from;
	parts.source.port = from_port;
	memcpy(parts.destination.address, "\xc0\0\2", 3);
	parts.destination.address[3] = to;
	parts.destination.port = to_port;
	met.leaves = leaves;
	return packet_view_end(&view, &met, &parts, &packet);
}

static void
expect_end(uint8_t local, uint16_t port, enum packet_direction direction)
{
	ck_assert_uint_eq(packet.local.address[3], local);
	ck_assert_uint_eq(packet.local.port, port);
	ck_assert_int_eq(packet.direction, direction);
}

START_TEST(what_leaves_from_here_was_sent)
{
	set_up();
	ck_assert(see(HERE, 5000, THERE, 53, true));
	expect_end(HERE, 5000, PACKET_SENT);
	ck_assert_uint_eq(packet.remote.port, 53);
	ck_assert_uint_eq(packet.payload_bytes, 10);
	ck_assert_ptr_eq(packet.payload, parts.payload);
	ck_assert_uint_eq(packet.time_ns, met.time_ns);
	ck_assert_uint_eq(packet.owner.pid, 0);
}
END_TEST

START_TEST(what_arrives_here_was_received)
{
	set_up();
	ck_assert(see(THERE, 53, HERE, 5000, false));
	expect_end(HERE, 5000, PACKET_RECEIVED);
}
END_TEST

START_TEST(what_is_forwarded_comes_once_and_for_the_server)
{
	uint64_t socket;

	set_up();
	ck_assert(see(THERE, 5000, ELSEWHERE, 53, false));
	expect_end(ELSEWHERE, 53, PACKET_RECEIVED);
	socket = packet.socket;
	ck_assert(!see(THERE, 5000, ELSEWHERE, 53, true));
	ck_assert(see(ELSEWHERE, 53, THERE, 5000, false));
	expect_end(ELSEWHERE, 53, PACKET_SENT);
	ck_assert_uint_eq(packet.socket, socket);
	ck_assert(!see(ELSEWHERE, 53, THERE, 5000, true));
}
END_TEST

START_TEST(the_loopback_has_both_ends)
{
	set_up();
	met.loopback = true;
	ck_assert(see(127, 5000, 127, 53, true));
	expect_end(127, 5000, PACKET_SENT);
	ck_assert(see(127, 5000, 127, 53, false));
	expect_end(127, 53, PACKET_RECEIVED);
}
END_TEST

START_TEST(groups_are_received)
{
	set_up();
	memcpy(parts.source.address, "\xc0\0\2\2", 4);
	parts.source.port = 5353;
	memcpy(parts.destination.address, "\xe0\0\0\xfb", 4);
	parts.destination.port = 5353;
	ck_assert(packet_view_end(&view, &met, &parts, &packet));
	ck_assert_int_eq(packet.direction, PACKET_RECEIVED);
	memset(&parts.destination, 0xff, 16);
	parts.family = DTAP_INET6;
	parts.destination.port = 5353;
	ck_assert(packet_view_end(&view, &met, &parts, &packet));
	ck_assert_int_eq(packet.direction, PACKET_RECEIVED);
}
END_TEST

/* A frame of this host that a bridge shows as arriving. */
START_TEST(what_comes_back_was_sent_already)
{
	set_up();
	ck_assert(!see(HERE, 5000, THERE, 53, false));
}
END_TEST

START_TEST(other_ports_are_not_looked_at)
{
	set_up();
	ck_assert(!see(HERE, 5000, THERE, 54, true));
	ck_assert(see(HERE, 5353, THERE, 54, true));
	ck_assert(see(HERE, 5000, THERE, 5353, true));
}
END_TEST

START_TEST(the_same_frame_on_two_interfaces_comes_once)
{
	set_up();
	ck_assert(see(THERE, 53, HERE, 5000, false));
	met.time_ns += 100000;
	ck_assert(!see(THERE, 53, HERE, 5000, false));
	/* Said again, later. */
	met.time_ns += 2000000;
	ck_assert(see(THERE, 53, HERE, 5000, false));
	/* Something else. */
	parts.payload = (const uint8_t *)"another one";
	ck_assert(see(THERE, 53, HERE, 5000, false));
	parts.payload_bytes = 0;
	ck_assert(see(THERE, 53, HERE, 5000, false));
}
END_TEST

START_TEST(sockets_have_names)
{
	uint64_t query;

	set_up();
	ck_assert(see(HERE, 5000, THERE, 53, true));
	query = packet.socket;
	/* One socket of UDP talks to many. */
	ck_assert(see(ELSEWHERE, 53, HERE, 5000, false));
	ck_assert_uint_eq(packet.socket, query);
	ck_assert(see(THERE, 53, HERE, 5001, false));
	ck_assert_uint_ne(packet.socket, query);

	parts.protocol = PACKET_TCP;
	ck_assert(see(HERE, 5000, THERE, 53, true));
	query = packet.socket;
	ck_assert(see(THERE, 53, HERE, 5000, false));
	ck_assert_uint_eq(packet.socket, query);
	ck_assert(see(ELSEWHERE, 53, HERE, 5000, false));
	ck_assert_uint_ne(packet.socket, query);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("packet_view");

	support_add(suite, what_leaves_from_here_was_sent);
	support_add(suite, what_arrives_here_was_received);
	support_add(suite, what_is_forwarded_comes_once_and_for_the_server);
	support_add(suite, the_loopback_has_both_ends);
	support_add(suite, groups_are_received);
	support_add(suite, what_comes_back_was_sent_already);
	support_add(suite, other_ports_are_not_looked_at);
	support_add(suite, the_same_frame_on_two_interfaces_comes_once);
	support_add(suite, sockets_have_names);
	return support_run(suite);
}
