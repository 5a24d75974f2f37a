/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_main.c: a fuzz target as an ordinary test, where no fuzzer is built.
 *
 * Feeds it damaged copies of well-formed inputs: octets changed, cut out and
 * doubled at places that a generator with a fixed seed chooses, so that each
 * run is the same. `fuzz_x COUNT` feeds so many.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#define COUNT_DEFAULT 20000
#define ROOM 512

/* ACCEPT, START, a frame (a client query), STOP, FINISH; and options. */
static const uint8_t seed_stream[] =
	"\0\0\0\0\0\0\0\042\0\0\0\002\0\0\0\001\0\0\0\026protobuf:dnstap.Dnstap"
	"\0\0\0\023\012\002ns\162\011\010\005\020\001\112\003abc\170\001"
	"\0\0\0\0\0\0\0\004\0\0\0\003";
static const uint8_t seed_accept[] =
	"\0\0\0\0\0\0\0\042\0\0\0\001\0\0\0\001\0\0\0\026protobuf:dnstap.Dnstap"
	"\0\0\0\0\0\0\0\004\0\0\0\005";
static const uint8_t seed_option[] = "ring-bytes\n64M";
static const uint8_t seed_uri[] = "output\ntcp:[2001:db8::1]:6000";

/* IPv4 and UDP; IPv6, hop-by-hop options and TCP with a few octets. */
static const uint8_t seed_ip4[] =
	"\x45\0\0\x24\0\1\x40\0\x40\x11\0\0\x7f\0\0\1\x7f\0\0\1"
	"\x13\x88\0\x35\0\x10\0\0\0\1\2\3\4\5\6\7";
static const uint8_t seed_ip6[] =
	"\x60\0\0\0\0\x21\0\x40"
	"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"
	"\6\0\1\4\0\0\0\0"
	"\x13\x88\0\x35\0\0\0\1\0\0\0\0\x50\x18\0\0\0\0\0\0\0\3\1\2\3";

/* A query for the root's start of authority, and its response. */
#define ROOT_QUERY "\0\1\1\0\0\1\0\0\0\0\0\0\0\0\6\0\1"
#define ROOT_RESPONSE "\0\1\x81\x80\0\1\0\0\0\0\0\0\0\0\6\0\1"

/* As fuzz_sidecar_tcp.c has segments: a SYN, a message and a half, the other
 * half out of order, FIN. As fuzz_sidecar_exchange.c has messages. */
static const uint8_t seed_segments[] =
	"\x20\0\0\0\0"
	"\0\0\1\0\x1a" "\0\x11" ROOT_QUERY "\0\x11\0\1\1\0\0"
	"\0\0\x20\0\7" "\0\0\0\0\6\0\1"
	"\0\0\x1b\0\5" "\1\0\0\0\0"
	"\x10\0\x27\0\0";
static const uint8_t seed_messages[] =
	"\4\0\x11" ROOT_QUERY "\0\1\x11" ROOT_RESPONSE
	"\0\1\x11" ROOT_QUERY "\4\1\x11" ROOT_RESPONSE;

static const struct {
	const uint8_t *octets;
	size_t bytes;
} seeds[] = {
	{ seed_stream, sizeof(seed_stream) - 1 },
	{ seed_accept, sizeof(seed_accept) - 1 },
	{ seed_option, sizeof(seed_option) - 1 },
	{ seed_uri, sizeof(seed_uri) - 1 },
	{ seed_ip4, sizeof(seed_ip4) - 1 },
	{ seed_ip6, sizeof(seed_ip6) - 1 },
	{ seed_segments, sizeof(seed_segments) - 1 },
	{ seed_messages, sizeof(seed_messages) - 1 },
};

static uint64_t
next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* One damage; returns the new length. */
static size_t
damage(uint8_t *octets, size_t bytes, uint64_t *state)
{
	size_t at = (size_t)(next_random(state) % (bytes + 1));

	switch (next_random(state) % 4) {
	case 0:
		return at;
	case 1:
		if (at < bytes)
			octets[at] = (uint8_t)next_random(state);
		return bytes;
	case 2:
		if (at < bytes)
			octets[at] ^= (uint8_t)(1u << next_random(state) % 8);
		return bytes;
	default:
		if (bytes + (bytes - at) > ROOM)
			return bytes;
		memmove(octets + bytes, octets + at, bytes - at);
		return bytes + (bytes - at);
	}
}

int
main(int argc, char **argv)
{
	long count = argc > 1 ? atol(argv[1]) : COUNT_DEFAULT;
	uint64_t state = 4711;
	uint8_t octets[ROOM];

	for (long i = 0; i < count; i++) {
		size_t which = (size_t)i % (sizeof(seeds) / sizeof(seeds[0]));
		size_t bytes = seeds[which].bytes;

		memcpy(octets, seeds[which].octets, bytes);
		for (uint64_t n = next_random(&state) % 4; n > 0; n--)
			bytes = damage(octets, bytes, &state);
		LLVMFuzzerTestOneInput(octets, bytes);
	}
	printf("%ld inputs\n", count);
	return EXIT_SUCCESS;
}
