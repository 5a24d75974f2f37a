/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tcp_looks.c: see tcp_looks.h.
 *
 * Called for each octet of a stream that is out of step, so the work is
 * bounded: most places fail at the header, and of no place more than
 * TCP_LOOKS_BYTES octets are looked at, whatever its names say.
 */
#include "sidecar/tcp_looks.h"

#include <stdbool.h>

#include "cat/dns_message.h"

#define RESERVED_BIT 0x0040
#define QUESTION_BYTES_MIN 5
#define RECORD_BYTES_MIN 11
#define TYPE_OPT 41

enum opcode {
	OPCODE_QUERY = 0,
	OPCODE_STATUS = 2,
	OPCODE_NOTIFY = 4,
	OPCODE_UPDATE = 5
};

struct looks_header {
	uint16_t flags;
	uint16_t counts[4];
};

static bool
is_good_query(const struct looks_header *header, unsigned int opcode)
{
	if ((header->flags & (DNS_TC | DNS_RA | 15)) != 0)
		return false;
	return opcode != OPCODE_QUERY ||
	       (header->counts[0] == 1 && header->counts[1] == 0 &&
		header->counts[2] <= 1 && header->counts[3] <= 4);
}

static bool
is_good_response(const struct looks_header *header)
{
	return header->counts[0] == 1 || header->counts[1] > 0 ||
	       (header->flags & 15) != 0;
}

static bool
is_good_header(const struct looks_header *header, size_t length)
{
	unsigned int opcode = header->flags >> 11 & 15;
	size_t records = (size_t)header->counts[1] + header->counts[2] +
			 header->counts[3];

	if ((header->flags & RESERVED_BIT) != 0 || header->counts[0] > 1 ||
	    length < DNS_HEADER_BYTES +
			     (size_t)QUESTION_BYTES_MIN * header->counts[0] +
			     RECORD_BYTES_MIN * records)
		return false;
	if (opcode != OPCODE_QUERY && opcode != OPCODE_STATUS &&
	    opcode != OPCODE_NOTIFY && opcode != OPCODE_UPDATE)
		return false;
	return (header->flags & DNS_QR) != 0 ? is_good_response(header) :
					       is_good_query(header, opcode);
}

static bool
is_good_class(uint16_t class)
{
	/* IN, CH, HS, NONE, ANY */
	return class == 1 || class == 3 || class == 4 || class == 254 ||
	       class == 255;
}

/* What stands behind the header: the question, or the first record. */
static bool
is_good_start(const uint8_t *message, size_t bytes, bool question)
{
	size_t at = DNS_HEADER_BYTES;
	uint16_t type;

	if (!dns_name_skip(message, bytes, &at) || bytes - at < 4)
		return false;
	type = dns_message_be16(message + at);
	if (type == TYPE_OPT)
		return !question && at == DNS_HEADER_BYTES + 1;
	return type != 0 && is_good_class(dns_message_be16(message + at + 2));
}

enum tcp_looks
tcp_looks(const uint8_t *octets, size_t bytes)
{
	struct looks_header header;
	size_t length;
	size_t whole;

	if (bytes < 2)
		return TCP_LOOKS_SHORT;
	length = dns_message_be16(octets);
	if (length < DNS_HEADER_BYTES)
		return TCP_LOOKS_BAD;
	if (bytes < 2 + DNS_HEADER_BYTES)
		return TCP_LOOKS_SHORT;
	header.flags = dns_message_be16(octets + 4);
	for (int i = 0; i < 4; i++)
		header.counts[i] = dns_message_be16(octets + 6 + 2 * i);
	if (!is_good_header(&header, length))
		return TCP_LOOKS_BAD;
	whole = 2 + length;
	if (whole > TCP_LOOKS_BYTES)
		whole = TCP_LOOKS_BYTES;
	if (bytes > whole)
		bytes = whole;
	if (length == DNS_HEADER_BYTES ||
	    is_good_start(octets + 2, bytes - 2, header.counts[0] == 1))
		return TCP_LOOKS_GOOD;
	return bytes < whole ? TCP_LOOKS_SHORT : TCP_LOOKS_BAD;
}
