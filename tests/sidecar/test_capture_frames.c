/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_capture_frames.c: the same sockets, seen as frames; as root. Each test
 * has a network namespace of its own: frames of others are not its business.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <dnstap/event.h>

#include "sidecar/capture_rig.h"

#include "support/support.h"

#define ANSWER 4000

#define CLOCK_STEP_NS INT64_C(5000000000)

/* The kernel's calendar is ahead by so much of what all here are told. */
static int64_t calendar_behind_ns;

int
clock_gettime(clockid_t clock, struct timespec *time)
{
	long result = syscall(SYS_clock_gettime, clock, time);
	int64_t all_ns = time->tv_sec * INT64_C(1000000000) + time->tv_nsec;

	if (clock == CLOCK_REALTIME) {
		all_ns -= calendar_behind_ns;
		time->tv_sec = (time_t)(all_ns / 1000000000);
		time->tv_nsec = (long)(all_ns % 1000000000);
	}
	return (int)result;
}

static struct rig rig;
static int to_child[2];
static int from_child[2];

static void
signal_to(const int pipe_fds[2])
{
	ck_assert_int_eq(write(pipe_fds[1], "x", 1), 1);
}

static void
wait_for(const int pipe_fds[2])
{
	ck_assert_int_eq(read(pipe_fds[0], &(char){ 0 }, 1), 1);
}

static struct capture_options options;

static void
set_up(void)
{
	ck_assert_int_eq(pipe(to_child), 0);
	ck_assert_int_eq(pipe(from_child), 0);
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	ck_assert_int_eq(rig_shell("ip link set lo up"), 0);
	options = rig_options(&rig);
	options.kind = CAPTURE_PACKET;
}

static void
open_frames(void)
{
	rig_open(&rig, &options);
	ck_assert_int_eq(capture_kind(rig.capture), CAPTURE_PACKET);
}

static uint64_t
monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Between the kernel's look at a frame and ours. */
START_TEST(who_sets_the_clock_does_not_date_frames)
{
	static const int64_t steps_ns[] = { CLOCK_STEP_NS, -CLOCK_STEP_NS };
	uint64_t before_ns;
	int client;

	set_up();
	for (size_t i = 0; i < 2; i++) {
		before_ns = monotonic_ns();
		open_frames();
		client = rig_udp(false, 0);
		rig_send(client, false, rig.port, "query", 5);
		calendar_behind_ns = steps_ns[i];
		rig_expect_count(&rig, 2);
		calendar_behind_ns = 0;
		for (size_t j = 0; j < 2; j++) {
			ck_assert_uint_ge(rig.packets[j].time_ns, before_ns);
			ck_assert_uint_le(rig.packets[j].time_ns,
					  monotonic_ns());
		}
		close(client);
		rig_close(&rig);
	}
}
END_TEST

static void
check_datagrams(bool v6, size_t bytes)
{
	const uint8_t *octets = rig_pattern(bytes);
	uint64_t before_ns = monotonic_ns();
	int server;
	int client;

	set_up();
	open_frames();
	server = rig_udp(v6, rig.port);
	client = rig_udp(v6, 0);
	rig_send(client, v6, rig.port, "query", 5);
	rig_answer(server, 5, octets, bytes);
	rig_receive_all(client, bytes);
	rig_expect_count(&rig, 4);
	for (size_t i = 0; i < 4; i++) {
		const struct packet *packet = &rig.packets[i];
		bool client_end = i == 0 || i == 3;

		ck_assert_uint_eq(packet->family, v6 ? DTAP_INET6 : DTAP_INET);
		ck_assert_uint_eq(packet->protocol, PACKET_UDP);
		ck_assert_uint_eq(packet->direction,
				  i % 2 == 0 ? PACKET_SENT : PACKET_RECEIVED);
		ck_assert_uint_eq(packet->local.port == rig.port, !client_end);
		ck_assert_uint_eq(packet->payload_bytes, i < 2 ? 5 : bytes);
		ck_assert_mem_eq(packet->payload, i < 2 ?
				 (const uint8_t *)"query" : octets,
				 packet->payload_bytes);
		ck_assert_uint_eq(packet->owner.pid, 0);
		ck_assert_uint_eq(packet->socket,
				  rig.packets[client_end ? 0 : 1].socket);
		/* Two clocks are read one after the other. */
		ck_assert_uint_ge(packet->time_ns + 1000000, before_ns);
		ck_assert_uint_le(packet->time_ns, monotonic_ns());
	}
	rig_close(&rig);
}

START_TEST(both_ends_of_udp_over_ip4)
{
	check_datagrams(false, 300);
}
END_TEST

START_TEST(both_ends_of_udp_over_ip6)
{
	check_datagrams(true, 300);
}
END_TEST

START_TEST(the_longest_datagram_is_uncut)
{
	check_datagrams(false, 65507);
}
END_TEST

START_TEST(streams_are_complete_at_both_ends)
{
	struct capture_counters counters;
	size_t bytes[2] = { 0, 0 };
	size_t flags[2] = { 0, 0 };
	int listener;
	int client;
	int server;

	set_up();
	open_frames();
	listener = rig_listen(rig.port);
	client = rig_connect(rig.port);
	server = accept(listener, NULL, NULL);
	rig_send_all(server, rig_pattern(60000), 60000);
	rig_receive_all(client, 60000);
	close(server);
	ck_assert_int_eq(recv(client, &(char){ 0 }, 1, 0), 0);
	rig_drain(&rig);
	for (size_t i = 0; i < rig.count; i++) {
		const struct packet *packet = &rig.packets[i];

		bytes[packet->direction] += packet->payload_bytes;
		flags[packet->direction] +=
			(packet->tcp_flags & PACKET_SYN) != 0;
		ck_assert(packet->payload_bytes > 0 || packet->tcp_flags != 0);
	}
	for (int end = 0; end < 2; end++) {
		ck_assert_uint_eq(bytes[end], 60000);
		ck_assert_uint_eq(flags[end], 2);
	}
	capture_count(rig.capture, &counters);
	ck_assert_uint_eq(counters.lost_kernel, 0);
	ck_assert_uint_eq(counters.unowned, counters.taken);
	rig_close(&rig);
}
END_TEST

START_TEST(after_the_end_nothing_comes)
{
	set_up();
	open_frames();
	rig_check_detach(&rig);
	rig_close(&rig);
}
END_TEST

/* A cable between the namespaces of two processes. */
static void
lay_cable(pid_t pid, int cable, const char *this_end, const char *other_end)
{
	char other[16];

	snprintf(other, sizeof(other), "dtap%d", cable);
	ck_assert_int_eq(rig_shell("ip link add cable%d mtu 1500 type veth "
		"peer name %s mtu 1500 netns %d && "
		"ip addr add %s dev cable%d && ip link set cable%d up && "
		"nsenter -t %d -n sh -c 'ip link set lo up && "
		"ip addr add %s dev %s && ip link set %s up'",
		cable, other, (int)pid, this_end, cable, cable, (int)pid,
		other_end, other, other), 0);
}

static int
bind_any(uint16_t port)
{
	struct sockaddr_in any = {
		.sin_family = AF_INET, .sin_port = htons(port),
	};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&any, sizeof(any)), 0);
	return fd;
}

static void
serve_elsewhere(void *user)
{
	int fd;

	(void)user;
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	signal_to(from_child);
	wait_for(to_child);
	fd = bind_any(rig.port);
	signal_to(from_child);
	rig_answer(fd, 5, rig_pattern(ANSWER), ANSWER);
	wait_for(to_child);
}

static void
ask_at(const char *address)
{
	struct sockaddr_in server = {
		.sin_family = AF_INET, .sin_port = htons(rig.port),
	};
	int fd = bind_any(0);

	ck_assert_int_eq(inet_pton(AF_INET, address, &server.sin_addr), 1);
	ck_assert_int_eq(sendto(fd, "query", 5, 0, (struct sockaddr *)&server,
				sizeof(server)), 5);
	rig_receive_all(fd, ANSWER);
	close(fd);
}

START_TEST(fragments_are_put_together)
{
	pid_t pid;

	set_up();
	pid = rig_child(serve_elsewhere, NULL);
	wait_for(from_child);
	lay_cable(pid, 0, "192.0.2.1/24", "192.0.2.2/24");
	open_frames();
	signal_to(to_child);
	wait_for(from_child);
	ask_at("192.0.2.2");
	signal_to(to_child);
	rig_wait_child(pid);
	rig_expect_count(&rig, 2);
	ck_assert_uint_eq(rig.packets[0].direction, PACKET_SENT);
	ck_assert_uint_eq(rig.packets[0].payload_bytes, 5);
	ck_assert_uint_eq(rig.packets[1].direction, PACKET_RECEIVED);
	ck_assert_uint_eq(rig.packets[1].payload_bytes, ANSWER);
	ck_assert_mem_eq(rig.packets[1].payload, rig_pattern(ANSWER), ANSWER);
	ck_assert_uint_eq(rig.packets[0].socket, rig.packets[1].socket);
	rig_close(&rig);
}
END_TEST

static void
ask_elsewhere(void *user)
{
	(void)user;
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	signal_to(from_child);
	wait_for(to_child);
	ask_at("198.51.100.2");
	wait_for(to_child);
}

START_TEST(what_is_forwarded_comes_once)
{
	pid_t server;
	pid_t client;

	set_up();
	server = rig_child(serve_elsewhere, NULL);
	wait_for(from_child);
	lay_cable(server, 0, "198.51.100.1/24", "198.51.100.2/24");
	signal_to(to_child);
	wait_for(from_child);
	client = rig_child(ask_elsewhere, NULL);
	wait_for(from_child);
	lay_cable(client, 1, "192.0.2.1/24", "192.0.2.2/24");
	ck_assert_int_eq(rig_shell("echo 1 >/proc/sys/net/ipv4/ip_forward && "
		"nsenter -t %d -n ip route add default via 192.0.2.1 && "
		"nsenter -t %d -n ip route add default via 198.51.100.1",
		(int)client, (int)server), 0);
	open_frames();
	signal_to(to_child);
	/* Whoever reads first: both wait for one octet now. */
	signal_to(to_child);
	signal_to(to_child);
	rig_wait_child(client);
	rig_wait_child(server);
	rig_expect_count(&rig, 2);
	/* As the server has it. */
	ck_assert_uint_eq(rig.packets[0].direction, PACKET_RECEIVED);
	ck_assert_uint_eq(rig.packets[0].local.port, rig.port);
	ck_assert_uint_eq(rig.packets[0].payload_bytes, 5);
	ck_assert_uint_eq(rig.packets[1].direction, PACKET_SENT);
	ck_assert_uint_eq(rig.packets[1].local.port, rig.port);
	ck_assert_uint_eq(rig.packets[1].payload_bytes, ANSWER);
	ck_assert_mem_eq(rig.packets[1].payload, rig_pattern(ANSWER), ANSWER);
	rig_close(&rig);
}
END_TEST

static void
add_tests(void *suite)
{
	support_add(suite, both_ends_of_udp_over_ip4);
	support_add(suite, both_ends_of_udp_over_ip6);
	support_add(suite, the_longest_datagram_is_uncut);
	support_add(suite, streams_are_complete_at_both_ends);
	support_add(suite, who_sets_the_clock_does_not_date_frames);
	support_add(suite, after_the_end_nothing_comes);
	support_add(suite, fragments_are_put_together);
	support_add(suite, what_is_forwarded_comes_once);
}

int
main(void)
{
	return rig_run("capture_frames", add_tests);
}
