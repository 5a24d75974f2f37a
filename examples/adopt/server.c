/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server.c: the smallest server that can be built with libdtap and without.
 */
#include "config.h"

#include <stdio.h>
#ifdef HAVE_DTAP
#include <dnstap/dtap.h>

static const unsigned char header[12] = { 0xbe, 0xef, 0x01 };

/* The exit status of a server that has answered one query. */
static int
serve(const char *output)
{
	dtap_options *options = dtap_options_new();
	struct dtap_event event = DTAP_EVENT_INIT;
	dtap_producer *producer;
	enum dtap_result result;
	dtap *tap;

	dtap_options_set(options, "output", output);
	if (dtap_open(options, &tap) != DTAP_OK) {
		fprintf(stderr, "%s\n", dtap_options_error(options));
		return 1;
	}
	dtap_options_free(&options);
	dtap_start(tap);
	dtap_producer_open(tap, &producer);
	event.type = DTAP_CLIENT_QUERY;
	event.query_message = header;
	event.query_message_bytes = sizeof(header);
	result = dtap_submit(producer, &event);
	dtap_producer_close(&producer);
	dtap_stop(tap, 2000);
	dtap_close(&tap);
	return result == DTAP_OK ? 0 : 1;
}
#else
static int
serve(const char *output)
{
	fprintf(stderr, "built without dnstap, so nothing goes to %s\n",
		output);
	return 0;
}
#endif

int
main(int argc, char **argv)
{
	return argc == 2 ? serve(argv[1]) : 2;
}
