/* SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later */
/*
 * knot_config.c: see knot_config.h.
 *
 * The keywords of Knot's own mod-dnstap keep their names and meaning. Its
 * spellings of a sink are translated to libdtap's, so that a section moves
 * over unchanged: a bare path is a file, and tcp:ADDRESS@PORT becomes
 * tcp:ADDRESS:PORT. All else goes to dtap_options_set(), whose messages name
 * the option, the value and what is allowed; this file checks nothing that
 * the library checks.
 */
#include "knot_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dnstap/tap.h>

/* Where items are read from: exactly one of the two is set. */
struct config_source {
	knotd_mod_t *mod;
	knotd_conf_check_args_t *check;
};

const yp_item_t knot_config_schema[] = {
	{ KNOT_CONFIG_SINK, YP_TSTR, YP_VNONE },
	{ KNOT_CONFIG_IDENTITY, YP_TSTR, YP_VNONE },
	{ KNOT_CONFIG_VERSION, YP_TSTR, YP_VNONE },
	{ KNOT_CONFIG_QUERIES, YP_TBOOL, YP_VBOOL = { true } },
	{ KNOT_CONFIG_RESPONSES, YP_TBOOL, YP_VBOOL = { true } },
	{ KNOT_CONFIG_WITH_QUERIES, YP_TBOOL, YP_VBOOL = { false } },
	{ KNOT_CONFIG_LOSS_REPORT, YP_TBOOL, YP_VBOOL = { true } },
	{ KNOT_CONFIG_OPTION, YP_TSTR, YP_VNONE, YP_FMULTI },
	{ .name = NULL }
};

static knotd_conf_t
config_get(const struct config_source *source, const yp_name_t *item)
{
	return source->mod != NULL ? knotd_conf_mod(source->mod, item)
				   : knotd_conf_check_item(source->check, item);
}

static bool
config_get_bool(const struct config_source *source, const yp_name_t *item)
{
	return config_get(source, item).single.boolean;
}

/* NULL when the item does not stand in the section. */
static const char *
config_get_text(const struct config_source *source, const yp_name_t *item)
{
	knotd_conf_t conf = config_get(source, item);

	return conf.count > 0 ? conf.single.string : NULL;
}

static char *
config_join(const char *first, const char *second)
{
	size_t bytes = strlen(first) + strlen(second) + 1;
	char *text = malloc(bytes);

	if (text != NULL)
		snprintf(text, bytes, "%s%s", first, second);
	return text;
}

/* "192.0.2.1@6000" -> "tcp:192.0.2.1:6000"; brackets around IPv6. */
static char *
config_join_tcp(const char *rest, const char *at)
{
	bool ip6 = memchr(rest, ':', (size_t)(at - rest)) != NULL;
	size_t bytes = strlen(rest) + sizeof("tcp:[]:");
	char *text = malloc(bytes);

	if (text != NULL)
		snprintf(text, bytes, ip6 ? "tcp:[%.*s]:%s" : "tcp:%.*s:%s",
			 (int)(at - rest), rest, at + 1);
	return text;
}

static bool
config_begins(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* NULL when memory could not be had. */
static char *
config_translate_sink(const char *sink)
{
	const char *at = strchr(sink, '@');

	if (config_begins(sink, "tcp:") && at != NULL)
		return config_join_tcp(sink + strlen("tcp:"), at);
	if (config_begins(sink, "file:") || config_begins(sink, "unix:") ||
	    config_begins(sink, "tcp:") || config_begins(sink, "tls:"))
		return strdup(sink);
	return config_join("file:", sink);
}

static int
config_fail(struct knot_config *config, const char *why)
{
	snprintf(config->error, sizeof(config->error), "%s", why);
	return KNOT_EINVAL;
}

static int
config_set(struct knot_config *config, const char *name, const char *value)
{
	if (dtap_options_set(config->options, name, value) == DTAP_OK)
		return KNOT_EOK;
	return config_fail(config, dtap_options_error(config->options));
}

static int
config_read_sink(struct knot_config *config, const struct config_source *source)
{
	const char *sink = config_get_text(source, KNOT_CONFIG_SINK);

	if (sink == NULL || *sink == '\0')
		return config_fail(config, "no sink specified");
	config->sink = config_translate_sink(sink);
	if (config->sink == NULL)
		return KNOT_ENOMEM;
	return config_set(config, "output", config->sink);
}

/* A text that the section gives, or else the host's; NULL sets nothing. */
static int
config_read_text(struct knot_config *config, const struct config_source *source,
		 const yp_name_t *item, knotd_conf_env_t env)
{
	const char *text = config_get_text(source, item);

	if (text == NULL && source->mod != NULL)
		text = knotd_conf_env(source->mod, env).single.string;
	return text != NULL ? config_set(config, item + 1, text) : KNOT_EOK;
}

/* Splits "name=value"; the sink has a keyword of its own. */
static int
config_set_pair(struct knot_config *config, const char *pair)
{
	const char *equals = strchr(pair, '=');
	char name[64];

	if (equals == NULL || (size_t)(equals - pair) >= sizeof(name))
		return config_fail(config, "an option reads \"name=value\"");
	memcpy(name, pair, (size_t)(equals - pair));
	name[equals - pair] = '\0';
	if (strcmp(name, "output") == 0)
		return config_fail(config,
				   "the output is set by the keyword sink");
	return config_set(config, name, equals + 1);
}

static int
config_read_pairs(struct knot_config *config,
		  const struct config_source *source)
{
	knotd_conf_t conf = config_get(source, KNOT_CONFIG_OPTION);
	int ret = KNOT_EOK;

	for (size_t i = 0; i < conf.count && ret == KNOT_EOK; i++)
		ret = config_set_pair(config, conf.multi[i].string);
	knotd_conf_free(&conf);
	return ret;
}

static int
config_read_booleans(struct knot_config *config,
		     const struct config_source *source)
{
	bool report = config_get_bool(source, KNOT_CONFIG_LOSS_REPORT);

	config->log_queries = config_get_bool(source, KNOT_CONFIG_QUERIES);
	config->log_responses = config_get_bool(source, KNOT_CONFIG_RESPONSES);
	config->responses_with_queries =
		config_get_bool(source, KNOT_CONFIG_WITH_QUERIES);
	return config_set(config, "loss-report", report ? "yes" : "no");
}

/* The options come last, so that they win over the keywords. */
static int
config_read(struct knot_config *config, const struct config_source *source)
{
	int ret;

	memset(config, 0, sizeof(*config));
	config->options = dtap_options_new();
	if (config->options == NULL)
		return KNOT_ENOMEM;
	ret = config_read_sink(config, source);
	if (ret == KNOT_EOK)
		ret = config_read_text(config, source, KNOT_CONFIG_IDENTITY,
				       KNOTD_CONF_ENV_HOSTNAME);
	if (ret == KNOT_EOK)
		ret = config_read_text(config, source, KNOT_CONFIG_VERSION,
				       KNOTD_CONF_ENV_VERSION);
	if (ret == KNOT_EOK)
		ret = config_read_booleans(config, source);
	if (ret == KNOT_EOK)
		ret = config_read_pairs(config, source);
	return ret;
}

int
knot_config_load(struct knot_config *config, knotd_mod_t *mod)
{
	return config_read(config, &(struct config_source){ .mod = mod });
}

/* Opening a tap checks combinations, and touches neither file nor socket. */
static int
config_try(struct knot_config *config)
{
	dtap *tap = NULL;
	int ret = KNOT_EOK;

	if (dtap_open(config->options, &tap) != DTAP_OK)
		ret = config_fail(config, dtap_options_error(config->options));
	dtap_close(&tap);
	return ret;
}

int
knot_config_check(knotd_conf_check_args_t *args)
{
	/* Knot prints err_str after the call: it outlives the configuration. */
	static _Thread_local char message[sizeof(
		((struct knot_config *)0)->error)];
	struct knot_config config;
	int ret = config_read(&config,
			      &(struct config_source){ .check = args });

	if (ret == KNOT_EOK)
		ret = config_try(&config);
	if (ret != KNOT_EOK) {
		memcpy(message, config.error, sizeof(message));
		args->err_str = *message != '\0' ? message : "out of memory";
	}
	knot_config_fini(&config);
	return ret;
}

void
knot_config_fini(struct knot_config *config)
{
	dtap_options_free(&config->options);
	free(config->sink);
	config->sink = NULL;
}
