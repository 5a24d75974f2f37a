/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fstrm_fixture.h: writers, frames and the file they end up in.
 */
#ifndef FSTRM_FIXTURE_H
#define FSTRM_FIXTURE_H

#include <fstrm.h>
#include <stdatomic.h>
#include <stdint.h>

#define FIXTURE_CONTENT_TYPE "protobuf:dnstap.Dnstap"
#define FIXTURE_THREADS_MAX 16

/* Where fixture_file_writer() writes; in a folder for each test. */
extern char fixture_path[96];
/* How often fixture_free() was called. */
extern atomic_uint fixture_frees;

/* Before and after each test. */
void
fixture_make_folder(void);
void
fixture_remove_folder(void);

/* Options with one content type, or none for NULL. */
struct fstrm_writer_options *
fixture_content(const char *type);

/* These return what fstrm's function returned. */
struct fstrm_writer *
fixture_file_writer_of(const char *name, const char *type);
struct fstrm_writer *
fixture_unix_writer(const char *name);
struct fstrm_writer *
fixture_tcp_writer(const char *address, const char *port);

/* And these a writer, an iothr, a frame on the heap, for sure. */
struct fstrm_writer *
fixture_file_writer(void);
struct fstrm_iothr *
fixture_start(const struct fstrm_iothr_options *opt,
	      struct fstrm_writer *writer);
void *
fixture_new_frame(uint32_t thread, uint32_t sequence);

/* Lengths differ, so that a frame's end is tried, too. */
size_t
fixture_frame_bytes(uint32_t sequence);

/* A free_func that counts. */
void
fixture_free(void *data, void *count);

/* Submits as fstrm's manual wants it: whoever is refused frees. */
fstrm_res
fixture_submit(struct fstrm_iothr *iothr, struct fstrm_iothr_queue *queue,
	       uint32_t thread, uint32_t sequence);

/* Reads the file to its end; the frames in it. */
unsigned int
fixture_read_frames(void);

#endif
