/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event_names.c: the words for the numbers of dnstap.proto.
 *
 * Indexed by the number itself. The two letters are the ones that operators
 * know from the dnstap tools: who (Authoritative, Resolver, Client,
 * Forwarder, Stub, Tool, Update), then Query or Response.
 *
 * Static tables; any thread.
 */
#include <dnstap/event.h>

#include "base/compiler.h"

static const struct {
	const char *mnemonic;
	const char *name;
} event_types[] = {
	{"??", NULL},
	{"AQ", "AUTH_QUERY"},
	{"AR", "AUTH_RESPONSE"},
	{"RQ", "RESOLVER_QUERY"},
	{"RR", "RESOLVER_RESPONSE"},
	{"CQ", "CLIENT_QUERY"},
	{"CR", "CLIENT_RESPONSE"},
	{"FQ", "FORWARDER_QUERY"},
	{"FR", "FORWARDER_RESPONSE"},
	{"SQ", "STUB_QUERY"},
	{"SR", "STUB_RESPONSE"},
	{"TQ", "TOOL_QUERY"},
	{"TR", "TOOL_RESPONSE"},
	{"UQ", "UPDATE_QUERY"},
	{"UR", "UPDATE_RESPONSE"},
};

static const char *const event_protocols[] = {
	NULL, "UDP", "TCP", "DOT", "DOH", "DNSCryptUDP", "DNSCryptTCP", "DOQ",
};

const char *
dtap_message_type_mnemonic(unsigned int type)
{
	return event_types[type < DTAP__COUNT_OF(event_types) ? type : 0]
		.mnemonic;
}

const char *
dtap_message_type_name(unsigned int type)
{
	return event_types[type < DTAP__COUNT_OF(event_types) ? type : 0].name;
}

const char *
dtap_socket_protocol_name(unsigned int protocol)
{
	return protocol < DTAP__COUNT_OF(event_protocols)
		       ? event_protocols[protocol]
		       : NULL;
}
