/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Short writes (F12): the system takes less than it is given, at every octet
 * of a stream of three frames, into a file, a Unix and a TCP socket. What
 * arrives is the same, octet by octet.
 *
 * The two system calls that outputs write with are wrapped at link time. This
 * is the fault that corrupts libfstrm's stream and its heap.
 */
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/atomic.h"
#include "base/compiler.h"
#include "support/outputs.h"
#include "support/report.h"
#include "support/scratch.h"
#include "support/support.h"
#include "support/taps.h"

ssize_t
__real_writev(int fd, const struct iovec *parts, int count);
ssize_t
__wrap_writev(int fd, const struct iovec *parts, int count);
ssize_t
__real_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t
__wrap_sendmsg(int fd, const struct msghdr *message, int flags);

#define STREAM_BYTES_MAX 4096
#define FRAMES 3

/* What happens to the writes of one stream; the writer's thread alone. */
static struct {
	size_t cut;	    /* a call ends here that would go beyond it */
	size_t most;	    /* octets per call; 0: any number */
	unsigned int every; /* each so-manieth call fails; 0: none */
	int error;	    /* ... with this */
	size_t taken;
	unsigned int calls;
	unsigned int hits;  /* calls that were tampered with */
} script;

/* Shortens a copy of the parts; how many remain. */
static int
shorten(const struct iovec *parts, int count, struct iovec *into)
{
	size_t room = script.most > 0 ? script.most : SIZE_MAX;
	size_t all = 0;
	int used = 0;

	if (script.taken < script.cut && script.cut - script.taken < room)
		room = script.cut - script.taken;
	for (int i = 0; i < count; i++) {
		size_t bytes = parts[i].iov_len;

		all += bytes;
		if (bytes > room)
			bytes = room;
		room -= bytes;
		if (bytes > 0)
			into[used++] = (struct iovec){ parts[i].iov_base,
						       bytes };
	}
	script.hits += room == 0 && all > 0;
	return used;
}

static bool
is_refused(void)
{
	script.calls++;
	if (script.every == 0 || script.calls % script.every != 0)
		return false;
	script.hits++;
	errno = script.error;
	return true;
}

static ssize_t
note_taken(ssize_t taken)
{
	if (taken > 0)
		script.taken += (size_t)taken;
	return taken;
}

ssize_t
__wrap_writev(int fd, const struct iovec *parts, int count)
{
	struct iovec less[64];

	ck_assert_int_le(count, 64);
	if (is_refused())
		return -1;
	count = shorten(parts, count, less);
	return note_taken(__real_writev(fd, less, count));
}

ssize_t
__wrap_sendmsg(int fd, const struct msghdr *message, int flags)
{
	struct iovec less[64];
	struct msghdr copy = *message;

	ck_assert_uint_le(message->msg_iovlen, 64);
	if (is_refused())
		return -1;
	copy.msg_iovlen = (size_t)shorten(message->msg_iov,
					  (int)message->msg_iovlen, less);
	copy.msg_iov = less;
	return note_taken(__real_sendmsg(fd, &copy, flags));
}

/* A reader in a thread: one connection after the other. */
struct reader {
	int listener;
	pthread_t thread;
	uint8_t got[STREAM_BYTES_MAX]; /* of the last connection */
	size_t got_bytes;
	dtap__atomic(unsigned int) ended; /* connections */
};

static void
answer(int fd, dtap_reader *parser)
{
	size_t bytes;
	const void *reply = dtap_reader_reply(parser, &bytes);

	if (bytes > 0)
		ck_assert_int_eq(send(fd, reply, bytes, MSG_NOSIGNAL),
				 (ssize_t)bytes);
}

static void
read_connection(struct reader *reader, int fd)
{
	struct dtap_reader_options options = { .size = sizeof(options),
					       .bidirectional = 1 };
	struct dtap_frame frame;
	dtap_reader *parser;
	size_t parsed = 0;
	size_t consumed;
	ssize_t got;

	ck_assert_int_eq(dtap_reader_open(&options, &parser), DTAP_OK);
	reader->got_bytes = 0;
	while ((got = recv(fd, reader->got + reader->got_bytes,
			   STREAM_BYTES_MAX - reader->got_bytes, 0)) > 0) {
		enum dtap_result result;

		reader->got_bytes += (size_t)got;
		do {
			result = dtap_reader_next(parser, reader->got + parsed,
						  reader->got_bytes - parsed,
						  &consumed, &frame);
			parsed += consumed;
			answer(fd, parser);
		} while (result == DTAP_OK);
	}
	dtap_reader_close(&parser);
}

static void *
reader_main(void *argument)
{
	struct reader *reader = argument;
	int fd;

	while ((fd = accept(reader->listener, NULL, NULL)) >= 0) {
		read_connection(reader, fd);
		close(fd);
		/* Pairs with the acquire in stream_once(). */
		dtap__store_release(&reader->ended,
				    dtap__load_relaxed(&reader->ended) + 1);
	}
	return NULL;
}

static void
reader_open(struct reader *reader, int listener)
{
	reader->listener = listener;
	ck_assert_int_eq(pthread_create(&reader->thread, NULL, reader_main,
					reader), 0);
}

static void
reader_close(struct reader *reader)
{
	shutdown(reader->listener, SHUT_RDWR);
	pthread_join(reader->thread, NULL);
	close(reader->listener);
}

static void
read_file(struct reader *reader)
{
	FILE *file = fopen("x", "rb");

	ck_assert_ptr_nonnull(file);
	reader->got_bytes = fread(reader->got, 1, STREAM_BYTES_MAX, file);
	fclose(file);
	ck_assert_int_eq(unlink("x"), 0);
}

/* One tap, three frames; what arrived is in reader->got. */
static void
stream_once(struct reader *reader, const char *uri)
{
	static const char *const quick[] = { "latency-ms=1", "ring-bytes=64K",
					     NULL };
	unsigned int before = dtap__load_acquire(&reader->ended);
	struct dtap_stats stats;
	dtap_producer *producer;
	dtap *tap;

	script.taken = script.calls = script.hits = 0;
	tap = taps_open(uri, quick);
	ck_assert_int_eq(dtap_producer_open(tap, &producer), DTAP_OK);
	for (uint32_t number = 0; number < FRAMES; number++) {
		struct dtap_event event = taps_event(number);

		ck_assert_int_eq(dtap_submit(producer, &event), DTAP_OK);
	}
	ck_assert_int_eq(dtap_start(tap), DTAP_OK);
	ck_assert_int_eq(dtap_stop(tap, 60000), DTAP_OK);
	dtap_producer_close(&producer);
	stats = taps_finish(&tap, 0);
	ck_assert_uint_eq(stats.confirmed, FRAMES);
	ck_assert_uint_eq(stats.sessions, 1);
	ck_assert_uint_eq(stats.written_bytes, script.taken);
	if (strncmp(uri, "file:", 5) == 0)
		read_file(reader);
	else
		while (dtap__load_acquire(&reader->ended) == before)
			usleep(100);
}

struct stream {
	uint8_t octets[STREAM_BYTES_MAX];
	size_t bytes;
};

static void
expect_same(const struct reader *reader, const struct stream *whole)
{
	ck_assert_uint_gt(script.hits, 0);
	ck_assert_uint_eq(reader->got_bytes, whole->bytes);
	ck_assert_mem_eq(reader->got, whole->octets, whole->bytes);
}

/* The stream as it is when nothing happens to it. */
static void
stream_whole(struct reader *reader, const char *uri, struct stream *whole)
{
	memset(&script, 0, sizeof(script));
	stream_once(reader, uri);
	memcpy(whole->octets, reader->got, reader->got_bytes);
	whole->bytes = reader->got_bytes;
	ck_assert_uint_gt(whole->bytes, 100 * FRAMES);
}

/* Of the stream that was cut at each. */
static size_t octets_cut;

static void
cut_everywhere(struct reader *reader, const char *uri)
{
	struct stream whole;

	stream_whole(reader, uri, &whole);
	for (size_t cut = 1; cut < whole.bytes; cut++) {
		memset(&script, 0, sizeof(script));
		script.cut = cut;
		stream_once(reader, uri);
		expect_same(reader, &whole);
	}
	octets_cut = whole.bytes;
}

static void
cut_always(struct reader *reader, const char *uri, int error)
{
	static const size_t most[] = { 1, 2, 3, 5, 7, 64, 100 };
	struct stream whole;

	stream_whole(reader, uri, &whole);
	for (size_t i = 0; i < DTAP__COUNT_OF(most); i++) {
		for (unsigned int every = 2; every < 6; every++) {
			memset(&script, 0, sizeof(script));
			script.most = most[i];
			script.every = every;
			script.error = error;
			stream_once(reader, uri);
			expect_same(reader, &whole);
		}
	}
}

typedef void
on_output(struct reader *reader, const char *uri);

/* The file, Unix and TCP output, in turn. */
static void
with_output(int kind, on_output *run)
{
	struct reader reader = { .listener = -1 };
	struct sockaddr_in address;
	char uri[64];

	scratch_enter();
	if (kind == 0) {
		run(&reader, "file:x");
	} else if (kind == 1) {
		reader_open(&reader, outputs_listen_unix("sock", 8));
		run(&reader, "unix:sock");
		reader_close(&reader);
	} else {
		reader_open(&reader, outputs_listen_tcp(&address, 8));
		snprintf(uri, sizeof(uri), "tcp:127.0.0.1:%u",
			 ntohs(address.sin_port));
		run(&reader, uri);
		reader_close(&reader);
	}
	scratch_leave();
}

START_TEST(a_short_write_at_every_octet) /* F12 */
{
	static const char *const sinks[] = { "file", "unix", "tcp" };

	with_output(_i, cut_everywhere);
	report_gate("R04", "%s: cut at each of %zu octets", sinks[_i],
		    octets_cut);
}
END_TEST

static void
interrupt_often(struct reader *reader, const char *uri)
{
	cut_always(reader, uri, EINTR);
}

static void
block_often(struct reader *reader, const char *uri)
{
	cut_always(reader, uri, EAGAIN);
}

START_TEST(short_writes_that_are_interrupted) /* F12, F26 */
{
	with_output(_i, interrupt_often);
}
END_TEST

/* Regular files never are full for a moment. */
START_TEST(short_writes_into_a_full_socket) /* F12, F21 */
{
	with_output(_i, block_often);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("fault_short_writes");
	TCase *tests = tcase_create("short writes");

	tcase_set_timeout(tests, 240);
	tcase_add_loop_test(tests, a_short_write_at_every_octet, 0, 3);
	tcase_add_loop_test(tests, short_writes_that_are_interrupted, 0, 3);
	tcase_add_loop_test(tests, short_writes_into_a_full_socket, 1, 3);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
