/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cat.c: see cat.h.
 *
 * A frame that cannot be decoded is reported and left out, of -w's file as
 * well; the next one may be good. Standard output that nobody reads any more
 * (EPIPE) is no failure: `dtap-cat file | head` has done what was asked.
 */
#include "cat/cat.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cat/cat_loss.h"

bool
cat_init(struct cat *cat, const struct cat_options *options)
{
	static cat_print_function *const prints[] = {
		[CAT_FORMAT_LINE] = cat_print_line,
		[CAT_FORMAT_QUIET] = cat_print_quiet,
		[CAT_FORMAT_JSON] = cat_print_json,
		[CAT_FORMAT_NONE] = NULL,
	};
	int error = 0;

	cat->options = options;
	cat->print = prints[options->format];
	text_init(&cat->out, STDOUT_FILENO);
	cat->prompt = isatty(STDOUT_FILENO) != 0;
	if (options->write_path != NULL)
		error = cat_capture_open(&cat->capture, options->write_path);
	if (error != 0)
		cat_note_io(cat, options->write_path, error);
	return error == 0;
}

void
cat_note_damage(struct cat *cat, const char *source, const char *what)
{
	cat_flush(cat);
	fprintf(stderr, "dtap-cat: %s: %s\n", source, what);
	cat->damaged = true;
}

void
cat_note_io(struct cat *cat, const char *source, int error)
{
	cat_flush(cat);
	fprintf(stderr, "dtap-cat: %s: %s\n", source, strerror(error));
	cat->io_failed = true;
}

static void
note_bad_frame(struct cat *cat, const char *source,
	       const struct dtap_frame *frame, enum dtap_result result)
{
	char what[128];

	snprintf(what, sizeof(what),
		 "offset %" PRIu64 ": frame of %zu octets: %s",
		 frame->offset, frame->bytes, dtap_result_text(result));
	cat_note_damage(cat, source, what);
}

void
cat_frame(struct cat *cat, const char *source, const struct dtap_frame *frame)
{
	struct dtap_message message = DTAP_MESSAGE_INIT;
	struct cat_loss loss;
	enum dtap_result result =
		dtap_message_decode(frame->data, frame->bytes, &message);

	if (result != DTAP_OK) {
		note_bad_frame(cat, source, frame, result);
		return;
	}
	if (cat->capture.path != NULL)
		cat_capture_frame(&cat->capture, frame->data, frame->bytes);
	if (cat->print != NULL)
		cat->print(&cat->out, &message);
	if (cat->options->strict && cat_loss_read(message.extra, &loss))
		cat->lossy = true;
	if (++cat->frames == cat->options->frames_max)
		cat->over = true;
}

/* Once for each output: after a failure it takes nothing any more. */
static void
flush_one(struct cat *cat, struct text *text, const char *name)
{
	bool failed_before = text->error != 0;

	text_flush(text);
	if (text->error == 0 || failed_before)
		return;
	cat->over = true;
	if (text->error == EPIPE && text->fd == STDOUT_FILENO)
		return;
	fprintf(stderr, "dtap-cat: %s: %s\n", name, strerror(text->error));
	cat->io_failed = true;
}

void
cat_flush(struct cat *cat)
{
	flush_one(cat, &cat->out, "standard output");
	if (cat->capture.path != NULL)
		flush_one(cat, &cat->capture.octets, cat->capture.path);
}

enum cat_status
cat_fini(struct cat *cat)
{
	const char *path = cat->capture.path;
	bool known;
	int error;

	cat_flush(cat);
	known = cat->capture.octets.error != 0;
	error = cat_capture_close(&cat->capture);
	if (error != 0 && !known && error != EPIPE)
		cat_note_io(cat, path, error);
	if (cat->io_failed)
		return CAT_STATUS_IO;
	if (cat->damaged)
		return CAT_STATUS_DAMAGED;
	return cat->lossy ? CAT_STATUS_LOSS : CAT_STATUS_GOOD;
}
