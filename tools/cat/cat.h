/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cat.h: dtap-cat's own state: where frames go and what became of them.
 */
#ifndef DTAP_TOOLS_CAT_H
#define DTAP_TOOLS_CAT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include <dnstap/reader.h>

#include "cat/cat_capture.h"
#include "cat/cat_options.h"
#include "cat/cat_print.h"
#include "cat/text.h"

enum cat_status {
	CAT_STATUS_GOOD = 0,
	CAT_STATUS_IO = 1,
	CAT_STATUS_USAGE = 2,
	CAT_STATUS_DAMAGED = 3,
	CAT_STATUS_LOSS = 4
};

struct cat {
	const struct cat_options *options;
	cat_print_function *print; /* NULL: frames are not printed */
	struct text out;
	struct cat_capture capture;
	uint64_t frames; /* whole ones so far */
	bool prompt;	 /* show each line at once: someone is watching */
	bool io_failed;
	bool damaged;
	bool lossy;
	bool over; /* nothing more is wanted: -c, a signal, a closed pipe */
};

/* false when the file of -w cannot be made; it has been said. */
bool
cat_init(struct cat *cat, const struct cat_options *options);

/* Takes one data frame of the input called source. */
void
cat_frame(struct cat *cat, const char *source, const struct dtap_frame *frame);

/* Writes out what is buffered; notes failures. */
void
cat_flush(struct cat *cat);

/* Says on stderr what is damaged, or which call failed, and notes it. */
void
cat_note_damage(struct cat *cat, const char *source, const char *what);
void
cat_note_io(struct cat *cat, const char *source, int error);

/* Ends the outputs; the exit status. */
enum cat_status
cat_fini(struct cat *cat);

#endif
