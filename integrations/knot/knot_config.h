/* SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later */
/*
 * knot_config.h: one mod-dtap section of knot.conf, read and translated.
 *
 * The same reading serves the check (knotc conf-check, start, reload) and
 * the load, so that what passes the one cannot fail in the other.
 *
 * Threads: the caller's own structure; Knot reads configuration in one
 * thread at a time.
 */
#ifndef DTAP_KNOT_CONFIG_H
#define DTAP_KNOT_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include <knot/module.h>

#include <dnstap/options.h>

/* The keywords: their length in octets, then their letters. */
#define KNOT_CONFIG_SINK "\x04" "sink"
#define KNOT_CONFIG_IDENTITY "\x08" "identity"
#define KNOT_CONFIG_VERSION "\x07" "version"
#define KNOT_CONFIG_QUERIES "\x0B" "log-queries"
#define KNOT_CONFIG_RESPONSES "\x0D" "log-responses"
#define KNOT_CONFIG_WITH_QUERIES "\x16" "responses-with-queries"
#define KNOT_CONFIG_LOSS_REPORT "\x0B" "loss-report"
#define KNOT_CONFIG_OPTION "\x06" "option"

struct knot_config {
	/* What the tap gets; its output is the sink. */
	dtap_options *options;
	/* The sink as libdtap spells it: the key of the registry. */
	char *sink;
	bool log_queries;
	bool log_responses;
	bool responses_with_queries;
	/* What is wrong, when reading failed. */
	char error[512];
};

/* The schema that Knot parses the section with. */
extern const yp_item_t knot_config_schema[];

/*
 * Reads the section of a module instance; identity and version default to
 * the host's name and to Knot's version. KNOT_EOK, or an error with
 * config->error set. knot_config_fini() is due either way.
 */
int
knot_config_load(struct knot_config *config, knotd_mod_t *mod);

/* Knot's check callback: sets args->err_str to a sentence when it fails. */
int
knot_config_check(knotd_conf_check_args_t *args);

/* Frees what the structure holds. */
void
knot_config_fini(struct knot_config *config);

#endif
