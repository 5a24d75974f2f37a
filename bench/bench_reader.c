/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_reader.c: see bench_reader.h.
 *
 * It has to be cheaper than any writer, so it does not parse frames: it
 * takes the first octets for READY, and a STOP at the end of what it has
 * read for the end. The events of the benchmarks hold nothing that looks
 * like one.
 *
 * What it reports goes through a pipe as 64-bit numbers: a 0 after the
 * handshake, then the time of each read that follows a pause of a
 * millisecond or more, and at the end, after UINT64_MAX, the octets read.
 */
#include "bench_reader.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "frame/frame_control.h"

#define READER_BUFFER_BYTES ((size_t)256 * 1024)
#define READER_PAUSE_NS 1000000

static int
reader_listen_unix(struct bench_reader *reader)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char *path = bench_path("reader.sock");
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	unlink(path);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	snprintf(reader->uri, sizeof(reader->uri), "unix:%s", path);
	free(path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		return -1;
	return fd;
}

static int
reader_listen_tcp(struct bench_reader *reader)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t bytes = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &bytes) != 0)
		return -1;
	snprintf(reader->uri, sizeof(reader->uri), "tcp:127.0.0.1:%u",
		 ntohs(address.sin_port));
	return fd;
}

static void
reader_report(int to, uint64_t number)
{
	if (write(to, &number, sizeof(number)) != sizeof(number))
		_exit(1);
}

static void
reader_send(int fd, enum dtap__control_type type)
{
	uint8_t octets[DTAP__CONTROL_WRITTEN_MAX];
	size_t bytes = dtap__control_write(octets, type);

	if (send(fd, octets, bytes, MSG_NOSIGNAL) != (ssize_t)bytes)
		_exit(1);
}

/* The last octets read so far, kept over short reads. */
static bool
reader_sees_stop(uint8_t last[12], const uint8_t *octets, size_t bytes)
{
	static const uint8_t stop[12] = { 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 3 };

	if (bytes >= 12) {
		memcpy(last, octets + bytes - 12, 12);
	} else {
		memmove(last, last + bytes, 12 - bytes);
		memcpy(last + 12 - bytes, octets, bytes);
	}
	return memcmp(last, stop, 12) == 0;
}

static _Noreturn void
reader_run(int listener, int to)
{
	uint8_t *buffer = malloc(READER_BUFFER_BYTES);
	uint64_t total = 0, seen_ns = 0;
	uint8_t last[12] = { 0 };
	int fd = accept(listener, NULL, NULL);

	/* READY, in one piece: 42 octets. */
	if (buffer == NULL || fd < 0 ||
	    recv(fd, buffer, DTAP__CONTROL_WRITTEN_MAX, MSG_WAITALL) <= 0)
		_exit(1);
	reader_send(fd, DTAP__CONTROL_ACCEPT);
	reader_report(to, 0);
	for (;;) {
		ssize_t got = recv(fd, buffer, READER_BUFFER_BYTES, 0);
		uint64_t now_ns = bench_clock_ns();

		if (got <= 0)
			break;
		if (total > 0 && now_ns - seen_ns > READER_PAUSE_NS)
			reader_report(to, now_ns);
		seen_ns = now_ns;
		total += (uint64_t)got;
		if (reader_sees_stop(last, buffer, (size_t)got))
			reader_send(fd, DTAP__CONTROL_FINISH);
	}
	reader_report(to, UINT64_MAX);
	reader_report(to, total);
	_exit(0);
}

void
bench_reader_start(struct bench_reader *reader, enum bench_medium medium)
{
	int listener = medium == BENCH_UNIX ? reader_listen_unix(reader)
					    : reader_listen_tcp(reader);
	int ends[2];

	if (listener < 0 || listen(listener, 1) != 0 || pipe(ends) != 0)
		bench_give_up(1, "cannot listen");
	reader->from = ends[0];
	reader->process = fork();
	if (reader->process < 0)
		bench_give_up(1, "cannot fork");
	if (reader->process == 0) {
		close(ends[0]);
		reader_run(listener, ends[1]);
	}
	close(ends[1]);
	close(listener);
}

static uint64_t
reader_take(struct bench_reader *reader)
{
	uint64_t number;

	if (read(reader->from, &number, sizeof(number)) != sizeof(number))
		bench_give_up(1, "the reader has ended early");
	return number;
}

void
bench_reader_await(struct bench_reader *reader)
{
	reader_take(reader);
}

uint64_t
bench_reader_next_ns(struct bench_reader *reader)
{
	uint64_t when_ns = reader_take(reader);

	if (when_ns == UINT64_MAX)
		bench_give_up(1, "the connection has ended early");
	return when_ns;
}

uint64_t
bench_reader_finish(struct bench_reader *reader)
{
	uint64_t octets;

	while (reader_take(reader) != UINT64_MAX)
		continue;
	octets = reader_take(reader);
	close(reader->from);
	waitpid(reader->process, NULL, 0);
	return octets;
}
