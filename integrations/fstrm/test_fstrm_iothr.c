/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_fstrm_iothr.c: an iothr keeps the promises of <fstrm.h>.
 *
 * The writer's functions are ours, the reader's are the real library's, as in
 * a server.
 */
#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fstrm_fixture.h"

#define FRAMES_EACH 1000

struct worker {
	pthread_t id;
	struct fstrm_iothr *iothr;
	struct fstrm_iothr_queue *queue;
	uint32_t thread;
	bool failed;
};

static void *
work(void *argument)
{
	struct worker *worker = argument;

	for (uint32_t sequence = 0; sequence < FRAMES_EACH; sequence++) {
		fstrm_res result;

		do {
			result = fixture_submit(worker->iothr, worker->queue,
						worker->thread, sequence);
			if (result == fstrm_res_again)
				sched_yield();
		} while (result == fstrm_res_again);
		if (result != fstrm_res_success)
			worker->failed = true;
	}
	return NULL;
}

static const struct {
	fstrm_iothr_queue_model model;
	unsigned int threads;
} crowds[] = {
	{FSTRM_IOTHR_QUEUE_MODEL_SPSC, 1},  {FSTRM_IOTHR_QUEUE_MODEL_SPSC, 4},
	{FSTRM_IOTHR_QUEUE_MODEL_SPSC, 16}, {FSTRM_IOTHR_QUEUE_MODEL_MPSC, 1},
	{FSTRM_IOTHR_QUEUE_MODEL_MPSC, 4},  {FSTRM_IOTHR_QUEUE_MODEL_MPSC, 16},
};

/* A queue for each thread, or one for all. */
START_TEST(each_frame_arrives_once)
{
	bool own = crowds[_i].model == FSTRM_IOTHR_QUEUE_MODEL_SPSC;
	unsigned int threads = crowds[_i].threads;
	struct fstrm_iothr_options *opt = fstrm_iothr_options_init();
	struct worker workers[FIXTURE_THREADS_MAX] = {0};
	struct fstrm_iothr_queue *shared = NULL;
	struct fstrm_iothr *iothr;

	ck_assert_int_eq(
		fstrm_iothr_options_set_queue_model(opt, crowds[_i].model),
		fstrm_res_success);
	if (own)
		fstrm_iothr_options_set_num_input_queues(opt, threads);
	iothr = fixture_start(opt, fixture_file_writer());
	fstrm_iothr_options_destroy(&opt);
	if (!own)
		shared = fstrm_iothr_get_input_queue(iothr);
	for (unsigned int i = 0; i < threads; i++) {
		workers[i].iothr = iothr;
		workers[i].thread = i;
		workers[i].queue =
			own ? fstrm_iothr_get_input_queue(iothr) : shared;
		ck_assert_ptr_nonnull(workers[i].queue);
		ck_assert_int_eq(
			pthread_create(&workers[i].id, NULL, work, &workers[i]),
			0);
	}
	for (unsigned int i = 0; i < threads; i++) {
		pthread_join(workers[i].id, NULL);
		ck_assert(!workers[i].failed);
	}
	ck_assert_uint_eq(fixture_frees, threads * FRAMES_EACH);
	fstrm_iothr_destroy(&iothr);
	ck_assert_ptr_null(iothr);
	ck_assert_uint_eq(fixture_read_frames(), threads * FRAMES_EACH);
}
END_TEST

/* Nobody reads: the queue fills, and stays usable for the one who asks. */
START_TEST(a_full_queue_says_again)
{
	struct fstrm_iothr *iothr;
	struct fstrm_iothr_queue *queue;
	unsigned int taken = 0;

	iothr = fixture_start(NULL, fixture_unix_writer(fixture_path));
	queue = fstrm_iothr_get_input_queue(iothr);
	while (fixture_submit(iothr, queue, 0, taken) == fstrm_res_success)
		taken++;
	ck_assert_uint_gt(taken, FSTRM_IOTHR_INPUT_QUEUE_SIZE_DEFAULT);
	ck_assert_uint_eq(fixture_frees, taken);
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(fixture_submit(iothr, queue, 0, taken),
				 fstrm_res_again);
	ck_assert_uint_eq(fixture_frees, taken);
	fstrm_iothr_destroy(&iothr);
	ck_assert_uint_eq(fixture_frees, taken);
}
END_TEST

/* The largest queue that fstrm allows holds so many frames of 300 octets. */
START_TEST(input_queue_size_makes_room)
{
	struct fstrm_iothr_options *opt = fstrm_iothr_options_init();
	struct fstrm_iothr *iothr;

	ck_assert_int_eq(fstrm_iothr_options_set_input_queue_size(
				 opt, FSTRM_IOTHR_INPUT_QUEUE_SIZE_MAX),
			 fstrm_res_success);
	iothr = fixture_start(opt, fixture_unix_writer(fixture_path));
	fstrm_iothr_options_destroy(&opt);
	for (uint32_t i = 0; i < FSTRM_IOTHR_INPUT_QUEUE_SIZE_MAX; i++)
		ck_assert_int_eq(fixture_submit(iothr, NULL, 0, i),
				 fstrm_res_success);
	fstrm_iothr_destroy(&iothr);
}
END_TEST

static fstrm_res
set_queue_model(struct fstrm_iothr_options *opt, unsigned int value)
{
	return fstrm_iothr_options_set_queue_model(
		opt, (fstrm_iothr_queue_model)value);
}

/* What the real library takes and refuses. */
static const struct {
	fstrm_res (*set)(struct fstrm_iothr_options *, unsigned int);
	unsigned int value;
	fstrm_res result;
} limits[] = {
	{fstrm_iothr_options_set_buffer_hint, 1023, fstrm_res_failure},
	{fstrm_iothr_options_set_buffer_hint, 1024, fstrm_res_success},
	{fstrm_iothr_options_set_buffer_hint, 65536, fstrm_res_success},
	{fstrm_iothr_options_set_buffer_hint, 65537, fstrm_res_failure},
	{fstrm_iothr_options_set_flush_timeout, 0, fstrm_res_failure},
	{fstrm_iothr_options_set_flush_timeout, 1, fstrm_res_success},
	{fstrm_iothr_options_set_flush_timeout, 600, fstrm_res_success},
	{fstrm_iothr_options_set_flush_timeout, 601, fstrm_res_failure},
	{fstrm_iothr_options_set_input_queue_size, 0, fstrm_res_failure},
	{fstrm_iothr_options_set_input_queue_size, 2, fstrm_res_success},
	{fstrm_iothr_options_set_input_queue_size, 6, fstrm_res_success},
	{fstrm_iothr_options_set_input_queue_size, 7, fstrm_res_failure},
	{fstrm_iothr_options_set_input_queue_size, 1000, fstrm_res_success},
	{fstrm_iothr_options_set_input_queue_size, 16384, fstrm_res_success},
	{fstrm_iothr_options_set_input_queue_size, 16386, fstrm_res_failure},
	{fstrm_iothr_options_set_num_input_queues, 0, fstrm_res_failure},
	{fstrm_iothr_options_set_num_input_queues, 1, fstrm_res_success},
	{fstrm_iothr_options_set_num_input_queues, 999, fstrm_res_success},
	{fstrm_iothr_options_set_output_queue_size, 1, fstrm_res_failure},
	{fstrm_iothr_options_set_output_queue_size, 2, fstrm_res_success},
	{fstrm_iothr_options_set_output_queue_size, 1024, fstrm_res_success},
	{fstrm_iothr_options_set_output_queue_size, 1025, fstrm_res_failure},
	{fstrm_iothr_options_set_queue_notify_threshold, 0, fstrm_res_failure},
	{fstrm_iothr_options_set_queue_notify_threshold, 1, fstrm_res_success},
	{fstrm_iothr_options_set_queue_notify_threshold, 100000,
	 fstrm_res_success},
	{fstrm_iothr_options_set_reopen_interval, 0, fstrm_res_failure},
	{fstrm_iothr_options_set_reopen_interval, 1, fstrm_res_success},
	{fstrm_iothr_options_set_reopen_interval, 600, fstrm_res_success},
	{fstrm_iothr_options_set_reopen_interval, 601, fstrm_res_failure},
	{set_queue_model, FSTRM_IOTHR_QUEUE_MODEL_SPSC, fstrm_res_success},
	{set_queue_model, FSTRM_IOTHR_QUEUE_MODEL_MPSC, fstrm_res_success},
	{set_queue_model, 2, fstrm_res_failure},
};

/* And whatever was set, or refused, frames come through. */
START_TEST(options_have_limits)
{
	struct fstrm_iothr_options *opt = fstrm_iothr_options_init();
	struct fstrm_iothr *iothr;

	ck_assert_int_eq(limits[_i].set(opt, limits[_i].value),
			 limits[_i].result);
	iothr = fixture_start(opt, fixture_file_writer());
	for (uint32_t i = 0; i < 20; i++)
		ck_assert_int_eq(fixture_submit(iothr,
						fstrm_iothr_get_input_queue_idx(
							iothr, 0),
						0, i),
				 fstrm_res_success);
	fstrm_iothr_destroy(&iothr);
	fstrm_iothr_options_destroy(&opt);
	ck_assert_uint_eq(fixture_read_frames(), 20);
}
END_TEST

START_TEST(queues_are_given_out_once)
{
	struct fstrm_iothr_options *opt = fstrm_iothr_options_init();
	struct fstrm_iothr_queue *queues[3];
	struct fstrm_iothr *iothr;

	fstrm_iothr_options_set_num_input_queues(opt, 3);
	iothr = fixture_start(opt, fixture_file_writer());
	fstrm_iothr_options_destroy(&opt);
	for (size_t i = 0; i < 3; i++) {
		queues[i] = fstrm_iothr_get_input_queue(iothr);
		ck_assert_ptr_nonnull(queues[i]);
		ck_assert_ptr_eq(queues[i],
				 fstrm_iothr_get_input_queue_idx(iothr, i));
	}
	ck_assert_ptr_ne(queues[0], queues[1]);
	ck_assert_ptr_ne(queues[1], queues[2]);
	ck_assert_ptr_null(fstrm_iothr_get_input_queue(iothr));
	ck_assert_ptr_null(fstrm_iothr_get_input_queue_idx(iothr, 3));
	fstrm_iothr_destroy(&iothr);
	ck_assert_uint_eq(fixture_read_frames(), 0);
}
END_TEST

START_TEST(invalid_frames_stay_the_callers)
{
	struct fstrm_iothr *iothr = fixture_start(NULL, fixture_file_writer());
	size_t much = (size_t)1 << 20;
	char *data = calloc(1, much);

	ck_assert_int_eq(fstrm_iothr_submit(iothr, NULL, data, 0, fixture_free,
					    &fixture_frees),
			 fstrm_res_invalid);
	ck_assert_int_eq(fstrm_iothr_submit(iothr, NULL, data, much,
					    fixture_free, &fixture_frees),
			 fstrm_res_invalid);
	ck_assert_int_eq(fstrm_iothr_submit(iothr, NULL, NULL, 1, fixture_free,
					    &fixture_frees),
			 fstrm_res_invalid);
	ck_assert_uint_eq(fixture_frees, 0);
	free(data);
	fstrm_iothr_destroy(&iothr);
	ck_assert_uint_eq(fixture_read_frames(), 0);
}
END_TEST

/* fstrm_free_wrapper frees; with no function at all nothing is freed. */
START_TEST(who_frees)
{
	struct fstrm_iothr *iothr = fixture_start(NULL, fixture_file_writer());
	void *second = fixture_new_frame(0, 1);

	ck_assert_int_eq(fstrm_iothr_submit(iothr, NULL,
					    fixture_new_frame(0, 0),
					    fixture_frame_bytes(0),
					    fstrm_free_wrapper, NULL),
			 fstrm_res_success);
	ck_assert_int_eq(fstrm_iothr_submit(iothr, NULL, second,
					    fixture_frame_bytes(1), NULL, NULL),
			 fstrm_res_success);
	free(second);
	fstrm_iothr_destroy(&iothr);
	ck_assert_uint_eq(fixture_read_frames(), 2);
}
END_TEST

/* In a child the parent's iothr is dead, and one of its own works. */
START_TEST(fork_is_survived)
{
	struct fstrm_iothr *iothr = fixture_start(NULL, fixture_file_writer());
	char parents[96];
	int status;
	pid_t child;

	ck_assert_int_eq(fixture_submit(iothr, NULL, 0, 0), fstrm_res_success);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		bool right =
			fixture_submit(iothr, NULL, 0, 1) == fstrm_res_failure;

		fstrm_iothr_destroy(&iothr);
		strcat(fixture_path, ".child");
		iothr = fixture_start(NULL, fixture_file_writer());
		right &= fixture_submit(iothr, NULL, 0, 0) == fstrm_res_success;
		fstrm_iothr_destroy(&iothr);
		_exit(right ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(fixture_submit(iothr, NULL, 0, 1), fstrm_res_success);
	fstrm_iothr_destroy(&iothr);
	ck_assert_uint_eq(fixture_read_frames(), 2);
	strcpy(parents, fixture_path);
	strcat(fixture_path, ".child");
	ck_assert_uint_eq(fixture_read_frames(), 1);
	unlink(fixture_path);
	strcpy(fixture_path, parents);
}
END_TEST

START_TEST(a_failed_init_leaves_the_writer)
{
	struct fstrm_writer *writer = fixture_file_writer();
	struct fstrm_writer *none = NULL;

	setenv("DTAP_FSTRM_OPTIONS", "reconnect-min-ms=60000", 1);
	ck_assert_ptr_null(fstrm_iothr_init(NULL, &writer));
	ck_assert_ptr_nonnull(writer);
	fstrm_writer_destroy(&writer);
	ck_assert_ptr_null(fstrm_iothr_init(NULL, &none));
}
END_TEST

/* A wrong pair is told and left out; those beside it hold. */
START_TEST(the_environment_sets_options)
{
	struct fstrm_iothr *iothr;
	struct stat status;

	setenv("DTAP_FSTRM_OPTIONS", "nonsense  x=1 file-mode=0604", 1);
	iothr = fixture_start(NULL, fixture_file_writer());
	fixture_submit(iothr, NULL, 0, 0);
	fstrm_iothr_destroy(&iothr);
	ck_assert_int_eq(stat(fixture_path, &status), 0);
	ck_assert_uint_eq(status.st_mode & 0777, 0604);
	ck_assert_uint_eq(fixture_read_frames(), 1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("fstrm_iothr");
	TCase *tests = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, fixture_make_folder,
				  fixture_remove_folder);
	tcase_add_loop_test(tests, each_frame_arrives_once, 0,
			    sizeof(crowds) / sizeof(crowds[0]));
	tcase_add_test(tests, a_full_queue_says_again);
	tcase_add_test(tests, input_queue_size_makes_room);
	tcase_add_loop_test(tests, options_have_limits, 0,
			    sizeof(limits) / sizeof(limits[0]));
	tcase_add_test(tests, queues_are_given_out_once);
	tcase_add_test(tests, invalid_frames_stay_the_callers);
	tcase_add_test(tests, who_frees);
	tcase_add_test(tests, fork_is_survived);
	tcase_add_test(tests, a_failed_init_leaves_the_writer);
	tcase_add_test(tests, the_environment_sets_options);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
