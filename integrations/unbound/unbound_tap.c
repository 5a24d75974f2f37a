/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unbound_tap.c: see unbound_tap.h.
 *
 * The log. unbound's log functions take a lock of their own and may be called
 * from any thread, so the writer's lines go straight to them. In
 * libdtap-unbound.so they are weak: libunbound.so, which refers to the dt_
 * symbols too but never calls them, keeps its log functions to itself.
 *
 * Reconfiguration. fast_reload (1.23) runs in a thread of its own and changes
 * neither destination nor handshake; the options of the start are kept, and
 * only the live ones are read again.
 */
#include "unbound_host.h"

#include "unbound_tap.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <dnstap/options.h>
#include <dnstap/stats.h>

#include "unbound_config.h"
#include "unbound_pending.h"

#pragma weak log_err
#pragma weak log_warn
#pragma weak verbose

#define TAP_STOP_TIMEOUT_MS 2000

struct unbound_tap {
	dtap *tap;
	dtap_options *options;
};

/* The library's lines name dnstap. unbound's default verbosity shows all. */
static void
tap_log(void *user, enum dtap_log_level level, const char *text)
{
	(void)user;
	if (level == DTAP_LOG_ERROR)
		log_err("%s", text);
	else if (level == DTAP_LOG_WARNING)
		log_warn("%s", text);
	else
		verbose(VERB_OPS, "%s", text);
}

/* False with a reason; the caller frees what was made. */
static bool
tap_open(struct unbound_tap *tap, const struct config_file *cfg,
	 struct unbound_reason *reason)
{
	tap->options = dtap_options_new();
	if (tap->options == NULL)
		return false;
	(void)dtap_options_set_log(tap->options, tap_log, NULL);
	if (!unbound_config_read(tap->options, cfg, reason))
		return false;
	if (dtap_open(tap->options, &tap->tap) == DTAP_OK)
		return true;
	snprintf(reason->text, sizeof(reason->text), "%s",
		 dtap_options_error(tap->options));
	return false;
}

struct unbound_tap *
unbound_tap_open(const struct config_file *cfg)
{
	struct unbound_tap *tap = calloc(1, sizeof(*tap));
	struct unbound_reason reason = { "out of memory" };

	if (tap != NULL && tap_open(tap, cfg, &reason))
		return tap;
	log_err("dnstap: %s", reason.text);
	log_err("dnstap: the server runs without dnstap");
	unbound_tap_close(tap);
	return NULL;
}

void
unbound_tap_start(struct unbound_tap *tap)
{
	enum dtap_result result = dtap_start(tap->tap);

	if (result != DTAP_OK)
		log_err("dnstap: no events are written: %s",
			dtap_result_text(result));
}

void
unbound_tap_reconfigure(struct unbound_tap *tap, const struct config_file *cfg)
{
	struct unbound_reason reason;

	if (!unbound_config_read_live(tap->options, cfg, &reason))
		log_err("dnstap: %s", reason.text);
	else if (dtap_reconfigure(tap->tap, tap->options) != DTAP_OK)
		log_err("dnstap: %s", dtap_options_error(tap->options));
}

/* What it has come to, for the one who asks where events have gone. */
static void
tap_log_ledger(const struct unbound_tap *tap)
{
	struct dtap_stats stats = DTAP_STATS_INIT;
	static const char text[] =
		"dnstap: events submitted %" PRIu64 ", written %" PRIu64
		", dropped %" PRIu64 ", lost %" PRIu64;
	uint64_t dropped;
	uint64_t lost;

	(void)dtap_stats_get(tap->tap, &stats);
	dropped = stats.submitted - stats.accepted - stats.filtered -
		  stats.sampled_out;
	lost = stats.lost_io + stats.lost_shutdown;
	if (dropped + lost > 0)
		log_warn(text, stats.submitted, stats.written, dropped, lost);
	else
		verbose(VERB_OPS, text, stats.submitted, stats.written, dropped,
			lost);
}

void
unbound_tap_stop(struct unbound_tap *tap)
{
	(void)dtap_stop(tap->tap, TAP_STOP_TIMEOUT_MS);
	tap_log_ledger(tap);
}

void
unbound_tap_close(struct unbound_tap *tap)
{
	if (tap == NULL)
		return;
	dtap_close(&tap->tap);
	dtap_options_free(&tap->options);
	free(tap);
}

struct unbound_worker *
unbound_worker_open(struct unbound_tap *tap)
{
	struct unbound_worker *worker = calloc(1, sizeof(*worker));

	if (worker == NULL ||
	    dtap_producer_open(tap->tap, &worker->producer) != DTAP_OK) {
		log_err("dnstap: out of memory: a worker runs without dnstap");
		free(worker);
		return NULL;
	}
	worker->pending = unbound_pending_new();
	return worker;
}

void
unbound_worker_close(struct unbound_worker *worker)
{
	if (worker == NULL)
		return;
	dtap_producer_close(&worker->producer);
	unbound_pending_free(worker->pending);
	free(worker);
}
