/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_uri.c: any text as the URI of an output.
 *
 * What must hold:
 *  - what is refused has a reason, and changes nothing;
 *  - a path is what follows the colon, at most 4,095 octets and no control
 *    characters;
 *  - an address, written out again, is a URI of the same address; its port is
 *    not 0; only link-local addresses have a scope;
 *  - the text for logs is how the URI begins;
 *  - what is taken is equal to itself and to no file of another path.
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/options_uri.h"
#include "fuzz.h"

struct parsing {
	const char *text;
	size_t bytes;
	enum dtap_result result;
	const char *why;
	struct dtap__uri uri;
};

static size_t
parse(void *context)
{
	struct parsing *parsing = context;

	memset(&parsing->uri, 0xa5, sizeof(parsing->uri));
	parsing->why = "";
	parsing->result = dtap__options_uri_parse(
		parsing->text, &parsing->uri, &parsing->why);
	return parsing->bytes;
}

static void
check_path(const struct parsing *parsing, const char *scheme)
{
	const char *path = parsing->uri.path;

	FUZZ_EXPECT(strncmp(parsing->text, scheme, strlen(scheme)) == 0);
	FUZZ_EXPECT(strcmp(parsing->text + strlen(scheme), path) == 0);
	FUZZ_EXPECT(path[0] != '\0' && strlen(path) <= DTAP__PATH_BYTES_MAX);
	for (; *path != '\0'; path++)
		FUZZ_EXPECT((unsigned char)*path >= 0x20 && *path != 0x7f);
	FUZZ_EXPECT(parsing->uri.address_bytes == 0);
}

static void
write_ipv4(const struct dtap__uri *uri, char *text, size_t room)
{
	char numeric[INET_ADDRSTRLEN];
	struct sockaddr_in address;

	FUZZ_EXPECT(uri->address_bytes == sizeof(address));
	memcpy(&address, &uri->address, sizeof(address));
	FUZZ_EXPECT(address.sin_port != 0);
	inet_ntop(AF_INET, &address.sin_addr, numeric, sizeof(numeric));
	snprintf(text, room, "tcp:%s:%u", numeric, ntohs(address.sin_port));
}

static void
write_ipv6(const struct dtap__uri *uri, char *text, size_t room)
{
	char numeric[INET6_ADDRSTRLEN];
	char scope[1 + IF_NAMESIZE] = "%";
	struct sockaddr_in6 address;
	bool local;

	FUZZ_EXPECT(uri->address_bytes == sizeof(address));
	memcpy(&address, &uri->address, sizeof(address));
	local = IN6_IS_ADDR_LINKLOCAL(&address.sin6_addr);
	FUZZ_EXPECT(address.sin6_port != 0);
	FUZZ_EXPECT((address.sin6_scope_id != 0) == local);
	FUZZ_EXPECT(!local ||
		    if_indextoname(address.sin6_scope_id, scope + 1) != NULL);
	inet_ntop(AF_INET6, &address.sin6_addr, numeric, sizeof(numeric));
	snprintf(text, room, "tcp:[%s%s]:%u", numeric, local ? scope : "",
		 ntohs(address.sin6_port));
}

static void
check_address(const struct dtap__uri *uri)
{
	struct parsing again;
	char text[128];

	FUZZ_EXPECT(uri->path[0] == '\0');
	if (uri->address.ss_family == AF_INET)
		write_ipv4(uri, text, sizeof(text));
	else
		write_ipv6(uri, text, sizeof(text));
	again.text = text;
	again.bytes = strlen(text);
	parse(&again);
	FUZZ_EXPECT(again.result == DTAP_OK);
	FUZZ_EXPECT(dtap__options_uri_equal(uri, &again.uri));
}

static void
check_taken(const struct parsing *parsing)
{
	const struct dtap__uri *uri = &parsing->uri;
	struct dtap__uri other = { .scheme = DTAP__SCHEME_FILE };
	size_t shown = strlen(uri->text);

	if (uri->scheme == DTAP__SCHEME_FILE) {
		check_path(parsing, "file:");
	} else if (uri->scheme == DTAP__SCHEME_UNIX) {
		check_path(parsing, "unix:");
	} else {
		FUZZ_EXPECT(uri->scheme == DTAP__SCHEME_TCP);
		check_address(uri);
	}
	FUZZ_EXPECT(strncmp(uri->text, parsing->text, shown) == 0);
	FUZZ_EXPECT(shown == sizeof(uri->text) - 1 ||
		    parsing->text[shown] == '\0');
	FUZZ_EXPECT(dtap__options_uri_equal(uri, uri));
	FUZZ_EXPECT(!dtap__options_uri_equal(uri, &other));
}

void
fuzz_input(const uint8_t *data, size_t bytes)
{
	char *text = malloc(bytes + 1);
	struct parsing parsing = { .text = text, .bytes = bytes };

	FUZZ_EXPECT(text != NULL);
	if (bytes > 0)
		memcpy(text, data, bytes);
	text[bytes] = '\0';
	fuzz_measure(parse, &parsing);
	if (parsing.result == DTAP_OK) {
		check_taken(&parsing);
	} else {
		struct dtap__uri untouched;

		memset(&untouched, 0xa5, sizeof(untouched));
		FUZZ_EXPECT(parsing.result == DTAP_E_VALUE);
		FUZZ_EXPECT(parsing.why != NULL && parsing.why[0] != '\0');
		FUZZ_EXPECT(memcmp(&parsing.uri, &untouched,
				   sizeof(untouched)) == 0);
	}
	free(text);
}
