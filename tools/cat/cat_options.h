/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cat_options.h: what the command line asks for.
 */
#ifndef DTAP_TOOLS_CAT_OPTIONS_H
#define DTAP_TOOLS_CAT_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum cat_source_kind {
	CAT_SOURCE_FILE,
	CAT_SOURCE_UNIX,
	CAT_SOURCE_TCP
};

struct cat_source {
	enum cat_source_kind kind;
	const char *name; /* path, "-", or ADDR:PORT; borrowed from argv */
};

enum cat_format {
	CAT_FORMAT_LINE,
	CAT_FORMAT_QUIET,
	CAT_FORMAT_JSON,
	CAT_FORMAT_NONE /* -w alone */
};

struct cat_options {
	struct cat_source *sources; /* in the order they were given */
	unsigned int source_count;
	unsigned int listener_count; /* those that are not files */
	enum cat_format format;
	const char *write_path; /* NULL: no -w */
	uint64_t frames_max;	/* 0: all */
	uint32_t max_frame_bytes;
	bool strict;
};

enum cat_parse {
	CAT_PARSE_RUN,
	CAT_PARSE_DONE, /* --help, --version */
	CAT_PARSE_WRONG /* and has been explained on stderr */
};

enum cat_parse
cat_options_parse(struct cat_options *options, int argc, char **argv);

void
cat_options_fini(struct cat_options *options);

#endif
