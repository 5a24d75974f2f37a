/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bind_config.h: from named.conf and the environment to a tap's options.
 */
#ifndef BIND_CONFIG_H
#define BIND_CONFIG_H

#include <stdbool.h>

#include <dns/dnstap.h>

#include <dnstap/options.h>

struct bind_config {
	dtap_options *options;
	/* Of `dnstap-output file`, absolute; NULL for all else. */
	char *path;
	/* The output in libdtap's words, for the log. */
	char *uri;
	/* Whether events are put right: DTAP_BIND_MEND. */
	bool mend;
};

/*
 * False when there is no such mode, the output is not allowed, or memory could
 * not be had; named's log has the reason. To be freed in any case.
 */
bool
bind_config_read(struct bind_config *config, dns_dtmode_t mode,
		 const char *path, const struct fstrm_iothr_options *fstrm);

void
bind_config_fini(struct bind_config *config);

#endif
