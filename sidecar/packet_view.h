/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packet_view.h: at which end of a conversation a frame was seen.
 *
 * What is one packet to a socket may be several frames to who watches all
 * interfaces. So that a message comes once for each end that is this host:
 *
 *   on the loopback   what leaves was sent, what arrives was received
 *   from here         sent, when it leaves
 *   to here           received, when it arrives; so is what goes to a group
 *   forwarded         when it arrives: as the end with a wanted port sees it
 *   all else          is the same once more
 *
 * A frame that comes to a port of a bridge comes to the bridge as well: what
 * was seen less than a millisecond ago is not seen again. Pure.
 */
#ifndef DTAP_SIDECAR_PACKET_VIEW_H
#define DTAP_SIDECAR_PACKET_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sidecar/packet.h"
#include "sidecar/packet_parse.h"
#include "sidecar/socket_id.h"

#define PACKET_VIEW_ADDRESSES_MAX 1024
#define PACKET_VIEW_RECENT 1024 /* a power of two */
#define PACKET_VIEW_TWIN_NS 1000000

struct packet_view_address {
	uint8_t octets[16]; /* as in struct packet_endpoint */
	uint8_t family;     /* enum dtap_socket_family */
};

struct packet_view {
	const uint16_t *ports;
	size_t ports_count;
	const struct socket_id_key *key;
	/* Of this host. */
	size_t addresses_count;
	struct packet_view_address addresses[PACKET_VIEW_ADDRESSES_MAX];
	struct {
		uint64_t hash;
		uint64_t time_ns;
	} recent[PACKET_VIEW_RECENT];
};

/* How a frame was met. */
struct packet_view_frame {
	uint64_t time_ns;
	bool leaves; /* else it arrives */
	bool loopback;
};

/* Fills in *packet, but for its owner; false when the frame is not to be
 * looked at. */
bool
packet_view_end(struct packet_view *view,
		const struct packet_view_frame *frame,
		const struct packet_parts *parts, struct packet *packet);

#endif
