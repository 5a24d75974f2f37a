/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reconfigure_live.c: options that change while the server goes on answering.
 * Only those that dtap-options(7) calls live can; others are refused, and
 * nothing changes.
 *
 *     reconfigure_live [OUTPUT]
 */
#include <stdio.h>
#include <time.h>

#include <dnstap/dtap.h>

static const unsigned char header[12] = { 0xbe, 0xef, 0, 0, 0, 0 };

static enum dtap_result
saw(dtap_producer *producer, enum dtap_message_type type)
{
	struct dtap_event event = DTAP_EVENT_INIT;

	event.type = (uint8_t)type;
	event.query_time_sec = (uint64_t)time(NULL);
	event.query_message = header;
	event.query_message_bytes = sizeof(header);
	return dtap_submit(producer, &event);
}

/* A whole set of options, as a server reads it from its configuration. */
static dtap_options *
configuration(const char *output, const char *types, const char *latency_ms)
{
	dtap_options *options = dtap_options_new();

	dtap_options_set(options, "output", output);
	dtap_options_set(options, "types", types);
	dtap_options_set(options, "latency-ms", latency_ms);
	return options;
}

static enum dtap_result
reconfigure(dtap *tap, dtap_options *options)
{
	enum dtap_result result = dtap_reconfigure(tap, options);

	if (result != DTAP_OK)
		printf("refused: %s\n", dtap_options_error(options));
	dtap_options_free(&options);
	return result;
}

int
main(int argc, char **argv)
{
	const char *output = argc > 1 ? argv[1] : "file:reconfigure_live.fstrm";
	dtap_options *options = configuration(output, "CQ", "10");
	dtap_producer *producer;
	dtap *tap;
	int good;

	if (dtap_open(options, &tap) != DTAP_OK || dtap_start(tap) != DTAP_OK ||
	    dtap_producer_open(tap, &producer) != DTAP_OK)
		return 1;
	dtap_options_free(&options);
	good = saw(producer, DTAP_CLIENT_QUERY) == DTAP_OK &&
	       saw(producer, DTAP_CLIENT_RESPONSE) == DTAP_FILTERED;

	options = configuration(output, "CQ,CR", "10");
	good &= reconfigure(tap, options) == DTAP_OK &&
		saw(producer, DTAP_CLIENT_RESPONSE) == DTAP_OK;

	options = configuration(output, "none", "20"); /* latency: not live */
	good &= reconfigure(tap, options) == DTAP_E_CONFLICT &&
		saw(producer, DTAP_CLIENT_QUERY) == DTAP_OK;

	dtap_producer_close(&producer);
	good &= dtap_stop(tap, 2000) == DTAP_OK;
	dtap_close(&tap);
	return good ? 0 : 1;
}
