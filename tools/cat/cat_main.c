/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cat_main.c: dtap-cat reads dnstap and prints it.
 *
 *   cat_options   the command line
 *   cat_file      files and pipes  \  octets -> cat_stream -> frames
 *   cat_serve     sockets          /
 *   cat           a frame -> cat_print_line, _quiet, _json and cat_capture
 *   text          what is printed -> the descriptor
 *
 * Sockets are opened before the files are read, so that writers find them,
 * and served after the files are done.
 */
#include "cat/cat.h"

#include <stdio.h>

#include "cat/cat_file.h"
#include "cat/cat_serve.h"
#include "cat/cat_signal.h"

static void
read_files(struct cat *cat)
{
	const struct cat_options *options = cat->options;

	for (unsigned int i = 0; i < options->source_count && !cat->over; i++) {
		if (options->sources[i].kind == CAT_SOURCE_FILE)
			cat_file_read(cat, options->sources[i].name);
	}
}

static enum cat_status
run(const struct cat_options *options)
{
	static struct cat cat;
	static struct cat_server server;

	cat_signal_install();
	if (cat_init(&cat, options) && cat_serve_open(&server, &cat)) {
		read_files(&cat);
		if (server.listener_count > 0)
			cat_serve_run(&server);
	}
	cat_serve_close(&server);
	return cat_fini(&cat);
}

int
main(int argc, char **argv)
{
	struct cat_options options;
	enum cat_status status = CAT_STATUS_GOOD;

	switch (cat_options_parse(&options, argc, argv)) {
	case CAT_PARSE_RUN:
		status = run(&options);
		break;
	case CAT_PARSE_DONE:
		if (fflush(stdout) != 0)
			status = CAT_STATUS_IO;
		break;
	case CAT_PARSE_WRONG:
		status = CAT_STATUS_USAGE;
		break;
	}
	cat_options_fini(&options);
	return (int)status;
}
