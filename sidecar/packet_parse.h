/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packet_parse.h: from the octets of a frame, as they are on a wire from the
 * IP header on, to a payload of UDP or TCP. Pure; the octets are hostile.
 */
#ifndef DTAP_SIDECAR_PACKET_PARSE_H
#define DTAP_SIDECAR_PACKET_PARSE_H

#include <stddef.h>
#include <stdint.h>

#include "sidecar/packet.h"

struct packet_parts {
	struct packet_endpoint source;
	struct packet_endpoint destination;
	uint8_t family;    /* enum dtap_socket_family */
	uint8_t protocol;  /* PACKET_UDP or PACKET_TCP */
	uint8_t tcp_flags; /* enum packet_flag */
	uint32_t tcp_sequence;
	size_t payload_bytes;
	const uint8_t *payload; /* within the frame */
};

enum packet_parse_result {
	PACKET_PARSE_DONE,
	/* Neither UDP nor TCP; a fragment that is not the first. */
	PACKET_PARSE_FOREIGN,
	/* The headers say more than there is; a first fragment. */
	PACKET_PARSE_SHORT
};

/* *parts is to be looked at only after PACKET_PARSE_DONE. */
enum packet_parse_result
packet_parse(const uint8_t *frame, size_t bytes, struct packet_parts *parts);

#endif
