/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fstrm_log.c: how the operator hears of us, and results in fstrm's words.
 *
 * fstrm has no way to report anything: no callback, no counters. A server
 * that calls it cannot pass on what we have to say, so we say it ourselves,
 * through syslog(3), under the name that the server gave to openlog(3). We
 * do not call openlog(): the name is the server's. Where there is no syslog
 * (containers), DTAP_FSTRM_LOG=stderr in the environment sends the lines
 * there; that is also how the tests read them.
 *
 * Lines come from init and destroy and from the writer thread, a few in all;
 * the library keeps to one for each cause in 30 s.
 */
#include "fstrm_shim.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#define SHIM_LINE_BYTES 512

void
shim_log(int priority, const char *format, ...)
{
	const char *where = secure_getenv("DTAP_FSTRM_LOG");
	char line[SHIM_LINE_BYTES];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (where != NULL && strcmp(where, "stderr") == 0)
		fprintf(stderr, "libdtap-fstrm: %s\n", line);
	else
		syslog(priority, "libdtap-fstrm: %s", line);
}

bool
shim_is_first(enum shim_cause cause)
{
	static atomic_bool told[SHIM_CAUSES];

	return !atomic_exchange(&told[cause], true);
}

void
shim_log_line(void *user, enum dtap_log_level level, const char *text)
{
	static const int priorities[] = {
		[DTAP_LOG_ERROR] = LOG_ERR,
		[DTAP_LOG_WARNING] = LOG_WARNING,
		[DTAP_LOG_NOTICE] = LOG_NOTICE,
		[DTAP_LOG_INFO] = LOG_INFO,
	};

	(void)user;
	shim_log(priorities[level], "%s", text);
}

void
shim_log_ledger(const struct fstrm_writer *writer)
{
	struct dtap_stats stats = DTAP_STATS_INIT;
	uint64_t dropped;
	uint64_t lost;

	if (dtap_stats_get(writer->tap, &stats) != DTAP_OK)
		return;
	dropped = stats.submitted - stats.accepted;
	lost = stats.lost_io + stats.lost_shutdown;
	shim_log(dropped + lost > 0 ? LOG_WARNING : LOG_INFO,
		 "%s closed, events submitted %" PRIu64 ", written %" PRIu64
		 ", dropped %" PRIu64 ", lost %" PRIu64,
		 writer->output, stats.submitted, stats.written, dropped, lost);
}

fstrm_res
shim_result(enum dtap_result result)
{
	switch (result) {
	case DTAP_OK:
		return fstrm_res_success;
	case DTAP_E_FULL:
		return fstrm_res_again;
	case DTAP_E_INVALID:
	case DTAP_E_TOO_BIG:
		return fstrm_res_invalid;
	default:
		return fstrm_res_failure;
	}
}
