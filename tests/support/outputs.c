/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outputs.c: see outputs.h.
 */
#include "support/outputs.h"

#include <check.h>
#include <poll.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/ports.h"

/* Long enough for a SYN to be sent once more, and only spent on failure. */
#define PATIENCE_MS 30000

void
outputs_wait(struct dtap__output *output, short events)
{
	struct pollfd one = {output->ops->get_fd(output), events, 0};

	ck_assert_int_ge(one.fd, 0);
	ck_assert_int_eq(poll(&one, 1, PATIENCE_MS), 1);
}

enum dtap_result
outputs_open(struct dtap__output *output)
{
	enum dtap_result result;

	while ((result = output->ops->open(output)) == DTAP_AGAIN)
		outputs_wait(output, POLLOUT);
	return result;
}

enum dtap_result
outputs_write(struct dtap__output *output, const char *text, size_t *taken)
{
	struct iovec part = {(char *)(uintptr_t)text, strlen(text)};

	return output->ops->write(output, &part, 1, taken);
}

void
outputs_expect_refused(struct dtap__output *output, int error, const char *text)
{
	ck_assert_int_eq(outputs_open(output), DTAP_E_SYSTEM);
	ck_assert_int_eq(output->system_errno, error);
	ck_assert_str_eq(output->error, text);
	ck_assert_int_eq(output->ops->get_fd(output), -1);
}

int
outputs_listen_unix(const char *path, int backlog)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_uint_lt(strlen(path), sizeof(address.sun_path));
	strcpy(address.sun_path, path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)),
			 0);
	ck_assert_int_eq(listen(fd, backlog), 0);
	return fd;
}

int
outputs_listen_tcp(struct sockaddr_in *address, int backlog)
{
	int fd;

	*address = (struct sockaddr_in){.sin_family = AF_INET};
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = ports_listen((struct sockaddr *)address, sizeof(*address),
			  backlog);
	ck_assert_int_ge(fd, 0);
	return fd;
}

struct dtap__output *
outputs_new_tcp(const struct sockaddr_in *address)
{
	return dtap__output_tcp_new((const struct sockaddr *)address,
				    sizeof(*address), 10000);
}

struct dtap__output *
outputs_new_file(const char *path)
{
	struct dtap__output *output = dtap__output_file_new(path, 0640, 0, 0);

	ck_assert_ptr_nonnull(output);
	return output;
}

struct dtap__output *
outputs_open_file(const char *path)
{
	struct dtap__output *output = outputs_new_file(path);
	enum dtap_result result = output->ops->open(output);

	ck_assert_msg(result == DTAP_OK, "%s", output->error);
	return output;
}

void
outputs_write_all(struct dtap__output *output, const char *text)
{
	size_t taken;

	ck_assert_int_eq(outputs_write(output, text, &taken), DTAP_OK);
	ck_assert_uint_eq(taken, strlen(text));
}

void
outputs_write_frame(struct dtap__output *output, const char *text)
{
	outputs_write_all(output, text);
	output->ops->mark(output, 0);
}
