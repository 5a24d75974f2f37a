/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packet_view.c: at which end of a conversation a frame was seen.
 */
#include "sidecar/packet_view.h"

#include <string.h>

#include <dnstap/event.h>

#define TWIN_PAYLOAD_BYTES 64
#define TWIN_WORDS (8 + TWIN_PAYLOAD_BYTES / 8)

static bool
is_local(const struct packet_view *view, uint8_t family,
	 const struct packet_endpoint *endpoint)
{
	const struct packet_view_address *address = view->addresses;

	for (size_t i = 0; i < view->addresses_count; i++, address++)
		if (address->family == family &&
		    memcmp(address->octets, endpoint->address,
			   sizeof(address->octets)) == 0)
			return true;
	return false;
}

static bool
is_group(uint8_t family, const struct packet_endpoint *endpoint)
{
	return family == DTAP_INET ? endpoint->address[0] >= 0xe0 :
				     endpoint->address[0] == 0xff;
}

static bool
is_wanted(const struct packet_view *view, uint16_t port)
{
	for (size_t i = 0; i < view->ports_count; i++)
		if (view->ports[i] == port)
			return true;
	return false;
}

/* false: it is seen, or was seen, elsewhere. */
static bool
find_direction(const struct packet_view *view,
	       const struct packet_view_frame *frame,
	       const struct packet_parts *parts,
	       enum packet_direction *direction)
{
	bool from_here = frame->loopback ||
			 is_local(view, parts->family, &parts->source);

	*direction = frame->leaves ? PACKET_SENT : PACKET_RECEIVED;
	if (frame->leaves)
		return from_here;
	if (frame->loopback || is_group(parts->family, &parts->destination) ||
	    is_local(view, parts->family, &parts->destination))
		return true;
	if (from_here)
		return false;
	if (!is_wanted(view, parts->destination.port))
		*direction = PACKET_SENT;
	return true;
}

static bool
is_twin(struct packet_view *view, const struct packet *packet)
{
	uint64_t words[TWIN_WORDS] = { 0 };
	size_t bytes = packet->payload_bytes;
	uint64_t hash;
	size_t slot;
	bool twin;

	words[0] = (uint64_t)packet->direction << 32 |
		   (uint64_t)packet->family << 24 |
		   (uint64_t)packet->protocol << 16 | packet->tcp_flags;
	words[1] = (uint64_t)packet->tcp_sequence << 32 | bytes;
	words[2] = (uint64_t)packet->local.port << 16 | packet->remote.port;
	memcpy(&words[3], packet->local.address, 16);
	memcpy(&words[5], packet->remote.address, 16);
	memcpy(&words[7], packet->payload,
	       bytes < TWIN_PAYLOAD_BYTES ? bytes : TWIN_PAYLOAD_BYTES);
	hash = socket_id_words(view->key, words, TWIN_WORDS);
	slot = hash % PACKET_VIEW_RECENT;
	twin = view->recent[slot].hash == hash &&
	       packet->time_ns - view->recent[slot].time_ns <
		       PACKET_VIEW_TWIN_NS;
	view->recent[slot].hash = hash;
	view->recent[slot].time_ns = packet->time_ns;
	return twin;
}

bool
packet_view_end(struct packet_view *view,
		const struct packet_view_frame *frame,
		const struct packet_parts *parts, struct packet *packet)
{
	enum packet_direction direction;
	bool sent;

	if (!(is_wanted(view, parts->source.port) ||
	      is_wanted(view, parts->destination.port)) ||
	    !find_direction(view, frame, parts, &direction))
		return false;
	sent = direction == PACKET_SENT;
	memset(packet, 0, sizeof(*packet));
	packet->time_ns = frame->time_ns;
	packet->local = sent ? parts->source : parts->destination;
	packet->remote = sent ? parts->destination : parts->source;
	packet->family = parts->family;
	packet->protocol = parts->protocol;
	packet->direction = direction;
	packet->tcp_flags = parts->tcp_flags;
	packet->tcp_sequence = parts->tcp_sequence;
	packet->payload = parts->payload;
	packet->payload_bytes = parts->payload_bytes;
	if (is_twin(view, packet))
		return false;
	packet->socket = packet->protocol == PACKET_UDP ?
				 socket_id_local(view->key, packet) :
				 socket_id_connection(view->key, packet);
	return true;
}
