/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tap in the life of a daemon, from its start as root to its end:
 *
 *   F07 chroot and setuid after open, and a place it may not enter
 *   F33 privileges that were dropped before start
 *   F35 a writer that hardly gets the processor
 *   F47 dlclose(), and exit() while the tap runs
 */
#include <dlfcn.h>
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rig.h"
#include "support/outputs.h"
#include "support/report.h"
#include "support/sanitized.h"
#include "support/scratch.h"
#include "support/support.h"
#include "support/taps.h"

#define HASTE "reconnect-min-ms=10", "reconnect-max-ms=40"
#define NOBODY 65534

static char built[PATH_MAX]; /* where programs and libraries are built */

static void
become_nobody(void)
{
	ck_assert_int_eq(setgroups(0, NULL), 0);
	ck_assert_int_eq(setgid(NOBODY), 0);
	ck_assert_int_eq(setuid(NOBODY), 0);
}

/* Opens as root, starts as nobody below a new root. */
static void
live_in_a_chroot(const char *uri, int told)
{
	/* What ends in a listener's queue needs no reader. */
	static const char *const options[] = { HASTE, "bidirectional=no",
					       NULL };
	static struct rig_log log;
	struct rig_source source;
	enum dtap_result result;
	struct dtap_stats stats;
	dtap *tap;

	tap = rig_open_logging(uri, options, &log);
	ck_assert_int_eq(chroot("."), 0);
	ck_assert_int_eq(chdir("/"), 0);
	become_nobody();
	ck_assert_int_eq(dtap_start(tap), DTAP_OK);
	rig_source_open(&source, tap, 0, 100);
	rig_submit_many(&source, 10);
	rig_until(taps_stats(tap).open_failures >= 5);
	ck_assert_int_eq(taps_stats(tap).last_errno, EACCES);
	ck_assert_uint_eq(dtap__load_relaxed(&log.lines), 1);
	ck_assert_ptr_nonnull(strstr(rig_last_line(&log), "/private/x"));
	ck_assert_ptr_nonnull(strstr(rig_last_line(&log), strerror(EACCES)));
	ck_assert_int_eq(write(told, "", 1), 1);
	rig_until(taps_stats(tap).written == 10);
	stats = rig_finish(&tap, 10000, &result);
	dtap_producer_close(&source.producer);
	ck_assert_int_eq(result, DTAP_OK);
	ck_assert_uint_eq(stats.written, 10);
}

START_TEST(a_place_that_may_not_be_entered) /* F07 */
{
	static const char *const uris[] = { "file:/private/x",
					    "unix:/private/x" };
	int listener = -1;
	int ends[2];
	pid_t child;
	char octet;

	scratch_enter();
	/* Root may have a umask that lets nobody in. */
	ck_assert_int_eq(chmod(".", 0755), 0);
	ck_assert_int_eq(mkdir("private", 0700), 0);
	if (_i == 1) {
		listener = outputs_listen_unix("private/x", 1);
		ck_assert_int_eq(chmod("private/x", 0666), 0);
	}
	ck_assert_int_eq(pipe(ends), 0);
	child = rig_fork();
	if (child == 0) {
		live_in_a_chroot(uris[_i], ends[1]);
		_exit(0);
	}
	close(ends[1]);
	ck_assert_int_eq(read(ends[0], &octet, 1), 1);
	ck_assert_int_eq(chown("private", NOBODY, NOBODY), 0);
	rig_await(child);
	if (_i == 0)
		ck_assert_uint_eq(taps_read("private/x", NULL, NULL), 10);
	else
		close(listener);
	close(ends[0]);
	scratch_leave();
}
END_TEST

/* Lines of /proc/self/task/N/status that tell what the thread may do. */
static void
read_privileges(const char *thread, char *lines, size_t bytes)
{
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%s/status", thread);
	file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	lines[0] = '\0';
	while (fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, "Cap", 3) == 0 ||
		    strncmp(line, "Uid", 3) == 0 ||
		    strncmp(line, "Gid", 3) == 0)
			strncat(lines, line, bytes - strlen(lines) - 1);
	fclose(file);
}

START_TEST(the_writer_has_no_more_rights_than_the_server) /* F33 */
{
	char ours[2048], writers[2048], number[16];
	pid_t child;
	dtap *tap;

	scratch_enter();
	ck_assert_int_eq(chmod(".", 0777), 0);
	child = rig_fork();
	if (child == 0) {
		tap = taps_open("file:x", NULL);
		become_nobody();
		ck_assert_int_eq(dtap_start(tap), DTAP_OK);
		rig_until(rig_writer() != 0);
		snprintf(number, sizeof(number), "%d", getpid());
		read_privileges(number, ours, sizeof(ours));
		snprintf(number, sizeof(number), "%d", rig_writer());
		read_privileges(number, writers, sizeof(writers));
		ck_assert_ptr_nonnull(
			strstr(ours, "CapEff:\t0000000000000000"));
		ck_assert_str_eq(writers, ours);
		rig_finish(&tap, 1000, NULL);
		_exit(0);
	}
	rig_await(child);
	scratch_leave();
}
END_TEST

static void *
keep_busy(void *ending)
{
	while (!dtap__load_relaxed((dtap__atomic(bool) *)ending))
		continue;
	return NULL;
}

/* Last in line behind more busy threads than there are processors. */
START_TEST(a_writer_that_hardly_runs) /* F35 */
{
	static const char *const options[] = { "ring-bytes=1M", NULL };
	static dtap__atomic(bool) ending;
	unsigned int busy = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN) + 1;
	pthread_t threads[65];
	struct dtap_stats stats;
	enum dtap_result result;
	struct rig_load load;
	struct audit audit;
	uint64_t submitted;
	dtap *tap;

	scratch_enter();
	ck_assert_int_eq(mkdir("d", 0700), 0);
	tap = taps_start("file:d/x", options);
	rig_until(rig_writer() != 0);
	ck_assert_int_eq(setpriority(PRIO_PROCESS, (id_t)rig_writer(), 19), 0);
	busy = busy < 65 ? busy : 65;
	for (unsigned int i = 0; i < busy; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, keep_busy,
						&ending), 0);
	rig_load_start(&load, tap, 0, 200, 100);
	/* In turns, for each of which there is time enough. */
	for (uint64_t turn = 1; turn <= support_factor(); turn++)
		rig_until(taps_stats(tap).submitted >= turn * 40000);
	submitted = rig_load_end(&load);
	dtap__store_relaxed(&ending, true);
	for (unsigned int i = 0; i < busy; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	stats = rig_finish(&tap, 10000, &result);
	dtap_producer_close(&load.source.producer);
	ck_assert_int_eq(result, DTAP_OK);
	ck_assert_uint_eq(stats.written + stats.dropped_full, submitted);
	ck_assert_uint_eq(rig_audit_files(&audit, "d", NULL, &stats), 1);
	ck_assert_uint_eq(audit.frames, stats.written);
	/* Of those behind the last that was written nothing is seen. */
	ck_assert_uint_le(audit.missing, stats.dropped_full);
	scratch_leave();
	report_fault("F35", "file", "%llu of %llu events dropped, all counted",
		     (unsigned long long)stats.dropped_full,
		     (unsigned long long)submitted);
}
END_TEST

/* Unloadings, and exits. */
#define ENDS 20

/* What a plugin calls, found by name. */
struct plugin {
	void *library;
	dtap_options *(*options_new)(void);
	enum dtap_result (*options_set)(dtap_options *options,
					const char *name, const char *value);
	void (*options_free)(dtap_options **options);
	enum dtap_result (*open)(dtap_options *options, dtap **tap);
	enum dtap_result (*start)(dtap *tap);
	dtap_producer *(*thread_producer)(dtap *tap);
	enum dtap_result (*submit)(dtap_producer *producer,
				   const struct dtap_event *event);
	enum dtap_result (*stop)(dtap *tap, uint32_t timeout_ms);
	void (*close)(dtap **tap);
};

static void
find(void *library, const char *name, void *function)
{
	void *found = dlsym(library, name);

	ck_assert_msg(found != NULL, "%s", name);
	memcpy(function, &found, sizeof(found));
}

static void
plugin_load(struct plugin *plugin)
{
	char path[PATH_MAX + 32];

	snprintf(path, sizeof(path), "%s/.libs/libdtap.so.0", built);
	plugin->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	ck_assert_msg(plugin->library != NULL, "%s", dlerror());
	find(plugin->library, "dtap_options_new", &plugin->options_new);
	find(plugin->library, "dtap_options_set", &plugin->options_set);
	find(plugin->library, "dtap_options_free", &plugin->options_free);
	find(plugin->library, "dtap_open", &plugin->open);
	find(plugin->library, "dtap_start", &plugin->start);
	find(plugin->library, "dtap_thread_producer",
	     &plugin->thread_producer);
	find(plugin->library, "dtap_submit", &plugin->submit);
	find(plugin->library, "dtap_stop", &plugin->stop);
	find(plugin->library, "dtap_close", &plugin->close);
}

struct plugin_life {
	struct plugin plugin;
	dtap *tap;
	pthread_barrier_t barrier;
};

static void *
use_plugin(void *argument)
{
	struct plugin_life *life = argument;
	struct dtap_event event = taps_event(1);
	dtap_producer *producer = life->plugin.thread_producer(life->tap);

	ck_assert_int_eq(life->plugin.submit(producer, &event), DTAP_OK);
	pthread_barrier_wait(&life->barrier);
	/* Here the plugin is unloaded. This thread has yet to end. */
	pthread_barrier_wait(&life->barrier);
	return NULL;
}

static void
plugin_start(struct plugin_life *life, const char *output)
{
	struct plugin *plugin = &life->plugin;
	dtap_options *options;

	plugin_load(plugin);
	options = plugin->options_new();
	ck_assert_int_eq(plugin->options_set(options, "output", output),
			 DTAP_OK);
	ck_assert_int_eq(plugin->open(options, &life->tap), DTAP_OK);
	plugin->options_free(&options);
	ck_assert_int_eq(plugin->start(life->tap), DTAP_OK);
	ck_assert_int_eq(pthread_barrier_init(&life->barrier, NULL, 2), 0);
}

START_TEST(a_plugin_that_is_loaded_and_unloaded) /* F47 */
{
	struct plugin_life life;
	pthread_t thread;
	char output[32];

	scratch_enter();
	for (int i = 0; i < ENDS; i++) {
		snprintf(output, sizeof(output), "file:x.%d", i);
		plugin_start(&life, output);
		ck_assert_int_eq(pthread_create(&thread, NULL, use_plugin,
						&life), 0);
		pthread_barrier_wait(&life.barrier);
		ck_assert_int_eq(life.plugin.stop(life.tap, 5000), DTAP_OK);
		life.plugin.close(&life.tap);
		ck_assert_int_eq(dlclose(life.plugin.library), 0);
		pthread_barrier_wait(&life.barrier);
		ck_assert_int_eq(pthread_join(thread, NULL), 0);
		pthread_barrier_destroy(&life.barrier);
		ck_assert_uint_eq(taps_read(output + 5, NULL, NULL), 1);
	}
	scratch_leave();
	report_fault("F47", "any", "%d unloadings", ENDS);
}
END_TEST

static void *
submit_for_ever(void *argument)
{
	struct dtap_event event = taps_event(1);

	for (;;)
		dtap_submit(dtap_thread_producer(argument), &event);
	return NULL;
}

static void
exit_amid_a_load(void)
{
	dtap *tap = taps_start("file:x", NULL);
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, submit_for_ever, tap),
			 0);
	rig_until(taps_stats(tap).written > 0);
	exit(0);
}

START_TEST(exit_while_everything_runs) /* F47 */
{
	scratch_enter();
	fflush(stdout);
	for (int i = 0; i < ENDS; i++) {
		pid_t child = rig_fork();

		if (child == 0)
			exit_amid_a_load();
		rig_await(child);
	}
	scratch_leave();
	report_fault("F47", "any", "%d exits", ENDS);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("fault_process");
	TCase *tests = tcase_create("process");

	rig_init();
	if (getcwd(built, sizeof(built)) == NULL)
		return EXIT_FAILURE;
	tcase_set_timeout(tests, 120.0 * support_factor());
	if (geteuid() == 0) {
		tcase_add_loop_test(tests, a_place_that_may_not_be_entered, 0,
				    2);
		tcase_add_test(tests,
			       the_writer_has_no_more_rights_than_the_server);
	} else {
		puts("not tested without root: F07, F33");
	}
	tcase_add_test(tests, a_writer_that_hardly_runs);
	if (SANITIZED) {
		puts("not tested with sanitizers: F47");
	} else {
		tcase_add_test(tests, a_plugin_that_is_loaded_and_unloaded);
		tcase_add_test(tests, exit_while_everything_runs);
	}
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
