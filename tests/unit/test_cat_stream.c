/* SPDX-License-Identifier: Apache-2.0 */
/* Octets in, frames out: whatever way they are cut. */
#include "cat/cat_stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/support.h"

#define START \
	"\0\0\0\0\0\0\0\42\0\0\0\2\0\0\0\1\0\0\0\26protobuf:dnstap.Dnstap"
#define STOP "\0\0\0\0\0\0\0\4\0\0\0\3"
/* Message.type 5 in Dnstap.message, Dnstap.type 1: the smallest frame. */
#define FRAME "\0\0\0\6\x72\2\x08\5\x78\1"
#define NO_PROTOBUF "\0\0\0\2\xff\xff"

#define FRAME_BYTES (sizeof(FRAME) - 1)
#define START_BYTES (sizeof(START) - 1)

static struct cat cat;
static struct cat_options options;
static struct cat_stream stream;

static void
begin(uint32_t max_frame_bytes)
{
	memset(&cat, 0, sizeof(cat));
	memset(&options, 0, sizeof(options));
	options.max_frame_bytes = max_frame_bytes;
	options.format = CAT_FORMAT_NONE;
	cat.options = &options;
	text_init(&cat.out, -1);
	/* What damage is said is not what is tested here. */
	ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
	ck_assert(cat_stream_init(&cat, &stream, "test", -1));
}

/* Hands in octets, at most piece at a time, then the end. */
static void
feed(const void *octets, size_t bytes, size_t piece)
{
	const uint8_t *at = octets;

	while (bytes > 0 && !stream.failed && !cat.over) {
		size_t room_bytes;
		uint8_t *room = cat_stream_room(&cat, &stream, &room_bytes);
		size_t n = bytes < piece ? bytes : piece;

		ck_assert_uint_gt(room_bytes, 0);
		if (n > room_bytes)
			n = room_bytes;
		memcpy(room, at, n);
		cat_stream_take(&cat, &stream, n);
		at += n;
		bytes -= n;
	}
	cat_stream_end(&cat, &stream);
	cat_stream_fini(&stream);
}

START_TEST(any_piece_gives_the_same_frames)
{
	static const char octets[] = START FRAME FRAME FRAME STOP;

	for (size_t piece = 1; piece < sizeof(octets); piece++) {
		begin(100);
		feed(octets, sizeof(octets) - 1, piece);
		ck_assert_uint_eq(cat.frames, 3);
		ck_assert(!cat.damaged);
		ck_assert(stream.started && stream.stopped && !stream.failed);
	}
}
END_TEST

START_TEST(every_cut_is_told_and_whole_frames_are_kept)
{
	static const char octets[] = START FRAME FRAME FRAME STOP;

	for (size_t bytes = 0; bytes < sizeof(octets) - 1; bytes++) {
		uint64_t whole = bytes < START_BYTES ? 0 :
				 (bytes - START_BYTES) / FRAME_BYTES;

		begin(100);
		feed(octets, bytes, 7);
		ck_assert_uint_eq(cat.frames, whole > 3 ? 3 : whole);
		ck_assert_msg(cat.damaged, "cut at %zu not seen", bytes);
		ck_assert_int_eq(cat_fini(&cat), CAT_STATUS_DAMAGED);
	}
}
END_TEST

START_TEST(octets_after_stop_are_damage)
{
	static const char tail[] = START FRAME STOP "x";
	static const char frame[] = START FRAME STOP FRAME;

	begin(100);
	feed(tail, sizeof(tail) - 1, 5);
	ck_assert_uint_eq(cat.frames, 1);
	ck_assert(cat.damaged);
	begin(100);
	feed(frame, sizeof(frame) - 1, 5);
	ck_assert_uint_eq(cat.frames, 1);
	ck_assert(cat.damaged);
}
END_TEST

START_TEST(a_bad_frame_does_not_hide_the_next)
{
	static const char octets[] = START FRAME NO_PROTOBUF FRAME STOP;

	begin(100);
	feed(octets, sizeof(octets) - 1, 100);
	ck_assert_uint_eq(cat.frames, 2);
	ck_assert(cat.damaged);
	ck_assert(!stream.failed);
	ck_assert_int_eq(cat_fini(&cat), CAT_STATUS_DAMAGED);
}
END_TEST

/* A frame of an identity of bytes, to be freed. */
static uint8_t *
large_stream(uint32_t bytes, size_t *total)
{
	size_t frame = 1 + 4 + bytes + FRAME_BYTES - 4;
	uint8_t *octets;
	uint8_t *at;

	*total = START_BYTES + 4 + frame + sizeof(STOP) - 1;
	octets = calloc(1, *total);
	ck_assert_ptr_nonnull(octets);
	memcpy(octets, START, START_BYTES);
	at = octets + START_BYTES;
	*at++ = (uint8_t)(frame >> 24);
	*at++ = (uint8_t)(frame >> 16);
	*at++ = (uint8_t)(frame >> 8);
	*at++ = (uint8_t)frame;
	*at++ = 1 << 3 | 2;
	*at++ = (uint8_t)(bytes | 128);
	*at++ = (uint8_t)(bytes >> 7 | 128);
	*at++ = (uint8_t)(bytes >> 14 | 128);
	*at++ = (uint8_t)(bytes >> 21);
	at += bytes;
	memcpy(at, &FRAME[4], FRAME_BYTES - 4);
	memcpy(at + FRAME_BYTES - 4, STOP, sizeof(STOP) - 1);
	return octets;
}

START_TEST(the_buffer_grows_with_what_arrives)
{
	const uint32_t identity_bytes = 3000000;
	size_t total;
	uint8_t *octets = large_stream(identity_bytes, &total);
	size_t at_first;

	begin(identity_bytes + 100);
	at_first = stream.capacity;
	feed(octets, START_BYTES + 100, 1000);
	ck_assert_uint_eq(stream.capacity, at_first);
	begin(identity_bytes + 100);
	feed(octets, total, 65536);
	ck_assert_uint_eq(cat.frames, 1);
	ck_assert(!cat.damaged);
	ck_assert_uint_gt(stream.capacity, at_first);
	free(octets);
}
END_TEST

START_TEST(frames_above_the_limit_are_refused_before_they_arrive)
{
	static const char octets[] = START FRAME "\0\0\1\0";

	begin(255);
	feed(octets, sizeof(octets) - 1, 1000);
	ck_assert_uint_eq(cat.frames, 1);
	ck_assert(cat.damaged);
	ck_assert(stream.failed);
}
END_TEST

START_TEST(counting_ends_the_reading)
{
	static const char octets[] = START FRAME FRAME FRAME;

	begin(100);
	options.frames_max = 2;
	feed(octets, sizeof(octets) - 1, 1000);
	ck_assert_uint_eq(cat.frames, 2);
	ck_assert(cat.over);
	ck_assert(!cat.damaged);
	ck_assert_int_eq(cat_fini(&cat), CAT_STATUS_GOOD);
}
END_TEST

START_TEST(the_gravest_status_wins)
{
	begin(100);
	cat_stream_fini(&stream);
	cat.lossy = true;
	ck_assert_int_eq(cat_fini(&cat), CAT_STATUS_LOSS);
	cat_note_damage(&cat, "test", "damage");
	ck_assert_int_eq(cat_fini(&cat), CAT_STATUS_DAMAGED);
	cat_note_io(&cat, "test", 5);
	ck_assert_int_eq(cat_fini(&cat), CAT_STATUS_IO);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("cat_stream");

	support_add(suite, any_piece_gives_the_same_frames);
	support_add(suite, every_cut_is_told_and_whole_frames_are_kept);
	support_add(suite, octets_after_stop_are_damage);
	support_add(suite, a_bad_frame_does_not_hide_the_next);
	support_add(suite, the_buffer_grows_with_what_arrives);
	support_add(suite,
		    frames_above_the_limit_are_refused_before_they_arrive);
	support_add(suite, counting_ends_the_reading);
	support_add(suite, the_gravest_status_wins);
	return support_run(suite);
}
