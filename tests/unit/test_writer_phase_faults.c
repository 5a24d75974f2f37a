/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the writer promises when a peer or a file fails it half way.
 */
#include "support/writers.h"

#define PUT 5

static void
put_frames(struct fixture *f, int count)
{
	for (int i = 0; i < count; i++)
		put_frame(f);
}

static void
step_until(struct fixture *f, enum dtap__writer_phase phase)
{
	for (int i = 0; i < 1000 && f->writer.phase != phase; i++) {
		ck_assert(step(f));
		if (f->writer.phase != phase)
			advance_ms(f, 1);
	}
	ck_assert_int_eq(f->writer.phase, phase);
}

/* One session of the output: START, frames first to next - 1, STOP. */
static void
expect_session(const struct fixture *f, size_t session, unsigned int first,
	       unsigned int next)
{
	const uint8_t *octets;
	size_t bytes;
	size_t at = 0;

	octets = dtap__output_memory_get(f->output, session, &bytes);
	expect_control(octets, bytes, &at, DTAP__CONTROL_START);
	ck_assert_uint_eq(expect_frames(octets, bytes, &at, first), next);
	expect_control(octets, bytes, &at, DTAP__CONTROL_STOP);
	ck_assert_uint_eq(at, bytes);
}

START_TEST(a_session_that_flowed_ends_the_back_off)
{
	struct dtap__memory_script script = {
		.open_failures = 3,
		.breaks = 1,
		.break_after_bytes = 60,
	};
	struct fixture f;

	fixture_init(&f, &script);
	step_until(&f, DTAP__WRITER_FLOWING);
	advance_ms(&f, 1000); /* longer than the next delay would be */
	put_frames(&f, PUT);
	step_until(&f, DTAP__WRITER_DOWN);
	ck_assert_uint_eq(dtap__load_relaxed(&f.writer.ledger.broken_sessions),
			  1);
	/* 50 ms and a quarter, and not eight times as much. */
	ck_assert_uint_le(f.writer.retry_ns,
			  f.now_ns + 63 * DTAP__NS_PER_MS);
	fixture_fini(&f);
}
END_TEST

START_TEST(a_peer_that_never_finishes_has_confirmed_nothing)
{
	struct dtap__memory_script script = { 0 };
	struct fixture f;

	script_peer(&f, &script, 0);
	fixture_init(&f, &script);
	put_frames(&f, PUT);
	step_until(&f, DTAP__WRITER_FLOWING);
	dtap__writer_request_stop(&f.writer, DTAP__NEVER);
	step_until(&f, DTAP__WRITER_FINISHING);
	advance_ms(&f, 999);
	ck_assert(step(&f));
	ck_assert_int_eq(f.writer.phase, DTAP__WRITER_FINISHING);
	advance_ms(&f, 1);
	ck_assert(!step(&f));
	ck_assert(!f.writer.complete);
	ck_assert_uint_eq(written(&f), PUT);
	ck_assert_uint_eq(confirmed(&f), 0);
	ck_assert_uint_eq(dtap__load_relaxed(&f.writer.ledger.broken_sessions),
			  1);
	fixture_fini(&f);
}
END_TEST

START_TEST(finish_confirms_its_own_session_alone)
{
	struct dtap__memory_script script = { .breaks = 1 };
	struct fixture f;

	script_peer(&f, &script, stream_bytes(3));
	script.break_after_bytes = f.replies[0].after_bytes +
				   stream_bytes(2) - 12 + 1;
	fixture_init(&f, &script);
	put_frames(&f, PUT);
	step_until(&f, DTAP__WRITER_FLOWING);
	step_until(&f, DTAP__WRITER_DOWN);
	ck_assert_uint_eq(written(&f), 2);
	step_until(&f, DTAP__WRITER_FLOWING);
	dtap__writer_request_stop(&f.writer, DTAP__NEVER);
	ck_assert(run_out(&f, 100));
	ck_assert(f.writer.complete);
	ck_assert_uint_eq(written(&f), PUT);
	ck_assert_uint_eq(confirmed(&f), 3);
	fixture_fini(&f);
}
END_TEST

static bool stalled;
static enum dtap_result (*write_to_memory)(struct dtap__output *output,
					   const struct iovec *parts,
					   int count, size_t *taken);

static enum dtap_result
write_unless_stalled(struct dtap__output *output, const struct iovec *parts,
		     int count, size_t *taken)
{
	*taken = 0;
	return stalled ? DTAP_AGAIN
		       : write_to_memory(output, parts, count, taken);
}

/* A peer that takes something has all the time again, and only then. */
START_TEST(tries_in_vain_do_not_move_the_deadline_of_progress)
{
	struct dtap__memory_script script = { .write_max_bytes = 3 };
	struct fixture f;

	fixture_init(&f, &script);
	write_to_memory = f.ops.write;
	f.ops.write = write_unless_stalled;
	stalled = false;
	step_until(&f, DTAP__WRITER_FLOWING);
	put_frames(&f, PUT);
	stalled = true;
	for (int i = 0; i < 3; i++) {
		ck_assert(step(&f));
		ck_assert(f.writer.blocked);
		advance_ms(&f, 300);
	}
	stalled = false;
	ck_assert(step(&f)); /* three octets */
	stalled = true;
	for (int i = 0; i < 10; i++) {
		ck_assert(step(&f));
		ck_assert_int_eq(f.writer.phase, DTAP__WRITER_FLOWING);
		advance_ms(&f, 100);
	}
	ck_assert(step(&f));
	ck_assert_int_eq(f.writer.phase, DTAP__WRITER_DOWN);
	ck_assert_uint_eq(dtap__load_relaxed(&f.writer.ledger.broken_sessions),
			  1);
	fixture_fini(&f);
}
END_TEST

START_TEST(a_session_that_breaks_during_a_stop_gets_another_try)
{
	struct dtap__memory_script script = {
		.breaks = 1,
		.break_after_bytes = stream_bytes(2),
	};
	struct fixture f;

	fixture_init(&f, &script);
	put_frames(&f, PUT);
	dtap__writer_request_stop(&f.writer, DTAP__NEVER);
	ck_assert(run_out(&f, 1000));
	ck_assert_uint_eq(written(&f), PUT);
	ck_assert(f.writer.complete);
	ck_assert_uint_eq(dtap__output_memory_sessions(f.output), 2);
	fixture_fini(&f);
}
END_TEST

START_TEST(an_output_that_refuses_a_stop_is_not_tried_for_ever)
{
	struct dtap__memory_script script = { .open_failures = UINT32_MAX };
	struct fixture f;

	fixture_init(&f, &script);
	put_frame(&f);
	ck_assert(step(&f));
	dtap__writer_request_stop(&f.writer, DTAP__NEVER);
	ck_assert(run_out(&f, 3));
	ck_assert(!f.writer.complete);
	ck_assert_uint_eq(dtap__load_relaxed(&f.writer.ledger.open_failures),
			  2);
	fixture_fini(&f);
}
END_TEST

/* dtap_reopen() may set its request when dtap_stop() has set its own. */
START_TEST(a_reopen_during_the_last_try_loses_nothing)
{
	struct dtap__memory_script script = {
		.open_failures = 1, .open_agains = 2
	};
	struct fixture f;

	fixture_init(&f, &script);
	put_frames(&f, PUT);
	ck_assert(step(&f));
	ck_assert_int_eq(f.writer.phase, DTAP__WRITER_DOWN);
	dtap__writer_request_stop(&f.writer, DTAP__NEVER);
	step_until(&f, DTAP__WRITER_OPENING);
	dtap__writer_request_reopen(&f.writer);
	ck_assert(run_out(&f, 1000));
	ck_assert_uint_eq(written(&f), PUT);
	ck_assert(f.writer.complete);
	ck_assert_uint_eq(dtap__output_memory_sessions(f.output), 2);
	fixture_fini(&f);
}
END_TEST

/* The writer keeps how its stop ended where a rotation noted its own end. */
START_TEST(a_rotation_before_is_no_success_of_the_stop)
{
	struct dtap__memory_script script = { 0 };
	struct fixture f;

	fixture_init(&f, &script);
	write_to_memory = f.ops.write;
	f.ops.write = write_unless_stalled;
	stalled = false;
	put_frame(&f);
	step_until(&f, DTAP__WRITER_FLOWING);
	dtap__writer_request_reopen(&f.writer);
	step_until(&f, DTAP__WRITER_DOWN);
	step_until(&f, DTAP__WRITER_FLOWING);
	ck_assert_uint_eq(dtap__load_relaxed(&f.writer.ledger.rotations), 1);
	stalled = true;
	put_frame(&f);
	dtap__writer_request_stop(&f.writer,
				  f.now_ns + 20 * DTAP__NS_PER_MS);
	ck_assert(run_out(&f, 21));
	ck_assert_uint_eq(written(&f), 1);
	ck_assert(!f.writer.complete);
	fixture_fini(&f);
}
END_TEST

/* Octets of the last session. */
static size_t
session_octets(const struct dtap__output *output)
{
	size_t bytes;

	dtap__output_memory_get(output,
				dtap__output_memory_sessions(output) - 1,
				&bytes);
	return bytes;
}

static unsigned int marks;

static void
expect_boundary(struct dtap__output *output, size_t unfinished_bytes)
{
	size_t start = stream_bytes(0) - 12;
	size_t marked = session_octets(output) - unfinished_bytes;

	marks++;
	ck_assert_uint_ge(marked, start);
	/* Behind START or a frame; STOP is longer than a frame by four. */
	ck_assert((marked - start) % 8 == 0 ||
		  marked == stream_bytes(PUT));
}

START_TEST(every_mark_stands_between_frames)
{
	for (size_t most = 1; most < 60; most++) {
		struct dtap__memory_script script = {
			.write_max_bytes = most,
		};
		struct fixture f;

		fixture_init(&f, &script);
		f.ops.mark = expect_boundary;
		marks = 0;
		put_frames(&f, PUT);
		dtap__writer_request_stop(&f.writer, DTAP__NEVER);
		ck_assert(run_out(&f, 1000));
		ck_assert_uint_ge(marks, 3); /* START, frames, STOP */
		expect_session(&f, 0, 0, PUT);
		fixture_fini(&f);
	}
}
END_TEST

/* A file has room for two frames. */
static uint64_t
room_for_two(struct dtap__output *output, uint64_t now_ns)
{
	size_t most = stream_bytes(2) - 12;
	size_t bytes = session_octets(output);

	(void)now_ns;
	return bytes < most ? most - bytes : 0;
}

/* The stop is over when all is delivered, in as many files as it takes. */
START_TEST(rotation_goes_on_during_a_stop)
{
	struct dtap__memory_script script = { 0 };
	struct fixture f;

	fixture_init(&f, &script);
	f.ops.room = room_for_two;
	put_frames(&f, PUT);
	dtap__writer_request_stop(&f.writer, DTAP__NEVER);
	ck_assert(run_out(&f, 1000));
	ck_assert(f.writer.complete);
	ck_assert_uint_eq(written(&f), PUT);
	ck_assert_uint_eq(dtap__load_relaxed(&f.writer.ledger.rotations), 2);
	expect_session(&f, 0, 0, 2);
	expect_session(&f, 1, 2, 4);
	expect_session(&f, 2, 4, PUT);
	fixture_fini(&f);
}
END_TEST

static enum dtap_result sync_result;

static enum dtap_result
sync_as_told(struct dtap__output *output)
{
	(void)output;
	return sync_result;
}

START_TEST(a_file_confirms_what_reached_the_disk)
{
	for (int i = 0; i < 2; i++) {
		struct dtap__memory_script script = { 0 };
		struct fixture f;

		fixture_init(&f, &script);
		f.ops.sync = sync_as_told;
		sync_result = i == 0 ? DTAP_OK : DTAP_E_SYSTEM;
		put_frames(&f, PUT);
		dtap__writer_request_stop(&f.writer, DTAP__NEVER);
		ck_assert(run_out(&f, 10));
		ck_assert_uint_eq(written(&f), PUT);
		ck_assert_uint_eq(confirmed(&f), i == 0 ? PUT : 0);
		fixture_fini(&f);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("writer_phase_faults");

	support_add(suite, a_session_that_flowed_ends_the_back_off);
	support_add(suite, a_peer_that_never_finishes_has_confirmed_nothing);
	support_add(suite, finish_confirms_its_own_session_alone);
	support_add(suite,
		    tries_in_vain_do_not_move_the_deadline_of_progress);
	support_add(suite,
		    a_session_that_breaks_during_a_stop_gets_another_try);
	support_add(suite, an_output_that_refuses_a_stop_is_not_tried_for_ever);
	support_add(suite, a_reopen_during_the_last_try_loses_nothing);
	support_add(suite, a_rotation_before_is_no_success_of_the_stop);
	support_add(suite, every_mark_stands_between_frames);
	support_add(suite, rotation_goes_on_during_a_stop);
	support_add(suite, a_file_confirms_what_reached_the_disk);
	return support_run(suite);
}
