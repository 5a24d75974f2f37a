/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The message decoder against protobuf-c: random messages of the schema,
 * with repeated and unknown fields in any order, then the same with octets
 * changed. Whatever both accept, both understand alike.
 *
 * Two things are left to test_reader_message.c, because protobuf-c has its
 * own ways there. A known field with the wrong wire type makes it refuse the
 * message, where protobuf speaks of an unknown field. And when it merges a
 * repeated message, an empty field of octets in the later one does not take
 * the place of the earlier one's; so there are no empty ones here.
 */
#include <dnstap/reader.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "proto/dnstap.pb-c.h"

#include "support/support.h"

#define ROUNDS (support_is_slow() ? 200u : 2000u)

struct built {
	uint8_t octets[4096];
	size_t bytes;
};

static uint64_t random_state;

static uint32_t
random_below(uint32_t limit)
{
	random_state = random_state * UINT64_C(6364136223846793005) +
		       1442695;
	return (uint32_t)(random_state >> 33) % limit;
}

static void
put_octet(struct built *out, unsigned int octet)
{
	ck_assert_uint_lt(out->bytes, sizeof(out->octets));
	out->octets[out->bytes++] = (uint8_t)octet;
}

static void
put_varint(struct built *out, uint64_t value)
{
	for (; value > 0x7f; value >>= 7)
		put_octet(out, (value & 0x7f) | 0x80);
	put_octet(out, (unsigned int)value);
}

static void
put_random_octets(struct built *out, unsigned int count)
{
	while (count-- > 0)
		put_octet(out, random_below(256));
}

static void
put_random_varint(struct built *out)
{
	uint64_t value = (uint64_t)random_below(UINT32_MAX) << 33 ^
			 random_below(UINT32_MAX);

	put_varint(out, value >> random_below(64));
}

static void
put_built(struct built *out, unsigned int number, const struct built *inner)
{
	put_varint(out, number << 3 | 2);
	put_varint(out, inner->bytes);
	for (size_t i = 0; i < inner->bytes; i++)
		put_octet(out, inner->octets[i]);
}

/* By number: v varint, o octets, f fixed32, 8 fixed64, m message, - none. */
static const char policy_schema[] = "-oovvo";
static const char message_schema[] = "-vvvoovvvfoovfomv";
static const char dnstap_schema[] = "-ooo----------mv";

static void
put_random_fields(struct built *out, const char *schema);

static void
put_random_field(struct built *out, const char *schema)
{
	unsigned int number = 1 + random_below((uint32_t)strlen(schema) + 1);
	char kind = number < strlen(schema) ? schema[number] : '-';
	struct built inner = { .bytes = 0 };

	if (kind == '-')
		kind = "vof8"[random_below(4)];
	if (kind == 'm') {
		put_random_fields(&inner, schema == dnstap_schema ?
				  message_schema : policy_schema);
		put_built(out, number, &inner);
	} else if (kind == 'o') {
		put_random_octets(&inner, 1 + random_below(20));
		put_built(out, number, &inner);
	} else if (kind == 'f' || kind == '8') {
		put_varint(out, number << 3 | (kind == 'f' ? 5 : 1));
		put_random_octets(out, kind == 'f' ? 4 : 8);
	} else {
		put_varint(out, number << 3);
		put_random_varint(out);
	}
}

static void
put_random_fields(struct built *out, const char *schema)
{
	unsigned int required = schema == dnstap_schema ? 15 :
				schema == message_schema ? 1 : 3;

	for (uint32_t count = random_below(24); count > 0; count--)
		put_random_field(out, schema);
	put_varint(out, required << 3);
	put_random_varint(out);
}

/* protobuf-c keeps any number in an enumeration; ours end at 255. */
static void
check_enum(unsigned int ours, bool has, int theirs)
{
	uint32_t value = has ? (uint32_t)theirs : 0;

	ck_assert_uint_eq(ours, value < 255 ? value : 255);
}

static void
check_octets(const void *ours, size_t ours_bytes, bool has,
	     const ProtobufCBinaryData *theirs)
{
	ck_assert((ours != NULL) == has);
	ck_assert_uint_eq(ours_bytes, has ? theirs->len : 0);
	if (ours_bytes > 0)
		ck_assert_mem_eq(ours, theirs->data, ours_bytes);
}

static void
check_address(const void *ours, size_t ours_bytes, bool has,
	      const ProtobufCBinaryData *theirs)
{
	check_octets(ours, ours_bytes, has && theirs->len <= 255, theirs);
}

static void
check_port(unsigned int ours, bool has, uint32_t theirs)
{
	uint32_t value = has ? theirs : 0;

	ck_assert_uint_eq(ours, value < 65535 ? value : 65535);
}

static void
check_policy(const struct dtap_message *ours, const Dnstap__Policy *theirs)
{
	const struct dtap_policy *p = &ours->policy;

	ck_assert((ours->event.policy != NULL) == (theirs != NULL));
	if (theirs == NULL)
		return;
	ck_assert((ours->policy_type.data != NULL) == (theirs->type != NULL));
	if (theirs->type != NULL)
		ck_assert_int_eq(memcmp(ours->policy_type.data, theirs->type,
					strnlen(theirs->type,
						ours->policy_type.bytes)), 0);
	check_octets(p->rule, p->rule_bytes, theirs->has_rule, &theirs->rule);
	check_octets(p->value, p->value_bytes, theirs->has_value,
		     &theirs->value);
	check_enum(p->action, theirs->has_action, theirs->action);
	check_enum(p->match, theirs->has_match, theirs->match);
}

static void
check_message(const struct dtap_message *ours, const Dnstap__Message *theirs)
{
	const struct dtap_event *e = &ours->event;

	ck_assert((ours->present != 0) == (theirs != NULL));
	if (theirs == NULL)
		return;
	check_enum(e->type, true, theirs->type);
	check_enum(e->socket_family, theirs->has_socket_family,
		   theirs->socket_family);
	check_enum(e->socket_protocol, theirs->has_socket_protocol,
		   theirs->socket_protocol);
	check_enum(e->http_protocol, theirs->has_http_protocol,
		   theirs->http_protocol);
	check_address(e->query_address, e->query_address_bytes,
		      theirs->has_query_address, &theirs->query_address);
	check_address(e->response_address, e->response_address_bytes,
		      theirs->has_response_address, &theirs->response_address);
	check_port(e->query_port, theirs->has_query_port, theirs->query_port);
	check_port(e->response_port, theirs->has_response_port,
		   theirs->response_port);
	ck_assert_uint_eq(e->query_time_sec, theirs->query_time_sec);
	ck_assert_uint_eq(e->query_time_nsec, theirs->query_time_nsec);
	ck_assert_uint_eq(e->response_time_sec, theirs->response_time_sec);
	ck_assert_uint_eq(e->response_time_nsec, theirs->response_time_nsec);
	check_octets(e->query_message, e->query_message_bytes,
		     theirs->has_query_message, &theirs->query_message);
	check_octets(e->query_zone, e->query_zone_bytes,
		     theirs->has_query_zone, &theirs->query_zone);
	check_octets(e->response_message, e->response_message_bytes,
		     theirs->has_response_message, &theirs->response_message);
	check_policy(ours, theirs->policy);
	ck_assert(((ours->present >> 9 & 1) != 0) ==
		  theirs->has_query_time_nsec);
	ck_assert(((ours->present >> 12 & 1) != 0) ==
		  theirs->has_response_time_sec);
}

static void
check_dnstap(const struct dtap_message *ours, const Dnstap__Dnstap *theirs)
{
	check_octets(ours->identity.data, ours->identity.bytes,
		     theirs->has_identity, &theirs->identity);
	check_octets(ours->version.data, ours->version.bytes,
		     theirs->has_version, &theirs->version);
	check_octets(ours->extra.data, ours->extra.bytes, theirs->has_extra,
		     &theirs->extra);
	ck_assert_uint_eq(ours->dnstap_type, (uint32_t)theirs->type);
	check_message(ours, theirs->message);
}

/* Decodes with both; returns who accepts: bit 0 ours, bit 1 protobuf-c. */
static unsigned int
decode_both(const uint8_t *octets, size_t bytes)
{
	struct dtap_message ours = DTAP_MESSAGE_INIT;
	Dnstap__Dnstap *theirs;
	unsigned int accepted;

	accepted = dtap_message_decode(octets, bytes, &ours) == DTAP_OK;
	theirs = dnstap__dnstap__unpack(NULL, bytes, octets);
	if (theirs == NULL)
		return accepted;
	if (accepted)
		check_dnstap(&ours, theirs);
	dnstap__dnstap__free_unpacked(theirs, NULL);
	return accepted | 2;
}

START_TEST(random_messages_decode_alike)
{
	for (unsigned int round = 0; round < ROUNDS; round++) {
		struct built in = { .bytes = 0 };

		random_state = round;
		put_random_fields(&in, dnstap_schema);
		ck_assert_msg(decode_both(in.octets, in.bytes) == 3,
			      "round %u", round);
	}
}
END_TEST

START_TEST(damaged_messages_decode_alike_or_not_at_all)
{
	unsigned int outcomes[4] = { 0, 0, 0, 0 };

	for (unsigned int round = 0; round < ROUNDS; round++) {
		struct built in = { .bytes = 0 };

		random_state = round;
		put_random_fields(&in, dnstap_schema);
		for (int i = 0; i < 4; i++) {
			in.octets[random_below((uint32_t)in.bytes)] =
				(uint8_t)random_below(256);
			outcomes[decode_both(in.octets, in.bytes)]++;
		}
	}
	ck_assert_uint_gt(outcomes[0], ROUNDS / 2);
	ck_assert_uint_gt(outcomes[3], ROUNDS / 2);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("reader_oracle");

	support_add(suite, random_messages_decode_alike);
	support_add(suite, damaged_messages_decode_alike_or_not_at_all);
	return support_run(suite);
}
