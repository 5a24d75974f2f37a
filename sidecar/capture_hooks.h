/* SPDX-License-Identifier: Apache-2.0 */
/*
 * capture_hooks.h: what the kernel part asks of a kernel, and loading it.
 */
#ifndef DTAP_SIDECAR_CAPTURE_HOOKS_H
#define DTAP_SIDECAR_CAPTURE_HOOKS_H

#include "sidecar/capture.h"

struct capture_bpf;

/* Loaded, not attached; without those hooks that can be done without and
 * that this kernel refuses. NULL with *reason. */
struct capture_bpf *
capture_hooks_load(const struct capture_options *options,
		   char reason[CAPTURE_REASON_BYTES]);

/* Attaches all that is loaded, and looks for the sockets that are there. */
bool
capture_hooks_attach(struct capture_bpf *kernel, int cgroup_fd,
		     const char *cgroup, char reason[CAPTURE_REASON_BYTES]);

#endif
