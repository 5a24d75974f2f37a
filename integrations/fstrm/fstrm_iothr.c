/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fstrm_iothr.c: fstrm_iothr, which is a running tap.
 *
 * fstrm queues a pointer and frees it later, in its own thread. We copy the
 * frame into a ring of the calling thread and free it at once, in the thread
 * that allocated it. So the queue that the caller names does not matter: one
 * queue for all threads, which costs a mutex in fstrm, and one for each are
 * the same here, and a thread may use any of them, whatever the queue model.
 *
 * Options. Each is checked as fstrm checks it, so that a server's own limits
 * and messages stay. Then
 *
 *   input_queue_size        ring-bytes, 512 octets for an entry, never less
 *                           than the library's default
 *   reopen_interval         reconnect-max-ms
 *   num_input_queues        that many handles are given out
 *   queue_model             both: any thread, no lock
 *   flush_timeout           kept anyhow: nothing waits longer than latency-ms
 *   buffer_hint, output_queue_size, queue_notify_threshold
 *                           nothing here that they could turn; the log says
 *                           so, once, when a server sets them
 */
#include "fstrm_shim.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

/* What an entry of a queue comes to in a ring, and the library's default. */
#define IOTHR_ENTRY_BYTES 512
#define IOTHR_RING_BYTES_MIN (1024 * 1024)
#define IOTHR_IDLE_OPTIONS_BYTES 80

struct fstrm_iothr_options {
	unsigned int input_queue_size;
	unsigned int num_input_queues;
	unsigned int reopen_interval_s;
	bool buffer_hint_set;
	bool output_queue_size_set;
	bool queue_notify_threshold_set;
};

/* A handle that callers hold; nothing is in it. */
struct fstrm_iothr_queue {
	char unused;
};

struct fstrm_iothr {
	dtap *tap; /* NULL when the content type is not ours */
	struct fstrm_writer *writer;
	struct fstrm_iothr_queue *queues;
	size_t queue_count;
	atomic_size_t queues_given;
};

static const struct fstrm_iothr_options iothr_defaults = {
	.input_queue_size = FSTRM_IOTHR_INPUT_QUEUE_SIZE_DEFAULT,
	.num_input_queues = FSTRM_IOTHR_NUM_INPUT_QUEUES_DEFAULT,
	.reopen_interval_s = FSTRM_IOTHR_REOPEN_INTERVAL_DEFAULT,
};

struct fstrm_iothr_options *
fstrm_iothr_options_init(void)
{
	struct fstrm_iothr_options *opt = malloc(sizeof(*opt));

	if (opt != NULL)
		*opt = iothr_defaults;
	return opt;
}

void
fstrm_iothr_options_destroy(struct fstrm_iothr_options **opt)
{
	if (opt == NULL || *opt == NULL)
		return;
	free(*opt);
	*opt = NULL;
}

static bool
iothr_is_within(unsigned int value, unsigned int min, unsigned int max)
{
	return value >= min && value <= max;
}

fstrm_res
fstrm_iothr_options_set_buffer_hint(struct fstrm_iothr_options *opt,
				    unsigned int buffer_hint)
{
	if (!iothr_is_within(buffer_hint, FSTRM_IOTHR_BUFFER_HINT_MIN,
			     FSTRM_IOTHR_BUFFER_HINT_MAX))
		return fstrm_res_failure;
	opt->buffer_hint_set = buffer_hint != FSTRM_IOTHR_BUFFER_HINT_DEFAULT;
	return fstrm_res_success;
}

fstrm_res
fstrm_iothr_options_set_flush_timeout(struct fstrm_iothr_options *opt,
				      unsigned int flush_timeout)
{
	(void)opt;
	if (!iothr_is_within(flush_timeout, FSTRM_IOTHR_FLUSH_TIMEOUT_MIN,
			     FSTRM_IOTHR_FLUSH_TIMEOUT_MAX))
		return fstrm_res_failure;
	return fstrm_res_success;
}

/* As fstrm: any even number, though it documents powers of two. */
fstrm_res
fstrm_iothr_options_set_input_queue_size(struct fstrm_iothr_options *opt,
					 unsigned int input_queue_size)
{
	if (!iothr_is_within(input_queue_size,
			     FSTRM_IOTHR_INPUT_QUEUE_SIZE_MIN,
			     FSTRM_IOTHR_INPUT_QUEUE_SIZE_MAX) ||
	    input_queue_size % 2 != 0)
		return fstrm_res_failure;
	opt->input_queue_size = input_queue_size;
	return fstrm_res_success;
}

fstrm_res
fstrm_iothr_options_set_num_input_queues(struct fstrm_iothr_options *opt,
					 unsigned int num_input_queues)
{
	if (num_input_queues < FSTRM_IOTHR_NUM_INPUT_QUEUES_MIN)
		return fstrm_res_failure;
	opt->num_input_queues = num_input_queues;
	return fstrm_res_success;
}

fstrm_res
fstrm_iothr_options_set_output_queue_size(struct fstrm_iothr_options *opt,
					  unsigned int output_queue_size)
{
	if (!iothr_is_within(output_queue_size,
			     FSTRM_IOTHR_OUTPUT_QUEUE_SIZE_MIN,
			     FSTRM_IOTHR_OUTPUT_QUEUE_SIZE_MAX))
		return fstrm_res_failure;
	opt->output_queue_size_set =
		output_queue_size != FSTRM_IOTHR_OUTPUT_QUEUE_SIZE_DEFAULT;
	return fstrm_res_success;
}

fstrm_res
fstrm_iothr_options_set_queue_model(struct fstrm_iothr_options *opt,
				    fstrm_iothr_queue_model queue_model)
{
	(void)opt;
	if (queue_model != FSTRM_IOTHR_QUEUE_MODEL_SPSC &&
	    queue_model != FSTRM_IOTHR_QUEUE_MODEL_MPSC)
		return fstrm_res_failure;
	return fstrm_res_success;
}

fstrm_res
fstrm_iothr_options_set_queue_notify_threshold(struct fstrm_iothr_options *opt,
					       unsigned int threshold)
{
	if (threshold < FSTRM_IOTHR_QUEUE_NOTIFY_THRESHOLD_MIN)
		return fstrm_res_failure;
	opt->queue_notify_threshold_set =
		threshold != FSTRM_IOTHR_QUEUE_NOTIFY_THRESHOLD_DEFAULT;
	return fstrm_res_success;
}

fstrm_res
fstrm_iothr_options_set_reopen_interval(struct fstrm_iothr_options *opt,
					unsigned int reopen_interval)
{
	if (!iothr_is_within(reopen_interval, FSTRM_IOTHR_REOPEN_INTERVAL_MIN,
			     FSTRM_IOTHR_REOPEN_INTERVAL_MAX))
		return fstrm_res_failure;
	opt->reopen_interval_s = reopen_interval;
	return fstrm_res_success;
}

static void
iothr_tell_idle_options(const struct fstrm_iothr_options *opt)
{
	char names[IOTHR_IDLE_OPTIONS_BYTES] = "";

	if (opt->buffer_hint_set)
		strcat(names, " buffer_hint");
	if (opt->output_queue_size_set)
		strcat(names, " output_queue_size");
	if (opt->queue_notify_threshold_set)
		strcat(names, " queue_notify_threshold");
	if (names[0] != '\0' && shim_is_first(SHIM_OPTIONS))
		shim_log(LOG_NOTICE, "these options have no effect:%s", names);
}

static uint64_t
iothr_ring_bytes(unsigned int entries)
{
	uint64_t bytes = IOTHR_RING_BYTES_MIN;

	while (bytes < (uint64_t)entries * IOTHR_ENTRY_BYTES)
		bytes *= 2;
	return bytes;
}

/* All of these lie within the library's limits. */
static enum dtap_result
iothr_apply(const struct fstrm_iothr_options *opt, dtap_options *options)
{
	enum dtap_result result;

	result = dtap_options_set_number(
		options, "ring-bytes",
		iothr_ring_bytes(opt->input_queue_size));
	if (result == DTAP_OK)
		result = dtap_options_set_number(
			options, "reconnect-max-ms",
			(uint64_t)opt->reopen_interval_s * 1000);
	return result;
}

static enum dtap_result
iothr_start(struct fstrm_iothr *iothr, const struct fstrm_iothr_options *opt,
	    struct fstrm_writer *writer)
{
	enum dtap_result result = DTAP_OK;

	iothr_tell_idle_options(opt);
	iothr->queue_count = opt->num_input_queues;
	iothr->queues = calloc(iothr->queue_count, sizeof(*iothr->queues));
	if (iothr->queues == NULL)
		return DTAP_E_NOMEM;
	if (!writer->dnstap)
		return DTAP_OK;
	if (writer->tap == NULL)
		result = iothr_apply(opt, writer->options);
	if (result == DTAP_OK)
		result = shim_writer_start(writer);
	iothr->tap = writer->tap;
	return result;
}

/* On failure the writer stays the caller's. */
struct fstrm_iothr *
fstrm_iothr_init(const struct fstrm_iothr_options *opt,
		 struct fstrm_writer **writer)
{
	struct fstrm_iothr *iothr;

	if (writer == NULL || *writer == NULL)
		return NULL;
	iothr = calloc(1, sizeof(*iothr));
	if (iothr == NULL)
		return NULL;
	if (opt == NULL)
		opt = &iothr_defaults;
	if (iothr_start(iothr, opt, *writer) != DTAP_OK) {
		free(iothr->queues);
		free(iothr);
		return NULL;
	}
	iothr->writer = *writer;
	*writer = NULL;
	return iothr;
}

void
fstrm_iothr_destroy(struct fstrm_iothr **iothr)
{
	struct fstrm_iothr *gone;

	if (iothr == NULL || *iothr == NULL)
		return;
	gone = *iothr;
	*iothr = NULL;
	if (gone->tap != NULL &&
	    dtap_stop(gone->tap, SHIM_STOP_TIMEOUT_MS) != DTAP_E_FORK)
		shim_log_ledger(gone->writer);
	(void)fstrm_writer_destroy(&gone->writer);
	free(gone->queues);
	free(gone);
}

struct fstrm_iothr_queue *
fstrm_iothr_get_input_queue(struct fstrm_iothr *iothr)
{
	size_t given = atomic_load(&iothr->queues_given);

	while (given < iothr->queue_count)
		if (atomic_compare_exchange_weak(&iothr->queues_given, &given,
						 given + 1))
			return &iothr->queues[given];
	return NULL;
}

struct fstrm_iothr_queue *
fstrm_iothr_get_input_queue_idx(struct fstrm_iothr *iothr, size_t idx)
{
	return idx < iothr->queue_count ? &iothr->queues[idx] : NULL;
}

/* When it does not succeed, the data stay the caller's. */
fstrm_res
fstrm_iothr_submit(struct fstrm_iothr *iothr, struct fstrm_iothr_queue *ioq,
		   void *data, size_t len,
		   void (*free_func)(void *buf, void *free_data),
		   void *free_data)
{
	dtap_producer *producer = dtap_thread_producer(iothr->tap);
	enum dtap_result result;

	(void)ioq;
	if (producer == NULL)
		return fstrm_res_failure;
	result = dtap_submit_frame(producer, data, len);
	if (result == DTAP_OK && free_func != NULL)
		free_func(data, free_data);
	return shim_result(result);
}

void
fstrm_free_wrapper(void *data, void *free_data)
{
	(void)free_data;
	free(data);
}
