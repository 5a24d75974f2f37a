/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames checked by hand, octet for octet; test_encode_differential.c compares
 * many more with protobuf-c.
 */
#include "encode/encode_message.h"

#include <string.h>

#include "support/support.h"

static struct dtap__encoder encoder;
static uint8_t out[2 * 65535 + 8192];

static void
start(const char *identity, const char *version, const char *extra)
{
	static struct dtap__prefix prefix;

	dtap__prefix_init(&prefix, identity, strlen(identity), version,
			  strlen(version), extra, strlen(extra));
	dtap__encoder_init(&encoder, &prefix);
}

/* Encodes and compares with so many octets; loss is a text or "". */
static void
expect(const struct dtap_event *event, const char *loss, const void *octets,
       size_t bytes)
{
	size_t bound = dtap__encode_full_bound(&encoder, event, strlen(loss));

	ck_assert_uint_eq(dtap__encode_full(&encoder, event, loss,
					    strlen(loss), out),
			  bytes);
	ck_assert_mem_eq(out, octets, bytes);
	ck_assert_uint_eq(bound, bytes + DTAP__ENCODE_SLACK);
}

#define EXPECT(event, loss, text) \
	expect((event), (loss), (text), sizeof(text) - 1)

START_TEST(the_smallest_event_has_only_types)
{
	struct dtap_event event = DTAP_EVENT_INIT;

	event.type = DTAP_TOOL_QUERY;
	start("", "", "");
	EXPECT(&event, "", "\x72\x02" "\x08\x0b" "\x78\x01");
}
END_TEST

START_TEST(a_client_query_over_udp)
{
	struct dtap_event event = DTAP_EVENT_INIT;

	event.type = DTAP_CLIENT_QUERY;
	event.socket_family = DTAP_INET;
	event.socket_protocol = DTAP_UDP;
	event.query_address = "\xc0\x00\x02\x01";
	event.query_address_bytes = 4;
	event.response_address = "\xc6\x33\x64\x35";
	event.response_address_bytes = 4;
	event.query_port = 40000;
	event.response_port = 53;
	event.query_time_sec = 1700000000;
	event.query_time_nsec = 0x01020304;
	event.query_message = "\xab\xcd\x01\x00";
	event.query_message_bytes = 4;
	start("ns1", "v2", "");
	EXPECT(&event, "",
	       "\x0a\x03ns1" "\x12\x02v2"
	       "\x72\x29"
	       "\x08\x05" "\x10\x01" "\x18\x01"
	       "\x22\x04\xc0\x00\x02\x01" "\x2a\x04\xc6\x33\x64\x35"
	       "\x30\xc0\xb8\x02" "\x38\x35"
	       "\x40\x80\xe2\xcf\xaa\x06" "\x4d\x04\x03\x02\x01"
	       "\x52\x04\xab\xcd\x01\x00"
	       "\x78\x01");
}
END_TEST

START_TEST(all_that_only_the_full_way_has)
{
	struct dtap_policy policy = DTAP_POLICY_INIT;
	struct dtap_event event = DTAP_EVENT_INIT;

	policy.type = "RPZ";
	policy.rule = "\x01r\x00";
	policy.rule_bytes = 3;
	policy.action = DTAP_ACTION_DROP;
	policy.match = DTAP_MATCH_CLIENT_IP;
	policy.value = "\x0a\x00\x00\x01";
	policy.value_bytes = 4;
	event.type = DTAP_RESOLVER_RESPONSE;
	event.socket_protocol = DTAP_DOH;
	event.http_protocol = DTAP_HTTP2;
	event.query_zone = "\x02hm\x00";
	event.query_zone_bytes = 4;
	event.response_time_nsec = 1;
	event.response_message = "\xff";
	event.response_message_bytes = 1;
	event.policy = &policy;
	event.extra = "mine";
	event.extra_bytes = 4;
	start("", "", "configured");
	EXPECT(&event, "",
	       "\x1a\x04mine"
	       "\x72\x2d"
	       "\x08\x04" "\x18\x04"
	       "\x5a\x04\x02hm\x00"
	       "\x60\x00" "\x6d\x01\x00\x00\x00"
	       "\x72\x01\xff"
	       "\x7a\x14" "\x0a\x03RPZ" "\x12\x03\x01r\x00" "\x18\x04"
	       "\x20\x02" "\x2a\x04\x0a\x00\x00\x01"
	       "\x80\x01\x02"
	       "\x78\x01");
}
END_TEST

START_TEST(a_policy_may_be_empty_or_have_an_empty_type)
{
	struct dtap_policy policy = DTAP_POLICY_INIT;
	struct dtap_event event = DTAP_EVENT_INIT;

	event.type = DTAP_CLIENT_RESPONSE;
	event.policy = &policy;
	start("", "", "");
	EXPECT(&event, "", "\x72\x04" "\x08\x06" "\x7a\x00" "\x78\x01");
	policy.type = "";
	EXPECT(&event, "",
	       "\x72\x06" "\x08\x06" "\x7a\x02\x0a\x00" "\x78\x01");
}
END_TEST

START_TEST(extra_is_the_events_or_the_configured_one)
{
	struct dtap_event event = DTAP_EVENT_INIT;

	event.type = DTAP_AUTH_QUERY;
	start("i", "", "conf");
	EXPECT(&event, "",
	       "\x0a\x01i" "\x1a\x04" "conf" "\x72\x02\x08\x01\x78\x01");
	event.extra = "own";
	event.extra_bytes = 3;
	EXPECT(&event, "",
	       "\x0a\x01i" "\x1a\x03own" "\x72\x02\x08\x01\x78\x01");
}
END_TEST

START_TEST(a_loss_report_goes_behind_extra)
{
	struct dtap_event event = DTAP_EVENT_INIT;

	event.type = DTAP_AUTH_QUERY;
	start("", "", "");
	EXPECT(&event, "lost=1",
	       "\x1a\x06lost=1" "\x72\x02\x08\x01\x78\x01");
	start("", "", "conf");
	EXPECT(&event, "lost=1",
	       "\x1a\x0b" "conf lost=1" "\x72\x02\x08\x01\x78\x01");
	event.extra = "own";
	event.extra_bytes = 3;
	EXPECT(&event, "lost=1",
	       "\x1a\x0aown lost=1" "\x72\x02\x08\x01\x78\x01");
}
END_TEST

START_TEST(the_largest_event_stays_below_the_limits)
{
	static uint8_t octets[65535];
	static struct dtap__prefix prefix;
	struct dtap_policy policy = DTAP_POLICY_INIT;
	struct dtap_event event = DTAP_EVENT_INIT;
	size_t bytes, metadata;

	policy.type = "RPZ";
	policy.rule = octets;
	policy.rule_bytes = 1000;
	policy.value = octets;
	policy.value_bytes = 200;
	policy.action = DTAP_ACTION_LOCAL_DATA;
	policy.match = DTAP_MATCH_NS_IP;
	event.type = DTAP_UPDATE_RESPONSE;
	event.socket_family = DTAP_INET6;
	event.socket_protocol = DTAP_DOQ;
	event.http_protocol = DTAP_HTTP3;
	event.query_address = octets;
	event.query_address_bytes = 16;
	event.response_address = octets;
	event.response_address_bytes = 16;
	event.query_port = 65535;
	event.response_port = 65535;
	event.query_time_sec = UINT64_MAX >> 1;
	event.response_time_sec = UINT64_MAX >> 1;
	event.query_message = octets;
	event.query_message_bytes = 65535;
	event.response_message = octets;
	event.response_message_bytes = 65535;
	event.query_zone = octets;
	event.query_zone_bytes = 255;
	event.policy = &policy;
	event.extra = octets;
	event.extra_bytes = 500;
	dtap__prefix_init(&prefix, octets, DTAP__IDENTITY_BYTES_MAX,
			  octets, DTAP__VERSION_BYTES_MAX, NULL, 0);
	dtap__encoder_init(&encoder, &prefix);

	bytes = dtap__encode_full(&encoder, &event, "", 0, out);
	metadata = bytes - 2 * 65535;
	ck_assert_uint_le(metadata, prefix.bytes + 255 + 3 + 1000 + 200 + 500 +
					    DTAP__ENCODE_FIELDS_BYTES_MAX);
	ck_assert_uint_le(bytes, DTAP_FRAME_BYTES_MAX);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("encode_full");

	support_add(suite, the_smallest_event_has_only_types);
	support_add(suite, a_client_query_over_udp);
	support_add(suite, all_that_only_the_full_way_has);
	support_add(suite, a_policy_may_be_empty_or_have_an_empty_type);
	support_add(suite, extra_is_the_events_or_the_configured_one);
	support_add(suite, a_loss_report_goes_behind_extra);
	support_add(suite, the_largest_event_stays_below_the_limits);
	return support_run(suite);
}
