/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics.c: see metrics.h.
 */
#include "sidecar/metrics.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define US_PER_S 1000000

/* Upper ends of the buckets, in microseconds; the last has none. */
static const uint32_t metrics_bounds_us[METRICS_BUCKETS - 1] = {
	50, 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 100000, 250000,
	1000000, 5000000
};

static void
metrics_latency(struct metrics *metrics, uint64_t us)
{
	unsigned int bucket = 0;

	while (bucket < METRICS_BUCKETS - 1 && us > metrics_bounds_us[bucket])
		bucket++;
	metrics->latency[bucket]++;
	metrics->latency_sum_us += us;
}

void
metrics_message(struct metrics *metrics, const struct exchange_event *event)
{
	unsigned int rcode = event->header.flags & 0xf;
	uint64_t time_ns = event->message->time_ns;

	metrics->messages[event->verdict.type < METRICS_TYPES
				  ? event->verdict.type
				  : 0]++;
	if (!event->header.response)
		return;
	metrics->rcodes[rcode]++;
	if (event->query_time_ns != 0 && time_ns >= event->query_time_ns &&
	    !event->continued)
		metrics_latency(metrics,
				(time_ns - event->query_time_ns) / 1000);
}

struct metrics_writer {
	char *text;
	size_t used;
};

static void __attribute__((format(printf, 2, 3)))
metrics_put(struct metrics_writer *writer, const char *format, ...)
{
	size_t room = METRICS_TEXT_BYTES - writer->used;
	va_list arguments;
	int bytes;

	va_start(arguments, format);
	bytes = vsnprintf(writer->text + writer->used, room, format, arguments);
	va_end(arguments);
	if (bytes > 0)
		writer->used += (size_t)bytes < room ? (size_t)bytes : room - 1;
}

static void
metrics_describe(struct metrics_writer *writer, const char *name,
		 const char *type, const char *help)
{
	metrics_put(writer, "# HELP dtap_sidecar_%s %s\n", name, help);
	metrics_put(writer, "# TYPE dtap_sidecar_%s %s\n", name, type);
}

static void
metrics_counter(struct metrics_writer *writer, const char *name,
		const char *help, uint64_t value)
{
	metrics_describe(writer, name, "counter", help);
	metrics_put(writer, "dtap_sidecar_%s %" PRIu64 "\n", name, value);
}

static void
metrics_put_types(struct metrics_writer *writer, const struct metrics *metrics)
{
	metrics_describe(writer, "messages_total", "counter",
			 "DNS messages by type.");
	for (unsigned int type = 1; type < METRICS_TYPES; type++)
		metrics_put(writer,
			    "dtap_sidecar_messages_total{type=\"%s\"} %" PRIu64
			    "\n", dtap_message_type_name(type),
			    metrics->messages[type]);
	metrics_describe(writer, "responses_total", "counter",
			 "DNS responses by the four bits of their RCODE.");
	for (unsigned int rcode = 0; rcode < 16; rcode++)
		metrics_put(writer,
			    "dtap_sidecar_responses_total{rcode=\"%u\"} "
			    "%" PRIu64 "\n", rcode, metrics->rcodes[rcode]);
}

static void
metrics_put_latency(struct metrics_writer *writer,
		    const struct metrics *metrics)
{
	uint64_t count = 0;

	metrics_describe(writer, "latency_seconds", "histogram",
			 "From a query to its response.");
	for (unsigned int i = 0; i < METRICS_BUCKETS - 1; i++) {
		count += metrics->latency[i];
		metrics_put(writer,
			    "dtap_sidecar_latency_seconds_bucket{le=\"%g\"} "
			    "%" PRIu64 "\n",
			    (double)metrics_bounds_us[i] / US_PER_S, count);
	}
	count += metrics->latency[METRICS_BUCKETS - 1];
	metrics_put(writer,
		    "dtap_sidecar_latency_seconds_bucket{le=\"+Inf\"} "
		    "%" PRIu64 "\n", count);
	/* All digits: of a long sum, a float tells no short differences. */
	metrics_put(writer, "dtap_sidecar_latency_seconds_sum "
		    "%" PRIu64 ".%06" PRIu64 "\n",
		    metrics->latency_sum_us / US_PER_S,
		    metrics->latency_sum_us % US_PER_S);
	metrics_put(writer, "dtap_sidecar_latency_seconds_count %" PRIu64 "\n",
		    count);
}

size_t
metrics_text(const struct metrics_view *view, char text[METRICS_TEXT_BYTES])
{
	struct metrics_writer writer = { text, 0 };
	const struct dtap_stats *stats = &view->stats;

	text[0] = '\0';
	metrics_counter(&writer, "packets_total",
			"Datagrams and segments taken from the kernel.",
			view->capture.taken);
	metrics_counter(&writer, "lost_kernel_total",
			"Packets for which the kernel's ring had no room.",
			view->capture.lost_kernel);
	metrics_counter(&writer, "lost_short_total",
			"Packets whose octets could not be had.",
			view->capture.lost_short);
	metrics_counter(&writer, "unowned_total",
			"Packets of no known process.", view->capture.unowned);
	metrics_counter(&writer, "tcp_gaps_total",
			"Holes in TCP streams that were given up.",
			view->tcp.gaps);
	metrics_counter(&writer, "tcp_skipped_octets_total",
			"Octets of TCP that belong to no message.",
			view->tcp.skipped_octets);
	metrics_counter(&writer, "tcp_evicted_total",
			"TCP streams that made room for others.",
			view->tcp.evicted);
	metrics_counter(&writer, "malformed_total",
			"Messages too short for a DNS header.",
			view->exchange.malformed);
	metrics_counter(&writer, "unmatched_total",
			"Responses to no query that was seen.",
			view->exchange.unmatched);
	metrics_counter(&writer, "evicted_total",
			"Unanswered queries that made room for others.",
			view->exchange.evicted);
	metrics_counter(&writer, "timeouts_total",
			"Queries without a response in time.",
			view->exchange.unanswered);
	metrics_counter(&writer, "frames_total",
			"Frames that the output has taken.", stats->written);
	metrics_counter(&writer, "lost_ring_total",
			"Frames for which the ring to the output had no room.",
			stats->dropped_full + stats->dropped_no_ring);
	metrics_counter(&writer, "lost_output_total",
			"Frames that the output was given up with.",
			stats->lost_io + stats->lost_shutdown);
	metrics_counter(&writer, "lost_refused_total",
			"Frames too big for the ring to the output.",
			stats->dropped_too_big + stats->dropped_invalid);
	metrics_put_types(&writer, view->metrics);
	metrics_put_latency(&writer, view->metrics);
	return writer.used;
}
