/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privileges.h: getting rid of them.
 */
#ifndef DTAP_SIDECAR_PRIVILEGES_H
#define DTAP_SIDECAR_PRIVILEGES_H

#include <stdbool.h>
#include <stddef.h>

/*
 * For good, and for all threads that are made later: becomes the user (NULL:
 * stays who it is), gives up every capability, also those that a new program
 * could get, and has the kernel refuse calls that only an intruder would
 * make: bpf, perf_event_open, execve, ptrace, mount and their like. Before
 * any thread is made. false with a sentence for the operator.
 */
bool
privileges_drop(const char *user, char *reason, size_t bytes);

#endif
