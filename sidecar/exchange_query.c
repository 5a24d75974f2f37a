/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange_query.c: see exchange_query.h.
 *
 * Of a question only well-formed ones are compared; a name may be compressed
 * in neither message, so a pointer only ever leads before the question, where
 * dns_name.h lets it lead nowhere.
 */
#include "sidecar/exchange_query.h"

#include <stdlib.h>
#include <string.h>

#include "cat/dns_message.h"

#define OPCODE_STATEFUL 6
#define TYPE_IXFR 251
#define TYPE_AXFR 252

enum question_state {
	QUESTION_ABSENT, /* the header counts none */
	QUESTION_BROKEN,
	QUESTION_THERE
};

struct exchange_query *
exchange_query_new(const struct packet *message,
		   const struct role_header *header)
{
	struct exchange_query *query;

	query = malloc(sizeof(*query) + message->payload_bytes);
	if (query == NULL)
		return NULL;
	memset(query, 0, sizeof(*query));
	list_init(&query->age);
	list_init(&query->held);
	memcpy(query->octets, message->payload, message->payload_bytes);
	query->packet = *message;
	query->packet.payload = query->octets;
	query->header = *header;
	return query;
}

uint64_t
exchange_query_hash(const struct table *table, const struct packet *message,
		    const struct role_header *header)
{
	uint64_t words[4];

	words[0] = message->socket;
	words[1] = (uint64_t)role_is_server_end(message, header) << 56 |
		   (uint64_t)message->protocol << 48 |
		   (uint64_t)message->family << 40 |
		   (uint64_t)message->remote.port << 16 | header->id;
	memcpy(&words[2], message->remote.address, 16);
	return table_hash(table, words, 4);
}

/* The message is not shorter than a header. */
static enum question_state
read_question(const struct packet *message, struct dns_question *question)
{
	size_t at = DNS_HEADER_BYTES;

	if (dns_message_be16(message->payload + 4) == 0)
		return QUESTION_ABSENT;
	return dns_message_question(message->payload, message->payload_bytes,
				    &at, question) ?
		       QUESTION_THERE :
		       QUESTION_BROKEN;
}

static uint8_t
lower(uint8_t octet)
{
	return octet >= 'A' && octet <= 'Z' ? octet + ('a' - 'A') : octet;
}

/* The lengths of labels are below 64, so they may be lowered as well. */
static bool
is_same_name(const struct dns_name *one, const struct dns_name *other)
{
	if (one->bytes != other->bytes)
		return false;
	for (size_t i = 0; i < one->bytes; i++)
		if (lower(one->octets[i]) != lower(other->octets[i]))
			return false;
	return true;
}

bool
exchange_query_is_answered_by(const struct exchange_query *query,
			      const struct packet *response)
{
	struct dns_question asked;
	struct dns_question answered;
	enum question_state state = read_question(response, &answered);

	if (state == QUESTION_ABSENT)
		return true;
	if (read_question(&query->packet, &asked) != state)
		return false;
	return state == QUESTION_BROKEN ||
	       (asked.type == answered.type && asked.class == answered.class &&
		is_same_name(&asked.name, &answered.name));
}

bool
exchange_query_is_transfer(const struct exchange_query *query)
{
	struct dns_question asked;

	return query->packet.protocol != PACKET_UDP &&
	       read_question(&query->packet, &asked) == QUESTION_THERE &&
	       (asked.type == TYPE_AXFR || asked.type == TYPE_IXFR);
}

/* A unidirectional message of a session (RFC 8490 section 5.4). */
bool
exchange_query_is_notice(const struct role_header *header)
{
	return header->opcode == OPCODE_STATEFUL && header->id == 0;
}
