/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bind_host.h: what the shim asks of the named that it finds itself in.
 */
#ifndef BIND_HOST_H
#define BIND_HOST_H

#include <stdbool.h>

#include <isc/log.h>
#include <isc/mem.h>
#include <isc/stats.h>

/*
 * Whether this is the series of BIND whose interface the shim speaks. Says
 * so in named's log, once, when it is not.
 */
bool
bind_host_is_supported(void);

/*
 * One line in named's log, category dnstap. Any thread; waits for named's
 * log channels, so never from dns_dt_send().
 */
void
bind_host_log(int level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* NULL when memory could not be had. */
isc_stats_t *
bind_host_new_stats(isc_mem_t *mctx);

#endif
