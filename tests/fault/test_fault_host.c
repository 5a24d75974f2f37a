/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tap in a process that is rude to it:
 *
 *   F13 no descriptors are left     F26 signals without end
 *   F23 fork() after start          F34 the caller's thread is special
 *   F25 all descriptors are closed
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rig.h"
#include "support/sanitized.h"
#include "support/scratch.h"
#include "support/support.h"
#include "support/taps.h"

#define HASTE "reconnect-min-ms=10", "reconnect-max-ms=40"
#define BIG_RING "ring-bytes=16M"

static const char *const hasty[] = { HASTE, BIG_RING, NULL };

#define DESCRIPTORS_MAX 64

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void
note_open(bool *open)
{
	for (int fd = 0; fd < DESCRIPTORS_MAX; fd++)
		open[fd] = is_open(fd);
}

/* A descriptor of the host where one of the tap's was. */
struct foreign {
	int fd;
	int other_end;
};

/* Closes what was not open before; puts something else in its place. */
static int
take_over(const bool *open_before, struct foreign *foreign)
{
	int count = 0;

	for (int fd = 0; fd < DESCRIPTORS_MAX; fd++) {
		int ends[2];

		if (open_before[fd] || !is_open(fd))
			continue;
		ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
		/* Far away, so that it is not taken for the tap's. */
		foreign[count].other_end = fcntl(ends[0], F_DUPFD, 500);
		foreign[count].fd = fd;
		ck_assert_int_eq(dup2(ends[1], fd), fd);
		close(ends[0]);
		close(ends[1]);
		ck_assert_int_eq(write(foreign[count].other_end, "hands off",
				       9), 9);
		count++;
	}
	return count;
}

/* Nobody has read from the descriptor, written to it, or closed it. */
static void
expect_untouched(const struct foreign *foreign)
{
	char octets[64];

	ck_assert_int_eq(recv(foreign->other_end, octets, sizeof(octets),
			      MSG_DONTWAIT), -1);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_eq(recv(foreign->fd, octets, sizeof(octets),
			      MSG_DONTWAIT), 9);
	ck_assert_mem_eq(octets, "hands off", 9);
}

START_TEST(a_host_that_closes_everything_and_opens_its_own) /* F25 */
{
	static const char *const good[] = { NULL };
	struct foreign foreign[DESCRIPTORS_MAX];
	bool open_before[DESCRIPTORS_MAX];
	struct rig_reader reader = { .pid = 0 };
	struct rig_source source;
	struct dtap_stats stats;
	struct audit audit;
	int count;
	dtap *tap;

	scratch_enter();
	rig_start_peer(&reader, (enum rig_scheme)_i, good);
	note_open(open_before);
	tap = taps_start(reader.uri, hasty);
	rig_source_open(&source, tap, 0, 200);
	rig_submit_many(&source, 100);
	rig_until(taps_stats(tap).written == 100);
	count = take_over(open_before, foreign);
	ck_assert_int_ge(count, 1);

	rig_submit_many(&source, 100);
	rig_until(taps_stats(tap).written == 200);
	ck_assert_int_eq(dtap_reopen(tap), DTAP_OK);
	rig_until(taps_stats(tap).rotations == 1);
	rig_expect_rest("descriptors taken over");
	stats = rig_finish(&tap, 10000, NULL);
	dtap_producer_close(&source.producer);
	ck_assert_uint_eq(stats.written, 200);
	ck_assert_uint_eq(stats.broken_sessions, 1);
	for (int i = 0; i < count; i++)
		expect_untouched(&foreign[i]);
	rig_audit(&audit, "got", &stats);
	ck_assert_uint_eq(audit.frames, 200);
	rig_kill(reader.pid, SIGKILL);
	scratch_leave();
}
END_TEST

START_TEST(a_host_that_closes_everything) /* F25 */
{
	bool open_before[DESCRIPTORS_MAX];
	struct rig_reader reader = { .pid = 0 };
	struct rig_source source;
	struct dtap_stats stats;
	struct audit audit;
	dtap *tap;

	scratch_enter();
	rig_start_peer(&reader, (enum rig_scheme)_i, NULL);
	note_open(open_before);
	tap = taps_start(reader.uri, hasty);
	rig_source_open(&source, tap, 0, 200);
	rig_submit_many(&source, 100);
	rig_until(taps_stats(tap).written == 100 && rig_writer() != 0);
	/* Not by close(): ThreadSanitizer rightly objects to the fault. */
	for (int fd = 0; fd < DESCRIPTORS_MAX; fd++)
		if (!open_before[fd])
			syscall(SYS_close, fd);
	rig_expect_rest("descriptors closed");
	rig_submit_many(&source, 100);
	rig_until(taps_stats(tap).written == 200);
	stats = rig_finish(&tap, 10000, NULL);
	dtap_producer_close(&source.producer);
	rig_audit(&audit, "got", &stats);
	ck_assert_uint_eq(audit.frames, 200);
	rig_kill(reader.pid, SIGKILL);
	scratch_leave();
}
END_TEST

START_TEST(a_host_without_descriptors) /* F13 */
{
	static const char *const leaver[] = { "--read", "20000", "--then",
					      "close", "--faulty", "1", NULL };
	struct rig_reader reader = { .pid = 0 };
	struct rlimit all, none;
	struct rig_source source;
	struct dtap_stats stats;
	enum dtap_result result;
	struct audit audit;
	dtap *tap;

	scratch_enter();
	rig_start_peer(&reader, (enum rig_scheme)_i, leaver);
	tap = taps_start(reader.uri, hasty);
	rig_source_open(&source, tap, 0, 500);
	rig_until(taps_stats(tap).connected == 1 && rig_writer() != 0);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &all), 0);
	none = all;
	none.rlim_cur = 3;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);

	rig_submit_many(&source, 200);
	rig_until(taps_stats(tap).open_failures >= 4);
	ck_assert_int_eq(taps_stats(tap).last_errno, EMFILE);
	rig_submit_many(&source, 10);
	rig_expect_rest("no descriptors");
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &all), 0);
	rig_until(taps_stats(tap).written == 210);
	stats = rig_finish(&tap, 10000, &result);
	ck_assert_int_eq(result, DTAP_OK);
	dtap_producer_close(&source.producer);
	rig_audit(&audit, "got", &stats);
	ck_assert_uint_eq(audit.frames + audit.missing, 210);
	ck_assert_uint_ge(stats.confirmed, 10);
	rig_kill(reader.pid, SIGKILL);
	scratch_leave();
}
END_TEST

START_TEST(a_host_without_descriptors_for_a_file) /* F13 */
{
	struct rlimit all, none;
	struct rig_source source;
	struct dtap_stats stats;
	enum dtap_result result;
	struct audit audit;
	dtap *tap;

	scratch_enter();
	ck_assert_int_eq(mkdir("d", 0700), 0);
	tap = taps_start("file:d/x", hasty);
	rig_source_open(&source, tap, 0, 500);
	rig_until(taps_stats(tap).connected == 1 && rig_writer() != 0);
	rig_submit_many(&source, 100);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &all), 0);
	none = all;
	none.rlim_cur = 3;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	ck_assert_int_eq(dtap_reopen(tap), DTAP_OK);
	rig_until(taps_stats(tap).open_failures >= 4);
	ck_assert_int_eq(taps_stats(tap).last_errno, EMFILE);
	rig_submit_many(&source, 100);
	rig_expect_rest("no descriptors for a file");
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &all), 0);
	rig_until(taps_stats(tap).written == 200);
	stats = rig_finish(&tap, 10000, &result);
	ck_assert_int_eq(result, DTAP_OK);
	dtap_producer_close(&source.producer);
	ck_assert_uint_eq(rig_audit_files(&audit, "d", NULL, &stats), 2);
	ck_assert_uint_eq(audit.frames, 200);
	ck_assert_uint_eq(audit.stops, 2);
	scratch_leave();
}
END_TEST

/* A child of the tap's process that uses it, and then lives on. */
static pid_t
fork_a_user(struct rig_source *source, dtap *tap)
{
	int ends[2];
	char done;
	pid_t child;

	ck_assert_int_eq(pipe(ends), 0);
	child = rig_fork();
	if (child == 0) {
		bool refused = true;

		for (int i = 0; i < 1000; i++)
			refused &= rig_submit(source) == DTAP_E_FORK;
		refused &= dtap_reopen(tap) == DTAP_E_FORK;
		refused &= dtap_stop(tap, 1000) == DTAP_E_FORK;
		dtap_producer_close(&source->producer);
		dtap_close(&tap);
		if (write(ends[1], refused ? "y" : "n", 1) == 1)
			pause();
		_exit(EXIT_FAILURE);
	}
	ck_assert_int_eq(read(ends[0], &done, 1), 1);
	ck_assert_int_eq(done, 'y');
	close(ends[0]);
	close(ends[1]);
	return child;
}

START_TEST(a_child_that_lives_on_holds_no_connection_open) /* F23 */
{
	static const char *const quiet[] = { "--quiet", NULL };
	static const char *const options[] = { HASTE, BIG_RING,
					       "bidirectional=no", NULL };
	struct rig_reader reader = { .pid = 0 };
	struct rig_source source;
	struct dtap_stats stats;
	struct audit audit;
	pid_t child;
	dtap *tap;

	scratch_enter();
	rig_start_peer(&reader, (enum rig_scheme)_i, quiet);
	tap = taps_start(reader.uri, options);
	rig_source_open(&source, tap, 0, 200);
	rig_submit_many(&source, 100);
	rig_until(taps_stats(tap).written == 100);
	child = fork_a_user(&source, tap);
	ck_assert_int_eq(dtap_reopen(tap), DTAP_OK);
	rig_until(scratch_exists("got.1.end"));
	rig_submit_many(&source, 100);
	stats = rig_finish(&tap, 10000, NULL);
	dtap_producer_close(&source.producer);
	rig_until(scratch_exists("got.2.end"));
	rig_audit(&audit, "got", &stats);
	ck_assert_uint_eq(audit.frames, 200);
	ck_assert_uint_eq(audit.missing, 0);
	ck_assert_uint_eq(audit.stops, 2);
	rig_kill(child, SIGKILL);
	rig_kill(reader.pid, SIGKILL);
	scratch_leave();
}
END_TEST

/* Producers that come and go until they are ended. */
struct churn {
	dtap *tap;
	pthread_t thread;
	dtap__atomic(bool) ending;
};

static void *
churn_main(void *argument)
{
	struct churn *churn = argument;

	while (!dtap__load_relaxed(&churn->ending)) {
		struct dtap_event event = taps_event(1);
		dtap_producer *producer;

		if (dtap_producer_open(churn->tap, &producer) != DTAP_OK)
			break;
		dtap_submit(producer, &event);
		dtap_producer_close(&producer);
	}
	return NULL;
}

/* The parent's tap can be asked, and one of its own lives a whole life. */
static int
live_as_child(dtap *parents)
{
	struct dtap_stats stats = DTAP_STATS_INIT;
	struct dtap_event event = taps_event(1);
	dtap_options *options = dtap_options_new();
	dtap *tap;
	bool good;

	alarm(20);
	good = dtap_stats_get(parents, &stats) == DTAP_OK &&
	       dtap_options_set(options, "output", "file:child") == DTAP_OK &&
	       dtap_options_set(options, "latency-ms", "1") == DTAP_OK &&
	       dtap_open(options, &tap) == DTAP_OK &&
	       dtap_start(tap) == DTAP_OK &&
	       dtap_submit(dtap_thread_producer(tap), &event) == DTAP_OK &&
	       dtap_reconfigure(tap, options) == DTAP_OK &&
	       dtap_submit(dtap_thread_producer(tap), &event) == DTAP_OK &&
	       dtap_stop(tap, 10000) == DTAP_OK;
	if (good)
		dtap_close(&tap);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

START_TEST(a_fork_at_any_moment) /* F23 */
{
	static const char *const options[] = { "ring-bytes=64K",
					       "latency-ms=1", NULL };
	unsigned int forks = 200 * support_factor();
	struct churn churn[2];
	dtap *tap;

	scratch_enter();
	tap = taps_start("file:x", options);
	for (int i = 0; i < 2; i++) {
		churn[i].tap = tap;
		dtap__store_relaxed(&churn[i].ending, false);
		ck_assert_int_eq(pthread_create(&churn[i].thread, NULL,
						churn_main, &churn[i]), 0);
	}
	while (forks-- > 0) {
		pid_t child = rig_fork();
		int status;

		if (child == 0)
			_exit(live_as_child(tap));
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		ck_assert_msg(status == 0, "%u to go: %s", forks,
			      WIFSIGNALED(status) ? "the child hangs"
						  : "a call failed");
	}
	for (int i = 0; i < 2; i++) {
		dtap__store_relaxed(&churn[i].ending, true);
		pthread_join(churn[i].thread, NULL);
	}
	rig_finish(&tap, 10000, NULL);
	scratch_leave();
}
END_TEST

static volatile sig_atomic_t signals_seen;

static void
on_signal(int number)
{
	(void)number;
	signals_seen = 1;
}

/* Halts this process and lets it go on, often, from outside. */
static void
be_halted(unsigned int times)
{
	pid_t victim = getpid();
	pid_t child = rig_fork();

	if (child == 0) {
		while (times-- > 0) {
			kill(victim, SIGSTOP);
			rig_nap_ms(1);
			kill(victim, SIGCONT);
			rig_nap_ms(1);
		}
		_exit(EXIT_SUCCESS);
	}
	while (waitpid(child, NULL, 0) != child)
		ck_assert_int_eq(errno, EINTR);
}

START_TEST(signals_during_a_blocked_write) /* F26 */
{
	static const char *const options[] = { "ring-bytes=1M", NULL };
	struct sigaction action = { .sa_handler = on_signal };
	struct rig_reader reader = { .pid = 0 };
	struct rig_source source;
	struct dtap_stats stats;
	enum dtap_result result;
	struct audit audit;
	pid_t writer;
	dtap *tap;

	scratch_enter();
	rig_start_peer(&reader, (enum rig_scheme)_i, NULL);
	sigaction(SIGUSR1, &action, NULL);
	tap = taps_start(reader.uri, options);
	rig_source_open(&source, tap, 0, 4000);
	rig_until(taps_stats(tap).connected == 1);
	writer = rig_writer();
	ck_assert_int_eq(kill(-reader.pid, SIGSTOP), 0);
	rig_submit_until_stuck(&source, tap);
	for (int i = 0; i < 50000; i++) {
		ck_assert_int_eq(kill(getpid(), SIGUSR1), 0);
		ck_assert_int_eq(syscall(SYS_tgkill, getpid(), writer,
					 SIGUSR1), 0);
	}
	ck_assert_int_eq(signals_seen, 1);
	be_halted(20);
	ck_assert_int_eq(kill(-reader.pid, SIGCONT), 0);
	stats = rig_finish(&tap, 20000, &result);
	dtap_producer_close(&source.producer);
	ck_assert_int_eq(result, DTAP_OK);
	ck_assert_uint_eq(stats.sessions, 1);
	rig_audit(&audit, "got", &stats);
	ck_assert_uint_eq(audit.frames, stats.written);
	ck_assert_uint_eq(audit.stops, 1);
	rig_kill(reader.pid, SIGKILL);
	scratch_leave();
}
END_TEST

static void *
start_tap(void *argument)
{
	struct sched_param first = { .sched_priority = 1 };
	cpu_set_t *one = argument;
	dtap *tap;

	ck_assert_int_eq(sched_setaffinity(0, sizeof(*one), one), 0);
	if (sched_setscheduler(0, SCHED_FIFO, &first) != 0)
		printf("not tested without CAP_SYS_NICE: SCHED_FIFO\n");
	tap = taps_start("file:x.fstrm", NULL);
	rig_until(rig_writer() != 0);
	return tap;
}

START_TEST(the_writer_is_an_ordinary_thread) /* F34 */
{
	cpu_set_t process, one, writers;
	pthread_t starter;
	void *started;
	dtap *tap;

	scratch_enter();
	ck_assert_int_eq(sched_getaffinity(0, sizeof(process), &process), 0);
	CPU_ZERO(&one);
	for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++)
		if (CPU_ISSET(i, &process))
			CPU_SET(i, &one);
	if (CPU_EQUAL(&one, &process))
		printf("not tested with one processor: affinity\n");
	ck_assert_int_eq(pthread_create(&starter, NULL, start_tap, &one), 0);
	ck_assert_int_eq(pthread_join(starter, &started), 0);
	tap = started;
	ck_assert_int_eq(sched_getscheduler(rig_writer()), SCHED_OTHER);
	ck_assert_int_eq(sched_getaffinity(rig_writer(), sizeof(writers),
					   &writers), 0);
	ck_assert(CPU_EQUAL(&writers, &process));
	rig_finish(&tap, 1000, NULL);
	scratch_leave();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("fault_host");
	TCase *tests = tcase_create("host");

	rig_init();
	tcase_set_timeout(tests, 120.0 * support_factor());
	tcase_add_loop_test(tests,
			    a_host_that_closes_everything_and_opens_its_own, 0,
			    RIG_SCHEMES);
	tcase_add_loop_test(tests, a_host_that_closes_everything, 0,
			    RIG_SCHEMES);
	tcase_add_loop_test(tests, a_host_without_descriptors, 0, RIG_SCHEMES);
	tcase_add_test(tests, a_host_without_descriptors_for_a_file);
	tcase_add_loop_test(tests,
			    a_child_that_lives_on_holds_no_connection_open, 0,
			    RIG_SCHEMES);
	if (SANITIZED)
		puts("not tested with sanitizers: F23, a fork at any moment");
	else
		tcase_add_test(tests, a_fork_at_any_moment);
	tcase_add_loop_test(tests, signals_during_a_blocked_write, 0,
			    RIG_SCHEMES);
	tcase_add_test(tests, the_writer_is_an_ordinary_thread);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
