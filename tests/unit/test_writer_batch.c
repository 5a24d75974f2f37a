/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rings are filled with numbered frames; whatever the output takes, what it
 * got must be whole frames, each ring's in order, none missing, none twice.
 */
#include "writer/writer_batch.h"

#include <stdlib.h>
#include <string.h>

#include "support/support.h"

#define RINGS 3
#define COLLECTED_MAX (1u << 22)

struct fixture {
	struct dtap__ring_set set;
	struct dtap__ring_node *nodes[RINGS];
	uint32_t next[RINGS]; /* number of the next frame */
	struct dtap__batch batch;
	size_t put_bytes;
	uint8_t *got;
	size_t got_bytes;
	uint64_t frames;
};

static void
fixture_init(struct fixture *f, enum dtap__ring_layout layout)
{
	memset(f, 0, sizeof(*f));
	dtap__ring_set_init(&f->set, UINT64_C(1) << 30);
	for (int i = 0; i < RINGS; i++)
		ck_assert_int_eq(dtap__ring_set_add(&f->set,
						    DTAP__RING_BYTES_MIN,
						    layout, &f->nodes[i]),
				 DTAP_OK);
	dtap__batch_init(&f->batch, &f->set);
	f->got = malloc(COLLECTED_MAX);
	ck_assert_ptr_nonnull(f->got);
}

static void
fixture_fini(struct fixture *f)
{
	free(f->got);
	for (int i = 0; i < RINGS; i++)
		dtap__ring_retire(f->nodes[i]);
	dtap__ring_set_fini(&f->set);
}

/* A frame: length, ring, number, then filler. */
static bool
put_frame(struct fixture *f, int ring, size_t payload)
{
	uint8_t *slot = dtap__ring_reserve(&f->nodes[ring]->ring, 4 + payload);

	ck_assert_uint_ge(payload, 5);
	if (slot == NULL)
		return false;
	slot[0] = slot[1] = 0;
	slot[2] = (uint8_t)(payload >> 8);
	slot[3] = (uint8_t)payload;
	slot[4] = (uint8_t)ring;
	memcpy(slot + 5, &f->next[ring], 4);
	memset(slot + 9, 0xee, payload - 5);
	f->next[ring]++;
	f->put_bytes += 4 + payload;
	dtap__ring_commit(&f->nodes[ring]->ring, 4 + payload);
	return true;
}

/* Collects, takes at most limit octets, keeps what was taken. */
static size_t
take(struct fixture *f, size_t limit, bool only_partial)
{
	size_t bytes = dtap__batch_collect(&f->batch,
					   only_partial ? 0 : SIZE_MAX);
	size_t taken = bytes < limit ? bytes : limit;
	size_t left = taken;

	for (int i = 0; i < f->batch.count && left > 0; i++) {
		size_t part = f->batch.parts[i].iov_len;

		if (part > left)
			part = left;
		ck_assert_uint_le(f->got_bytes + part, COLLECTED_MAX);
		ck_assert_uint_le(f->got_bytes + part, f->put_bytes);
		memcpy(f->got + f->got_bytes, f->batch.parts[i].iov_base,
		       part);
		f->got_bytes += part;
		left -= part;
	}
	f->frames += dtap__batch_taken(&f->batch, taken);
	return taken;
}

/* Everything put so far must have been got, in whole frames. */
static void
check_got(const struct fixture *f)
{
	uint32_t seen[RINGS] = { 0 };
	uint64_t frames = 0;
	uint64_t wrong = 0;
	size_t at = 0;

	while (at < f->got_bytes) {
		size_t payload = (size_t)f->got[at + 2] << 8 | f->got[at + 3];
		uint32_t number;
		int ring = f->got[at + 4];

		ck_assert_int_lt(ring, RINGS);
		memcpy(&number, f->got + at + 5, 4);
		ck_assert_uint_eq(number, seen[ring]);
		seen[ring]++;
		for (size_t i = 9; i < 4 + payload; i++)
			wrong += f->got[at + i] != 0xee;
		at += 4 + payload;
		frames++;
	}
	ck_assert_uint_eq(wrong, 0);
	ck_assert_uint_eq(at, f->got_bytes);
	ck_assert_uint_eq(frames, f->frames);
	for (int i = 0; i < RINGS; i++)
		ck_assert_uint_eq(seen[i], f->next[i]);
}

static const enum dtap__ring_layout layouts[] = { DTAP__RING_MIRRORED,
						  DTAP__RING_WRAP };

START_TEST(nothing_in_the_rings_is_an_empty_batch)
{
	struct fixture f;

	fixture_init(&f, layouts[_i]);
	ck_assert_uint_eq(dtap__batch_collect(&f.batch, SIZE_MAX), 0);
	ck_assert_uint_eq(dtap__batch_collect(&f.batch, 0), 0);
	ck_assert_uint_eq(dtap__batch_taken(&f.batch, 0), 0);
	fixture_fini(&f);
}
END_TEST

START_TEST(short_takes_at_every_octet_keep_frames_whole)
{
	for (size_t limit = 1; limit < 120; limit++) {
		struct fixture f;

		fixture_init(&f, layouts[_i]);
		for (int i = 0; i < 12; i++)
			ck_assert(put_frame(&f, i % RINGS, 5 + (size_t)i * 3));
		while (take(&f, limit, false) > 0)
			continue;
		check_got(&f);
		ck_assert_uint_eq(dtap__batch_partial_bytes(&f.batch), 0);
		fixture_fini(&f);
	}
}
END_TEST

START_TEST(only_partial_ends_on_the_boundary)
{
	struct fixture f;

	fixture_init(&f, layouts[_i]);
	for (int i = 0; i < 6; i++)
		ck_assert(put_frame(&f, i % RINGS, 50));
	take(&f, 60, false); /* one frame of 54, and 6 octets */
	ck_assert_uint_eq(dtap__batch_partial_bytes(&f.batch), 6);
	ck_assert_uint_eq(take(&f, 10, true), 10);
	ck_assert_uint_eq(dtap__batch_partial_bytes(&f.batch), 16);
	ck_assert_uint_eq(take(&f, SIZE_MAX, true), 38);
	ck_assert_uint_eq(dtap__batch_partial_bytes(&f.batch), 0);
	ck_assert_uint_eq(take(&f, SIZE_MAX, true), 0);
	while (take(&f, SIZE_MAX, false) > 0)
		continue;
	check_got(&f);
	fixture_fini(&f);
}
END_TEST

START_TEST(a_broken_connection_repeats_the_frame_in_progress)
{
	struct fixture f;
	size_t whole;

	fixture_init(&f, layouts[_i]);
	for (int i = 0; i < 9; i++)
		ck_assert(put_frame(&f, i % RINGS, 40));
	take(&f, 100, false); /* two frames of 44, and 12 octets */
	whole = 88;
	ck_assert_uint_eq(f.frames, 2);
	dtap__batch_forget_partial(&f.batch);
	f.got_bytes = whole; /* the peer drops the frame that was cut */
	while (take(&f, 7, false) > 0)
		continue;
	check_got(&f);
	fixture_fini(&f);
}
END_TEST

START_TEST(a_busy_ring_does_not_starve_the_others)
{
	struct fixture f;
	int rounds = 0;

	fixture_init(&f, layouts[_i]);
	for (int i = 0; i < 10; i++) {
		ck_assert(put_frame(&f, 0, 9));
		ck_assert(put_frame(&f, 1, 9));
		ck_assert(put_frame(&f, 2, 9));
	}
	/* The rings are always full; all must come within a few batches. */
	while (rounds++ < 50) {
		while (put_frame(&f, 0, 1000))
			continue;
		while (put_frame(&f, 1, 1000))
			continue;
		while (put_frame(&f, 2, 1000))
			continue;
		take(&f, 30000, false);
	}
	for (int i = 0; i < RINGS; i++)
		ck_assert_uint_gt(f.next[i], 100);
	while (take(&f, SIZE_MAX, false) > 0)
		continue;
	check_got(&f);
	fixture_fini(&f);
}
END_TEST

/* The same where it is not the output that sets the limit, but a file. */
START_TEST(a_limit_does_not_starve_the_others)
{
	uint64_t begun[RINGS];
	struct fixture f;

	fixture_init(&f, layouts[_i]);
	for (int i = 0; i < RINGS; i++) {
		while (put_frame(&f, i, 1000))
			continue;
		begun[i] = dtap__batch_count_frames(&f.nodes[i]->ring);
	}
	for (int i = 0; i < RINGS; i++) {
		size_t bytes = dtap__batch_collect(&f.batch, 30000);

		ck_assert_uint_eq(bytes, 30000);
		dtap__batch_taken(&f.batch, bytes);
		dtap__batch_collect(&f.batch, 0);
		dtap__batch_taken(&f.batch, f.batch.bytes);
	}
	for (int i = 0; i < RINGS; i++)
		ck_assert_uint_lt(
			dtap__batch_count_frames(&f.nodes[i]->ring), begun[i]);
	fixture_fini(&f);
}
END_TEST

START_TEST(random_traffic_arrives_whole)
{
	struct fixture f;

	fixture_init(&f, layouts[_i]);
	srandom(4711);
	for (int i = 0; i < 20000; i++) {
		put_frame(&f, (int)(random() % RINGS),
			  5 + (size_t)random() % 200);
		if (random() % 8 == 0)
			take(&f, (size_t)random() % 2000, random() % 4 == 0);
	}
	while (take(&f, SIZE_MAX, false) > 0)
		continue;
	check_got(&f);
	fixture_fini(&f);
}
END_TEST

START_TEST(a_limit_is_kept_but_for_the_frame_in_progress)
{
	struct fixture f;
	size_t left = 100; /* a file's room: two frames of 44, and 12 octets */

	fixture_init(&f, layouts[_i]);
	for (int i = 0; i < 9; i++)
		ck_assert(put_frame(&f, i % RINGS, 40));
	ck_assert_uint_eq(dtap__batch_collect(&f.batch, left), 100);
	f.frames += dtap__batch_taken(&f.batch, 100);
	ck_assert_uint_eq(f.frames, 2);
	ck_assert_uint_eq(dtap__batch_collect(&f.batch, 0), 32);
	f.frames += dtap__batch_taken(&f.batch, 32);
	ck_assert_uint_eq(f.frames, 3);
	ck_assert_uint_eq(dtap__batch_collect(&f.batch, 0), 0);
	ck_assert_uint_eq(dtap__batch_collect(&f.batch, SIZE_MAX), 6 * 44);
	fixture_fini(&f);
}
END_TEST

START_TEST(frames_left_in_a_ring_are_counted)
{
	struct fixture f;

	fixture_init(&f, layouts[_i]);
	ck_assert_uint_eq(dtap__batch_count_frames(&f.nodes[0]->ring), 0);
	for (int i = 0; i < 2500; i++) {
		ck_assert(put_frame(&f, 0, 5 + (size_t)i % 50));
		if (i % 500 != 499)
			continue;
		ck_assert_uint_eq(
			dtap__batch_count_frames(&f.nodes[0]->ring), 500);
		while (take(&f, SIZE_MAX, false) > 0)
			continue;
	}
	check_got(&f);
	fixture_fini(&f);
}
END_TEST

#define add_loop(suite, function) \
	do { \
		TCase *added = tcase_create(#function); \
		tcase_add_loop_test(added, function, 0, 2); \
		tcase_set_timeout(added, 120); \
		suite_add_tcase((suite), added); \
	} while (0)

int
main(void)
{
	Suite *suite = suite_create("writer_batch");

	add_loop(suite, nothing_in_the_rings_is_an_empty_batch);
	add_loop(suite, short_takes_at_every_octet_keep_frames_whole);
	add_loop(suite, only_partial_ends_on_the_boundary);
	add_loop(suite, a_broken_connection_repeats_the_frame_in_progress);
	add_loop(suite, a_busy_ring_does_not_starve_the_others);
	add_loop(suite, a_limit_does_not_starve_the_others);
	add_loop(suite, random_traffic_arrives_whole);
	add_loop(suite, a_limit_is_kept_but_for_the_frame_in_progress);
	add_loop(suite, frames_left_in_a_ring_are_counted);
	return support_run(suite);
}
