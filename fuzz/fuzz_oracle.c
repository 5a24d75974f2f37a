/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_oracle.c: see fuzz_oracle.h.
 *
 * What reader_message.c decides where protobuf leaves room: enumerations and
 * ports keep the low 32 bits and are clamped, addresses above 255 octets count
 * as empty.
 */
#include "fuzz_oracle.h"

#include <string.h>

static bool
has_bit(const struct dtap_message *ours, unsigned int field)
{
	return (ours->present >> field & 1) != 0;
}

static bool
same_number(uint64_t ours, bool has, uint64_t theirs, uint64_t max)
{
	if (!has)
		return ours == 0;
	return ours == (theirs < max ? theirs : max);
}

static bool
same_enum(unsigned int ours, bool has, int theirs)
{
	return same_number(ours, has, (uint32_t)theirs, UINT8_MAX);
}

static bool
same_octets(const void *ours, size_t bytes, bool has,
	    const ProtobufCBinaryData *theirs, bool merged)
{
	if (merged && ours != NULL && bytes == 0)
		return true;
	if ((ours != NULL) != has)
		return false;
	if (!has)
		return bytes == 0;
	return bytes == theirs->len &&
	       (bytes == 0 || memcmp(ours, theirs->data, bytes) == 0);
}

/* Its present bit tells whether it was there. */
static bool
same_address(const void *ours, size_t bytes, bool present, bool has,
	     const ProtobufCBinaryData *theirs, bool merged)
{
	if (merged && present && bytes == 0)
		return true;
	if (present != has)
		return false;
	if (has && ours == NULL)
		return bytes == 0 && theirs->len > UINT8_MAX;
	return same_octets(ours, bytes, has, theirs, merged);
}

/* A string of protobuf-c ends at its first zero. */
static bool
same_string(const struct dtap_bytes *ours, const char *theirs)
{
	if (theirs == NULL)
		return ours->data == NULL;
	return ours->data != NULL && strlen(theirs) <= ours->bytes &&
	       memcmp(ours->data, theirs, strlen(theirs)) == 0;
}

static bool
same_policy(const struct dtap_message *ours, const Dnstap__Policy *theirs,
	    bool merged)
{
	const struct dtap_policy *p = &ours->policy;

	if (theirs == NULL)
		return ours->event.policy == NULL && !has_bit(ours, 15);
	return ours->event.policy == p && has_bit(ours, 15) &&
	       same_string(&ours->policy_type, theirs->type) &&
	       same_octets(p->rule, p->rule_bytes, theirs->has_rule,
			   &theirs->rule, merged) &&
	       same_octets(p->value, p->value_bytes, theirs->has_value,
			   &theirs->value, merged) &&
	       same_enum(p->action, theirs->has_action, theirs->action) &&
	       same_enum(p->match, theirs->has_match, theirs->match);
}

static bool
same_transport(const struct dtap_message *ours, const Dnstap__Message *theirs)
{
	const struct dtap_event *e = &ours->event;

	return has_bit(ours, 1) && same_enum(e->type, true, theirs->type) &&
	       has_bit(ours, 2) == theirs->has_socket_family &&
	       same_enum(e->socket_family, theirs->has_socket_family,
			 theirs->socket_family) &&
	       has_bit(ours, 3) == theirs->has_socket_protocol &&
	       same_enum(e->socket_protocol, theirs->has_socket_protocol,
			 theirs->socket_protocol) &&
	       has_bit(ours, 16) == theirs->has_http_protocol &&
	       same_enum(e->http_protocol, theirs->has_http_protocol,
			 theirs->http_protocol) &&
	       has_bit(ours, 6) == theirs->has_query_port &&
	       same_number(e->query_port, theirs->has_query_port,
			   theirs->query_port, UINT16_MAX) &&
	       has_bit(ours, 7) == theirs->has_response_port &&
	       same_number(e->response_port, theirs->has_response_port,
			   theirs->response_port, UINT16_MAX);
}

static bool
same_times(const struct dtap_message *ours, const Dnstap__Message *theirs)
{
	const struct dtap_event *e = &ours->event;

	return has_bit(ours, 8) == theirs->has_query_time_sec &&
	       same_number(e->query_time_sec, theirs->has_query_time_sec,
			   theirs->query_time_sec, UINT64_MAX) &&
	       has_bit(ours, 9) == theirs->has_query_time_nsec &&
	       same_number(e->query_time_nsec, theirs->has_query_time_nsec,
			   theirs->query_time_nsec, UINT32_MAX) &&
	       has_bit(ours, 12) == theirs->has_response_time_sec &&
	       same_number(e->response_time_sec, theirs->has_response_time_sec,
			   theirs->response_time_sec, UINT64_MAX) &&
	       has_bit(ours, 13) == theirs->has_response_time_nsec &&
	       same_number(e->response_time_nsec,
			   theirs->has_response_time_nsec,
			   theirs->response_time_nsec, UINT32_MAX);
}

static bool
same_message_octets(const struct dtap_message *ours,
		    const Dnstap__Message *theirs, bool merged)
{
	const struct dtap_event *e = &ours->event;

	return same_address(e->query_address, e->query_address_bytes,
			    has_bit(ours, 4), theirs->has_query_address,
			    &theirs->query_address, merged) &&
	       same_address(e->response_address, e->response_address_bytes,
			    has_bit(ours, 5), theirs->has_response_address,
			    &theirs->response_address, merged) &&
	       same_octets(e->query_message, e->query_message_bytes,
			   theirs->has_query_message, &theirs->query_message,
			   merged) &&
	       same_octets(e->query_zone, e->query_zone_bytes,
			   theirs->has_query_zone, &theirs->query_zone,
			   merged) &&
	       same_octets(e->response_message, e->response_message_bytes,
			   theirs->has_response_message,
			   &theirs->response_message, merged);
}

bool
oracle_agrees(const struct dtap_message *ours, const Dnstap__Dnstap *theirs,
	      bool merged)
{
	const Dnstap__Message *message = theirs->message;

	if (!same_octets(ours->identity.data, ours->identity.bytes,
			 theirs->has_identity, &theirs->identity, false) ||
	    !same_octets(ours->version.data, ours->version.bytes,
			 theirs->has_version, &theirs->version, false) ||
	    !same_octets(ours->extra.data, ours->extra.bytes,
			 theirs->has_extra, &theirs->extra, false) ||
	    !same_octets(ours->event.extra, ours->event.extra_bytes,
			 theirs->has_extra, &theirs->extra, false) ||
	    ours->dnstap_type != (uint32_t)theirs->type)
		return false;
	if (message == NULL)
		return ours->present == 0;
	return same_transport(ours, message) && same_times(ours, message) &&
	       same_message_octets(ours, message, merged) &&
	       same_policy(ours, message->policy, merged);
}
