/* SPDX-License-Identifier: Apache-2.0 */
/* The three formats of dtap-cat, and what they make of odd messages. */
#include "cat/cat_print.h"

#include "cat/cat_loss.h"
#include "support/support.h"

#define BIT(field) (1u << (field))
#define ALL_FIELDS 0x1fffeu

static struct text text;

static const char *
printed(cat_print_function *print, const struct dtap_message *message)
{
	static char copy[TEXT_BUFFER_BYTES + 1];

	text_init(&text, -1);
	print(&text, message);
	memcpy(copy, text.data, text.used);
	copy[text.used] = '\0';
	return copy;
}

static struct dtap_bytes
bytes_of(const char *string)
{
	struct dtap_bytes bytes = {string, strlen(string)};

	return bytes;
}

static void
set_octets(struct dtap_event *event)
{
	static const char query[] =
		"\x12\x34\1\0\0\1\0\0\0\0\0\0\1a\0\0\34\0\1";
	static const char response[] =
		"\x12\x34\x81\x83\0\1\0\0\0\0\0\0\1a\0\0\34\0\1";

	event->query_message = query;
	event->query_message_bytes = sizeof(query) - 1;
	event->response_message = response;
	event->response_message_bytes = sizeof(response) - 1;
}

/* A response with everything in it; tests take away what they need. */
static struct dtap_message
full_response(void)
{
	static const uint8_t ipv6[16] = {0x20, 1, 0xd, 0xb8, [15] = 1};
	struct dtap_message message = DTAP_MESSAGE_INIT;
	struct dtap_event *event = &message.event;

	message.present = ALL_FIELDS & ~BIT(FIELD_HTTP_PROTOCOL);
	message.dnstap_type = 1;
	message.identity = bytes_of("ns1");
	message.version = bytes_of("v 1");
	event->type = DTAP_CLIENT_RESPONSE;
	event->socket_family = DTAP_INET6;
	event->socket_protocol = DTAP_TCP;
	event->query_address = ipv6;
	event->query_address_bytes = 16;
	event->response_address = "\xc0\0\2\1";
	event->response_address_bytes = 4;
	event->query_port = 4000;
	event->response_port = 53;
	event->query_time_sec = 1795000000;
	event->query_time_nsec = 500000000;
	event->response_time_sec = 1795000001;
	event->response_time_nsec = 123456789;
	event->query_zone = "\3com\0";
	event->query_zone_bytes = 5;
	set_octets(event);
	message.policy_type = bytes_of("RPZ");
	message.policy.action = DTAP_ACTION_DROP;
	message.policy.match = DTAP_MATCH_QNAME;
	message.policy.rule = "\1b\0";
	message.policy.rule_bytes = 3;
	message.policy.value = "\1c\0";
	message.policy.value_bytes = 3;
	return message;
}

START_TEST(line_of_a_response)
{
	struct dtap_message message = full_response();

	ck_assert_str_eq(printed(cat_print_line, &message),
			 "2026-11-18 11:06:41.123456 CR [2001:db8::1]:4000 <- "
			 "192.0.2.1:53 TCP 19b a. IN AAAA NXDOMAIN 623.456ms "
			 "id=\"ns1\"\n");
}
END_TEST

START_TEST(line_of_a_query)
{
	struct dtap_message message = full_response();

	message.event.type = DTAP_RESOLVER_QUERY;
	message.event.http_protocol = DTAP_HTTP2;
	message.event.socket_protocol = DTAP_DOH;
	message.present = ALL_FIELDS & ~BIT(FIELD_RESPONSE_TIME_SEC);
	message.identity.bytes = 0;
	ck_assert_str_eq(printed(cat_print_line, &message),
			 "2026-11-18 11:06:40.500000 RQ [2001:db8::1]:4000 -> "
			 "192.0.2.1:53 DOH/HTTP2 19b a. IN AAAA\n");
}
END_TEST

START_TEST(line_of_an_empty_message)
{
	struct dtap_message message = DTAP_MESSAGE_INIT;

	message.dnstap_type = 1;
	message.present = BIT(FIELD_TYPE);
	message.event.type = DTAP_CLIENT_QUERY;
	ck_assert_str_eq(printed(cat_print_line, &message),
			 "? ? CQ ? -> ? ? 0b ? ? ?\n");
	message.event.type = 0;
	ck_assert_str_eq(printed(cat_print_line, &message),
			 "? ? ?? ? <- ? ? 0b ? ? ?\n");
	message.present = 0;
	ck_assert_str_eq(printed(cat_print_line, &message),
			 "? ? Dnstap.type=1\n");
}
END_TEST

START_TEST(line_shows_negative_latency_and_drops_absurd_one)
{
	struct dtap_message message = full_response();

	message.event.query_time_sec = 1795000002;
	ck_assert_ptr_nonnull(strstr(printed(cat_print_line, &message),
				     " -1376.543ms "));
	message.event.query_time_sec = 1;
	ck_assert_ptr_null(strstr(printed(cat_print_line, &message), "ms "));
	message.event.query_time_sec = UINT64_MAX;
	message.event.response_time_sec = (uint64_t)1 << 63;
	ck_assert_ptr_null(strstr(printed(cat_print_line, &message), "ms "));
}
END_TEST

START_TEST(line_makes_loss_stand_out)
{
	struct dtap_message message = full_response();

	message.extra = bytes_of("dtap.lost=1532 dtap.cause=full dtap.last=9");
	ck_assert_ptr_nonnull(strstr(printed(cat_print_line, &message),
				     " id=\"ns1\" LOSS 1532 full\n"));
	message.extra = bytes_of("own \x1b[ text dtap.lost=2\x1b");
	ck_assert_ptr_nonnull(strstr(printed(cat_print_line, &message),
				     " extra=\"own \\x1b[ text\" LOSS 2?\n"));
	message.extra = bytes_of("xdtap.lost=2");
	ck_assert_ptr_nonnull(strstr(printed(cat_print_line, &message),
				     " extra=\"xdtap.lost=2\"\n"));
}
END_TEST

START_TEST(loss_is_read_from_the_last_report)
{
	struct cat_loss loss;

	ck_assert(cat_loss_read(
		bytes_of("dtap.lost=1 dtap.cause=a dtap.lost=2"), &loss));
	ck_assert_uint_eq(loss.count.bytes, 1);
	ck_assert_mem_eq(loss.count.data, "2", 1);
	ck_assert_uint_eq(loss.cause.bytes, 0);
	ck_assert(cat_loss_read(bytes_of("dtap.lost="), &loss));
	ck_assert_uint_eq(loss.count.bytes, 0);
	ck_assert(!cat_loss_read(bytes_of("dtap.lost"), &loss));
	ck_assert(!cat_loss_read((struct dtap_bytes){NULL, 0}, &loss));
}
END_TEST

START_TEST(quiet_line)
{
	struct dtap_message message = full_response();

	ck_assert_str_eq(printed(cat_print_quiet, &message),
			 "2026-11-18 11:06:41.123456 CR 2001:db8::1 TCP 19b "
			 "\"a.\" IN AAAA\n");
	message.event.type = DTAP_STUB_QUERY;
	message.event.socket_protocol = DTAP_DOT;
	message.present &= ~BIT(FIELD_QUERY_TIME_NSEC);
	ck_assert_str_eq(printed(cat_print_quiet, &message),
			 "\?\?:\?\?:\?\?.\?\?\?\?\?\? SQ 192.0.2.1 ? 19b "
			 "\"a.\" IN AAAA\n");
	message.event.type = DTAP_UPDATE_QUERY;
	ck_assert_str_eq(printed(cat_print_quiet, &message),
			 "[unhandled Dnstap.Message.Type]\n");
	message.dnstap_type = 2;
	ck_assert_str_eq(printed(cat_print_quiet, &message),
			 "[unhandled Dnstap.Type]\n");
}
END_TEST

START_TEST(json_of_a_response)
{
	struct dtap_message message = full_response();

	message.extra = bytes_of("e\"x");
	ck_assert_str_eq(
		printed(cat_print_json, &message),
		"{\"type\":\"MESSAGE\",\"identity\":\"ns1\","
		"\"version\":\"v 1\",\"extra\":\"e\\\"x\","
		"\"message\":{\"type\":\"CLIENT_RESPONSE\","
		"\"query_time\":\"2026-11-18T11:06:40.500000000Z\","
		"\"response_time\":\"2026-11-18T11:06:41.123456789Z\","
		"\"socket_family\":\"INET6\",\"socket_protocol\":\"TCP\","
		"\"query_address\":\"2001:db8::1\","
		"\"response_address\":\"192.0.2.1\",\"query_port\":4000,"
		"\"response_port\":53,\"query_zone\":\"com.\","
		"\"policy\":{\"type\":\"RPZ\",\"rule\":\"b.\","
		"\"action\":\"DROP\",\"match\":\"QNAME\",\"value\":\"c.\"},"
		"\"query_message_bytes\":19,"
		"\"query_message_base64\":\"EjQBAAABAAAAAAAAAWEAABwAAQ==\","
		"\"response_message_bytes\":19,"
		"\"response_message_base64\":\"EjSBgwABAAAAAAAAAWEAABwAAQ==\"},"
		"\"dns\":{\"id\":4660,\"opcode\":\"QUERY\","
		"\"rcode\":\"NXDOMAIN\",\"flags\":{\"qr\":true,\"aa\":false,"
		"\"tc\":false,\"rd\":true,\"ra\":true,\"ad\":false,"
		"\"cd\":false},\"qname\":\"a.\",\"qtype\":\"AAAA\","
		"\"qclass\":\"IN\",\"qdcount\":1,\"ancount\":0,\"nscount\":0,"
		"\"arcount\":0}}\n");
}
END_TEST

START_TEST(json_leaves_out_what_is_absent_or_impossible)
{
	struct dtap_message message = DTAP_MESSAGE_INIT;

	ck_assert_str_eq(printed(cat_print_json, &message),
			 "{\"type\":\"0\"}\n");
	message.dnstap_type = 1;
	message.present = BIT(FIELD_TYPE) | BIT(FIELD_QUERY_TIME_SEC) |
			  BIT(FIELD_RESPONSE_TIME_SEC) |
			  BIT(FIELD_QUERY_ADDRESS) | BIT(FIELD_SOCKET_FAMILY);
	message.event.type = 77;
	message.event.socket_family = 9;
	message.event.query_time_sec = 253402300800;
	message.event.response_time_nsec = 1000000000;
	message.event.query_address = "\1\2\xab";
	message.event.query_address_bytes = 3;
	ck_assert_str_eq(printed(cat_print_json, &message),
			 "{\"type\":\"MESSAGE\",\"message\":{\"type\":\"77\","
			 "\"socket_family\":\"9\","
			 "\"query_address\":\"?0102ab\"}}\n");
}
END_TEST

START_TEST(json_shows_policies_by_what_they_match)
{
	struct dtap_message message = full_response();

	message.policy.match = DTAP_MATCH_CLIENT_IP;
	message.policy.value = "\xc0\0\2\1";
	message.policy.value_bytes = 4;
	message.policy.rule = "no name";
	message.policy.rule_bytes = 7;
	message.policy.action = 99;
	ck_assert_ptr_nonnull(strstr(printed(cat_print_json, &message),
				     "\"rule\":\"no name\",\"action\":\"99\","
				     "\"match\":\"CLIENT_IP\","
				     "\"value\":\"192.0.2.1\"}"));
}
END_TEST

START_TEST(json_tells_malformed_messages)
{
	struct dtap_message message = full_response();

	message.event.response_message_bytes--;
	ck_assert_ptr_nonnull(strstr(printed(cat_print_json, &message),
				     "\"arcount\":0,\"malformed\":true}}\n"));
	message.event.response_message_bytes = 11;
	ck_assert_ptr_null(strstr(printed(cat_print_json, &message),
				  "\"dns\":"));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("cat_print");

	support_add(suite, line_of_a_response);
	support_add(suite, line_of_a_query);
	support_add(suite, line_of_an_empty_message);
	support_add(suite, line_shows_negative_latency_and_drops_absurd_one);
	support_add(suite, line_makes_loss_stand_out);
	support_add(suite, loss_is_read_from_the_last_report);
	support_add(suite, quiet_line);
	support_add(suite, json_of_a_response);
	support_add(suite, json_leaves_out_what_is_absent_or_impossible);
	support_add(suite, json_shows_policies_by_what_they_match);
	support_add(suite, json_tells_malformed_messages);
	return support_run(suite);
}
