/* SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later */
/*
 * knot_registry.c: see knot_registry.h.
 *
 * When the tap starts. `knotd -d` forks first and reads its configuration
 * afterwards, in the child, and it drops its privileges before it loads a
 * module (seen with strace). So the tap can be opened and started in one go,
 * by the user that Knot will run as.
 *
 * Logging from the writer thread. knotd_mod_log() needs a module instance
 * that is alive and, when it belongs to a zone, a zone that is alive: Knot
 * frees the zone's name before it unloads the zone's modules. It also enters
 * an RCU section of Knot's, for which the thread must be registered there.
 * An answering thread inside a hook has all three; so the writer leaves its
 * few lines here and the next hook that comes by logs them.
 */
#include "knot_registry.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#define REGISTRY_STOP_TIMEOUT_MS 2000
/* The library says each thing once in 30 s: more than enough. */
#define SINK_LINES 16
#define SINK_LINE_BYTES 256

struct sink_line {
	int priority;
	char text[SINK_LINE_BYTES];
};

struct knot_sink {
	struct knot_sink *next;
	char *uri;
	dtap *tap;
	dtap_producer **producers; /* by thread_id */
	unsigned int producer_count;
	unsigned int users; /* instances that are attached */
	pthread_mutex_t log_lock;
	struct sink_line lines[SINK_LINES]; /* under log_lock */
	unsigned int line_count;
};

static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static struct knot_sink *registry_sinks;

static int
sink_log_priority(enum dtap_log_level level)
{
	switch (level) {
	case DTAP_LOG_ERROR:
		return LOG_ERR;
	case DTAP_LOG_WARNING:
		return LOG_WARNING;
	case DTAP_LOG_NOTICE:
		return LOG_NOTICE;
	default:
		return LOG_INFO;
	}
}

/* The library's log callback, usually in the writer thread. */
static void
sink_log(void *user, enum dtap_log_level level, const char *text)
{
	struct knot_sink *sink = user;

	pthread_mutex_lock(&sink->log_lock);
	if (sink->line_count < SINK_LINES) {
		struct sink_line *line = &sink->lines[sink->line_count++];

		line->priority = sink_log_priority(level);
		snprintf(line->text, sizeof(line->text), "%s", text);
	}
	pthread_mutex_unlock(&sink->log_lock);
}

void
knot_sink_try_log(struct knot_sink *sink, knotd_mod_t *mod)
{
	if (pthread_mutex_trylock(&sink->log_lock) != 0)
		return;
	for (unsigned int i = 0; i < sink->line_count; i++)
		knotd_mod_log(mod, sink->lines[i].priority, "%s",
			      sink->lines[i].text);
	sink->line_count = 0;
	pthread_mutex_unlock(&sink->log_lock);
}

/* Opens producers up to the number of threads; those there stay. */
static int
sink_grow(struct knot_sink *sink, unsigned int threads)
{
	dtap_producer **producers;

	if (threads <= sink->producer_count)
		return KNOT_EOK;
	producers = realloc(sink->producers, threads * sizeof(*producers));
	if (producers == NULL)
		return KNOT_ENOMEM;
	sink->producers = producers;
	while (sink->producer_count < threads) {
		if (dtap_producer_open(sink->tap,
				       &producers[sink->producer_count]) !=
		    DTAP_OK)
			return KNOT_ENOMEM;
		sink->producer_count++;
	}
	return KNOT_EOK;
}

/* What the sink has come to, for the one who asks where events have gone. */
static void
sink_log_ledger(struct knot_sink *sink, knotd_mod_t *mod)
{
	struct dtap_stats stats = DTAP_STATS_INIT;
	uint64_t dropped;
	uint64_t lost;

	knot_sink_get_stats(sink, &stats);
	dropped = stats.submitted - stats.accepted - stats.filtered -
		  stats.sampled_out;
	lost = stats.lost_io + stats.lost_shutdown;
	knotd_mod_log(mod, dropped + lost > 0 ? LOG_WARNING : LOG_INFO,
		      "%s closed, events submitted %" PRIu64
		      ", written %" PRIu64 ", dropped %" PRIu64
		      ", lost %" PRIu64,
		      sink->uri, stats.submitted, stats.written, dropped, lost);
}

static struct knot_sink *
sink_new(const char *uri)
{
	struct knot_sink *sink = calloc(1, sizeof(*sink));

	if (sink == NULL)
		return NULL;
	sink->uri = strdup(uri);
	if (sink->uri == NULL) {
		free(sink);
		return NULL;
	}
	pthread_mutex_init(&sink->log_lock, NULL);
	return sink;
}

/* Accepts a sink that never started. */
static void
sink_free(struct knot_sink *sink)
{
	for (unsigned int i = 0; i < sink->producer_count; i++)
		dtap_producer_close(&sink->producers[i]);
	dtap_close(&sink->tap);
	pthread_mutex_destroy(&sink->log_lock);
	free(sink->producers);
	free(sink->uri);
	free(sink);
}

static int
sink_start(struct knot_sink *sink, dtap_options *options, knotd_mod_t *mod)
{
	enum dtap_result result = dtap_open(options, &sink->tap);

	if (result == DTAP_OK)
		result = dtap_start(sink->tap);
	if (result == DTAP_OK)
		return KNOT_EOK;
	knotd_mod_log(mod, LOG_ERR, "%s: %s %s", sink->uri,
		      dtap_result_text(result), dtap_options_error(options));
	return KNOT_EINVAL;
}

/* An option that cannot change is no reason to go without the stream. */
static void
sink_reconfigure(struct knot_sink *sink, dtap_options *options,
		 knotd_mod_t *mod)
{
	if (dtap_reconfigure(sink->tap, options) != DTAP_OK)
		knotd_mod_log(mod, LOG_WARNING,
			      "%s goes on as it was until Knot is restarted: "
			      "%s", sink->uri, dtap_options_error(options));
}

/* Makes the sink, new or running, fit for one more instance. */
static int
sink_prepare(struct knot_sink *sink, dtap_options *options, knotd_mod_t *mod,
	     unsigned int threads)
{
	int ret = KNOT_EOK;

	(void)dtap_options_set_log(options, sink_log, sink);
	if (sink->tap != NULL)
		sink_reconfigure(sink, options, mod);
	else
		ret = sink_start(sink, options, mod);
	return ret == KNOT_EOK ? sink_grow(sink, threads) : ret;
}

static struct knot_sink **
registry_find(const char *uri)
{
	struct knot_sink **link = &registry_sinks;

	while (*link != NULL && strcmp((*link)->uri, uri) != 0)
		link = &(*link)->next;
	return link;
}

static int
registry_attach_locked(const struct knot_config *config, knotd_mod_t *mod,
		       unsigned int threads, struct knot_sink **attached)
{
	struct knot_sink **link = registry_find(config->sink);
	struct knot_sink *sink = *link;
	int ret;

	if (sink == NULL)
		sink = sink_new(config->sink);
	if (sink == NULL)
		return KNOT_ENOMEM;
	ret = sink_prepare(sink, config->options, mod, threads);
	if (ret == KNOT_EOK) {
		sink->users++;
		*link = sink;
		*attached = sink;
	} else if (*link == NULL) {
		sink_free(sink);
	}
	return ret;
}

/* Only a global instance may log here: see above. */
static void
registry_detach_locked(struct knot_sink *sink, knotd_mod_t *mod)
{
	if (--sink->users > 0)
		return;
	*registry_find(sink->uri) = sink->next;
	(void)dtap_stop(sink->tap, REGISTRY_STOP_TIMEOUT_MS);
	if (knotd_mod_zone(mod) == NULL) {
		knot_sink_try_log(sink, mod);
		sink_log_ledger(sink, mod);
	}
	sink_free(sink);
}

int
knot_registry_attach(const struct knot_config *config, knotd_mod_t *mod,
		     unsigned int threads, struct knot_sink **sink)
{
	int ret;

	pthread_mutex_lock(&registry_lock);
	ret = registry_attach_locked(config, mod, threads, sink);
	pthread_mutex_unlock(&registry_lock);
	return ret;
}

void
knot_registry_detach(struct knot_sink **sink, knotd_mod_t *mod)
{
	pthread_mutex_lock(&registry_lock);
	registry_detach_locked(*sink, mod);
	pthread_mutex_unlock(&registry_lock);
	*sink = NULL;
}

dtap_producer *
knot_sink_producer(const struct knot_sink *sink, unsigned int thread)
{
	return sink->producers[thread];
}

void
knot_sink_get_stats(const struct knot_sink *sink, struct dtap_stats *stats)
{
	(void)dtap_stats_get(sink->tap, stats);
}
