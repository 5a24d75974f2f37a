/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_ping.c: how long a datagram takes that is of no interest to anybody.
 *
 *     bench_ping ROUNDS [CGROUP]
 *
 * Sends from a loopback socket to itself and receives, in one thread, so that
 * no scheduler is measured; prints the median of bursts, in ns for one
 * datagram, which passes twice: on its way out, and in. With CGROUP a program
 * that does nothing looks at the packets of that cgroup meanwhile: what the
 * kernel itself takes for there being one.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#define PING_BURST 500
#define PING_BURSTS_MAX 4000

static uint64_t
ping_clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int
ping_compare(const void *one, const void *other)
{
	double a = *(const double *)one;
	double b = *(const double *)other;

	return (a > b) - (a < b);
}

/* A socket that sends to itself. */
static int
ping_open(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t bytes = sizeof(address);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, bytes) != 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &bytes) != 0 ||
	    connect(fd, (struct sockaddr *)&address, bytes) != 0) {
		perror("bench_ping");
		exit(1);
	}
	return fd;
}

/* Until this process ends. */
static void
ping_watch(const char *cgroup)
{
	/* r0 = 1; exit */
	const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int root = open(cgroup, O_RDONLY | O_DIRECTORY);
	int program = bpf_prog_load(BPF_PROG_TYPE_CGROUP_SKB, "ping_nothing",
				    "GPL", nothing, 2, NULL);

	if (root < 0 || program < 0 ||
	    bpf_link_create(program, root, BPF_CGROUP_INET_INGRESS, NULL) < 0 ||
	    bpf_link_create(program, root, BPF_CGROUP_INET_EGRESS, NULL) < 0) {
		perror("bench_ping");
		exit(1);
	}
}

int
main(int argc, char **argv)
{
	static double bursts[PING_BURSTS_MAX];
	int rounds = argc >= 2 ? atoi(argv[1]) / PING_BURST : 0;
	char octets[64] = { 0 };
	int fd = ping_open();

	if (rounds < 1 || rounds > PING_BURSTS_MAX)
		return 2;
	if (argc == 3)
		ping_watch(argv[2]);
	for (int i = 0; i < rounds; i++) {
		uint64_t begin_ns = ping_clock_ns();

		for (int j = 0; j < PING_BURST; j++)
			if (send(fd, octets, sizeof(octets), 0) < 0 ||
			    recv(fd, octets, sizeof(octets), 0) < 0)
				return 1;
		bursts[i] = (double)(ping_clock_ns() - begin_ns) / PING_BURST;
	}
	close(fd);
	qsort(bursts, (size_t)rounds, sizeof(bursts[0]), ping_compare);
	printf("%.0f\n", bursts[rounds / 2]);
	return 0;
}
