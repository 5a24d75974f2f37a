/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unbound_config.c: see unbound_config.h.
 *
 * Each keyword keeps its name and meaning. dnstap-socket-path may also hold a
 * URI (file:, unix:, tcp:), with options of libdtap behind a question mark:
 * unbound's parser and unbound-checkconf pass any text through. What is wrong
 * with a value the library tells better than we could; this file checks only
 * what is unbound's own.
 */
#include "unbound_host.h"

#include "unbound_config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CONFIG_URI_BYTES 4200
#define CONFIG_OPTION_BYTES 300
#define CONFIG_HOST_BYTES 256
/* The port that unbound takes when dnstap-ip names none. */
#define CONFIG_DEFAULT_PORT "53"

static bool
config_is_set(const char *text)
{
	return text != NULL && *text != '\0';
}

static bool
config_refuse(struct unbound_reason *reason, const char *why)
{
	snprintf(reason->text, sizeof(reason->text), "%s", why);
	return false;
}

static bool
config_set(dtap_options *options, const char *name, const char *value,
	   struct unbound_reason *reason)
{
	return dtap_options_set(options, name, value) == DTAP_OK ||
	       config_refuse(reason, dtap_options_error(options));
}

/* A text of one octet or more; the buffer's end cuts nothing off silently. */
static bool
config_format(char *text, size_t room, struct unbound_reason *reason,
	      const char *format, const char *one, const char *two,
	      const char *three)
{
	int bytes = snprintf(text, room, format, one, two, three);

	return (bytes > 0 && (size_t)bytes < room) ||
	       config_refuse(reason, "the destination is too long");
}

/* "192.0.2.1@6000" -> "tcp:192.0.2.1:6000"; brackets around IPv6. */
static bool
config_join_tcp(char *uri, const char *ip, struct unbound_reason *reason)
{
	const char *at = strchr(ip, '@');
	char address[CONFIG_HOST_BYTES];
	size_t bytes = at != NULL ? (size_t)(at - ip) : strlen(ip);

	if (bytes >= sizeof(address))
		return config_refuse(reason, "dnstap-ip is too long");
	memcpy(address, ip, bytes);
	address[bytes] = '\0';
	return config_format(uri, CONFIG_URI_BYTES, reason,
			     strchr(address, ':') != NULL ? "tcp:[%s]:%s%s"
							  : "tcp:%s:%s%s",
			     address, at != NULL ? at + 1 : CONFIG_DEFAULT_PORT,
			     "");
}

static bool
config_read_ip(dtap_options *options, const struct config_file *cfg,
	       struct unbound_reason *reason)
{
	char uri[CONFIG_URI_BYTES];

	if (cfg->dnstap_tls)
		return config_refuse(
			reason, "dnstap-ip with dnstap-tls: yes, which is the "
				"default, needs TLS output, which libdtap does "
				"not have; dnstap-tls: no sends without TLS");
	return config_join_tcp(uri, cfg->dnstap_ip, reason) &&
	       config_set(options, "output", uri, reason);
}

/* Octets of the scheme and its colon; 0 for a bare path. */
static size_t
config_scheme_bytes(const char *path)
{
	static const char *const schemes[] = { "file:", "unix:", "tcp:",
					       "tls:" };

	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
		if (strncmp(path, schemes[i], strlen(schemes[i])) == 0)
			return strlen(schemes[i]);
	return 0;
}

/*
 * The path as it is called inside the chroot. unbound's own code takes the
 * prefix off in the middle of a name, too.
 */
static const char *
config_strip_chroot(const char *path, const char *root)
{
	size_t bytes = config_is_set(root) ? strlen(root) : 0;

	while (bytes > 0 && root[bytes - 1] == '/')
		bytes--;
	if (strncmp(path, root != NULL ? root : "", bytes) != 0 ||
	    path[bytes] != '/')
		return path;
	return path + bytes;
}

/* "name=value" of libdtap, as in dtap-options(7). */
static bool
config_read_pair(dtap_options *options, const char *pair, size_t bytes,
		 struct unbound_reason *reason)
{
	char name[CONFIG_OPTION_BYTES];
	char *equals;

	if (bytes >= sizeof(name))
		return config_refuse(reason, "an option is too long");
	memcpy(name, pair, bytes);
	name[bytes] = '\0';
	equals = strchr(name, '=');
	if (equals == NULL)
		return config_refuse(
			reason, "behind the question mark stands "
				"name=value, and & between several");
	*equals = '\0';
	return config_set(options, name, equals + 1, reason);
}

/* All that stands behind the question mark; NULL for nothing. */
static bool
config_read_pairs(dtap_options *options, const char *pairs,
		  struct unbound_reason *reason)
{
	while (pairs != NULL) {
		const char *end = strchr(pairs, '&');
		size_t bytes = end != NULL ? (size_t)(end - pairs)
					   : strlen(pairs);

		if (!config_read_pair(options, pairs, bytes, reason))
			return false;
		pairs = end != NULL ? end + 1 : NULL;
	}
	return true;
}

static bool
config_read_path(dtap_options *options, const struct config_file *cfg,
		 struct unbound_reason *reason)
{
	const char *path = cfg->dnstap_socket_path;
	char uri[CONFIG_URI_BYTES];
	char scheme[8] = "unix:";
	char *question = NULL;
	size_t bytes;

	if (!config_is_set(path))
		return config_refuse(reason,
				     "there is no dnstap-socket-path");
	bytes = config_scheme_bytes(path);
	if (bytes > 0) {
		memcpy(scheme, path, bytes);
		scheme[bytes] = '\0';
	}
	if (!config_format(uri, sizeof(uri), reason, "%s%s%s", scheme,
			   config_strip_chroot(path + bytes, cfg->chrootdir),
			   ""))
		return false;
	if (bytes > 0)
		question = strchr(uri, '?');
	if (question != NULL)
		*question++ = '\0';
	return config_read_pairs(options, question, reason) &&
	       config_set(options, "output", uri, reason);
}

/* An empty text leaves the field out of the frames. */
static bool
config_read_identity(dtap_options *options, const struct config_file *cfg,
		     struct unbound_reason *reason)
{
	char host[CONFIG_HOST_BYTES] = "";

	if (!cfg->dnstap_send_identity)
		return config_set(options, "identity", "", reason);
	if (config_is_set(cfg->dnstap_identity))
		return config_set(options, "identity", cfg->dnstap_identity,
				  reason);
	if (gethostname(host, sizeof(host) - 1) != 0)
		return config_refuse(reason, "the host has no name; set "
					     "dnstap-identity");
	return config_set(options, "identity", host, reason);
}

static bool
config_read_version(dtap_options *options, const struct config_file *cfg,
		    struct unbound_reason *reason)
{
	const char *version = "";

	if (cfg->dnstap_send_version)
		version = config_is_set(cfg->dnstap_version)
				  ? cfg->dnstap_version
				  : PACKAGE_STRING;
	return config_set(options, "version", version, reason);
}

static bool
config_read_types(dtap_options *options, const struct config_file *cfg,
		  struct unbound_reason *reason)
{
	char types[32];

	snprintf(types, sizeof(types), "%s%s%s%s%s%s",
		 cfg->dnstap_log_client_query_messages ? "CQ," : "",
		 cfg->dnstap_log_client_response_messages ? "CR," : "",
		 cfg->dnstap_log_resolver_query_messages ? "RQ," : "",
		 cfg->dnstap_log_resolver_response_messages ? "RR," : "",
		 cfg->dnstap_log_forwarder_query_messages ? "FQ," : "",
		 cfg->dnstap_log_forwarder_response_messages ? "FR," : "");
	if (types[0] == '\0')
		return config_set(options, "types", "none", reason);
	types[strlen(types) - 1] = '\0';
	return config_set(options, "types", types, reason);
}

/* unbound takes 0 for "no sampling"; older releases have none. */
static bool
config_read_sampling(dtap_options *options, const struct config_file *cfg,
		     struct unbound_reason *reason)
{
#if UBVER >= 121
	int one_in = cfg->dnstap_sample_rate;

	if (dtap_options_set_number(options, "sample-one-in",
				    one_in > 1 ? (uint64_t)one_in : 1) !=
	    DTAP_OK)
		return config_refuse(reason, dtap_options_error(options));
#else
	(void)options;
	(void)cfg;
	(void)reason;
#endif
	return true;
}

bool
unbound_config_read_live(dtap_options *options, const struct config_file *cfg,
			 struct unbound_reason *reason)
{
	return config_read_identity(options, cfg, reason) &&
	       config_read_version(options, cfg, reason) &&
	       config_read_types(options, cfg, reason) &&
	       config_read_sampling(options, cfg, reason);
}

bool
unbound_config_read(dtap_options *options, const struct config_file *cfg,
		    struct unbound_reason *reason)
{
	bool handshake = cfg->dnstap_bidirectional != 0;

	if (!config_set(options, "bidirectional", handshake ? "yes" : "no",
			reason))
		return false;
	if (config_is_set(cfg->dnstap_ip)
		    ? !config_read_ip(options, cfg, reason)
		    : !config_read_path(options, cfg, reason))
		return false;
	return unbound_config_read_live(options, cfg, reason);
}
