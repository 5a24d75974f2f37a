/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dns_message.h: the header and the question of a DNS message (RFC 1035).
 */
#ifndef DTAP_TOOLS_DNS_MESSAGE_H
#define DTAP_TOOLS_DNS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cat/dns_name.h"

#define DNS_HEADER_BYTES 12

/* Bits of the header's flags. */
enum dns_flag {
	DNS_QR = 0x8000,
	DNS_AA = 0x0400,
	DNS_TC = 0x0200,
	DNS_RD = 0x0100,
	DNS_RA = 0x0080,
	DNS_AD = 0x0020,
	DNS_CD = 0x0010
};

struct dns_question {
	struct dns_name name;
	uint16_t type;
	uint16_t class;
};

struct dns_message {
	uint16_t id;
	uint16_t flags;
	uint16_t counts[4]; /* question, answer, authority, additional */
	uint16_t opcode;
	uint16_t rcode; /* with the upper bits from OPT (RFC 6891) */
	bool has_question;
	bool whole; /* all records that the header counts are there */
	struct dns_question question;
};

static inline uint16_t
dns_message_be16(const uint8_t *octets)
{
	return (uint16_t)(octets[0] << 8 | octets[1]);
}

/* Reads the question at *at and moves *at behind it. */
bool
dns_message_question(const uint8_t *octets, size_t bytes, size_t *at,
		     struct dns_question *question);

/* false when not even the header is there. */
bool
dns_message_read(const uint8_t *octets, size_t bytes,
		 struct dns_message *message);

#endif
