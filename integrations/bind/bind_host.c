/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bind_host.c: see bind_host.h.
 *
 * The shim is not linked with BIND's libraries: on Debian their names carry
 * the whole version, and a library that asked for one of them would not load
 * after the next security update. It finds their symbols in the process, and
 * refers to them weakly, so that it also loads, and does nothing, in a
 * program that has no BIND in it: LD_PRELOAD is inherited by whatever a
 * service starts.
 *
 * Which BIND it is, BIND's headers do not tell, and neither does a variable of
 * its libraries. The name of libdns does: libdns-9.18.49.so for a build
 * from source, libdns-9.18.49-1~deb12u3-Debian.so for Debian's.
 */
#include "bind_host.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <dns/dnstap.h>
#include <dns/log.h>
#include <dns/stats.h>

/* The arguments of the nine functions are those of this series. */
#define HOST_SERIES "9.18"
#define HOST_LINE_BYTES 1024

#pragma weak dns_categories
#pragma weak dns_dt_parse
#pragma weak dns_lctx
#pragma weak dns_modules
#pragma weak isc_log_write
#pragma weak isc_stats_create

/* The file that libdns was loaded from, without its directory. */
static const char *
host_libdns(void)
{
	Dl_info info;
	const char *slash;

	if (dns_dt_parse == NULL ||
	    dladdr((const void *)(uintptr_t)dns_dt_parse, &info) == 0)
		return "no libdns";
	slash = strrchr(info.dli_fname, '/');
	return slash != NULL ? slash + 1 : info.dli_fname;
}

bool
bind_host_is_supported(void)
{
	static atomic_flag told = ATOMIC_FLAG_INIT;
	static const char prefix[] = "libdns-" HOST_SERIES ".";
	const char *libdns = host_libdns();

	if (strncmp(libdns, prefix, sizeof(prefix) - 1) == 0)
		return true;
	if (!atomic_flag_test_and_set(&told))
		bind_host_log(ISC_LOG_ERROR,
			      "libdtap-bind was built for BIND " HOST_SERIES
			      " and found %s: the server runs WITHOUT dnstap; "
			      "install the libdtap-bind of its series, or do "
			      "without the preload to have BIND's own",
			      libdns);
	return false;
}

void
bind_host_log(int level, const char *format, ...)
{
	char line[HOST_LINE_BYTES];
	va_list arguments;

	if (isc_log_write == NULL)
		return;
	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	isc_log_write(dns_lctx, DNS_LOGCATEGORY_DNSTAP, DNS_LOGMODULE_DNSTAP,
		      level, "%s", line);
}

isc_stats_t *
bind_host_new_stats(isc_mem_t *mctx)
{
	isc_stats_t *stats = NULL;

	if (isc_stats_create(mctx, &stats, dns_dnstapcounter_max) !=
	    ISC_R_SUCCESS)
		return NULL;
	return stats;
}
