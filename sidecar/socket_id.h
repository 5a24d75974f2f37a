/* SPDX-License-Identifier: Apache-2.0 */
/*
 * socket_id.h: a name for what is known by its addresses only.
 *
 * The segments of a connection belong to a listener, then to a request, then
 * to the accepted socket; a frame on a wire belongs to no socket at all. What
 * stays the same are the addresses, the ports and the network namespace. The
 * name is SipHash-2-4 of these under a key of this process, so that no peer
 * can find two connections with one name.
 */
#ifndef DTAP_SIDECAR_SOCKET_ID_H
#define DTAP_SIDECAR_SOCKET_ID_H

#include <stddef.h>
#include <stdint.h>

#include "sidecar/packet.h"

struct socket_id_key {
	uint64_t half[2];
};

/* SipHash-2-4 of words. */
uint64_t
socket_id_words(const struct socket_id_key *key, const uint64_t *words,
		size_t count);

/* Of a packet of a connection: never the number of a socket's cookie. */
uint64_t
socket_id_connection(const struct socket_id_key *key,
		     const struct packet *packet);

/* Of a datagram: its own end only. */
uint64_t
socket_id_local(const struct socket_id_key *key, const struct packet *packet);

#endif
