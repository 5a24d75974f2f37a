/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unbound_tap.h: the tap of one run of unbound, from dt_create to dt_delete,
 * and what each of its workers holds.
 *
 * Whatever fails is said in unbound's log and leaves the server without
 * dnstap, not without DNS.
 */
#ifndef DTAP_UNBOUND_TAP_H
#define DTAP_UNBOUND_TAP_H

#include <dnstap/tap.h>

struct config_file;
struct unbound_pending;
struct unbound_tap;

/* Of one worker thread, which alone uses it. */
struct unbound_worker {
	dtap_producer *producer;
	struct unbound_pending *pending; /* NULL: no memory for times */
};

/* NULL, after a line in the log, when the section cannot be used. */
struct unbound_tap *
unbound_tap_open(const struct config_file *cfg);

void
unbound_tap_start(struct unbound_tap *tap);

/* Takes the identity, version, types and sampling of a new configuration. */
void
unbound_tap_reconfigure(struct unbound_tap *tap, const struct config_file *cfg);

/* Delivers what is in the rings, for two seconds at most; then the ledger. */
void
unbound_tap_stop(struct unbound_tap *tap);

/* Accepts NULL. */
void
unbound_tap_close(struct unbound_tap *tap);

/* NULL, after a line in the log, when memory could not be had. */
struct unbound_worker *
unbound_worker_open(struct unbound_tap *tap);

/* Accepts NULL. */
void
unbound_worker_close(struct unbound_worker *worker);

#endif
