/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small frames in large writes (F21): a socket accounts for each write with
 * much more than its octets, so that a thousand small ones fill it with a
 * fraction of what it takes at once. A backlog goes out in batches.
 *
 * The system calls are counted when this program is linked.
 */
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "support/outputs.h"
#include "support/report.h"
#include "support/scratch.h"
#include "support/support.h"
#include "support/taps.h"

#define EVENTS 10000
#define BATCH_BYTES_MIN 16384

ssize_t
__real_writev(int fd, const struct iovec *parts, int count);
ssize_t
__wrap_writev(int fd, const struct iovec *parts, int count);
ssize_t
__real_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t
__wrap_sendmsg(int fd, const struct msghdr *message, int flags);

/* Writes that took something; the writer's thread alone until it is gone. */
static uint64_t writes;

ssize_t
__wrap_writev(int fd, const struct iovec *parts, int count)
{
	ssize_t taken = __real_writev(fd, parts, count);

	writes += taken > 0;
	return taken;
}

ssize_t
__wrap_sendmsg(int fd, const struct msghdr *message, int flags)
{
	ssize_t taken = __real_sendmsg(fd, message, flags);

	writes += taken > 0;
	return taken;
}

static void *
read_all(void *listener)
{
	int fd = accept(*(int *)listener, NULL, NULL);
	static char octets[262144];

	ck_assert_int_ge(fd, 0);
	while (read(fd, octets, sizeof(octets)) > 0)
		continue;
	close(fd);
	return NULL;
}

/* Returns the octets that were written. */
static uint64_t
deliver_backlog(const char *uri)
{
	static const char *const options[] = { "bidirectional=no",
					       "ring-bytes=4M", NULL };
	dtap *tap = taps_open(uri, options);
	dtap_producer *producer;
	struct dtap_stats stats;

	writes = 0;
	ck_assert_int_eq(dtap_producer_open(tap, &producer), DTAP_OK);
	for (uint32_t i = 0; i < EVENTS; i++) {
		struct dtap_event event = taps_event(i);

		ck_assert_int_eq(dtap_submit(producer, &event), DTAP_OK);
	}
	ck_assert_int_eq(dtap_start(tap), DTAP_OK);
	ck_assert_int_eq(dtap_stop(tap, 20000), DTAP_OK);
	stats = taps_stats(tap);
	dtap_producer_close(&producer);
	dtap_close(&tap);
	ck_assert_uint_eq(stats.written, EVENTS);
	ck_assert_uint_ge(stats.written_bytes, writes * BATCH_BYTES_MIN);
	return stats.written_bytes;
}

static void
report_backlog(const char *sink, uint64_t bytes)
{
	report_fault("F21", sink, "%d frames in %" PRIu64 " writes, of %" PRIu64
		     " octets each", EVENTS, writes, bytes / writes);
}

START_TEST(a_backlog_goes_in_large_writes) /* F21 */
{
	struct sockaddr_in address;
	char uri[64] = "unix:sock";
	pthread_t reader;
	uint64_t bytes;
	int listener;

	scratch_enter();
	if (_i == 0) {
		bytes = deliver_backlog("file:x");
		scratch_leave();
		report_backlog("file", bytes);
		return;
	}
	if (_i == 1) {
		listener = outputs_listen_unix("sock", 1);
	} else {
		listener = outputs_listen_tcp(&address, 1);
		snprintf(uri, sizeof(uri), "tcp:127.0.0.1:%u",
			 ntohs(address.sin_port));
	}
	ck_assert_int_eq(pthread_create(&reader, NULL, read_all, &listener),
			 0);
	bytes = deliver_backlog(uri);
	ck_assert_int_eq(pthread_join(reader, NULL), 0);
	close(listener);
	scratch_leave();
	report_backlog(_i == 1 ? "unix" : "tcp", bytes);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("fault_batches");
	TCase *tests = tcase_create("batches");

	tcase_set_timeout(tests, 120);
	tcase_add_loop_test(tests, a_backlog_goes_in_large_writes, 0, 3);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
