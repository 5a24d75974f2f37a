/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_fstrm_writer.c: writers, where they go, and what they carry.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fstrm_fixture.h"

/* The server starts and runs; nothing is written under a wrong name. */
START_TEST(other_content_is_refused)
{
	static const char *const types[] = {"text:log", NULL};
	struct fstrm_writer *writer =
		fixture_file_writer_of(fixture_path, types[_i]);
	struct fstrm_iothr *iothr;

	ck_assert_ptr_nonnull(writer);
	iothr = fixture_start(NULL, writer);
	ck_assert_ptr_nonnull(fstrm_iothr_get_input_queue(iothr));
	ck_assert_int_eq(fixture_submit(iothr, NULL, 0, 0), fstrm_res_failure);
	ck_assert_uint_eq(fixture_frees, 0);
	fstrm_iothr_destroy(&iothr);
	ck_assert_int_ne(access(fixture_path, F_OK), 0);
}
END_TEST

/* One of several types is ours: a socket's reader would have the choice. */
START_TEST(dnstap_among_others_is_taken)
{
	struct fstrm_file_options *fopt = fstrm_file_options_init();
	struct fstrm_writer_options *wopt = fixture_content("text:log");
	struct fstrm_iothr *iothr;

	fstrm_file_options_set_file_path(fopt, fixture_path);
	fstrm_writer_options_add_content_type(wopt, FIXTURE_CONTENT_TYPE,
					      strlen(FIXTURE_CONTENT_TYPE));
	iothr = fixture_start(NULL, fstrm_file_writer_init(fopt, wopt));
	ck_assert_int_eq(fixture_submit(iothr, NULL, 0, 0), fstrm_res_success);
	fstrm_iothr_destroy(&iothr);
	fstrm_file_options_destroy(&fopt);
	fstrm_writer_options_destroy(&wopt);
	ck_assert_uint_eq(fixture_read_frames(), 1);
}
END_TEST

START_TEST(destinations_are_checked)
{
	static const char *const wrong[][2] = {
		{"localhost", "6000"},	{"127.0.0.1", "0"},
		{"127.0.0.1", "65536"}, {"127.0.0.1", "dns"},
		{"1::2::3", "6000"},	{"", "6000"},
		{"127.0.0.1", ""},	{NULL, "6000"},
		{"127.0.0.1", NULL},
	};
	struct fstrm_writer *writer;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_ptr_null(
			fixture_tcp_writer(wrong[i][0], wrong[i][1]));
	ck_assert_ptr_null(fixture_unix_writer(""));
	ck_assert_ptr_null(fixture_unix_writer(NULL));
	ck_assert_ptr_null(fixture_file_writer_of("", FIXTURE_CONTENT_TYPE));
	ck_assert_ptr_null(fixture_file_writer_of("-", FIXTURE_CONTENT_TYPE));
	ck_assert_ptr_null(fixture_file_writer_of(NULL, FIXTURE_CONTENT_TYPE));
	ck_assert_ptr_null(fstrm_unix_writer_init(NULL, NULL));
	ck_assert_ptr_null(fstrm_tcp_writer_init(NULL, NULL));
	ck_assert_ptr_null(fstrm_file_writer_init(NULL, NULL));
	writer = fixture_tcp_writer("::1", "6000");
	ck_assert_ptr_nonnull(writer);
	ck_assert_int_eq(fstrm_writer_destroy(&writer), fstrm_res_success);
	writer = fixture_tcp_writer("127.0.0.1", "6000");
	ck_assert_ptr_nonnull(writer);
	ck_assert_int_eq(fstrm_writer_destroy(&writer), fstrm_res_success);
}
END_TEST

static void
write_frame(struct fstrm_writer *writer, uint32_t sequence)
{
	void *frame = fixture_new_frame(0, sequence);

	ck_assert_int_eq(fstrm_writer_write(writer, frame,
					    fixture_frame_bytes(sequence)),
			 fstrm_res_success);
	free(frame);
}

/* A program's way, without an iothr: waits rather than loses. */
START_TEST(a_writer_writes_by_itself)
{
	struct fstrm_writer *writer = fixture_file_writer();
	void *frame = fixture_new_frame(0, 5000);
	struct iovec iov = {frame, fixture_frame_bytes(5000)};

	ck_assert_int_eq(fstrm_writer_open(writer), fstrm_res_success);
	for (uint32_t i = 0; i < 5000; i++)
		write_frame(writer, i);
	ck_assert_int_eq(fstrm_writer_writev(writer, &iov, 1),
			 fstrm_res_success);
	free(frame);
	ck_assert_int_eq(fstrm_writer_close(writer), fstrm_res_success);
	ck_assert_int_eq(fstrm_writer_destroy(&writer), fstrm_res_success);
	ck_assert_ptr_null(writer);
	ck_assert_uint_eq(fixture_read_frames(), 5001);
}
END_TEST

/* Unopened, it opens itself; not closed, its destruction closes. */
START_TEST(a_writer_opens_and_closes_itself)
{
	struct fstrm_writer *writer = fixture_file_writer();

	write_frame(writer, 0);
	ck_assert_int_eq(fstrm_writer_destroy(&writer), fstrm_res_success);
	ck_assert_uint_eq(fixture_read_frames(), 1);
}
END_TEST

START_TEST(a_writer_that_cannot_open_fails)
{
	struct fstrm_writer *writer = fixture_unix_writer(fixture_path);

	ck_assert_int_eq(fstrm_writer_open(writer), fstrm_res_failure);
	ck_assert_int_eq(fstrm_writer_write(writer, "x", 1), fstrm_res_failure);
	fstrm_writer_destroy(&writer);
}
END_TEST

START_TEST(a_file_that_is_there_is_moved_aside)
{
	char aside[128];

	for (int run = 0; run < 2; run++) {
		struct fstrm_iothr *iothr =
			fixture_start(NULL, fixture_file_writer());

		for (uint32_t i = 0; i < 1 + (uint32_t)run; i++)
			fixture_submit(iothr, NULL, 0, i);
		fstrm_iothr_destroy(&iothr);
		ck_assert_uint_eq(fixture_read_frames(), 1 + (unsigned int)run);
	}
	snprintf(aside, sizeof(aside), "%s.1", fixture_path);
	ck_assert_int_eq(rename(aside, fixture_path), 0);
	ck_assert_uint_eq(fixture_read_frames(), 1);
}
END_TEST

START_TEST(nothing_is_destroyed_for_nothing)
{
	struct fstrm_iothr *iothr = NULL;
	struct fstrm_iothr_options *opt = NULL;
	struct fstrm_writer *writer = NULL;
	struct fstrm_writer_options *wopt = NULL;
	struct fstrm_unix_writer_options *uwopt = NULL;
	struct fstrm_tcp_writer_options *twopt = NULL;
	struct fstrm_file_options *fopt = NULL;

	fstrm_iothr_destroy(&iothr);
	fstrm_iothr_options_destroy(&opt);
	ck_assert_int_eq(fstrm_writer_destroy(&writer), fstrm_res_failure);
	fstrm_writer_options_destroy(&wopt);
	fstrm_unix_writer_options_destroy(&uwopt);
	fstrm_tcp_writer_options_destroy(&twopt);
	fstrm_file_options_destroy(&fopt);
}
END_TEST

START_TEST(what_is_not_provided_fails)
{
	struct fstrm_writer_options *wopt =
		fixture_content(FIXTURE_CONTENT_TYPE);
	struct fstrm_control *control = NULL;
	struct fstrm_writer *writer = fixture_file_writer();
	static char
		far_too_long[FSTRM_CONTROL_FIELD_CONTENT_TYPE_LENGTH_MAX + 1];

	ck_assert_ptr_null(fstrm_writer_init(wopt, NULL));
	ck_assert_int_eq(fstrm_writer_get_control(writer, FSTRM_CONTROL_ACCEPT,
						  &control),
			 fstrm_res_failure);
	ck_assert_int_eq(fstrm_writer_options_add_content_type(
				 wopt, far_too_long, sizeof(far_too_long)),
			 fstrm_res_failure);
	fstrm_writer_options_destroy(&wopt);
	fstrm_writer_destroy(&writer);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("fstrm_writer");
	TCase *tests = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, fixture_make_folder,
				  fixture_remove_folder);
	tcase_add_loop_test(tests, other_content_is_refused, 0, 2);
	tcase_add_test(tests, dnstap_among_others_is_taken);
	tcase_add_test(tests, destinations_are_checked);
	tcase_add_test(tests, a_writer_writes_by_itself);
	tcase_add_test(tests, a_writer_opens_and_closes_itself);
	tcase_add_test(tests, a_writer_that_cannot_open_fails);
	tcase_add_test(tests, a_file_that_is_there_is_moved_aside);
	tcase_add_test(tests, nothing_is_destroyed_for_nothing);
	tcase_add_test(tests, what_is_not_provided_fails);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
