/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the ledger says of frames that a socket has taken: confirmed when the
 * peer has sent FINISH, in doubt when it cannot, or has gone without a word.
 */
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/outputs.h"
#include "support/scratch.h"
#include "support/support.h"
#include "support/taps.h"

#define FRAMES 3

/* Reads, and answers what can be answered, until STOP or so many frames. */
static void
serve(int fd, unsigned int frames)
{
	struct dtap_reader_options options = { .size = sizeof(options),
					       .bidirectional = 1 };
	enum dtap_result result = DTAP_AGAIN;
	unsigned char octets[4096];
	struct dtap_frame frame;
	dtap_reader *reader;
	size_t have = 0, bytes, consumed;

	ck_assert_int_eq(dtap_reader_open(&options, &reader), DTAP_OK);
	while (result != DTAP_END && frames > 0) {
		const void *reply;

		result = dtap_reader_next(reader, octets, have, &consumed,
					  &frame);
		have -= consumed;
		ck_assert_int_ge(result, DTAP_OK);
		if (result == DTAP_AGAIN) {
			ck_assert_uint_le(frame.bytes, sizeof(octets));
			ck_assert_int_eq(recv(fd, octets + have,
					      frame.bytes - have, MSG_WAITALL),
					 frame.bytes - have);
			have = frame.bytes;
			continue;
		}
		frames -= frame.kind == DTAP_FRAME_DATA;
		reply = dtap_reader_reply(reader, &bytes);
		if (reply != NULL)
			ck_assert_int_eq(send(fd, reply, bytes, MSG_NOSIGNAL),
					 bytes);
	}
	dtap_reader_close(&reader);
}

static dtap *
submit_frames(const char *const *more)
{
	dtap *tap = taps_start("unix:peer.sock", more);
	dtap_producer *producer;

	ck_assert_int_eq(dtap_producer_open(tap, &producer), DTAP_OK);
	for (uint32_t i = 0; i < FRAMES; i++) {
		struct dtap_event event = taps_event(i);

		ck_assert_int_eq(dtap_submit(producer, &event), DTAP_OK);
	}
	dtap_producer_close(&producer);
	return tap;
}

/* Ends the stream while the peer goes on serving it in a thread of its own. */
static void *
serve_to_the_end(void *fd)
{
	serve(*(int *)fd, FRAMES + 1);
	return NULL;
}

static struct dtap_stats
run_to_the_end(const char *const *more)
{
	int listener = outputs_listen_unix("peer.sock", 1);
	dtap *tap = submit_frames(more);
	int fd = accept(listener, NULL, NULL);
	struct dtap_stats stats;
	pthread_t peer;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pthread_create(&peer, NULL, serve_to_the_end, &fd), 0);
	stats = taps_finish(&tap, 10000);
	pthread_join(peer, NULL);
	close(fd);
	close(listener);
	return stats;
}

START_TEST(a_peer_that_sends_finish_has_confirmed)
{
	struct dtap_stats stats;

	scratch_enter();
	stats = run_to_the_end(NULL);
	ck_assert_uint_eq(stats.written, FRAMES);
	ck_assert_uint_eq(stats.confirmed, FRAMES);
	ck_assert_uint_eq(stats.unconfirmed, 0);
	scratch_leave();
}
END_TEST

START_TEST(a_stream_of_one_direction_is_never_confirmed)
{
	static const char *const one_way[] = { "bidirectional=no", NULL };
	struct dtap_stats stats;

	scratch_enter();
	stats = run_to_the_end(one_way);
	ck_assert_uint_eq(stats.written, FRAMES);
	ck_assert_uint_eq(stats.confirmed, 0);
	ck_assert_uint_eq(stats.unconfirmed, FRAMES);
	ck_assert_uint_eq(stats.broken_sessions, 0);
	scratch_leave();
}
END_TEST

START_TEST(a_peer_that_goes_leaves_its_frames_in_doubt)
{
	struct dtap_stats stats;
	int listener, fd;
	dtap *tap;

	scratch_enter();
	listener = outputs_listen_unix("peer.sock", 1);
	tap = submit_frames(NULL);
	fd = accept(listener, NULL, NULL);
	ck_assert_int_ge(fd, 0);
	serve(fd, FRAMES);
	close(listener);
	close(fd);
	while (taps_stats(tap).broken_sessions == 0)
		usleep(1000);
	stats = taps_finish(&tap, 5000);
	ck_assert_uint_eq(stats.written, FRAMES);
	ck_assert_uint_eq(stats.confirmed, 0);
	ck_assert_uint_eq(stats.unconfirmed, FRAMES);
	ck_assert_uint_eq(stats.lost_io, 0);
	scratch_leave();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("tap_confirmed");

	support_add(suite, a_peer_that_sends_finish_has_confirmed);
	support_add(suite, a_stream_of_one_direction_is_never_confirmed);
	support_add(suite, a_peer_that_goes_leaves_its_frames_in_doubt);
	return support_run(suite);
}
