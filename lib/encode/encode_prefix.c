/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode_prefix.c: the strings that every frame of a configuration begins
 * with, encoded once, and the encoder that starts with them.
 *
 * They are a fifth of a typical query's frame. Behind them stand zeros, so
 * that the plain way can copy a constant number of octets.
 *
 * Threads: a finished prefix is immutable.
 */
#include "encode/encode_message.h"

#include "encode/encode_octets.h"
#include "encode/encode_shape.h"

static uint8_t *
prefix_put(uint8_t *p, unsigned int tag, const void *data, size_t bytes)
{
	if (bytes == 0)
		return p;
	*p++ = (uint8_t)tag;
	p = dtap__put_varint(p, bytes);
	memcpy(p, data, bytes);
	return p + bytes;
}

void
dtap__prefix_init(struct dtap__prefix *prefix,
		  const void *identity, size_t identity_bytes,
		  const void *version, size_t version_bytes,
		  const void *extra, size_t extra_bytes)
{
	uint8_t *p = prefix->octets;

	memset(prefix, 0, sizeof(*prefix));
	p = prefix_put(p, DTAP__TAG_IDENTITY, identity, identity_bytes);
	p = prefix_put(p, DTAP__TAG_VERSION, version, version_bytes);
	prefix->server_bytes = (uint32_t)(p - prefix->octets);
	p = prefix_put(p, DTAP__TAG_EXTRA, extra, extra_bytes);
	prefix->bytes = (uint32_t)(p - prefix->octets);
	*p = DTAP__TAG_MESSAGE;
	prefix->extra_bytes = (uint32_t)extra_bytes;
	prefix->extra_offset = prefix->bytes - prefix->extra_bytes;
}

void
dtap__encoder_init(struct dtap__encoder *encoder,
		   const struct dtap__prefix *prefix)
{
	encoder->prefix = *prefix;
	dtap__shape_clear_all(encoder);
}
