/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tap and readers that misbehave, over Unix and TCP sockets. F01 and so on
 * are the faults that each test is about:
 *
 *   F01 stops reading      F05 connect() hangs   F08 never sends ACCEPT
 *   F02 goes in mid-frame  F06 is not there      F09 talks garbage
 *   F04 reads slowly       F15 SIGPIPE kills     F30 stop, in all of them
 *
 * What all have in common, in rig_finish() and rig_audit(): stop keeps its
 * time, the ledger balances to the last event, the reader has whole frames
 * only, none twice, and confirmed <= seen <= written.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "rig.h"
#include "support/scratch.h"
#include "support/support.h"
#include "support/taps.h"

/* Short times, so that a test sees many attempts. */
#define HASTE "reconnect-min-ms=10", "reconnect-max-ms=40"
#define BIG_RING "ring-bytes=16M"
#define SMALL_RING "ring-bytes=64K"

struct fixture {
	struct rig_reader reader;
	struct rig_source source;
	struct audit audit;
	struct dtap_stats stats; /* after the end */
	enum dtap_result result; /* of dtap_stop() */
	dtap *tap;
};

/* A reader, a tap into it and a producer; both lists end with NULL. */
static void
fixture_open(struct fixture *f, int scheme, const char *const *reader,
	     const char *const *options, size_t bytes)
{
	memset(f, 0, sizeof(*f));
	scratch_enter();
	rig_start_peer(&f->reader, (enum rig_scheme)scheme, reader);
	f->tap = taps_start(f->reader.uri, options);
	rig_source_open(&f->source, f->tap, 0, bytes);
}

static void
fixture_stop(struct fixture *f, uint32_t timeout_ms)
{
	f->stats = rig_finish(&f->tap, timeout_ms, &f->result);
	dtap_producer_close(&f->source.producer);
	rig_audit(&f->audit, "got", &f->stats);
	ck_assert_uint_eq(f->stats.submitted, f->source.sequence);
}

static void
fixture_close(struct fixture *f)
{
	if (f->reader.pid > 0)
		rig_kill(f->reader.pid, SIGKILL);
	scratch_leave();
}

static uint64_t
failures(const struct fixture *f)
{
	return taps_stats(f->tap).open_failures;
}

START_TEST(reader_that_never_accepts) /* F08 */
{
	static const char *const mute[] = { "--answer", "never", NULL };
	static const char *const options[] = { HASTE,
					       "handshake-timeout-ms=100",
					       NULL };
	struct fixture f;

	fixture_open(&f, _i, mute, options, 100);
	rig_submit_many(&f.source, 100);
	rig_until(failures(&f) >= 2);
	rig_expect_rest("mute reader");
	rig_until(failures(&f) >= 4);
	fixture_stop(&f, 300);
	ck_assert_int_eq(f.result, DTAP_E_TIMEOUT);
	ck_assert_uint_eq(f.stats.sessions, 0);
	ck_assert_uint_eq(f.stats.lost_shutdown, 100);
	fixture_close(&f);
}
END_TEST

START_TEST(stop_during_the_handshake) /* F08, F30 */
{
	static const char *const mute[] = { "--answer", "never", NULL };
	struct fixture f;

	fixture_open(&f, _i, mute, NULL, 100);
	rig_submit_many(&f.source, 100);
	rig_until(scratch_exists("got.1"));
	fixture_stop(&f, 300);
	ck_assert_int_eq(f.result, DTAP_E_TIMEOUT);
	ck_assert_uint_eq(f.stats.lost_shutdown, 100);
	fixture_close(&f);
}
END_TEST

static const char *const wrong_answers[] = { "garbage", "start", "data",
					     "huge", "type" };
#define WRONG_ANSWERS (int)(sizeof(wrong_answers) / sizeof(wrong_answers[0]))

START_TEST(reader_that_talks_garbage) /* F09 */
{
	const char *const garbage[] = { "--answer", wrong_answers[_i / 2],
					NULL };
	static const char *const options[] = { HASTE, NULL };
	struct fixture f;

	fixture_open(&f, _i % 2, garbage, options, 100);
	rig_submit_many(&f.source, 100);
	rig_until(failures(&f) >= 4);
	rig_expect_rest(wrong_answers[_i / 2]);
	fixture_stop(&f, 300);
	ck_assert_uint_eq(f.stats.written, 0);
	ck_assert_uint_eq(f.stats.sessions, 0);
	ck_assert_uint_eq(f.stats.lost_shutdown, 100);
	fixture_close(&f);
}
END_TEST

START_TEST(reader_that_stops_reading) /* F01, F30 */
{
	static const char *const stuck[] = { "--read", "20000", NULL };
	/* More than the system may still take when it is asked again. */
	static const char *const options[] = { "ring-bytes=8M", NULL };
	struct fixture f;

	fixture_open(&f, _i, stuck, options, 16000);
	rig_submit_until_stuck(&f.source, f.tap);
	rig_expect_rest("stuck reader");
	fixture_stop(&f, 300);
	ck_assert_int_eq(f.result, DTAP_E_TIMEOUT);
	ck_assert_uint_gt(f.stats.dropped_full, 0);
	ck_assert_uint_gt(f.stats.lost_shutdown, 0);
	ck_assert_uint_eq(f.stats.confirmed, 0);
	ck_assert_uint_eq(f.stats.broken_sessions, 0);
	ck_assert_uint_eq(f.audit.cut, 1);
	fixture_close(&f);
}
END_TEST

START_TEST(a_stuck_connection_is_given_up_and_nothing_in_the_ring_lost)
{ /* F01 */
	static const char *const stuck[] = { "--read", "20000", "--faulty",
					     "1", NULL };
	static const char *const options[] = { HASTE, SMALL_RING,
					       "write-timeout-ms=200", NULL };
	struct fixture f;
	uint64_t first;

	fixture_open(&f, _i, stuck, options, 4000);
	rig_submit_many(&f.source, 1);
	rig_until(taps_stats(f.tap).sessions == 1);
	while (taps_stats(f.tap).broken_sessions == 0) {
		rig_submit_many(&f.source, 20);
		rig_nap_ms(1);
	}
	first = taps_stats(f.tap).written;
	rig_until(taps_stats(f.tap).in_ring == 0);
	rig_submit_many(&f.source, 10);
	fixture_stop(&f, 10000);
	ck_assert_int_eq(f.result, DTAP_OK);
	ck_assert_uint_eq(f.stats.broken_sessions, 1);
	ck_assert_uint_eq(f.stats.lost_shutdown, 0);
	ck_assert_uint_eq(f.stats.written + f.stats.dropped_full,
			  f.source.sequence);
	/* The second session has been confirmed, the first never will be. */
	ck_assert_uint_ge(f.stats.confirmed, f.stats.written - first);
	ck_assert_uint_gt(f.stats.unconfirmed, 0);
	ck_assert_uint_eq(f.audit.stops, 1);
	fixture_close(&f);
}
END_TEST

START_TEST(reader_of_a_kibibyte_a_second) /* F04, F30 */
{
	static const char *const slow[] = { "--rate", "1024", NULL };
	static const char *const options[] = { SMALL_RING, NULL };
	struct fixture f;

	fixture_open(&f, _i, slow, options, 4000);
	rig_submit_until_stuck(&f.source, f.tap);
	rig_expect_rest("slow reader");
	rig_submit_many(&f.source, 100);
	fixture_stop(&f, 300);
	ck_assert_int_eq(f.result, DTAP_E_TIMEOUT);
	ck_assert_uint_gt(f.stats.dropped_full, 0);
	ck_assert_uint_eq(f.stats.sessions, 1);
	ck_assert_uint_eq(f.stats.broken_sessions, 0);
	fixture_close(&f);
}
END_TEST

static const char *const ways_to_go[] = { "close", "reset" };

START_TEST(reader_that_goes_in_mid_frame) /* F02, F15 */
{
	const char *const leaver[] = { "--read", "10001", "--then",
				       ways_to_go[_i / 2], "--faulty", "3",
				       NULL };
	static const char *const options[] = { HASTE, BIG_RING, NULL };
	unsigned int descriptors;
	struct fixture f;

	signal(SIGPIPE, SIG_DFL);
	fixture_open(&f, _i % 2, leaver, options, 500);
	rig_until(taps_stats(f.tap).connected == 1);
	descriptors = rig_count_entries("/proc/self/fd");
	while (taps_stats(f.tap).sessions < 4) {
		rig_submit_many(&f.source, 10);
		rig_nap_ms(1);
	}
	ck_assert_uint_eq(rig_count_entries("/proc/self/fd"), descriptors);
	rig_submit_many(&f.source, 10);
	fixture_stop(&f, 10000);
	ck_assert_int_eq(f.result, DTAP_OK);
	ck_assert_uint_eq(f.stats.broken_sessions, 3);
	ck_assert_uint_eq(f.stats.written, f.source.sequence);
	ck_assert_uint_eq(f.audit.streams, 4);
	ck_assert_uint_eq(f.audit.cut, 3);
	/* What is missing was written, into a connection that then went. */
	ck_assert_uint_eq(f.audit.frames + f.audit.missing, f.stats.written);
	fixture_close(&f);
}
END_TEST

START_TEST(reader_that_takes_connections_and_drops_them) /* F02 */
{
	static const char *const leaver[] = { "--read", "84", "--then",
					      "close", NULL };
	static const char *const options[] = { "reconnect-min-ms=10",
					       "reconnect-max-ms=60000",
					       NULL };
	struct fixture f;
	uint64_t start_ms;
	uint64_t ms = 0;

	fixture_open(&f, _i, leaver, options, 100);
	start_ms = rig_clock_ms();
	rig_submit_many(&f.source, 100);
	while (ms < 400)
		ms = rig_clock_ms() - start_ms;
	fixture_stop(&f, 0);
	printf("%llu sessions in %llu ms\n",
	       (unsigned long long)f.stats.sessions, (unsigned long long)ms);
	/* At 10, 20, 40, 80, 160 ..., a quarter sooner at the most. */
	ck_assert_uint_ge(f.stats.sessions, 2);
	ck_assert_uint_le(1 << (f.stats.sessions / 2), ms);
	fixture_close(&f);
}
END_TEST

START_TEST(reader_that_never_says_finish) /* F30 */
{
	static const char *const silent[] = { "--finish", "never", NULL };
	static const char *const options[] = { BIG_RING, NULL };
	struct fixture f;

	fixture_open(&f, _i, silent, options, 200);
	rig_submit_many(&f.source, 1000);
	fixture_stop(&f, 1000);
	ck_assert_int_eq(f.result, DTAP_E_TIMEOUT);
	ck_assert_uint_eq(f.stats.written, 1000);
	ck_assert_uint_eq(f.stats.confirmed, 0);
	ck_assert_uint_eq(f.audit.frames, 1000);
	ck_assert_uint_eq(f.audit.stops, 1);
	fixture_close(&f);
}
END_TEST

START_TEST(reader_that_says_something_else_than_finish) /* F09 */
{
	static const char *const garbage[] = { "--finish", "garbage", NULL };
	static const char *const options[] = { BIG_RING, NULL };
	struct fixture f;

	fixture_open(&f, _i, garbage, options, 200);
	rig_submit_many(&f.source, 1000);
	fixture_stop(&f, 10000);
	ck_assert_int_eq(f.result, DTAP_E_TIMEOUT);
	ck_assert_uint_eq(f.stats.broken_sessions, 1);
	ck_assert_uint_eq(f.stats.confirmed, 0);
	ck_assert_uint_eq(f.audit.frames, 1000);
	fixture_close(&f);
}
END_TEST

START_TEST(reopening_without_an_answer_is_told) /* F17, F46 */
{
	static const char *const silent[] = { "--finish", "never", "--faulty",
					      "1", NULL };
	static const char *const options[] = { HASTE,
					       "handshake-timeout-ms=100",
					       NULL };
	static struct rig_log log;
	struct fixture f = { .result = DTAP_OK };

	scratch_enter();
	rig_start_peer(&f.reader, (enum rig_scheme)_i, silent);
	f.tap = rig_start_logging(f.reader.uri, options, &log);
	rig_source_open(&f.source, f.tap, 0, 200);
	rig_submit_many(&f.source, 100);
	rig_until(taps_stats(f.tap).written == 100);
	ck_assert_int_eq(dtap_reopen(f.tap), DTAP_OK);
	rig_until(taps_stats(f.tap).sessions == 2);
	ck_assert_int_eq(taps_stats(f.tap).last_errno, ETIMEDOUT);
	ck_assert_uint_eq(dtap__load_relaxed(&log.lines), 1);
	ck_assert_ptr_nonnull(strstr(rig_last_line(&log), "FINISH"));
	rig_submit_many(&f.source, 100);
	fixture_stop(&f, 10000);
	ck_assert_int_eq(f.result, DTAP_OK);
	ck_assert_uint_eq(f.stats.broken_sessions, 1);
	ck_assert_uint_eq(f.stats.confirmed, 100);
	ck_assert_uint_eq(f.audit.frames, 200);
	fixture_close(&f);
}
END_TEST

START_TEST(dropped_events_are_told_while_they_drop) /* F01, F46 */
{
	static const char *const stuck[] = { "--read", "20000", NULL };
	static const char *const options[] = { SMALL_RING, NULL };
	static struct rig_log log;
	struct fixture f = { .result = DTAP_OK };

	scratch_enter();
	rig_start_peer(&f.reader, (enum rig_scheme)_i, stuck);
	f.tap = rig_start_logging(f.reader.uri, options, &log);
	rig_source_open(&f.source, f.tap, 0, 4000);
	rig_submit_until_stuck(&f.source, f.tap);
	/* Before the connection is given up, after ten seconds. */
	rig_until(dtap__load_relaxed(&log.lines) == 1);
	ck_assert_ptr_nonnull(strstr(rig_last_line(&log), "events dropped"));
	ck_assert_uint_eq(taps_stats(f.tap).broken_sessions, 0);
	fixture_stop(&f, 0);
	fixture_close(&f);
}
END_TEST

START_TEST(reader_that_says_finish_too_early) /* F09 */
{
	static const char *const hasty[] = { "--finish", "early", "--faulty",
					     "2", NULL };
	static const char *const options[] = { HASTE, BIG_RING, NULL };
	struct fixture f;

	fixture_open(&f, _i, hasty, options, 200);
	rig_submit_many(&f.source, 1000);
	rig_until(taps_stats(f.tap).written == 1000);
	fixture_stop(&f, 10000);
	ck_assert_int_eq(f.result, DTAP_OK);
	/* FINISH comes before START has left, or after. */
	ck_assert_uint_eq(f.stats.broken_sessions + f.stats.open_failures, 2);
	ck_assert_uint_eq(f.stats.written, 1000);
	fixture_close(&f);
}
END_TEST

START_TEST(reader_that_is_not_there_yet) /* F06 */
{
	static const char *const options[] = { HASTE, BIG_RING, NULL };
	static struct rig_log log;
	struct fixture f = { .result = DTAP_OK };

	scratch_enter();
	rig_start_peer(&f.reader, (enum rig_scheme)_i, NULL);
	rig_kill(f.reader.pid, SIGKILL);
	f.reader.pid = 0;
	ck_assert_int_eq(_i == RIG_UNIX ? remove("sock") : 0, 0);
	f.tap = rig_start_logging(f.reader.uri, options, &log);
	rig_source_open(&f.source, f.tap, 0, 200);
	rig_submit_many(&f.source, 1000);
	rig_until(failures(&f) >= 5);
	rig_expect_rest("no reader");
	ck_assert_uint_eq(dtap__load_relaxed(&log.lines), 1);
	ck_assert_ptr_nonnull(strstr(rig_last_line(&log), "cannot connect"));

	/* On the same address, a reader. */
	rig_start_peer(&f.reader, (enum rig_scheme)_i, NULL);
	rig_until(taps_stats(f.tap).written == 1000);
	fixture_stop(&f, 10000);
	ck_assert_int_eq(f.result, DTAP_OK);
	ck_assert_uint_eq(f.stats.confirmed, 1000);
	ck_assert_uint_eq(f.audit.frames, 1000);
	fixture_close(&f);
}
END_TEST

START_TEST(connecting_that_hangs) /* F05, F30 */
{
	static const char *const deaf[] = { "--deaf", NULL };
	static const char *const options[] = { HASTE, "connect-timeout-ms=100",
					       NULL };
	struct fixture f;

	fixture_open(&f, _i, deaf, options, 100);
	rig_submit_many(&f.source, 100);
	rig_until(failures(&f) >= 2);
	rig_expect_rest("deaf reader");
	fixture_stop(&f, 50);
	ck_assert_int_eq(f.result, DTAP_E_TIMEOUT);
	ck_assert_uint_eq(f.stats.lost_shutdown, 100);
	fixture_close(&f);
}
END_TEST

START_TEST(stop_while_connecting) /* F05, F30 */
{
	static const char *const deaf[] = { "--deaf", NULL };
	struct fixture f;

	fixture_open(&f, _i, deaf, NULL, 100);
	rig_submit_many(&f.source, 100);
	rig_until(rig_writer() != 0 && rig_is_in_state(rig_writer(), 'S'));
	fixture_stop(&f, 300);
	ck_assert_int_eq(f.result, DTAP_E_TIMEOUT);
	ck_assert_uint_eq(f.stats.lost_shutdown, 100);
	fixture_close(&f);
}
END_TEST

START_TEST(a_stream_in_one_direction)
{
	static const char *const quiet[] = { "--quiet", NULL };
	static const char *const options[] = { BIG_RING, "bidirectional=no",
					       NULL };
	struct fixture f;

	fixture_open(&f, _i, quiet, options, 200);
	rig_submit_many(&f.source, 1000);
	f.stats = rig_finish(&f.tap, 10000, &f.result);
	dtap_producer_close(&f.source.producer);
	ck_assert_int_eq(f.result, DTAP_OK);
	ck_assert_uint_eq(f.stats.written, 1000);
	ck_assert_uint_eq(f.stats.confirmed, 0);
	rig_until(scratch_exists("got.1.end"));
	rig_audit(&f.audit, "got", &f.stats);
	ck_assert_uint_eq(f.audit.frames, 1000);
	ck_assert_uint_eq(f.audit.stops, 1);
	fixture_close(&f);
}
END_TEST

START_TEST(a_reader_in_one_direction_is_missed_before_anything_is_written)
{ /* F02 */
	static const char *const quiet[] = { "--quiet", NULL };
	static const char *const options[] = { HASTE, "bidirectional=no",
					       NULL };
	struct fixture f;

	fixture_open(&f, _i, quiet, options, 200);
	rig_until(taps_stats(f.tap).connected == 1 && scratch_exists("got.1"));
	rig_kill(f.reader.pid, SIGKILL);
	f.reader.pid = 0;
	rig_until(taps_stats(f.tap).broken_sessions == 1);
	rig_submit_many(&f.source, 10);
	rig_until(failures(&f) >= 2);
	rig_expect_rest("reader gone");
	fixture_stop(&f, 300);
	ck_assert_uint_eq(f.stats.written, 0);
	ck_assert_uint_eq(f.stats.lost_shutdown, 10);
	fixture_close(&f);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("fault_peers");
	TCase *tests = tcase_create("peers");

	rig_init();
	tcase_set_timeout(tests, 120);
	tcase_add_loop_test(tests, reader_that_never_accepts, 0, RIG_SCHEMES);
	tcase_add_loop_test(tests, stop_during_the_handshake, 0, RIG_SCHEMES);
	tcase_add_loop_test(tests, reader_that_talks_garbage, 0,
			    2 * WRONG_ANSWERS);
	tcase_add_loop_test(tests, reader_that_stops_reading, 0, RIG_SCHEMES);
	tcase_add_loop_test(
		tests,
		a_stuck_connection_is_given_up_and_nothing_in_the_ring_lost, 0,
		RIG_SCHEMES);
	tcase_add_loop_test(tests, reader_of_a_kibibyte_a_second, 0,
			    RIG_SCHEMES);
	tcase_add_loop_test(tests, reader_that_goes_in_mid_frame, 0, 4);
	tcase_add_loop_test(tests, reader_that_takes_connections_and_drops_them,
			    0, RIG_SCHEMES);
	tcase_add_loop_test(tests, reader_that_never_says_finish, 0,
			    RIG_SCHEMES);
	tcase_add_loop_test(tests, reader_that_says_something_else_than_finish,
			    0, RIG_SCHEMES);
	tcase_add_loop_test(tests, reopening_without_an_answer_is_told, 0,
			    RIG_SCHEMES);
	tcase_add_loop_test(tests, dropped_events_are_told_while_they_drop, 0,
			    RIG_SCHEMES);
	tcase_add_loop_test(tests, reader_that_says_finish_too_early, 0,
			    RIG_SCHEMES);
	tcase_add_loop_test(tests, reader_that_is_not_there_yet, 0,
			    RIG_SCHEMES);
	tcase_add_loop_test(tests, connecting_that_hangs, 0, RIG_SCHEMES);
	tcase_add_loop_test(tests, stop_while_connecting, 0, RIG_SCHEMES);
	tcase_add_loop_test(tests, a_stream_in_one_direction, 0, RIG_SCHEMES);
	tcase_add_loop_test(
		tests,
		a_reader_in_one_direction_is_missed_before_anything_is_written,
		0, RIG_SCHEMES);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
