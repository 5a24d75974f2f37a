/* SPDX-License-Identifier: Apache-2.0 */
/*
 * socket_id.c: SipHash-2-4 (Aumasson and Bernstein, 2012) of what names a
 * connection. The words are hashed as they are: the result is for this
 * process alone, so octet order does not matter.
 */
#include "sidecar/socket_id.h"

#include <stdbool.h>
#include <string.h>

#define COOKIE_NEVER (UINT64_C(1) << 63)
#define WORDS_MAX 7

static uint64_t
rotate_left(uint64_t value, unsigned bits)
{
	return value << bits | value >> (64 - bits);
}

static void
siphash_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate_left(v[1], 13) ^ v[0];
	v[0] = rotate_left(v[0], 32);
	v[2] += v[3];
	v[3] = rotate_left(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate_left(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate_left(v[1], 17) ^ v[2];
	v[2] = rotate_left(v[2], 32);
}

uint64_t
socket_id_words(const struct socket_id_key *key, const uint64_t *words,
		size_t count)
{
	uint64_t v[4] = {
		key->half[0] ^ UINT64_C(0x736f6d6570736575),
		key->half[1] ^ UINT64_C(0x646f72616e646f6d),
		key->half[0] ^ UINT64_C(0x6c7967656e657261),
		key->half[1] ^ UINT64_C(0x7465646279746573),
	};

	for (size_t i = 0; i <= count; i++) {
		/* The last word holds the length of all, modulo 256. */
		uint64_t word = i < count ? words[i] :
					    (uint64_t)(count * 8) << 56;

		v[3] ^= word;
		siphash_round(v);
		siphash_round(v);
		v[0] ^= word;
	}
	v[2] ^= 0xff;
	for (int i = 0; i < 4; i++)
		siphash_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static size_t
add_endpoint(uint64_t *words, const struct packet_endpoint *endpoint)
{
	memcpy(words, endpoint->address, sizeof(endpoint->address));
	words[2] = endpoint->port;
	return 3;
}

/* Everything but the direction: the two of a connection differ in that. */
static uint64_t
hash_ends(const struct socket_id_key *key, const struct packet *packet,
	  bool both)
{
	uint64_t words[WORDS_MAX];
	size_t count = 1;

	words[0] = packet->owner.netns << 16 |
		   (uint64_t)packet->family << 8 | packet->protocol;
	count += add_endpoint(words + count, &packet->local);
	if (both)
		count += add_endpoint(words + count, &packet->remote);
	return socket_id_words(key, words, count) | COOKIE_NEVER;
}

uint64_t
socket_id_connection(const struct socket_id_key *key,
		     const struct packet *packet)
{
	return hash_ends(key, packet, true);
}

uint64_t
socket_id_local(const struct socket_id_key *key, const struct packet *packet)
{
	return hash_ends(key, packet, false);
}
