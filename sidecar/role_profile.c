/* SPDX-License-Identifier: Apache-2.0 */
/*
 * role_profile.c: see role_profile.h.
 *
 * dig, host, nslookup, delv and named all run their network threads under
 * the comm "isc-net-0000" or "isc-loop-0000": only the executable's name
 * tells them apart.
 */
#include "sidecar/role_profile.h"

#include <stddef.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *name;
	enum role role;
} profiles[] = {
	{ "named", ROLE_LEARN },
	{ "gdnsd", ROLE_AUTH },
	{ "knotd", ROLE_AUTH },
	{ "nsd", ROLE_AUTH },
	{ "pdns_server", ROLE_AUTH },
	{ "rbldnsd", ROLE_AUTH },
	{ "tinydns", ROLE_AUTH },
	{ "yadifad", ROLE_AUTH },
	{ "dnscache", ROLE_RECURSIVE },
	{ "kresd", ROLE_RECURSIVE },
	{ "pdns_recursor", ROLE_RECURSIVE },
	{ "unbound", ROLE_RECURSIVE },
	{ "coredns", ROLE_FORWARDER },
	{ "dnscrypt-proxy", ROLE_FORWARDER },
	{ "dnsdist", ROLE_FORWARDER },
	{ "dnsmasq", ROLE_FORWARDER },
	{ "pihole-FTL", ROLE_FORWARDER },
	{ "stubby", ROLE_FORWARDER },
	{ "systemd-resolved", ROLE_FORWARDER },
	{ "nscd", ROLE_STUB },
	{ "delv", ROLE_TOOL },
	{ "dig", ROLE_TOOL },
	{ "dnsperf", ROLE_TOOL },
	{ "dnspyre", ROLE_TOOL },
	{ "dog", ROLE_TOOL },
	{ "doggo", ROLE_TOOL },
	{ "drill", ROLE_TOOL },
	{ "flame", ROLE_TOOL },
	{ "host", ROLE_TOOL },
	{ "kdig", ROLE_TOOL },
	{ "khost", ROLE_TOOL },
	{ "knsupdate", ROLE_TOOL },
	{ "massdns", ROLE_TOOL },
	{ "nslookup", ROLE_TOOL },
	{ "nsupdate", ROLE_TOOL },
	{ "q", ROLE_TOOL },
	{ "queryperf", ROLE_TOOL },
	{ "resperf", ROLE_TOOL },
	{ "unbound-host", ROLE_TOOL },
	{ "zdns", ROLE_TOOL },
};

static const char *const role_names[] = {
	[ROLE_LEARN] = "learn",
	[ROLE_AUTH] = "auth",
	[ROLE_RECURSIVE] = "recursive",
	[ROLE_FORWARDER] = "forwarder",
	[ROLE_STUB] = "stub",
	[ROLE_TOOL] = "tool",
};

bool
role_profile_find(const char *name, bool whole, enum role *role)
{
	size_t bytes = strlen(name);

	for (size_t i = 0; i < COUNT_OF(profiles); i++) {
		const char *known = profiles[i].name;

		if (strcmp(name, known) == 0 ||
		    (!whole && bytes == PACKET_COMM_BYTES - 1 &&
		     strncmp(name, known, bytes) == 0)) {
			*role = profiles[i].role;
			return true;
		}
	}
	return false;
}

bool
role_profile_parse(const char *text, enum role *role)
{
	for (size_t i = 0; i < COUNT_OF(role_names); i++) {
		if (strcmp(text, role_names[i]) == 0) {
			*role = (enum role)i;
			return true;
		}
	}
	return false;
}
