/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outputs.h: what the tests of all outputs do with one, and the listeners
 * that sockets connect to.
 */
#ifndef DTAP_TESTS_OUTPUTS_H
#define DTAP_TESTS_OUTPUTS_H

#include <netinet/in.h>

#include "output/output.h"

/* Opens as the writer does: polls while it is under way. */
enum dtap_result
outputs_open(struct dtap__output *output);

/* Waits for events of poll(); the test fails when none comes. */
void
outputs_wait(struct dtap__output *output, short events);

/* One write of the whole text. */
enum dtap_result
outputs_write(struct dtap__output *output, const char *text, size_t *taken);

/* The test fails unless open fails with just this errno and error text. */
void
outputs_expect_refused(struct dtap__output *output, int error,
		       const char *text);

/* Listening sockets; the address gets a free port on the loopback. */
int
outputs_listen_unix(const char *path, int backlog);

int
outputs_listen_tcp(struct sockaddr_in *address, int backlog);

/* An output to the address, with a user timeout of 10 s. */
struct dtap__output *
outputs_new_tcp(const struct sockaddr_in *address);

/* An output into a file of mode 0640 that is never due. */
struct dtap__output *
outputs_new_file(const char *path);

/* The same, opened. */
struct dtap__output *
outputs_open_file(const char *path);

/* One write, which has to take the whole text. */
void
outputs_write_all(struct dtap__output *output, const char *text);

/* The same with a mark behind it. */
void
outputs_write_frame(struct dtap__output *output, const char *text);

#endif
