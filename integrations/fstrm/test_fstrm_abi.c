/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_fstrm_abi.c: libdtap-fstrm keeps the promises of <fstrm.h>.
 *
 * The writer's functions are ours, the reader's are the real library's, as in
 * a server. Each frame is a thread's number, a sequence number and filling;
 * the file that comes out must hold each frame that was taken, once, whole,
 * and a thread's frames in their order.
 */
#include <check.h>
#include <fstrm.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONTENT_TYPE "protobuf:dnstap.Dnstap"
#define FRAMES_EACH 1000
#define THREADS_MAX 16
#define FILLING_BYTES 300

struct frame {
	uint32_t thread;
	uint32_t sequence;
	unsigned char filling[FILLING_BYTES];
};

static char folder[64];
static char path[96];
static atomic_uint frees;

static void
make_folder(void)
{
	const char *base = getenv("TMPDIR");

	snprintf(folder, sizeof(folder), "%.40s/fstrm.XXXXXX",
		 base != NULL && strlen(base) <= 40 ? base : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/frames", folder);
	setenv("DTAP_FSTRM_LOG", "stderr", 1);
	unsetenv("DTAP_FSTRM_OPTIONS");
	atomic_store(&frees, 0);
}

static void
remove_folder(void)
{
	unlink(path);
	ck_assert_int_eq(rmdir(folder), 0);
}

static struct fstrm_writer_options *
content(const char *type)
{
	struct fstrm_writer_options *wopt = fstrm_writer_options_init();

	ck_assert_ptr_nonnull(wopt);
	if (type != NULL)
		ck_assert_int_eq(fstrm_writer_options_add_content_type(
					 wopt, type, strlen(type)),
				 fstrm_res_success);
	return wopt;
}

static struct fstrm_writer *
file_writer_of(const char *name, const char *type)
{
	struct fstrm_file_options *fopt = fstrm_file_options_init();
	struct fstrm_writer_options *wopt = content(type);
	struct fstrm_writer *writer;

	fstrm_file_options_set_file_path(fopt, name);
	writer = fstrm_file_writer_init(fopt, wopt);
	fstrm_file_options_destroy(&fopt);
	fstrm_writer_options_destroy(&wopt);
	ck_assert_ptr_null(fopt);
	ck_assert_ptr_null(wopt);
	return writer;
}

static struct fstrm_writer *
file_writer(void)
{
	struct fstrm_writer *writer = file_writer_of(path, CONTENT_TYPE);

	ck_assert_ptr_nonnull(writer);
	return writer;
}

static struct fstrm_writer *
unix_writer(const char *name)
{
	struct fstrm_unix_writer_options *uwopt =
		fstrm_unix_writer_options_init();
	struct fstrm_writer_options *wopt = content(CONTENT_TYPE);
	struct fstrm_writer *writer;

	fstrm_unix_writer_options_set_socket_path(uwopt, name);
	writer = fstrm_unix_writer_init(uwopt, wopt);
	fstrm_unix_writer_options_destroy(&uwopt);
	fstrm_writer_options_destroy(&wopt);
	return writer;
}

static struct fstrm_writer *
tcp_writer(const char *address, const char *port)
{
	struct fstrm_tcp_writer_options *twopt = fstrm_tcp_writer_options_init();
	struct fstrm_writer_options *wopt = content(CONTENT_TYPE);
	struct fstrm_writer *writer;

	fstrm_tcp_writer_options_set_socket_address(twopt, address);
	fstrm_tcp_writer_options_set_socket_port(twopt, port);
	writer = fstrm_tcp_writer_init(twopt, wopt);
	fstrm_tcp_writer_options_destroy(&twopt);
	fstrm_writer_options_destroy(&wopt);
	return writer;
}

static struct fstrm_iothr *
start(const struct fstrm_iothr_options *opt, struct fstrm_writer *writer)
{
	struct fstrm_iothr *iothr = fstrm_iothr_init(opt, &writer);

	ck_assert_ptr_nonnull(iothr);
	ck_assert_ptr_null(writer); /* taken */
	return iothr;
}

/* Lengths differ, so that a frame's end is tried, too. */
static size_t
frame_bytes(uint32_t sequence)
{
	return sizeof(struct frame) - sequence % FILLING_BYTES;
}

static struct frame *
new_frame(uint32_t thread, uint32_t sequence)
{
	struct frame *frame = malloc(sizeof(*frame));

	ck_assert_ptr_nonnull(frame);
	frame->thread = thread;
	frame->sequence = sequence;
	memset(frame->filling, (int)sequence & 0xff, sizeof(frame->filling));
	return frame;
}

static void
count_and_free(void *data, void *count)
{
	free(data);
	atomic_fetch_add((atomic_uint *)count, 1);
}

/* Submits as fstrm's manual wants it: whoever is refused frees. */
static fstrm_res
submit(struct fstrm_iothr *iothr, struct fstrm_iothr_queue *queue,
       uint32_t thread, uint32_t sequence)
{
	struct frame *frame = new_frame(thread, sequence);
	fstrm_res result = fstrm_iothr_submit(iothr, queue, frame,
					      frame_bytes(sequence),
					      count_and_free, &frees);

	if (result != fstrm_res_success) {
		ck_assert_uint_eq(frame->sequence, sequence); /* still ours */
		free(frame);
	}
	return result;
}

/* Too many octets for a ck_assert() each. */
static bool
is_filled(const struct frame *frame, size_t bytes)
{
	for (size_t i = offsetof(struct frame, filling); i < bytes; i++)
		if (((const unsigned char *)frame)[i] !=
		    (frame->sequence & 0xff))
			return false;
	return true;
}

/* Reads the file to its end; the frames in it. */
static unsigned int
read_frames(void)
{
	struct fstrm_file_options *fopt = fstrm_file_options_init();
	uint32_t next[THREADS_MAX] = { 0 };
	unsigned int frames = 0;
	struct fstrm_reader *reader;
	const uint8_t *data;
	fstrm_res result;
	size_t bytes;

	fstrm_file_options_set_file_path(fopt, path);
	reader = fstrm_file_reader_init(fopt, NULL);
	ck_assert_ptr_nonnull(reader);
	while ((result = fstrm_reader_read(reader, &data, &bytes)) ==
	       fstrm_res_success) {
		struct frame frame = { 0 };

		ck_assert_uint_le(bytes, sizeof(frame));
		memcpy(&frame, data, bytes);
		ck_assert_uint_lt(frame.thread, THREADS_MAX);
		ck_assert_uint_eq(frame.sequence, next[frame.thread]);
		ck_assert_uint_eq(bytes, frame_bytes(frame.sequence));
		ck_assert(is_filled(&frame, bytes));
		next[frame.thread]++;
		frames++;
	}
	ck_assert_int_eq(result, fstrm_res_stop); /* not cut off */
	fstrm_reader_destroy(&reader);
	fstrm_file_options_destroy(&fopt);
	return frames;
}

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
			result = submit(worker->iothr, worker->queue,
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
	{ FSTRM_IOTHR_QUEUE_MODEL_SPSC, 1 },
	{ FSTRM_IOTHR_QUEUE_MODEL_SPSC, 4 },
	{ FSTRM_IOTHR_QUEUE_MODEL_SPSC, 16 },
	{ FSTRM_IOTHR_QUEUE_MODEL_MPSC, 1 },
	{ FSTRM_IOTHR_QUEUE_MODEL_MPSC, 4 },
	{ FSTRM_IOTHR_QUEUE_MODEL_MPSC, 16 },
};

/* A queue for each thread, or one for all. */
START_TEST(each_frame_arrives_once)
{
	bool own = crowds[_i].model == FSTRM_IOTHR_QUEUE_MODEL_SPSC;
	unsigned int threads = crowds[_i].threads;
	struct fstrm_iothr_options *opt = fstrm_iothr_options_init();
	struct worker workers[THREADS_MAX] = { 0 };
	struct fstrm_iothr_queue *shared = NULL;
	struct fstrm_iothr *iothr;

	ck_assert_int_eq(
		fstrm_iothr_options_set_queue_model(opt, crowds[_i].model),
		fstrm_res_success);
	if (own)
		fstrm_iothr_options_set_num_input_queues(opt, threads);
	iothr = start(opt, file_writer());
	fstrm_iothr_options_destroy(&opt);
	if (!own)
		shared = fstrm_iothr_get_input_queue(iothr);
	for (unsigned int i = 0; i < threads; i++) {
		workers[i].iothr = iothr;
		workers[i].thread = i;
		workers[i].queue =
			own ? fstrm_iothr_get_input_queue(iothr) : shared;
		ck_assert_ptr_nonnull(workers[i].queue);
		ck_assert_int_eq(pthread_create(&workers[i].id, NULL, work,
						&workers[i]), 0);
	}
	for (unsigned int i = 0; i < threads; i++) {
		pthread_join(workers[i].id, NULL);
		ck_assert(!workers[i].failed);
	}
	ck_assert_uint_eq(frees, threads * FRAMES_EACH);
	fstrm_iothr_destroy(&iothr);
	ck_assert_ptr_null(iothr);
	ck_assert_uint_eq(read_frames(), threads * FRAMES_EACH);
}
END_TEST

/* Nobody reads: the queue fills, and stays usable for the one who asks. */
START_TEST(a_full_queue_says_again)
{
	struct fstrm_iothr *iothr;
	struct fstrm_iothr_queue *queue;
	unsigned int taken = 0;

	iothr = start(NULL, unix_writer(path));
	queue = fstrm_iothr_get_input_queue(iothr);
	while (submit(iothr, queue, 0, taken) == fstrm_res_success)
		taken++;
	ck_assert_uint_gt(taken, FSTRM_IOTHR_INPUT_QUEUE_SIZE_DEFAULT);
	ck_assert_uint_eq(frees, taken);
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(submit(iothr, queue, 0, taken),
				 fstrm_res_again);
	ck_assert_uint_eq(frees, taken);
	fstrm_iothr_destroy(&iothr);
	ck_assert_uint_eq(frees, taken);
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
	iothr = start(opt, unix_writer(path));
	fstrm_iothr_options_destroy(&opt);
	for (uint32_t i = 0; i < FSTRM_IOTHR_INPUT_QUEUE_SIZE_MAX; i++)
		ck_assert_int_eq(submit(iothr, NULL, 0, i), fstrm_res_success);
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
	{ fstrm_iothr_options_set_buffer_hint, 1023, fstrm_res_failure },
	{ fstrm_iothr_options_set_buffer_hint, 1024, fstrm_res_success },
	{ fstrm_iothr_options_set_buffer_hint, 65536, fstrm_res_success },
	{ fstrm_iothr_options_set_buffer_hint, 65537, fstrm_res_failure },
	{ fstrm_iothr_options_set_flush_timeout, 0, fstrm_res_failure },
	{ fstrm_iothr_options_set_flush_timeout, 1, fstrm_res_success },
	{ fstrm_iothr_options_set_flush_timeout, 600, fstrm_res_success },
	{ fstrm_iothr_options_set_flush_timeout, 601, fstrm_res_failure },
	{ fstrm_iothr_options_set_input_queue_size, 0, fstrm_res_failure },
	{ fstrm_iothr_options_set_input_queue_size, 2, fstrm_res_success },
	{ fstrm_iothr_options_set_input_queue_size, 6, fstrm_res_success },
	{ fstrm_iothr_options_set_input_queue_size, 7, fstrm_res_failure },
	{ fstrm_iothr_options_set_input_queue_size, 1000, fstrm_res_success },
	{ fstrm_iothr_options_set_input_queue_size, 16384, fstrm_res_success },
	{ fstrm_iothr_options_set_input_queue_size, 16386, fstrm_res_failure },
	{ fstrm_iothr_options_set_num_input_queues, 0, fstrm_res_failure },
	{ fstrm_iothr_options_set_num_input_queues, 1, fstrm_res_success },
	{ fstrm_iothr_options_set_num_input_queues, 999, fstrm_res_success },
	{ fstrm_iothr_options_set_output_queue_size, 1, fstrm_res_failure },
	{ fstrm_iothr_options_set_output_queue_size, 2, fstrm_res_success },
	{ fstrm_iothr_options_set_output_queue_size, 1024, fstrm_res_success },
	{ fstrm_iothr_options_set_output_queue_size, 1025, fstrm_res_failure },
	{ fstrm_iothr_options_set_queue_notify_threshold, 0,
	  fstrm_res_failure },
	{ fstrm_iothr_options_set_queue_notify_threshold, 1,
	  fstrm_res_success },
	{ fstrm_iothr_options_set_queue_notify_threshold, 100000,
	  fstrm_res_success },
	{ fstrm_iothr_options_set_reopen_interval, 0, fstrm_res_failure },
	{ fstrm_iothr_options_set_reopen_interval, 1, fstrm_res_success },
	{ fstrm_iothr_options_set_reopen_interval, 600, fstrm_res_success },
	{ fstrm_iothr_options_set_reopen_interval, 601, fstrm_res_failure },
	{ set_queue_model, FSTRM_IOTHR_QUEUE_MODEL_SPSC, fstrm_res_success },
	{ set_queue_model, FSTRM_IOTHR_QUEUE_MODEL_MPSC, fstrm_res_success },
	{ set_queue_model, 2, fstrm_res_failure },
};

/* And whatever was set, or refused, frames come through. */
START_TEST(options_have_limits)
{
	struct fstrm_iothr_options *opt = fstrm_iothr_options_init();
	struct fstrm_iothr *iothr;

	ck_assert_int_eq(limits[_i].set(opt, limits[_i].value),
			 limits[_i].result);
	iothr = start(opt, file_writer());
	for (uint32_t i = 0; i < 20; i++)
		ck_assert_int_eq(
			submit(iothr, fstrm_iothr_get_input_queue_idx(iothr, 0),
			       0, i),
			fstrm_res_success);
	fstrm_iothr_destroy(&iothr);
	fstrm_iothr_options_destroy(&opt);
	ck_assert_uint_eq(read_frames(), 20);
}
END_TEST

START_TEST(queues_are_given_out_once)
{
	struct fstrm_iothr_options *opt = fstrm_iothr_options_init();
	struct fstrm_iothr_queue *queues[3];
	struct fstrm_iothr *iothr;

	fstrm_iothr_options_set_num_input_queues(opt, 3);
	iothr = start(opt, file_writer());
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
	ck_assert_uint_eq(read_frames(), 0);
}
END_TEST

/* The server starts and runs; nothing is written under a wrong name. */
START_TEST(other_content_is_refused)
{
	static const char *const types[] = { "text:log", NULL };
	struct fstrm_writer *writer = file_writer_of(path, types[_i]);
	struct fstrm_iothr *iothr;

	ck_assert_ptr_nonnull(writer);
	iothr = start(NULL, writer);
	ck_assert_ptr_nonnull(fstrm_iothr_get_input_queue(iothr));
	ck_assert_int_eq(submit(iothr, NULL, 0, 0), fstrm_res_failure);
	ck_assert_uint_eq(frees, 0);
	fstrm_iothr_destroy(&iothr);
	ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

/* One of several types is ours: a socket's reader would have the choice. */
START_TEST(dnstap_among_others_is_taken)
{
	struct fstrm_file_options *fopt = fstrm_file_options_init();
	struct fstrm_writer_options *wopt = content("text:log");
	struct fstrm_iothr *iothr;

	fstrm_file_options_set_file_path(fopt, path);
	fstrm_writer_options_add_content_type(wopt, CONTENT_TYPE,
					      strlen(CONTENT_TYPE));
	iothr = start(NULL, fstrm_file_writer_init(fopt, wopt));
	ck_assert_int_eq(submit(iothr, NULL, 0, 0), fstrm_res_success);
	fstrm_iothr_destroy(&iothr);
	fstrm_file_options_destroy(&fopt);
	fstrm_writer_options_destroy(&wopt);
	ck_assert_uint_eq(read_frames(), 1);
}
END_TEST

START_TEST(invalid_frames_stay_the_callers)
{
	struct fstrm_iothr *iothr = start(NULL, file_writer());
	size_t much = (size_t)1 << 20;
	char *data = calloc(1, much);

	ck_assert_int_eq(fstrm_iothr_submit(iothr, NULL, data, 0,
					    count_and_free, &frees),
			 fstrm_res_invalid);
	ck_assert_int_eq(fstrm_iothr_submit(iothr, NULL, data, much,
					    count_and_free, &frees),
			 fstrm_res_invalid);
	ck_assert_int_eq(fstrm_iothr_submit(iothr, NULL, NULL, 1,
					    count_and_free, &frees),
			 fstrm_res_invalid);
	ck_assert_uint_eq(frees, 0);
	free(data);
	fstrm_iothr_destroy(&iothr);
	ck_assert_uint_eq(read_frames(), 0);
}
END_TEST

/* fstrm_free_wrapper frees; with no function at all nothing is freed. */
START_TEST(who_frees)
{
	struct fstrm_iothr *iothr = start(NULL, file_writer());
	struct frame *second = new_frame(0, 1);

	ck_assert_int_eq(fstrm_iothr_submit(iothr, NULL, new_frame(0, 0),
					    frame_bytes(0), fstrm_free_wrapper,
					    NULL),
			 fstrm_res_success);
	ck_assert_int_eq(fstrm_iothr_submit(iothr, NULL, second,
					    frame_bytes(1), NULL, NULL),
			 fstrm_res_success);
	free(second);
	fstrm_iothr_destroy(&iothr);
	ck_assert_uint_eq(read_frames(), 2);
}
END_TEST

START_TEST(destinations_are_checked)
{
	static const char *const wrong[][2] = {
		{ "localhost", "6000" }, { "127.0.0.1", "0" },
		{ "127.0.0.1", "65536" }, { "127.0.0.1", "dns" },
		{ "1::2::3", "6000" },	 { "", "6000" },
		{ "127.0.0.1", "" },	 { NULL, "6000" },
		{ "127.0.0.1", NULL },
	};
	struct fstrm_writer *writer;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_ptr_null(tcp_writer(wrong[i][0], wrong[i][1]));
	ck_assert_ptr_null(unix_writer(""));
	ck_assert_ptr_null(unix_writer(NULL));
	ck_assert_ptr_null(file_writer_of("", CONTENT_TYPE));
	ck_assert_ptr_null(file_writer_of("-", CONTENT_TYPE));
	ck_assert_ptr_null(file_writer_of(NULL, CONTENT_TYPE));
	ck_assert_ptr_null(fstrm_unix_writer_init(NULL, NULL));
	ck_assert_ptr_null(fstrm_tcp_writer_init(NULL, NULL));
	ck_assert_ptr_null(fstrm_file_writer_init(NULL, NULL));
	writer = tcp_writer("::1", "6000");
	ck_assert_ptr_nonnull(writer);
	ck_assert_int_eq(fstrm_writer_destroy(&writer), fstrm_res_success);
	writer = tcp_writer("127.0.0.1", "6000");
	ck_assert_ptr_nonnull(writer);
	ck_assert_int_eq(fstrm_writer_destroy(&writer), fstrm_res_success);
}
END_TEST

static void
write_frame(struct fstrm_writer *writer, uint32_t sequence)
{
	struct frame *frame = new_frame(0, sequence);

	ck_assert_int_eq(fstrm_writer_write(writer, frame,
					    frame_bytes(sequence)),
			 fstrm_res_success);
	free(frame);
}

/* A program's way, without an iothr: waits rather than loses. */
START_TEST(a_writer_writes_by_itself)
{
	struct fstrm_writer *writer = file_writer();
	struct frame *frame = new_frame(0, 5000);
	struct iovec iov = { frame, frame_bytes(5000) };

	ck_assert_int_eq(fstrm_writer_open(writer), fstrm_res_success);
	for (uint32_t i = 0; i < 5000; i++)
		write_frame(writer, i);
	ck_assert_int_eq(fstrm_writer_writev(writer, &iov, 1),
			 fstrm_res_success);
	free(frame);
	ck_assert_int_eq(fstrm_writer_close(writer), fstrm_res_success);
	ck_assert_int_eq(fstrm_writer_destroy(&writer), fstrm_res_success);
	ck_assert_ptr_null(writer);
	ck_assert_uint_eq(read_frames(), 5001);
}
END_TEST

/* Unopened, it opens itself; not closed, its destruction closes. */
START_TEST(a_writer_opens_and_closes_itself)
{
	struct fstrm_writer *writer = file_writer();

	write_frame(writer, 0);
	ck_assert_int_eq(fstrm_writer_destroy(&writer), fstrm_res_success);
	ck_assert_uint_eq(read_frames(), 1);
}
END_TEST

START_TEST(a_writer_that_cannot_open_fails)
{
	struct fstrm_writer *writer = unix_writer(path);

	ck_assert_int_eq(fstrm_writer_open(writer), fstrm_res_failure);
	ck_assert_int_eq(fstrm_writer_write(writer, "x", 1),
			 fstrm_res_failure);
	fstrm_writer_destroy(&writer);
}
END_TEST

START_TEST(a_file_that_is_there_is_moved_aside)
{
	char aside[128];

	for (int run = 0; run < 2; run++) {
		struct fstrm_iothr *iothr = start(NULL, file_writer());

		for (uint32_t i = 0; i < 1 + (uint32_t)run; i++)
			submit(iothr, NULL, 0, i);
		fstrm_iothr_destroy(&iothr);
		ck_assert_uint_eq(read_frames(), 1 + (unsigned int)run);
	}
	snprintf(aside, sizeof(aside), "%s.1", path);
	ck_assert_int_eq(rename(aside, path), 0);
	ck_assert_uint_eq(read_frames(), 1);
}
END_TEST

/* In a child the parent's iothr is dead, and one of its own works. */
START_TEST(fork_is_survived)
{
	struct fstrm_iothr *iothr = start(NULL, file_writer());
	char parents[96];
	int status;
	pid_t child;

	ck_assert_int_eq(submit(iothr, NULL, 0, 0), fstrm_res_success);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		bool right = submit(iothr, NULL, 0, 1) == fstrm_res_failure;

		fstrm_iothr_destroy(&iothr);
		strcat(path, ".child");
		iothr = start(NULL, file_writer());
		right &= submit(iothr, NULL, 0, 0) == fstrm_res_success;
		fstrm_iothr_destroy(&iothr);
		_exit(right ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(submit(iothr, NULL, 0, 1), fstrm_res_success);
	fstrm_iothr_destroy(&iothr);
	ck_assert_uint_eq(read_frames(), 2);
	strcpy(parents, path);
	strcat(path, ".child");
	ck_assert_uint_eq(read_frames(), 1);
	unlink(path);
	strcpy(path, parents);
}
END_TEST

START_TEST(a_failed_init_leaves_the_writer)
{
	struct fstrm_writer *writer = file_writer();
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
	iothr = start(NULL, file_writer());
	submit(iothr, NULL, 0, 0);
	fstrm_iothr_destroy(&iothr);
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert_uint_eq(status.st_mode & 0777, 0604);
	ck_assert_uint_eq(read_frames(), 1);
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
	struct fstrm_writer_options *wopt = content(CONTENT_TYPE);
	struct fstrm_control *control = NULL;
	struct fstrm_writer *writer = file_writer();
	static char far_too_long[FSTRM_CONTROL_FIELD_CONTENT_TYPE_LENGTH_MAX +
				 1];

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
	Suite *suite = suite_create("fstrm_abi");
	TCase *tests = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, make_folder, remove_folder);
	tcase_add_loop_test(tests, each_frame_arrives_once, 0,
			    sizeof(crowds) / sizeof(crowds[0]));
	tcase_add_test(tests, a_full_queue_says_again);
	tcase_add_test(tests, input_queue_size_makes_room);
	tcase_add_loop_test(tests, options_have_limits, 0,
			    sizeof(limits) / sizeof(limits[0]));
	tcase_add_test(tests, queues_are_given_out_once);
	tcase_add_loop_test(tests, other_content_is_refused, 0, 2);
	tcase_add_test(tests, dnstap_among_others_is_taken);
	tcase_add_test(tests, invalid_frames_stay_the_callers);
	tcase_add_test(tests, who_frees);
	tcase_add_test(tests, destinations_are_checked);
	tcase_add_test(tests, a_writer_writes_by_itself);
	tcase_add_test(tests, a_writer_opens_and_closes_itself);
	tcase_add_test(tests, a_writer_that_cannot_open_fails);
	tcase_add_test(tests, a_file_that_is_there_is_moved_aside);
	tcase_add_test(tests, fork_is_survived);
	tcase_add_test(tests, a_failed_init_leaves_the_writer);
	tcase_add_test(tests, the_environment_sets_options);
	tcase_add_test(tests, nothing_is_destroyed_for_nothing);
	tcase_add_test(tests, what_is_not_provided_fails);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
