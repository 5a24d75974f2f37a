/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics.h: what the sidecar counts, and as text.
 *
 * Counted by the one thread that handles messages; the text is made by the
 * same thread. Names and units follow the conventions of Prometheus.
 */
#ifndef DTAP_SIDECAR_METRICS_H
#define DTAP_SIDECAR_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include <dnstap/dtap.h>

#include "sidecar/capture.h"
#include "sidecar/exchange.h"
#include "sidecar/tcp.h"

#define METRICS_TYPES 15    /* enum dtap_message_type and 0 */
#define METRICS_RCODES 17   /* 0 to 15, and those beyond */
#define METRICS_BUCKETS 14  /* the last one is for the rest */
#define METRICS_TEXT_BYTES 32768

struct metrics {
	uint64_t messages[METRICS_TYPES];
	uint64_t rcodes[METRICS_RCODES]; /* of responses */
	uint64_t latency[METRICS_BUCKETS];
	uint64_t latency_sum_us;
};

/* All counters together, as they are now. */
struct metrics_view {
	const struct metrics *metrics;
	struct capture_counters capture;
	struct tcp_counters tcp;
	struct exchange_counters exchange;
	struct dtap_stats stats;
};

/* One message, with what is known of its query. */
void
metrics_message(struct metrics *metrics, const struct exchange_event *event);

/* Prometheus's text format. Returns the length; the text is whole. */
size_t
metrics_text(const struct metrics_view *view, char text[METRICS_TEXT_BYTES]);

#endif
