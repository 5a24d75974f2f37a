/* SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later */
/*
 * knot_registry.h: the taps of this process, one for each sink.
 *
 * Knot loads the new instance of a module before it unloads the old one, and
 * several zones may each have an instance for the same sink. A tap for each
 * instance would truncate or double the stream; so instances that name the
 * same sink share one tap, which lives from the first to the last of them.
 *
 * Locking: one mutex guards the list; it is taken to attach and to detach,
 * never by an answering thread. Each sink has a second one for what the
 * writer thread has to say, which answering threads only try.
 */
#ifndef DTAP_KNOT_REGISTRY_H
#define DTAP_KNOT_REGISTRY_H

#include <knot/module.h>

#include <dnstap/stats.h>
#include <dnstap/tap.h>

#include "knot_config.h"

struct knot_sink;

/*
 * Attaches a module instance to the sink that its configuration names, with
 * a producer for each of the answering threads. The first one opens and
 * starts the tap; later ones pass their options on to the running tap, and
 * log a warning when it cannot take them over without a restart.
 *
 * KNOT_EOK with *sink set; else an error, logged, and nothing changed.
 * Blocks for memory allocation and an RCU grace period.
 */
int
knot_registry_attach(const struct knot_config *config, knotd_mod_t *mod,
		     unsigned int threads, struct knot_sink **sink);

/*
 * Detaches an instance; the caller has no hook running any more. The last
 * one stops the tap, which takes up to 2.25 s, and, unless it belongs to a
 * zone, logs the ledger.
 */
void
knot_registry_detach(struct knot_sink **sink, knotd_mod_t *mod);

/* The producer of one answering thread. It stays as long as the sink. */
dtap_producer *
knot_sink_producer(const struct knot_sink *sink, unsigned int thread);

/*
 * Logs what the writer has left to say, in the name of an instance: from one
 * of its hooks. Never waits.
 */
void
knot_sink_try_log(struct knot_sink *sink, knotd_mod_t *mod);

/* Takes the ledger of the sink, as dtap_stats_get(). */
void
knot_sink_get_stats(const struct knot_sink *sink, struct dtap_stats *stats);

#endif
