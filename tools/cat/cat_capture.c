/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cat_capture.c: see cat_capture.h.
 *
 * The control frames are written here by hand: the library's public side
 * writes whole sessions from events, not frames to a file.
 */
#include "cat/cat_capture.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <dnstap/reader.h>

/* Frame Streams' field of a control frame that holds the content type. */
#define FIELD_CONTENT_TYPE 1

static void
put_be32(struct text *octets, uint32_t number)
{
	uint8_t wire[4] = {(uint8_t)(number >> 24), (uint8_t)(number >> 16),
			   (uint8_t)(number >> 8), (uint8_t)number};

	text_put(octets, wire, sizeof(wire));
}

static void
put_start(struct text *octets)
{
	size_t bytes = strlen(DTAP_CONTENT_TYPE);

	put_be32(octets, 0); /* escape: a control frame follows */
	put_be32(octets, (uint32_t)(3 * 4 + bytes));
	put_be32(octets, DTAP_FRAME_START);
	put_be32(octets, FIELD_CONTENT_TYPE);
	put_be32(octets, (uint32_t)bytes);
	text_put(octets, DTAP_CONTENT_TYPE, bytes);
}

static void
put_stop(struct text *octets)
{
	put_be32(octets, 0);
	put_be32(octets, 4);
	put_be32(octets, DTAP_FRAME_STOP);
}

int
cat_capture_open(struct cat_capture *capture, const char *path)
{
	int fd = STDOUT_FILENO;

	if (strcmp(path, "-") != 0)
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	if (fd < 0)
		return errno;
	capture->path = path;
	text_init(&capture->octets, fd);
	put_start(&capture->octets);
	return 0;
}

void
cat_capture_frame(struct cat_capture *capture, const void *data, size_t bytes)
{
	put_be32(&capture->octets, (uint32_t)bytes);
	text_put(&capture->octets, data, bytes);
}

int
cat_capture_close(struct cat_capture *capture)
{
	if (capture->path == NULL)
		return 0;
	put_stop(&capture->octets);
	text_flush(&capture->octets);
	if (close(capture->octets.fd) != 0 && capture->octets.error == 0)
		capture->octets.error = errno;
	capture->path = NULL;
	return capture->octets.error;
}
