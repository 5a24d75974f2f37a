/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fstrm_fixture.c: what the tests of libdtap-fstrm share.
 *
 * Each frame is a thread's number, a sequence number and filling. The file
 * that comes out is read with the real library's reader: it must hold each
 * frame that was taken, once, whole, and a thread's frames in their order.
 */
#include "fstrm_fixture.h"

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILLING_BYTES 300

struct frame {
	uint32_t thread;
	uint32_t sequence;
	unsigned char filling[FILLING_BYTES];
};

static char folder[64];
char fixture_path[96];
atomic_uint fixture_frees;

void
fixture_make_folder(void)
{
	const char *base = getenv("TMPDIR");

	snprintf(folder, sizeof(folder), "%.40s/fstrm.XXXXXX",
		 base != NULL && strlen(base) <= 40 ? base : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(fixture_path, sizeof(fixture_path), "%s/frames", folder);
	setenv("DTAP_FSTRM_LOG", "stderr", 1);
	unsetenv("DTAP_FSTRM_OPTIONS");
	atomic_store(&fixture_frees, 0);
}

void
fixture_remove_folder(void)
{
	unlink(fixture_path);
	ck_assert_int_eq(rmdir(folder), 0);
}

struct fstrm_writer_options *
fixture_content(const char *type)
{
	struct fstrm_writer_options *wopt = fstrm_writer_options_init();

	ck_assert_ptr_nonnull(wopt);
	if (type != NULL)
		ck_assert_int_eq(fstrm_writer_options_add_content_type(
					 wopt, type, strlen(type)),
				 fstrm_res_success);
	return wopt;
}

struct fstrm_writer *
fixture_file_writer_of(const char *name, const char *type)
{
	struct fstrm_file_options *fopt = fstrm_file_options_init();
	struct fstrm_writer_options *wopt = fixture_content(type);
	struct fstrm_writer *writer;

	fstrm_file_options_set_file_path(fopt, name);
	writer = fstrm_file_writer_init(fopt, wopt);
	fstrm_file_options_destroy(&fopt);
	fstrm_writer_options_destroy(&wopt);
	ck_assert_ptr_null(fopt);
	ck_assert_ptr_null(wopt);
	return writer;
}

struct fstrm_writer *
fixture_file_writer(void)
{
	struct fstrm_writer *writer =
		fixture_file_writer_of(fixture_path, FIXTURE_CONTENT_TYPE);

	ck_assert_ptr_nonnull(writer);
	return writer;
}

struct fstrm_writer *
fixture_unix_writer(const char *name)
{
	struct fstrm_unix_writer_options *uwopt =
		fstrm_unix_writer_options_init();
	struct fstrm_writer_options *wopt =
		fixture_content(FIXTURE_CONTENT_TYPE);
	struct fstrm_writer *writer;

	fstrm_unix_writer_options_set_socket_path(uwopt, name);
	writer = fstrm_unix_writer_init(uwopt, wopt);
	fstrm_unix_writer_options_destroy(&uwopt);
	fstrm_writer_options_destroy(&wopt);
	return writer;
}

struct fstrm_writer *
fixture_tcp_writer(const char *address, const char *port)
{
	struct fstrm_tcp_writer_options *twopt =
		fstrm_tcp_writer_options_init();
	struct fstrm_writer_options *wopt =
		fixture_content(FIXTURE_CONTENT_TYPE);
	struct fstrm_writer *writer;

	fstrm_tcp_writer_options_set_socket_address(twopt, address);
	fstrm_tcp_writer_options_set_socket_port(twopt, port);
	writer = fstrm_tcp_writer_init(twopt, wopt);
	fstrm_tcp_writer_options_destroy(&twopt);
	fstrm_writer_options_destroy(&wopt);
	return writer;
}

struct fstrm_iothr *
fixture_start(const struct fstrm_iothr_options *opt,
	      struct fstrm_writer *writer)
{
	struct fstrm_iothr *iothr = fstrm_iothr_init(opt, &writer);

	ck_assert_ptr_nonnull(iothr);
	ck_assert_ptr_null(writer); /* taken */
	return iothr;
}

/* Lengths differ, so that a frame's end is tried, too. */
size_t
fixture_frame_bytes(uint32_t sequence)
{
	return sizeof(struct frame) - sequence % FILLING_BYTES;
}

void *
fixture_new_frame(uint32_t thread, uint32_t sequence)
{
	struct frame *frame = malloc(sizeof(*frame));

	ck_assert_ptr_nonnull(frame);
	frame->thread = thread;
	frame->sequence = sequence;
	memset(frame->filling, (int)sequence & 0xff, sizeof(frame->filling));
	return frame;
}

void
fixture_free(void *data, void *count)
{
	free(data);
	atomic_fetch_add((atomic_uint *)count, 1);
}

/* Submits as fstrm's manual wants it: whoever is refused fixture_frees. */
fstrm_res
fixture_submit(struct fstrm_iothr *iothr, struct fstrm_iothr_queue *queue,
	       uint32_t thread, uint32_t sequence)
{
	struct frame *frame = fixture_new_frame(thread, sequence);
	fstrm_res result = fstrm_iothr_submit(iothr, queue, frame,
					      fixture_frame_bytes(sequence),
					      fixture_free, &fixture_frees);

	if (result != fstrm_res_success) {
		ck_assert_uint_eq(frame->sequence, sequence); /* still ours */
		free(frame);
	}
	return result;
}

/* Too many octets for a ck_assert() each. */
static bool
is_filled(const struct frame *frame, size_t bytes)
{
	for (size_t i = offsetof(struct frame, filling); i < bytes; i++)
		if (((const unsigned char *)frame)[i] !=
		    (frame->sequence & 0xff))
			return false;
	return true;
}

/* Reads the file to its end; the frames in it. */
unsigned int
fixture_read_frames(void)
{
	struct fstrm_file_options *fopt = fstrm_file_options_init();
	uint32_t next[FIXTURE_THREADS_MAX] = {0};
	unsigned int frames = 0;
	struct fstrm_reader *reader;
	const uint8_t *data;
	fstrm_res result;
	size_t bytes;

	fstrm_file_options_set_file_path(fopt, fixture_path);
	reader = fstrm_file_reader_init(fopt, NULL);
	ck_assert_ptr_nonnull(reader);
	while ((result = fstrm_reader_read(reader, &data, &bytes)) ==
	       fstrm_res_success) {
		struct frame frame = {0};

		ck_assert_uint_le(bytes, sizeof(frame));
		memcpy(&frame, data, bytes);
		ck_assert_uint_lt(frame.thread, FIXTURE_THREADS_MAX);
		ck_assert_uint_eq(frame.sequence, next[frame.thread]);
		ck_assert_uint_eq(bytes, fixture_frame_bytes(frame.sequence));
		ck_assert(is_filled(&frame, bytes));
		next[frame.thread]++;
		frames++;
	}
	ck_assert_int_eq(result, fstrm_res_stop); /* not cut off */
	fstrm_reader_destroy(&reader);
	fstrm_file_options_destroy(&fopt);
	return frames;
}
