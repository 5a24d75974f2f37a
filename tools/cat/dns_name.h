/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dns_name.h: a domain name, from the wire to text.
 *
 * What a peer wrote cannot make it loop or look outside the message (RFC
 * 9267): a compression pointer must lead before everything that the name
 * has used so far, a name follows at most 127 of them and holds at most 255
 * octets, hence 127 labels.
 */
#ifndef DTAP_TOOLS_DNS_NAME_H
#define DTAP_TOOLS_DNS_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DNS_NAME_BYTES_MAX 255
/* Each octet as \DDD, and a closing zero. */
#define DNS_NAME_TEXT_MAX (4 * DNS_NAME_BYTES_MAX + 1)

/* A name without compression, the root's zero octet included. */
struct dns_name {
	size_t bytes;
	unsigned int steps; /* labels and pointers that were read for it */
	uint8_t octets[DNS_NAME_BYTES_MAX];
};

/*
 * Reads the name at *at and moves *at behind it. false when it is not
 * well-formed or leaves the message; *at is unchanged then.
 */
bool
dns_name_read(const uint8_t *message, size_t bytes, size_t *at,
	      struct dns_name *name);

/* As dns_name_read(), without following pointers or keeping the name. */
bool
dns_name_skip(const uint8_t *message, size_t bytes, size_t *at);

/*
 * Writes the name as text (RFC 1035 section 5.1), with the dot at its end,
 * and a closing zero. \. \; \( \) \\ and \DDD for what is not printable, as
 * ldns has it. Returns the length.
 */
size_t
dns_name_format(const struct dns_name *name, char text[DNS_NAME_TEXT_MAX]);

#endif
