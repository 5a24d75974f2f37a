/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quiet_packet.h: which DNS messages `dnstap-ldns -q` can read.
 */
#ifndef DTAP_TOOLS_QUIET_PACKET_H
#define DTAP_TOOLS_QUIET_PACKET_H

#include "cat/dns_message.h"

/*
 * Reads the whole message as ldns does; true with its first question, false
 * where dnstap-ldns prints question marks.
 */
bool
quiet_packet_read(const uint8_t *octets, size_t bytes,
		  struct dns_question *question);

#endif
