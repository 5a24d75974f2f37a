/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_unbound_shim.c: the shim between a stand-in for unbound, of which it
 * knows names and types (eras/unbound_eras.h), and a file that is read back.
 */
#include "unbound_host.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <dnstap/dtap.h>

#include "support/scratch.h"
#include "support/support.h"
#include "support/taps.h"

#define SEEN_MAX 32

struct sldns_buffer {
	uint8_t *data;
	size_t limit;
};

/* What of a frame outlives the reading. */
struct seen {
	struct dtap_event event;
	uint8_t query_address[16];
	uint8_t response_address[16];
	uint8_t message[64];
	uint8_t zone[16];
	char identity[64];
	char version[64];
};

static struct config_file cfg;
static struct seen seen[SEEN_MAX];
static size_t seen_count;
static char log_text[8192];
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;

size_t
sldns_buffer_limit(struct sldns_buffer *buffer)
{
	return buffer->limit;
}

uint8_t *
sldns_buffer_begin(struct sldns_buffer *buffer)
{
	return buffer->data;
}

static void
log_add(const char *level, const char *format, va_list arguments)
{
	size_t used;

	pthread_mutex_lock(&log_lock);
	used = strlen(log_text);
	used += (size_t)snprintf(log_text + used, sizeof(log_text) - used,
				 "%s: ", level);
	vsnprintf(log_text + used, sizeof(log_text) - used, format, arguments);
	strncat(log_text, "\n", sizeof(log_text) - strlen(log_text) - 1);
	pthread_mutex_unlock(&log_lock);
}

#define LOG_FUNCTION(name, level) \
	void \
	name(const char *format, ...) \
	{ \
		va_list arguments; \
\
		va_start(arguments, format); \
		log_add(level, format, arguments); \
		va_end(arguments); \
	}
LOG_FUNCTION(log_err, "error")
LOG_FUNCTION(log_warn, "warning")

void
verbose(enum verbosity_value level, const char *format, ...)
{
	va_list arguments;

	ck_assert_int_eq(level, VERB_OPS);
	va_start(arguments, format);
	log_add("notice", format, arguments);
	va_end(arguments);
}

static bool
log_has(const char *text)
{
	bool has;

	pthread_mutex_lock(&log_lock);
	has = strstr(log_text, text) != NULL;
	pthread_mutex_unlock(&log_lock);
	return has;
}

/* The log is the writer's, too: what it says comes in a moment. */
static void
log_wait(const char *text)
{
	for (int i = 0; i < 1000 && !log_has(text); i++)
		usleep(10000);
	ck_assert_msg(log_has(text), "no '%s' in:\n%s", text, log_text);
}

static void
setup(void)
{
	static char path[] = "file:x.fstrm";
	static char empty[] = "";

	scratch_enter();
	log_text[0] = '\0';
	cfg = (struct config_file){
		.chrootdir = empty,
		.dnstap = 1,
		.dnstap_bidirectional = 1,
		.dnstap_tls = 1,
		.dnstap_socket_path = path,
		.dnstap_log_resolver_query_messages = 1,
		.dnstap_log_resolver_response_messages = 1,
		.dnstap_log_client_query_messages = 1,
		.dnstap_log_client_response_messages = 1,
		.dnstap_log_forwarder_query_messages = 1,
		.dnstap_log_forwarder_response_messages = 1
	};
}

static void
teardown(void)
{
	scratch_leave();
}

/* --- unbound's life with one worker ------------------------------------- */

static struct dt_env *daemon_env;
static struct dt_env env; /* the worker's copy */

static void
begin(void)
{
	daemon_env = dt_create(&cfg);
	ck_assert_ptr_nonnull(daemon_env);
	env = *daemon_env;
	ck_assert_int_eq(dt_init(&env, NULL), 1);
	ck_assert_int_eq(dt_io_thread_start(env.dtio, NULL, 1), 1);
}

static void
finish(void)
{
	dt_io_thread_stop(env.dtio);
	dt_deinit(&env);
	dt_delete(daemon_env);
}

/* Absent fields are NULL, which memcpy() does not take. */
static void
copy(void *to, const void *from, size_t bytes)
{
	if (bytes > 0)
		memcpy(to, from, bytes);
}

static void
keep(const struct dtap_message *message, void *context)
{
	struct seen *to = &seen[seen_count++];
	const struct dtap_event *event = &message->event;

	(void)context;
	ck_assert_uint_le(seen_count, SEEN_MAX);
	memset(to, 0, sizeof(*to));
	to->event = *event;
	copy(to->query_address, event->query_address,
	     event->query_address_bytes);
	copy(to->response_address, event->response_address,
	     event->response_address_bytes);
	copy(to->message, event->query_message, event->query_message_bytes);
	copy(to->message, event->response_message,
	     event->response_message_bytes);
	copy(to->zone, event->query_zone, event->query_zone_bytes);
	copy(to->identity, message->identity.data, message->identity.bytes);
	copy(to->version, message->version.data, message->version.bytes);
}

static void
finish_and_read(const char *path)
{
	finish();
	seen_count = 0;
	taps_read(path, keep, NULL);
}

/* --- its events ---------------------------------------------------------- */

static uint8_t wire[] = { 0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'x', 0 };
static uint8_t zone[] = { 3, 'f', 'o', 'o', 0 };
static struct sldns_buffer buffer = { wire, sizeof(wire) };
static const struct timeval sent = { 1700000000, 123456 };
static const struct timeval received = { 1700000001, 654321 };

/* A copy of exactly its family's octets, as unbound passes an ai_addr. */
static struct sockaddr_storage *
address_of(const char *text, uint16_t port)
{
	struct sockaddr_in ip4 = { .sin_family = AF_INET,
				   .sin_port = htons(port) };
	struct sockaddr_in6 ip6 = { .sin6_family = AF_INET6,
				    .sin6_port = htons(port) };
	bool is_ip4 = inet_pton(AF_INET, text, &ip4.sin_addr) == 1;
	size_t bytes = is_ip4 ? sizeof(ip4) : sizeof(ip6);
	void *address = malloc(bytes);

	ck_assert_ptr_nonnull(address);
	ck_assert(is_ip4 || inet_pton(AF_INET6, text, &ip6.sin6_addr) == 1);
	memcpy(address, is_ip4 ? (void *)&ip4 : (void *)&ip6, bytes);
	return address;
}

static struct sockaddr_storage *
remote(void)
{
	static struct sockaddr_storage *address;

	return address != NULL ? address
			       : (address = address_of("192.0.2.1", 1053));
}

static struct sockaddr_storage *
local(void)
{
	static struct sockaddr_storage *address;

	return address != NULL ? address
			       : (address = address_of("192.0.2.53", 53));
}

static void
ask(void)
{
	dt_msg_send_client_query(&env, remote(), local(), comm_udp, NULL,
				 &buffer, NULL);
}

static void
answer(void)
{
	dt_msg_send_client_response(&env, remote(), local(), comm_udp, NULL,
				    &buffer);
}

static void
send_all_types(void)
{
	uint8_t flags[2] = { 0, 0 };

	ask();
	answer();
	for (uint8_t rd = 0; rd < 2; rd++) {
		flags[0] = wire[2] = rd;
		dt_msg_send_outside_query(&env, remote(), local(), comm_tcp,
					  NULL, zone, sizeof(zone), &buffer);
		dt_msg_send_outside_response(
			&env, remote(), local(), comm_tcp, NULL, zone,
			sizeof(zone), flags, sizeof(flags), &sent, &received,
			&buffer);
	}
	wire[2] = 0;
}

static void
expect_types(const char *wanted)
{
	char types[3 * SEEN_MAX] = "";

	for (size_t i = 0; i < seen_count; i++) {
		strcat(types, i > 0 ? " " : "");
		strcat(types, dtap_message_type_mnemonic(seen[i].event.type));
	}
	ck_assert_str_eq(types, wanted);
}

START_TEST(all_six_types_with_their_fields)
{
	begin();
	send_all_types();
	finish_and_read("x.fstrm");
	expect_types("CQ CR RQ RR FQ FR");
	for (size_t i = 0; i < seen_count; i++) {
		const struct dtap_event *event = &seen[i].event;
		bool outside = i >= 2;
		bool query = i % 2 == 0;

		ck_assert_uint_eq(event->socket_family, DTAP_INET);
		ck_assert_uint_eq(event->socket_protocol,
				  outside ? DTAP_TCP : DTAP_UDP);
		ck_assert_uint_eq(seen[i].query_address[3], outside ? 53 : 1);
		ck_assert_uint_eq(event->query_port, outside ? 53 : 1053);
		ck_assert_uint_eq(seen[i].response_address[3],
				  outside ? 1 : 53);
		ck_assert_uint_eq(event->response_port, outside ? 1053 : 53);
		ck_assert_uint_eq(event->query_zone_bytes,
				  outside ? sizeof(zone) : 0);
		ck_assert_mem_eq(seen[i].zone, zone, event->query_zone_bytes);
		ck_assert_uint_eq(event->query_message_bytes,
				  query ? sizeof(wire) : 0);
		ck_assert_uint_eq(event->response_message_bytes,
				  query ? 0 : sizeof(wire));
		ck_assert_uint_eq(seen[i].message[2], i >= 4);
		ck_assert_uint_ne(event->query_time_sec, 0);
		ck_assert(query == (event->response_time_sec == 0));
	}
	ck_assert_uint_eq(seen[3].event.query_time_sec, 1700000000);
	ck_assert_uint_eq(seen[3].event.query_time_nsec, 123456000);
	ck_assert_uint_eq(seen[3].event.response_time_sec, 1700000001);
	ck_assert_uint_eq(seen[3].event.response_time_nsec, 654321000);
}
END_TEST

START_TEST(each_switch_governs_its_type)
{
	struct {
		int *keyword;
		const char *rest;
	} switches[] = {
		{ &cfg.dnstap_log_client_query_messages, "CR RQ RR FQ FR" },
		{ &cfg.dnstap_log_client_response_messages, "CQ RQ RR FQ FR" },
		{ &cfg.dnstap_log_resolver_query_messages, "CQ CR RR FQ FR" },
		{ &cfg.dnstap_log_resolver_response_messages,
		  "CQ CR RQ FQ FR" },
		{ &cfg.dnstap_log_forwarder_query_messages, "CQ CR RQ RR FR" },
		{ &cfg.dnstap_log_forwarder_response_messages,
		  "CQ CR RQ RR FQ" },
	};

	for (size_t i = 0; i < sizeof(switches) / sizeof(*switches); i++) {
		*switches[i].keyword = 0;
		begin();
		send_all_types();
		finish_and_read("x.fstrm");
		expect_types(switches[i].rest);
		*switches[i].keyword = 1;
	}
	for (size_t i = 0; i < sizeof(switches) / sizeof(*switches); i++)
		*switches[i].keyword = 0;
	begin();
	send_all_types();
	finish_and_read("x.fstrm");
	expect_types("");
}
END_TEST

START_TEST(a_response_has_its_querys_time)
{
	begin();
	ask();
	answer();
	answer(); /* to a query that was not seen */
	finish_and_read("x.fstrm");
	expect_types("CQ CR CR");
	ck_assert_uint_eq(seen[1].event.query_time_sec,
			  seen[0].event.query_time_sec);
	ck_assert_uint_eq(seen[1].event.query_time_nsec,
			  seen[0].event.query_time_nsec);
	ck_assert_uint_eq(seen[2].event.query_time_sec, 0);
	ck_assert_uint_ne(seen[2].event.response_time_sec, 0);
}
END_TEST

/* Also when queries are not logged; unbound must be made to show them. */
START_TEST(the_time_is_known_without_logging_queries)
{
	cfg.dnstap_log_client_query_messages = 0;
	begin();
	ck_assert(env.log_client_query_messages);
	ask();
	answer();
	finish_and_read("x.fstrm");
	expect_types("CR");
	ck_assert_uint_ne(seen[0].event.query_time_sec, 0);
}
END_TEST

START_TEST(the_kernels_time_is_taken)
{
	struct timeval stamp = sent;

	begin();
	dt_msg_send_client_query(&env, remote(), local(), comm_udp, NULL,
				 &buffer, &stamp);
	answer();
	finish_and_read("x.fstrm");
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(seen[i].event.query_time_sec, 1700000000);
		ck_assert_uint_eq(seen[i].event.query_time_nsec, 123456000);
	}
}
END_TEST

START_TEST(each_transport_has_its_name)
{
	static int tls;
	struct {
		enum comm_point_type transport;
		void *tls;
		uint8_t wanted;
	} transports[] = {
		{ comm_udp, NULL, DTAP_UDP }, { comm_tcp, NULL, DTAP_TCP },
		{ comm_tcp, &tls, DTAP_DOT }, { comm_http, &tls, DTAP_DOH },
		{ comm_doq, NULL, DTAP_DOQ },
	};

	begin();
	for (size_t i = 0; i < 5; i++)
		dt_msg_send_client_query(&env, remote(), local(),
					 transports[i].transport,
					 transports[i].tls, &buffer, NULL);
	/* IDs mean nothing among the streams of one connection. */
	dt_msg_send_client_response(&env, remote(), local(), comm_http, &tls,
				    &buffer);
	finish_and_read("x.fstrm");
	for (size_t i = 0; i < 5; i++)
		ck_assert_uint_eq(seen[i].event.socket_protocol,
				  transports[i].wanted);
	ck_assert_uint_eq(seen[3].event.http_protocol, DTAP_HTTP2);
	ck_assert_uint_eq(seen[5].event.socket_protocol, DTAP_DOH);
	ck_assert_uint_eq(seen[5].event.query_time_sec, 0);
}
END_TEST

START_TEST(addresses_of_either_family_and_wildcards)
{
	struct sockaddr_storage *client = address_of("2001:db8::1", 1053);
	struct sockaddr_storage *any6 = address_of("::", 53);
	struct sockaddr_storage *any4 = address_of("0.0.0.0", 0);

	begin();
	dt_msg_send_client_query(&env, client, any6, comm_udp, NULL, &buffer,
				 NULL);
	dt_msg_send_outside_query(&env, remote(), any4, comm_udp, NULL, zone,
				  sizeof(zone), &buffer);
	dt_msg_send_client_query(&env, client, NULL, comm_udp, NULL, &buffer,
				 NULL);
	finish_and_read("x.fstrm");
	ck_assert_uint_eq(seen_count, 3);
	ck_assert_uint_eq(seen[0].event.socket_family, DTAP_INET6);
	ck_assert_uint_eq(seen[0].event.query_address_bytes, 16);
	ck_assert_uint_eq(seen[0].query_address[15], 1);
	ck_assert_uint_eq(seen[0].event.response_address_bytes, 0);
	ck_assert_uint_eq(seen[0].event.response_port, 53);
	ck_assert_uint_eq(seen[1].event.query_address_bytes, 0);
	ck_assert_uint_eq(seen[1].event.response_address_bytes, 4);
	ck_assert_uint_eq(seen[2].event.response_port, 0);
	free(client);
	free(any6);
	free(any4);
}
END_TEST

START_TEST(identity_and_version)
{
	static char given[] = "ns1.example";
	static char other[] = "unbound in disguise";
	char host[64] = "";

	gethostname(host, sizeof(host) - 1);
	begin();
	ask();
	finish_and_read("x.fstrm");
	ck_assert_str_eq(seen[0].identity, "");
	ck_assert_str_eq(seen[0].version, "");

	cfg.dnstap_send_identity = cfg.dnstap_send_version = 1;
	begin();
	ask();
	finish_and_read("x.fstrm");
	ck_assert_str_eq(seen[0].identity, host);
	ck_assert_str_eq(seen[0].version, PACKAGE_STRING);

	cfg.dnstap_identity = given;
	cfg.dnstap_version = other;
	begin();
	ask();
	finish_and_read("x.fstrm");
	ck_assert_str_eq(seen[0].identity, given);
	ck_assert_str_eq(seen[0].version, other);
}
END_TEST

/* fast_reload calls these on the daemon's env while workers run. */
START_TEST(a_fast_reload_reaches_the_workers)
{
	static char other[] = "other";

	begin();
	ask();
	cfg.dnstap_send_identity = 1;
	cfg.dnstap_identity = other;
	ck_assert_int_eq(dt_apply_cfg(daemon_env, &cfg), 1);
	ask();
	cfg.dnstap_log_client_query_messages = 0;
	dt_apply_logcfg(daemon_env, &cfg);
	ask();
	answer();
	finish_and_read("x.fstrm");
	expect_types("CQ CQ CR");
	ck_assert_str_eq(seen[0].identity, "");
	ck_assert_str_eq(seen[1].identity, other);
	ck_assert_ptr_null(env.identity);
}
END_TEST

START_TEST(sampling_keeps_pairs)
{
	cfg.dnstap_sample_rate = 4;
	begin();
	for (uint16_t id = 0; id < 40; id++) {
		wire[0] = (uint8_t)(id >> 8);
		wire[1] = (uint8_t)id;
		ask();
		answer();
	}
	finish_and_read("x.fstrm");
	ck_assert_uint_gt(seen_count, 0);
	ck_assert_uint_lt(seen_count, 40);
	ck_assert_uint_eq(seen_count % 2, 0);
	for (size_t i = 0; i < seen_count; i += 2)
		ck_assert_mem_eq(seen[i].message, seen[i + 1].message,
				 sizeof(wire));
}
END_TEST

/* Everything that unbound does goes on without a tap, and nothing is logged. */
static void
expect_refused(const char *words)
{
	log_text[0] = '\0';
	begin();
	ck_assert_ptr_null(env.dtio);
	ck_assert(!env.log_client_query_messages);
	ck_assert(!env.log_client_response_messages);
	ck_assert(!env.log_resolver_query_messages);
	ck_assert(!env.log_resolver_response_messages);
	ck_assert(!env.log_forwarder_query_messages);
	ck_assert(!env.log_forwarder_response_messages);
	send_all_types();
	(void)dt_apply_cfg(daemon_env, &cfg);
	finish();
	ck_assert_msg(log_has("error: ") && log_has(words) &&
			      log_has("runs without dnstap"),
		      "no '%s' in:\n%s", words, log_text);
	ck_assert(!scratch_exists("x.fstrm"));
}

START_TEST(what_cannot_be_had_leaves_the_server_running)
{
	static char ip[] = "127.0.0.1@6000";
	static char *const bad[] = { "", "unix:", "tcp:localhost:1",
				     "tls:127.0.0.1:1", "file:x?", "file:x?y=1",
				     "file:x?ring-bytes=100",
				     "file:x?file-mode=0600&ring-bytes" };
	static const char *const words[] = { "no dnstap-socket-path", "output",
					     "output", "output", "name=value",
					     "y", "ring-bytes", "name=value" };

	cfg.dnstap_ip = ip;
	expect_refused("dnstap-tls: yes");
	cfg.dnstap_ip = NULL;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		cfg.dnstap_socket_path = bad[i];
		expect_refused(words[i]);
	}
	cfg.dnstap_socket_path = NULL;
	expect_refused("no dnstap-socket-path");
}
END_TEST

START_TEST(an_env_that_was_never_filled)
{
	struct dt_env empty;

	memset(&empty, 0, sizeof(empty));
	dt_io_thread_stop(empty.dtio);
	dt_deinit(&empty);
	dt_delete(NULL);
	dt_apply_logcfg(NULL, &cfg);
}
END_TEST

/* Where the frames go, as the writer's own line in the log tells. */
static void
expect_destination(char *path, char *root, const char *wanted)
{
	char line[128];

	snprintf(line, sizeof(line), "dnstap output %s: cannot ", wanted);
	log_text[0] = '\0';
	cfg.dnstap_socket_path = path;
	cfg.chrootdir = root;
	begin();
	ck_assert_ptr_nonnull(env.dtio);
	log_wait(line);
	finish();
}

START_TEST(every_way_to_write_a_path)
{
	expect_destination("none.sock", "", "none.sock");
	expect_destination("/none/x.sock", NULL, "/none/x.sock");
	expect_destination("unix:/none/x", "", "/none/x");
	expect_destination("/none/run/x", "/none", "/run/x");
	expect_destination("/none/run/x", "/none/", "/run/x");
	expect_destination("/none2/x", "/none", "/none2/x");
	expect_destination("unix:/none/x/y", "/none", "/x/y");
	expect_destination("file:/none/x/y", "/none", "/x/y");
	expect_destination("/none/x?y", "", "/none/x?y");
	expect_destination("tcp:127.0.0.1:1", "/none", "127.0.0.1 port 1");
	expect_destination("tcp:[::1]:1", "/none", "::1 port 1");
}
END_TEST

START_TEST(every_way_to_write_an_address)
{
	static const char *const ips[][2] = {
		{ "127.0.0.1@1", "127.0.0.1 port 1" },
		{ "::1@1", "::1 port 1" },
		{ "127.0.0.9", "127.0.0.9 port 53" },
	};
	char ip[32];

	cfg.dnstap_tls = 0;
	for (size_t i = 0; i < sizeof(ips) / sizeof(*ips); i++) {
		cfg.dnstap_ip = strcpy(ip, ips[i][0]);
		expect_destination("x.fstrm", "", ips[i][1]);
	}
	ck_assert(!scratch_exists("x.fstrm"));
}
END_TEST

START_TEST(options_behind_a_question_mark)
{
	struct stat status;

	cfg.dnstap_socket_path = "file:x.fstrm?file-mode=0600&ring-bytes=64K";
	begin();
	ask();
	finish_and_read("x.fstrm");
	expect_types("CQ");
	ck_assert_int_eq(stat("x.fstrm", &status), 0);
	ck_assert_int_eq(status.st_mode & 0777, 0600);
}
END_TEST

START_TEST(the_ledger_is_in_the_log)
{
	begin();
	ask();
	answer();
	finish();
	ck_assert_msg(log_has("notice: dnstap: events submitted 2, written 2, "
			      "dropped 0, lost 0"), "%s", log_text);

	log_text[0] = '\0';
	cfg.dnstap_socket_path = "none.sock";
	begin();
	ask();
	finish();
	ck_assert_msg(log_has("warning: dnstap: events submitted 1, written 0, "
			      "dropped 0, lost 1"), "%s", log_text);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("unbound_shim");
	TCase *cases = tcase_create("shim");

	tcase_add_checked_fixture(cases, setup, teardown);
	tcase_set_timeout(cases, 120);
	tcase_add_test(cases, all_six_types_with_their_fields);
	tcase_add_test(cases, each_switch_governs_its_type);
	tcase_add_test(cases, a_response_has_its_querys_time);
	tcase_add_test(cases, the_time_is_known_without_logging_queries);
	tcase_add_test(cases, the_kernels_time_is_taken);
	tcase_add_test(cases, each_transport_has_its_name);
	tcase_add_test(cases, addresses_of_either_family_and_wildcards);
	tcase_add_test(cases, identity_and_version);
	tcase_add_test(cases, a_fast_reload_reaches_the_workers);
	tcase_add_test(cases, sampling_keeps_pairs);
	tcase_add_test(cases, what_cannot_be_had_leaves_the_server_running);
	tcase_add_test(cases, an_env_that_was_never_filled);
	tcase_add_test(cases, every_way_to_write_a_path);
	tcase_add_test(cases, every_way_to_write_an_address);
	tcase_add_test(cases, options_behind_a_question_mark);
	tcase_add_test(cases, the_ledger_is_in_the_log);
	suite_add_tcase(suite, cases);
	return support_run(suite);
}
