/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange.c with exchange_query.c: which response belongs to which query,
 * what is handed on when, and that everything is handed on once.
 */
#include "sidecar/exchange.h"

#include <stdlib.h>
#include <string.h>

#include "support/support.h"

#define MS UINT64_C(1000000)
#define START_NS (UINT64_C(1000) * 1000 * MS)
#define EVENTS_MAX 4096
#define RD 0x0100
#define RA 0x0080
#define QR 0x8000
#define A 1
#define SOA 6
#define AXFR 252

enum seen {
	QUERY_IN,
	RESPONSE_OUT,
	QUERY_OUT,
	RESPONSE_IN
};

/* What was handed on; tags go with messages as their sequence number. */
struct event {
	enum exchange_kind kind;
	enum dtap_message_type type;
	uint32_t tag;
	uint64_t query_time_ns;
	size_t query_bytes;
	bool continued;
	bool multicast;
};

static struct {
	struct role_table *roles;
	struct exchange_table *table;
	const char *exe;
	uint64_t now_ns;
	size_t count;
	struct event of[EVENTS_MAX];
} rig;

static const char *
rig_exe(void *user, const struct packet_owner *owner)
{
	ck_assert_ptr_eq(user, &rig);
	ck_assert_ptr_nonnull(owner);
	return rig.exe;
}

static void
rig_catch(void *user, const struct exchange_event *event)
{
	struct event *caught = &rig.of[rig.count++];
	uint32_t sum = 0;

	ck_assert_ptr_eq(user, &rig);
	ck_assert_uint_lt(rig.count, EVENTS_MAX);
	caught->kind = event->kind;
	caught->type = event->verdict.type;
	caught->tag = event->message->tcp_sequence;
	caught->query_time_ns = event->query_time_ns;
	caught->query_bytes = event->query_bytes;
	caught->continued = event->continued;
	caught->multicast = event->multicast;
	ck_assert_int_eq(event->query != NULL, event->query_bytes > 0);
	ck_assert_uint_eq(event->header.id,
			  event->message->payload[0] << 8 |
				  event->message->payload[1]);
	/* For the sanitizer. */
	for (size_t i = 0; i < event->message->payload_bytes; i++)
		sum += event->message->payload[i];
	for (size_t i = 0; i < event->query_bytes; i++)
		sum += event->query[i];
	ck_assert_uint_lt(sum, UINT32_MAX);
}

static void
open_with(const struct exchange_options *options, const char *exe)
{
	memset(&rig, 0, sizeof(rig));
	rig.exe = exe;
	rig.now_ns = START_NS;
	rig.roles = role_table_new();
	ck_assert_ptr_nonnull(rig.roles);
	rig.table = exchange_table_new(options, rig.roles, rig_exe, rig_catch,
				       &rig);
	ck_assert_ptr_nonnull(rig.table);
}

static void
open_rig(const char *exe)
{
	struct exchange_options options = {
		.queries = 100,
		.query_bytes = 100000,
		.timeout_ns = 5000 * MS,
		.hold_ns = 50 * MS,
		.report_unanswered = true,
	};

	open_with(&options, exe);
}

static struct exchange_counters
counters(void)
{
	struct exchange_counters got;

	exchange_table_count(rig.table, &got);
	return got;
}

static void
close_rig(void)
{
	exchange_table_flush(rig.table);
	ck_assert_uint_eq(counters().held, 0);
	ck_assert_uint_eq(counters().waiting, 0);
	ck_assert_uint_eq(counters().query_bytes, 0);
	exchange_table_free(&rig.table);
	ck_assert_ptr_null(rig.table);
	exchange_table_free(&rig.table);
	role_table_free(&rig.roles);
}

/* name: in wire format; NULL leaves the question out. */
static size_t
make_message(uint8_t *octets, uint16_t id, unsigned int flags,
	     const char *name, uint16_t type)
{
	size_t bytes = 12;

	memset(octets, 0, 12);
	octets[0] = (uint8_t)(id >> 8);
	octets[1] = (uint8_t)id;
	octets[2] = (uint8_t)(flags >> 8);
	octets[3] = (uint8_t)flags;
	if (name == NULL)
		return bytes;
	octets[5] = 1;
	memcpy(octets + bytes, name, strlen(name) + 1);
	bytes += strlen(name) + 1;
	octets[bytes++] = (uint8_t)(type >> 8);
	octets[bytes++] = (uint8_t)type;
	octets[bytes++] = 0;
	octets[bytes++] = 1;
	return bytes;
}

static struct packet
packet_of(enum seen seen, uint32_t tag, const uint8_t *octets, size_t bytes)
{
	struct packet packet = {
		.time_ns = rig.now_ns,
		.socket = 1,
		.owner.pid = 1,
		.local.port = 5300,
		.remote.port = 40000,
		.family = DTAP_INET,
		.protocol = PACKET_UDP,
		.direction = seen == QUERY_IN || seen == RESPONSE_IN ?
				     PACKET_RECEIVED :
				     PACKET_SENT,
		.tcp_sequence = tag,
		.payload = octets,
		.payload_bytes = bytes,
	};

	return packet;
}

/* From memory of just this size, which is gone thereafter. */
static void
feed_packet(const struct packet *packet)
{
	struct packet fed = *packet;
	uint8_t *copy = malloc(packet->payload_bytes + 1);

	ck_assert_ptr_nonnull(copy);
	memcpy(copy + 1, packet->payload, packet->payload_bytes);
	fed.payload = copy + 1;
	exchange_table_feed(rig.table, &fed);
	free(copy);
}

static void
feed_type(enum seen seen, uint32_t tag, uint16_t id, unsigned int flags,
	  const char *name, uint16_t type)
{
	uint8_t octets[300];
	struct packet packet;
	size_t bytes;

	if (seen == RESPONSE_OUT || seen == RESPONSE_IN)
		flags |= QR;
	bytes = make_message(octets, id, flags, name, type);
	packet = packet_of(seen, tag, octets, bytes);
	feed_packet(&packet);
}

static void
feed(enum seen seen, uint32_t tag, uint16_t id, const char *name)
{
	feed_type(seen, tag, id, RD, name, A);
}

static void
pass(uint64_t ms)
{
	rig.now_ns += ms * MS;
}

/* The number-th event is this message, of this type. */
static void
expect(size_t number, uint32_t tag, enum dtap_message_type type)
{
	ck_assert_uint_lt(number, rig.count);
	ck_assert_uint_eq(rig.of[number].tag, tag);
	ck_assert_uint_eq(rig.of[number].type, type);
	ck_assert_uint_eq(rig.of[number].kind, EXCHANGE_MESSAGE);
}

static void
expect_query_of(size_t number, uint64_t after_ms)
{
	ck_assert_uint_eq(rig.of[number].query_time_ns,
			  START_NS + after_ms * MS);
	ck_assert_uint_gt(rig.of[number].query_bytes, 0);
}

static void
expect_no_query(size_t number)
{
	ck_assert_uint_eq(rig.of[number].query_time_ns, 0);
	ck_assert_uint_eq(rig.of[number].query_bytes, 0);
}

START_TEST(a_response_has_its_query)
{
	open_rig("unbound");
	feed(QUERY_IN, 1, 7, "\1a");
	pass(10);
	feed(QUERY_OUT, 2, 7, "\1a");
	pass(10);
	feed(RESPONSE_IN, 3, 7, "\1a");
	pass(10);
	feed(RESPONSE_OUT, 4, 7, "\1a");
	ck_assert_uint_eq(rig.count, 4);
	expect(0, 1, DTAP_CLIENT_QUERY);
	expect(1, 2, DTAP_FORWARDER_QUERY);
	expect(2, 3, DTAP_FORWARDER_RESPONSE);
	expect(3, 4, DTAP_CLIENT_RESPONSE);
	expect_no_query(0);
	expect_no_query(1);
	expect_query_of(2, 10);
	expect_query_of(3, 0);
	ck_assert_uint_eq(counters().queries, 2);
	ck_assert_uint_eq(counters().responses, 2);
	ck_assert_uint_eq(counters().unmatched, 0);
	ck_assert_uint_eq(counters().waiting, 0);
	close_rig();
}
END_TEST

START_TEST(names_are_compared_without_case)
{
	open_rig("unbound");
	feed(QUERY_OUT, 1, 7, "\3wWw\2de");
	feed(RESPONSE_IN, 2, 7, "\3WwW\2dE");
	expect_query_of(1, 0);
	close_rig();
}
END_TEST

/* Each differs from the query in one thing. */
START_TEST(other_responses_are_unmatched)
{
	uint8_t octets[300];
	size_t bytes = make_message(octets, 7, QR, "\1a", A);

	open_rig("unbound");
	feed_type(QUERY_OUT, 1, 7, 0, "\1a", A);
	feed_type(RESPONSE_IN, 2, 8, 0, "\1a", A);
	feed_type(RESPONSE_IN, 3, 7, 0, "\1b", A);
	feed_type(RESPONSE_IN, 4, 7, 0, "\1a\1a", A);
	feed_type(RESPONSE_IN, 5, 7, 0, "\1a", SOA);
	feed_type(RESPONSE_OUT, 6, 7, 0, "\1a", A);
	for (uint32_t tag = 7; tag <= 11; tag++) {
		struct packet packet =
			packet_of(RESPONSE_IN, tag, octets, bytes);

		packet.socket += tag == 7;
		packet.remote.port += tag == 8;
		packet.remote.address[3] += tag == 9;
		packet.protocol += tag == 10;
		packet.family += tag == 11;
		feed_packet(&packet);
	}
	/* Another class; and what is no question at all. */
	octets[bytes - 1] = 3;
	for (uint32_t tag = 12; tag <= 13; tag++) {
		struct packet packet =
			packet_of(RESPONSE_IN, tag, octets, bytes);

		feed_packet(&packet);
		octets[12] = 0x7f;
	}
	ck_assert_uint_eq(counters().unmatched, 12);
	ck_assert_uint_eq(rig.count, 13);
	for (size_t i = 1; i < rig.count; i++)
		expect_no_query(i);
	feed_type(RESPONSE_IN, 14, 7, 0, "\1a", A);
	expect_query_of(13, 0);
	close_rig();
}
END_TEST

START_TEST(a_response_without_question_belongs_by_its_id)
{
	open_rig("unbound");
	feed(QUERY_OUT, 1, 7, "\1a");
	feed(RESPONSE_IN, 2, 8, NULL);
	feed(RESPONSE_IN, 3, 7, NULL);
	expect_no_query(1);
	expect_query_of(2, 0);
	/* And a query without one only has such. */
	feed(QUERY_OUT, 4, 9, NULL);
	feed(RESPONSE_IN, 5, 9, "\1a");
	feed(RESPONSE_IN, 6, 9, NULL);
	expect_no_query(4);
	expect_query_of(5, 0);
	close_rig();
}
END_TEST

START_TEST(broken_questions_belong_together)
{
	open_rig("unbound");
	feed(QUERY_OUT, 1, 7, "\1a\100");
	feed(RESPONSE_IN, 2, 7, "\1a\100");
	expect_query_of(1, 0);
	close_rig();
}
END_TEST

START_TEST(each_response_answers_the_oldest_query)
{
	open_rig("unbound");
	feed(QUERY_OUT, 1, 7, "\1a");
	pass(10);
	feed(QUERY_OUT, 2, 7, "\1b");
	pass(10);
	feed(QUERY_OUT, 3, 7, "\1a");
	feed(RESPONSE_IN, 4, 7, "\1a");
	feed(RESPONSE_IN, 5, 7, "\1a");
	feed(RESPONSE_IN, 6, 7, "\1a");
	feed(RESPONSE_IN, 7, 7, "\1b");
	expect_query_of(3, 0);
	expect_query_of(4, 20);
	expect_no_query(5);
	expect_query_of(6, 10);
	ck_assert_uint_eq(counters().unmatched, 1);
	close_rig();
}
END_TEST

START_TEST(the_types_of_responses_follow_the_rd_of_queries)
{
	open_rig("unbound");
	feed_type(QUERY_OUT, 1, 7, RD, "\1a", A);
	feed_type(QUERY_OUT, 2, 8, 0, "\1a", A);
	feed_type(RESPONSE_IN, 3, 7, 0, "\1a", A);
	feed_type(RESPONSE_IN, 4, 8, RD, "\1a", A);
	expect(2, 3, DTAP_FORWARDER_RESPONSE);
	expect(3, 4, DTAP_RESOLVER_RESPONSE);
	close_rig();
}
END_TEST

START_TEST(a_query_of_unknown_type_waits_for_its_response)
{
	open_rig("named");
	feed(QUERY_IN, 1, 7, "\1a");
	ck_assert_uint_eq(rig.count, 0);
	ck_assert_uint_eq(counters().held, 1);
	/* Others do not wait for it. */
	feed(QUERY_OUT, 2, 9, "\1a");
	pass(10);
	feed_type(RESPONSE_OUT, 3, 7, RD | RA, "\1a", A);
	ck_assert_uint_eq(rig.count, 3);
	expect(0, 2, DTAP_FORWARDER_QUERY);
	expect(1, 1, DTAP_CLIENT_QUERY);
	expect(2, 3, DTAP_CLIENT_RESPONSE);
	expect_query_of(2, 0);
	/* Now it is known. */
	feed(QUERY_IN, 4, 8, "\1a");
	ck_assert_uint_eq(rig.count, 4);
	close_rig();
}
END_TEST

START_TEST(a_query_is_held_back_for_hold_ns_at_most)
{
	open_rig("named");
	feed(QUERY_IN, 1, 7, "\1a");
	ck_assert_uint_eq(exchange_table_expire(rig.table, rig.now_ns),
			  START_NS + 50 * MS);
	exchange_table_expire(rig.table, START_NS + 50 * MS - 1);
	ck_assert_uint_eq(rig.count, 0);
	ck_assert_uint_eq(exchange_table_expire(rig.table, START_NS + 50 * MS),
			  START_NS + 5000 * MS);
	ck_assert_uint_eq(rig.count, 1);
	expect(0, 1, DTAP_CLIENT_QUERY);
	/* It still has its response. */
	pass(60);
	feed_type(RESPONSE_OUT, 2, 7, RD, "\1a", A);
	expect(1, 2, DTAP_AUTH_RESPONSE);
	expect_query_of(1, 0);
	close_rig();
}
END_TEST

START_TEST(any_later_packet_ends_the_wait)
{
	open_rig("named");
	feed(QUERY_IN, 1, 7, "\1a");
	pass(50);
	feed(RESPONSE_IN, 2, 7, "\1z");
	expect(0, 1, DTAP_CLIENT_QUERY);
	expect(1, 2, DTAP_FORWARDER_RESPONSE);
	close_rig();
}
END_TEST

START_TEST(with_hold_ns_0_nothing_is_held_back)
{
	struct exchange_options options = { 10, 1000, 5000 * MS, 0, true };

	open_with(&options, "named");
	feed(QUERY_IN, 1, 7, "\1a");
	expect(0, 1, DTAP_CLIENT_QUERY);
	close_rig();
}
END_TEST

START_TEST(an_unanswered_query_is_reported_once)
{
	open_rig("unbound");
	feed(QUERY_OUT, 1, 7, "\1a");
	pass(1);
	feed(QUERY_OUT, 2, 8, "\1a");
	ck_assert_uint_eq(exchange_table_expire(rig.table, rig.now_ns),
			  START_NS + 5000 * MS);
	ck_assert_uint_eq(
		exchange_table_expire(rig.table, START_NS + 5000 * MS),
		START_NS + 5001 * MS);
	ck_assert_uint_eq(rig.count, 3);
	ck_assert_uint_eq(rig.of[2].kind, EXCHANGE_UNANSWERED);
	ck_assert_uint_eq(rig.of[2].tag, 1);
	ck_assert_uint_eq(rig.of[2].type, DTAP_FORWARDER_QUERY);
	ck_assert_uint_eq(
		exchange_table_expire(rig.table, START_NS + 5001 * MS),
		UINT64_MAX);
	ck_assert_uint_eq(rig.count, 4);
	ck_assert_uint_eq(counters().unanswered, 2);
	/* What comes after that comes too late. */
	pass(6000);
	feed(RESPONSE_IN, 3, 7, "\1a");
	expect_no_query(4);
	ck_assert_uint_eq(counters().unmatched, 1);
	close_rig();
	ck_assert_uint_eq(rig.count, 5);
}
END_TEST

START_TEST(reports_are_an_option)
{
	struct exchange_options options = { 10, 1000, 100 * MS, 0, false };

	open_with(&options, "unbound");
	feed(QUERY_OUT, 1, 7, "\1a");
	exchange_table_expire(rig.table, START_NS + 100 * MS);
	ck_assert_uint_eq(rig.count, 1);
	ck_assert_uint_eq(counters().unanswered, 1);
	close_rig();
}
END_TEST

/* As TCP may have it, which waits for what was lost. */
START_TEST(older_packets_do_not_turn_back_the_clock)
{
	open_rig("unbound");
	feed(QUERY_OUT, 1, 7, "\1a");
	rig.now_ns -= 3000 * MS;
	feed(QUERY_OUT, 2, 8, "\1a");
	exchange_table_expire(rig.table, START_NS + 4999 * MS);
	ck_assert_uint_eq(rig.count, 2);
	exchange_table_expire(rig.table, START_NS + 5000 * MS);
	ck_assert_uint_eq(rig.count, 4);
	close_rig();
}
END_TEST

static void
feed_tcp(enum seen seen, uint32_t tag, const char *name, uint16_t type)
{
	uint8_t octets[300];
	bool response = seen == RESPONSE_OUT || seen == RESPONSE_IN;
	size_t bytes =
		make_message(octets, 7, response ? QR : 0, name, type);
	struct packet packet = packet_of(seen, tag, octets, bytes);

	packet.protocol = PACKET_TCP;
	feed_packet(&packet);
}

START_TEST(a_transfer_has_many_responses)
{
	open_rig("knotd");
	feed_tcp(QUERY_IN, 1, "\1a", AXFR);
	feed_tcp(RESPONSE_OUT, 2, "\1a", AXFR);
	pass(4000);
	feed_tcp(RESPONSE_OUT, 3, NULL, 0);
	pass(4000);
	feed_tcp(RESPONSE_OUT, 4, NULL, 0);
	for (size_t i = 1; i <= 3; i++) {
		expect_query_of(i, 0);
		ck_assert_int_eq(rig.of[i].continued, i > 1);
		ck_assert_uint_eq(rig.of[i].type, DTAP_AUTH_RESPONSE);
	}
	ck_assert_uint_eq(counters().unmatched, 0);
	/* Not for ever, and it was answered. */
	pass(5000);
	feed_tcp(RESPONSE_OUT, 5, NULL, 0);
	expect_no_query(4);
	ck_assert_uint_eq(counters().unanswered, 0);
	close_rig();
}
END_TEST

START_TEST(a_transfer_over_udp_has_one_response)
{
	open_rig("knotd");
	feed_type(QUERY_IN, 1, 7, 0, "\1a", AXFR - 1);
	feed_type(RESPONSE_OUT, 2, 7, 0, "\1a", AXFR - 1);
	feed_type(RESPONSE_OUT, 3, 7, 0, "\1a", AXFR - 1);
	expect_query_of(1, 0);
	expect_no_query(2);
	close_rig();
}
END_TEST

START_TEST(a_connection_carries_many_queries)
{
	open_rig("unbound");
	feed_tcp(QUERY_IN, 1, "\1a", A);
	feed_tcp(QUERY_IN, 2, "\1a", SOA);
	pass(1);
	feed_tcp(QUERY_IN, 3, "\1b", A);
	feed_tcp(RESPONSE_OUT, 4, "\1b", A);
	feed_tcp(RESPONSE_OUT, 5, "\1a", SOA);
	feed_tcp(RESPONSE_OUT, 6, "\1a", A);
	expect_query_of(3, 1);
	expect_query_of(4, 0);
	expect_query_of(5, 0);
	ck_assert_uint_eq(counters().waiting, 0);
	close_rig();
}
END_TEST

static void
feed_multicast(enum seen seen, uint32_t tag)
{
	uint8_t octets[300];
	size_t bytes = make_message(octets, 0,
				    seen == RESPONSE_IN ? QR : 0, "\1a", A);
	struct packet packet = packet_of(seen, tag, octets, bytes);

	packet.local.port = 5353;
	packet.remote.port = 5353;
	feed_packet(&packet);
}

START_TEST(in_multicast_nothing_belongs_together)
{
	open_rig("avahi-daemon");
	feed_multicast(QUERY_OUT, 1);
	feed_multicast(RESPONSE_IN, 2);
	feed_multicast(RESPONSE_IN, 3);
	exchange_table_expire(rig.table, START_NS + 9000 * MS);
	ck_assert_uint_eq(rig.count, 3);
	expect(0, 1, DTAP_STUB_QUERY);
	expect(1, 2, DTAP_STUB_RESPONSE);
	expect_no_query(1);
	ck_assert(rig.of[0].multicast && rig.of[2].multicast);
	ck_assert_uint_eq(counters().unmatched, 0);
	ck_assert_uint_eq(counters().unanswered, 0);
	close_rig();
}
END_TEST

START_TEST(dns_may_be_offered_at_that_port)
{
	uint8_t octets[300];
	size_t bytes = make_message(octets, 7, RD, "\1a", A);
	struct packet packet;

	open_rig("coredns");
	packet = packet_of(QUERY_IN, 1, octets, bytes);
	packet.local.port = 5353;
	feed_packet(&packet);
	octets[2] |= 0x80;
	packet = packet_of(RESPONSE_OUT, 2, octets, bytes);
	packet.local.port = 5353;
	feed_packet(&packet);
	expect(0, 1, DTAP_CLIENT_QUERY);
	expect_query_of(1, 0);
	ck_assert(!rig.of[0].multicast);
	close_rig();
}
END_TEST

START_TEST(notices_expect_no_answer)
{
	open_rig("unbound");
	feed_type(QUERY_IN, 1, 0, 6 << 11, NULL, 0);
	ck_assert_uint_eq(counters().waiting, 0);
	feed_type(QUERY_IN, 2, 1, 6 << 11, NULL, 0);
	ck_assert_uint_eq(counters().waiting, 1);
	close_rig();
}
END_TEST

START_TEST(what_is_too_short_is_counted)
{
	uint8_t octets[12] = { 0 };

	open_rig("unbound");
	for (size_t bytes = 0; bytes <= 12; bytes++) {
		struct packet packet = packet_of(QUERY_IN, 1, octets, bytes);

		feed_packet(&packet);
	}
	ck_assert_uint_eq(counters().malformed, 12);
	ck_assert_uint_eq(rig.count, 1);
	close_rig();
}
END_TEST

START_TEST(the_oldest_query_makes_room)
{
	struct exchange_options options = { 3, 1000, 5000 * MS, 50 * MS, true };

	open_with(&options, "named");
	for (uint16_t id = 1; id <= 4; id++) {
		feed(QUERY_IN, id, id, "\1a");
		ck_assert_uint_le(counters().waiting, 3);
	}
	/* It was held back: it does not vanish. */
	ck_assert_uint_eq(rig.count, 1);
	expect(0, 1, DTAP_CLIENT_QUERY);
	ck_assert_uint_eq(counters().evicted, 1);
	feed(RESPONSE_OUT, 5, 1, "\1a");
	expect_no_query(1);
	close_rig();
	ck_assert_uint_eq(rig.count, 5);
}
END_TEST

START_TEST(octets_are_bounded)
{
	struct exchange_options options = { 100, 64, 5000 * MS, 0, true };
	uint8_t octets[100] = { 0 };
	struct packet packet;

	open_with(&options, "unbound");
	for (uint16_t id = 1; id <= 9; id++) {
		feed(QUERY_IN, id, id, "\1a");
		ck_assert_uint_le(counters().query_bytes, 64);
	}
	ck_assert_uint_eq(counters().waiting, 3);
	/* Too long to be remembered: handed on all the same. */
	packet = packet_of(QUERY_IN, 10, octets, 65);
	feed_packet(&packet);
	expect(9, 10, DTAP_CLIENT_QUERY);
	ck_assert_uint_eq(counters().waiting, 3);
	ck_assert_uint_eq(counters().evicted, 7);
	close_rig();
}
END_TEST

/* Else each would be compared with all. */
START_TEST(only_some_queries_with_one_id_wait)
{
	open_rig("unbound");
	for (uint32_t tag = 1; tag <= 50; tag++)
		feed(QUERY_IN, tag, 7, "\1a");
	ck_assert_uint_eq(counters().waiting, 16);
	ck_assert_uint_eq(counters().evicted, 34);
	close_rig();
}
END_TEST

START_TEST(options_that_allow_no_query_are_refused)
{
	struct exchange_options options = { 0, 1000, 1, 1, true };

	ck_assert_ptr_null(
		exchange_table_new(&options, NULL, rig_exe, rig_catch, &rig));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("sidecar exchange");

	support_add(suite, a_response_has_its_query);
	support_add(suite, names_are_compared_without_case);
	support_add(suite, other_responses_are_unmatched);
	support_add(suite, a_response_without_question_belongs_by_its_id);
	support_add(suite, broken_questions_belong_together);
	support_add(suite, each_response_answers_the_oldest_query);
	support_add(suite, the_types_of_responses_follow_the_rd_of_queries);
	support_add(suite, a_query_of_unknown_type_waits_for_its_response);
	support_add(suite, a_query_is_held_back_for_hold_ns_at_most);
	support_add(suite, any_later_packet_ends_the_wait);
	support_add(suite, with_hold_ns_0_nothing_is_held_back);
	support_add(suite, an_unanswered_query_is_reported_once);
	support_add(suite, reports_are_an_option);
	support_add(suite, older_packets_do_not_turn_back_the_clock);
	support_add(suite, a_transfer_has_many_responses);
	support_add(suite, a_transfer_over_udp_has_one_response);
	support_add(suite, a_connection_carries_many_queries);
	support_add(suite, in_multicast_nothing_belongs_together);
	support_add(suite, dns_may_be_offered_at_that_port);
	support_add(suite, notices_expect_no_answer);
	support_add(suite, what_is_too_short_is_counted);
	support_add(suite, the_oldest_query_makes_room);
	support_add(suite, octets_are_bounded);
	support_add(suite, only_some_queries_with_one_id_wait);
	support_add(suite, options_that_allow_no_query_are_refused);
	return support_run(suite);
}
