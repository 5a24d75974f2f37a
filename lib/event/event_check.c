/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event_check.c: see event_check.h.
 *
 * An event comes from a caller who may have left a field uninitialised or was
 * compiled against another release. Everything that the encoder relies on is
 * looked at here, so that the encoder itself never has to doubt: first the
 * size, because it says which octets may be read at all, then what is wrong
 * with the fields, then what is merely too long.
 *
 * One structure per release would be the alternative to a size in front; it
 * would need one function for each of them.
 */
#include "event/event_check.h"

#include <stdbool.h>
#include <string.h>

#define EVENT_NSEC_MAX 999999999u
#define EVENT_SECONDS_MAX (UINT64_MAX >> 1)

/* The structures as the first release had them. */
#define EVENT_BYTES_FIRST (offsetof(struct dtap_event, reserved_tail) + 4)
#define EVENT_POLICY_BYTES_FIRST (offsetof(struct dtap_policy, reserved) + 6)

/* Whether a structure of that size can be read as one of known_bytes. */
static bool
event_size_valid(const void *structure, size_t size, size_t first_bytes,
		 size_t known_bytes)
{
	const uint8_t *octets = structure;

	if (size < first_bytes || size > DTAP__STRUCT_BYTES_MAX)
		return false;
	for (size_t i = known_bytes; i < size; i++)
		if (octets[i] != 0)
			return false;
	return true;
}

static bool
event_address_valid(const struct dtap_event *event, const void *address,
		    unsigned int bytes)
{
	if (bytes == 0)
		return true;
	if (address == NULL)
		return false;
	return (event->socket_family == DTAP_INET && bytes == 4) ||
	       (event->socket_family == DTAP_INET6 && bytes == 16);
}

static bool
event_enums_valid(const struct dtap_event *event)
{
	return event->type >= DTAP_AUTH_QUERY &&
	       event->type <= DTAP_UPDATE_RESPONSE &&
	       event->socket_family <= DTAP_INET6 &&
	       event->socket_protocol <= DTAP_DOQ &&
	       event->http_protocol <= DTAP_HTTP3;
}

static bool
event_times_valid(const struct dtap_event *event)
{
	return event->query_time_nsec <= EVENT_NSEC_MAX &&
	       event->response_time_nsec <= EVENT_NSEC_MAX &&
	       event->query_time_sec <= EVENT_SECONDS_MAX &&
	       event->response_time_sec <= EVENT_SECONDS_MAX;
}

static bool
event_octets_valid(const void *octets, uint32_t bytes)
{
	return octets != NULL || bytes == 0;
}

static bool
event_policy_valid(const struct dtap_policy *policy)
{
	static const uint8_t zero[sizeof(policy->reserved)];

	return event_size_valid(policy, policy->size,
				EVENT_POLICY_BYTES_FIRST, sizeof(*policy)) &&
	       policy->action <= DTAP_ACTION_LOCAL_DATA &&
	       policy->match <= DTAP_MATCH_NS_IP &&
	       event_octets_valid(policy->rule, policy->rule_bytes) &&
	       event_octets_valid(policy->value, policy->value_bytes) &&
	       memcmp(policy->reserved, zero, sizeof(zero)) == 0;
}

static bool
event_fields_valid(const struct dtap_event *event)
{
	return event_enums_valid(event) && event_times_valid(event) &&
	       event_address_valid(event, event->query_address,
				   event->query_address_bytes) &&
	       event_address_valid(event, event->response_address,
				   event->response_address_bytes) &&
	       event_octets_valid(event->query_message,
				  event->query_message_bytes) &&
	       event_octets_valid(event->response_message,
				  event->response_message_bytes) &&
	       event_octets_valid(event->query_zone,
				  event->query_zone_bytes) &&
	       event_octets_valid(event->extra, event->extra_bytes) &&
	       (event->policy == NULL || event_policy_valid(event->policy)) &&
	       event->reserved == 0 && event->reserved_tail == 0;
}

/* Octets that the policy adds to the metadata; a text is read up to max. */
static uint64_t
event_policy_bytes(const struct dtap_policy *policy, size_t max)
{
	uint64_t bytes;

	if (policy == NULL)
		return 0;
	bytes = (uint64_t)policy->rule_bytes + policy->value_bytes;
	if (policy->type != NULL)
		bytes += strnlen(policy->type, max + 1);
	return bytes;
}

static bool
event_fits(const struct dtap_event *event, size_t own_metadata_max)
{
	uint64_t own = (uint64_t)event->query_zone_bytes + event->extra_bytes +
		       event_policy_bytes(event->policy, own_metadata_max);

	return event->query_message_bytes <= DTAP_MESSAGE_BYTES_MAX &&
	       event->response_message_bytes <= DTAP_MESSAGE_BYTES_MAX &&
	       event->query_zone_bytes <= DTAP__ZONE_BYTES_MAX &&
	       own <= own_metadata_max;
}

enum dtap_result
dtap__event_check(const struct dtap_event *event, size_t own_metadata_max,
		  struct dtap_event *room, const struct dtap_event **normal)
{
	if (!event_size_valid(event, event->size, EVENT_BYTES_FIRST,
			      sizeof(*event)))
		return DTAP_E_INVALID;
	if (!event_fields_valid(event))
		return DTAP_E_INVALID;
	if (!event_fits(event, own_metadata_max))
		return DTAP_E_TOO_BIG;
	*normal = event;
	if (event->size != sizeof(*event)) {
		*room = *event;
		room->size = sizeof(*room);
		*normal = room;
	}
	return DTAP_OK;
}
