/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_capture_scope.c: other network namespaces, parts of the hierarchy of
 * cgroups, and what is left when the program is killed; as root.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <fcntl.h>

#include <dnstap/event.h>

#include "sidecar/capture_rig.h"

#include "support/support.h"

#define ANSWER 4000

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

/* Any address of the namespace. */
static int
bind_any(uint16_t port)
{
	struct sockaddr_in6 any = {
		.sin6_family = AF_INET6, .sin6_port = htons(port),
	};
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&any, sizeof(any)), 0);
	return fd;
}

/* In a namespace of its own, at the other end of the cable. */
static void
serve_behind_cable(void *user)
{
	int fd;

	(void)user;
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	signal_to(from_child);
	wait_for(to_child);
	ck_assert_int_eq(rig_shell("ip addr add 192.0.2.2/24 dev dtap1 && "
		"ip addr add 2001:db8::2/64 dev dtap1 nodad && "
		"ip link set dtap1 up"), 0);
	fd = bind_any(rig.port);
	signal_to(from_child);
	rig_answer(fd, 5, rig_pattern(ANSWER), ANSWER);
	rig_answer(fd, 5, rig_pattern(ANSWER), ANSWER);
	wait_for(to_child);
}

static void
ask_behind_cable(const char *address)
{
	struct sockaddr_in6 server = {
		.sin6_family = AF_INET6, .sin6_port = htons(rig.port),
	};
	int fd = bind_any(0);

	ck_assert_int_eq(inet_pton(AF_INET6, address, &server.sin6_addr), 1);
	ck_assert_int_eq(sendto(fd, "query", 5, 0, (struct sockaddr *)&server,
				sizeof(server)), 5);
	rig_receive_all(fd, ANSWER);
	close(fd);
}

static pid_t
lay_cable(void)
{
	pid_t pid;

	ck_assert_int_eq(pipe(to_child), 0);
	ck_assert_int_eq(pipe(from_child), 0);
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	pid = rig_child(serve_behind_cable, NULL);
	wait_for(from_child);
	ck_assert_int_eq(rig_shell("ip link set lo up && "
		"ip link add dtap0 mtu 1500 type veth peer name dtap1 "
		"mtu 1500 netns %d && "
		"ip addr add 192.0.2.1/24 dev dtap0 && "
		"ip addr add 2001:db8::1/64 dev dtap0 nodad && "
		"ip link set dtap0 up", (int)pid), 0);
	signal_to(to_child);
	wait_for(from_child);
	return pid;
}

START_TEST(fragments_between_namespaces_are_whole_datagrams)
{
	struct capture_options options = rig_options(&rig);
	struct stat own;
	struct stat other;
	char path[64];
	pid_t pid = lay_cable();

	ck_assert_int_eq(stat("/proc/self/ns/net", &own), 0);
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	ck_assert_int_eq(stat(path, &other), 0);
	ck_assert_uint_ne(own.st_ino, other.st_ino);
	rig_open(&rig, &options);
	ask_behind_cable("::ffff:192.0.2.2");
	ask_behind_cable("2001:db8::2");
	signal_to(to_child);
	rig_wait_child(pid);
	rig_expect_count(&rig, 8);
	for (size_t i = 0; i < rig.count; i++) {
		const struct packet *packet = &rig.packets[i];
		bool server_end = packet->local.port == rig.port;

		ck_assert_uint_eq(packet->family,
				  i < 4 ? DTAP_INET : DTAP_INET6);
		ck_assert_uint_eq(packet->owner.netns,
				  server_end ? other.st_ino : own.st_ino);
		ck_assert_uint_eq(packet->owner.pid,
				  (uint32_t)(server_end ? pid : getpid()));
		if (server_end == (packet->direction == PACKET_SENT)) {
			ck_assert_uint_eq(packet->payload_bytes, ANSWER);
			ck_assert_mem_eq(packet->payload, rig_pattern(ANSWER),
					 ANSWER);
		} else
			ck_assert_uint_eq(packet->payload_bytes, 5);
	}
	rig_close(&rig);
}
END_TEST

/* RFC 7413. The SYN is the listener's; the connection has one name all the
 * same. */
START_TEST(data_in_a_syn_comes_after_it)
{
	struct capture_options options = rig_options(&rig);
	struct sockaddr_in address = { .sin_family = AF_INET };
	const struct packet *packets[3];
	int listener;
	int client;
	int server;
	int queue = 5;
	size_t at = 0;

	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	/* Both ends, without cookies. */
	ck_assert_int_eq(rig_shell("ip link set lo up && echo 1543 "
		">/proc/sys/net/ipv4/tcp_fastopen"), 0);
	rig_open(&rig, &options);
	listener = rig_listen(rig.port);
	ck_assert_int_eq(setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN,
				    &queue, sizeof(queue)), 0);
	client = socket(AF_INET, SOCK_STREAM, 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address.sin_port = htons(rig.port);
	ck_assert_int_eq(sendto(client, "query", 5, MSG_FASTOPEN,
				(struct sockaddr *)&address, sizeof(address)),
			 5);
	server = accept(listener, NULL, NULL);
	rig_receive_all(server, 5);
	rig_send_all(client, "again", 5);
	rig_receive_all(server, 5);
	rig_drain(&rig);
	for (int i = 0; i < 3; i++)
		do
			packets[i] = rig_find(&rig, &at, PACKET_RECEIVED);
		while (packets[i]->local.port != rig.port);
	ck_assert_uint_eq(packets[0]->tcp_flags, PACKET_SYN);
	ck_assert_uint_eq(packets[0]->payload_bytes, 0);
	ck_assert_uint_eq(packets[1]->tcp_flags, 0);
	ck_assert_mem_eq(packets[1]->payload, "query", 5);
	ck_assert_uint_eq(packets[1]->tcp_sequence,
			  packets[0]->tcp_sequence + 1);
	ck_assert_mem_eq(packets[2]->payload, "again", 5);
	ck_assert_uint_eq(packets[2]->tcp_sequence,
			  packets[1]->tcp_sequence + 5);
	ck_assert_uint_eq(packets[0]->socket, packets[1]->socket);
	ck_assert_uint_eq(packets[1]->socket, packets[2]->socket);
	rig_close(&rig);
}
END_TEST

static void
talk_in_cgroup(void *user)
{
	int server;
	int client;

	rig_enter_cgroup(user);
	server = rig_udp(false, rig.port);
	client = rig_udp(false, 0);
	rig_send(client, false, rig.port, "query", 5);
	rig_answer(server, 5, "answer", 6);
	rig_receive_all(client, 6);
}

START_TEST(a_cgroup_alone_can_be_watched)
{
	struct capture_options options = rig_options(&rig);
	char path[4096];
	struct stat status;
	int outside = rig_udp(false, 0);
	int count = 0;
	pid_t pid;

	rig_make_cgroup(path);
	ck_assert_int_eq(stat(path, &status), 0);
	options.cgroup = path;
	rig_open(&rig, &options);
	pid = rig_child(talk_in_cgroup, path);
	rig_wait_child(pid);
	/* The same port, and not in the cgroup. */
	rig_send(outside, false, rig.port, "foreign", 7);
	do
		ck_assert(capture_drain(rig.capture));
	while (rig.count < 4 && ++count < 100000);
	ck_assert(capture_drain(rig.capture));
	rmdir(path);
	ck_assert_uint_eq(rig.count, 4);
	for (size_t i = 0; i < rig.count; i++) {
		ck_assert_uint_eq(rig.packets[i].owner.pid, (uint32_t)pid);
		ck_assert_uint_eq(rig.packets[i].owner.cgroup, status.st_ino);
	}
	rig_close(&rig);
}
END_TEST

/* As when a service is started anew: its cgroup is another one then. */
START_TEST(a_cgroup_that_goes_is_noticed)
{
	struct capture_options options = rig_options(&rig);
	char path[4096];

	rig_make_cgroup(path);
	options.cgroup = path;
	rig_open(&rig, &options);
	rig_wait_child(rig_child(talk_in_cgroup, path));
	ck_assert_int_eq(rmdir(path), 0);
	ck_assert_int_eq(mkdir(path, 0755), 0);
	while (capture_drain(rig.capture))
		continue;
	ck_assert_int_eq(errno, ENOENT);
	rmdir(path);
	/* What came before is there. */
	ck_assert_uint_eq(rig.count, 4);
	rig_close(&rig);
}
END_TEST

static uint32_t
attached(const char *path)
{
	static const enum bpf_attach_type types[] = {
		BPF_CGROUP_INET_INGRESS, BPF_CGROUP_INET_EGRESS,
		BPF_CGROUP_INET4_BIND, BPF_CGROUP_INET6_BIND,
		BPF_CGROUP_INET4_CONNECT, BPF_CGROUP_INET6_CONNECT,
		BPF_CGROUP_UDP4_SENDMSG, BPF_CGROUP_UDP6_SENDMSG,
	};
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint32_t total = 0;

	ck_assert_int_ge(fd, 0);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		uint32_t flags;
		uint32_t ids[16];
		uint32_t count = 16;

		ck_assert_int_eq(bpf_prog_query(fd, types[i], 0, &flags, ids,
						&count), 0);
		total += count;
	}
	close(fd);
	return total;
}

static void
open_and_wait(void *user)
{
	rig_open(&rig, user);
	signal_to(from_child);
	pause();
}

START_TEST(nothing_is_left_of_who_is_killed)
{
	struct capture_options options = rig_options(&rig);
	char path[4096];
	uint32_t before;
	uint32_t during;
	uint32_t after;
	pid_t pid;

	ck_assert_int_eq(pipe(from_child), 0);
	rig_make_cgroup(path);
	before = attached(path);
	options.cgroup = path;
	pid = rig_child(open_and_wait, &options);
	wait_for(from_child);
	during = attached(path);
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	/* The kernel takes them away when it gets to it. */
	for (int i = 0; i < 1000 && attached(path) != 0; i++)
		poll(NULL, 0, 10);
	after = attached(path);
	rmdir(path);
	ck_assert_uint_eq(before, 0);
	ck_assert_uint_eq(during, 8);
	ck_assert_uint_eq(after, 0);
}
END_TEST

START_TEST(nothing_is_left_of_what_is_closed)
{
	struct capture_options options = rig_options(&rig);
	char path[4096];
	uint32_t during;
	uint32_t after;

	rig_make_cgroup(path);
	options.cgroup = path;
	rig_open(&rig, &options);
	during = attached(path);
	rig_close(&rig);
	after = attached(path);
	rmdir(path);
	ck_assert_uint_eq(during, 8);
	ck_assert_uint_eq(after, 0);
}
END_TEST

static void
add_tests(void *suite)
{
	support_add(suite, fragments_between_namespaces_are_whole_datagrams);
	support_add(suite, data_in_a_syn_comes_after_it);
	support_add(suite, a_cgroup_alone_can_be_watched);
	support_add(suite, a_cgroup_that_goes_is_noticed);
	support_add(suite, nothing_is_left_of_who_is_killed);
	support_add(suite, nothing_is_left_of_what_is_closed);
}

int
main(void)
{
	return rig_run("capture_scope", add_tests);
}
