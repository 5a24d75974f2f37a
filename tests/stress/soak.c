/* SPDX-License-Identifier: Apache-2.0 */
/*
 * soak.c: everything at once, for as long as one likes (R19).
 *
 *	soak [seconds]
 *
 * Three taps, into a file, a Unix and a TCP socket, under the load of threads
 * that come and go. Every few seconds something happens to one of them, or to
 * the process, drawn at random from a seed that is printed first. Every minute
 * all threads are held for a moment, and each ledger must agree with what the
 * threads know of their events; again when a tap is stopped, and at the end.
 * All files are read as they are finished: they must hold the frames that
 * were written, no more and no fewer.
 *
 * The file's disk is a small one of its own, that can be filled, where the
 * system lets us have one.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rig.h"
#include "soak_load.h"
#include "support/report.h"
#include "support/sanitized.h"
#include "support/scratch.h"
#include "support/support.h"
#include "support/taps.h"

#define SECONDS_DEFAULT 20
#define TICK_MS 20
#define CHECKS_PER_RUN 5
#define CHECK_SECONDS_MAX 60
#define DISK "size=64m"
/* From the first look on: arenas of threads, and what a burst may need. */
#define GROWTH_KIB_MAX (32 * 1024)

enum { SOAK_FILE, SOAK_UNIX, SOAK_TCP };

static const char *const sink_names[SOAK_SINKS] = { "file", "unix", "tcp" };

static unsigned int soak_seconds = SECONDS_DEFAULT;

struct soak {
	uint64_t random;
	uint64_t start_ms, end_ms, check_ms, fault_ms; /* when next */
	struct soak_load load;
	dtap_options *options[SOAK_SINKS];
	struct rig_reader readers[SOAK_SINKS]; /* pid 0: none */
	bool has_disk;
	bool filled;   /* the disk */
	bool moved;    /* the directory, away */
	unsigned int checks, faults;
	uint64_t events;	 /* of taps that have been closed */
	uint64_t frames_written; /* to files, by taps that have been closed */
	uint64_t frames_read;	 /* from files */
	unsigned int resident_kib; /* at the first look */
};

static uint64_t
draw(struct soak *soak, uint64_t below)
{
	return rig_random(&soak->random) % below;
}

static void
say(const struct soak *soak, const char *sink, const char *what)
{
	uint64_t ms = rig_clock_ms() - soak->start_ms;

	printf("%4" PRIu64 ".%02" PRIu64 " s  %-5s %s\n", ms / 1000,
	       ms % 1000 / 10, sink, what);
	fflush(stdout);
}

/* Whole frames in a file, each of which is a message. */
static uint64_t
count_frames(const uint8_t *octets, size_t bytes)
{
	enum dtap_result result = DTAP_OK;
	struct dtap_frame frame;
	dtap_reader *reader;
	uint64_t frames = 0;
	size_t consumed;

	ck_assert_int_eq(dtap_reader_open(NULL, &reader), DTAP_OK);
	while (result == DTAP_OK) {
		struct dtap_message message = DTAP_MESSAGE_INIT;

		result = dtap_reader_next(reader, octets, bytes, &consumed,
					  &frame);
		octets += consumed;
		bytes -= consumed;
		if (result != DTAP_OK || frame.kind != DTAP_FRAME_DATA)
			continue;
		ck_assert_int_eq(dtap_message_decode(frame.data, frame.bytes,
						     &message), DTAP_OK);
		frames++;
	}
	/* It may lack its STOP, but never a part of a frame. */
	result = dtap_reader_finish(reader, bytes);
	ck_assert_msg(result == DTAP_OK || result == DTAP_E_TRUNCATED, "%s",
		      dtap_reader_error(reader));
	ck_assert_uint_eq(bytes, 0);
	dtap_reader_close(&reader);
	return frames;
}

/* Reads a file that is finished, and removes it. */
static void
collect(struct soak *soak, const char *path)
{
	int fd = open(path, O_RDONLY);
	struct stat status;
	void *octets;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fstat(fd, &status), 0);
	if (status.st_size > 0) {
		octets = mmap(NULL, (size_t)status.st_size, PROT_READ,
			      MAP_SHARED, fd, 0);
		ck_assert_ptr_ne(octets, MAP_FAILED);
		soak->frames_read +=
			count_frames(octets, (size_t)status.st_size);
		munmap(octets, (size_t)status.st_size);
	}
	close(fd);
	ck_assert_int_eq(unlink(path), 0);
}

/* All files that have been moved aside; with "x", the last one, too. */
static void
collect_all(struct soak *soak, bool with_last)
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *files;

	if (soak->filled || soak->moved)
		return;
	files = opendir("disk/d");
	ck_assert_ptr_nonnull(files);
	while ((entry = readdir(files)) != NULL) {
		if (entry->d_name[0] == '.' ||
		    (!with_last && strcmp(entry->d_name, "x") == 0))
			continue;
		snprintf(path, sizeof(path), "disk/d/%s", entry->d_name);
		collect(soak, path);
	}
	closedir(files);
}

static void
reader_kill(struct soak *soak, int sink)
{
	struct rig_reader *reader = &soak->readers[sink];

	if (reader->pid == 0)
		return;
	kill(-reader->pid, SIGKILL);
	while (waitpid(reader->pid, NULL, 0) < 0)
		ck_assert_int_eq(errno, EINTR);
	reader->pid = 0;
}

/* Options of fault_peer; the first is none. */
#define READER_OPTIONS 3

static void
reader_start(struct soak *soak, int sink, const char *const *options)
{
	const char *words[READER_OPTIONS * 2 + 3] = { "--record", "" };

	for (int i = 0; options[i] != NULL; i++)
		words[i + 2] = options[i];
	reader_kill(soak, sink);
	rig_start_peer(&soak->readers[sink],
		       sink == SOAK_UNIX ? RIG_UNIX : RIG_TCP, words);
}

static void
set_number(dtap_options *options, const char *name, uint64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	ck_assert_msg(dtap_options_set(options, name, text) == DTAP_OK, "%s",
		      dtap_options_error(options));
}

static void
set_text(dtap_options *options, const char *name, const char *text)
{
	ck_assert_msg(dtap_options_set(options, name, text) == DTAP_OK, "%s",
		      dtap_options_error(options));
}

/* A new tap for a sink, with options of its own. */
static void
sink_open(struct soak *soak, int number)
{
	static const char *const layouts[] = { "auto", "mirrored", "wrap" };
	struct soak_sink *sink = &soak->load.sinks[number];
	dtap_options *options = dtap_options_new();
	uint64_t ring_bytes = UINT64_C(65536) << draw(soak, 5);

	set_text(options, "output", number == SOAK_FILE
					    ? "file:disk/d/x"
					    : soak->readers[number].uri);
	set_number(options, "ring-bytes", ring_bytes);
	/* For some threads, and sometimes not for all. */
	set_number(options, "ring-memory-bytes",
		   ring_bytes * 2 * (1 + draw(soak, 8)));
	set_text(options, "ring-layout", layouts[draw(soak, 3)]);
	set_number(options, "latency-ms", 1 + draw(soak, 100));
	set_number(options, "connect-timeout-ms", 200);
	set_number(options, "handshake-timeout-ms", 200);
	set_number(options, "write-timeout-ms", 100 + draw(soak, 3000));
	set_number(options, "reconnect-min-ms", 10);
	set_number(options, "reconnect-max-ms", 10 + draw(soak, 200));
	set_text(options, "bidirectional", draw(soak, 4) ? "yes" : "no");
	if (number == SOAK_FILE)
		set_number(options, "rotate-bytes", 65536 << draw(soak, 6));
	ck_assert_int_eq(dtap_open(options, &sink->tap), DTAP_OK);
	ck_assert_int_eq(dtap_start(sink->tap), DTAP_OK);
	soak->options[number] = options;
	sink->generation++;
	for (int fate = 0; fate < SOAK_FATES; fate++)
		dtap__store_relaxed(&sink->counts[fate], 0);
}

/* After its stop, with the gate held for writing. */
static void
sink_close(struct soak *soak, int number)
{
	struct soak_sink *sink = &soak->load.sinks[number];

	soak->events += soak_load_compare(sink);
	if (number == SOAK_FILE)
		soak->frames_written += taps_stats(sink->tap).written;
	dtap_close(&sink->tap);
	dtap_options_free(&soak->options[number]);
}

/* With threads that go on submitting. */
static void
sink_stop(struct soak *soak, int number, uint32_t timeout_ms)
{
	dtap *tap = soak->load.sinks[number].tap;
	enum dtap_result result = dtap_stop(tap, timeout_ms);

	ck_assert_msg(result == DTAP_OK || result == DTAP_E_TIMEOUT, "%s",
		      dtap_result_name(result));
	say(soak, sink_names[number], result == DTAP_OK ? "stopped: done"
							: "stopped: timeout");
	/* Only a writer that was left behind keeps anything in a ring. */
	rig_until(taps_stats(tap).in_ring == 0);
}

static void
replace_tap(struct soak *soak, int sink)
{
	static const uint32_t timeouts_ms[] = { 0, 100, 3000 };

	sink_stop(soak, sink, timeouts_ms[draw(soak, 3)]);
	pthread_rwlock_wrlock(&soak->load.gate);
	sink_close(soak, sink);
	sink_open(soak, sink);
	pthread_rwlock_unlock(&soak->load.gate);
	soak->checks++;
}

static void
reopen_output(struct soak *soak, int sink)
{
	ck_assert_int_eq(dtap_reopen(soak->load.sinks[sink].tap), DTAP_OK);
}

static void
reconfigure(struct soak *soak, int sink)
{
	static const char *const types[] = { "all", "none", "CQ,CR", "AQ" };
	dtap_options *options = soak->options[sink];

	set_text(options, "types", types[draw(soak, 8) % 5 % 4]);
	set_number(options, "sample-one-in", draw(soak, 3) ? 1 : 10);
	set_text(options, "identity", draw(soak, 2) ? "ns1.example" : "");
	set_text(options, "extra", draw(soak, 2) ? "region=eu" : "");
	set_text(options, "loss-report", draw(soak, 2) ? "yes" : "no");
	ck_assert_int_eq(dtap_reconfigure(soak->load.sinks[sink].tap, options),
			 DTAP_OK);
}

static void
stop_reader(struct soak *soak, int sink)
{
	if (soak->readers[sink].pid != 0)
		kill(-soak->readers[sink].pid, SIGSTOP);
}

static void
continue_reader(struct soak *soak, int sink)
{
	if (soak->readers[sink].pid != 0)
		kill(-soak->readers[sink].pid, SIGCONT);
}

static void
restart_reader(struct soak *soak, int sink)
{
	static const char *const good[] = { NULL };

	reader_start(soak, sink, good);
}

static void
start_bad_reader(struct soak *soak, int sink)
{
	static const char *const bad[][READER_OPTIONS * 2 + 1] = {
		{ "--answer", "garbage" },
		{ "--answer", "never" },
		{ "--finish", "never" },
		{ "--finish", "early" },
		{ "--read", "100000", "--then", "reset" },
		{ "--read", "5000", "--then", "close" },
		{ "--read", "1000000", "--then", "mute" },
		{ "--rate", "200000" },
		{ "--deaf" },
	};

	reader_start(soak, sink, bad[draw(soak, DTAP__COUNT_OF(bad))]);
}

/* The disk is filled by a file outside of the directory, or emptied again. */
static void
fill_or_empty_disk(struct soak *soak, int sink)
{
	static const uint8_t octets[4096];
	int fd;

	(void)sink;
	if (!soak->has_disk)
		return;
	if (soak->filled) {
		ck_assert_int_eq(unlink("disk/filler"), 0);
		soak->filled = false;
		return;
	}
	fd = open("disk/filler", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ck_assert_int_ge(fd, 0);
	while (write(fd, octets, sizeof(octets)) > 0)
		;
	close(fd);
	soak->filled = true;
}

static void
move_directory(struct soak *soak, int sink)
{
	const char *from = soak->moved ? "disk/away" : "disk/d";
	const char *to = soak->moved ? "disk/d" : "disk/away";

	(void)sink;
	ck_assert_int_eq(rename(from, to), 0);
	soak->moved = !soak->moved;
}

static void
on_signal(int number)
{
	(void)number;
}

static void
send_signals(struct soak *soak, int sink)
{
	(void)soak;
	(void)sink;
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(kill(getpid(), SIGUSR1), 0);
}

/* Halts this process and lets it go on, from outside. */
static void
be_halted(struct soak *soak, int sink)
{
	pid_t victim = getpid();
	pid_t child = rig_fork();

	(void)soak;
	(void)sink;
	if (child == 0) {
		for (int i = 0; i < 20; i++) {
			kill(victim, SIGSTOP);
			rig_nap_ms(5);
			kill(victim, SIGCONT);
			rig_nap_ms(5);
		}
		_exit(EXIT_SUCCESS);
	}
	while (waitpid(child, NULL, 0) != child)
		ck_assert_int_eq(errno, EINTR);
}

/* What may happen, to which sinks: one bit each; 0: to the process. */
#define TO_FILE (1 << SOAK_FILE)
#define TO_SOCKETS (1 << SOAK_UNIX | 1 << SOAK_TCP)
#define TO_ALL (TO_FILE | TO_SOCKETS)

static const struct fault {
	const char *what;
	unsigned int sinks;
	void (*make)(struct soak *soak, int sink);
} faults[] = {
	{ "reader stopped", TO_SOCKETS, stop_reader },
	{ "reader continued", TO_SOCKETS, continue_reader },
	{ "reader killed", TO_SOCKETS, reader_kill },
	{ "reader restarted", TO_SOCKETS, restart_reader },
	{ "reader restarted", TO_SOCKETS, restart_reader },
	{ "reader that misbehaves", TO_SOCKETS, start_bad_reader },
	{ "reopened", TO_ALL, reopen_output },
	{ "reconfigured", TO_ALL, reconfigure },
	{ "tap replaced", TO_ALL, replace_tap },
	{ "disk filled or emptied", TO_FILE, fill_or_empty_disk },
	{ "directory moved away or back", TO_FILE, move_directory },
	{ "signals", 0, send_signals },
	{ "process halted", 0, be_halted },
};

static void
make_fault(struct soak *soak)
{
	const struct fault *fault =
		&faults[draw(soak, DTAP__COUNT_OF(faults))];
	int sink;

	do
		sink = (int)draw(soak, SOAK_SINKS);
	while (fault->sinks != 0 && !(fault->sinks >> sink & 1));
	say(soak, fault->sinks == 0 ? "all" : sink_names[sink], fault->what);
	fault->make(soak, sink);
	soak->faults++;
}

/* Ledgers and counts, while all threads are held. */
static uint64_t
compare_all(struct soak *soak)
{
	uint64_t events = soak->events;

	pthread_rwlock_wrlock(&soak->load.gate);
	for (int sink = 0; sink < SOAK_SINKS; sink++)
		events += soak_load_compare(&soak->load.sinks[sink]);
	pthread_rwlock_unlock(&soak->load.gate);
	soak->checks++;
	return events;
}

static void
look(struct soak *soak)
{
	unsigned int kib = rig_resident_kib();
	uint64_t events = compare_all(soak);
	char text[160];

	snprintf(text, sizeof(text), "ledger exact: %" PRIu64 " events, %u KiB "
		 "resident, %u descriptors, %" PRIu64 " threads so far",
		 events, kib, rig_count_entries("/proc/self/fd") - 3,
		 soak->load.started);
	say(soak, "all", text);
	if (soak->resident_kib == 0)
		soak->resident_kib = kib;
	if (!SANITIZED)
		ck_assert_uint_le(kib, soak->resident_kib + GROWTH_KIB_MAX);
}

static unsigned int
check_interval_ms(void)
{
	unsigned int seconds = soak_seconds / CHECKS_PER_RUN;

	return 1000 * (seconds < 1 ? 1
			       : seconds > CHECK_SECONDS_MAX
				       ? CHECK_SECONDS_MAX
				       : seconds);
}

/* From one to ten seconds, ten times as often in a short run. */
static unsigned int
draw_rest_ms(struct soak *soak)
{
	unsigned int ms = 1000 + (unsigned int)draw(soak, 9000);

	return soak_seconds < CHECK_SECONDS_MAX ? ms / 10 : ms;
}

static void
run(struct soak *soak)
{
	for (;;) {
		uint64_t now_ms = rig_clock_ms();

		if (now_ms >= soak->end_ms)
			return;
		soak_load_tend(&soak->load, &soak->random);
		collect_all(soak, false);
		if (now_ms >= soak->fault_ms) {
			make_fault(soak);
			soak->fault_ms = rig_clock_ms() + draw_rest_ms(soak);
		}
		if (now_ms >= soak->check_ms) {
			look(soak);
			soak->check_ms += check_interval_ms();
		}
		rig_nap_ms(TICK_MS);
	}
}

static void
begin(struct soak *soak)
{
	static const char *const good[] = { NULL };
	struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGUSR1, &action, NULL);
	soak->random = rig_seed();
	soak->start_ms = rig_clock_ms();
	soak->end_ms = soak->start_ms + 1000 * (uint64_t)soak_seconds;
	soak->check_ms = soak->start_ms + check_interval_ms();
	soak->fault_ms = soak->start_ms + draw_rest_ms(soak);
	soak->has_disk = rig_mount_disk("disk", DISK);
	if (!soak->has_disk)
		puts("not tested, for nothing can be mounted: a full disk");
	ck_assert(mkdir("disk", 0700) == 0 || errno == EEXIST);
	ck_assert_int_eq(mkdir("disk/d", 0700), 0);
	reader_start(soak, SOAK_UNIX, good);
	reader_start(soak, SOAK_TCP, good);
	for (int sink = 0; sink < SOAK_SINKS; sink++)
		sink_open(soak, sink);
	soak_load_start(&soak->load, &soak->random);
}

/* All is well again, and what is left is delivered. */
static void
end(struct soak *soak)
{
	if (soak->filled)
		fill_or_empty_disk(soak, SOAK_FILE);
	if (soak->moved)
		move_directory(soak, SOAK_FILE);
	restart_reader(soak, SOAK_UNIX);
	restart_reader(soak, SOAK_TCP);
	soak_load_end(&soak->load);
	for (int sink = 0; sink < SOAK_SINKS; sink++) {
		sink_stop(soak, sink, 5000);
		sink_close(soak, sink);
	}
	soak->checks++;
	reader_kill(soak, SOAK_UNIX);
	reader_kill(soak, SOAK_TCP);
	collect_all(soak, true);
	ck_assert_uint_eq(soak->frames_read, soak->frames_written);
	ck_assert_uint_gt(soak->frames_read, 0);
}

START_TEST(random_load_and_random_trouble) /* R19 */
{
	static struct soak soak;
	unsigned int descriptors;
	char text[128];

	scratch_enter();
	descriptors = rig_count_entries("/proc/self/fd");
	begin(&soak);
	run(&soak);
	end(&soak);
	ck_assert_uint_eq(rig_count_entries("/proc/self/fd"), descriptors);
	ck_assert_uint_eq(rig_writer(), 0);
	snprintf(text, sizeof(text), "%u faults, %" PRIu64 " frames in files, "
		 "all read", soak.faults, soak.frames_read);
	say(&soak, "all", text);
	report_gate("R19", "%" PRIu64 " s, %" PRIu64 " events, ledger exact %u "
		    "times", (rig_clock_ms() - soak.start_ms) / 1000,
		    soak.events, soak.checks);
	rig_unmount_disk("disk");
	scratch_leave();
}
END_TEST

int
main(int argc, char **argv)
{
	Suite *suite = suite_create("soak");
	TCase *tests = tcase_create("soak");

	if (argc > 1)
		soak_seconds = (unsigned int)strtoul(argv[1], NULL, 10);
	if (argc > 2 || soak_seconds == 0) {
		fputs("usage: soak [seconds]\n", stderr);
		return EXIT_FAILURE;
	}
	rig_init();
	tcase_set_timeout(tests, soak_seconds + 120);
	tcase_add_test(tests, random_load_and_random_trouble);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
