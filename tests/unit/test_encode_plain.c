/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the plain way promises beside its octets, which are those of the full
 * way: test_encode_differential.c compares both with protobuf-c.
 */
#include "encode/encode_message.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support/support.h"

static struct dtap__encoder encoder;
static uint8_t out[2 * 65535 + 8192];
static uint8_t expected[sizeof(out)];
static uint8_t octets[65535];

static void
start(size_t identity_bytes)
{
	static struct dtap__prefix prefix;

	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)(i * 37 + 11);
	dtap__prefix_init(&prefix, octets, identity_bytes, NULL, 0, NULL, 0);
	dtap__encoder_init(&encoder, &prefix);
}

static struct dtap_event
query_event(void)
{
	struct dtap_event event = DTAP_EVENT_INIT;

	event.type = DTAP_CLIENT_QUERY;
	event.socket_family = DTAP_INET;
	event.socket_protocol = DTAP_UDP;
	event.query_address = octets;
	event.query_address_bytes = 4;
	event.response_address = octets + 4;
	event.response_address_bytes = 4;
	event.query_port = 40000;
	event.response_port = 53;
	event.query_time_sec = 1700000000;
	event.query_time_nsec = 1;
	event.query_message = octets;
	event.query_message_bytes = 40;
	return event;
}

static struct dtap_event
response_event(void)
{
	struct dtap_event event = query_event();

	event.type = DTAP_CLIENT_RESPONSE;
	event.query_message_bytes = 0;
	event.response_time_sec = 1700000000;
	event.response_message = octets;
	event.response_message_bytes = 100;
	return event;
}

static size_t
learn(const struct dtap_event *event)
{
	return dtap__encode_full(&encoder, event, NULL, 0, expected);
}

/* The plain way writes at once what the full way writes. */
static void
expect_same(const struct dtap_event *event)
{
	size_t plainly;

	ck_assert(dtap__encode_is_plain(event));
	/* What the last event left there must not pass for this one's. */
	memset(out, 0xee, 1024);
	plainly = dtap__encode_plain(&encoder, event, out);
	ck_assert_uint_ne(plainly, 0);
	ck_assert_uint_eq(plainly, learn(event));
	ck_assert_mem_eq(out, expected, plainly);
}

START_TEST(a_frame_checked_by_hand)
{
	struct dtap_event event = query_event();
	static const uint8_t frame[] =
		"\x0a\x02\x0b\x30"
		"\x72\x27"
		"\x08\x05" "\x10\x01" "\x18\x01"
		"\x22\x04\x0b\x30\x55\x7a" "\x2a\x04\x9f\xc4\xe9\x0e"
		"\x30\xc0\xb8\x02" "\x38\x35"
		"\x40\x80\xe2\xcf\xaa\x06" "\x4d\x01\x00\x00\x00"
		"\x52\x02\x0b\x30"
		"\x78\x01";

	start(2);
	event.query_message_bytes = 2;
	learn(&event);
	ck_assert_uint_eq(dtap__encode_plain(&encoder, &event, out),
			  sizeof(frame) - 1);
	ck_assert_mem_eq(out, frame, sizeof(frame) - 1);
}
END_TEST

START_TEST(an_unknown_shape_is_declined_until_the_full_way_wrote_it)
{
	struct dtap_event event = query_event();

	start(10);
	ck_assert_uint_eq(dtap__encode_plain(&encoder, &event, out), 0);
	learn(&event);
	expect_same(&event);
	event.socket_protocol = DTAP_TCP;
	ck_assert_uint_eq(dtap__encode_plain(&encoder, &event, out), 0);
	learn(&event);
	expect_same(&event);
	event.socket_protocol = DTAP_UDP;
	expect_same(&event); /* it has not been forgotten */
}
END_TEST

START_TEST(a_new_prefix_forgets_all_shapes)
{
	struct dtap_event event = query_event();

	start(10);
	learn(&event);
	start(11);
	ck_assert_uint_eq(dtap__encode_plain(&encoder, &event, out), 0);
}
END_TEST

START_TEST(what_it_does_not_serve_is_not_plain)
{
	struct dtap_policy policy = DTAP_POLICY_INIT;
	struct dtap_event event;

	event = query_event();
	ck_assert(dtap__encode_is_plain(&event));
	event.policy = &policy;
	ck_assert(!dtap__encode_is_plain(&event));
	event = query_event();
	event.extra_bytes = 1;
	ck_assert(!dtap__encode_is_plain(&event));
	event = query_event();
	event.reserved_tail = 1;
	ck_assert(!dtap__encode_is_plain(&event));
	event = query_event();
	event.size++;
	ck_assert(!dtap__encode_is_plain(&event));
	event.size -= 2;
	ck_assert(!dtap__encode_is_plain(&event));
}
END_TEST

START_TEST(every_length_of_message_and_prefix)
{
	static const size_t prefixes[] = {0, 1, 29, 61, 62, 63, 64, 255};

	for (size_t i = 0; i < DTAP__COUNT_OF(prefixes); i++) {
		struct dtap_event query = query_event();
		struct dtap_event response = response_event();

		start(prefixes[i]);
		learn(&query);
		learn(&response);
		for (uint32_t bytes = 0; bytes < 300; bytes++) {
			query.query_message_bytes = bytes;
			expect_same(&query);
			response.response_message_bytes = bytes;
			expect_same(&response);
		}
		for (uint32_t bytes = 16200; bytes < 16500; bytes++) {
			query.query_message_bytes = bytes;
			expect_same(&query);
		}
		query.query_message_bytes = 65535;
		expect_same(&query);
		query.response_message = octets;
		query.response_message_bytes = 65535;
		expect_same(&query);
	}
}
END_TEST

START_TEST(every_port_at_both_ends)
{
	struct dtap_event event = query_event();

	start(10);
	learn(&event);
	for (uint32_t port = 0; port <= 65535; port++) {
		event.query_port = (uint16_t)port;
		event.response_port = (uint16_t)(65535 - port);
		expect_same(&event);
	}
}
END_TEST

START_TEST(seconds_that_change_are_taken_over)
{
	struct dtap_event event = response_event();

	start(10);
	learn(&event);
	for (unsigned int bit = 0; bit < 63; bit++) {
		event.query_time_sec = UINT64_C(1) << bit;
		expect_same(&event);
		event.response_time_sec = (UINT64_C(1) << bit) - 1;
		expect_same(&event);
	}
}
END_TEST

START_TEST(what_is_not_valid_is_declined)
{
	struct dtap_event good[] = {query_event(), response_event()};

#define EXPECT_DECLINED(change) \
	do { \
		struct dtap_event event = good[i]; \
		change; \
		ck_assert_msg(dtap__encode_plain(&encoder, &event, out) == 0, \
			      "%s", #change); \
	} while (0)

	start(10);
	learn(&good[0]);
	learn(&good[1]);
	for (size_t i = 0; i < 2; i++) {
		EXPECT_DECLINED(event.query_time_nsec = 1000000000);
		EXPECT_DECLINED(event.response_time_nsec = 1000000000);
		EXPECT_DECLINED(event.query_time_sec = UINT64_C(1) << 63);
		EXPECT_DECLINED(event.response_time_sec = UINT64_MAX);
		EXPECT_DECLINED(event.query_address = NULL);
		EXPECT_DECLINED(event.response_address = NULL);
		EXPECT_DECLINED((event.query_message = NULL,
				 event.query_message_bytes = 1));
		EXPECT_DECLINED((event.response_message = NULL,
				 event.response_message_bytes = 1));
		EXPECT_DECLINED(event.query_zone_bytes = 1);
		EXPECT_DECLINED((event.query_zone = octets,
				 event.query_zone_bytes = 256));
		EXPECT_DECLINED(event.query_message_bytes = 65536);
		EXPECT_DECLINED(event.query_message_bytes = UINT32_MAX);
		EXPECT_DECLINED(event.type = 15);
		EXPECT_DECLINED(event.type = 0);
		EXPECT_DECLINED(event.query_address_bytes = 5);
		EXPECT_DECLINED(event.http_protocol = DTAP_HTTP2);
		EXPECT_DECLINED(event.reserved = 1);
	}
}
END_TEST

/* So many octets in front of a page that may not be read. */
static const uint8_t *
before_guard(size_t bytes)
{
	static uint8_t *guard;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (guard == NULL) {
		uint8_t *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		ck_assert_ptr_ne(pages, MAP_FAILED);
		memset(pages, 0x5a, page);
		guard = pages + page;
		ck_assert_int_eq(mprotect(guard, page, PROT_NONE), 0);
	}
	return guard - bytes;
}

START_TEST(no_octet_is_read_that_the_event_does_not_own)
{
	start(10);
	for (uint8_t family = DTAP_INET; family <= DTAP_INET6; family++) {
		struct dtap_event events[] = {query_event(), response_event()};
		uint8_t bytes = family == DTAP_INET ? 4 : 16;

		for (size_t i = 0; i < 2; i++) {
			struct dtap_event *event = &events[i];

			event->socket_family = family;
			event->query_address = before_guard(bytes);
			event->query_address_bytes = bytes;
			event->response_address = before_guard(bytes);
			event->response_address_bytes = bytes;
			learn(event);
			for (uint32_t n = 1; n < 600; n++) {
				event->query_message = before_guard(n);
				event->response_message = before_guard(n);
				if (i == 0)
					event->query_message_bytes = n;
				else
					event->response_message_bytes = n;
				expect_same(event);
			}
			event->query_zone = before_guard(3);
			event->query_zone_bytes = 3;
			expect_same(event);
		}
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("encode_plain");

	support_add(suite, a_frame_checked_by_hand);
	support_add(suite,
		    an_unknown_shape_is_declined_until_the_full_way_wrote_it);
	support_add(suite, a_new_prefix_forgets_all_shapes);
	support_add(suite, what_it_does_not_serve_is_not_plain);
	support_add(suite, every_length_of_message_and_prefix);
	support_add(suite, every_port_at_both_ends);
	support_add(suite, seconds_that_change_are_taken_over);
	support_add(suite, what_is_not_valid_is_declined);
	support_add(suite, no_octet_is_read_that_the_event_does_not_own);
	return support_run(suite);
}
