/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dtap_submit() has several ways for an event. Whichever it takes, what lies
 * in the ring afterwards is what the full way would have written, and a shape
 * that is known is no way around the configuration.
 */
#include <dnstap/dtap.h>

#include <string.h>

#include "encode/encode_message.h"
#include "support/support.h"
#include "support/support_event.h"
#include "support/taps.h"
#include "tap.h"

static const char *const usual[] = { "identity=ns1.example.net",
				     "version=Server 3.14.1", NULL };

/* Never started, so that what is submitted stays in the ring. */
static dtap_producer *
open_stuck(dtap **tap, const char *const *more)
{
	dtap_producer *producer;

	*tap = taps_open("file:/never-opened", more);
	ck_assert_int_eq(dtap_producer_open(*tap, &producer), DTAP_OK);
	return producer;
}

/* The one frame in the ring is that of the event; takes it out. */
static void
expect_frame(dtap_producer *producer, const struct dtap_event *event)
{
	static struct dtap__encoder encoder;
	static uint8_t expected[DTAP_FRAME_BYTES_MAX + DTAP__ENCODE_SLACK];
	struct dtap__span span[2];
	size_t bytes, there;

	dtap__encoder_init(&encoder, &producer->encoder.prefix);
	bytes = dtap__encode_full(&encoder, event, NULL, 0, expected);
	there = dtap__ring_peek(producer->ring, span);
	ck_assert_uint_eq(there, 4 + bytes);
	ck_assert_uint_eq(span[0].bytes, there);
	ck_assert_uint_eq(span[0].data[0], bytes >> 24);
	ck_assert_uint_eq(span[0].data[1], bytes >> 16 & 0xff);
	ck_assert_uint_eq(span[0].data[2], bytes >> 8 & 0xff);
	ck_assert_uint_eq(span[0].data[3], bytes & 0xff);
	ck_assert_mem_eq(span[0].data + 4, expected, bytes);
	dtap__ring_release(producer->ring, there);
}

START_TEST(every_way_writes_what_the_full_way_writes)
{
	struct support_random random = { 7 };
	struct dtap_policy policy;
	struct dtap_event event;
	dtap_producer *producer;
	dtap *tap;

	producer = open_stuck(&tap, usual);
	for (int i = 0; i < (support_is_slow() ? 2000 : 50000); i++) {
		support_random_event(&random, &event, &policy, i % 4 != 0);
		ck_assert_int_eq(dtap_submit(producer, &event), DTAP_OK);
		expect_frame(producer, &event);
		/* Now its shape is known. */
		ck_assert_int_eq(dtap_submit(producer, &event), DTAP_OK);
		expect_frame(producer, &event);
	}
	dtap_producer_close(&producer);
	dtap_close(&tap);
}
END_TEST

/* Around every change of the length of a length, with each family. */
START_TEST(every_length_of_a_usual_message)
{
	static uint8_t octets[20000];
	struct dtap_event event = taps_event(0);
	dtap_producer *producer;
	dtap *tap;

	producer = open_stuck(&tap, usual);
	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)(i * 7);
	event.response_time_sec = _i % 2 == 0 ? 0 : event.query_time_sec;
	event.socket_family = _i < 2 ? DTAP_INET : DTAP_INET6;
	event.query_address = event.response_address = octets;
	event.query_address_bytes = _i < 2 ? 4 : 16;
	event.response_address_bytes = event.query_address_bytes;
	event.query_message = event.response_message = octets;
	for (uint32_t n = 0; n < sizeof(octets); n += n < 300 ? 1 : 61) {
		event.query_message_bytes = _i % 2 == 0 ? n : 0;
		event.response_message_bytes = _i % 2 == 0 ? 0 : n;
		event.query_port = (uint16_t)(n * 4099);
		ck_assert_int_eq(dtap_submit(producer, &event), DTAP_OK);
		expect_frame(producer, &event);
	}
	dtap_producer_close(&producer);
	dtap_close(&tap);
}
END_TEST

/* Of the shape that nearly all traffic has. */
static struct dtap_event
usual_event(void)
{
	static const uint8_t server[4] = { 198, 51, 100, 53 };
	struct dtap_event event = taps_event(0);

	event.response_address = server;
	event.response_address_bytes = sizeof(server);
	return event;
}

static void
reconfigure(dtap *tap, const char *name, const char *value)
{
	dtap_options *options = dtap_options_new();

	ck_assert_int_eq(dtap_options_set(options, "output",
					  "file:/never-opened"), DTAP_OK);
	ck_assert_int_eq(dtap_options_set(options, name, value), DTAP_OK);
	ck_assert_int_eq(dtap_reconfigure(tap, options), DTAP_OK);
	dtap_options_free(&options);
}

START_TEST(a_known_shape_is_filtered_when_its_type_is_masked_out)
{
	struct dtap_event event = usual_event();
	dtap_producer *producer;
	dtap *tap;

	producer = open_stuck(&tap, NULL);
	ck_assert_int_eq(dtap_submit(producer, &event), DTAP_OK);
	ck_assert_int_eq(dtap_submit(producer, &event), DTAP_OK);
	reconfigure(tap, "types", "CR");
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(dtap_submit(producer, &event),
				 DTAP_FILTERED);
	dtap_producer_close(&producer);
	dtap_close(&tap);
}
END_TEST

START_TEST(a_known_shape_is_sampled_when_sampling_begins)
{
	struct dtap_event event = usual_event();
	struct dtap_stats stats;
	dtap_producer *producer;
	dtap *tap;

	producer = open_stuck(&tap, NULL);
	ck_assert_int_eq(dtap_submit(producer, &event), DTAP_OK);
	ck_assert_int_eq(dtap_submit(producer, &event), DTAP_OK);
	reconfigure(tap, "sample-one-in", "2");
	for (uint16_t i = 0; i < 1000; i++) {
		event.query_port = i;
		dtap_submit(producer, &event);
	}
	/* Half of them; the others make the shape known again. */
	stats = taps_stats(tap);
	ck_assert_uint_gt(stats.sampled_out, 400);
	ck_assert_uint_lt(stats.sampled_out, 600);
	dtap_producer_close(&producer);
	dtap_close(&tap);
}
END_TEST

/* Also when the ring was full in between, and another type is masked out. */
START_TEST(a_masked_type_is_filtered_while_the_ring_is_full)
{
	static const char *const more[] = { "ring-bytes=64K", "types=CQ",
					    NULL };
	struct dtap_event event = usual_event();
	dtap_producer *producer;
	dtap *tap;

	producer = open_stuck(&tap, more);
	while (dtap_submit(producer, &event) == DTAP_OK)
		;
	ck_assert_int_eq(dtap_submit(producer, &event), DTAP_E_FULL);
	event.type = DTAP_AUTH_QUERY;
	ck_assert_int_eq(dtap_submit(producer, &event), DTAP_FILTERED);
	event.type = 0;
	ck_assert_int_eq(dtap_submit(producer, &event), DTAP_E_INVALID);
	event.type = DTAP_CLIENT_QUERY;
	ck_assert_int_eq(dtap_submit(producer, &event), DTAP_E_FULL);
	event.query_message_bytes = 40000;
	ck_assert_int_eq(dtap_submit(producer, &event), DTAP_E_TOO_BIG);
	dtap_producer_close(&producer);
	dtap_close(&tap);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("tap_ways");
	TCase *lengths = tcase_create("every_length_of_a_usual_message");

	tcase_add_loop_test(lengths, every_length_of_a_usual_message, 0, 4);
	suite_add_tcase(suite, lengths);
	support_add(suite, every_way_writes_what_the_full_way_writes);
	support_add(suite,
		    a_known_shape_is_filtered_when_its_type_is_masked_out);
	support_add(suite, a_known_shape_is_sampled_when_sampling_begins);
	support_add(suite, a_masked_type_is_filtered_while_the_ring_is_full);
	return support_run(suite);
}
