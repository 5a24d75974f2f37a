/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cat_signal.h: SIGINT and SIGTERM end the program in good order.
 *
 * The first one is noted, and seen at the next wait; a second one of the
 * same kind kills, should writing the rest take too long.
 */
#ifndef DTAP_TOOLS_CAT_SIGNAL_H
#define DTAP_TOOLS_CAT_SIGNAL_H

#include <poll.h>
#include <stdbool.h>

/* Also ignores SIGPIPE: a closed output is seen as EPIPE. */
void
cat_signal_install(void);

/*
 * Waits as poll() does; -1 as timeout_ms is for ever. false when a signal
 * asked for the end, before or meanwhile; revents are all 0 then.
 */
bool
cat_signal_wait(struct pollfd *fds, nfds_t count, int timeout_ms);

#endif
