/* SPDX-License-Identifier: Apache-2.0 */
#include "config/options_uri.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "support/support.h"

static struct dtap__uri
parsed(const char *text)
{
	struct dtap__uri uri;
	const char *why = "";
	enum dtap_result result;

	memset(&uri, 0xaa, sizeof(uri));
	result = dtap__options_uri_parse(text, &uri, &why);
	ck_assert_msg(result == DTAP_OK, "\"%s\" is refused: %s", text, why);
	return uri;
}

/* Refused, for a reason with these words in it, and the URI as it was. */
static void
refused(const char *text, const char *words)
{
	struct dtap__uri uri;
	struct dtap__uri before;
	const char *why = NULL;

	memset(&uri, 0xaa, sizeof(uri));
	memset(&before, 0xaa, sizeof(before));
	ck_assert_msg(dtap__options_uri_parse(text, &uri, &why) ==
			      DTAP_E_VALUE,
		      "\"%s\" is taken", text);
	ck_assert_ptr_nonnull(why);
	ck_assert_msg(strstr(why, words) != NULL, "\"%s\": \"%s\"", text, why);
	ck_assert_mem_eq(&uri, &before, sizeof(uri));
}

/* prefix and then bytes times 'x'; the caller frees it. */
static char *
long_uri(const char *prefix, size_t bytes)
{
	size_t prefix_bytes = strlen(prefix);
	char *text = malloc(prefix_bytes + bytes + 1);

	ck_assert_ptr_nonnull(text);
	memcpy(text, prefix, prefix_bytes);
	memset(text + prefix_bytes, 'x', bytes);
	text[prefix_bytes + bytes] = '\0';
	return text;
}

START_TEST(paths_are_taken_as_they_are)
{
	static const struct {
		const char *text;
		enum dtap__scheme scheme;
		const char *path;
	} cases[] = {
		{ "file:/var/log/x.fstrm", DTAP__SCHEME_FILE,
		  "/var/log/x.fstrm" },
		{ "file:x", DTAP__SCHEME_FILE, "x" },
		{ "file:../x y", DTAP__SCHEME_FILE, "../x y" },
		{ "file:/x-%Y%m%d.fstrm", DTAP__SCHEME_FILE,
		  "/x-%Y%m%d.fstrm" },
		{ "file:file:x", DTAP__SCHEME_FILE, "file:x" },
		{ "file:\xc3\xa4", DTAP__SCHEME_FILE, "\xc3\xa4" },
		{ "unix:/run/dnstap.sock", DTAP__SCHEME_UNIX,
		  "/run/dnstap.sock" },
		{ "unix:sock", DTAP__SCHEME_UNIX, "sock" },
	};

	for (size_t i = 0; i < DTAP__COUNT_OF(cases); i++) {
		struct dtap__uri uri = parsed(cases[i].text);

		ck_assert_int_eq(uri.scheme, cases[i].scheme);
		ck_assert_str_eq(uri.path, cases[i].path);
		ck_assert_uint_eq(uri.address_bytes, 0);
	}
}
END_TEST

START_TEST(a_path_has_an_end)
{
	static const struct {
		const char *prefix;
		size_t max;
		const char *words;
	} cases[] = {
		{ "file:", DTAP__PATH_BYTES_MAX, "4095" },
		{ "unix:", DTAP__PATH_BYTES_MAX, "4095" },
	};

	for (size_t i = 0; i < DTAP__COUNT_OF(cases); i++) {
		char *longest = long_uri(cases[i].prefix, cases[i].max);
		char *longer = long_uri(cases[i].prefix, cases[i].max + 1);
		char *huge = long_uri(cases[i].prefix, 1 << 20);
		struct dtap__uri uri = parsed(longest);

		ck_assert_uint_eq(strlen(uri.path), cases[i].max);
		refused(longer, cases[i].words);
		refused(huge, cases[i].words);
		free(longest);
		free(longer);
		free(huge);
	}
}
END_TEST

START_TEST(a_path_is_not_empty_and_printable)
{
	refused("file:", "a path must follow");
	refused("unix:", "a path must follow");
	refused("file:/a\nb", "no control characters");
	refused("file:\x1f", "no control characters");
	refused("file:\x7f", "no control characters");
	refused("unix:/run/\x1b[2J", "no control characters");
}
END_TEST

START_TEST(ipv4_is_numeric_with_a_port)
{
	struct dtap__uri uri = parsed("tcp:192.0.2.1:6000");
	struct sockaddr_in address;
	char numeric[INET_ADDRSTRLEN];

	ck_assert_int_eq(uri.scheme, DTAP__SCHEME_TCP);
	ck_assert_str_eq(uri.path, "");
	ck_assert_uint_eq(uri.address_bytes, sizeof(address));
	memcpy(&address, &uri.address, sizeof(address));
	ck_assert_int_eq(address.sin_family, AF_INET);
	ck_assert_int_eq(ntohs(address.sin_port), 6000);
	ck_assert_str_eq(inet_ntop(AF_INET, &address.sin_addr, numeric,
				   sizeof(numeric)),
			 "192.0.2.1");
}
END_TEST

START_TEST(ipv6_is_numeric_in_brackets_with_a_port)
{
	struct dtap__uri uri = parsed("tcp:[2001:db8::1]:65535");
	struct sockaddr_in6 address;
	char numeric[INET6_ADDRSTRLEN];

	ck_assert_int_eq(uri.scheme, DTAP__SCHEME_TCP);
	ck_assert_uint_eq(uri.address_bytes, sizeof(address));
	memcpy(&address, &uri.address, sizeof(address));
	ck_assert_int_eq(address.sin6_family, AF_INET6);
	ck_assert_int_eq(ntohs(address.sin6_port), 65535);
	ck_assert_uint_eq(address.sin6_scope_id, 0);
	ck_assert_str_eq(inet_ntop(AF_INET6, &address.sin6_addr, numeric,
				   sizeof(numeric)),
			 "2001:db8::1");
	parsed("tcp:[::1]:1");
	parsed("tcp:[::ffff:192.0.2.1]:1");
	parsed("tcp:[0001:0002:0003:0004:0005:0006:255.255.255.255]:1");
}
END_TEST

START_TEST(link_local_takes_the_name_of_an_interface)
{
	struct if_nameindex *interfaces = if_nameindex();
	struct sockaddr_in6 address;
	struct dtap__uri uri;
	char text[64];

	ck_assert_ptr_nonnull(interfaces);
	ck_assert_uint_ne(interfaces[0].if_index, 0);
	snprintf(text, sizeof(text), "tcp:[fe80::1%%%s]:53",
		 interfaces[0].if_name);
	uri = parsed(text);
	memcpy(&address, &uri.address, sizeof(address));
	ck_assert_uint_eq(address.sin6_scope_id, interfaces[0].if_index);
	snprintf(text, sizeof(text), "tcp:[2001:db8::1%%%s]:53",
		 interfaces[0].if_name);
	refused(text, "link-local addresses, and no others");
	if_freenameindex(interfaces);
	refused("tcp:[fe80::1]:53", "link-local addresses, and no others");
	refused("tcp:[fe80::1%]:53", "name of an interface");
	refused("tcp:[fe80::1%no-such-one]:53", "name of an interface");
	refused("tcp:[fe80::1%a-name-longer-than-interfaces-have]:53",
		"name of an interface");
}
END_TEST

START_TEST(names_are_not_looked_up)
{
	static const char *const texts[] = {
		"tcp:localhost:53",
		"tcp:localhost",
		"tcp:collector.example:6000",
		"tcp:",
		"tcp::53",
		"tcp:1.2.3:53",
		"tcp:1.2.3.4.5:53",
		"tcp:256.0.0.1:53",
		"tcp:0x7f.0.0.1:53",
		"tcp:2130706433:53",
		"tcp: 127.0.0.1:53",
		"tcp://127.0.0.1:53",
		"tcp:::1:53",
		"tcp:2001:db8::1:53",
		"tcp:[::1",
		"tcp:[]:53",
		"tcp:[127.0.0.1]:53",
		"tcp:[localhost]:53",
		"tcp:[::1 ]:53",
		"tcp:[[::1]]:53",
		"tcp:[:::1]:53",
	};
	char *huge4 = long_uri("tcp:", 1 << 20);
	char *huge6 = long_uri("tcp:[::1", 1 << 20);

	for (size_t i = 0; i < DTAP__COUNT_OF(texts); i++)
		refused(texts[i], "addresses are numeric");
	refused(huge4, "addresses are numeric");
	refused(huge6, "addresses are numeric");
	free(huge4);
	free(huge6);
}
END_TEST

/* Every length around the rooms that the pieces are copied into. */
START_TEST(pieces_of_any_length_are_refused)
{
	for (size_t bytes = 0; bytes < 80; bytes++) {
		char *ipv4 = long_uri("tcp:", bytes + 3);
		char *ipv6 = long_uri("tcp:[", bytes + 4);
		char *scope = long_uri("tcp:[fe80::1%", bytes + 4);

		memcpy(strchr(ipv4, '\0') - 3, ":53", 3);
		memcpy(strchr(ipv6, '\0') - 4, "]:53", 4);
		memcpy(strchr(scope, '\0') - 4, "]:53", 4);
		refused(ipv4, "addresses are numeric");
		refused(ipv6, "addresses are numeric");
		refused(scope, "name of an interface");
		free(ipv4);
		free(ipv6);
		free(scope);
	}
}
END_TEST

START_TEST(ports_go_from_1_to_65535)
{
	static const char *const ends[] = {
		"", ":", ":0", ":65536", ":-1", ":+1", ": 1", ":1 ", ":0x35",
		":domain", ":18446744073709551617", ":53:", "53", ":1K",
	};
	char text[64];

	parsed("tcp:127.0.0.1:1");
	parsed("tcp:127.0.0.1:65535");
	for (size_t i = 0; i < DTAP__COUNT_OF(ends); i++) {
		snprintf(text, sizeof(text), "tcp:[::1]%s", ends[i]);
		refused(text, "a port from 1 to 65535");
	}
	refused("tcp:127.0.0.1", "a port from 1 to 65535");
	refused("tcp:127.0.0.1:", "a port from 1 to 65535");
	refused("tcp:127.0.0.1:0", "a port from 1 to 65535");
	refused("tcp:127.0.0.1:65536", "a port from 1 to 65535");
	refused("tcp:127.0.0.1:53x", "a port from 1 to 65535");
}
END_TEST

START_TEST(other_schemes_are_refused_with_the_list)
{
	static const char *const texts[] = {
		"", ":", "fd:3", "/run/dnstap.sock", "FILE:x", "files:x",
		"udp:127.0.0.1:53", " file:x", "file", "http://x/",
	};

	for (size_t i = 0; i < DTAP__COUNT_OF(texts); i++)
		refused(texts[i], "file:PATH, unix:PATH, tcp:ADDRESS:PORT");
	refused("tls:192.0.2.1:6000", "this build has no TLS output");
}
END_TEST

START_TEST(equal_uris_name_the_same_place)
{
	static const char *const texts[] = {
		"file:x",	       "file:y",
		"unix:x",	       "tcp:192.0.2.1:6000",
		"tcp:192.0.2.1:6001",  "tcp:192.0.2.2:6000",
		"tcp:[2001:db8::1]:1", "tcp:[2001:db8::2]:1",
	};

	for (size_t i = 0; i < DTAP__COUNT_OF(texts); i++)
		for (size_t j = 0; j < DTAP__COUNT_OF(texts); j++) {
			struct dtap__uri a = parsed(texts[i]);
			struct dtap__uri b = parsed(texts[j]);

			ck_assert(dtap__options_uri_equal(&a, &b) == (i == j));
		}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("options_uri");

	support_add(suite, paths_are_taken_as_they_are);
	support_add(suite, a_path_has_an_end);
	support_add(suite, a_path_is_not_empty_and_printable);
	support_add(suite, ipv4_is_numeric_with_a_port);
	support_add(suite, ipv6_is_numeric_in_brackets_with_a_port);
	support_add(suite, link_local_takes_the_name_of_an_interface);
	support_add(suite, names_are_not_looked_up);
	support_add(suite, pieces_of_any_length_are_refused);
	support_add(suite, ports_go_from_1_to_65535);
	support_add(suite, other_schemes_are_refused_with_the_list);
	support_add(suite, equal_uris_name_the_same_place);
	return support_run(suite);
}
