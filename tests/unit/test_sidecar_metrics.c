/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.c: what is counted, as text. */
#include "sidecar/metrics.h"

#include <string.h>

#include "support/support.h"

static char text[METRICS_TEXT_BYTES];

static void
expect_line(const char *line)
{
	const char *at = strstr(text, line);

	ck_assert_msg(at != NULL && (at == text || at[-1] == '\n') &&
			      at[strlen(line)] == '\n',
		      "there is no line \"%s\"", line);
}

static struct metrics_view
view_of(const struct metrics *metrics)
{
	struct metrics_view view = { .metrics = metrics };

	return view;
}

static void
count_response(struct metrics *metrics, uint64_t latency_us)
{
	struct packet message = { .time_ns = 5000000000000 };
	struct exchange_event event = {
		.verdict.type = DTAP_CLIENT_RESPONSE,
		.message = &message,
		.header = { .flags = 0x8183, .response = true },
		.query_time_ns = message.time_ns - latency_us * 1000,
	};

	metrics_message(metrics, &event);
}

START_TEST(messages_are_counted_by_type_rcode_and_latency)
{
	struct metrics metrics = { .latency_sum_us = 0 };
	struct metrics_view view = view_of(&metrics);

	count_response(&metrics, 50);
	count_response(&metrics, 51);
	count_response(&metrics, 4000000000);
	ck_assert_uint_eq(metrics_text(&view, text), strlen(text));
	expect_line("dtap_sidecar_messages_total{type=\"CLIENT_RESPONSE\"} 3");
	expect_line("dtap_sidecar_messages_total{type=\"CLIENT_QUERY\"} 0");
	expect_line("dtap_sidecar_responses_total{rcode=\"3\"} 3");
	expect_line("dtap_sidecar_latency_seconds_bucket{le=\"5e-05\"} 1");
	expect_line("dtap_sidecar_latency_seconds_bucket{le=\"0.0001\"} 2");
	expect_line("dtap_sidecar_latency_seconds_bucket{le=\"5\"} 2");
	expect_line("dtap_sidecar_latency_seconds_bucket{le=\"+Inf\"} 3");
	expect_line("dtap_sidecar_latency_seconds_count 3");
	expect_line("dtap_sidecar_latency_seconds_sum 4000.000101");
}
END_TEST

/* A rate over a minute must not be lost in the sum of a year. */
START_TEST(the_sum_has_every_microsecond)
{
	struct metrics metrics = { .latency_sum_us = 31536000000001 };
	struct metrics_view view = view_of(&metrics);

	metrics_text(&view, text);
	expect_line("dtap_sidecar_latency_seconds_sum 31536000.000001");
}
END_TEST

/* Whatever the library did not take is a loss, and is told. */
START_TEST(each_fate_of_a_frame_is_told)
{
	struct metrics metrics = { .latency_sum_us = 0 };
	struct metrics_view view = view_of(&metrics);

	view.stats.written = 1;
	view.stats.dropped_full = 2;
	view.stats.dropped_no_ring = 4;
	view.stats.lost_io = 8;
	view.stats.lost_shutdown = 16;
	view.stats.dropped_too_big = 32;
	view.stats.dropped_invalid = 64;
	metrics_text(&view, text);
	expect_line("dtap_sidecar_frames_total 1");
	expect_line("dtap_sidecar_lost_ring_total 6");
	expect_line("dtap_sidecar_lost_output_total 24");
	expect_line("dtap_sidecar_lost_refused_total 96");
}
END_TEST

START_TEST(the_longest_text_is_whole)
{
	struct metrics metrics;
	struct metrics_view view;

	memset(&metrics, 0xff, sizeof(metrics));
	memset(&view, 0xff, sizeof(view));
	view.metrics = &metrics;
	ck_assert_uint_lt(metrics_text(&view, text), METRICS_TEXT_BYTES - 1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("sidecar metrics");

	support_add(suite, messages_are_counted_by_type_rcode_and_latency);
	support_add(suite, the_sum_has_every_microsecond);
	support_add(suite, each_fate_of_a_frame_is_told);
	support_add(suite, the_longest_text_is_whole);
	return support_run(suite);
}
