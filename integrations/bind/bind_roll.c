/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bind_roll.c: see bind_roll.h.
 *
 * BIND keeps PATH.0, PATH.1 ... with the youngest first, or PATH.TIMESTAMP,
 * and as many of them as `versions` says. libdtap moves a file aside to the
 * next free number and keeps all. So the shim does it: a thread of its own,
 * which alone touches the file system, renames by isc_logfile_roll(), the
 * function that BIND itself rolls with, and then asks the writer to open the
 * file anew. In between the writer goes on in the renamed file. It finds no
 * file in its way and moves none aside.
 *
 * That BIND rolls in dns_dt_reopen() itself, while all of the server stands
 * still, is what this is to avoid. The size is watched by the same thread, ten
 * times a second, where BIND calls stat() for each message under a lock.
 *
 * Nothing is truncated. BIND empties a file that is still there at -reopen
 * and at the start of the server; here it becomes the first backup. An empty
 * one, as logrotate's `create` makes it, is removed.
 */
#include "bind_roll.h"

#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bind_host.h"

/* How often the size is looked at. */
#define ROLL_WATCH_MS 100
/* How long a new file may take before the next request is heard. */
#define ROLL_WAIT_MS 5000
#define ROLL_TICK_MS 10

#define ROLL_NS_PER_MS 1000000
#define ROLL_NS_PER_SEC 1000000000

/* None of the values that dns_dt_reopen() takes. */
#define ROLL_NOTHING INT_MIN

#pragma weak isc_logfile_roll

void
bind_roll_init(struct bind_roll *roll, const char *path)
{
	memset(roll, 0, sizeof(*roll));
	roll->path = path;
	roll->versions = ISC_LOG_ROLLINFINITE;
	roll->suffix = isc_log_rollsuffix_increment;
	sem_init(&roll->wake, 0, 0);
	atomic_init(&roll->order, ROLL_NOTHING);
	atomic_init(&roll->stopping, false);
}

void
bind_roll_setup(struct bind_roll *roll, uint64_t max_bytes, int versions,
		isc_log_rollsuffix_t suffix)
{
	roll->max_bytes = max_bytes;
	roll->versions = versions;
	roll->suffix = suffix;
}

/* Renames the file at the path to its first backup, and the others along. */
static void
roll_rename(const struct bind_roll *roll, int versions)
{
	isc_logfile_t file = {
		.name = roll->path,
		.versions = versions,
		.suffix = roll->suffix,
	};

	if (isc_logfile_roll(&file) != ISC_R_SUCCESS)
		bind_host_log(ISC_LOG_ERROR,
			      "libdtap-bind: '%s' cannot be rolled",
			      roll->path);
}

/* Frees the path of a file that is there; links and devices stay. */
static void
roll_aside(const struct bind_roll *roll, int versions)
{
	struct stat status;

	if (lstat(roll->path, &status) != 0 || !S_ISREG(status.st_mode))
		return;
	if (status.st_size == 0)
		unlink(roll->path);
	else
		roll_rename(roll, versions);
}

/* Until there is something to do, or the time is over. */
static void
roll_sleep(struct bind_roll *roll, long sleep_ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += sleep_ms * ROLL_NS_PER_MS;
	if (until.tv_nsec >= ROLL_NS_PER_SEC) {
		until.tv_nsec -= ROLL_NS_PER_SEC;
		until.tv_sec++;
	}
	(void)sem_clockwait(&roll->wake, CLOCK_MONOTONIC, &until);
}

/* An order that comes before the new file is there finds nothing to roll. */
static void
roll_await_file(struct bind_roll *roll)
{
	struct stat status;

	for (int waited_ms = 0; waited_ms < ROLL_WAIT_MS;
	     waited_ms += ROLL_TICK_MS) {
		if (atomic_load(&roll->stopping) ||
		    lstat(roll->path, &status) == 0)
			return;
		roll_sleep(roll, ROLL_TICK_MS);
	}
}

static void
roll_now(struct bind_roll *roll, int versions)
{
	bool reopening = versions == ISC_LOG_ROLLNEVER;

	bind_host_log(ISC_LOG_INFO, "%s dnstap destination '%s'",
		      reopening ? "reopening" : "rolling", roll->path);
	if (versions == 0 || reopening)
		versions = roll->versions;
	roll_aside(roll, versions);
	(void)dtap_reopen(roll->tap);
	roll_await_file(roll);
}

static bool
roll_is_full(const struct bind_roll *roll)
{
	struct stat status;

	return roll->max_bytes > 0 && lstat(roll->path, &status) == 0 &&
	       (uint64_t)status.st_size > roll->max_bytes;
}

static void *
roll_thread(void *argument)
{
	struct bind_roll *roll = argument;

	while (!atomic_load(&roll->stopping)) {
		int order = atomic_exchange(&roll->order, ROLL_NOTHING);

		if (order != ROLL_NOTHING)
			roll_now(roll, order);
		else if (roll_is_full(roll))
			roll_now(roll, roll->versions);
		else if (roll->max_bytes > 0)
			roll_sleep(roll, ROLL_WATCH_MS);
		else
			(void)sem_wait(&roll->wake);
	}
	return NULL;
}

/* Signals are named's own business. */
static bool
roll_create_thread(struct bind_roll *roll)
{
	sigset_t all;
	sigset_t before;
	int failed;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&roll->thread, NULL, roll_thread, roll);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed != 0)
		return false;
	pthread_setname_np(roll->thread, "dtap-roll");
	return true;
}

bool
bind_roll_start(struct bind_roll *roll, dtap *tap)
{
	roll->tap = tap;
	roll_aside(roll, roll->versions);
	roll->started = roll_create_thread(roll);
	return roll->started;
}

void
bind_roll_request(struct bind_roll *roll, int versions)
{
	atomic_store(&roll->order, versions);
	sem_post(&roll->wake);
}

void
bind_roll_stop(struct bind_roll *roll)
{
	if (roll->started) {
		atomic_store(&roll->stopping, true);
		sem_post(&roll->wake);
		pthread_join(roll->thread, NULL);
	}
	sem_destroy(&roll->wake);
}
