/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rig.c: see rig.h.
 */
#include "rig.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/taps.h"

/* Only exceeded when something hangs, however busy the machine. */
#define RIG_STOP_ROOM_MS 5000
/* A writer with nothing to do may use this share of a processor. */
#define RIG_REST_PERCENT 10
#define RIG_REST_MS 200

static char rig_build[PATH_MAX];

void
rig_init(void)
{
	if (getcwd(rig_build, sizeof(rig_build)) != NULL)
		return;
	perror("getcwd");
	exit(EXIT_FAILURE);
}

unsigned int
rig_factor(void)
{
	const char *text = getenv("DTAP_STRESS_FACTOR");

	return text != NULL && atoi(text) > 0 ? (unsigned int)atoi(text) : 1;
}

void
rig_nap_us(unsigned int us)
{
	struct timespec nap = { us / 1000000, (long)(us % 1000000) * 1000 };

	nanosleep(&nap, NULL);
}

void
rig_nap_ms(unsigned int ms)
{
	rig_nap_us(ms * 1000);
}

/* splitmix64 */
uint64_t
rig_random(uint64_t *state)
{
	uint64_t value = *state += UINT64_C(0x9e3779b97f4a7c15);

	value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
	return value ^ value >> 31;
}

uint64_t
rig_seed(void)
{
	const char *text = getenv("DTAP_STRESS_SEED");
	uint64_t seed = (uint64_t)time(NULL) ^ rig_clock_ms() << 32;

	if (text != NULL)
		seed = strtoull(text, NULL, 10);
	else
		seed = rig_random(&seed) >> 1;
	printf("DTAP_STRESS_SEED=%" PRIu64 "\n", seed);
	fflush(stdout);
	return seed;
}

uint64_t
rig_clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

pid_t
rig_fork(void)
{
	pid_t child = fork();

	if (child == 0) {
		/* No ck_assert(): another thread may have had its lock. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		return 0;
	}
	ck_assert_int_gt(child, 0);
	return child;
}

/* In the child: becomes the program, with its output in fd if that is one. */
static void
rig_become(const char *const *arguments, int fd)
{
	sigset_t none;

	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (fd >= 0)
		dup2(fd, STDOUT_FILENO);
	execvp(arguments[0], (char *const *)(uintptr_t)arguments);
	perror(arguments[0]);
	_exit(127);
}

pid_t
rig_spawn(const char *const *arguments)
{
	pid_t pid = rig_fork();

	if (pid == 0)
		rig_become(arguments, -1);
	return pid;
}

void
rig_start_peer(struct rig_reader *reader, enum rig_scheme scheme,
	       const char *const *arguments)
{
	const char *words[32] = { NULL, "--record", "got" };
	char program[PATH_MAX + 32];
	char line[64] = "unix:sock";
	int count = 3;
	int ends[2];
	FILE *output;

	snprintf(program, sizeof(program), "%s/tests/fault/fault_peer",
		 rig_build);
	words[0] = program;
	for (; arguments != NULL && *arguments != NULL; arguments++)
		words[count++] = *arguments;
	if (scheme == RIG_TCP)
		snprintf(line, sizeof(line), "tcp:%u", reader->port);
	words[count] = line;

	ck_assert_int_eq(pipe(ends), 0);
	reader->pid = rig_fork();
	if (reader->pid == 0)
		rig_become(words, ends[1]);
	close(ends[1]);
	output = fdopen(ends[0], "r");
	ck_assert_ptr_nonnull(fgets(line, sizeof(line), output));
	ck_assert_int_eq(sscanf(line, "ready %u", &reader->port), 1);
	fclose(output);
	strcpy(reader->uri, "unix:sock");
	if (scheme == RIG_TCP)
		snprintf(reader->uri, sizeof(reader->uri), "tcp:127.0.0.1:%u",
			 reader->port);
}

void
rig_kill(pid_t pid, int signal)
{
	ck_assert_int_eq(kill(pid, signal), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

/* The word of a /proc file that follows the last ')': the third of stat. */
bool
rig_is_in_state(pid_t pid, char state)
{
	char path[64];
	char text[512];
	const char *at;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "r");
	if (file == NULL)
		return false;
	at = fgets(text, sizeof(text), file) == NULL ? NULL
						     : strrchr(text, ')');
	fclose(file);
	return at != NULL && at[2] == state;
}

void
rig_source_init(struct rig_source *source, unsigned int thread, size_t bytes)
{
	static const uint8_t client[4] = { 192, 0, 2, 1 };

	memset(source, 0, sizeof(*source));
	gen_message_init(&source->message, thread);
	source->bytes = bytes;
	source->event = (struct dtap_event)DTAP_EVENT_INIT;
	source->event.type = DTAP_CLIENT_QUERY;
	source->event.socket_family = DTAP_INET;
	source->event.socket_protocol = DTAP_UDP;
	source->event.query_address = client;
	source->event.query_address_bytes = 4;
	source->event.query_time_sec = 1700000000;
	source->event.query_message = source->message.octets;
}

void
rig_source_open(struct rig_source *source, dtap *tap, unsigned int thread,
		size_t bytes)
{
	rig_source_init(source, thread, bytes);
	ck_assert_int_eq(dtap_producer_open(tap, &source->producer), DTAP_OK);
}

enum dtap_result
rig_submit(struct rig_source *source)
{
	gen_message_make(&source->message, DTAP_CLIENT_QUERY,
			 source->sequence++, source->bytes);
	source->event.query_message_bytes = (uint32_t)source->message.bytes;
	return dtap_submit(source->producer, &source->event);
}

void
rig_submit_many(struct rig_source *source, uint64_t events)
{
	while (events-- > 0)
		rig_submit(source);
}

void
rig_submit_until_stuck(struct rig_source *source, dtap *tap)
{
	struct dtap_stats before = taps_stats(tap);
	unsigned int still = 0;

	while (still < 20) {
		struct dtap_stats now;

		rig_submit_many(source, 50);
		rig_nap_ms(5);
		now = taps_stats(tap);
		still = now.written == before.written &&
					now.dropped_full > before.dropped_full
				? still + 1
				: 0;
		before = now;
	}
}

static void *
rig_load_main(void *argument)
{
	struct rig_load *load = argument;

	while (!dtap__load_relaxed(&load->ending)) {
		rig_submit_many(&load->source, load->burst);
		rig_nap_ms(1);
	}
	return NULL;
}

void
rig_load_start(struct rig_load *load, dtap *tap, unsigned int thread,
	       size_t bytes, unsigned int burst)
{
	rig_source_open(&load->source, tap, thread, bytes);
	load->burst = burst;
	dtap__store_relaxed(&load->ending, false);
	ck_assert_int_eq(pthread_create(&load->thread, NULL, rig_load_main,
					load), 0);
}

uint64_t
rig_load_end(struct rig_load *load)
{
	dtap__store_relaxed(&load->ending, true);
	ck_assert_int_eq(pthread_join(load->thread, NULL), 0);
	return load->source.sequence;
}

/* Whether the thread of this process that has the number is the writer. */
static bool
rig_is_writer(const char *number)
{
	char path[300];
	char name[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%s/comm", number);
	file = fopen(path, "r");
	if (file == NULL)
		return false;
	if (fgets(name, sizeof(name), file) == NULL)
		name[0] = '\0';
	fclose(file);
	return strcmp(name, "dtap-writer\n") == 0;
}

pid_t
rig_writer(void)
{
	static pid_t found;
	struct dirent *entry;
	DIR *tasks;

	/* Remembered, because it takes descriptors to find it. */
	if (found != 0 && syscall(SYS_tgkill, getpid(), found, 0) == 0)
		return found;
	found = 0;
	tasks = opendir("/proc/self/task");
	ck_assert_ptr_nonnull(tasks);
	while ((entry = readdir(tasks)) != NULL)
		if (rig_is_writer(entry->d_name))
			found = (pid_t)atoi(entry->d_name);
	closedir(tasks);
	return found;
}

/* Nanoseconds that a thread of this process has run. */
static uint64_t
rig_processor_ns(pid_t thread)
{
	/* As pthread_getcpuclockid() has it: see clock_getres(2). */
	clockid_t clock = (clockid_t)(~(unsigned int)thread << 3 | 6);
	struct timespec ran;

	ck_assert_int_eq(clock_gettime(clock, &ran), 0);
	return (uint64_t)ran.tv_sec * 1000000000 + (uint64_t)ran.tv_nsec;
}

void
rig_expect_rest(const char *when)
{
	pid_t writer = rig_writer();
	uint64_t before_ns = rig_processor_ns(writer);
	uint64_t start_ms = rig_clock_ms();
	uint64_t used_us;
	uint64_t ms;

	rig_nap_ms(RIG_REST_MS);
	used_us = (rig_processor_ns(writer) - before_ns) / 1000;
	ms = rig_clock_ms() - start_ms;
	printf("%s: the writer ran %" PRIu64 " us in %" PRIu64 " ms\n", when,
	       used_us, ms);
	ck_assert_msg(used_us <= ms * 1000 * RIG_REST_PERCENT / 100,
		      "%s: the writer spins", when);
}

static bool
rig_put_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool good = fd >= 0 &&
		    write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return good;
}

bool
rig_enter_own(int name_spaces)
{
	char users[64], groups[64];

	snprintf(users, sizeof(users), "0 %u 1", getuid());
	snprintf(groups, sizeof(groups), "0 %u 1", getgid());
	return unshare(name_spaces) == 0 ||
	       (unshare(CLONE_NEWUSER | name_spaces) == 0 &&
		rig_put_text("/proc/self/setgroups", "deny") &&
		rig_put_text("/proc/self/uid_map", users) &&
		rig_put_text("/proc/self/gid_map", groups));
}

bool
rig_mount_disk(const char *path, const char *size)
{
	return mkdir(path, 0700) == 0 && rig_enter_own(CLONE_NEWNS) &&
	       mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("tmpfs", path, "tmpfs", 0, size) == 0;
}

void
rig_unmount_disk(const char *path)
{
	umount2(path, MNT_DETACH);
}

unsigned int
rig_count_entries(const char *path)
{
	DIR *directory = opendir(path);
	unsigned int entries = 0;

	ck_assert_ptr_nonnull(directory);
	while (readdir(directory) != NULL)
		entries++;
	closedir(directory);
	return entries;
}

unsigned int
rig_resident_kib(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	unsigned int pages;

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fscanf(file, "%*u %u", &pages), 1);
	fclose(file);
	return pages * (unsigned int)(sysconf(_SC_PAGESIZE) / 1024);
}

struct dtap_stats
rig_finish(dtap **tap, uint32_t timeout_ms, enum dtap_result *result)
{
	uint64_t start_ms = rig_clock_ms();
	enum dtap_result stopped = dtap_stop(*tap, timeout_ms);
	uint64_t ms = rig_clock_ms() - start_ms;
	struct dtap_stats stats = taps_stats(*tap);

	printf("stop(%u ms): %s after %" PRIu64 " ms\n", timeout_ms,
	       dtap_result_text(stopped), ms);
	ck_assert_uint_lt(ms, timeout_ms + RIG_STOP_ROOM_MS);
	ck_assert_msg(dtap_stats_balanced(&stats), "the ledger is off");
	ck_assert_uint_eq(stats.in_ring, 0);
	if (result != NULL)
		*result = stopped;
	dtap_close(tap);
	return stats;
}

/* What must hold when all streams have been added. */
static void
rig_judge(struct audit *audit, const struct dtap_stats *stats)
{
	audit_end(audit);
	ck_assert_uint_eq(audit->repeated, 0);
	ck_assert_uint_le(audit->frames, stats->written);
	ck_assert_uint_ge(audit->frames, stats->confirmed);
}

void
rig_audit(struct audit *audit, const char *prefix,
	  const struct dtap_stats *stats)
{
	char path[PATH_MAX];

	memset(audit, 0, sizeof(*audit));
	for (unsigned int number = 1;; number++) {
		snprintf(path, sizeof(path), "%s.%u", prefix, number);
		if (access(path, F_OK) != 0)
			break;
		ck_assert_msg(audit_add(audit, path), "%s", audit->error);
	}
	rig_judge(audit, stats);
}

unsigned int
rig_audit_files(struct audit *audit, const char *directory, const char *but,
		const struct dtap_stats *stats)
{
	DIR *files = opendir(directory);
	struct dirent *entry;
	unsigned int count = 0;
	char path[PATH_MAX];

	memset(audit, 0, sizeof(*audit));
	ck_assert_ptr_nonnull(files);
	while ((entry = readdir(files)) != NULL) {
		if (entry->d_type != DT_REG ||
		    (but != NULL && strcmp(entry->d_name, but) == 0))
			continue;
		snprintf(path, sizeof(path), "%s/%s", directory,
			 entry->d_name);
		ck_assert_msg(audit_add(audit, path), "%s", audit->error);
		count++;
	}
	closedir(files);
	rig_judge(audit, stats);
	return count;
}

static void
rig_on_log(void *user, enum dtap_log_level level, const char *text)
{
	struct rig_log *log = user;
	unsigned int lines = dtap__load_relaxed(&log->lines);

	if (level > DTAP_LOG_WARNING)
		return;
	if (lines < RIG_LOG_LINES)
		snprintf(log->text[lines], sizeof(log->text[lines]), "%s",
			 text);
	/* Pairs with the acquire in rig_last_line(). */
	dtap__store_release(&log->lines, lines + 1);
}

const char *
rig_last_line(const struct rig_log *log)
{
	/* Pairs with the release in rig_on_log(). */
	unsigned int lines = dtap__load_acquire(&log->lines);

	if (lines == 0)
		return "";
	return log->text[(lines < RIG_LOG_LINES ? lines : RIG_LOG_LINES) - 1];
}

dtap *
rig_open_logging(const char *output, const char *const *more,
		 struct rig_log *log)
{
	dtap_options *options = dtap_options_new();
	dtap *tap;

	dtap__store_relaxed(&log->lines, 0);
	ck_assert_int_eq(dtap_options_set(options, "output", output), DTAP_OK);
	for (; more != NULL && *more != NULL; more++) {
		const char *equals = strchr(*more, '=');
		char name[64];

		snprintf(name, sizeof(name), "%.*s", (int)(equals - *more),
			 *more);
		ck_assert_int_eq(dtap_options_set(options, name, equals + 1),
				 DTAP_OK);
	}
	dtap_options_set_log(options, rig_on_log, log);
	ck_assert_int_eq(dtap_open(options, &tap), DTAP_OK);
	dtap_options_free(&options);
	return tap;
}

dtap *
rig_start_logging(const char *output, const char *const *more,
		  struct rig_log *log)
{
	dtap *tap = rig_open_logging(output, more, log);

	ck_assert_int_eq(dtap_start(tap), DTAP_OK);
	return tap;
}

void
rig_await(pid_t child)
{
	int status;

	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}
