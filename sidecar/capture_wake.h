/* SPDX-License-Identifier: Apache-2.0 */
/*
 * capture_wake.h: when the reader of the ring wakes up.
 */
#ifndef DTAP_SIDECAR_CAPTURE_WAKE_H
#define DTAP_SIDECAR_CAPTURE_WAKE_H

#include <stdbool.h>
#include <stdint.h>

struct capture_wake {
	int poll_fd;  /* what the program polls */
	int timer_fd;
	uint32_t latency_ms;
	uint32_t threshold_bytes;
	uint32_t timer_ms;     /* what the timer is set to */
	uint32_t empty_drains; /* in a row */
};

/* ring_fd becomes readable when the kernel part says so. false with errno. */
bool
capture_wake_open(struct capture_wake *wake, int ring_fd, uint32_t latency_ms,
		  uint32_t threshold_bytes);

/* Before a drain: how many octets must wait in the ring for the next wake. */
uint32_t
capture_wake_begin(struct capture_wake *wake);

enum capture_wake_found {
	CAPTURE_WAKE_NOTHING,
	CAPTURE_WAKE_SOME,
	CAPTURE_WAKE_MORE /* has left some behind */
};

/* After a drain. */
void
capture_wake_end(struct capture_wake *wake, enum capture_wake_found found);

void
capture_wake_close(struct capture_wake *wake);

#endif
