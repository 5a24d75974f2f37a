/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bind_roll.h: `dnstap-output file` with size, versions and suffix.
 *
 * Lifetime: init, setup, start, request, stop, in this order. stop accepts a
 * struct that never started.
 */
#ifndef BIND_ROLL_H
#define BIND_ROLL_H

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>

#include <isc/atomic.h>
#include <isc/log.h>

#include <dnstap/tap.h>

struct bind_roll {
	dtap *tap;
	const char *path;
	uint64_t max_bytes; /* 0: no limit */
	int versions;	    /* backups to keep, or ISC_LOG_ROLLINFINITE */
	isc_log_rollsuffix_t suffix;

	pthread_t thread;
	bool started;
	sem_t wake;
	atomic_int order; /* what was asked for last, or ROLL_NOTHING */
	atomic_bool stopping;
};

/* The path is borrowed until bind_roll_stop() returns. */
void
bind_roll_init(struct bind_roll *roll, const char *path);

/* What named.conf says of the file. */
void
bind_roll_setup(struct bind_roll *roll, uint64_t max_bytes, int versions,
		isc_log_rollsuffix_t suffix);

/*
 * Makes room for the file of a tap that is about to start, and starts the
 * thread. False when no thread can be had. Waits for the file system.
 */
bool
bind_roll_start(struct bind_roll *roll, dtap *tap);

/*
 * Asks for a new file. versions is what dns_dt_reopen() takes: how many
 * backups to keep, 0 for as many as named.conf says, ISC_LOG_ROLLINFINITE,
 * or ISC_LOG_ROLLNEVER for -reopen. Never waits.
 */
void
bind_roll_request(struct bind_roll *roll, int versions);

/* Ends the thread, which may be in the middle of a rename. */
void
bind_roll_stop(struct bind_roll *roll);

#endif
