/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cat_options.c: see cat_options.h.
 */
#include "cat/cat_options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <dnstap/reader.h>
#include <dnstap/version.h>

#include "cat/cat_serve.h"
#include "shared/tool_arguments.h"

#define MAX_FRAME_BYTES_MAX (1u << 30)

/* Keys of the options without a letter. */
enum {
	CAT_KEY_STRICT = 256,
	CAT_KEY_MAX_FRAME_BYTES,
	CAT_KEY_HELP,
	CAT_KEY_VERSION
};

static const char letters[] = "r:u:l:qjw:c:";

static const struct option long_options[] = {
#define CAT_OPTION(key, letter, name, argument, text) \
	{name, (argument) != NULL ? required_argument : no_argument, NULL, key},
#include "cat/cat_options.def"
#undef CAT_OPTION
	{NULL, 0, NULL, 0},
};

static const struct {
	const char *letter;
	const char *name;
	const char *argument;
	const char *text;
} help[] = {
#define CAT_OPTION(key, letter, name, argument, text) \
	{letter, name, argument, text},
#include "cat/cat_options.def"
#undef CAT_OPTION
};

static void
print_help(void)
{
	printf("Usage: dtap-cat [OPTION]... [FILE]...\n"
	       "Prints dnstap messages from Frame Streams files and sockets. "
	       "FILE - is standard\ninput, which is also read when nothing "
	       "else is given.\n\n");
	for (size_t i = 0; i < sizeof(help) / sizeof(help[0]); i++) {
		char left[64];

		snprintf(left, sizeof(left), "%s--%s%s%s", help[i].letter,
			 help[i].name, help[i].argument != NULL ? "=" : "",
			 help[i].argument != NULL ? help[i].argument : "");
		printf("  %-26s %s\n", left, help[i].text);
	}
	printf("\nExit status: 0 good, 1 I/O error, 2 wrong usage, 3 damaged "
	       "input, 4 messages\nreported lost (with --strict).\n");
}

static enum cat_parse
wrong(const char *what, const char *value)
{
	fprintf(stderr,
		"dtap-cat: %s%s%s\nTry 'dtap-cat --help'.\n",
		what, value != NULL ? ": " : "", value != NULL ? value : "");
	return CAT_PARSE_WRONG;
}

static enum cat_parse
add_source(struct cat_options *options, enum cat_source_kind kind,
	   const char *name)
{
	struct cat_source *source = &options->sources[options->source_count];
	struct sockaddr_storage address;
	socklen_t bytes;

	if (name[0] == '\0')
		return wrong("empty name of a file or socket", NULL);
	if (kind == CAT_SOURCE_TCP &&
	    !tool_parse_endpoint(name, &address, &bytes))
		return wrong("not a numeric ADDR:PORT", name);
	source->kind = kind;
	source->name = name;
	options->source_count++;
	if (kind != CAT_SOURCE_FILE &&
	    ++options->listener_count > CAT_LISTENERS_MAX)
		return wrong("too many listening sockets", NULL);
	return CAT_PARSE_RUN;
}

static enum cat_parse
set_format(struct cat_options *options, enum cat_format format)
{
	if (options->format != CAT_FORMAT_LINE && options->format != format)
		return wrong("-q and -j exclude each other", NULL);
	options->format = format;
	return CAT_PARSE_RUN;
}

static enum cat_parse
set_max_frame_bytes(struct cat_options *options, const char *text)
{
	uint64_t number;

	if (!tool_parse_number(text, 1, MAX_FRAME_BYTES_MAX, &number))
		return wrong("--max-frame-bytes takes 1 to 1073741824", text);
	options->max_frame_bytes = (uint32_t)number;
	return CAT_PARSE_RUN;
}

static enum cat_parse
set_option(struct cat_options *options, int key)
{
	switch (key) {
	case 'r':
		return add_source(options, CAT_SOURCE_FILE, optarg);
	case 'u':
		return add_source(options, CAT_SOURCE_UNIX, optarg);
	case 'l':
		return add_source(options, CAT_SOURCE_TCP, optarg);
	case 'q':
		return set_format(options, CAT_FORMAT_QUIET);
	case 'j':
		return set_format(options, CAT_FORMAT_JSON);
	case 'w':
		options->write_path = optarg;
		return CAT_PARSE_RUN;
	case 'c':
		if (!tool_parse_number(optarg, 1, UINT64_MAX,
				       &options->frames_max))
			return wrong("-c takes a number above 0", optarg);
		return CAT_PARSE_RUN;
	case CAT_KEY_STRICT:
		options->strict = true;
		return CAT_PARSE_RUN;
	case CAT_KEY_MAX_FRAME_BYTES:
		return set_max_frame_bytes(options, optarg);
	case CAT_KEY_HELP:
		print_help();
		return CAT_PARSE_DONE;
	case CAT_KEY_VERSION:
		printf("dtap-cat %s\n", DTAP_VERSION);
		return CAT_PARSE_DONE;
	default:
		return wrong("unknown or incomplete option", NULL);
	}
}

/* What can only be judged when all options are known. */
static enum cat_parse
complete(struct cat_options *options)
{
	bool binary = options->write_path != NULL &&
		      strcmp(options->write_path, "-") == 0;

	if (options->source_count == 0) {
		if (isatty(STDIN_FILENO))
			return wrong("no input given", NULL);
		add_source(options, CAT_SOURCE_FILE, "-");
	}
	if (options->write_path == NULL)
		return CAT_PARSE_RUN;
	if (options->format == CAT_FORMAT_LINE)
		options->format = CAT_FORMAT_NONE;
	if (binary && options->format != CAT_FORMAT_NONE)
		return wrong("-w - leaves no room for -q or -j", NULL);
	if (binary && isatty(STDOUT_FILENO))
		return wrong("-w - does not write frames to a terminal", NULL);
	return CAT_PARSE_RUN;
}

enum cat_parse
cat_options_parse(struct cat_options *options, int argc, char **argv)
{
	enum cat_parse parse = CAT_PARSE_RUN;
	int key;

	memset(options, 0, sizeof(*options));
	options->max_frame_bytes = DTAP_READER_FRAME_BYTES_DEFAULT;
	/* Each argument is one source at most, and there may be stdin. */
	options->sources = calloc((size_t)argc + 1, sizeof(*options->sources));
	if (options->sources == NULL)
		return wrong("out of memory", NULL);
	opterr = 0;
	while (parse == CAT_PARSE_RUN &&
	       (key = getopt_long(argc, argv, letters, long_options, NULL)) !=
		       -1)
		parse = set_option(options, key);
	for (; parse == CAT_PARSE_RUN && optind < argc; optind++)
		parse = add_source(options, CAT_SOURCE_FILE, argv[optind]);
	return parse == CAT_PARSE_RUN ? complete(options) : parse;
}

void
cat_options_fini(struct cat_options *options)
{
	free(options->sources);
	options->sources = NULL;
}
