/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hello_file.c: one DNS message into a file, from the first call to the last.
 *
 *     hello_file [OUTPUT]      OUTPUT as in dtap-options(7)
 */
#include <stdio.h>
#include <time.h>

#include <dnstap/dtap.h>

/* A query for www.example. A, as a server reads it from the wire. */
static const unsigned char query[] = {
	0xbe, 0xef, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3, 'w', 'w', 'w',
	7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 0, 0, 1, 0, 1
};
static const unsigned char client[4] = { 192, 0, 2, 1 };

/* What a server does for each message. */
static enum dtap_result
saw_query(dtap_producer *producer)
{
	struct dtap_event event = DTAP_EVENT_INIT;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	event.type = DTAP_CLIENT_QUERY;
	event.socket_family = DTAP_INET;
	event.socket_protocol = DTAP_UDP;
	event.query_address = client;
	event.query_address_bytes = sizeof(client);
	event.query_port = 53053;
	event.query_time_sec = (uint64_t)now.tv_sec;
	event.query_time_nsec = (uint32_t)now.tv_nsec;
	event.query_message = query;
	event.query_message_bytes = sizeof(query);
	return dtap_submit(producer, &event);
}

int
main(int argc, char **argv)
{
	const char *output = argc > 1 ? argv[1] : "file:hello_file.fstrm";
	struct dtap_stats stats = DTAP_STATS_INIT;
	dtap_options *options = dtap_options_new();
	dtap_producer *producer;
	dtap *tap;

	if (options == NULL)
		return 1;
	if (dtap_options_set(options, "output", output) != DTAP_OK ||
	    dtap_options_set(options, "identity", "ns1.example") != DTAP_OK ||
	    dtap_open(options, &tap) != DTAP_OK) {
		fprintf(stderr, "%s\n", dtap_options_error(options));
		return 1;
	}
	dtap_options_free(&options); /* the tap has a copy */
	if (dtap_start(tap) != DTAP_OK ||
	    dtap_producer_open(tap, &producer) != DTAP_OK)
		return 1;

	saw_query(producer); /* counted, whatever it returns */

	dtap_producer_close(&producer);
	dtap_stop(tap, 2000); /* milliseconds */
	dtap_stats_get(tap, &stats);
	dtap_close(&tap);

	printf("submitted %llu, confirmed %llu\n",
	       (unsigned long long)stats.submitted,
	       (unsigned long long)stats.confirmed);
	return dtap_stats_balanced(&stats) && stats.confirmed == 1 ? 0 : 1;
}
