/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bind_env.h: the dnstap environment, which BIND knows by its name alone.
 *
 * There is one in a named. The server holds a reference, and so does each
 * view that has a dnstap statement. What dns_dt_send() reads does not change
 * after dns_dt_create().
 */
#ifndef BIND_ENV_H
#define BIND_ENV_H

#include <stdbool.h>

#include <isc/atomic.h>

#include <dns/dnstap.h>

#include <dnstap/tap.h>

#include "bind_config.h"
#include "bind_roll.h"

struct dns_dtenv {
	dtap *tap;
	bool mend; /* as config.mend, beside the tap for dns_dt_send() */
	atomic_uint references;
	struct bind_config config;
	struct bind_roll roll; /* of a file: config.path is set */
	isc_stats_t *stats;
	bool started;
};

#endif
