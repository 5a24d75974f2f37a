/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bind_fstrm.c: see bind_fstrm.h.
 *
 * Three of the seven statements have something to say here:
 *
 *   fstrm-set-flush-timeout     named allows 1 s and more, our writer waits
 *                               100 ms at most: whoever sets it gets those
 *   fstrm-set-input-queue-size  a number of messages; ring-bytes, at 512
 *                               octets each
 *   fstrm-set-reopen-interval   reconnect-max-ms
 *
 * The others tune a queue and a wake-up that do not exist here. named checks
 * the ranges before it calls. It always sets the number of queues and the
 * model itself, so only a second setting of the model is the operator's.
 */
#include "bind_fstrm.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include <dnstap/export.h>

#include "bind_host.h"

#define FSTRM_LATENCY_MS 100
#define FSTRM_MESSAGE_BYTES 512
#define FSTRM_RING_BYTES_MIN 65536

/* 0 where nothing was set. */
struct fstrm_iothr_options {
	unsigned int flush_timeout_s;
	unsigned int input_queue_size;
	unsigned int reopen_interval_s;
	unsigned int queue_model_calls;
	bool buffer_hint;
	bool output_queue_size;
	bool notify_threshold;
};

DTAP_API struct fstrm_iothr_options *
fstrm_iothr_options_init(void)
{
	return calloc(1, sizeof(struct fstrm_iothr_options));
}

DTAP_API void
fstrm_iothr_options_destroy(struct fstrm_iothr_options **options)
{
	free(*options);
	*options = NULL;
}

DTAP_API fstrm_res
fstrm_iothr_options_set_buffer_hint(struct fstrm_iothr_options *options,
				    unsigned int octets)
{
	(void)octets;
	options->buffer_hint = true;
	return fstrm_res_success;
}

DTAP_API fstrm_res
fstrm_iothr_options_set_flush_timeout(struct fstrm_iothr_options *options,
				      unsigned int seconds)
{
	options->flush_timeout_s = seconds;
	return fstrm_res_success;
}

DTAP_API fstrm_res
fstrm_iothr_options_set_input_queue_size(struct fstrm_iothr_options *options,
					 unsigned int messages)
{
	options->input_queue_size = messages;
	return fstrm_res_success;
}

DTAP_API fstrm_res
fstrm_iothr_options_set_num_input_queues(struct fstrm_iothr_options *options,
					 unsigned int queues)
{
	(void)options;
	(void)queues;
	return fstrm_res_success;
}

DTAP_API fstrm_res
fstrm_iothr_options_set_output_queue_size(struct fstrm_iothr_options *options,
					  unsigned int messages)
{
	(void)messages;
	options->output_queue_size = true;
	return fstrm_res_success;
}

DTAP_API fstrm_res
fstrm_iothr_options_set_queue_model(struct fstrm_iothr_options *options,
				    fstrm_iothr_queue_model model)
{
	(void)model;
	options->queue_model_calls++;
	return fstrm_res_success;
}

DTAP_API fstrm_res
fstrm_iothr_options_set_queue_notify_threshold(
	struct fstrm_iothr_options *options, unsigned int messages)
{
	(void)messages;
	options->notify_threshold = true;
	return fstrm_res_success;
}

DTAP_API fstrm_res
fstrm_iothr_options_set_reopen_interval(struct fstrm_iothr_options *options,
					unsigned int seconds)
{
	options->reopen_interval_s = seconds;
	return fstrm_res_success;
}

static void
fstrm_say_ignored(const char *statement, bool was_set)
{
	if (was_set)
		bind_host_log(ISC_LOG_NOTICE,
			      "libdtap-bind: %s has no effect", statement);
}

/* Within the limits of the option: named.conf allows no more than those. */
static void
fstrm_set(dtap_options *to, const char *statement, const char *option,
	  uint64_t value)
{
	if (dtap_options_set_number(to, option, value) != DTAP_OK)
		bind_host_log(ISC_LOG_WARNING, "libdtap-bind: %s: %s",
			      statement, dtap_options_error(to));
	else
		bind_host_log(ISC_LOG_INFO,
			      "libdtap-bind: %s is taken as %s %llu",
			      statement, option, (unsigned long long)value);
}

static uint64_t
fstrm_ring_bytes(unsigned int messages)
{
	uint64_t bytes = FSTRM_RING_BYTES_MIN;

	while (bytes < (uint64_t)messages * FSTRM_MESSAGE_BYTES)
		bytes *= 2;
	return bytes;
}

void
bind_fstrm_apply(const struct fstrm_iothr_options *from, dtap_options *to)
{
	if (from->flush_timeout_s > 0)
		fstrm_set(to, "fstrm-set-flush-timeout", "latency-ms",
			  FSTRM_LATENCY_MS);
	if (from->input_queue_size > 0)
		fstrm_set(to, "fstrm-set-input-queue-size", "ring-bytes",
			  fstrm_ring_bytes(from->input_queue_size));
	if (from->reopen_interval_s > 0)
		fstrm_set(to, "fstrm-set-reopen-interval", "reconnect-max-ms",
			  (uint64_t)from->reopen_interval_s * 1000);
	fstrm_say_ignored("fstrm-set-buffer-hint", from->buffer_hint);
	fstrm_say_ignored("fstrm-set-output-notify-threshold",
			  from->notify_threshold);
	fstrm_say_ignored("fstrm-set-output-queue-size",
			  from->output_queue_size);
	fstrm_say_ignored("fstrm-set-output-queue-model",
			  from->queue_model_calls > 1);
}
