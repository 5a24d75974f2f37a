/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_capture_owner.c: which process a packet belongs to; as root.
 *
 * The servers here are child processes: on the loopback a packet is received
 * while its sender is what runs.
 */
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sidecar/capture_rig.h"

#include "support/support.h"

static struct rig rig;
static int to_child[2];   /* one octet: go on */
static int from_child[2]; /* one octet: done so far */

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

static struct capture_options
set_up(void)
{
	ck_assert_int_eq(pipe(to_child), 0);
	ck_assert_int_eq(pipe(from_child), 0);
	return rig_options(&rig);
}

/* The packets of one direction over one end belong to pid, all of them. */
static void
expect_owner(bool server_end, enum packet_direction direction, pid_t pid)
{
	size_t found = 0;

	for (size_t i = 0; i < rig.count; i++) {
		const struct packet *packet = &rig.packets[i];

		if ((packet->local.port == rig.port) != server_end ||
		    packet->direction != direction ||
		    packet->payload_bytes == 0)
			continue;
		ck_assert_uint_eq(packet->owner.pid, (uint32_t)pid);
		found++;
	}
	ck_assert_uint_gt(found, 0);
}

static void
serve_datagrams(void *user)
{
	const int *count = user;
	int server = rig_udp(false, rig.port);

	signal_to(from_child);
	for (int i = 0; i < *count; i++)
		rig_answer(server, 5, "answer", 6);
}

static void
ask(int client)
{
	rig_send(client, false, rig.port, "query", 5);
	rig_receive_all(client, 6);
}

START_TEST(sockets_that_were_there_before)
{
	struct capture_options options = set_up();
	int count = 1;
	pid_t pid = rig_child(serve_datagrams, &count);
	int client = rig_udp(false, 0);

	wait_for(from_child);
	rig_open(&rig, &options);
	ask(client);
	rig_wait_child(pid);
	rig_expect_count(&rig, 4);
	expect_owner(true, PACKET_RECEIVED, pid);
	expect_owner(true, PACKET_SENT, pid);
	expect_owner(false, PACKET_SENT, getpid());
	expect_owner(false, PACKET_RECEIVED, getpid());
	rig_close(&rig);
}
END_TEST

START_TEST(sockets_that_come_later)
{
	struct capture_options options = set_up();
	int count = 1;
	int client;
	pid_t pid;

	rig_open(&rig, &options);
	pid = rig_child(serve_datagrams, &count);
	wait_for(from_child);
	client = rig_udp(false, 0);
	ask(client);
	rig_wait_child(pid);
	rig_expect_count(&rig, 4);
	expect_owner(true, PACKET_RECEIVED, pid);
	expect_owner(true, PACKET_SENT, pid);
	expect_owner(false, PACKET_RECEIVED, getpid());
	rig_close(&rig);
}
END_TEST

static void
serve_connection(void *user)
{
	int listener = rig_listen(rig.port);
	int server;

	(void)user;
	signal_to(from_child);
	server = accept(listener, NULL, NULL);
	rig_receive_all(server, 5);
	rig_send_all(server, "answer", 6);
	wait_for(to_child);
	rig_receive_all(server, 5);
	rig_send_all(server, "answer", 6);
}

static void
check_accepted(bool connected_before)
{
	struct capture_options options = set_up();
	pid_t pid = rig_child(serve_connection, NULL);
	int client;

	wait_for(from_child);
	if (!connected_before)
		rig_open(&rig, &options);
	client = rig_connect(rig.port);
	rig_send_all(client, "query", 5);
	rig_receive_all(client, 6);
	if (connected_before)
		rig_open(&rig, &options);
	signal_to(to_child);
	rig_send_all(client, "query", 5);
	rig_receive_all(client, 6);
	rig_wait_child(pid);
	rig_drain(&rig);
	expect_owner(true, PACKET_RECEIVED, pid);
	expect_owner(true, PACKET_SENT, pid);
	expect_owner(false, PACKET_SENT, getpid());
	expect_owner(false, PACKET_RECEIVED, getpid());
	rig_close(&rig);
}

START_TEST(accepted_connections)
{
	check_accepted(false);
}
END_TEST

START_TEST(connections_that_were_there_before)
{
	check_accepted(true);
}
END_TEST

static int shared;

static void
answer_shared(void *user)
{
	(void)user;
	rig_answer(shared, 5, "answer", 6);
	rig_answer(shared, 5, "answer", 6);
}

/* Who reads a query is known when the answer comes. */
START_TEST(a_forked_worker_owns_what_it_answers)
{
	struct capture_options options = set_up();
	int client;
	size_t at = 0;
	pid_t pid;

	rig_open(&rig, &options);
	shared = rig_udp(false, rig.port);
	pid = rig_child(answer_shared, NULL);
	client = rig_udp(false, 0);
	ask(client);
	ask(client);
	rig_wait_child(pid);
	rig_expect_count(&rig, 8);
	expect_owner(true, PACKET_SENT, pid);
	/* The second query comes to a socket that the worker has used. */
	rig_find(&rig, &at, PACKET_RECEIVED);
	rig_find(&rig, &at, PACKET_RECEIVED);
	ck_assert_uint_eq(rig_find(&rig, &at, PACKET_RECEIVED)->owner.pid,
			  (uint32_t)pid);
	rig_close(&rig);
}
END_TEST

static void
pass_descriptor(int channel, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec part = { "x", 1 };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	ck_assert_int_eq(sendmsg(channel, &message, 0), 1);
}

static int
take_descriptor(int channel)
{
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec part = { &(char){ 0 }, 1 };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	int fd;

	ck_assert_int_eq(recvmsg(channel, &message, 0), 1);
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

static void
send_passed(void *user)
{
	int fd = take_descriptor(((int *)user)[1]);

	rig_send_all(fd, "answer", 6);
}

START_TEST(a_passed_socket_belongs_to_who_uses_it)
{
	struct capture_options options = set_up();
	int channel[2];
	int listener;
	int client;
	int server;
	pid_t pid;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, channel), 0);
	rig_open(&rig, &options);
	pid = rig_child(send_passed, channel);
	listener = rig_listen(rig.port);
	client = rig_connect(rig.port);
	server = accept(listener, NULL, NULL);
	rig_send_all(client, "query", 5);
	pass_descriptor(channel[0], server);
	close(server);
	rig_receive_all(client, 6);
	rig_wait_child(pid);
	rig_drain(&rig);
	expect_owner(true, PACKET_RECEIVED, getpid());
	expect_owner(true, PACKET_SENT, pid);
	expect_owner(false, PACKET_RECEIVED, getpid());
	rig_close(&rig);
}
END_TEST

static void
send_and_leave(void *user)
{
	(void)user;
	ck_assert_int_eq(setuid(12345), 0);
	rig_send(rig_udp(false, 0), false, rig.port, "query", 5);
}

START_TEST(who_is_gone_was_known)
{
	struct capture_options options = set_up();
	int server = rig_udp(false, rig.port);
	const struct packet *packet;
	size_t at = 0;
	pid_t pid;

	rig_open(&rig, &options);
	pid = rig_child(send_and_leave, NULL);
	rig_wait_child(pid);
	rig_expect_count(&rig, 2);
	packet = rig_find(&rig, &at, PACKET_SENT);
	ck_assert_uint_eq(packet->owner.pid, (uint32_t)pid);
	ck_assert_uint_eq(packet->owner.uid, 12345);
	ck_assert_ptr_nonnull(strstr(packet->owner.exe, "test_capture_ow"));
	ck_assert_uint_eq(strlen(packet->owner.comm), PACKET_COMM_BYTES - 1);
	close(server);
	rig_close(&rig);
}
END_TEST

START_TEST(one_process_alone_can_be_watched)
{
	struct capture_options options = set_up();
	struct capture_counters counters;
	int count = 3;
	pid_t pid = rig_child(serve_datagrams, &count);
	int client = rig_udp(false, 0);

	wait_for(from_child);
	options.pid = (uint32_t)pid;
	rig_open(&rig, &options);
	for (int i = 0; i < count; i++)
		ask(client);
	rig_wait_child(pid);
	/* The rig's mark is not the child's. */
	while (rig.count < 6)
		ck_assert(capture_drain(rig.capture));
	ck_assert(capture_drain(rig.capture));
	ck_assert_uint_eq(rig.count, 6);
	expect_owner(true, PACKET_RECEIVED, pid);
	expect_owner(true, PACKET_SENT, pid);
	capture_count(rig.capture, &counters);
	ck_assert_uint_ge(counters.foreign, 6);
	rig_close(&rig);
}
END_TEST

static void
add_tests(void *suite)
{
	support_add(suite, sockets_that_were_there_before);
	support_add(suite, sockets_that_come_later);
	support_add(suite, accepted_connections);
	support_add(suite, connections_that_were_there_before);
	support_add(suite, a_forked_worker_owns_what_it_answers);
	support_add(suite, a_passed_socket_belongs_to_who_uses_it);
	support_add(suite, who_is_gone_was_known);
	support_add(suite, one_process_alone_can_be_watched);
}

int
main(void)
{
	return rig_run("capture_owner", add_tests);
}
