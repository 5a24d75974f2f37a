/* SPDX-License-Identifier: Apache-2.0 */
/*
 * capture_rig.c: see capture_rig.h.
 */
#include "sidecar/capture_rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "support/support.h"

/* Below those that kernels and other tests choose. */
#define PORT_FIRST 2000
#define PORTS 18000

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static void
keep(void *user, const struct packet *packet)
{
	struct rig *rig = user;
	struct packet *slot;
	uint8_t *payload;

	ck_assert_uint_lt(rig->count, RIG_PACKETS_MAX);
	slot = &rig->packets[rig->count++];
	*slot = *packet;
	payload = malloc(packet->payload_bytes + 1);
	memcpy(payload, packet->payload, packet->payload_bytes);
	slot->payload = payload;
}

static const char *
find_obstacle(void)
{
	/* r0 = 1; exit */
	struct bpf_insn program[] = {
		{ .code = 0xb7, .imm = 1 }, { .code = 0x95 },
	};
	int fd;

	if (access("/sys/kernel/btf/vmlinux", R_OK) != 0)
		return "this kernel does not describe its types";
	fd = bpf_prog_load(BPF_PROG_TYPE_CGROUP_SKB, "nothing", "GPL", program,
			   2, NULL);
	if (fd < 0)
		return geteuid() == 0 ?
			       "this kernel refuses programs at cgroups" :
			       "only root may load programs";
	close(fd);
	return NULL;
}

int
rig_run(const char *name, void (*add)(void *suite))
{
	const char *obstacle = find_obstacle();
	Suite *suite;

	if (obstacle != NULL) {
		printf("SKIP: %s: %s (%s)\n", name, obstacle, strerror(errno));
		return 77;
	}
	suite = suite_create(name);
	add(suite);
	return support_run(suite);
}

static union address
loopback(bool v6, uint16_t port, socklen_t *bytes)
{
	union address address;

	memset(&address, 0, sizeof(address));
	if (v6) {
		address.v6.sin6_family = AF_INET6;
		address.v6.sin6_addr = in6addr_loopback;
		address.v6.sin6_port = htons(port);
		*bytes = sizeof(address.v6);
	} else {
		address.v4.sin_family = AF_INET;
		address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		address.v4.sin_port = htons(port);
		*bytes = sizeof(address.v4);
	}
	return address;
}

uint16_t
rig_local_port(int fd)
{
	union address address;
	socklen_t bytes = sizeof(address);

	ck_assert_int_eq(getsockname(fd, &address.any, &bytes), 0);
	return ntohs(address.v4.sin_port);
}

/* Returns -1 where the port is taken. */
static int
try_bind(int type, bool v6, uint16_t port)
{
	socklen_t bytes;
	union address address = loopback(v6, port, &bytes);
	int fd = socket(v6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, 0);
	int on = 1;

	ck_assert_int_ge(fd, 0);
	if (type == SOCK_STREAM)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, &address.any, bytes) == 0)
		return fd;
	close(fd);
	return -1;
}

static int
bind_socket(int type, bool v6, uint16_t port)
{
	int fd = try_bind(type, v6, port);

	ck_assert_msg(fd >= 0, "bind %u: %m", port);
	return fd;
}

/*
 * Whatever comes to the watched port is seen, whoever sends it: so no other
 * program may choose it meanwhile.
 */
static uint16_t
free_port(void)
{
	for (int i = 0; i < PORTS; i++) {
		int port = PORT_FIRST + (getpid() + i) % PORTS;
		int udp = try_bind(SOCK_DGRAM, false, (uint16_t)port);
		int tcp = try_bind(SOCK_STREAM, false, (uint16_t)port);

		if (udp >= 0)
			close(udp);
		if (tcp >= 0)
			close(tcp);
		if (udp >= 0 && tcp >= 0)
			return (uint16_t)port;
	}
	ck_abort_msg("no port is free");
}

int
rig_udp(bool v6, uint16_t port)
{
	return bind_socket(SOCK_DGRAM, v6, port);
}

int
rig_listen(uint16_t port)
{
	int fd = bind_socket(SOCK_STREAM, false, port);

	ck_assert_int_eq(listen(fd, 16), 0);
	return fd;
}

int
rig_connect(uint16_t port)
{
	socklen_t bytes;
	union address address = loopback(false, port, &bytes);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(connect(fd, &address.any, bytes), 0);
	return fd;
}

void
rig_send(int fd, bool v6, uint16_t port, const void *data, size_t bytes)
{
	socklen_t address_bytes;
	union address address = loopback(v6, port, &address_bytes);

	ck_assert_int_eq(sendto(fd, data, bytes, 0, &address.any,
				address_bytes), bytes);
}

void
rig_answer(int fd, size_t expected, const void *data, size_t bytes)
{
	static uint8_t received[65536];
	union address peer;
	socklen_t peer_bytes = sizeof(peer);

	ck_assert_int_eq(recvfrom(fd, received, sizeof(received), 0, &peer.any,
				  &peer_bytes), expected);
	ck_assert_int_eq(sendto(fd, data, bytes, 0, &peer.any, peer_bytes),
			 bytes);
}

void
rig_send_all(int fd, const void *data, size_t bytes)
{
	const uint8_t *at = data;

	while (bytes > 0) {
		ssize_t sent = send(fd, at, bytes, 0);

		ck_assert_int_gt(sent, 0);
		at += sent;
		bytes -= (size_t)sent;
	}
}

void
rig_receive_all(int fd, size_t bytes)
{
	static uint8_t received[65536];

	while (bytes > 0) {
		ssize_t got = recv(fd, received, sizeof(received), 0);

		ck_assert_int_gt(got, 0);
		ck_assert_uint_le((size_t)got, bytes);
		bytes -= (size_t)got;
	}
}

const uint8_t *
rig_pattern(size_t bytes)
{
	static uint8_t octets[300000];

	ck_assert_uint_le(bytes, sizeof(octets));
	for (size_t i = 0; i < bytes; i++)
		octets[i] = (uint8_t)(i * 7 + i / 251);
	return octets;
}

struct capture_options
rig_options(struct rig *rig)
{
	struct capture_options options = {
		.kind = CAPTURE_CGROUP,
		.ports_count = 1,
		.ring_bytes = 4u << 20,
		.latency_ms = 1,
	};

	rig->port = free_port();
	options.ports[0] = rig->port;
	return options;
}

void
rig_open(struct rig *rig, const struct capture_options *options)
{
	char reason[CAPTURE_REASON_BYTES];

	rig->count = 0;
	ck_assert_msg(capture_open(options, keep, rig, &rig->capture, reason),
		      "%s", reason);
}

void
rig_close(struct rig *rig)
{
	for (size_t i = 0; i < rig->count; i++)
		free((void *)(uintptr_t)rig->packets[i].payload);
	capture_close(&rig->capture);
	ck_assert_ptr_null(rig->capture);
}

static void
drain_until(struct rig *rig, size_t count)
{
	struct pollfd polled = {
		.fd = capture_descriptor(rig->capture), .events = POLLIN,
	};

	while (rig->count < count) {
		ck_assert_int_eq(poll(&polled, 1, -1), 1);
		ck_assert(capture_drain(rig->capture));
	}
}

/* Packets come in order: what there was is there when the mark comes. */
void
rig_drain(struct rig *rig)
{
	static const char mark[] = "the rig's mark";
	bool marked = false;
	size_t at = rig->count;
	size_t found = 0;
	int fd = rig_udp(false, 0);

	rig_send(fd, false, rig->port, mark, sizeof(mark));
	while (!marked) {
		drain_until(rig, at + 1);
		for (; at < rig->count && !marked; at++)
			marked = rig->packets[at].direction == PACKET_SENT &&
				 rig->packets[at].payload_bytes ==
					 sizeof(mark) &&
				 memcmp(rig->packets[at].payload, mark,
					sizeof(mark)) == 0;
	}
	close(fd);
	/* Without the mark, also where it was received. */
	for (size_t i = 0; i < rig->count; i++) {
		struct packet *packet = &rig->packets[i];

		if (packet->payload_bytes == sizeof(mark) &&
		    memcmp(packet->payload, mark, sizeof(mark)) == 0)
			free((void *)(uintptr_t)packet->payload);
		else
			rig->packets[found++] = *packet;
	}
	rig->count = found;
}

void
rig_expect_count(struct rig *rig, size_t count)
{
	rig_drain(rig);
	ck_assert_uint_eq(rig->count, count);
}

void
rig_check_detach(struct rig *rig)
{
	int server = rig_udp(false, rig->port);
	int client = rig_udp(false, 0);

	rig_send(client, false, rig->port, "before", 6);
	rig_receive_all(server, 6);
	capture_detach(rig->capture);
	rig_send(client, false, rig->port, "after", 5);
	rig_receive_all(server, 5);
	ck_assert(capture_drain(rig->capture));
	ck_assert_uint_eq(rig->count, 2);
	for (size_t i = 0; i < 2; i++) {
		ck_assert_uint_eq(rig->packets[i].payload_bytes, 6);
		ck_assert_mem_eq(rig->packets[i].payload, "before", 6);
	}
	close(client);
	close(server);
}

const struct packet *
rig_find(const struct rig *rig, size_t *index, enum packet_direction direction)
{
	while (*index < rig->count) {
		const struct packet *packet = &rig->packets[(*index)++];

		if (packet->direction == direction)
			return packet;
	}
	ck_abort_msg("there is no such packet");
}

pid_t
rig_child(void (*work)(void *user), void *user)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		work(user);
		_exit(0);
	}
	return pid;
}

void
rig_wait_child(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

void
rig_make_cgroup(char path[4096])
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	const struct mntent *entry;

	ck_assert_ptr_nonnull(mounts);
	path[0] = '\0';
	while ((entry = getmntent(mounts)) != NULL && path[0] == '\0')
		if (strcmp(entry->mnt_type, "cgroup2") == 0)
			snprintf(path, 4096, "%s/dtap-test-%d",
				 entry->mnt_dir, (int)getpid());
	endmntent(mounts);
	ck_assert_msg(path[0] != '\0', "no cgroup v2 is mounted");
	ck_assert_msg(mkdir(path, 0755) == 0, "%s: %m", path);
}

void
rig_enter_cgroup(const char *path)
{
	char file[4200];
	int fd;

	snprintf(file, sizeof(file), "%s/cgroup.procs", path);
	fd = open(file, O_WRONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "0", 1), 1);
	close(fd);
}

int
rig_shell(const char *format, ...)
{
	char command[1024];
	va_list arguments;
	int status;

	va_start(arguments, format);
	vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	status = system(command);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
