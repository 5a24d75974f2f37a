/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event_check.h: is this event one that may be encoded?
 *
 * The full check of every field; the plain way of the encoder skips it for
 * shapes it has seen (encode_message.h). Reads only the structure itself, the
 * policy it points to and the text of the policy's type, never what the other
 * pointers lead to.
 *
 * Pure. Used by tap.
 */
#ifndef DTAP_EVENT_EVENT_CHECK_H
#define DTAP_EVENT_EVENT_CHECK_H

#include <dnstap/event.h>

/* A name in wire format (RFC 1035 section 3.1). */
#define DTAP__ZONE_BYTES_MAX 255u
/* A structure that says it is larger than this was never initialised. */
#define DTAP__STRUCT_BYTES_MAX 1024u

/*
 * DTAP_OK; DTAP_E_INVALID: size too small, or larger with a tail that is not
 * zero; type not 1..14; family, protocol, http_protocol, policy action or
 * match out of their enumerations; an address whose length is not the
 * family's (a family without addresses is fine, an address without a family
 * is not); NULL with a length; nanoseconds >= 10^9; seconds >= 2^63;
 * reserved fields not zero. DTAP_E_TOO_BIG: a message above
 * DTAP_MESSAGE_BYTES_MAX, a zone above 255, or zone + policy + extra beyond
 * what DTAP_METADATA_BYTES_MAX leaves beside the configured strings
 * (own_metadata_max).
 *
 * On success *normal points to an event of this version's size: the event
 * itself, or *room, a copy of an event that another version has made.
 */
enum dtap_result
dtap__event_check(const struct dtap_event *event, size_t own_metadata_max,
		  struct dtap_event *room, const struct dtap_event **normal);

#endif
