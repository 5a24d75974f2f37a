/* SPDX-License-Identifier: Apache-2.0 */
#include <dnstap/reader.h>

#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"

#include "support/support.h"

/* A protobuf encoder just large enough to build what the tests need. */
struct built {
	uint8_t octets[1024];
	size_t bytes;
};

static void
put(struct built *out, const void *octets, size_t bytes)
{
	ck_assert_uint_le(bytes, sizeof(out->octets) - out->bytes);
	memcpy(out->octets + out->bytes, octets, bytes);
	out->bytes += bytes;
}

static void
put_varint(struct built *out, uint64_t value)
{
	uint8_t octet;

	do {
		octet = (uint8_t)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
		put(out, &octet, 1);
		value >>= 7;
	} while (value > 0);
}

static void
put_number(struct built *out, unsigned int field, uint64_t value)
{
	put_varint(out, field << 3 | 0);
	put_varint(out, value);
}

static void
put_fixed32(struct built *out, unsigned int field, uint32_t value)
{
	uint8_t octets[4] = { (uint8_t)value, (uint8_t)(value >> 8),
			      (uint8_t)(value >> 16), (uint8_t)(value >> 24) };

	put_varint(out, field << 3 | 5);
	put(out, octets, 4);
}

static void
put_octets(struct built *out, unsigned int field, const void *octets,
	   size_t bytes)
{
	put_varint(out, field << 3 | 2);
	put_varint(out, bytes);
	put(out, octets, bytes);
}

static void
put_text(struct built *out, unsigned int field, const char *text)
{
	put_octets(out, field, text, strlen(text));
}

/* Dnstap with nothing but a message and type MESSAGE. */
static struct built
wrap(const struct built *message)
{
	struct built out = { .bytes = 0 };

	put_octets(&out, 14, message->octets, message->bytes);
	put_number(&out, 15, 1);
	return out;
}

/* Every field of the schema. */
static struct built
everything(void)
{
	struct built out = { .bytes = 0 }, message = out, policy = out;

	put_text(&policy, 1, "RPZ");
	put_text(&policy, 2, "rule");
	put_number(&policy, 3, DTAP_ACTION_LOCAL_DATA);
	put_number(&policy, 4, DTAP_MATCH_NS_IP);
	put_text(&policy, 5, "value");
	put_number(&message, 1, DTAP_CLIENT_RESPONSE);
	put_number(&message, 2, DTAP_INET);
	put_number(&message, 3, DTAP_DOH);
	put_octets(&message, 4, "\300\0\2\1", 4);
	put_octets(&message, 5, "\300\0\2\2", 4);
	put_number(&message, 6, 53535);
	put_number(&message, 7, 443);
	put_number(&message, 8, UINT64_C(1700000000));
	put_fixed32(&message, 9, 999999999);
	put_text(&message, 10, "the query");
	put_octets(&message, 11, "\3org\0", 5);
	put_number(&message, 12, UINT64_C(1) << 62);
	put_fixed32(&message, 13, UINT32_MAX);
	put_text(&message, 14, "the response");
	put_octets(&message, 15, policy.octets, policy.bytes);
	put_number(&message, 16, DTAP_HTTP2);
	put_text(&out, 1, "ns1.example");
	put_text(&out, 2, "server 1.0");
	put_text(&out, 3, "extra");
	put_octets(&out, 14, message.octets, message.bytes);
	put_number(&out, 15, 1);
	return out;
}

/* Whether all that is borrowed lies between begin and end. */
static void
check_all_inside(const uint8_t *begin, const uint8_t *end,
		 const struct dtap_message *m)
{
	const struct dtap_event *e = &m->event;
	const struct dtap_bytes borrowed[] = {
		m->identity, m->version, m->extra, m->policy_type,
		{ m->policy.rule, m->policy.rule_bytes },
		{ m->policy.value, m->policy.value_bytes },
		{ e->query_address, e->query_address_bytes },
		{ e->response_address, e->response_address_bytes },
		{ e->query_message, e->query_message_bytes },
		{ e->response_message, e->response_message_bytes },
		{ e->query_zone, e->query_zone_bytes },
		{ e->extra, e->extra_bytes },
	};

	for (size_t i = 0; i < DTAP__COUNT_OF(borrowed); i++) {
		const uint8_t *at = borrowed[i].data;

		ck_assert(at != NULL || borrowed[i].bytes == 0);
		ck_assert(at == NULL || (at >= begin && at <= end &&
			  borrowed[i].bytes <= (size_t)(end - at)));
	}
	ck_assert_uint_eq(e->size, sizeof(*e));
	ck_assert(e->policy == NULL || e->policy == &m->policy);
	ck_assert_ptr_null(m->policy.type);
}

/* Decodes a copy of exactly that size, so that reading on is seen. */
static enum dtap_result
decode_tightly(const uint8_t *octets, size_t bytes)
{
	struct dtap_message message = DTAP_MESSAGE_INIT;
	uint8_t *copy = malloc(bytes + 1);
	enum dtap_result result;

	memcpy(copy + 1, octets, bytes);
	result = dtap_message_decode(copy + 1, bytes, &message);
	check_all_inside(copy + 1, copy + 1 + bytes, &message);
	free(copy);
	return result;
}

static void
decode_ok(const struct built *in, struct dtap_message *message)
{
	*message = (struct dtap_message)DTAP_MESSAGE_INIT;
	ck_assert_int_eq(dtap_message_decode(in->octets, in->bytes, message),
			 DTAP_OK);
	check_all_inside(in->octets, in->octets + in->bytes, message);
}

#define assert_octets(data, data_bytes, text) \
	do { \
		ck_assert_uint_eq(data_bytes, sizeof(text) - 1); \
		ck_assert_mem_eq(data, text, sizeof(text) - 1); \
	} while (0)

START_TEST(every_field_arrives)
{
	struct built in = everything();
	struct dtap_message m;

	decode_ok(&in, &m);
	ck_assert_uint_eq(m.size, sizeof(m));
	ck_assert_uint_eq(m.present, 0x1fffe);
	ck_assert_uint_eq(m.dnstap_type, 1);
	assert_octets(m.identity.data, m.identity.bytes, "ns1.example");
	assert_octets(m.version.data, m.version.bytes, "server 1.0");
	assert_octets(m.extra.data, m.extra.bytes, "extra");
	ck_assert_ptr_eq(m.event.extra, m.extra.data);
	ck_assert_uint_eq(m.event.extra_bytes, m.extra.bytes);
	ck_assert_uint_eq(m.event.type, DTAP_CLIENT_RESPONSE);
	ck_assert_uint_eq(m.event.socket_family, DTAP_INET);
	ck_assert_uint_eq(m.event.socket_protocol, DTAP_DOH);
	ck_assert_uint_eq(m.event.http_protocol, DTAP_HTTP2);
	assert_octets(m.event.query_address, m.event.query_address_bytes,
		      "\300\0\2\1");
	assert_octets(m.event.response_address,
		      m.event.response_address_bytes, "\300\0\2\2");
	ck_assert_uint_eq(m.event.query_port, 53535);
	ck_assert_uint_eq(m.event.response_port, 443);
	ck_assert_uint_eq(m.event.query_time_sec, 1700000000);
	ck_assert_uint_eq(m.event.query_time_nsec, 999999999);
	ck_assert_uint_eq(m.event.response_time_sec, UINT64_C(1) << 62);
	ck_assert_uint_eq(m.event.response_time_nsec, UINT32_MAX);
	assert_octets(m.event.query_message, m.event.query_message_bytes,
		      "the query");
	assert_octets(m.event.query_zone, m.event.query_zone_bytes,
		      "\3org\0");
	assert_octets(m.event.response_message,
		      m.event.response_message_bytes, "the response");
	ck_assert_ptr_eq(m.event.policy, &m.policy);
	ck_assert_uint_eq(m.policy.size, sizeof(m.policy));
	assert_octets(m.policy_type.data, m.policy_type.bytes, "RPZ");
	assert_octets(m.policy.rule, m.policy.rule_bytes, "rule");
	assert_octets(m.policy.value, m.policy.value_bytes, "value");
	ck_assert_uint_eq(m.policy.action, DTAP_ACTION_LOCAL_DATA);
	ck_assert_uint_eq(m.policy.match, DTAP_MATCH_NS_IP);
}
END_TEST

START_TEST(absent_fields_are_absent)
{
	struct built in = { .bytes = 0 };
	struct dtap_message m;

	/* No message at all: the schema allows it. */
	put_number(&in, 15, 7);
	decode_ok(&in, &m);
	ck_assert_uint_eq(m.dnstap_type, 7);
	ck_assert_uint_eq(m.present, 0);
	ck_assert_uint_eq(m.event.type, 0);
	ck_assert_ptr_null(m.identity.data);
	ck_assert_ptr_null(m.event.policy);
}
END_TEST

START_TEST(empty_is_not_absent)
{
	struct built message = { .bytes = 0 }, in = message;
	struct dtap_message m;

	put_number(&message, 1, 0);
	put_number(&message, 7, 0);
	put_text(&message, 10, "");
	put_text(&message, 15, "");
	put_text(&in, 1, "");
	put_octets(&in, 14, message.octets, message.bytes);
	put_number(&in, 15, 0);
	decode_ok(&in, &m);
	ck_assert_uint_eq(m.present, 1u << 1 | 1u << 7 | 1u << 10 | 1u << 15);
	ck_assert_ptr_nonnull(m.identity.data);
	ck_assert_ptr_nonnull(m.event.query_message);
	ck_assert_uint_eq(m.event.query_message_bytes, 0);
	ck_assert_ptr_eq(m.event.policy, &m.policy);
}
END_TEST

START_TEST(unknown_fields_are_stepped_over)
{
	struct built message = { .bytes = 0 }, in;
	struct dtap_message m;

	put_number(&message, 17, UINT64_MAX);
	put_fixed32(&message, 18, 1);
	put_text(&message, 0x1fffffff, "highest field number");
	put_varint(&message, 20 << 3 | 1);
	put(&message, "12345678", 8);
	put_number(&message, 1, DTAP_AUTH_QUERY);
	/* Wrong wire types count as unknown. */
	put_text(&message, 1, "type");
	put_fixed32(&message, 6, 53);
	put_number(&message, 9, 5);
	put_number(&message, 10, 5);
	put_number(&message, 15, 5);
	in = wrap(&message);
	put_number(&in, 14, 99);
	put_text(&in, 15, "type");
	decode_ok(&in, &m);
	ck_assert_uint_eq(m.dnstap_type, 1);
	ck_assert_uint_eq(m.present, 1u << 1);
	ck_assert_uint_eq(m.event.type, DTAP_AUTH_QUERY);
	ck_assert_uint_eq(m.event.query_port, 0);
	ck_assert_ptr_null(m.event.query_message);
}
END_TEST

START_TEST(the_last_of_repeated_fields_counts)
{
	struct built message = { .bytes = 0 }, policy = message;
	struct built again = message, in = message;
	struct dtap_message m;

	put_number(&policy, 3, 1);
	put_number(&policy, 4, 2);
	put_number(&message, 1, 1);
	put_number(&message, 1, 2);
	put_number(&message, 6, 1000);
	put_text(&message, 10, "first");
	put_text(&message, 10, "second one");
	put_octets(&message, 15, policy.octets, policy.bytes);
	/* Of a message or policy that is repeated, field by field. */
	policy.bytes = 0;
	put_number(&policy, 4, 5);
	put_number(&again, 1, 3);
	put_text(&again, 10, "third");
	put_octets(&again, 15, policy.octets, policy.bytes);
	put_text(&in, 1, "old");
	put_number(&in, 15, 2);
	put_octets(&in, 14, message.octets, message.bytes);
	put_text(&in, 1, "new one");
	put_octets(&in, 14, again.octets, again.bytes);
	put_number(&in, 15, 1);
	decode_ok(&in, &m);
	ck_assert_uint_eq(m.dnstap_type, 1);
	assert_octets(m.identity.data, m.identity.bytes, "new one");
	ck_assert_uint_eq(m.event.type, 3);
	ck_assert_uint_eq(m.event.query_port, 1000);
	assert_octets(m.event.query_message, m.event.query_message_bytes,
		      "third");
	ck_assert_uint_eq(m.policy.action, 1);
	ck_assert_uint_eq(m.policy.match, 5);
}
END_TEST

START_TEST(numbers_are_clamped)
{
	static const struct {
		uint64_t in;
		unsigned int as_enum, as_port;
	} cases[] = {
		{ 15, 15, 15 }, { 254, 254, 254 }, { 255, 255, 255 },
		{ 256, 255, 256 }, { 65534, 255, 65534 },
		{ 65535, 255, 65535 }, { 65536, 255, 65535 },
		{ UINT32_MAX, 255, 65535 },
		/* -1 as protobuf writes it; bits above 32 are dropped. */
		{ UINT64_MAX, 255, 65535 }, { (UINT64_C(1) << 32) + 9, 9, 9 },
	};
	struct dtap_message m;

	for (size_t i = 0; i < DTAP__COUNT_OF(cases); i++) {
		struct built message = { .bytes = 0 }, in;

		put_number(&message, 1, cases[i].in);
		put_number(&message, 7, cases[i].in);
		put_number(&message, 8, cases[i].in);
		in = wrap(&message);
		decode_ok(&in, &m);
		ck_assert_uint_eq(m.event.type, cases[i].as_enum);
		ck_assert_uint_eq(m.event.response_port, cases[i].as_port);
		ck_assert_uint_eq(m.event.query_time_sec, cases[i].in);
	}
}
END_TEST

START_TEST(addresses_keep_their_length_up_to_255)
{
	static const size_t lengths[] = { 0, 1, 4, 5, 16, 17, 255, 256, 300 };
	static const uint8_t address[300];
	struct dtap_message m;

	for (size_t i = 0; i < DTAP__COUNT_OF(lengths); i++) {
		struct built message = { .bytes = 0 }, in;
		size_t bytes = lengths[i] <= 255 ? lengths[i] : 0;

		put_number(&message, 1, 1);
		put_octets(&message, 4, address, 4);
		put_octets(&message, 4, address, lengths[i]);
		in = wrap(&message);
		decode_ok(&in, &m);
		ck_assert_uint_eq(m.event.query_address_bytes, bytes);
		ck_assert((m.event.query_address == NULL) ==
			  (lengths[i] > 255));
		ck_assert_uint_eq(m.present, 1u << 1 | 1u << 4);
	}
}
END_TEST

#define OCTETS(octets) { octets, sizeof(octets) - 1 }
/* Dnstap.type behind what is tested. */
#define TYPED "\x78\x01"

START_TEST(damage_is_told)
{
	static const struct {
		const char *octets;
		size_t bytes;
	} cases[] = {
		OCTETS(""),
		/* Required fields missing. */
		OCTETS("\x0a\x01x"),
		OCTETS("\x72\x00" TYPED),
		OCTETS("\x72\x02\x10\x01" TYPED),
		OCTETS("\x72\x02\x08\x01"),
		/* Field number 0; a key above 32 bits; wire types. */
		OCTETS("\x02\x00" TYPED),
		OCTETS("\xf8\xff\xff\xff\x1f\x00" TYPED),
		OCTETS(TYPED "\x83\x01\x84\x01"),
		OCTETS(TYPED "\x84\x01"),
		OCTETS(TYPED "\x86\x01"), OCTETS(TYPED "\x87\x01"),
		/* Lengths beyond the end, and hostile ones. */
		OCTETS(TYPED "\x0a\x01"),
		OCTETS(TYPED "\x0a\xff\xff\xff\xff\x0f"),
		OCTETS(TYPED "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
		OCTETS(TYPED "\x0a\x80\x80\x80\x80\x10"),
		OCTETS(TYPED "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),
		OCTETS(TYPED "\x0d\x01\x02\x03"),
		OCTETS(TYPED "\x09\x01\x02\x03\x04\x05\x06\x07"),
		OCTETS(TYPED "\x78\x80"),
		OCTETS(TYPED "\x80"),
		/* An inner length that fits the outer octets alone. */
		OCTETS("\x72\x04\x08\x01\x52\x02" TYPED),
		OCTETS("\x72\x08\x08\x01\x7a\x04\x08\x01\x0a\x03" TYPED "abc"),
	};

	for (size_t i = 0; i < DTAP__COUNT_OF(cases); i++)
		ck_assert_msg(decode_tightly((const uint8_t *)cases[i].octets,
					     cases[i].bytes) ==
			      DTAP_E_DAMAGED, "case %zu", i);
}
END_TEST

START_TEST(every_cut_is_damage)
{
	struct built in = everything();

	ck_assert_int_eq(decode_tightly(in.octets, in.bytes), DTAP_OK);
	for (size_t cut = 0; cut < in.bytes; cut++)
		ck_assert_int_eq(decode_tightly(in.octets, cut),
				 DTAP_E_DAMAGED);
}
END_TEST

START_TEST(every_changed_octet_has_a_defined_outcome)
{
	struct built in = everything();
	size_t outcomes[2] = { 0, 0 };
	size_t step = support_is_slow() ? 13 : 1;

	for (size_t i = 0; i < in.bytes * 256; i += step) {
		uint8_t kept = in.octets[i / 256];
		enum dtap_result result;

		in.octets[i / 256] = (uint8_t)i;
		result = decode_tightly(in.octets, in.bytes);
		ck_assert(result == DTAP_OK || result == DTAP_E_DAMAGED);
		outcomes[result == DTAP_OK]++;
		in.octets[i / 256] = kept;
	}
	ck_assert(outcomes[0] > 1000 / step && outcomes[1] > 1000 / step);
}
END_TEST

START_TEST(arguments_are_checked)
{
	struct {
		struct dtap_message message;
		uint8_t tail[32];
	} later;
	struct built in = everything();
	struct dtap_message m = DTAP_MESSAGE_INIT;

	ck_assert_int_eq(dtap_message_decode(in.octets, in.bytes, NULL),
			 DTAP_E_INVALID);
	ck_assert_int_eq(dtap_message_decode(NULL, 1, &m), DTAP_E_INVALID);
	ck_assert_int_eq(dtap_message_decode(NULL, 0, &m), DTAP_E_DAMAGED);
	m.size--;
	ck_assert_int_eq(dtap_message_decode(in.octets, in.bytes, &m),
			 DTAP_E_INVALID);

	/* The fields of a later release are absent. */
	memset(&later, 0xff, sizeof(later));
	later.message.size = sizeof(later);
	ck_assert_int_eq(dtap_message_decode(in.octets, in.bytes,
					     &later.message), DTAP_OK);
	ck_assert_uint_eq(later.message.size, sizeof(later));
	ck_assert_uint_eq(later.tail[sizeof(later.tail) - 1], 0);

	/* protobuf has no messages of 2 GiB; not an octet is looked at. */
	m.size = sizeof(m);
	ck_assert_int_eq(dtap_message_decode(in.octets, (size_t)INT32_MAX + 1,
					     &m), DTAP_E_DAMAGED);
	ck_assert_ptr_null(m.identity.data);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("reader_message");

	support_add(suite, every_field_arrives);
	support_add(suite, absent_fields_are_absent);
	support_add(suite, empty_is_not_absent);
	support_add(suite, unknown_fields_are_stepped_over);
	support_add(suite, the_last_of_repeated_fields_counts);
	support_add(suite, numbers_are_clamped);
	support_add(suite, addresses_keep_their_length_up_to_255);
	support_add(suite, damage_is_told);
	support_add(suite, every_cut_is_damage);
	support_add(suite, every_changed_octet_has_a_defined_outcome);
	support_add(suite, arguments_are_checked);
	return support_run(suite);
}
