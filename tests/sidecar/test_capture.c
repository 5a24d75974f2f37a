/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_capture.c: whole packets, at both ends, each once; as root.
 */
#include <linux/udp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <dnstap/event.h>

#include "sidecar/capture_rig.h"

#include "support/support.h"

static struct rig rig;

static uint64_t
monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void
expect_endpoint(const struct packet_endpoint *endpoint, bool v6,
		uint16_t port)
{
	static const uint8_t loopback4[16] = { 127, 0, 0, 1 };
	static const uint8_t loopback6[16] = { [15] = 1 };

	ck_assert_mem_eq(endpoint->address, v6 ? loopback6 : loopback4, 16);
	ck_assert_uint_eq(endpoint->port, port);
}

static void
expect_own(const struct packet *packet)
{
	struct stat netns;

	ck_assert_int_eq(stat("/proc/self/ns/net", &netns), 0);
	ck_assert_uint_eq(packet->owner.pid, (uint32_t)getpid());
	ck_assert_uint_eq(packet->owner.uid, getuid());
	ck_assert_uint_eq(packet->owner.netns, netns.st_ino);
	ck_assert_uint_ne(packet->owner.cgroup, 0);
	ck_assert_ptr_nonnull(strstr(packet->owner.exe, "test_capture"));
}

static void
exchange_datagrams(bool v6, const uint8_t *query, size_t query_bytes,
		   const uint8_t *answer, size_t answer_bytes)
{
	int server = rig_udp(v6, rig.port);
	int client = rig_udp(v6, 0);
	uint16_t client_port = rig_local_port(client);
	size_t at = 0;

	rig_send(client, v6, rig.port, query, query_bytes);
	rig_answer(server, query_bytes, answer, answer_bytes);
	rig_receive_all(client, answer_bytes);
	rig_expect_count(&rig, 4);
	for (size_t i = 0; i < 4; i++) {
		const struct packet *packet = &rig.packets[at++];
		bool is_query = i < 2;
		bool client_end = i == 0 || i == 3;

		ck_assert_uint_eq(packet->family, v6 ? DTAP_INET6 : DTAP_INET);
		ck_assert_uint_eq(packet->protocol, PACKET_UDP);
		ck_assert_uint_eq(packet->direction,
				  i % 2 == 0 ? PACKET_SENT : PACKET_RECEIVED);
		expect_endpoint(&packet->local, v6,
				client_end ? client_port : rig.port);
		expect_endpoint(&packet->remote, v6,
				client_end ? rig.port : client_port);
		ck_assert_uint_eq(packet->payload_bytes,
				  is_query ? query_bytes : answer_bytes);
		ck_assert_mem_eq(packet->payload, is_query ? query : answer,
				 packet->payload_bytes);
		ck_assert_uint_eq(packet->socket,
				  rig.packets[client_end ? 0 : 1].socket);
		expect_own(packet);
	}
	ck_assert_uint_ne(rig.packets[0].socket, rig.packets[1].socket);
	close(server);
	close(client);
}

static void
check_exchange(bool v6, size_t query_bytes, size_t answer_bytes)
{
	struct capture_options options = rig_options(&rig);
	struct capture_counters counters;
	const uint8_t *octets = rig_pattern(query_bytes + answer_bytes);
	uint64_t before_ns;

	rig_open(&rig, &options);
	ck_assert_int_eq(capture_kind(rig.capture), CAPTURE_CGROUP);
	before_ns = monotonic_ns();
	exchange_datagrams(v6, octets, query_bytes, octets + query_bytes,
			   answer_bytes);
	for (size_t i = 0; i < rig.count; i++) {
		/* The kernel reads its clock without a lock. */
		ck_assert_uint_ge(rig.packets[i].time_ns + 1000000, before_ns);
		ck_assert_uint_le(rig.packets[i].time_ns,
				  monotonic_ns() + 1000000);
		ck_assert(i == 0 || rig.packets[i].time_ns >=
					    rig.packets[i - 1].time_ns);
	}
	capture_count(rig.capture, &counters);
	ck_assert_uint_ge(counters.taken, 4);
	ck_assert_uint_eq(counters.lost_kernel, 0);
	ck_assert_uint_eq(counters.lost_short, 0);
	ck_assert_uint_eq(counters.unowned, 0);
	rig_close(&rig);
}

START_TEST(both_ends_of_udp_over_ip4)
{
	check_exchange(false, 40, 300);
}
END_TEST

START_TEST(both_ends_of_udp_over_ip6)
{
	check_exchange(true, 40, 300);
}
END_TEST

/* The edges of the sizes that records have, and the longest datagram. */
START_TEST(datagrams_of_any_length_are_uncut)
{
	static const size_t lengths[] = {
		0, 1, 127, 128, 129, 256, 257, 512, 513, 2048, 2049, 16384,
		16385, 65507
	};

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i += 2) {
		check_exchange(false, lengths[i], lengths[i + 1]);
		check_exchange(true, lengths[i + 1], lengths[i]);
	}
}
END_TEST

START_TEST(messages_sent_together_come_apart)
{
	struct capture_options options = rig_options(&rig);
	const uint8_t *octets = rig_pattern(1050);
	int segment = 100;
	int server;
	int client;
	size_t at;

	server = rig_udp(false, rig.port);
	client = rig_udp(false, 0);
	rig_open(&rig, &options);
	ck_assert_int_eq(setsockopt(client, IPPROTO_UDP, UDP_SEGMENT, &segment,
				    sizeof(segment)), 0);
	rig_send(client, false, rig.port, octets, 1050);
	for (int i = 0; i < 11; i++)
		rig_receive_all(server, i < 10 ? 100 : 50);
	rig_expect_count(&rig, 22);
	for (int end = PACKET_RECEIVED; end <= PACKET_SENT; end++) {
		at = 0;
		for (size_t i = 0; i < 11; i++) {
			const struct packet *packet = rig_find(&rig, &at,
				(enum packet_direction)end);

			ck_assert_uint_eq(packet->payload_bytes,
					  i < 10 ? 100 : 50);
			ck_assert_mem_eq(packet->payload, octets + 100 * i,
					 packet->payload_bytes);
		}
	}
	rig_close(&rig);
}
END_TEST

/* Puts the segments of one direction of one end where they belong. */
static void
assemble(uint64_t socket, enum packet_direction direction, uint8_t *stream,
	 size_t bytes)
{
	uint32_t first = 0;
	bool syn = false;
	bool fin = false;

	memset(stream, 0, bytes);
	for (size_t i = 0; i < rig.count; i++) {
		const struct packet *packet = &rig.packets[i];
		uint32_t at = packet->tcp_sequence - first - 1;

		if (packet->socket != socket || packet->direction != direction)
			continue;
		if ((packet->tcp_flags & PACKET_SYN) != 0) {
			syn = true;
			first = packet->tcp_sequence;
			at = 0;
		}
		ck_assert(syn);
		ck_assert_uint_le(at + packet->payload_bytes, bytes);
		memcpy(stream + at, packet->payload, packet->payload_bytes);
		if ((packet->tcp_flags & PACKET_FIN) != 0) {
			fin = true;
			ck_assert_uint_eq(at + packet->payload_bytes, bytes);
		}
	}
	ck_assert(fin);
}

static void
exchange_stream(const uint8_t *query, size_t query_bytes,
		const uint8_t *answer, size_t answer_bytes)
{
	int listener = rig_listen(rig.port);
	int client = rig_connect(rig.port);
	int server = accept(listener, NULL, NULL);

	ck_assert_int_ge(server, 0);
	rig_send_all(client, query, query_bytes);
	rig_receive_all(server, query_bytes);
	rig_send_all(server, answer, answer_bytes);
	shutdown(server, SHUT_WR);
	rig_receive_all(client, answer_bytes);
	shutdown(client, SHUT_WR);
	ck_assert_int_eq(recv(server, &(char){ 0 }, 1, 0), 0);
	close(server);
	close(client);
	close(listener);
}

static uint64_t
socket_at(uint16_t local_port)
{
	for (size_t i = 0; i < rig.count; i++)
		if ((rig.packets[i].local.port == rig.port) ==
		    (local_port == rig.port))
			return rig.packets[i].socket;
	ck_abort_msg("no packet of that end");
}

START_TEST(streams_are_complete_at_both_ends)
{
	enum { QUERY = 300, ANSWER = 60000 };
	struct capture_options options = rig_options(&rig);
	uint8_t *stream = malloc(ANSWER);
	const uint8_t *octets = rig_pattern(QUERY + ANSWER);
	uint64_t client;
	uint64_t server;

	rig_open(&rig, &options);
	exchange_stream(octets, QUERY, octets + QUERY, ANSWER);
	rig_drain(&rig);
	client = socket_at(0);
	server = socket_at(rig.port);
	ck_assert_uint_ne(client, server);
	assemble(client, PACKET_SENT, stream, QUERY);
	ck_assert_mem_eq(stream, octets, QUERY);
	assemble(server, PACKET_RECEIVED, stream, QUERY);
	ck_assert_mem_eq(stream, octets, QUERY);
	assemble(server, PACKET_SENT, stream, ANSWER);
	ck_assert_mem_eq(stream, octets + QUERY, ANSWER);
	assemble(client, PACKET_RECEIVED, stream, ANSWER);
	ck_assert_mem_eq(stream, octets + QUERY, ANSWER);
	for (size_t i = 0; i < rig.count; i++)
		expect_own(&rig.packets[i]);
	free(stream);
	rig_close(&rig);
}
END_TEST

START_TEST(other_ports_are_foreign)
{
	struct capture_options options = rig_options(&rig);
	struct capture_counters before;
	struct capture_counters after;
	int server = rig_udp(false, 0);
	int client = rig_udp(false, 0);

	rig_open(&rig, &options);
	capture_count(rig.capture, &before);
	for (int i = 0; i < 10; i++) {
		rig_send(client, false, rig_local_port(server), "x", 1);
		rig_answer(server, 1, "y", 1);
	}
	capture_count(rig.capture, &after);
	ck_assert_uint_ge(after.foreign - before.foreign, 40);
	rig_expect_count(&rig, 0);
	rig_close(&rig);
}
END_TEST

START_TEST(several_ports_can_be_watched)
{
	struct capture_options options = rig_options(&rig);
	int other = rig_udp(false, 0);
	int client = rig_udp(false, 0);

	options.ports[options.ports_count++] = rig_local_port(other);
	rig_open(&rig, &options);
	rig_send(client, false, rig_local_port(other), "x", 1);
	rig_answer(other, 1, "y", 1);
	rig_expect_count(&rig, 4);
	rig_close(&rig);
}
END_TEST

START_TEST(what_overflows_the_ring_is_counted_exactly)
{
	enum { DATAGRAMS = 3000 };
	struct capture_options options = rig_options(&rig);
	struct capture_counters counters;
	int server;
	int client;

	options.ring_bytes = 64u << 10;
	server = rig_udp(false, rig.port);
	client = rig_udp(false, 0);
	rig_open(&rig, &options);
	for (int i = 0; i < DATAGRAMS; i++)
		rig_send(client, false, rig.port, "0123456789", 10);
	do
		ck_assert(capture_drain(rig.capture));
	while (rig.count == 0);
	capture_count(rig.capture, &counters);
	ck_assert_uint_gt(counters.lost_kernel, 0);
	ck_assert_uint_eq(counters.taken, rig.count);
	ck_assert_uint_eq(counters.taken + counters.lost_kernel,
			  2 * DATAGRAMS);
	ck_assert_uint_eq(counters.lost_short, 0);
	close(server);
	rig_close(&rig);
}
END_TEST

START_TEST(bad_options_are_refused_with_a_reason)
{
	char reason[CAPTURE_REASON_BYTES];
	struct capture_options options = rig_options(&rig);
	struct capture *capture;

	options.ring_bytes = 100000;
	ck_assert(!capture_open(&options, NULL, NULL, &capture, reason));
	ck_assert_ptr_nonnull(strstr(reason, "power of two"));
	ck_assert_ptr_null(capture);
	options = rig_options(&rig);
	options.ports_count = 0;
	ck_assert(!capture_open(&options, NULL, NULL, &capture, reason));
	ck_assert_ptr_nonnull(strstr(reason, "ports"));
	options = rig_options(&rig);
	options.cgroup = "/no/such/cgroup";
	ck_assert(!capture_open(&options, NULL, NULL, &capture, reason));
	ck_assert_ptr_nonnull(strstr(reason, "/no/such/cgroup"));
	options.cgroup = "/proc";
	ck_assert(!capture_open(&options, NULL, NULL, &capture, reason));
	ck_assert_ptr_nonnull(strstr(reason, "cgroup2"));
}
END_TEST

static void
open_unprivileged(void *user)
{
	char reason[CAPTURE_REASON_BYTES];
	struct capture_options *options = user;
	struct capture *capture;

	ck_assert_int_eq(setresuid(65534, 65534, 65534), 0);
	if (capture_open(options, NULL, NULL, &capture, reason) ||
	    capture != NULL || strstr(reason, "CAP_BPF") == NULL)
		_exit(1);
	options->kind = CAPTURE_PACKET;
	if (capture_open(options, NULL, NULL, &capture, reason) ||
	    strstr(reason, "CAP_NET_RAW") == NULL)
		_exit(2);
	/* Then both reasons are given. */
	options->kind = CAPTURE_AUTO;
	if (capture_open(options, NULL, NULL, &capture, reason) ||
	    strstr(reason, "CAP_BPF") == NULL ||
	    strstr(reason, "CAP_NET_RAW") == NULL)
		_exit(3);
}

START_TEST(a_missing_capability_is_named)
{
	struct capture_options options = rig_options(&rig);

	rig_wait_child(rig_child(open_unprivileged, &options));
}
END_TEST

START_TEST(after_the_end_nothing_comes)
{
	struct capture_options options = rig_options(&rig);

	rig_open(&rig, &options);
	rig_check_detach(&rig);
	rig_close(&rig);
}
END_TEST

static void
count_line(void *user, const char *hook, const char *purpose,
	   const char *verdict)
{
	int *lines = user;

	ck_assert_ptr_nonnull(hook);
	ck_assert_ptr_nonnull(purpose);
	if (strncmp(hook, "cgroup_skb/", 11) == 0)
		ck_assert_str_eq(verdict, "yes");
	(*lines)++;
}

START_TEST(hooks_are_listed)
{
	int lines = 0;

	capture_list_hooks(count_line, &lines);
	ck_assert_int_gt(lines, 5);
}
END_TEST

static void
add_tests(void *suite)
{
	support_add(suite, both_ends_of_udp_over_ip4);
	support_add(suite, both_ends_of_udp_over_ip6);
	support_add(suite, datagrams_of_any_length_are_uncut);
	support_add(suite, messages_sent_together_come_apart);
	support_add(suite, streams_are_complete_at_both_ends);
	support_add(suite, other_ports_are_foreign);
	support_add(suite, several_ports_can_be_watched);
	support_add(suite, what_overflows_the_ring_is_counted_exactly);
	support_add(suite, bad_options_are_refused_with_a_reason);
	support_add(suite, a_missing_capability_is_named);
	support_add(suite, after_the_end_nothing_comes);
	support_add(suite, hooks_are_listed);
}

int
main(void)
{
	return rig_run("capture", add_tests);
}
