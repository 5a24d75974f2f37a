/* SPDX-License-Identifier: Apache-2.0 */
/*
 * capture_cgroup.c: packets from hooks at the sockets of a cgroup.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "sidecar/capture.h"
#include "sidecar/record.h"

#include "sidecar/capture.skel.h"

struct capture {
	struct capture_bpf *kernel;
};

void
capture_close(struct capture **capture)
{
	if (*capture == NULL)
		return;
	capture_bpf__destroy((*capture)->kernel);
	free(*capture);
	*capture = NULL;
}
