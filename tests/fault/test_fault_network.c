/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tap over a network that goes down (F03), in a network of the test's own:
 * no reset comes, no answer and no error, as when a cable is pulled out.
 */
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rig.h"
#include "support/scratch.h"
#include "support/support.h"
#include "support/taps.h"

#define HASTE "reconnect-min-ms=10", "reconnect-max-ms=40"

/* Turns the loopback interface on or off. */
static bool
switch_network(bool on)
{
	struct ifreq request = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	bool good;

	good = fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &request) == 0;
	if (on)
		request.ifr_flags |= IFF_UP;
	else
		request.ifr_flags &= (short)~IFF_UP;
	good = good && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
	close(fd);
	return good;
}

static bool
may_have_network(void)
{
	int status = -1;
	pid_t child = fork();

	if (child == 0)
		_exit(rig_enter_own(CLONE_NEWNET) && switch_network(true)
			      ? EXIT_SUCCESS
			      : EXIT_FAILURE);
	waitpid(child, &status, 0);
	return status == 0;
}

/* Which of the two notices: the library's patience, or the system's. */
static const char *const ways[][6] = {
	{ HASTE, "write-timeout-ms=300", "tcp-user-timeout-ms=600000",
	  "ring-bytes=64K", NULL },
	{ HASTE, "write-timeout-ms=600000", "tcp-user-timeout-ms=300",
	  "ring-bytes=64K", NULL },
};

START_TEST(a_network_that_goes_down_and_comes_back) /* F03 */
{
	struct rig_reader reader = { .pid = 0 };
	enum dtap_result result;
	struct dtap_stats stats;
	struct rig_load load;
	struct audit audit;
	uint64_t start_ms;
	uint64_t before;
	dtap *tap;

	scratch_enter();
	ck_assert(rig_enter_own(CLONE_NEWNET) && switch_network(true));
	rig_start_peer(&reader, RIG_TCP, NULL);
	tap = taps_start(reader.uri, ways[_i]);
	rig_load_start(&load, tap, 0, 1000, 5);
	rig_until(taps_stats(tap).written > 100);
	ck_assert(switch_network(false));
	start_ms = rig_clock_ms();
	rig_until(taps_stats(tap).broken_sessions == 1);
	printf("noticed after %llu ms\n",
	       (unsigned long long)(rig_clock_ms() - start_ms));
	ck_assert_int_eq(taps_stats(tap).last_errno, ETIMEDOUT);
	rig_until(taps_stats(tap).open_failures > 0);
	ck_assert(switch_network(true));
	before = taps_stats(tap).written;
	rig_until(taps_stats(tap).written > before + 100);
	rig_load_end(&load);
	stats = rig_finish(&tap, 10000, &result);
	dtap_producer_close(&load.source.producer);
	ck_assert_int_eq(result, DTAP_OK);
	ck_assert_uint_eq(stats.submitted, stats.written + stats.dropped_full);
	rig_audit(&audit, "got", &stats);
	rig_kill(reader.pid, SIGKILL);
	scratch_leave();
}
END_TEST

START_TEST(stop_while_the_network_is_down) /* F03, F30 */
{
	struct rig_reader reader = { .pid = 0 };
	enum dtap_result result;
	struct dtap_stats stats;
	struct rig_load load;
	struct audit audit;
	dtap *tap;

	scratch_enter();
	ck_assert(rig_enter_own(CLONE_NEWNET) && switch_network(true));
	rig_start_peer(&reader, RIG_TCP, NULL);
	tap = taps_start(reader.uri, NULL);
	rig_load_start(&load, tap, 0, 1000, 5);
	rig_until(taps_stats(tap).written > 100);
	ck_assert(switch_network(false));
	rig_load_end(&load);
	stats = rig_finish(&tap, 300, &result);
	dtap_producer_close(&load.source.producer);
	ck_assert_int_eq(result, DTAP_E_TIMEOUT);
	ck_assert_uint_eq(stats.confirmed, 0);
	rig_audit(&audit, "got", &stats);
	rig_kill(reader.pid, SIGKILL);
	scratch_leave();
}
END_TEST

int
main(void)
{
	Suite *suite;
	TCase *tests;

	if (!may_have_network()) {
		puts("SKIP: no network of our own is allowed here, neither as "
		     "root nor in a user name space");
		return 77;
	}
	rig_init();
	suite = suite_create("fault_network");
	tests = tcase_create("network");
	tcase_set_timeout(tests, 120);
	tcase_add_loop_test(tests, a_network_that_goes_down_and_comes_back, 0,
			    2);
	tcase_add_test(tests, stop_while_the_network_is_down);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
