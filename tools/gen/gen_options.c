/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_options.c: see gen_options.h. Options of the library itself are handed
 * to dtap_options_set() as they are, so that it explains what is wrong.
 */
#include "gen_options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen_message.h"

static const char gen_help[] =
"Usage: dtap-gen --output URI [option ...]\n"
"Generates dnstap events and submits them through libdtap.\n"
"\n"
"  -o, --output URI           file:PATH, unix:PATH or tcp:ADDRESS:PORT\n"
"  -n, --events N             stop after N events, of all threads together\n"
"                             (default 100000, or no limit with --seconds)\n"
"  -s, --seconds S            stop after S seconds\n"
"  -t, --threads T            submit from T threads, 1 to 1024 (default 1)\n"
"  -r, --rate N               at most N events per second, of all threads\n"
"      --types LIST           message types in turn (default CQ,CR)\n"
"      --message-bytes N|mix  size of each DNS message, 51 to 65535, or a\n"
"                             mixture as servers see it (default mix)\n"
"      --set NAME=VALUE       set an option of the library, see\n"
"                             dtap-options(7); may be repeated\n"
"      --stop-timeout-ms N    time to deliver what is left (default 5000)\n"
"  -h, --help                 show this text\n"
"  -V, --version              show the version\n"
"\n"
"The query name of each event is tTHREAD-sSEQUENCE.gen.dtap.test, both in\n"
"hexadecimal. At the end one line of name=value pairs tells the ledger.\n"
"Exit status: 0 when the ledger balances, 1 when it does not or the tap\n"
"cannot be opened, 2 for wrong usage.\n";

enum {
	GEN_OPTION_TYPES = 256,
	GEN_OPTION_MESSAGE_BYTES,
	GEN_OPTION_SET,
	GEN_OPTION_STOP_TIMEOUT
};

static const struct option gen_long_options[] = {
	{ "output", required_argument, NULL, 'o' },
	{ "events", required_argument, NULL, 'n' },
	{ "seconds", required_argument, NULL, 's' },
	{ "threads", required_argument, NULL, 't' },
	{ "rate", required_argument, NULL, 'r' },
	{ "types", required_argument, NULL, GEN_OPTION_TYPES },
	{ "message-bytes", required_argument, NULL, GEN_OPTION_MESSAGE_BYTES },
	{ "set", required_argument, NULL, GEN_OPTION_SET },
	{ "stop-timeout-ms", required_argument, NULL, GEN_OPTION_STOP_TIMEOUT },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 }
};

/* A whole decimal number from min to max. */
static bool
gen_number(const char *name, const char *text, uint64_t min, uint64_t max,
	   uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 10);
	if (isdigit((unsigned char)text[0]) && *end == '\0' && errno == 0 &&
	    *number >= min && *number <= max)
		return true;
	fprintf(stderr,
		"dtap-gen: --%s: \"%s\" is not a number from %llu to %llu\n",
		name, text, (unsigned long long)min, (unsigned long long)max);
	return false;
}

static bool
gen_set(struct gen_options *options, const char *name, const char *value)
{
	if (dtap_options_set(options->tap, name, value) == DTAP_OK)
		return true;
	fprintf(stderr, "dtap-gen: %s\n", dtap_options_error(options->tap));
	return false;
}

/* NAME=VALUE */
static bool
gen_set_pair(struct gen_options *options, const char *pair)
{
	const char *equals = strchr(pair, '=');
	char name[64];

	if (equals == NULL || (size_t)(equals - pair) >= sizeof(name)) {
		fprintf(stderr, "dtap-gen: --set: \"%s\" is not NAME=VALUE\n",
			pair);
		return false;
	}
	memcpy(name, pair, (size_t)(equals - pair));
	name[equals - pair] = '\0';
	return gen_set(options, name, equals + 1);
}

static unsigned int
gen_type_of(const char *mnemonic)
{
	for (unsigned int type = 1; type <= GEN_TYPES_MAX; type++)
		if (strncmp(mnemonic, dtap_message_type_mnemonic(type), 2) == 0)
			return type;
	return 0;
}

/* CQ,CR,... */
static bool
gen_types(struct gen_options *options, const char *list)
{
	const char *at = list;

	options->type_count = 0;
	for (;;) {
		unsigned int type = gen_type_of(at);

		if (type == 0 || (at[2] != ',' && at[2] != '\0') ||
		    options->type_count == GEN_TYPES_MAX)
			break;
		options->types[options->type_count++] =
			(enum dtap_message_type)type;
		if (at[2] == '\0')
			return true;
		at += 3;
	}
	fprintf(stderr,
		"dtap-gen: --types: \"%s\" is not a list of at most 14 of AQ, "
		"AR, RQ, RR, CQ, CR, FQ, FR, SQ, SR, TQ, TR, UQ, UR\n",
		list);
	return false;
}

static bool
gen_message_size(struct gen_options *options, const char *text)
{
	uint64_t number;

	if (strcmp(text, "mix") == 0) {
		options->message_bytes = GEN_MESSAGE_BYTES_MIX;
		return true;
	}
	if (!gen_number("message-bytes", text, GEN_MESSAGE_BYTES_MIN,
			DTAP_MESSAGE_BYTES_MAX, &number))
		return false;
	options->message_bytes = (size_t)number;
	return true;
}

static bool
gen_threads(struct gen_options *options, const char *text)
{
	uint64_t number;

	if (!gen_number("threads", text, 1, GEN_THREADS_MAX, &number))
		return false;
	options->threads = (unsigned int)number;
	return true;
}

static bool
gen_option(struct gen_options *options, int option, const char *value)
{
	switch (option) {
	case 'o':
		return gen_set(options, "output", value);
	case 'n':
		return gen_number("events", value, 0, INT64_MAX,
				  &options->events);
	case 's':
		return gen_number("seconds", value, 1, 31536000,
				  &options->seconds);
	case 't':
		return gen_threads(options, value);
	case 'r':
		return gen_number("rate", value, 1, 1000000000,
				  &options->rate);
	case GEN_OPTION_TYPES:
		return gen_types(options, value);
	case GEN_OPTION_MESSAGE_BYTES:
		return gen_message_size(options, value);
	case GEN_OPTION_SET:
		return gen_set_pair(options, value);
	case GEN_OPTION_STOP_TIMEOUT:
		return gen_number("stop-timeout-ms", value, 0, 600000,
				  &options->stop_timeout_ms);
	default:
		fputs("Try 'dtap-gen --help'.\n", stderr);
		return false;
	}
}

enum gen_verdict
gen_options_parse(struct gen_options *options, int argc, char **argv)
{
	bool events_given = false;
	int option;

	memset(options, 0, sizeof(*options));
	options->tap = dtap_options_new();
	options->threads = 1;
	options->stop_timeout_ms = 5000;
	gen_types(options, "CQ,CR");
	if (options->tap == NULL)
		return GEN_USAGE;
	while ((option = getopt_long(argc, argv, "o:n:s:t:r:hV",
				     gen_long_options, NULL)) != -1) {
		if (option == 'h' || option == 'V') {
			printf(option == 'h' ? "%s" : "dtap-gen %s\n",
			       option == 'h' ? gen_help : dtap_version());
			return GEN_DONE;
		}
		if (!gen_option(options, option, optarg))
			return GEN_USAGE;
		events_given = events_given || option == 'n';
	}
	if (optind < argc) {
		fprintf(stderr, "dtap-gen: what is \"%s\"? "
			"Try 'dtap-gen --help'.\n", argv[optind]);
		return GEN_USAGE;
	}
	if (!events_given && options->seconds == 0)
		options->events = 100000;
	return GEN_RUN;
}
