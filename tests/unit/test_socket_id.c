/* SPDX-License-Identifier: Apache-2.0 */
#include "sidecar/socket_id.h"

#include <string.h>

#include <dnstap/event.h>

#include "support/support.h"

/* Appendix A of the paper: key and message count up from 0; here a message of
 * whole words, as the reference implementation gives for 8 and 16 octets. */
START_TEST(the_hash_is_siphash)
{
	static const struct socket_id_key key = {
		{ UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908) }
	};
	static const uint64_t words[] = {
		UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)
	};

	ck_assert_uint_eq(socket_id_words(&key, words, 0),
			  UINT64_C(0x726fdb47dd0e0e31));
	ck_assert_uint_eq(socket_id_words(&key, words, 1),
			  UINT64_C(0x93f5f5799a932462));
	ck_assert_uint_eq(socket_id_words(&key, words, 2),
			  UINT64_C(0x3f2acc7f57c29bdb));
}
END_TEST

static struct packet
some_packet(void)
{
	struct packet packet;

	memset(&packet, 0, sizeof(packet));
	packet.family = DTAP_INET6;
	packet.protocol = PACKET_TCP;
	packet.owner.netns = 77;
	memset(packet.local.address, 0x11, 16);
	memset(packet.remote.address, 0x22, 16);
	packet.local.port = 53;
	packet.remote.port = 5000;
	return packet;
}

START_TEST(what_names_a_connection_changes_its_name)
{
	static const struct socket_id_key key = { { 1, 2 } };
	static const struct socket_id_key other = { { 1, 3 } };
	struct packet packet = some_packet();
	uint64_t name = socket_id_connection(&key, &packet);

	ck_assert_uint_ne(socket_id_connection(&other, &packet), name);
	packet.local.address[15] ^= 1;
	ck_assert_uint_ne(socket_id_connection(&key, &packet), name);
	packet = some_packet();
	packet.remote.address[0] ^= 1;
	ck_assert_uint_ne(socket_id_connection(&key, &packet), name);
	packet = some_packet();
	packet.local.port++;
	ck_assert_uint_ne(socket_id_connection(&key, &packet), name);
	packet = some_packet();
	packet.remote.port++;
	ck_assert_uint_ne(socket_id_connection(&key, &packet), name);
	packet = some_packet();
	packet.owner.netns++;
	ck_assert_uint_ne(socket_id_connection(&key, &packet), name);
	packet = some_packet();
	packet.protocol = PACKET_TLS;
	ck_assert_uint_ne(socket_id_connection(&key, &packet), name);
}
END_TEST

START_TEST(what_changes_within_a_connection_does_not)
{
	static const struct socket_id_key key = { { 1, 2 } };
	struct packet packet = some_packet();
	uint64_t name = socket_id_connection(&key, &packet);

	packet.direction = PACKET_SENT;
	packet.time_ns = 5;
	packet.owner.pid = 9;
	packet.tcp_sequence = 1000;
	packet.tcp_flags = PACKET_FIN;
	ck_assert_uint_eq(socket_id_connection(&key, &packet), name);
	/* A cookie counts up from 1. */
	ck_assert_uint_ge(name, UINT64_C(1) << 63);
}
END_TEST

START_TEST(the_other_end_does_not_name_a_socket_of_udp)
{
	static const struct socket_id_key key = { { 1, 2 } };
	struct packet packet = some_packet();
	uint64_t name = socket_id_local(&key, &packet);

	packet.remote.port++;
	packet.remote.address[3]++;
	ck_assert_uint_eq(socket_id_local(&key, &packet), name);
	packet.local.port++;
	ck_assert_uint_ne(socket_id_local(&key, &packet), name);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("socket_id");

	support_add(suite, the_hash_is_siphash);
	support_add(suite, what_names_a_connection_changes_its_name);
	support_add(suite, what_changes_within_a_connection_does_not);
	support_add(suite, the_other_end_does_not_name_a_socket_of_udp);
	return support_run(suite);
}
