/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the outputs into sockets share, on a Unix and on a TCP socket each.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/outputs.h"
#include "support/scratch.h"
#include "support/support.h"

struct pair {
	struct dtap__output *output;
	int peer;
};

static struct pair
connect_pair(int kind)
{
	struct sockaddr_in address;
	struct pair pair;
	int listener;

	if (kind == 0) {
		listener = outputs_listen_unix("s", 1);
		pair.output = dtap__output_unix_new("s");
	} else {
		listener = outputs_listen_tcp(&address, 1);
		pair.output = outputs_new_tcp(&address);
	}
	ck_assert_ptr_nonnull(pair.output);
	ck_assert_int_eq(outputs_open(pair.output), DTAP_OK);
	pair.peer = accept(listener, NULL, NULL);
	ck_assert_int_ge(pair.peer, 0);
	close(listener);
	return pair;
}

START_TEST(octets_go_both_ways)
{
	struct pair pair;
	struct iovec parts[] = {{"one ", 4}, {"", 0}, {"two", 3}};
	char into[16];
	size_t size;

	scratch_enter();
	pair = connect_pair(_i);
	ck_assert_str_eq(pair.output->ops->name, _i == 0 ? "unix" : "tcp");
	ck_assert(pair.output->ops->mark == NULL);
	ck_assert(pair.output->ops->sync == NULL);
	ck_assert(pair.output->ops->room == NULL);
	ck_assert_int_eq(pair.output->ops->write(pair.output, parts, 3, &size),
			 DTAP_OK);
	ck_assert_uint_eq(size, 7);
	ck_assert_int_eq(recv(pair.peer, into, 16, 0), 7);
	ck_assert_int_eq(memcmp(into, "one two", 7), 0);

	ck_assert_int_eq(pair.output->ops->read(pair.output, into, 16, &size),
			 DTAP_AGAIN);
	ck_assert_uint_eq(size, 0);
	ck_assert_int_eq(send(pair.peer, "reply", 5, 0), 5);
	outputs_wait(pair.output, POLLIN);
	ck_assert_int_eq(pair.output->ops->read(pair.output, into, 3, &size),
			 DTAP_OK);
	ck_assert_uint_eq(size, 3);
	ck_assert_int_eq(memcmp(into, "rep", 3), 0);
	ck_assert_int_eq(pair.output->ops->read(pair.output, into, 16, &size),
			 DTAP_OK);
	ck_assert_int_eq(memcmp(into, "ly", size), 0);
	pair.output->ops->free(pair.output);
	ck_assert_int_eq(recv(pair.peer, into, 16, 0), 0);
	close(pair.peer);
	scratch_leave();
}
END_TEST

/* Octet n of the stream in the next test. */
static unsigned char
octet_at(size_t n)
{
	return (unsigned char)(n * 31 + n / 251);
}

#define STREAM_BYTES ((size_t)8 << 20)

/* Offers the rest of the stream in parts of odd length; counts AGAINs. */
static size_t
offer_rest(struct dtap__output *output, unsigned char *stream, size_t sent,
	   unsigned int *agains)
{
	struct iovec parts[64];
	size_t at = sent;
	size_t taken;
	int count = 0;

	for (; count < 64 && at < STREAM_BYTES; count++) {
		size_t bytes = 4999 + (size_t)count;

		if (bytes > STREAM_BYTES - at)
			bytes = STREAM_BYTES - at;
		parts[count] = (struct iovec){stream + at, bytes};
		at += bytes;
	}
	switch (output->ops->write(output, parts, count, &taken)) {
	case DTAP_OK:
		ck_assert_uint_gt(taken, 0);
		break;
	case DTAP_AGAIN:
		ck_assert_uint_eq(taken, 0);
		++*agains;
		break;
	default:
		ck_abort_msg("%s", output->error);
	}
	return taken;
}

START_TEST(full_socket_puts_off_and_loses_nothing)
{
	unsigned char *stream = malloc(STREAM_BYTES);
	unsigned char into[70001];
	unsigned int agains = 0;
	size_t sent = 0, read = 0;
	struct pair pair;

	scratch_enter();
	pair = connect_pair(_i);
	for (size_t i = 0; i < STREAM_BYTES; i++)
		stream[i] = octet_at(i);
	while (read < STREAM_BYTES) {
		unsigned int before = agains;
		ssize_t got;

		while (sent < STREAM_BYTES && agains == before)
			sent += offer_rest(pair.output, stream, sent, &agains);
		got = recv(pair.peer, into, sizeof(into), 0);
		ck_assert_int_gt(got, 0);
		ck_assert_int_eq(memcmp(into, stream + read, (size_t)got), 0);
		read += (size_t)got;
	}
	ck_assert_uint_eq(sent, STREAM_BYTES);
	ck_assert_uint_gt(agains, 0);
	pair.output->ops->free(pair.output);
	ck_assert_int_eq(recv(pair.peer, into, sizeof(into), 0), 0);
	close(pair.peer);
	free(stream);
	scratch_leave();
}
END_TEST

START_TEST(more_parts_than_the_system_takes_are_a_short_write)
{
	static struct iovec parts[IOV_MAX + 10];
	struct pair pair;
	size_t taken;

	scratch_enter();
	for (int i = 0; i < IOV_MAX + 10; i++)
		parts[i] = (struct iovec){"x", 1};
	pair = connect_pair(_i);
	ck_assert_int_eq(pair.output->ops->write(pair.output, parts,
						 IOV_MAX + 10, &taken),
			 DTAP_OK);
	ck_assert_uint_gt(taken, 0);
	ck_assert_uint_le(taken, IOV_MAX);
	pair.output->ops->free(pair.output);
	close(pair.peer);
	scratch_leave();
}
END_TEST

START_TEST(peer_that_closes_is_noticed_when_reading)
{
	struct pair pair;
	char into[8];
	size_t size;

	scratch_enter();
	pair = connect_pair(_i);
	close(pair.peer);
	outputs_wait(pair.output, POLLIN);
	ck_assert_int_eq(pair.output->ops->read(pair.output, into, 8, &size),
			 DTAP_E_CLOSED);
	ck_assert_int_eq(pair.output->system_errno, 0);
	ck_assert_ptr_nonnull(
		strstr(pair.output->error, ": closed the connection"));
	pair.output->ops->free(pair.output);
	scratch_leave();
}
END_TEST

/* SIGPIPE keeps its default here: one would end the test. */
START_TEST(peer_that_closes_is_noticed_when_writing)
{
	enum dtap_result result = DTAP_OK;
	struct pair pair;
	size_t taken;

	scratch_enter();
	signal(SIGPIPE, SIG_DFL);
	pair = connect_pair(_i);
	close(pair.peer);
	for (int i = 0; result == DTAP_OK; i++) {
		ck_assert_int_lt(i, 10);
		outputs_wait(pair.output, POLLOUT);
		result = outputs_write(pair.output, "x", &taken);
		if (result == DTAP_OK)
			outputs_wait(pair.output, POLLHUP);
	}
	ck_assert_int_eq(result, DTAP_E_CLOSED);
	ck_assert_uint_eq(taken, 0);
	ck_assert(pair.output->system_errno == EPIPE ||
		  pair.output->system_errno == ECONNRESET);
	pair.output->ops->free(pair.output);
	scratch_leave();
}
END_TEST

START_TEST(reset_by_the_peer_is_a_closed_connection)
{
	struct linger hard = {1, 0};
	struct pair pair;
	char into[8];
	size_t size;

	scratch_enter();
	pair = connect_pair(1);
	ck_assert_int_eq(setsockopt(pair.peer, SOL_SOCKET, SO_LINGER, &hard,
				    sizeof(hard)),
			 0);
	close(pair.peer);
	outputs_wait(pair.output, POLLIN);
	ck_assert_int_eq(pair.output->ops->read(pair.output, into, 8, &size),
			 DTAP_E_CLOSED);
	ck_assert_int_eq(pair.output->system_errno, ECONNRESET);
	pair.output->ops->free(pair.output);
	scratch_leave();
}
END_TEST

START_TEST(never_uses_a_foreign_descriptor)
{
	struct pair pair;
	size_t size;
	char into[8];
	int ends[2];
	int fd;

	scratch_enter();
	pair = connect_pair(_i);
	fd = pair.output->ops->get_fd(pair.output);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	ck_assert_int_eq(send(ends[1], "client", 6, 0), 6);
	ck_assert_int_eq(dup2(ends[0], fd), fd);
	ck_assert_int_eq(outputs_write(pair.output, "x", &size), DTAP_E_CLOSED);
	ck_assert_uint_eq(size, 0);
	ck_assert_int_eq(pair.output->system_errno, EBADF);
	ck_assert_int_eq(pair.output->ops->get_fd(pair.output), -1);
	ck_assert_int_eq(pair.output->ops->read(pair.output, into, 8, &size),
			 DTAP_E_CLOSED);
	pair.output->ops->free(pair.output);
	ck_assert_int_eq(recv(ends[1], into, 8, MSG_DONTWAIT), -1);
	ck_assert_int_eq(recv(fd, into, 8, MSG_DONTWAIT), 6);
	close(fd);
	close(ends[0]);
	close(ends[1]);
	close(pair.peer);
	scratch_leave();
}
END_TEST

START_TEST(reading_spares_a_foreign_descriptor)
{
	struct pair pair;
	size_t size;
	char into[8];
	int ends[2];
	int fd;

	scratch_enter();
	pair = connect_pair(_i);
	fd = pair.output->ops->get_fd(pair.output);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	ck_assert_int_eq(send(ends[1], "client", 6, 0), 6);
	ck_assert_int_eq(dup2(ends[0], fd), fd);
	ck_assert_int_eq(pair.output->ops->read(pair.output, into, 8, &size),
			 DTAP_E_CLOSED);
	ck_assert_uint_eq(size, 0);
	pair.output->ops->free(pair.output);
	ck_assert_int_eq(recv(fd, into, 8, MSG_DONTWAIT), 6);
	close(fd);
	close(ends[0]);
	close(ends[1]);
	close(pair.peer);
	scratch_leave();
}
END_TEST

START_TEST(no_child_program_inherits_it)
{
	struct pair pair;
	int fd;

	scratch_enter();
	pair = connect_pair(_i);
	fd = pair.output->ops->get_fd(pair.output);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_ne(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	pair.output->ops->free(pair.output);
	close(pair.peer);
	scratch_leave();
}
END_TEST

/* A copy, as a child of the host has one after fork(). */
START_TEST(a_copy_in_other_hands_does_not_keep_it_open)
{
	struct timeval patience = { .tv_sec = 10 };
	struct pair pair;
	char into[8];
	size_t taken;
	int copy;

	scratch_enter();
	pair = connect_pair(_i);
	setsockopt(pair.peer, SOL_SOCKET, SO_RCVTIMEO, &patience,
		   sizeof(patience));
	copy = dup(pair.output->ops->get_fd(pair.output));
	ck_assert_int_ge(copy, 0);
	ck_assert_int_eq(outputs_write(pair.output, "last", &taken), DTAP_OK);
	pair.output->ops->close(pair.output);
	ck_assert_int_eq(recv(pair.peer, into, 8, 0), 4);
	ck_assert_int_eq(recv(pair.peer, into, 8, 0), 0);
	pair.output->ops->free(pair.output);
	close(copy);
	close(pair.peer);
	scratch_leave();
}
END_TEST

START_TEST(can_be_opened_again)
{
	struct dtap__output *output;
	char into[8];
	size_t taken;
	int listener, peer;

	scratch_enter();
	listener = outputs_listen_unix("s", 5);
	output = dtap__output_unix_new("s");
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(output->ops->open(output), DTAP_OK);
		peer = accept(listener, NULL, NULL);
		ck_assert_int_eq(outputs_write(output, "x", &taken), DTAP_OK);
		output->ops->close(output);
		ck_assert_int_eq(output->ops->get_fd(output), -1);
		ck_assert_int_eq(recv(peer, into, 8, 0), 1);
		ck_assert_int_eq(recv(peer, into, 8, 0), 0);
		close(peer);
	}
	output->ops->free(output);
	close(listener);
	scratch_leave();
}
END_TEST

#define KINDS 2
#define add_for_both(suite, function)                                          \
	do {                                                                   \
		TCase *added = tcase_create(#function);                        \
		tcase_add_loop_test(added, function, 0, KINDS);                \
		tcase_set_timeout(added, 120);                                 \
		suite_add_tcase((suite), added);                               \
	} while (0)

int
main(void)
{
	Suite *suite = suite_create("output_socket");

	add_for_both(suite, octets_go_both_ways);
	add_for_both(suite, full_socket_puts_off_and_loses_nothing);
	add_for_both(suite, more_parts_than_the_system_takes_are_a_short_write);
	add_for_both(suite, peer_that_closes_is_noticed_when_reading);
	add_for_both(suite, peer_that_closes_is_noticed_when_writing);
	support_add(suite, reset_by_the_peer_is_a_closed_connection);
	add_for_both(suite, never_uses_a_foreign_descriptor);
	add_for_both(suite, reading_spares_a_foreign_descriptor);
	add_for_both(suite, no_child_program_inherits_it);
	add_for_both(suite, a_copy_in_other_hands_does_not_keep_it_open);
	support_add(suite, can_be_opened_again);
	return support_run(suite);
}
