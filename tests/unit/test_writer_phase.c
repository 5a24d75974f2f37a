/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writer against an output that misbehaves on demand. Time is a number
 * that the test moves; nothing here sleeps.
 */
#include "support/writers.h"

#include <errno.h>

/* START is the longest control frame that is written. */
#define START_BYTES DTAP__CONTROL_WRITTEN_MAX

START_TEST(a_stream_of_one_direction_is_start_frames_stop)
{
	struct dtap__memory_script script = { 0 };
	const uint8_t *octets;
	struct fixture f;
	size_t bytes;
	size_t at = 0;

	fixture_init(&f, &script);
	put_frame(&f);
	ck_assert(step(&f));
	put_frame(&f);
	put_frame(&f);
	dtap__writer_request_stop(&f.writer, f.now_ns + DTAP__NS_PER_SEC);
	ck_assert(run_out(&f, 10));
	ck_assert(f.writer.complete);
	octets = dtap__output_memory_get(f.output, 0, &bytes);
	expect_control(octets, bytes, &at, DTAP__CONTROL_START);
	ck_assert_uint_eq(expect_frames(octets, bytes, &at, 0), 3);
	expect_control(octets, bytes, &at, DTAP__CONTROL_STOP);
	ck_assert_uint_eq(at, bytes);
	ck_assert_uint_eq(written(&f), 3);
	ck_assert_uint_eq(dtap__load_relaxed(&f.writer.ledger.written_bytes),
			  bytes);
	fixture_fini(&f);
}
END_TEST

START_TEST(both_directions_shake_hands_and_confirm)
{
	struct dtap__memory_script script = { .read_max_bytes = 1 };
	const uint8_t *octets;
	struct fixture f;
	size_t bytes;
	size_t at = 0;

	script_peer(&f, &script, stream_bytes(2));
	fixture_init(&f, &script);
	put_frame(&f);
	put_frame(&f);
	for (int i = 0; i < 100 && written(&f) < 2; i++)
		ck_assert(step(&f));
	ck_assert_uint_eq(written(&f), 2);
	ck_assert_uint_eq(confirmed(&f), 0);
	dtap__writer_request_stop(&f.writer, f.now_ns + DTAP__NS_PER_SEC);
	ck_assert(run_out(&f, 100));
	ck_assert(f.writer.complete);
	ck_assert_uint_eq(confirmed(&f), 2);
	octets = dtap__output_memory_get(f.output, 0, &bytes);
	expect_control(octets, bytes, &at, DTAP__CONTROL_READY);
	expect_control(octets, bytes, &at, DTAP__CONTROL_START);
	ck_assert_uint_eq(expect_frames(octets, bytes, &at, 0), 2);
	expect_control(octets, bytes, &at, DTAP__CONTROL_STOP);
	ck_assert_uint_eq(at, bytes);
	fixture_fini(&f);
}
END_TEST

START_TEST(garbage_for_a_confirmation_is_none)
{
	struct dtap__memory_script script = { 0 };
	struct fixture f;

	script_peer(&f, &script, stream_bytes(1));
	/* fixture_init() leaves the replies alone. */
	f.replies[1].data = "no FINISH at all";
	fixture_init(&f, &script);
	put_frame(&f);
	dtap__writer_request_stop(&f.writer, f.now_ns + DTAP__NS_PER_SEC);
	ck_assert(run_out(&f, 100));
	ck_assert_uint_eq(written(&f), 1);
	ck_assert_uint_eq(confirmed(&f), 0);
	ck_assert(!f.writer.complete);
	ck_assert_uint_eq(dtap__load_relaxed(&f.writer.ledger.broken_sessions),
			  1);
	fixture_fini(&f);
}
END_TEST

static enum dtap_result
sync_fails(struct dtap__output *output)
{
	return dtap__output_fail(output, EIO, "memory", "is worn out");
}

START_TEST(a_file_that_may_not_be_on_disk_is_no_success)
{
	struct dtap__memory_script script = { 0 };
	struct dtap__output_ops ops;
	struct fixture f;

	fixture_init(&f, &script);
	ops = *f.output->ops;
	ops.sync = sync_fails;
	f.output->ops = &ops;
	put_frame(&f);
	dtap__writer_request_stop(&f.writer, f.now_ns + DTAP__NS_PER_SEC);
	ck_assert(run_out(&f, 100));
	ck_assert_uint_eq(written(&f), 1);
	ck_assert_uint_eq(confirmed(&f), 0);
	ck_assert(!f.writer.complete);
	ck_assert_int_eq(dtap__load_relaxed(&f.writer.ledger.last_errno), EIO);
	fixture_fini(&f);
}
END_TEST

START_TEST(a_mute_peer_is_given_up_and_tried_again)
{
	struct dtap__memory_script script = { .readable = true };
	struct fixture f;

	fixture_init(&f, &script);
	put_frame(&f);
	ck_assert(step(&f));
	ck_assert_int_eq(f.writer.phase, DTAP__WRITER_SHAKING);
	advance_ms(&f, 999);
	ck_assert(step(&f));
	ck_assert_int_eq(f.writer.phase, DTAP__WRITER_SHAKING);
	advance_ms(&f, 1);
	ck_assert(step(&f));
	ck_assert_int_eq(f.writer.phase, DTAP__WRITER_DOWN);
	ck_assert_uint_eq(dtap__load_relaxed(&f.writer.ledger.open_failures),
			  1);
	advance_ms(&f, 70);
	ck_assert(step(&f));
	ck_assert_int_eq(f.writer.phase, DTAP__WRITER_SHAKING);
	ck_assert_uint_eq(dtap__output_memory_sessions(f.output), 2);
	fixture_fini(&f);
}
END_TEST

START_TEST(garbage_for_an_answer_ends_the_session)
{
	struct dtap__memory_script script = { .readable = true };
	struct fixture f;

	fixture_init(&f, &script);
	fixture_fini(&f);
	f.replies[0] = (struct dtap__memory_reply){ 1, "HTTP/1.1 400 no", 15 };
	script.replies = f.replies;
	script.reply_count = 1;
	fixture_init(&f, &script);
	for (int i = 0; i < 5 && f.writer.phase != DTAP__WRITER_DOWN; i++)
		ck_assert(step(&f));
	for (int i = 0; i < 5; i++)
		ck_assert(step(&f));
	ck_assert_int_eq(f.writer.phase, DTAP__WRITER_DOWN);
	ck_assert_uint_eq(dtap__load_relaxed(&f.writer.ledger.open_failures),
			  1);
	fixture_fini(&f);
}
END_TEST

START_TEST(an_output_that_refuses_is_tried_with_back_off)
{
	struct dtap__memory_script script = { .open_failures = 3 };
	struct fixture f;
	int rounds = 0;

	fixture_init(&f, &script);
	put_frame(&f);
	while (written(&f) == 0 && rounds++ < 2000) {
		ck_assert(step(&f));
		advance_ms(&f, 1);
	}
	ck_assert_uint_eq(written(&f), 1);
	ck_assert_uint_eq(dtap__load_relaxed(&f.writer.ledger.open_failures),
			  3);
	/* 50 + 100 + 200 ms, each a quarter more or less. */
	ck_assert_int_ge(rounds, 262);
	ck_assert_int_le(rounds, 442);
	fixture_fini(&f);
}
END_TEST

/* Runs for so long; the sessions that began meanwhile. */
static size_t
sessions_in_ms(struct fixture *f, int ms)
{
	size_t before = dtap__output_memory_sessions(f->output);

	while (ms-- > 0) {
		put_frame(f);
		ck_assert(step(f));
		advance_ms(f, 1);
	}
	return dtap__output_memory_sessions(f->output) - before;
}

START_TEST(a_peer_that_drops_every_session_is_tried_less_and_less)
{
	struct dtap__memory_script script = {
		.breaks = UINT32_MAX,
		.break_after_bytes = stream_bytes(1),
	};
	struct fixture f;

	fixture_init(&f, &script);
	/* At once, and after 50, 100, 200, 400 ms, and so on with 400, each a
	 * quarter less at the least: 0, 38, 113, 263, 563, 863. */
	ck_assert_uint_le(sessions_in_ms(&f, 1000), 6);
	ck_assert_uint_le(sessions_in_ms(&f, 1000), 4);
	fixture_fini(&f);
}
END_TEST

START_TEST(a_peer_that_was_well_for_a_while_is_tried_soon)
{
	struct dtap__memory_script script = {
		.breaks = UINT32_MAX,
		.break_after_bytes = stream_bytes(500),
	};
	struct fixture f;
	int down_ms = 0;

	fixture_init(&f, &script);
	for (int ms = 0; ms < 3000; ms++) {
		sessions_in_ms(&f, 1);
		down_ms = f.writer.phase == DTAP__WRITER_DOWN ? down_ms + 1 : 0;
		ck_assert_int_le(down_ms, 63); /* 50 ms and a quarter */
	}
	ck_assert_uint_ge(dtap__output_memory_sessions(f.output), 5);
	fixture_fini(&f);
}
END_TEST

START_TEST(connecting_takes_at_most_its_time)
{
	struct dtap__memory_script script = { .open_agains = UINT32_MAX };
	struct fixture f;

	fixture_init(&f, &script);
	ck_assert(step(&f));
	ck_assert_int_eq(f.writer.phase, DTAP__WRITER_OPENING);
	advance_ms(&f, 999);
	ck_assert(step(&f));
	ck_assert_int_eq(f.writer.phase, DTAP__WRITER_OPENING);
	advance_ms(&f, 1);
	ck_assert(step(&f));
	ck_assert_int_eq(f.writer.phase, DTAP__WRITER_DOWN);
	fixture_fini(&f);
}
END_TEST

/* A break after each possible octet: nothing lost, nothing cut in two. */
START_TEST(a_break_anywhere_repeats_only_what_was_not_whole)
{
	size_t head = stream_bytes(0);

	for (size_t cut = 1; cut < head + 5 * 8; cut++) {
		struct dtap__memory_script script = {
			.breaks = 1,
			.break_after_bytes = cut,
		};
		unsigned int next = 0;
		const uint8_t *octets;
		struct fixture f;
		size_t bytes;
		size_t at = 0;

		fixture_init(&f, &script);
		for (int i = 0; i < 5; i++)
			put_frame(&f);
		ck_assert(!run_out(&f, 100));
		dtap__writer_request_stop(&f.writer,
					  f.now_ns + DTAP__NS_PER_SEC);
		ck_assert(run_out(&f, 1001));
		octets = dtap__output_memory_get(f.output, 0, &bytes);
		ck_assert_uint_le(bytes, cut);
		if (bytes >= head - 12) {
			expect_control(octets, bytes, &at,
				       DTAP__CONTROL_START);
			next = expect_frames(octets, bytes, &at, 0);
			ck_assert_uint_lt(bytes - at, 12);
		}
		at = 0;
		octets = dtap__output_memory_get(f.output, 1, &bytes);
		if (bytes > 0) {
			expect_control(octets, bytes, &at,
				       DTAP__CONTROL_START);
			next = expect_frames(octets, bytes, &at, next);
			expect_control(octets, bytes, &at,
				       DTAP__CONTROL_STOP);
			ck_assert_uint_eq(at, bytes);
		}
		ck_assert_uint_eq(next, 5);
		ck_assert_uint_eq(written(&f), 5);
		fixture_fini(&f);
	}
}
END_TEST

/* Short counts and full buffers at every size leave the same stream. */
START_TEST(short_writes_leave_the_same_stream)
{
	for (size_t most = 1; most < 60; most++) {
		struct dtap__memory_script script = {
			.write_max_bytes = most,
			.again_every = most % 2 == 0 ? 2 : 0,
		};
		const uint8_t *octets;
		struct fixture f;
		size_t bytes;
		size_t at = 0;

		fixture_init(&f, &script);
		for (int i = 0; i < 3; i++)
			put_frame(&f);
		dtap__writer_request_stop(&f.writer,
					  f.now_ns + DTAP__NS_PER_SEC);
		ck_assert(run_out(&f, 900));
		ck_assert(f.writer.complete);
		octets = dtap__output_memory_get(f.output, 0, &bytes);
		expect_control(octets, bytes, &at, DTAP__CONTROL_START);
		ck_assert_uint_eq(expect_frames(octets, bytes, &at, 0), 3);
		expect_control(octets, bytes, &at, DTAP__CONTROL_STOP);
		ck_assert_uint_eq(at, bytes);
		fixture_fini(&f);
	}
}
END_TEST

/* Frames flow, then the output stalls: the time of progress decides. */
START_TEST(a_peer_that_takes_no_more_is_given_up)
{
	struct dtap__memory_script script = { .again_every = 3 };
	struct fixture f;

	fixture_init(&f, &script);
	put_frame(&f);
	ck_assert(step(&f)); /* writes 1 and 2: START, and the frame */
	ck_assert_uint_eq(written(&f), 1);
	put_frame(&f);
	ck_assert(step(&f)); /* write 3 finds no room */
	ck_assert(f.writer.blocked);
	advance_ms(&f, 999);
	ck_assert_int_eq(f.writer.phase, DTAP__WRITER_FLOWING);
	ck_assert_uint_eq(f.writer.deadline_ns,
			  f.now_ns + DTAP__NS_PER_MS);
	ck_assert(step(&f)); /* write 4: there is room again */
	ck_assert_uint_eq(written(&f), 2);
	ck_assert_uint_eq(f.writer.deadline_ns, DTAP__NEVER);
	fixture_fini(&f);

	script.again_every = 1; /* no room from START on */
	fixture_init(&f, &script);
	ck_assert(step(&f));
	advance_ms(&f, 1000);
	ck_assert(step(&f));
	ck_assert_int_eq(f.writer.phase, DTAP__WRITER_DOWN);
	fixture_fini(&f);
}
END_TEST

START_TEST(reopening_ends_one_stream_and_begins_another)
{
	struct dtap__memory_script script = { .write_max_bytes = 5 };
	const uint8_t *octets;
	struct fixture f;
	size_t bytes;
	size_t at = 0;
	unsigned int next;

	fixture_init(&f, &script);
	for (int i = 0; i < 3; i++)
		put_frame(&f);
	for (int i = 0; i < 30 && written(&f) < 2; i++)
		ck_assert(step(&f));
	dtap__writer_request_reopen(&f.writer);
	for (int i = 0; i < 60; i++)
		ck_assert(step(&f));
	put_frame(&f);
	dtap__writer_request_stop(&f.writer, f.now_ns + DTAP__NS_PER_SEC);
	ck_assert(run_out(&f, 200));
	ck_assert_uint_eq(dtap__output_memory_sessions(f.output), 2);
	ck_assert_uint_eq(dtap__load_relaxed(&f.writer.ledger.rotations), 1);
	octets = dtap__output_memory_get(f.output, 0, &bytes);
	expect_control(octets, bytes, &at, DTAP__CONTROL_START);
	next = expect_frames(octets, bytes, &at, 0);
	expect_control(octets, bytes, &at, DTAP__CONTROL_STOP);
	ck_assert_uint_eq(at, bytes);
	at = 0;
	octets = dtap__output_memory_get(f.output, 1, &bytes);
	expect_control(octets, bytes, &at, DTAP__CONTROL_START);
	ck_assert_uint_eq(expect_frames(octets, bytes, &at, next), 4);
	expect_control(octets, bytes, &at, DTAP__CONTROL_STOP);
	ck_assert_uint_eq(at, bytes);
	fixture_fini(&f);
}
END_TEST

/* A full disk often has room for START, and a dying peer for READY. */
START_TEST(a_session_without_a_frame_does_not_reset_the_back_off)
{
	struct dtap__memory_script script = {
		.breaks = UINT32_MAX, .break_after_bytes = START_BYTES
	};
	struct fixture f;

	fixture_init(&f, &script);
	put_frame(&f);
	ck_assert(!run_out(&f, 2000));
	/* 50 + 100 + 200 + 400 + 400 ... ms, each a quarter more or less. */
	ck_assert_uint_ge(dtap__output_memory_sessions(f.output), 5);
	ck_assert_uint_le(dtap__output_memory_sessions(f.output), 9);
	fixture_fini(&f);
}
END_TEST

START_TEST(stop_ends_in_time_whatever_the_phase)
{
	static const struct dtap__memory_script scripts[] = {
		{ .open_failures = UINT32_MAX },
		{ .open_agains = UINT32_MAX },
		{ .readable = true },
		{ .again_every = 1 },
		{ .write_max_bytes = 1, .again_every = 2 },
		{ .breaks = UINT32_MAX, .break_after_bytes = START_BYTES },
		{ .breaks = UINT32_MAX, .break_after_bytes = START_BYTES + 8 },
	};

	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		struct fixture f;

		fixture_init(&f, &scripts[i]);
		for (int frame = 0; frame < 1000; frame++)
			put_frame(&f);
		ck_assert(step(&f));
		dtap__writer_request_stop(&f.writer,
					  f.now_ns + 20 * DTAP__NS_PER_MS);
		ck_assert_msg(run_out(&f, 21), "script %zu", i);
		ck_assert(!f.writer.complete);
		/* One a round at most: the clock is looked at in between. */
		ck_assert_uint_le(dtap__output_memory_sessions(f.output), 23);
		/* What is not written is still there to be counted. */
		ck_assert_uint_eq(written(&f) + dtap__batch_count_frames(
							&f.node->ring),
				  1000);
		fixture_fini(&f);
	}
}
END_TEST

START_TEST(a_stop_without_time_does_what_needs_no_waiting)
{
	struct dtap__memory_script script = { 0 };
	struct fixture f;

	fixture_init(&f, &script);
	put_frame(&f);
	ck_assert(step(&f));
	put_frame(&f);
	dtap__writer_request_stop(&f.writer, f.now_ns);
	ck_assert(!step(&f));
	ck_assert(f.writer.complete);
	ck_assert_uint_eq(written(&f), 2);
	fixture_fini(&f);
}
END_TEST

START_TEST(an_idle_writer_rests_longer_and_longer)
{
	struct dtap__memory_script script = { 0 };
	struct fixture f;
	uint64_t last = 0;

	fixture_init(&f, &script);
	ck_assert(step(&f));
	for (int i = 0; i < 6; i++) {
		ck_assert(step(&f));
		ck_assert_uint_ge(f.writer.idle_ms, last);
		last = f.writer.idle_ms;
	}
	ck_assert_uint_eq(last, config.latency_ms);
	put_frame(&f);
	ck_assert(step(&f));
	ck_assert_uint_eq(f.writer.idle_ms, 1);
	fixture_fini(&f);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("writer_phase");

	support_add(suite, a_stream_of_one_direction_is_start_frames_stop);
	support_add(suite, both_directions_shake_hands_and_confirm);
	support_add(suite, garbage_for_a_confirmation_is_none);
	support_add(suite, a_file_that_may_not_be_on_disk_is_no_success);
	support_add(suite, a_mute_peer_is_given_up_and_tried_again);
	support_add(suite, garbage_for_an_answer_ends_the_session);
	support_add(suite, an_output_that_refuses_is_tried_with_back_off);
	support_add(suite,
		    a_peer_that_drops_every_session_is_tried_less_and_less);
	support_add(suite, a_peer_that_was_well_for_a_while_is_tried_soon);
	support_add(suite, connecting_takes_at_most_its_time);
	support_add(suite, a_break_anywhere_repeats_only_what_was_not_whole);
	support_add(suite, short_writes_leave_the_same_stream);
	support_add(suite, a_peer_that_takes_no_more_is_given_up);
	support_add(suite, reopening_ends_one_stream_and_begins_another);
	support_add(suite,
		    a_session_without_a_frame_does_not_reset_the_back_off);
	support_add(suite, stop_ends_in_time_whatever_the_phase);
	support_add(suite, a_stop_without_time_does_what_needs_no_waiting);
	support_add(suite, an_idle_writer_rests_longer_and_longer);
	return support_run(suite);
}
