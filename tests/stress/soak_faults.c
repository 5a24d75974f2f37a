/* SPDX-License-Identifier: Apache-2.0 */
/*
 * soak_faults.c: see soak.h. What may happen, drawn at random.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/compiler.h"
#include "soak.h"

static void
replace_tap(struct soak *soak, int sink)
{
	static const uint32_t timeouts_ms[] = { 0, 100, 3000 };

	soak_sink_stop(soak, sink, timeouts_ms[soak_draw(soak, 3)]);
	pthread_rwlock_wrlock(&soak->load.gate);
	soak_sink_close(soak, sink);
	soak_sink_open(soak, sink);
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

	soak_set_text(options, "types", types[soak_draw(soak, 8) % 5 % 4]);
	soak_set_number(options, "sample-one-in", soak_draw(soak, 3) ? 1 : 10);
	soak_set_text(options, "identity",
		      soak_draw(soak, 2) ? "ns1.example" : "");
	soak_set_text(options, "extra", soak_draw(soak, 2) ? "region=eu" : "");
	soak_set_text(options, "loss-report",
		      soak_draw(soak, 2) ? "yes" : "no");
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

	soak_reader_start(soak, sink, good);
}

static void
start_bad_reader(struct soak *soak, int sink)
{
	static const char *const bad[][SOAK_READER_OPTIONS * 2 + 1] = {
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

	soak_reader_start(soak, sink,
			  bad[soak_draw(soak, DTAP__COUNT_OF(bad))]);
}

/* The disk is filled by a file outside of the directory, or emptied again. */
static void
fill_or_empty_disk(struct soak *soak, int sink)
{
	static const uint8_t octets[4096];
	int fd;

	(void)sink;
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
	{ "reader killed", TO_SOCKETS, soak_reader_kill },
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

static const struct fault *
draw_fault(struct soak *soak)
{
	const struct fault *fault;

	do
		fault = &faults[soak_draw(soak, DTAP__COUNT_OF(faults))];
	while (fault->make == fill_or_empty_disk && !soak->has_disk);
	return fault;
}

void
soak_make_fault(struct soak *soak)
{
	const struct fault *fault = draw_fault(soak);
	int sink;

	do
		sink = (int)soak_draw(soak, SOAK_SINKS);
	while (fault->sinks != 0 && !(fault->sinks >> sink & 1));
	soak_say(soak, fault->sinks == 0 ? "all" : soak_sink_names[sink],
		 fault->what);
	fault->make(soak, sink);
	soak->faults++;
}

void
soak_mend(struct soak *soak)
{
	if (soak->filled)
		fill_or_empty_disk(soak, SOAK_FILE);
	if (soak->moved)
		move_directory(soak, SOAK_FILE);
	restart_reader(soak, SOAK_UNIX);
	restart_reader(soak, SOAK_TCP);
}
