/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cat_signal.c: see cat_signal.h.
 *
 * A signal between looking at the flag and going to sleep must not be slept
 * over: both happen with the signals blocked, and ppoll() lets them in only
 * while it waits.
 */
#include "cat/cat_signal.h"

#include <signal.h>
#include <string.h>
#include <time.h>

static volatile sig_atomic_t asked_to_end;

static void
note_signal(int number)
{
	(void)number;
	asked_to_end = 1;
}

void
cat_signal_install(void)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	sigemptyset(&action.sa_mask);
	action.sa_handler = note_signal;
	action.sa_flags = (int)SA_RESETHAND;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	action.sa_handler = SIG_IGN;
	action.sa_flags = 0;
	sigaction(SIGPIPE, &action, NULL);
}

bool
cat_signal_wait(struct pollfd *fds, nfds_t count, int timeout_ms)
{
	struct timespec timeout = {timeout_ms / 1000,
				   timeout_ms % 1000 * 1000000L};
	sigset_t ends;
	sigset_t before;
	int ready = -1;

	for (nfds_t i = 0; i < count; i++)
		fds[i].revents = 0;
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigprocmask(SIG_BLOCK, &ends, &before);
	if (!asked_to_end)
		ready = ppoll(fds, count, timeout_ms < 0 ? NULL : &timeout,
			      &before);
	sigprocmask(SIG_SETMASK, &before, NULL);
	for (nfds_t i = 0; ready < 0 && i < count; i++)
		fds[i].revents = 0;
	return !asked_to_end;
}
