/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bind_calls.c: calls the nine functions as named and libns do, for
 * test_bind.sh.
 *
 *     bind_calls DIRECTORY
 *
 * The cases are those of BIND's own tests/dns/dnstap_test, which needs BIND's
 * source tree: an environment of each mode, and each of the 14 types of
 * message, over UDP and TCP, with and without times, read back with BIND's
 * own reader. This program is linked with libdtap-bind before libdns, the
 * second way to use it. DTAP_BIND_MEND is to be unset or "no".
 */
#include <dns/dnstap.h>
#include <dns/stats.h>
#include <dns/view.h>

#include <isc/mem.h>
#include <isc/result.h>

#include <fstrm.h>

#include <dnstap/reader.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CALLS_TYPES 14
#define CALLS_EACH 8 /* of a type: UDP and TCP, four choices of times */
#define CALLS_QUERY_PORT 2112
#define CALLS_RESPONSE_PORT 53
#define CALLS_HOUR_S 3600

#define expect(what, condition) \
	((condition) ? (void)0 : fail(__LINE__, what, #condition))

static unsigned char query_wire[] =
	"\x12\x34\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00"
	"\x03www\x07""example\x03""com\x00\x00\x01\x00\x01";
static unsigned char response_wire[] =
	"\x12\x34\x84\x00\x00\x01\x00\x01\x00\x00\x00\x00"
	"\x03www\x07""example\x03""com\x00\x00\x01\x00\x01"
	"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x01";
static unsigned char zone_wire[] = "\x07""example\x03""com";

static isc_mem_t *mctx;
static char tap_path[4096];
static isc_time_t past;
static isc_time_t future;

static void
fail(int line, const char *what, const char *condition)
{
	fprintf(stderr, "bind_calls.c:%d: %s: not true: %s\n", line, what,
		condition);
	exit(1);
}

static bool
exists(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0;
}

/* On failure the options stay the caller's. */
static isc_result_t
create(dns_dtmode_t mode, const char *path, dns_dtenv_t **env)
{
	struct fstrm_iothr_options *options = fstrm_iothr_options_init();
	isc_result_t result;

	expect("options", options != NULL);
	fstrm_iothr_options_set_num_input_queues(options, 1);
	result = dns_dt_create(mctx, mode, path, &options, NULL, env);
	expect("the options are taken on success alone",
	       (options == NULL) == (result == ISC_R_SUCCESS));
	if (options != NULL)
		fstrm_iothr_options_destroy(&options);
	expect("destroyed options are gone", options == NULL);
	return result;
}

static void
test_create(const char *directory)
{
	char socket_path[4096];
	dns_dtenv_t *env = NULL;

	snprintf(socket_path, sizeof(socket_path), "%s/calls.sock", directory);
	expect("file", create(dns_dtmode_file, tap_path, &env) ==
			       ISC_R_SUCCESS);
	dns_dt_detach(&env);
	expect("a detached environment is gone", env == NULL);
	expect("the file is there", exists(tap_path));
	expect("unix", create(dns_dtmode_unix, socket_path, &env) ==
			       ISC_R_SUCCESS);
	expect("a socket has no size",
	       dns_dt_setupfile(env, 1, ISC_LOG_ROLLINFINITE,
				isc_log_rollsuffix_increment) ==
		       ISC_R_INVALIDFILE);
	expect("a socket has no versions",
	       dns_dt_setupfile(env, 0, 3, isc_log_rollsuffix_increment) ==
		       ISC_R_INVALIDFILE);
	expect("a socket may be reopened",
	       dns_dt_setupfile(env, 0, ISC_LOG_ROLLINFINITE,
				isc_log_rollsuffix_increment) ==
			       ISC_R_SUCCESS &&
		       dns_dt_reopen(env, ISC_LOG_ROLLNEVER) == ISC_R_SUCCESS);
	dns_dt_detach(&env);
	expect("the reader makes the socket", !exists(socket_path));
	expect("no such mode", create((dns_dtmode_t)33, socket_path, &env) ==
					ISC_R_FAILURE &&
				       env == NULL);
	expect("no such output", create(dns_dtmode_unix, "tcp:localhost:1",
					&env) == ISC_R_FAILURE &&
					 env == NULL);
	unlink(tap_path);
}

static isc_sockaddr_t
address(const char *text, uint16_t port)
{
	isc_sockaddr_t address;

	memset(&address, 0, sizeof(address));
	address.type.sin.sin_family = AF_INET;
	address.type.sin.sin_port = htons(port);
	inet_pton(AF_INET, text, &address.type.sin.sin_addr);
	address.length = sizeof(address.type.sin);
	return address;
}

static isc_buffer_t
buffer(unsigned char *octets, size_t count)
{
	isc_buffer_t made;

	isc_buffer_init(&made, octets, (unsigned int)count);
	isc_buffer_add(&made, (unsigned int)count);
	return made;
}

/* The eight messages of a type: bit 2 is TCP, 1 and 0 leave out a time. */
static void
send_type(dns_view_t *view, dns_dtmsgtype_t type)
{
	isc_sockaddr_t from = address("10.53.0.1", CALLS_QUERY_PORT);
	isc_sockaddr_t to = address("10.53.0.2", CALLS_RESPONSE_PORT);
	isc_region_t zone = { .base = zone_wire, .length = sizeof(zone_wire) };
	bool query = (type & DNS_DTTYPE_QUERY) != 0;
	isc_buffer_t wire =
		query ? buffer(query_wire, sizeof(query_wire) - 1)
		      : buffer(response_wire, sizeof(response_wire) - 1);

	for (int i = 0; i < CALLS_EACH; i++)
		dns_dt_send(view, type, &from, &to, (i & 4) != 0, &zone,
			    (i & 1) != 0 ? NULL : &past,
			    (i & 2) != 0 ? NULL : &future, &wire);
}

/* A time that was given, or now. */
static bool
time_is(uint64_t seconds, uint32_t nanoseconds, const isc_time_t *given)
{
	if (given != NULL)
		return seconds == given->seconds &&
		       nanoseconds == given->nanoseconds;
	return seconds > past.seconds && seconds < future.seconds;
}

/* BIND's reader shows one time of each message; ours shows both. */
static void
check_times(const isc_region_t *frame, dns_dtmsgtype_t type, int i, bool mend)
{
	struct dtap_message read = { .size = sizeof(read) };
	const struct dtap_event *event = &read.event;
	const isc_time_t *query = (i & 1) != 0 ? NULL : &past;
	const isc_time_t *response = (i & 2) != 0 ? NULL : &future;
	bool resolver = (type & (DNS_DTTYPE_RR | DNS_DTTYPE_FR)) != 0;

	expect("frame", dtap_message_decode(frame->base, frame->length,
					    &read) == DTAP_OK);
	if ((type & DNS_DTTYPE_QUERY) != 0) {
		expect("query time",
		       time_is(event->query_time_sec, event->query_time_nsec,
			       query));
		expect("a query has one time", event->response_time_sec == 0);
		return;
	}
	expect("response time",
	       time_is(event->response_time_sec, event->response_time_nsec,
		       response));
	if (mend ? query == NULL : !resolver) {
		expect("no query time", event->query_time_sec == 0);
		return;
	}
	expect("the query's time in a response",
	       time_is(event->query_time_sec, event->query_time_nsec,
		       query != NULL ? query : response));
}

static void
check_frame(const isc_region_t *frame, dns_dtmsgtype_t type, int i, bool mend)
{
	dns_dtdata_t *data = NULL;
	const void *wire = query_wire;
	size_t wire_bytes = sizeof(query_wire) - 1;
	isc_region_t copy = *frame;

	expect("frame", dns_dt_parse(mctx, &copy, &data) == ISC_R_SUCCESS);
	if ((type & DNS_DTTYPE_RESPONSE) != 0) {
		wire = response_wire;
		wire_bytes = sizeof(response_wire) - 1;
	}
	expect("type", data->type == type);
	expect("direction", data->query == ((type & DNS_DTTYPE_QUERY) != 0));
	expect("transport", data->tcp == ((i & 4) != 0));
	expect("message", data->msgdata.length == wire_bytes &&
				  memcmp(data->msgdata.base, wire,
					 wire_bytes) == 0);
	expect("query address", data->qaddr.length == 4 &&
					memcmp(data->qaddr.base,
					       "\x0a\x35\x00\x01", 4) == 0);
	expect("response address", data->raddr.length == 4 &&
					   memcmp(data->raddr.base,
						  "\x0a\x35\x00\x02", 4) == 0);
	expect("ports", data->qport == CALLS_QUERY_PORT &&
				data->rport == CALLS_RESPONSE_PORT);
	check_times(frame, type, i, mend);
	dns_dtdata_free(&data);
}

static void
check_file(bool mend)
{
	dns_dthandle_t *handle = NULL;
	isc_region_t frame;
	size_t bytes;
	int frames = 0;

	expect("open", dns_dt_open(tap_path, dns_dtmode_file, mctx, &handle) ==
			       ISC_R_SUCCESS);
	while (dns_dt_getframe(handle, &frame.base, &bytes) == ISC_R_SUCCESS) {
		dns_dtmsgtype_t type = (dns_dtmsgtype_t)(
			1u << frames / CALLS_EACH);

		expect("no more than was sent",
		       frames < CALLS_TYPES * CALLS_EACH);
		frame.length = (unsigned int)bytes;
		/* The message has no RA, and nothing leads to its query. */
		if (mend && type == DNS_DTTYPE_CR && (frames & 1) != 0)
			type = DNS_DTTYPE_AR;
		check_frame(&frame, type, frames % CALLS_EACH, mend);
		frames++;
	}
	expect("no less", frames == CALLS_TYPES * CALLS_EACH);
	dns_dt_close(&handle);
}

static void
read_counter(isc_statscounter_t counter, uint64_t value, void *values)
{
	((uint64_t *)values)[counter] = value;
}

static void
check_stats(dns_dtenv_t *env, uint64_t success)
{
	uint64_t values[dns_dnstapcounter_max] = { 0 };
	struct timespec pause = { .tv_nsec = 10000000 };

	/* The writer takes its time, 10 ms usually. */
	for (int i = 0; i < 1000 && values[dns_dnstapcounter_success] < success;
	     i++) {
		isc_stats_t *stats = NULL;

		nanosleep(&pause, NULL);
		expect("stats", dns_dt_getstats(env, &stats) == ISC_R_SUCCESS);
		isc_stats_dump(stats, read_counter, values,
			       ISC_STATSDUMP_VERBOSE);
		isc_stats_detach(&stats);
	}
	expect("success", values[dns_dnstapcounter_success] == success);
	expect("drop", values[dns_dnstapcounter_drop] == 0);
}

static void
test_send(bool mend)
{
	dns_view_t *view = NULL;
	dns_view_t *bare = NULL;
	dns_dtenv_t *env = NULL;

	expect("view", dns_view_create(mctx, dns_rdataclass_in, "test",
				       &view) == ISC_R_SUCCESS);
	expect("view", dns_view_create(mctx, dns_rdataclass_in, "bare",
				       &bare) == ISC_R_SUCCESS);
	expect("file", create(dns_dtmode_file, tap_path, &env) ==
			       ISC_R_SUCCESS);
	send_type(view, DNS_DTTYPE_CQ); /* nothing is attached yet */
	dns_dt_attach(env, &view->dtenv);
	expect("the field is set", view->dtenv == env);
	send_type(view, DNS_DTTYPE_CQ); /* no type is wanted */
	view->dttypes = DNS_DTTYPE_ALL;
	bare->dttypes = DNS_DTTYPE_ALL;
	send_type(bare, DNS_DTTYPE_CQ); /* has no environment */
	for (int i = 0; i < CALLS_TYPES; i++)
		send_type(view, (dns_dtmsgtype_t)(1u << i));
	check_stats(env, CALLS_TYPES * CALLS_EACH);
	dns_dt_detach(&view->dtenv);
	expect("the field is cleared", view->dtenv == NULL);
	dns_dt_detach(&env);
	dns_view_detach(&view);
	dns_view_detach(&bare);
	check_file(mend);
}

int
main(int argc, char **argv)
{
	const char *mend = getenv("DTAP_BIND_MEND");

	if (argc != 2) {
		fprintf(stderr, "bind_calls DIRECTORY\n");
		return 2;
	}
	snprintf(tap_path, sizeof(tap_path), "%s/calls%%d.fstrm", argv[1]);
	isc_time_set(&past, (unsigned int)time(NULL) - CALLS_HOUR_S, 1);
	isc_time_set(&future, (unsigned int)time(NULL) + CALLS_HOUR_S, 2);
	isc_mem_create(&mctx);
	test_create(argv[1]);
	test_send(mend == NULL || strcmp(mend, "no") != 0);
	unlink(tap_path);
	isc_mem_destroy(&mctx);
	return 0;
}
