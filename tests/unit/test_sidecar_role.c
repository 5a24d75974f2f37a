/* SPDX-License-Identifier: Apache-2.0 */
/* role.c: the table of role.h, line by line; what is learnt, and from whom. */
#include "sidecar/role.h"

#include <string.h>

#include "support/support.h"

#define RD 0x0100
#define RA 0x0080
#define QR 0x8000
#define REFUSED 5
#define UPDATE (5 << 11)
#define NO_HEADER 0xffffffff

enum seen {
	QUERY_IN,
	RESPONSE_OUT,
	QUERY_OUT,
	RESPONSE_IN
};

static struct role_table *table;
static uint8_t octets[12];

static void
open_table(void)
{
	table = role_table_new();
	ck_assert_ptr_nonnull(table);
}

static struct packet
message_of(uint32_t pid, enum seen seen, unsigned int flags)
{
	struct packet message = {
		.family = DTAP_INET,
		.protocol = PACKET_UDP,
		.direction = seen == QUERY_IN || seen == RESPONSE_IN ?
				     PACKET_RECEIVED :
				     PACKET_SENT,
		.local.port = 5300,
		.remote.port = 40000,
		.owner.pid = pid,
		.payload = octets,
		.payload_bytes = sizeof(octets),
	};

	if (seen == RESPONSE_OUT || seen == RESPONSE_IN)
		flags |= QR;
	octets[2] = (uint8_t)(flags >> 8);
	octets[3] = (uint8_t)flags;
	return message;
}

static struct role_verdict
decide_with(const struct packet *message, const char *exe, unsigned int other)
{
	struct role_header header = { .flags = (uint16_t)other };
	struct role_header *given = other == NO_HEADER ? NULL : &header;

	return (message->payload[2] & 0x80) != 0 ?
		       role_table_decide(table, message, exe, given, NULL) :
		       role_table_decide(table, message, exe, NULL, given);
}

static struct role_verdict
decide(uint32_t pid, const char *exe, enum seen seen, unsigned int flags)
{
	struct packet message = message_of(pid, seen, flags);

	return decide_with(&message, exe, NO_HEADER);
}

#define expect(verdict, expected_type, expected_confidence) \
	do { \
		struct role_verdict got = (verdict); \
		ck_assert_uint_eq(got.type, (expected_type)); \
		ck_assert_uint_eq(got.confidence, (expected_confidence)); \
	} while (0)

START_TEST(known_programs_have_their_types)
{
	static const struct {
		const char *exe;
		enum dtap_message_type server; /* 0: learnt */
		enum dtap_message_type client_rd;
		enum dtap_message_type client;
	} programs[] = {
		{ "nsd", DTAP_AUTH_QUERY, DTAP_FORWARDER_QUERY,
		  DTAP_RESOLVER_QUERY },
		{ "knotd", DTAP_AUTH_QUERY, DTAP_FORWARDER_QUERY,
		  DTAP_RESOLVER_QUERY },
		{ "unbound", DTAP_CLIENT_QUERY, DTAP_FORWARDER_QUERY,
		  DTAP_RESOLVER_QUERY },
		{ "dnsdist", DTAP_CLIENT_QUERY, DTAP_FORWARDER_QUERY,
		  DTAP_FORWARDER_QUERY },
		{ "named", 0, DTAP_FORWARDER_QUERY, DTAP_RESOLVER_QUERY },
		{ "dig", 0, DTAP_TOOL_QUERY, DTAP_TOOL_QUERY },
		{ "nscd", 0, DTAP_STUB_QUERY, DTAP_STUB_QUERY },
	};

	open_table();
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		const char *exe = programs[i].exe;

		expect(decide(1, exe, QUERY_OUT, RD), programs[i].client_rd,
		       ROLE_KNOWN);
		expect(decide(1, exe, QUERY_OUT, 0), programs[i].client,
		       ROLE_KNOWN);
		expect(decide(1, exe, RESPONSE_IN, RD),
		       programs[i].client_rd + 1, ROLE_KNOWN);
		if (programs[i].server == 0)
			continue;
		for (unsigned int flags = 0; flags <= RD; flags += RD) {
			expect(decide(1, exe, QUERY_IN, flags),
			       programs[i].server, ROLE_KNOWN);
			expect(decide(1, exe, RESPONSE_OUT, flags),
			       programs[i].server + 1, ROLE_KNOWN);
			ck_assert(!decide(1, exe, QUERY_IN, flags)
					   .wants_response);
		}
	}
	role_table_free(&table);
}
END_TEST

START_TEST(a_response_has_the_rd_of_its_query)
{
	struct packet message;

	open_table();
	message = message_of(1, RESPONSE_IN, 0);
	expect(decide_with(&message, "unbound", RD), DTAP_FORWARDER_RESPONSE,
	       ROLE_KNOWN);
	message = message_of(1, RESPONSE_IN, RD);
	expect(decide_with(&message, "unbound", 0), DTAP_RESOLVER_RESPONSE,
	       ROLE_KNOWN);
	message = message_of(1, RESPONSE_OUT, RA);
	expect(decide_with(&message, "named", RD), DTAP_CLIENT_RESPONSE,
	       ROLE_LEARNT);
	role_table_free(&table);
}
END_TEST

START_TEST(an_update_is_told_by_its_opcode)
{
	open_table();
	expect(decide(1, "unbound", QUERY_IN, UPDATE), DTAP_UPDATE_QUERY,
	       ROLE_TOLD);
	expect(decide(1, "", RESPONSE_OUT, UPDATE), DTAP_UPDATE_RESPONSE,
	       ROLE_TOLD);
	expect(decide(1, "nsupdate", QUERY_OUT, UPDATE), DTAP_TOOL_QUERY,
	       ROLE_KNOWN);
	role_table_free(&table);
}
END_TEST

START_TEST(a_server_is_learnt_by_ra)
{
	struct packet message;

	open_table();
	expect(decide(1, "named", QUERY_IN, RD), DTAP_CLIENT_QUERY,
	       ROLE_GUESSED);
	ck_assert(decide(1, "named", QUERY_IN, RD).wants_response);
	/* Without RD there is nothing to wait for. */
	expect(decide(1, "named", QUERY_IN, 0), DTAP_AUTH_QUERY, ROLE_LEARNT);
	ck_assert(!decide(1, "named", QUERY_IN, 0).wants_response);
	/* The response held against its query. */
	message = message_of(1, QUERY_IN, RD);
	expect(decide_with(&message, "named", QR | RD), DTAP_AUTH_QUERY,
	       ROLE_LEARNT);
	expect(decide_with(&message, "named", QR | RD | RA),
	       DTAP_CLIENT_QUERY, ROLE_LEARNT);
	/* What it says itself, from then on. */
	expect(decide(1, "named", RESPONSE_OUT, RD), DTAP_AUTH_RESPONSE,
	       ROLE_LEARNT);
	expect(decide(1, "named", QUERY_IN, RD), DTAP_AUTH_QUERY, ROLE_LEARNT);
	ck_assert(!decide(1, "named", QUERY_IN, RD).wants_response);
	expect(decide(2, "named", RESPONSE_OUT, RD | RA), DTAP_CLIENT_RESPONSE,
	       ROLE_LEARNT);
	expect(decide(2, "named", QUERY_IN, RD), DTAP_CLIENT_QUERY,
	       ROLE_LEARNT);
	/* And to some this, to others that: each response tells. */
	expect(decide(2, "named", RESPONSE_OUT, RD | REFUSED),
	       DTAP_AUTH_RESPONSE, ROLE_LEARNT);
	ck_assert(decide(2, "named", QUERY_IN, RD).wants_response);
	role_table_free(&table);
}
END_TEST

START_TEST(format_errors_teach_nothing)
{
	open_table();
	decide(1, "named", RESPONSE_OUT, 1);
	ck_assert(decide(1, "named", QUERY_IN, RD).wants_response);
	decide(1, "named", RESPONSE_OUT, 4);
	ck_assert(decide(1, "named", QUERY_IN, RD).wants_response);
	role_table_free(&table);
}
END_TEST

START_TEST(who_only_asks_is_a_stub)
{
	open_table();
	for (int i = 1; i < 8; i++)
		expect(decide(1, "python3", QUERY_OUT, RD), DTAP_STUB_QUERY,
		       ROLE_GUESSED);
	expect(decide(1, "python3", RESPONSE_IN, RD), DTAP_STUB_RESPONSE,
	       ROLE_LEARNT);
	role_table_free(&table);
}
END_TEST

START_TEST(who_answers_is_a_server)
{
	open_table();
	decide(1, "blocky", RESPONSE_OUT, RD | RA);
	expect(decide(1, "blocky", QUERY_OUT, RD), DTAP_FORWARDER_QUERY,
	       ROLE_LEARNT);
	expect(decide(1, "blocky", QUERY_OUT, 0), DTAP_RESOLVER_QUERY,
	       ROLE_LEARNT);
	role_table_free(&table);
}
END_TEST

START_TEST(others_cannot_make_a_client_a_server)
{
	struct packet message;

	open_table();
	decide(1, "curl", QUERY_IN, RD);
	expect(decide(1, "curl", QUERY_OUT, RD), DTAP_STUB_QUERY,
	       ROLE_GUESSED);
	/* Unless it listens where servers do. */
	message = message_of(1, QUERY_IN, RD);
	message.local.port = 53;
	decide_with(&message, "curl", NO_HEADER);
	expect(decide(1, "curl", QUERY_OUT, RD), DTAP_FORWARDER_QUERY,
	       ROLE_LEARNT);
	role_table_free(&table);
}
END_TEST

START_TEST(another_program_under_the_same_pid_starts_anew)
{
	open_table();
	decide(1, "one", RESPONSE_OUT, RD | RA);
	expect(decide(1, "other", QUERY_OUT, RD), DTAP_STUB_QUERY,
	       ROLE_GUESSED);
	ck_assert(decide(1, "other", QUERY_IN, RD).wants_response);
	role_table_free(&table);
}
END_TEST

START_TEST(without_a_pid_nothing_is_remembered)
{
	open_table();
	for (int i = 0; i < 20; i++)
		decide(0, "", RESPONSE_OUT, RD | RA);
	expect(decide(0, "", QUERY_OUT, RD), DTAP_STUB_QUERY, ROLE_GUESSED);
	ck_assert(decide(0, "", QUERY_IN, RD).wants_response);
	role_table_free(&table);
}
END_TEST

START_TEST(the_operator_is_right)
{
	open_table();
	ck_assert(role_table_override(table, "unbound=auth"));
	ck_assert(role_table_override(table, "my=server=recursive"));
	ck_assert(role_table_override(table, "dig=stub"));
	ck_assert(role_table_override(table, "dig=learn"));
	expect(decide(1, "unbound", QUERY_IN, RD), DTAP_AUTH_QUERY, ROLE_TOLD);
	expect(decide(2, "my=server", QUERY_IN, RD), DTAP_CLIENT_QUERY,
	       ROLE_TOLD);
	expect(decide(3, "dig", QUERY_OUT, RD), DTAP_STUB_QUERY, ROLE_GUESSED);
	role_table_free(&table);
}
END_TEST

START_TEST(other_texts_are_refused)
{
	static const char *const refused[] = { "",	   "unbound",
					       "=auth",	   "unbound=",
					       "unbound=a", "unbound=authx" };

	open_table();
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		ck_assert(!role_table_override(table, refused[i]));
	for (int i = 0; i < ROLE_OVERRIDES_MAX; i++)
		ck_assert(role_table_override(table, "a=tool"));
	ck_assert(!role_table_override(table, "a=tool"));
	role_table_free(&table);
	role_table_free(&table);
}
END_TEST

START_TEST(without_an_executable_the_comm_counts)
{
	struct packet message;

	open_table();
	message = message_of(1, QUERY_IN, RD);
	/* As the kernel cuts it. */
	strcpy(message.owner.comm, "systemd-resolve");
	expect(decide_with(&message, "", NO_HEADER), DTAP_CLIENT_QUERY,
	       ROLE_KNOWN);
	expect(decide_with(&message, "systemd-resolve", NO_HEADER),
	       DTAP_CLIENT_QUERY, ROLE_GUESSED);
	strcpy(message.owner.comm, "nsd");
	expect(decide_with(&message, "", NO_HEADER), DTAP_AUTH_QUERY,
	       ROLE_KNOWN);
	expect(decide_with(&message, "unbound", NO_HEADER), DTAP_CLIENT_QUERY,
	       ROLE_KNOWN);
	strcpy(message.owner.comm, "ns");
	expect(decide_with(&message, "", NO_HEADER), DTAP_CLIENT_QUERY,
	       ROLE_GUESSED);
	role_table_free(&table);
}
END_TEST

START_TEST(multicast_has_responders_and_stubs)
{
	static const uint8_t group[4] = { 224, 0, 0, 251 };
	struct packet message;

	open_table();
	message = message_of(1, QUERY_IN, 0);
	ck_assert(!role_is_multicast(&message));
	message.local.port = 5353;
	ck_assert(!role_is_multicast(&message));
	memcpy(message.local.address, group, 4);
	ck_assert(role_is_multicast(&message));
	expect(decide_with(&message, "avahi-daemon", NO_HEADER),
	       DTAP_AUTH_QUERY, ROLE_KNOWN);
	message = message_of(1, QUERY_OUT, 0);
	message.local.port = message.remote.port = 5353;
	ck_assert(role_is_multicast(&message));
	expect(decide_with(&message, "systemd-resolved", NO_HEADER),
	       DTAP_STUB_QUERY, ROLE_KNOWN);
	expect(decide_with(&message, "dig", NO_HEADER), DTAP_TOOL_QUERY,
	       ROLE_KNOWN);
	message.protocol = PACKET_TCP;
	ck_assert(!role_is_multicast(&message));
	message = message_of(1, QUERY_OUT, 0);
	message.family = DTAP_INET6;
	message.remote.port = 5353;
	message.remote.address[0] = 0xff;
	message.remote.address[1] = 0x02;
	message.remote.address[15] = 0xfb;
	ck_assert(role_is_multicast(&message));
	role_table_free(&table);
}
END_TEST

START_TEST(the_oldest_process_is_forgotten)
{
	open_table();
	for (uint32_t pid = 1; pid <= ROLE_PROCESSES_MAX; pid++)
		decide(pid, "x", RESPONSE_OUT, RD | RA);
	expect(decide(1, "x", QUERY_OUT, RD), DTAP_FORWARDER_QUERY,
	       ROLE_LEARNT);
	decide(ROLE_PROCESSES_MAX + 1, "x", RESPONSE_OUT, RD | RA);
	expect(decide(1, "x", QUERY_OUT, RD), DTAP_FORWARDER_QUERY,
	       ROLE_LEARNT);
	expect(decide(2, "x", QUERY_OUT, RD), DTAP_STUB_QUERY, ROLE_GUESSED);
	role_table_free(&table);
}
END_TEST

START_TEST(headers_are_read)
{
	static const uint8_t header[12] = { 0x12, 0x34, 0xa8, 0x01 };
	struct packet message = { .payload = header, .payload_bytes = 12 };
	struct role_header got;

	ck_assert(role_header_read(&message, &got));
	ck_assert_uint_eq(got.id, 0x1234);
	ck_assert_uint_eq(got.flags, 0xa801);
	ck_assert_uint_eq(got.opcode, 5);
	ck_assert(got.response);
	message.payload_bytes = 11;
	ck_assert(!role_header_read(&message, &got));
	ck_assert_str_eq(role_confidence_name(ROLE_GUESSED), "guessed");
	ck_assert_str_eq(role_confidence_name(ROLE_LEARNT), "learnt");
	ck_assert_str_eq(role_confidence_name(ROLE_KNOWN), "known");
	ck_assert_str_eq(role_confidence_name(ROLE_TOLD), "told");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("sidecar role");

	support_add(suite, known_programs_have_their_types);
	support_add(suite, a_response_has_the_rd_of_its_query);
	support_add(suite, an_update_is_told_by_its_opcode);
	support_add(suite, a_server_is_learnt_by_ra);
	support_add(suite, format_errors_teach_nothing);
	support_add(suite, who_only_asks_is_a_stub);
	support_add(suite, who_answers_is_a_server);
	support_add(suite, others_cannot_make_a_client_a_server);
	support_add(suite, another_program_under_the_same_pid_starts_anew);
	support_add(suite, without_a_pid_nothing_is_remembered);
	support_add(suite, the_operator_is_right);
	support_add(suite, other_texts_are_refused);
	support_add(suite, without_an_executable_the_comm_counts);
	support_add(suite, multicast_has_responders_and_stubs);
	support_add(suite, the_oldest_process_is_forgotten);
	support_add(suite, headers_are_read);
	return support_run(suite);
}
