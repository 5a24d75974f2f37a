/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unbound_config.h: the `dnstap:` section of unbound.conf, as libdtap's
 * options.
 */
#ifndef DTAP_UNBOUND_CONFIG_H
#define DTAP_UNBOUND_CONFIG_H

#include <stdbool.h>

#include <dnstap/options.h>

struct config_file;

/* Why a section cannot be used: a sentence for the log. */
struct unbound_reason {
	char text[512];
};

/*
 * Reads the whole section into options at their defaults. False with a reason
 * when something in it cannot be had.
 */
bool
unbound_config_read(dtap_options *options, const struct config_file *cfg,
		    struct unbound_reason *reason);

/* The same for what can change while events flow, and nothing else. */
bool
unbound_config_read_live(dtap_options *options, const struct config_file *cfg,
			 struct unbound_reason *reason);

#endif
