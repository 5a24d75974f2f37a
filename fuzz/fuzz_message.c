/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_message.c: any octets as a dnstap message, next to protobuf-c.
 *
 * What must hold:
 *  - what protobuf-c takes is taken, but for what reader_message.c says is
 *    refused: the field number 0, a key above 32 bits, a varint above 64; a
 *    third reader below looks for these;
 *  - what both take, both understand alike in every field;
 *  - everything that the message points to lies in the input;
 *  - what is taken has its required fields, and what is refused stays so for
 *    octets at another address.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "fuzz_oracle.h"

struct decoded {
	const uint8_t *data;
	size_t bytes;
	enum dtap_result result;
	struct dtap_message message;
};

static size_t
decode(void *context)
{
	struct decoded *decoded = context;

	memset(&decoded->message, 0xa5, sizeof(decoded->message));
	decoded->message.size = sizeof(decoded->message);
	decoded->result = dtap_message_decode(decoded->data, decoded->bytes,
					      &decoded->message);
	return decoded->bytes;
}

/* What of an input, which protobuf-c has taken, is beyond comparison. */
struct finding {
	bool refused;	/* one of the things that only we refuse */
	bool merged;	/* a message or a policy occurs twice */
};

/* A varint of at most ten octets; its low 64 bits. */
static uint64_t
scan_varint(struct fuzz_source *source, struct finding *finding)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < 10; i++) {
		uint64_t octet = fuzz_take_number(source, 1);

		finding->refused |= i == 9 && octet > 1;
		value |= i == 9 ? octet << 63 : (octet & 0x7f) << 7 * i;
		if (octet < 0x80)
			break;
	}
	return value;
}

/* Looks through the fields; inner: which of them is a message of ours. */
static void
scan(struct fuzz_source source, const unsigned int *inner,
     struct finding *finding)
{
	unsigned int inner_count = 0;

	while (source.left > 0) {
		uint64_t key = scan_varint(&source, finding);
		struct fuzz_source field;
		size_t bytes = 0;

		finding->refused |= key >> 3 == 0 || key > UINT32_MAX;
		switch (key & 7) {
		case 0:
			scan_varint(&source, finding);
			break;
		case 1:
			bytes = 8;
			break;
		case 2:
			bytes = (size_t)scan_varint(&source, finding);
			break;
		case 5:
			bytes = 4;
			break;
		}
		field.at = fuzz_take_octets(&source, &bytes);
		field.left = bytes;
		if (*inner == 0 || key != (*inner << 3 | 2))
			continue;
		finding->merged |= ++inner_count > 1;
		scan(field, inner + 1, finding);
	}
}

static void
check_within(const struct decoded *decoded, const void *octets, size_t bytes)
{
	const uint8_t *at = octets;

	if (at == NULL) {
		FUZZ_EXPECT(bytes == 0);
		return;
	}
	FUZZ_EXPECT(at >= decoded->data &&
		    at <= decoded->data + decoded->bytes);
	FUZZ_EXPECT(bytes <= (size_t)(decoded->data + decoded->bytes - at));
}

/* All that a message points to, also one that was refused half-way. */
static void
check_borrowed(const struct decoded *decoded)
{
	const struct dtap_message *m = &decoded->message;
	const struct dtap_event *e = &m->event;

	check_within(decoded, m->identity.data, m->identity.bytes);
	check_within(decoded, m->version.data, m->version.bytes);
	check_within(decoded, m->extra.data, m->extra.bytes);
	check_within(decoded, e->extra, e->extra_bytes);
	check_within(decoded, e->query_address, e->query_address_bytes);
	check_within(decoded, e->response_address, e->response_address_bytes);
	check_within(decoded, e->query_message, e->query_message_bytes);
	check_within(decoded, e->response_message, e->response_message_bytes);
	check_within(decoded, e->query_zone, e->query_zone_bytes);
	check_within(decoded, m->policy_type.data, m->policy_type.bytes);
	check_within(decoded, m->policy.rule, m->policy.rule_bytes);
	check_within(decoded, m->policy.value, m->policy.value_bytes);
	FUZZ_EXPECT(e->policy == NULL || e->policy == &m->policy);
}

static void
check_elsewhere(const struct decoded *decoded)
{
	uint8_t *copy = malloc(decoded->bytes + (decoded->bytes == 0));
	struct decoded other = { .data = copy, .bytes = decoded->bytes };

	FUZZ_EXPECT(copy != NULL);
	if (decoded->bytes > 0)
		memcpy(copy, decoded->data, decoded->bytes);
	decode(&other);
	FUZZ_EXPECT(other.result == decoded->result);
	FUZZ_EXPECT(other.message.present == decoded->message.present);
	free(copy);
}

void
fuzz_input(const uint8_t *data, size_t bytes)
{
	static const unsigned int inner[] = { 14, 15, 0 };
	struct decoded ours = { .data = data, .bytes = bytes };
	struct finding finding = { false, false };
	Dnstap__Dnstap *theirs;

	fuzz_measure(decode, &ours);
	check_borrowed(&ours);
	check_elsewhere(&ours);
	FUZZ_EXPECT(ours.result == DTAP_OK || ours.result == DTAP_E_DAMAGED);
	if (ours.result == DTAP_OK && ours.message.present != 0)
		FUZZ_EXPECT((ours.message.present & 1u << 1) != 0);
	theirs = dnstap__dnstap__unpack(NULL, bytes, data);
	if (theirs == NULL)
		return;
	scan((struct fuzz_source){ data, bytes }, inner, &finding);
	FUZZ_EXPECT((ours.result == DTAP_OK) != finding.refused);
	if (ours.result == DTAP_OK)
		FUZZ_EXPECT(oracle_agrees(&ours.message, theirs,
					  finding.merged));
	dnstap__dnstap__free_unpacked(theirs, NULL);
}
