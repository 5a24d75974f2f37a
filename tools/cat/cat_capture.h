/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cat_capture.h: the file of -w: START, the frames, STOP.
 */
#ifndef DTAP_TOOLS_CAT_CAPTURE_H
#define DTAP_TOOLS_CAT_CAPTURE_H

#include "cat/text.h"

struct cat_capture {
	const char *path; /* NULL: not open */
	struct text octets;
};

/* Makes a new file, or takes standard output for "-". 0, or errno. */
int
cat_capture_open(struct cat_capture *capture, const char *path);

void
cat_capture_frame(struct cat_capture *capture, const void *data, size_t bytes);

/* Ends the stream and closes the file. 0, or the first errno there was. */
int
cat_capture_close(struct cat_capture *capture);

#endif
