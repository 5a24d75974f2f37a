/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fstrm_writer.c: fstrm_writer, which is a tap that may not be open yet.
 *
 * Servers make a writer to give it to fstrm_iothr_init() and nothing else.
 * Programs such as kdig write through it themselves, one frame after another;
 * they may wait, so fstrm_writer_write() waits for room, which the server's
 * way never does.
 *
 * Content type. Our stream announces dnstap, so only what was meant to be
 * dnstap may go into it. A writer that was told of other types alone, or of
 * none, can be made and given to an iothr, so that the server starts; but it
 * carries nothing: each submit fails, and the log says why, once.
 */
#include "fstrm_shim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#define WRITER_CONTENT_TYPE "protobuf:dnstap.Dnstap"
#define WRITER_STEP_NS 1000000
/* Steps in which a file or connection comes about, or a ring gets room. */
#define WRITER_STEPS_MAX 5000

struct fstrm_writer_options *
fstrm_writer_options_init(void)
{
	return calloc(1, sizeof(struct fstrm_writer_options));
}

void
fstrm_writer_options_destroy(struct fstrm_writer_options **wopt)
{
	if (wopt == NULL || *wopt == NULL)
		return;
	free(*wopt);
	*wopt = NULL;
}

fstrm_res
fstrm_writer_options_add_content_type(struct fstrm_writer_options *wopt,
				      const void *content_type,
				      size_t len_content_type)
{
	if (len_content_type > FSTRM_CONTROL_FIELD_CONTENT_TYPE_LENGTH_MAX)
		return fstrm_res_failure;
	if (len_content_type == sizeof(WRITER_CONTENT_TYPE) - 1 &&
	    memcmp(content_type, WRITER_CONTENT_TYPE, len_content_type) == 0)
		wopt->dnstap = true;
	return fstrm_res_success;
}

/* The output in the library's words; false when it is not a valid one. */
static bool
writer_set_output(struct fstrm_writer *writer, const char *scheme,
		  const char *where)
{
	size_t bytes = strlen(scheme) + strlen(where) + 1;

	writer->output = malloc(bytes);
	writer->options = dtap_options_new();
	if (writer->output == NULL || writer->options == NULL)
		return false;
	snprintf(writer->output, bytes, "%s%s", scheme, where);
	(void)dtap_options_set_log(writer->options, shim_log_line, NULL);
	if (dtap_options_set(writer->options, "output", writer->output) ==
	    DTAP_OK)
		return true;
	shim_log(LOG_ERR, "%s", dtap_options_error(writer->options));
	return false;
}

/* Accepts a half-made one; its tap is closed. */
static void
writer_free(struct fstrm_writer *writer)
{
	dtap_options_free(&writer->options);
	free(writer->output);
	free(writer);
}

struct fstrm_writer *
shim_writer_new(const char *scheme, const char *where,
		const struct fstrm_writer_options *options)
{
	struct fstrm_writer *writer = calloc(1, sizeof(*writer));

	if (writer == NULL)
		return NULL;
	if (!writer_set_output(writer, scheme, where)) {
		writer_free(writer);
		return NULL;
	}
	writer->dnstap = options != NULL && options->dnstap;
	if (!writer->dnstap && shim_is_first(SHIM_CONTENT_TYPE))
		shim_log(LOG_ERR,
			 "%s: nothing will be written, for the server did not "
			 "ask for the content type " WRITER_CONTENT_TYPE,
			 writer->output);
	return writer;
}

/* One "name=value"; a wrong one is told and left out. */
static void
writer_set_pair(dtap_options *options, char *pair)
{
	char *value = strchr(pair, '=');
	const char *why = "NAME=VALUE is wanted";

	if (value != NULL) {
		*value++ = '\0';
		if (dtap_options_set(options, pair, value) == DTAP_OK)
			return;
		why = dtap_options_error(options);
	}
	if (shim_is_first(SHIM_ENVIRONMENT))
		shim_log(LOG_ERR, "DTAP_FSTRM_OPTIONS: %s: %s", pair, why);
}

/* DTAP_FSTRM_OPTIONS: pairs with blanks between them. */
static void
writer_apply_environment(dtap_options *options)
{
	const char *environment = secure_getenv("DTAP_FSTRM_OPTIONS");
	char *copy = NULL;
	char *rest = NULL;

	if (environment != NULL)
		copy = strdup(environment);
	if (copy == NULL)
		return;
	for (char *pair = strtok_r(copy, " ", &rest); pair != NULL;
	     pair = strtok_r(NULL, " ", &rest))
		writer_set_pair(options, pair);
	free(copy);
}

enum dtap_result
shim_writer_start(struct fstrm_writer *writer)
{
	enum dtap_result result;

	if (writer->tap != NULL)
		return DTAP_OK;
	writer_apply_environment(writer->options);
	result = dtap_open(writer->options, &writer->tap);
	if (result == DTAP_OK)
		result = dtap_start(writer->tap);
	if (result != DTAP_OK) {
		shim_log(LOG_ERR, "%s: %s: %s", writer->output,
			 dtap_result_text(result),
			 dtap_options_error(writer->options));
		dtap_close(&writer->tap);
	}
	return result;
}

static void
writer_pause(void)
{
	const struct timespec step = { .tv_nsec = WRITER_STEP_NS };

	nanosleep(&step, NULL);
}

/* True once frames can flow; false when the first attempt has failed. */
static bool
writer_wait_open(const dtap *tap)
{
	struct dtap_stats stats = DTAP_STATS_INIT;

	for (int step = 0; step < WRITER_STEPS_MAX; step++) {
		(void)dtap_stats_get(tap, &stats);
		if (stats.sessions > 0 || stats.open_failures > 0)
			break;
		writer_pause();
	}
	return stats.sessions > 0;
}

fstrm_res
fstrm_writer_open(struct fstrm_writer *w)
{
	if (w == NULL || !w->dnstap)
		return fstrm_res_failure;
	if (w->tap != NULL)
		return fstrm_res_success;
	if (shim_writer_start(w) != DTAP_OK)
		return fstrm_res_failure;
	if (writer_wait_open(w->tap))
		return fstrm_res_success;
	dtap_stop(w->tap, 0);
	dtap_close(&w->tap);
	return fstrm_res_failure;
}

fstrm_res
fstrm_writer_close(struct fstrm_writer *w)
{
	enum dtap_result result;

	if (w == NULL || w->tap == NULL)
		return fstrm_res_failure;
	result = dtap_stop(w->tap, SHIM_STOP_TIMEOUT_MS);
	dtap_close(&w->tap);
	return result == DTAP_OK ? fstrm_res_success : fstrm_res_failure;
}

fstrm_res
fstrm_writer_destroy(struct fstrm_writer **w)
{
	fstrm_res result = fstrm_res_success;

	if (w == NULL || *w == NULL)
		return fstrm_res_failure;
	if ((*w)->tap != NULL)
		result = fstrm_writer_close(*w);
	writer_free(*w);
	*w = NULL;
	return result;
}

fstrm_res
fstrm_writer_write(struct fstrm_writer *w, const void *data, size_t len_data)
{
	enum dtap_result result = DTAP_E_FULL;

	if (fstrm_writer_open(w) != fstrm_res_success)
		return fstrm_res_failure;
	for (int step = 0; step < WRITER_STEPS_MAX; step++) {
		result = dtap_submit_frame(dtap_thread_producer(w->tap), data,
					   len_data);
		if (result != DTAP_E_FULL)
			break;
		writer_pause();
	}
	return result == DTAP_OK ? fstrm_res_success : fstrm_res_failure;
}

fstrm_res
fstrm_writer_writev(struct fstrm_writer *w, const struct iovec *iov,
		    int iovcnt)
{
	fstrm_res result = fstrm_res_success;

	for (int i = 0; i < iovcnt && result == fstrm_res_success; i++)
		result = fstrm_writer_write(w, iov[i].iov_base,
					    iov[i].iov_len);
	return result;
}

/*
 * No server calls these two. They are here so that none of our objects can
 * reach the real library's functions of the same names.
 */
struct fstrm_writer *
fstrm_writer_init(const struct fstrm_writer_options *wopt,
		  struct fstrm_rdwr **rdwr)
{
	(void)wopt;
	(void)rdwr;
	if (shim_is_first(SHIM_RDWR))
		shim_log(LOG_ERR, "fstrm_writer_init() is not provided");
	return NULL;
}

fstrm_res
fstrm_writer_get_control(struct fstrm_writer *w, fstrm_control_type type,
			 struct fstrm_control **control)
{
	(void)w;
	(void)type;
	(void)control;
	if (shim_is_first(SHIM_CONTROL))
		shim_log(LOG_ERR, "fstrm_writer_get_control() is not provided");
	return fstrm_res_failure;
}
