/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dns_message.c: see dns_message.h.
 *
 * The question is all that is shown of a message, but the response code is
 * only right with its upper eight bits, which stand in the OPT record in the
 * additional section: so the records are walked, without looking into them.
 * The work is bounded by the octets of the message: each record takes at
 * least eleven, each further question five, and no pointer is followed in
 * them.
 */
#include "cat/dns_message.h"

#define TYPE_OPT 41
/* Type and class. */
#define QUESTION_FIXED_BYTES 4
/* Type, class, TTL and length: what stands between a name and rdata. */
#define RECORD_FIXED_BYTES 10

bool
dns_message_question(const uint8_t *octets, size_t bytes, size_t *at,
		     struct dns_question *question)
{
	size_t here = *at;

	if (!dns_name_read(octets, bytes, &here, &question->name) ||
	    here > bytes || bytes - here < 4)
		return false;
	question->type = dns_message_be16(octets + here);
	question->class = dns_message_be16(octets + here + 2);
	*at = here + 4;
	return true;
}

static bool
skip_question(const uint8_t *octets, size_t bytes, size_t *at)
{
	if (!dns_name_skip(octets, bytes, at) ||
	    bytes - *at < QUESTION_FIXED_BYTES)
		return false;
	*at += QUESTION_FIXED_BYTES;
	return true;
}

/* Steps over a record; notes the upper bits of the rcode when it is OPT. */
static bool
skip_record(const uint8_t *octets, size_t bytes, size_t *at,
	    struct dns_message *message)
{
	const uint8_t *fixed;
	size_t rdata_bytes;

	if (!dns_name_skip(octets, bytes, at) ||
	    bytes - *at < RECORD_FIXED_BYTES)
		return false;
	fixed = octets + *at;
	*at += RECORD_FIXED_BYTES;
	rdata_bytes = dns_message_be16(fixed + 8);
	if (bytes - *at < rdata_bytes)
		return false;
	*at += rdata_bytes;
	if (dns_message_be16(fixed) == TYPE_OPT)
		message->rcode =
			(uint16_t)(fixed[4] << 4 | (message->flags & 15));
	return true;
}

static bool
walk_records(const uint8_t *octets, size_t bytes, size_t at,
	     struct dns_message *message)
{
	uint32_t records = (uint32_t)message->counts[1] + message->counts[2] +
			   message->counts[3];

	for (uint32_t i = 1; i < message->counts[0]; i++) {
		if (!skip_question(octets, bytes, &at))
			return false;
	}
	for (uint32_t i = 0; i < records; i++) {
		if (!skip_record(octets, bytes, &at, message))
			return false;
	}
	return true;
}

bool
dns_message_read(const uint8_t *octets, size_t bytes,
		 struct dns_message *message)
{
	size_t at = DNS_HEADER_BYTES;

	if (bytes < DNS_HEADER_BYTES)
		return false;
	message->id = dns_message_be16(octets);
	message->flags = dns_message_be16(octets + 2);
	for (int i = 0; i < 4; i++)
		message->counts[i] = dns_message_be16(octets + 4 + 2 * i);
	message->opcode = message->flags >> 11 & 15;
	message->rcode = message->flags & 15;
	message->has_question =
		message->counts[0] > 0 &&
		dns_message_question(octets, bytes, &at, &message->question);
	message->whole = (message->has_question || message->counts[0] == 0) &&
			 walk_records(octets, bytes, at, message);
	return true;
}
