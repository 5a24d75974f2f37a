/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bind_config.c: see bind_config.h.
 *
 * named's parser takes any text as the path of `dnstap-output unix`, so that
 * is where outputs that BIND does not know find room: what begins with a
 * scheme of libdtap's (tcp: file: unix: tls:) is taken as it stands.
 *
 * Two variables of the environment stand beside named.conf, as named refuses
 * statements that it does not know. They are read by the shim, not by the
 * library, and only when dnstap is first configured. A mistake in them is
 * logged and passed over: it must not keep a name server from starting.
 */
#include "bind_config.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "bind_fstrm.h"
#include "bind_host.h"

#define CONFIG_MEND "DTAP_BIND_MEND"
#define CONFIG_OPTIONS "DTAP_BIND_OPTIONS"
#define CONFIG_BLANKS " \t\n"

static char *
config_join(const char *first, const char *second, const char *third)
{
	size_t bytes = strlen(first) + strlen(second) + strlen(third) + 1;
	char *text = malloc(bytes);

	if (text != NULL)
		snprintf(text, bytes, "%s%s%s", first, second, third);
	return text;
}

/* named may change its directory later; the path stays what it was. */
static char *
config_absolute(const char *path)
{
	char directory[PATH_MAX];

	if (path[0] == '/' || getcwd(directory, sizeof(directory)) == NULL)
		return strdup(path);
	return config_join(directory, "/", path);
}

/* Doubles each '%': the library's file names are patterns, BIND's are not. */
static char *
config_file_uri(const char *path)
{
	static const char scheme[] = "file:";
	char *uri = malloc(sizeof(scheme) + 2 * strlen(path));
	char *to = uri;

	if (uri == NULL)
		return NULL;
	memcpy(to, scheme, sizeof(scheme) - 1);
	to += sizeof(scheme) - 1;
	for (; *path != '\0'; path++) {
		if (*path == '%')
			*to++ = '%';
		*to++ = *path;
	}
	*to = '\0';
	return uri;
}

static bool
config_has_scheme(const char *path)
{
	static const char *const schemes[] = { "file:", "unix:", "tcp:",
					       "tls:" };

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (strncmp(path, schemes[i], strlen(schemes[i])) == 0)
			return true;
	return false;
}

/* A relative path stays so if only that fits a socket's address. */
static char *
config_unix_uri(const char *path)
{
	char *absolute = config_absolute(path);
	char *uri = NULL;

	if (absolute != NULL) {
		bool fits = strlen(absolute) <
			    sizeof(((struct sockaddr_un *)0)->sun_path);

		uri = config_join("unix:", "", fits ? absolute : path);
	}
	free(absolute);
	return uri;
}

static bool
config_fail(const char *what, const char *why)
{
	bind_host_log(ISC_LOG_ERROR, "libdtap-bind: %s: %s", what, why);
	return false;
}

static bool
config_set_output(struct bind_config *config, dns_dtmode_t mode,
		  const char *path)
{
	switch (mode) {
	case dns_dtmode_file:
		config->path = config_absolute(path);
		if (config->path != NULL)
			config->uri = config_file_uri(config->path);
		break;
	case dns_dtmode_unix:
		config->uri = config_has_scheme(path) ? strdup(path)
						      : config_unix_uri(path);
		break;
	default:
		return config_fail("dnstap-output", "no such mode");
	}
	if (config->uri == NULL)
		return config_fail("dnstap-output", "out of memory");
	if (dtap_options_set(config->options, "output", config->uri) != DTAP_OK)
		return config_fail("dnstap-output",
				   dtap_options_error(config->options));
	return true;
}

/* Splits "name=value" in place; the output has a statement of its own. */
static void
config_set_pair(dtap_options *options, char *pair)
{
	char *equals = strchr(pair, '=');

	if (equals != NULL)
		*equals = '\0';
	if (equals == NULL || strcmp(pair, "output") == 0)
		(void)config_fail(CONFIG_OPTIONS,
				  "name=value pairs are allowed, with blanks "
				  "between them, and no output");
	else if (dtap_options_set(options, pair, equals + 1) != DTAP_OK)
		(void)config_fail(CONFIG_OPTIONS, dtap_options_error(options));
}

static void
config_read_options(dtap_options *options)
{
	const char *value = getenv(CONFIG_OPTIONS);
	char *copy = value != NULL ? strdup(value) : NULL;
	char *rest = NULL;

	if (copy == NULL)
		return;
	for (char *pair = strtok_r(copy, CONFIG_BLANKS, &rest); pair != NULL;
	     pair = strtok_r(NULL, CONFIG_BLANKS, &rest))
		config_set_pair(options, pair);
	free(copy);
}

static bool
config_read_mend(void)
{
	const char *value = getenv(CONFIG_MEND);

	if (value == NULL || strcmp(value, "yes") == 0)
		return true;
	if (strcmp(value, "no") != 0) {
		(void)config_fail(CONFIG_MEND, "yes or no; taken as yes");
		return true;
	}
	bind_host_log(ISC_LOG_INFO, "libdtap-bind: events are logged as BIND "
				    "gives them (" CONFIG_MEND "=no)");
	return false;
}

bool
bind_config_read(struct bind_config *config, dns_dtmode_t mode,
		 const char *path, const struct fstrm_iothr_options *fstrm)
{
	memset(config, 0, sizeof(*config));
	config->options = dtap_options_new();
	if (config->options == NULL)
		return config_fail("dnstap", "out of memory");
	if (!config_set_output(config, mode, path))
		return false;
	bind_fstrm_apply(fstrm, config->options);
	config_read_options(config->options);
	config->mend = config_read_mend();
	return true;
}

void
bind_config_fini(struct bind_config *config)
{
	dtap_options_free(&config->options);
	free(config->path);
	free(config->uri);
	config->path = NULL;
	config->uri = NULL;
}
