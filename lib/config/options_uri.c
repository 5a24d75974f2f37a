/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options_uri.c: see options_uri.h.
 *
 * A table of schemes, and for each a function that takes what follows the
 * colon. They return NULL, or what is allowed, so that the operator reads the
 * rule that was broken rather than "bad URI". getaddrinfo() is not used, not
 * even with AI_NUMERICHOST: it would read files of the host's resolver, and a
 * DNS server that waits for DNS to start its log is a trap.
 */
#include "config/options_uri.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/compiler.h"
#include "config/options_parse.h"

/* Longest numeric address, with the zero; a scope's name comes on top. */
#define OPTIONS_URI_ADDRESS_ROOM INET6_ADDRSTRLEN

static const char options_uri_numeric[] =
	"addresses are numeric, as 192.0.2.1 or [2001:db8::1]; names are not "
	"looked up";

static bool
options_uri_has_control(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	return false;
}

static const char *
options_uri_read_path(const char *path, struct dtap__uri *uri)
{
	size_t bytes = strlen(path);

	if (bytes == 0)
		return "a path must follow the colon";
	if (bytes > DTAP__PATH_BYTES_MAX)
		return "a path has at most 4095 octets";
	if (options_uri_has_control(path))
		return "a path holds no control characters";
	memcpy(uri->path, path, bytes);
	return NULL;
}

static const char *
options_uri_read_file(const char *rest, struct dtap__uri *uri)
{
	uri->scheme = DTAP__SCHEME_FILE;
	return options_uri_read_path(rest, uri);
}

static const char *
options_uri_read_unix(const char *rest, struct dtap__uri *uri)
{
	uri->scheme = DTAP__SCHEME_UNIX;
	return options_uri_read_path(rest, uri);
}

static const char *
options_uri_read_port(const char *text, in_port_t *port)
{
	uint64_t number;

	if (dtap__options_parse_decimal(text, &number) != DTAP_OK ||
	    number < 1 || number > UINT16_MAX)
		return "a port from 1 to 65535 must follow the address";
	*port = htons((uint16_t)number);
	return NULL;
}

/* Copies [from, end) and a zero; false when there is no room for them. */
static bool
options_uri_copy(const char *from, const char *end, char *to, size_t room)
{
	size_t bytes = (size_t)(end - from);

	if (bytes >= room)
		return false;
	memcpy(to, from, bytes);
	to[bytes] = '\0';
	return true;
}

static const char *
options_uri_read_ipv4(const char *rest, struct dtap__uri *uri)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	char numeric[OPTIONS_URI_ADDRESS_ROOM];
	const char *colon = strrchr(rest, ':');
	const char *end = colon != NULL ? colon : rest + strlen(rest);
	const char *why;

	if (!options_uri_copy(rest, end, numeric, sizeof(numeric)) ||
	    inet_pton(AF_INET, numeric, &address.sin_addr) != 1)
		return options_uri_numeric;
	why = options_uri_read_port(colon != NULL ? colon + 1 : "",
				    &address.sin_port);
	memcpy(&uri->address, &address, sizeof(address));
	uri->address_bytes = sizeof(address);
	return why;
}

/* scope points behind the '%', end to the ']'. */
static const char *
options_uri_read_scope(const char *scope, const char *end, uint32_t *index)
{
	char name[IF_NAMESIZE];

	if (options_uri_copy(scope, end, name, sizeof(name)))
		*index = if_nametoindex(name);
	return *index != 0 ? NULL
			   : "the name of an interface must follow the %";
}

/* [text, end) is what stands between the brackets. */
static const char *
options_uri_read_inside(const char *text, const char *end,
			struct sockaddr_in6 *address)
{
	char numeric[OPTIONS_URI_ADDRESS_ROOM];
	const char *percent = memchr(text, '%', (size_t)(end - text));
	bool scoped = percent != NULL;

	if (!options_uri_copy(text, scoped ? percent : end, numeric,
			      sizeof(numeric)) ||
	    inet_pton(AF_INET6, numeric, &address->sin6_addr) != 1)
		return options_uri_numeric;
	if (scoped != IN6_IS_ADDR_LINKLOCAL(&address->sin6_addr))
		return "link-local addresses, and no others, have a scope, as "
		       "in [fe80::1%eth0]";
	return scoped ? options_uri_read_scope(percent + 1, end,
					       &address->sin6_scope_id)
		      : NULL;
}

static const char *
options_uri_read_ipv6(const char *rest, struct dtap__uri *uri)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6 };
	const char *end = strchr(rest, ']');
	const char *why;

	if (end == NULL)
		return options_uri_numeric;
	why = options_uri_read_inside(rest + 1, end, &address);
	if (why == NULL)
		why = options_uri_read_port(end[1] == ':' ? end + 2 : "",
					    &address.sin6_port);
	memcpy(&uri->address, &address, sizeof(address));
	uri->address_bytes = sizeof(address);
	return why;
}

static const char *
options_uri_read_tcp(const char *rest, struct dtap__uri *uri)
{
	uri->scheme = DTAP__SCHEME_TCP;
	return *rest == '[' ? options_uri_read_ipv6(rest, uri)
			    : options_uri_read_ipv4(rest, uri);
}

static const char *
options_uri_read_tls(const char *rest, struct dtap__uri *uri)
{
	(void)rest;
	(void)uri;
	return "this build has no TLS output";
}

static const struct options_uri_scheme {
	const char *prefix;
	const char *(*read)(const char *rest, struct dtap__uri *uri);
} options_uri_schemes[] = {
	{ "file:", options_uri_read_file },
	{ "unix:", options_uri_read_unix },
	{ "tcp:", options_uri_read_tcp },
	{ "tls:", options_uri_read_tls },
};

enum dtap_result
dtap__options_uri_parse(const char *text, struct dtap__uri *uri,
			const char **why)
{
	struct dtap__uri parsed;

	memset(&parsed, 0, sizeof(parsed));
	*why = "file:PATH, unix:PATH, tcp:ADDRESS:PORT or "
	       "tcp:[IPV6-ADDRESS]:PORT";
	for (size_t i = 0; i < DTAP__COUNT_OF(options_uri_schemes); i++) {
		const struct options_uri_scheme *scheme =
			&options_uri_schemes[i];
		size_t bytes = strlen(scheme->prefix);

		if (strncmp(text, scheme->prefix, bytes) != 0)
			continue;
		*why = scheme->read(text + bytes, &parsed);
		if (*why != NULL)
			break;
		memcpy(parsed.text, text, strnlen(text,
						  sizeof(parsed.text) - 1));
		memcpy(uri, &parsed, sizeof(parsed));
		return DTAP_OK;
	}
	return DTAP_E_VALUE;
}

bool
dtap__options_uri_equal(const struct dtap__uri *a, const struct dtap__uri *b)
{
	return a->scheme == b->scheme && strcmp(a->path, b->path) == 0 &&
	       a->address_bytes == b->address_bytes &&
	       memcmp(&a->address, &b->address, a->address_bytes) == 0;
}
