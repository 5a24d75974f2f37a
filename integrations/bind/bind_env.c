/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bind_env.c: the eight of the nine functions that are not for messages.
 *
 * named calls them from its main task at (re)configuration, from rndc, from the
 * statistics channel, and at its end: create, setupfile, setversion,
 * setidentity, then attach for each view. The tap is opened, which checks
 * everything, in the first, and started in the second, when it is known how
 * many backups a file has; by then named has forked, changed its root and its
 * user.
 *
 * A named that cannot be served (see bind_host.c) gets success and no
 * environment. Its configuration code then goes on without dnstap, which a
 * failure would not let it do: the server would not start.
 *
 * Upstream wants its arguments valid and aborts the server otherwise. Here
 * an environment that is not there is passed over.
 */
#include "bind_env.h"

#include <inttypes.h>
#include <stdlib.h>

#include <dns/stats.h>

#include <dnstap/stats.h>

#include "bind_fstrm.h"
#include "bind_host.h"
#include "bind_view.h"

#define ENV_STOP_TIMEOUT_MS 2000

/* From the opening of an environment to its end, as named's log ends, too. */
static atomic_bool env_log_open;

#pragma weak isc_stats_attach
#pragma weak isc_stats_detach
#pragma weak isc_stats_set

static int
env_log_level(enum dtap_log_level level)
{
	switch (level) {
	case DTAP_LOG_ERROR:
		return ISC_LOG_ERROR;
	case DTAP_LOG_WARNING:
		return ISC_LOG_WARNING;
	case DTAP_LOG_NOTICE:
		return ISC_LOG_NOTICE;
	default:
		return ISC_LOG_INFO;
	}
}

/*
 * The library's log callback, usually in the writer thread. A writer that a
 * file system holds may outlive the environment, so it is not given one.
 */
static void
env_log(void *user, enum dtap_log_level level, const char *text)
{
	(void)user;
	if (atomic_load(&env_log_open))
		bind_host_log(env_log_level(level), "%s", text);
}

static uint64_t
env_dropped(const struct dtap_stats *stats)
{
	return stats->submitted - stats->accepted - stats->filtered -
	       stats->sampled_out;
}

/* What it has come to, for the one who asks where messages have gone. */
static void
env_log_ledger(const dns_dtenv_t *env)
{
	struct dtap_stats stats = DTAP_STATS_INIT;
	uint64_t dropped;
	uint64_t lost;

	(void)dtap_stats_get(env->tap, &stats);
	dropped = env_dropped(&stats);
	lost = stats.lost_io + stats.lost_shutdown;
	bind_host_log(dropped + lost > 0 ? ISC_LOG_WARNING : ISC_LOG_INFO,
		      "%s closed, events submitted %" PRIu64
		      ", written %" PRIu64 ", dropped %" PRIu64
		      ", lost %" PRIu64,
		      env->config.uri, stats.submitted, stats.written, dropped,
		      lost);
}

/* Starts what was opened; does nothing the second time. */
static bool
env_start(dns_dtenv_t *env)
{
	enum dtap_result result;

	if (env->started)
		return true;
	env->started = true;
	if (env->config.path != NULL && !bind_roll_start(&env->roll, env->tap))
		result = DTAP_E_SYSTEM;
	else
		result = dtap_start(env->tap);
	if (result != DTAP_OK)
		bind_host_log(ISC_LOG_ERROR, "libdtap-bind: no thread: %s",
			      dtap_result_text(result));
	return result == DTAP_OK;
}

/* Accepts one that is half built. */
static void
env_free(dns_dtenv_t *env)
{
	if (env == NULL)
		return;
	dtap_close(&env->tap);
	if (env->stats != NULL)
		isc_stats_detach(&env->stats);
	bind_config_fini(&env->config);
	free(env);
}

/* The last reference is gone. */
static void
env_close(dns_dtenv_t *env)
{
	bind_host_log(ISC_LOG_INFO, "closing dnstap");
	/* An environment that nobody used leaves an empty stream, too. */
	(void)env_start(env);
	bind_roll_stop(&env->roll);
	(void)dtap_stop(env->tap, ENV_STOP_TIMEOUT_MS);
	env_log_ledger(env);
	atomic_store(&env_log_open, false);
	env_free(env);
}

static bool
env_open(dns_dtenv_t *env, isc_mem_t *mctx, dns_dtmode_t mode,
	 const char *path, const struct fstrm_iothr_options *fstrm)
{
	dtap_options *options;

	atomic_init(&env->references, 1);
	atomic_store(&env_log_open, true);
	if (!bind_config_read(&env->config, mode, path, fstrm))
		return false;
	options = env->config.options;
	(void)dtap_options_set_log(options, env_log, NULL);
	if (dtap_open(options, &env->tap) != DTAP_OK) {
		bind_host_log(ISC_LOG_ERROR, "libdtap-bind: %s",
			      dtap_options_error(options));
		return false;
	}
	env->mend = env->config.mend;
	bind_roll_init(&env->roll, env->config.path);
	env->stats = bind_host_new_stats(mctx);
	return env->stats != NULL;
}

DTAP_API isc_result_t
dns_dt_create(isc_mem_t *mctx, dns_dtmode_t mode, const char *path,
	      struct fstrm_iothr_options **fstrm, isc_task_t *reopen_task,
	      dns_dtenv_t **envp)
{
	dns_dtenv_t *env;

	(void)reopen_task;
	if (!bind_host_is_supported())
		return ISC_R_SUCCESS;
	bind_host_log(ISC_LOG_INFO, "opening dnstap destination '%s'", path);
	env = calloc(1, sizeof(*env));
	if (env == NULL)
		return ISC_R_NOMEMORY;
	if (!env_open(env, mctx, mode, path, *fstrm)) {
		env_free(env);
		return ISC_R_FAILURE;
	}
	/* Taken over, as the caller expects, and not needed any more. */
	fstrm_iothr_options_destroy(fstrm);
	*envp = env;
	return ISC_R_SUCCESS;
}

DTAP_API isc_result_t
dns_dt_setupfile(dns_dtenv_t *env, uint64_t max_size, int rolls,
		 isc_log_rollsuffix_t suffix)
{
	if (env == NULL)
		return ISC_R_SUCCESS;
	if (env->config.path != NULL)
		bind_roll_setup(&env->roll, max_size, rolls, suffix);
	else if (max_size != 0 || rolls != ISC_LOG_ROLLINFINITE ||
		 suffix != isc_log_rollsuffix_increment)
		return ISC_R_INVALIDFILE;
	return env_start(env) ? ISC_R_SUCCESS : ISC_R_FAILURE;
}

DTAP_API isc_result_t
dns_dt_reopen(dns_dtenv_t *env, int roll)
{
	if (env == NULL)
		return ISC_R_NOTFOUND;
	if (env->config.path != NULL) {
		bind_roll_request(&env->roll, roll);
		return ISC_R_SUCCESS;
	}
	bind_host_log(ISC_LOG_INFO, "reopening dnstap destination '%s'",
		      env->config.uri);
	return dtap_reopen(env->tap) == DTAP_OK ? ISC_R_SUCCESS
						: ISC_R_FAILURE;
}

/* Each view sets the same at each reconfiguration. */
static isc_result_t
env_set_text(dns_dtenv_t *env, const char *option, const char *text)
{
	dtap_options *options;

	if (env == NULL)
		return ISC_R_SUCCESS;
	options = env->config.options;
	if (dtap_options_set(options, option, text != NULL ? text : "") !=
		    DTAP_OK ||
	    dtap_reconfigure(env->tap, options) != DTAP_OK)
		bind_host_log(ISC_LOG_ERROR, "libdtap-bind: dnstap-%s: %s",
			      option, dtap_options_error(options));
	return ISC_R_SUCCESS;
}

DTAP_API isc_result_t
dns_dt_setidentity(dns_dtenv_t *env, const char *identity)
{
	return env_set_text(env, "identity", identity);
}

DTAP_API isc_result_t
dns_dt_setversion(dns_dtenv_t *env, const char *version)
{
	return env_set_text(env, "version", version);
}

DTAP_API void
dns_dt_attach(dns_dtenv_t *env, dns_dtenv_t **field)
{
	if (env == NULL)
		return;
	(void)env_start(env);
	if (!bind_view_learn(field))
		bind_host_log(ISC_LOG_ERROR,
			      "libdtap-bind: the views of this named are not "
			      "understood: nothing will be logged");
	atomic_fetch_add(&env->references, 1);
	*field = env;
}

DTAP_API void
dns_dt_detach(dns_dtenv_t **field)
{
	dns_dtenv_t *env = *field;

	*field = NULL;
	if (env != NULL && atomic_fetch_sub(&env->references, 1) == 1)
		env_close(env);
}

/*
 * The counters are put right at the moment somebody looks. Success is what
 * the file or socket has taken; what still waits in a ring is in neither.
 */
DTAP_API isc_result_t
dns_dt_getstats(dns_dtenv_t *env, isc_stats_t **statsp)
{
	struct dtap_stats stats = DTAP_STATS_INIT;

	if (env == NULL)
		return ISC_R_NOTFOUND;
	(void)dtap_stats_get(env->tap, &stats);
	isc_stats_set(env->stats, stats.written, dns_dnstapcounter_success);
	isc_stats_set(env->stats,
		      env_dropped(&stats) + stats.lost_io + stats.lost_shutdown,
		      dns_dnstapcounter_drop);
	isc_stats_attach(env->stats, statsp);
	return ISC_R_SUCCESS;
}
