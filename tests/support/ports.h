/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ports.h: TCP ports for tests that give one up and take it again.
 *
 * One that the kernel has chosen goes to the next who leaves the choice to it,
 * as every connection does. So they are taken from below its range, each
 * process beginning at another one.
 */
#ifndef DTAP_TESTS_PORTS_H
#define DTAP_TESTS_PORTS_H

#include <sys/socket.h>

/*
 * A socket that listens at the address, or -1 and errno. For port 0 a free one
 * is chosen and put into the address. Any other, if taken, is tried for some
 * seconds: those who had it may take a moment to be gone.
 */
int
ports_listen(struct sockaddr *address, socklen_t bytes, int backlog);

#endif
