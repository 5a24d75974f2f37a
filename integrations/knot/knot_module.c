/* SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later */
/*
 * knot_module.c: mod-dtap, a query module that gives Knot DNS to libdtap.
 *
 * <knot/module.h> is under the GPL, version 3 or later. A program that
 * contains this file is therefore distributed under it, which Apache-2.0
 * permits; the files of this folder may be taken under either licence.
 *
 * What happens to a query. Knot's answering thread calls module_begin before
 * it looks the answer up and module_end when the answer stands, both again
 * for each message of a zone transfer. The query is logged at the first of
 * these calls: usually module_begin, but module_end for what Knot refuses
 * before that stage (FORMERR), or another module answered first. The thread
 * has a producer of its own, so the hooks take no lock and never wait.
 *
 * Counters. What dtap_submit() returned is counted with the event. What the
 * writer did is the sink's own ledger, copied at most once per second by an
 * answering thread that comes by: a module has no other occasion to, as Knot
 * reads counters without asking.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <knot/module.h>

#include <dnstap/event.h>
#include <dnstap/tap.h>

#include "knot_config.h"
#include "knot_event.h"
#include "knot_registry.h"

/* The counters in `knotc stats`, in the order of knotd_mod_stats_add(). */
enum module_counter {
	MODULE_COUNTER_EVENTS,
	MODULE_COUNTER_SINK
};

/* mod-dtap.events[...]: this instance's, exact. */
enum module_event {
	MODULE_EVENT_ACCEPTED,
	MODULE_EVENT_FILTERED,
	MODULE_EVENT_DROPPED_FULL,
	MODULE_EVENT_DROPPED_OTHER,
	MODULE_EVENTS
};

static const char *const module_event_names[MODULE_EVENTS] = {
	"accepted", "filtered", "dropped-full", "dropped-other"
};

/* mod-dtap.sink[...]: of all instances that share it, up to 1 s old. */
enum module_sink {
	MODULE_SINK_WRITTEN,
	MODULE_SINK_LOST,
	MODULE_SINK_WAITING,
	MODULE_SINKS
};

static const char *const module_sink_names[MODULE_SINKS] = {
	"written", "lost", "waiting"
};

/* What one answering thread needs, on cache lines of its own. */
struct module_thread {
	_Alignas(64) dtap_producer *producer;
	unsigned int id;
	bool begun; /* between module_begin and module_end */
	struct knot_exchange exchange;
};

struct module {
	struct knot_sink *sink;
	struct module_thread *threads;
	unsigned int thread_count;
	bool log_queries;
	bool log_responses;
	bool responses_with_queries;
	_Atomic time_t served_sec; /* see module_serve_each_second */
};

static char *
module_name_event(uint32_t index, uint32_t count)
{
	(void)count;
	return strdup(module_event_names[index]);
}

static char *
module_name_sink(uint32_t index, uint32_t count)
{
	(void)count;
	return strdup(module_sink_names[index]);
}

static enum module_event
module_classify(enum dtap_result result)
{
	switch (result) {
	case DTAP_OK:
		return MODULE_EVENT_ACCEPTED;
	case DTAP_FILTERED:
		return MODULE_EVENT_FILTERED;
	case DTAP_E_FULL:
	case DTAP_E_NO_RING:
		return MODULE_EVENT_DROPPED_FULL;
	default:
		return MODULE_EVENT_DROPPED_OTHER;
	}
}

static void
module_submit(knotd_mod_t *mod, const struct module_thread *thread,
	      knotd_qdata_t *qdata, const struct dtap_event *event)
{
	bool signed_query = event->query_message != NULL &&
			    knot_event_restore_tsig(qdata);
	enum dtap_result result = dtap_submit(thread->producer, event);

	if (signed_query)
		knot_event_strip_tsig(qdata);
	knotd_mod_stats_incr(mod, thread->id, MODULE_COUNTER_EVENTS,
			     module_classify(result), 1);
}

static void
module_publish(knotd_mod_t *mod, const struct module *module)
{
	struct dtap_stats stats = DTAP_STATS_INIT;
	uint64_t lost;

	knot_sink_get_stats(module->sink, &stats);
	lost = stats.lost_io + stats.lost_shutdown;
	knotd_mod_stats_store(mod, 0, MODULE_COUNTER_SINK, MODULE_SINK_WRITTEN,
			      stats.written);
	knotd_mod_stats_store(mod, 0, MODULE_COUNTER_SINK, MODULE_SINK_LOST,
			      lost);
	knotd_mod_stats_store(mod, 0, MODULE_COUNTER_SINK, MODULE_SINK_WAITING,
			      stats.in_ring);
}

/*
 * What a module can do only from a hook. Relaxed: the second alone is
 * exchanged; who loses has nothing to do.
 */
static void
module_serve_each_second(knotd_mod_t *mod, struct module *module,
			 time_t now_sec)
{
	time_t last = atomic_load_explicit(&module->served_sec,
					   memory_order_relaxed);

	if (last == now_sec ||
	    !atomic_compare_exchange_strong_explicit(
		    &module->served_sec, &last, now_sec, memory_order_relaxed,
		    memory_order_relaxed))
		return;
	module_publish(mod, module);
	knot_sink_try_log(module->sink, mod);
}

/* NULL when Knot runs more threads than it announced at load. */
static struct module_thread *
module_find_thread(const struct module *module, const knotd_qdata_t *qdata)
{
	unsigned int id = qdata->params->thread_id;

	return id < module->thread_count ? &module->threads[id] : NULL;
}

/* Logs the query unless this is a further message of the same response. */
static void
module_see_query(knotd_mod_t *mod, struct module *module,
		 struct module_thread *thread, knotd_qdata_t *qdata)
{
	struct dtap_event event = DTAP_EVENT_INIT;

	if (knot_exchange_continues(&thread->exchange, qdata))
		return;
	knot_exchange_begin(&thread->exchange, qdata);
	module_serve_each_second(mod, module,
				 thread->exchange.query_time.tv_sec);
	if (!module->log_queries)
		return;
	knot_event_query(&event, &thread->exchange, qdata);
	module_submit(mod, thread, qdata, &event);
}

static void
module_see_response(knotd_mod_t *mod, const struct module *module,
		    const struct module_thread *thread, knotd_qdata_t *qdata,
		    const knot_pkt_t *response)
{
	struct dtap_event event = DTAP_EVENT_INIT;

	knot_event_response(&event, &thread->exchange, qdata, response);
	if (module->responses_with_queries)
		knot_event_add_query(&event, qdata);
	module_submit(mod, thread, qdata, &event);
}

static knotd_state_t
module_begin(knotd_state_t state, knot_pkt_t *pkt, knotd_qdata_t *qdata,
	     knotd_mod_t *mod)
{
	struct module *module = knotd_mod_ctx(mod);
	struct module_thread *thread = module_find_thread(module, qdata);

	(void)pkt;
	if (thread != NULL) {
		module_see_query(mod, module, thread, qdata);
		thread->begun = true;
	}
	return state;
}

static knotd_state_t
module_end(knotd_state_t state, knot_pkt_t *pkt, knotd_qdata_t *qdata,
	   knotd_mod_t *mod)
{
	struct module *module = knotd_mod_ctx(mod);
	struct module_thread *thread = module_find_thread(module, qdata);

	if (thread == NULL)
		return state;
	if (!thread->begun)
		module_see_query(mod, module, thread, qdata);
	thread->begun = false;
	if (module->log_responses && state != KNOTD_STATE_NOOP && pkt->size > 0)
		module_see_response(mod, module, thread, qdata, pkt);
	knot_exchange_end(&thread->exchange, state);
	return state;
}

static int
module_hook(knotd_mod_t *mod)
{
	int ret = knotd_mod_stats_add(mod, "events", MODULE_EVENTS,
				      module_name_event);

	if (ret == KNOT_EOK)
		ret = knotd_mod_stats_add(mod, "sink", MODULE_SINKS,
					  module_name_sink);
	if (ret == KNOT_EOK)
		ret = knotd_mod_hook(mod, KNOTD_STAGE_BEGIN, module_begin);
	if (ret == KNOT_EOK)
		ret = knotd_mod_hook(mod, KNOTD_STAGE_END, module_end);
	return ret;
}

static int
module_new_threads(struct module *module, unsigned int count)
{
	size_t bytes = count * sizeof(*module->threads);

	module->threads = aligned_alloc(_Alignof(struct module_thread), bytes);
	if (module->threads == NULL)
		return KNOT_ENOMEM;
	memset(module->threads, 0, bytes);
	module->thread_count = count;
	return KNOT_EOK;
}

static void
module_take_producers(struct module *module)
{
	for (unsigned int i = 0; i < module->thread_count; i++) {
		module->threads[i].id = i;
		module->threads[i].producer =
			knot_sink_producer(module->sink, i);
	}
}

static void
module_free(struct module *module)
{
	if (module == NULL)
		return;
	free(module->threads);
	free(module);
}

/* Fills the module; on failure the caller frees it, and has no sink. */
static int
module_open(struct module *module, const struct knot_config *config,
	    knotd_mod_t *mod)
{
	unsigned int threads = knotd_mod_threads(mod);
	int ret = module_new_threads(module, threads);

	if (ret == KNOT_EOK)
		ret = knot_registry_attach(config, mod, threads, &module->sink);
	if (ret != KNOT_EOK)
		return ret;
	module_take_producers(module);
	module->log_queries = config->log_queries;
	module->log_responses = config->log_responses;
	module->responses_with_queries = config->responses_with_queries;
	knotd_mod_ctx_set(mod, module);
	ret = module_hook(mod);
	if (ret != KNOT_EOK)
		knot_registry_detach(&module->sink, mod);
	return ret;
}

static int
module_load(knotd_mod_t *mod)
{
	struct module *module = calloc(1, sizeof(*module));
	struct knot_config config;
	int ret = knot_config_load(&config, mod);

	if (ret != KNOT_EOK)
		knotd_mod_log(mod, LOG_ERR, "%s", config.error);
	else if (module == NULL)
		ret = KNOT_ENOMEM;
	else
		ret = module_open(module, &config, mod);
	knot_config_fini(&config);
	if (ret != KNOT_EOK)
		module_free(module);
	return ret;
}

static void
module_unload(knotd_mod_t *mod)
{
	struct module *module = knotd_mod_ctx(mod);

	knot_registry_detach(&module->sink, mod);
	module_free(module);
}

/* The name is what a configuration calls the module, behind "mod-". */
#ifndef KNOT_MODULE_NAME
#define KNOT_MODULE_NAME dtap
#endif
#define MODULE_API(name, ...) KNOTD_MOD_API(name, __VA_ARGS__)

MODULE_API(KNOT_MODULE_NAME, KNOTD_MOD_FLAG_SCOPE_ANY, module_load,
	   module_unload, knot_config_schema, knot_config_check);
