/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tap.c: the life of a tap: open, start, reconfigure, stop, close.
 *
 * Stop is a matter of three parties. Producers learn from the generation
 * that the tap takes no more. The writer drains, ends the stream and exits
 * by its own deadline. The caller waits a little longer than that; if the
 * writer is held by a file system that does not answer, the thread is left
 * behind with its reference to the tap, so that nothing it still touches is
 * freed under it, and with no log, for that is the host's.
 *
 * An event that a producer was in the middle of publishing when the writer
 * took its last look stays in its ring. It is found there when the ledger is
 * read: lost_shutdown is the number of frames that are in rings after the
 * writer's end, counted, not inferred.
 */
#include "tap.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <urcu-bp.h>

#include "base/clock.h"

/* How much longer than the writer dtap_stop() waits: latency-ms, and more. */
#define TAP_STOP_GRACE_MS 200
/* The timeout of the stop that dtap_close() may have to do. */
#define TAP_CLOSE_TIMEOUT_MS 2000
#define TAP_STACK_BYTES ((size_t)256 * 1024)

struct dtap__snapshot *
dtap__tap_snapshot_new(const struct dtap__config *config)
{
	struct dtap__snapshot *snapshot = calloc(1, sizeof(*snapshot));

	if (snapshot == NULL)
		return NULL;
	snapshot->types = config->types;
	snapshot->loss_report = config->loss_report;
	snapshot->sample_one_in = config->sample_one_in;
	dtap__prefix_init(&snapshot->prefix, config->identity.octets,
			  config->identity.bytes, config->version.octets,
			  config->version.bytes, config->extra.octets,
			  config->extra.bytes);
	return snapshot;
}

static struct dtap__output *
tap_output_new(const struct dtap__config *config)
{
	switch (config->output.scheme) {
	case DTAP__SCHEME_FILE:
		return dtap__output_file_new(config->output.path,
					     (unsigned int)config->file_mode,
					     config->rotate_bytes,
					     config->rotate_seconds);
	case DTAP__SCHEME_UNIX:
		return dtap__output_unix_new(config->output.path);
	case DTAP__SCHEME_TCP:
		return dtap__output_tcp_new(
			(const struct sockaddr *)&config->output.address,
			config->output.address_bytes,
			(uint32_t)config->tcp_user_timeout_ms);
	default:
		return NULL;
	}
}

static void
tap_init_locks(dtap *tap)
{
	pthread_condattr_t monotonic;

	pthread_mutex_init(&tap->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&tap->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

static void
tap_log_sink(void *user, int level, const char *text)
{
	dtap *tap = user;

	tap->config.log(tap->config.log_user, (enum dtap_log_level)level,
			text);
}

/* Everything that cannot fail. */
static void
tap_init(dtap *tap, const struct dtap__config *config)
{
	memset(tap, 0, sizeof(*tap));
	tap->config = *config;
	tap->references = 1;
	tap_init_locks(tap);
	dtap__log_init(&tap->log, config->log != NULL ? tap_log_sink : NULL,
		       tap);
	dtap__ring_set_init(&tap->rings, config->ring_memory_bytes);
	dtap__store_relaxed(&tap->generation, 1);
	dtap__store_relaxed(&tap->types, config->types);
}

/* Frees a tap that nobody refers to; half-built ones, too. */
static void
tap_free(dtap *tap)
{
	dtap__fork_unwatch(tap);
	if (tap->output != NULL)
		tap->output->ops->free(tap->output);
	dtap__ring_set_fini(&tap->rings);
	free(dtap__load_relaxed(&tap->snapshot));
	dtap__log_fini(&tap->log);
	pthread_cond_destroy(&tap->changed);
	pthread_mutex_destroy(&tap->lock);
	free(tap);
}

void
dtap__tap_release(dtap *tap)
{
	bool last;

	pthread_mutex_lock(&tap->lock);
	last = --tap->references == 0;
	pthread_mutex_unlock(&tap->lock);
	if (last)
		tap_free(tap);
}

enum dtap_result
dtap__tap_open_output(dtap_options *options, struct dtap__output *output,
		      dtap **tap)
{
	struct dtap__snapshot *snapshot = NULL;
	dtap *made = NULL;

	*tap = NULL;
	snapshot = dtap__tap_snapshot_new(dtap__options_get(options));
	if (snapshot == NULL ||
	    posix_memalign((void **)&made, DTAP__LINE, sizeof(*made)) != 0) {
		free(snapshot);
		dtap__options_fail(options, "out of memory");
		return DTAP_E_NOMEM;
	}
	tap_init(made, dtap__options_get(options));
	dtap__store_relaxed(&made->snapshot, snapshot);
	if (dtap__fork_watch(made) != DTAP_OK) {
		tap_free(made);
		dtap__options_fail(options, "out of memory");
		return DTAP_E_NOMEM;
	}
	made->output = output;
	*tap = made;
	return DTAP_OK;
}

enum dtap_result
dtap_open(dtap_options *options, dtap **tap)
{
	struct dtap__output *output;
	enum dtap_result result;

	if (tap != NULL)
		*tap = NULL;
	if (options == NULL || tap == NULL)
		return DTAP_E_INVALID;
	result = dtap__options_check(options);
	if (result != DTAP_OK)
		return result;
	output = tap_output_new(dtap__options_get(options));
	if (output == NULL) {
		dtap__options_fail(options, "out of memory");
		return DTAP_E_NOMEM;
	}
	result = dtap__tap_open_output(options, output, tap);
	if (result != DTAP_OK)
		output->ops->free(output);
	return result;
}

static void *
tap_thread(void *argument)
{
	dtap *tap = argument;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	dtap__writer_run(&tap->writer);
	pthread_mutex_lock(&tap->lock);
	tap->exited = true;
	pthread_cond_broadcast(&tap->changed);
	pthread_mutex_unlock(&tap->lock);
	dtap__tap_release(tap);
	return NULL;
}

/*
 * The writer is an ordinary thread whatever the caller is: normal scheduling,
 * and the processors of the process, not those its creator is pinned to.
 */
static void
tap_init_attributes(pthread_attr_t *attributes)
{
	struct sched_param normal = { 0 };
	cpu_set_t processors;

	pthread_attr_setstacksize(attributes, TAP_STACK_BYTES);
	pthread_attr_setinheritsched(attributes, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(attributes, SCHED_OTHER);
	pthread_attr_setschedparam(attributes, &normal);
	if (sched_getaffinity(getpid(), sizeof(processors), &processors) == 0)
		pthread_attr_setaffinity_np(attributes, sizeof(processors),
					    &processors);
}

/* Starts the thread with all signals blocked; the mask is inherited. */
static int
tap_create_thread(dtap *tap)
{
	pthread_attr_t attributes;
	sigset_t all;
	sigset_t before;
	int failed;

	failed = pthread_attr_init(&attributes);
	if (failed != 0)
		return failed;
	tap_init_attributes(&attributes);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&tap->thread, &attributes, tap_thread, tap);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	if (failed == 0)
		pthread_setname_np(tap->thread, "dtap-writer");
	return failed;
}

static void
tap_init_writer(dtap *tap)
{
	const struct dtap__config *config = &tap->config;
	struct dtap__writer_config writer = {
		.where = config->output.text,
		.tick = dtap__stats_watch_loss,
		.context = tap,
		.bidirectional = config->bidirectional,
		.latency_ms = config->latency_ms,
		.connect_timeout_ms = config->connect_timeout_ms,
		.handshake_timeout_ms = config->handshake_timeout_ms,
		.write_timeout_ms = config->write_timeout_ms,
		.reconnect_min_ms = config->reconnect_min_ms,
		.reconnect_max_ms = config->reconnect_max_ms,
	};

	dtap__writer_init(&tap->writer, &writer, &tap->rings, tap->output,
			  &tap->log);
}

/* Under the lock. */
static enum dtap_result
tap_start_locked(dtap *tap)
{
	switch (dtap__load_relaxed(&tap->status)) {
	case DTAP__STATUS_OPEN:
		break;
	case DTAP__STATUS_FORKED:
		return DTAP_E_FORK;
	default:
		return DTAP_E_STATE;
	}
	tap_init_writer(tap);
	tap->references++; /* the thread's */
	if (tap_create_thread(tap) != 0) {
		tap->references--;
		return DTAP_E_SYSTEM;
	}
	tap->started = true;
	dtap__store_release(&tap->status, DTAP__STATUS_RUNNING);
	return DTAP_OK;
}

enum dtap_result
dtap_start(dtap *tap)
{
	enum dtap_result result;

	if (tap == NULL)
		return DTAP_E_INVALID;
	pthread_mutex_lock(&tap->lock);
	result = tap_start_locked(tap);
	pthread_mutex_unlock(&tap->lock);
	if (result == DTAP_OK && geteuid() == 0)
		dtap__log(&tap->log, DTAP__LOG_STATE, DTAP_LOG_INFO,
			  "dnstap: started as root; the writer thread keeps "
			  "the privileges that it was started with");
	return result;
}

enum dtap_result
dtap_reopen(dtap *tap)
{
	int status;

	if (tap == NULL)
		return DTAP_E_INVALID;
	status = dtap__load_acquire(&tap->status);
	if (status == DTAP__STATUS_FORKED)
		return DTAP_E_FORK;
	if (status != DTAP__STATUS_RUNNING)
		return DTAP_E_STATE;
	dtap__writer_request_reopen(&tap->writer);
	return DTAP_OK;
}

/* Publishes a snapshot and takes the one before it. Under the lock. */
static enum dtap_result
tap_swap_locked(dtap *tap, dtap_options *options,
		struct dtap__snapshot **snapshot)
{
	struct dtap__snapshot *before;
	enum dtap_result result;

	switch (dtap__load_relaxed(&tap->status)) {
	case DTAP__STATUS_FORKED:
		return DTAP_E_FORK;
	case DTAP__STATUS_STOPPED:
		return DTAP_E_STATE;
	default:
		break;
	}
	result = dtap__options_check_live(options, &tap->config);
	if (result != DTAP_OK)
		return result;
	before = dtap__load_relaxed(&tap->snapshot);
	dtap__store_relaxed(&tap->types, (*snapshot)->types);
	/* Both pair with the acquires in tap_producer.c. */
	dtap__store_release(&tap->snapshot, *snapshot);
	dtap__store_release(&tap->generation,
			    dtap__load_relaxed(&tap->generation) + 1);
	*snapshot = before;
	return DTAP_OK;
}

enum dtap_result
dtap_reconfigure(dtap *tap, dtap_options *options)
{
	struct dtap__snapshot *snapshot;
	enum dtap_result result;

	if (tap == NULL || options == NULL)
		return DTAP_E_INVALID;
	result = dtap__options_check(options);
	if (result != DTAP_OK)
		return result;
	snapshot = dtap__tap_snapshot_new(dtap__options_get(options));
	if (snapshot == NULL)
		return DTAP_E_NOMEM;
	pthread_mutex_lock(&tap->lock);
	result = tap_swap_locked(tap, options, &snapshot);
	pthread_mutex_unlock(&tap->lock);
	if (result == DTAP_OK) {
		urcu_bp_synchronize_rcu();
		dtap__grace_elapsed(&tap->grace);
	}
	free(snapshot);
	return result;
}

/* CLOCK_MONOTONIC, as the condition variable wants it. */
static struct timespec
tap_timespec(uint64_t ns)
{
	struct timespec time = {
		.tv_sec = (time_t)(ns / DTAP__NS_PER_SEC),
		.tv_nsec = (long)(ns % DTAP__NS_PER_SEC),
	};

	return time;
}

/*
 * Waits for the writer's end, and joins it or leaves it behind, by the
 * deadline of the stop that was the first. Returns with the lock held, as it
 * was called.
 */
static void
tap_settle_locked(dtap *tap)
{
	struct timespec until =
		tap_timespec(tap->stop_deadline_ns +
			     TAP_STOP_GRACE_MS * DTAP__NS_PER_MS);
	int waited = 0;

	while (!tap->exited && !tap->settled && waited != ETIMEDOUT)
		waited = pthread_cond_timedwait(&tap->changed, &tap->lock,
						&until);
	if (tap->settled)
		return;
	tap->settled = true;
	tap->stop_result = tap->exited && tap->writer.complete
				   ? DTAP_OK
				   : DTAP_E_TIMEOUT;
	if (!tap->exited) {
		dtap__log_silence(&tap->log);
		pthread_detach(tap->thread);
		return;
	}
	pthread_mutex_unlock(&tap->lock);
	pthread_join(tap->thread, NULL);
	pthread_mutex_lock(&tap->lock);
}

enum dtap_result
dtap_stop(dtap *tap, uint32_t timeout_ms)
{
	uint64_t deadline_ns;
	enum dtap_result result;
	int status;

	if (tap == NULL)
		return DTAP_E_INVALID;
	deadline_ns = dtap__clock_monotonic_ns() +
		      timeout_ms * DTAP__NS_PER_MS;
	pthread_mutex_lock(&tap->lock);
	status = dtap__load_relaxed(&tap->status);
	if (status == DTAP__STATUS_FORKED || !tap->started) {
		pthread_mutex_unlock(&tap->lock);
		return status == DTAP__STATUS_FORKED ? DTAP_E_FORK
						     : DTAP_E_STATE;
	}
	if (status == DTAP__STATUS_RUNNING) {
		dtap__store_release(&tap->status, DTAP__STATUS_STOPPED);
		dtap__store_release(&tap->generation,
				    dtap__load_relaxed(&tap->generation) + 1);
		dtap__writer_request_stop(&tap->writer, deadline_ns);
		tap->stop_deadline_ns = deadline_ns;
	}
	tap_settle_locked(tap);
	result = tap->stop_result;
	pthread_mutex_unlock(&tap->lock);
	return result;
}

void
dtap_close(dtap **tap)
{
	dtap *gone;

	if (tap == NULL || *tap == NULL)
		return;
	gone = *tap;
	*tap = NULL;
	switch (dtap__load_acquire(&gone->status)) {
	case DTAP__STATUS_RUNNING:
		dtap_stop(gone, TAP_CLOSE_TIMEOUT_MS);
		break;
	case DTAP__STATUS_OPEN:
		dtap__store_release(&gone->status, DTAP__STATUS_STOPPED);
		dtap__store_release(&gone->generation,
				    dtap__load_relaxed(&gone->generation) + 1);
		break;
	default:
		break;
	}
	dtap__tap_release(gone);
}
