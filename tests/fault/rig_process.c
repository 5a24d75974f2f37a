/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rig_process.c: see rig.h. Readers and other children, and what the system
 * says of this process and its threads.
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

int
rig_end(pid_t pid)
{
	int status;

	ck_assert_int_eq(kill(pid, SIGTERM), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status), "killed by signal %d",
		      WTERMSIG(status));
	return WEXITSTATUS(status);
}

void
rig_await(pid_t child)
{
	int status;

	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
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

void
rig_await_gone(pid_t thread)
{
	rig_until(syscall(SYS_tgkill, getpid(), thread, 0) != 0);
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
