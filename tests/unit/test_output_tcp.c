/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/outputs.h"
#include "support/support.h"

START_TEST(port_without_listener)
{
	struct sockaddr_in address;
	struct dtap__output *output;
	char text[128];

	close(outputs_listen_tcp(&address, 1));
	output = outputs_new_tcp(&address);
	snprintf(text, sizeof(text),
		 "127.0.0.1 port %u: cannot connect: Connection refused",
		 (unsigned int)ntohs(address.sin_port));
	outputs_expect_refused(output, ECONNREFUSED, text);
	outputs_expect_refused(output, ECONNREFUSED, text);
	output->ops->free(output);
}
END_TEST

START_TEST(names_version_6_addresses)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6,
				       .sin6_port = htons(6000)};
	struct dtap__output *output;
	size_t taken;

	inet_pton(AF_INET6, "2001:db8::1", &address.sin6_addr);
	output = dtap__output_tcp_new((struct sockaddr *)&address,
				      sizeof(address), 0);
	ck_assert_int_eq(outputs_write(output, "x", &taken), DTAP_E_CLOSED);
	ck_assert_str_eq(output->error,
			 "2001:db8::1 port 6000: its descriptor was closed "
			 "by the program: Bad file descriptor");
	output->ops->free(output);
}
END_TEST

START_TEST(address_of_no_known_family)
{
	struct sockaddr address = {.sa_family = AF_MAX};
	struct dtap__output *output =
		dtap__output_tcp_new(&address, sizeof(address), 0);

	outputs_expect_refused(output, EAFNOSUPPORT,
			       "? port 0: cannot make a socket: "
			       "Address family not supported by protocol");
	output->ops->free(output);
}
END_TEST

static int
get_option(int fd, int level, int name)
{
	int value = -1;
	socklen_t bytes = sizeof(value);

	ck_assert_int_eq(getsockopt(fd, level, name, &value, &bytes), 0);
	return value;
}

START_TEST(notices_dead_peers)
{
	struct sockaddr_in address;
	int listener = outputs_listen_tcp(&address, 1);
	struct dtap__output *output = outputs_new_tcp(&address);
	int fd;

	ck_assert_int_eq(outputs_open(output), DTAP_OK);
	fd = output->ops->get_fd(output);
	ck_assert_int_eq(get_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 10000);
	ck_assert_int_eq(get_option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
	ck_assert_int_eq(get_option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 10);
	ck_assert_int_eq(get_option(fd, IPPROTO_TCP, TCP_NODELAY), 1);
	output->ops->free(output);
	close(listener);
}
END_TEST

/* Fills a listener's queue, so that the next connection stays under way. */
static int
fill_queue(const struct sockaddr_in *address, struct dtap__output **outputs,
	   int most)
{
	for (int count = 0; count < most; count++) {
		struct pollfd one = {.events = POLLOUT};

		outputs[count] = outputs_new_tcp(address);
		ck_assert_int_eq(outputs[count]->ops->open(outputs[count]),
				 DTAP_AGAIN);
		one.fd = outputs[count]->ops->get_fd(outputs[count]);
		if (poll(&one, 1, 1000) == 0)
			return count + 1;
	}
	ck_abort_msg("the queue does not get full");
	return 0;
}

START_TEST(connection_under_way_is_not_ready)
{
	struct dtap__output *outputs[8];
	struct dtap__output *last;
	struct sockaddr_in address;
	int listener = outputs_listen_tcp(&address, 0);
	int count = fill_queue(&address, outputs, 8);
	int fd;

	last = outputs[count - 1];
	fd = last->ops->get_fd(last);
	ck_assert_int_eq(last->ops->open(last), DTAP_AGAIN);
	ck_assert_int_eq(last->ops->open(last), DTAP_AGAIN);
	ck_assert_int_eq(last->ops->get_fd(last), fd);
	for (int i = 0; i < count - 1; i++) {
		ck_assert_int_eq(outputs[i]->ops->open(outputs[i]), DTAP_OK);
		close(accept(listener, NULL, NULL));
	}
	ck_assert_int_eq(outputs_open(last), DTAP_OK);
	ck_assert_int_eq(last->ops->get_fd(last), fd);
	while (count-- > 0)
		outputs[count]->ops->free(outputs[count]);
	close(listener);
}
END_TEST

START_TEST(connection_under_way_can_be_given_up)
{
	struct dtap__output *outputs[8];
	struct dtap__output *last;
	struct sockaddr_in address;
	int listener = outputs_listen_tcp(&address, 0);
	int count = fill_queue(&address, outputs, 8);

	last = outputs[count - 1];
	last->ops->close(last);
	ck_assert_int_eq(last->ops->get_fd(last), -1);
	close(listener);
	/* A new attempt, and not a look at the old one. */
	ck_assert_int_eq(outputs_open(last), DTAP_E_SYSTEM);
	ck_assert_int_eq(last->system_errno, ECONNREFUSED);
	while (count-- > 0)
		outputs[count]->ops->free(outputs[count]);
}
END_TEST

START_TEST(connection_under_way_in_foreign_hands)
{
	struct sockaddr_in address;
	int listener = outputs_listen_tcp(&address, 1);
	struct dtap__output *output = outputs_new_tcp(&address);
	int fd;

	ck_assert_int_eq(output->ops->open(output), DTAP_AGAIN);
	fd = output->ops->get_fd(output);
	ck_assert_int_eq(dup2(STDIN_FILENO, fd), fd);
	ck_assert_int_eq(output->ops->open(output), DTAP_E_CLOSED);
	ck_assert_int_eq(output->ops->get_fd(output), -1);
	ck_assert_int_ge(fcntl(fd, F_GETFD), 0);
	ck_assert_int_eq(outputs_open(output), DTAP_OK);
	output->ops->free(output);
	close(listener);
}
END_TEST

/* A port of the kind that connections start from, and nobody listens on. */
static struct sockaddr_in
find_outgoing_port(void)
{
	struct linger hard = {1, 0};
	struct sockaddr_in address;
	socklen_t bytes = sizeof(address);
	struct sockaddr_in listening;
	int listener = outputs_listen_tcp(&listening, 1);
	struct dtap__output *output = outputs_new_tcp(&listening);
	int fd;

	ck_assert_int_eq(outputs_open(output), DTAP_OK);
	fd = output->ops->get_fd(output);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &bytes),
			 0);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	output->ops->free(output);
	close(listener);
	return address;
}

/*
 * Sooner or later the system picks the port that is called as the one to
 * call from.
 */
START_TEST(connection_to_itself_is_none)
{
	struct sockaddr_in address = find_outgoing_port();
	struct dtap__output *output = outputs_new_tcp(&address);
	bool met = false;

	for (int i = 0; !met && i < 200000; i++) {
		ck_assert_int_eq(outputs_open(output), DTAP_E_SYSTEM);
		ck_assert_int_eq(output->system_errno, ECONNREFUSED);
		met = strstr(output->error, "met only itself") != NULL;
	}
	ck_assert(met);
	output->ops->free(output);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("output_tcp");

	support_add(suite, port_without_listener);
	support_add(suite, names_version_6_addresses);
	support_add(suite, address_of_no_known_family);
	support_add(suite, notices_dead_peers);
	support_add(suite, connection_under_way_is_not_ready);
	support_add(suite, connection_under_way_can_be_given_up);
	support_add(suite, connection_under_way_in_foreign_hands);
	support_add(suite, connection_to_itself_is_none);
	return support_run(suite);
}
