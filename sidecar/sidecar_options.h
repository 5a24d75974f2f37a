/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sidecar_options.h: the command line of dtap-sidecar.
 */
#ifndef DTAP_SIDECAR_OPTIONS_H
#define DTAP_SIDECAR_OPTIONS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include <dnstap/dtap.h>

#include "sidecar/capture.h"
#include "sidecar/role.h"

struct sidecar_options {
	struct capture_options capture; /* cgroup points to cgroup_path */
	char cgroup_path[PATH_MAX];
	struct role_table *roles; /* with the operator's */
	dtap_options *tap;        /* what the tap is opened with */
	bool has_output;
	bool print;
	bool query_in_response;
	bool extra;
	uint64_t timeout_ms; /* of an unanswered query; 0: not reported */
	uint64_t hold_ms;    /* a query waits no longer for its type */
	const char *metrics; /* unix:PATH or ADDR:PORT; NULL: none */
	const char *user;    /* whom to become; NULL: nobody else */
};

enum sidecar_verdict {
	SIDECAR_RUN,
	SIDECAR_LIST_HOOKS,
	SIDECAR_DONE, /* --help or --version was served */
	SIDECAR_USAGE /* explained on standard error */
};

/* The caller calls sidecar_options_free(), whatever the verdict. */
enum sidecar_verdict
sidecar_options_parse(struct sidecar_options *options, int argc, char **argv);

void
sidecar_options_free(struct sidecar_options *options);

#endif
