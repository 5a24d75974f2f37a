/* SPDX-License-Identifier: Apache-2.0 */
/*
 * capture_kind.h: what the kinds of capture have in common. Each begins with
 * a struct capture; capture.c calls the rest through its operations.
 */
#ifndef DTAP_SIDECAR_CAPTURE_KIND_H
#define DTAP_SIDECAR_CAPTURE_KIND_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "sidecar/capture.h"
#include "sidecar/socket_id.h"

struct capture_operations {
	enum capture_kind kind;
	int (*descriptor)(const struct capture *capture);
	bool (*drain)(struct capture *capture);
	/* Sets all but taken and unowned. */
	void (*count)(const struct capture *capture,
		      struct capture_counters *counters);
	void (*detach)(struct capture *capture);
	void (*close)(struct capture *capture);
};

struct capture {
	const struct capture_operations *operations;
	capture_callback *callback;
	void *user;
	struct socket_id_key key;
	uint64_t taken;
	uint64_t unowned;
};

/* NULL on failure, with *reason. */
struct capture *
capture_cgroup_open(const struct capture_options *options,
		    char reason[CAPTURE_REASON_BYTES]);

struct capture *
capture_packet_open(const struct capture_options *options,
		    char reason[CAPTURE_REASON_BYTES]);

/* Counts the packet and calls the callback. */
void
capture_hand_over(struct capture *capture, const struct packet *packet);

/* Writes the reason; returns false, for the caller to return. */
__attribute__((format(printf, 2, 3))) bool
capture_refuse(char reason[CAPTURE_REASON_BYTES], const char *format, ...);

#endif
