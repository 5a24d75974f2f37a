/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame and reader rooms against libfstrm, the implementation by the
 * protocol's authors: in both directions, in memory and through a file.
 */
#include <dnstap/reader.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <fstrm.h>

#include "frame/frame_session.h"

#include "support/support.h"

#define FRAMES 100

static const struct dtap_reader_options answerable = {
	.size = sizeof(answerable), .bidirectional = 1
};

/* Frame number n: n + 1 octets of value n. */
static size_t
make_payload(uint8_t *out, unsigned int n)
{
	memset(out, (int)n, n + 1);
	return n + 1;
}

static void
check_payload(unsigned int n, const void *data, size_t bytes)
{
	uint8_t expected[FRAMES];

	ck_assert_uint_eq(bytes, make_payload(expected, n));
	ck_assert_mem_eq(data, expected, bytes);
}

static struct fstrm_writer_options *
our_writer_options(void)
{
	struct fstrm_writer_options *options = fstrm_writer_options_init();

	fstrm_writer_options_add_content_type(options, DTAP_CONTENT_TYPE,
					      sizeof(DTAP_CONTENT_TYPE) - 1);
	return options;
}

static void
write_frames(struct fstrm_writer *writer)
{
	uint8_t payload[FRAMES];

	for (unsigned int n = 0; n < FRAMES; n++)
		ck_assert_int_eq(fstrm_writer_write(writer, payload,
						    make_payload(payload, n)),
				 fstrm_res_success);
}

/* An end of a connection that libfstrm believes to be the other end. */
struct peer {
	dtap_reader *reader;		/* when libfstrm writes */
	struct dtap__session session;	/* when libfstrm reads */
	uint8_t in[16384];		/* what libfstrm has written */
	size_t in_bytes;
	uint8_t out[16384];		/* what libfstrm may read */
	size_t out_bytes, out_read;
	unsigned int frames;
	enum dtap_result result;
};

static fstrm_res
peer_open(void *obj)
{
	(void)obj;
	return fstrm_res_success;
}

static fstrm_res
peer_close(void *obj)
{
	(void)obj;
	return fstrm_res_success;
}

static void
peer_put(struct peer *peer, const void *octets, size_t bytes)
{
	ck_assert_uint_le(bytes, sizeof(peer->out) - peer->out_bytes);
	if (bytes > 0)
		memcpy(peer->out + peer->out_bytes, octets, bytes);
	peer->out_bytes += bytes;
}

/* Our reader takes what there is and answers. */
static void
peer_read_frames(struct peer *peer)
{
	struct dtap_frame frame;
	size_t at = 0, consumed, reply_bytes;
	const void *reply;

	do {
		peer->result = dtap_reader_next(peer->reader, peer->in + at,
						peer->in_bytes - at,
						&consumed, &frame);
		at += consumed;
		if (peer->result == DTAP_OK && frame.kind == DTAP_FRAME_DATA)
			check_payload(peer->frames++, frame.data, frame.bytes);
		reply = dtap_reader_reply(peer->reader, &reply_bytes);
		peer_put(peer, reply, reply_bytes);
	} while (peer->result == DTAP_OK);
	ck_assert_int_ge(peer->result, DTAP_OK);
	peer->in_bytes -= at;
	memmove(peer->in, peer->in + at, peer->in_bytes);
}

/* Our session sends what it has, and frames when it may. */
static void
peer_send_frames(struct peer *peer)
{
	uint8_t frame[4 + FRAMES] = { 0 };
	const uint8_t *octets;
	size_t bytes;

	peer->result = dtap__session_received(&peer->session, peer->in,
					      peer->in_bytes);
	ck_assert_int_eq(peer->result, DTAP_OK);
	peer->in_bytes = 0;
	bytes = dtap__session_pending(&peer->session, &octets);
	peer_put(peer, octets, bytes);
	dtap__session_sent(&peer->session, bytes);
	if (!dtap__session_flows(&peer->session))
		return;
	for (unsigned int n = 0; n < FRAMES; n++) {
		bytes = make_payload(frame + 4, n);
		frame[3] = (uint8_t)bytes;
		peer_put(peer, frame, 4 + bytes);
	}
	dtap__session_finish(&peer->session);
	bytes = dtap__session_pending(&peer->session, &octets);
	peer_put(peer, octets, bytes);
	dtap__session_sent(&peer->session, bytes);
}

static fstrm_res
peer_take_write(void *obj, const struct iovec *parts, int count)
{
	struct peer *peer = obj;

	for (int i = 0; i < count; i++) {
		ck_assert_uint_le(parts[i].iov_len,
				  sizeof(peer->in) - peer->in_bytes);
		memcpy(peer->in + peer->in_bytes, parts[i].iov_base,
		       parts[i].iov_len);
		peer->in_bytes += parts[i].iov_len;
	}
	if (peer->reader != NULL)
		peer_read_frames(peer);
	return fstrm_res_success;
}

static fstrm_res
peer_give_read(void *obj, void *into, size_t bytes)
{
	struct peer *peer = obj;

	if (peer->reader == NULL)
		peer_send_frames(peer);
	if (bytes > peer->out_bytes - peer->out_read)
		return fstrm_res_failure;
	memcpy(into, peer->out + peer->out_read, bytes);
	peer->out_read += bytes;
	return fstrm_res_success;
}

static struct fstrm_rdwr *
rdwr_to(struct peer *peer, bool reads, bool writes)
{
	struct fstrm_rdwr *rdwr = fstrm_rdwr_init(peer);

	fstrm_rdwr_set_open(rdwr, peer_open);
	fstrm_rdwr_set_close(rdwr, peer_close);
	if (reads)
		fstrm_rdwr_set_read(rdwr, peer_give_read);
	if (writes)
		fstrm_rdwr_set_write(rdwr, peer_take_write);
	return rdwr;
}

static void
check_fstrm_writer(bool bidirectional)
{
	struct fstrm_writer_options *options = our_writer_options();
	static struct peer peer;
	struct fstrm_rdwr *rdwr = rdwr_to(&peer, bidirectional, true);
	struct fstrm_writer *writer;

	memset(&peer, 0, sizeof(peer));
	ck_assert_int_eq(dtap_reader_open(&answerable, &peer.reader), DTAP_OK);
	writer = fstrm_writer_init(options, &rdwr);
	ck_assert_int_eq(fstrm_writer_open(writer), fstrm_res_success);
	write_frames(writer);
	ck_assert_int_eq(fstrm_writer_close(writer), fstrm_res_success);
	fstrm_writer_destroy(&writer);
	fstrm_writer_options_destroy(&options);

	ck_assert_uint_eq(peer.frames, FRAMES);
	ck_assert_int_eq(peer.result, DTAP_END);
	ck_assert_uint_eq(peer.out_read, peer.out_bytes);
	ck_assert((peer.out_bytes > 0) == bidirectional);
	ck_assert_int_eq(dtap_reader_finish(peer.reader, peer.in_bytes),
			 DTAP_OK);
	dtap_reader_close(&peer.reader);
}

START_TEST(reads_a_session_with_libfstrms_writer)
{
	check_fstrm_writer(true);
	check_fstrm_writer(false);
}
END_TEST

static void
check_fstrm_reader(bool bidirectional)
{
	static struct peer peer;
	struct fstrm_rdwr *rdwr = rdwr_to(&peer, true, bidirectional);
	struct fstrm_reader_options *options = fstrm_reader_options_init();
	struct fstrm_reader *reader;
	const uint8_t *data;
	size_t bytes;

	memset(&peer, 0, sizeof(peer));
	dtap__session_begin(&peer.session, bidirectional);
	fstrm_reader_options_add_content_type(options, DTAP_CONTENT_TYPE,
					      sizeof(DTAP_CONTENT_TYPE) - 1);
	reader = fstrm_reader_init(options, &rdwr);
	ck_assert_int_eq(fstrm_reader_open(reader), fstrm_res_success);
	for (unsigned int n = 0; n < FRAMES; n++) {
		ck_assert_int_eq(fstrm_reader_read(reader, &data, &bytes),
				 fstrm_res_success);
		check_payload(n, data, bytes);
	}
	ck_assert_int_eq(fstrm_reader_read(reader, &data, &bytes),
			 fstrm_res_stop);
	ck_assert_int_eq(fstrm_reader_close(reader), fstrm_res_success);
	fstrm_reader_destroy(&reader);
	fstrm_reader_options_destroy(&options);

	peer_send_frames(&peer); /* takes FINISH, if there is one */
	ck_assert(dtap__session_over(&peer.session));
	ck_assert(dtap__session_confirmed(&peer.session) == bidirectional);
	ck_assert_uint_eq(peer.out_read, peer.out_bytes);
}

START_TEST(session_is_read_by_libfstrms_reader)
{
	check_fstrm_reader(true);
	check_fstrm_reader(false);
}
END_TEST

/* Has libfstrm write a file; returns its octets, to be freed. */
static uint8_t *
fstrm_file(size_t *bytes)
{
	char path[] = "test_reader_interop.XXXXXX";
	struct fstrm_writer_options *options = our_writer_options();
	struct fstrm_file_options *file_options = fstrm_file_options_init();
	struct fstrm_writer *writer;
	uint8_t *octets = malloc(16384);
	int fd = mkstemp(path);
	ssize_t got;

	ck_assert_int_ge(fd, 0);
	fstrm_file_options_set_file_path(file_options, path);
	writer = fstrm_file_writer_init(file_options, options);
	ck_assert_int_eq(fstrm_writer_open(writer), fstrm_res_success);
	write_frames(writer);
	fstrm_writer_destroy(&writer);
	fstrm_file_options_destroy(&file_options);
	fstrm_writer_options_destroy(&options);
	got = read(fd, octets, 16384);
	close(fd);
	unlink(path);
	ck_assert_int_gt(got, 0);
	ck_assert_int_lt(got, 16384);
	*bytes = (size_t)got;
	return octets;
}

START_TEST(reads_a_file_that_libfstrm_wrote)
{
	size_t bytes, at = 0, consumed;
	uint8_t *octets = fstrm_file(&bytes);
	unsigned int frames = 0;
	struct dtap_frame frame;
	enum dtap_result result;
	dtap_reader *reader;

	ck_assert_int_eq(dtap_reader_open(NULL, &reader), DTAP_OK);
	do {
		result = dtap_reader_next(reader, octets + at, bytes - at,
					  &consumed, &frame);
		if (result == DTAP_OK && frame.kind == DTAP_FRAME_DATA)
			check_payload(frames++, frame.data, frame.bytes);
		at += consumed;
	} while (result == DTAP_OK);
	ck_assert_int_eq(result, DTAP_END);
	ck_assert_uint_eq(frames, FRAMES);
	ck_assert_int_eq(dtap_reader_finish(reader, bytes - at), DTAP_OK);
	dtap_reader_close(&reader);
	free(octets);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("reader_interop");

	support_add(suite, reads_a_session_with_libfstrms_writer);
	support_add(suite, session_is_read_by_libfstrms_reader);
	support_add(suite, reads_a_file_that_libfstrm_wrote);
	return support_run(suite);
}
