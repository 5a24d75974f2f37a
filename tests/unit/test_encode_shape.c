/* SPDX-License-Identifier: Apache-2.0 */
#include "encode/encode_shape.h"

#include <string.h>

#include "support/support.h"

static struct dtap__encoder encoder;

static struct dtap__shape *
slot_of(const struct dtap_event *event)
{
	return dtap__shape_slot(&encoder, dtap__shape_key(event));
}

static struct dtap_event
event_of(unsigned int type, unsigned int family, unsigned int protocol)
{
	struct dtap_event event = DTAP_EVENT_INIT;

	event.type = (uint8_t)type;
	event.socket_family = (uint8_t)family;
	event.socket_protocol = (uint8_t)protocol;
	event.query_address_bytes = family == DTAP_INET ? 4 : 16;
	event.response_address_bytes = event.query_address_bytes;
	return event;
}

START_TEST(no_key_fits_an_empty_slot)
{
	dtap__shape_clear_all(&encoder);
	for (unsigned int type = 0; type < 256; type++) {
		struct dtap_event event = DTAP_EVENT_INIT;

		event.type = (uint8_t)type;
		ck_assert(slot_of(&event)->key != dtap__shape_key(&event));
		event.socket_family = (uint8_t)(255 - type);
		event.reserved = (uint16_t)type;
		ck_assert(slot_of(&event)->key != dtap__shape_key(&event));
	}
}
END_TEST

START_TEST(the_slot_for_all_ones_is_not_slot_0)
{
	struct dtap_event event = DTAP_EVENT_INIT;

	event.type = event.socket_family = event.socket_protocol = 0xff;
	event.http_protocol = 0xff;
	event.query_address_bytes = event.response_address_bytes = 0xff;
	event.reserved = 0xffff;
	ck_assert(dtap__shape_key(&event) == UINT64_MAX);
	dtap__shape_clear_all(&encoder);
	ck_assert_ptr_ne(slot_of(&event), &encoder.shapes[0]);
	ck_assert(slot_of(&event)->key != dtap__shape_key(&event));
}
END_TEST

START_TEST(what_a_server_mixes_does_not_collide)
{
	bool taken[DTAP__SHAPES] = {false};

	for (unsigned int type = 1; type <= 14; type++) {
		for (unsigned int i = 0; i < 4; i++) {
			struct dtap_event event =
				event_of(type, 1 + i / 2, 1 + i % 2);
			ptrdiff_t slot = slot_of(&event) - encoder.shapes;

			ck_assert_int_ge(slot, 0);
			ck_assert_int_lt(slot, DTAP__SHAPES);
			ck_assert(!taken[slot]);
			taken[slot] = true;
		}
	}
}
END_TEST

START_TEST(a_shape_keeps_octets_ready)
{
	struct dtap_event event =
		event_of(DTAP_CLIENT_RESPONSE, DTAP_INET, DTAP_UDP);
	struct dtap__shape *shape;

	event.response_port = 853;
	event.query_time_sec = 1700000000;
	event.response_time_sec = 1700000001;
	memset(&encoder, 0, sizeof(encoder));
	dtap__shape_remember(&encoder, &event);
	shape = slot_of(&event);
	ck_assert(shape->key == dtap__shape_key(&event));
	ck_assert_uint_eq(shape->head_bytes, 8);
	ck_assert_mem_eq(shape->head, "\x08\x06\x10\x01\x18\x01\x22\x04", 8);
	ck_assert_uint_eq(shape->address_bytes, 10);
	ck_assert_int_eq(shape->ends, DTAP__ENDS_INET);
	ck_assert_uint_eq(shape->middle_bytes, 10);
	ck_assert_mem_eq(shape->middle,
			 "\x38\xd5\x06" "\x40\x80\xe2\xcf\xaa\x06" "\x4d", 10);
	ck_assert_uint_eq(shape->middle_total, 14);
	ck_assert_uint_eq(shape->response_time_bytes, 7);
	ck_assert_mem_eq(shape->response_time,
			 "\x60\x81\xe2\xcf\xaa\x06" "\x6d", 7);
	ck_assert_uint_eq(shape->response_time_total, 11);
	ck_assert_uint_eq(shape->fixed_bytes, 8 + 10 + 14 + 11);
	ck_assert_int_eq(shape->layout, DTAP__SHAPE_RESPONSE_INET);
}
END_TEST

START_TEST(a_refresh_takes_over_seconds_and_port_only)
{
	struct dtap_event event =
		event_of(DTAP_CLIENT_QUERY, DTAP_INET6, DTAP_TCP);
	struct dtap__shape *shape = slot_of(&event);
	struct dtap__shape before;

	memset(&encoder, 0, sizeof(encoder));
	dtap__shape_remember(&encoder, &event);
	ck_assert_uint_eq(shape->fixed_bytes, 8 + 34);
	ck_assert_uint_eq(shape->query_nsec_max, 0);
	event.query_time_sec = 1;
	event.response_port = 53;
	ck_assert(dtap__shape_refresh(shape, &event));
	ck_assert_uint_eq(shape->fixed_bytes, 8 + 34 + 2 + 2 + 5);
	ck_assert_uint_eq(shape->query_nsec_max, 999999999);
	ck_assert_int_eq(shape->layout, DTAP__SHAPE_QUERY_INET6);

	before = *shape;
	event.query_time_sec = UINT64_C(1) << 63;
	ck_assert(!dtap__shape_refresh(shape, &event));
	event.query_time_sec = 1;
	event.response_time_sec = UINT64_MAX;
	ck_assert(!dtap__shape_refresh(shape, &event));
	event.response_time_sec = 0;
	event.query_address_bytes = 0;
	ck_assert(!dtap__shape_refresh(shape, &event));
	ck_assert_mem_eq(shape, &before, sizeof(before));
}
END_TEST

START_TEST(the_longest_octets_fit)
{
	struct dtap_event event =
		event_of(DTAP_CLIENT_RESPONSE, DTAP_INET6, DTAP_UDP);
	struct dtap__shape *shape = slot_of(&event);

	event.response_port = 65535;
	event.query_time_sec = event.response_time_sec = UINT64_MAX >> 1;
	memset(&encoder, 0, sizeof(encoder));
	dtap__shape_remember(&encoder, &event);
	ck_assert_uint_eq(shape->middle_bytes, 4 + 10 + 1);
	ck_assert_uint_le(shape->middle_bytes, sizeof(shape->middle));
	ck_assert_uint_eq(shape->response_time_bytes, 10 + 1);
	ck_assert_uint_eq(shape->fixed_bytes, 8 + 34 + 19 + 15);
}
END_TEST

START_TEST(a_long_prefix_is_never_lean)
{
	struct dtap_event event =
		event_of(DTAP_CLIENT_QUERY, DTAP_INET, DTAP_UDP);

	event.query_time_sec = 1700000000;
	memset(&encoder, 0, sizeof(encoder));
	encoder.prefix.bytes = DTAP__PREFIX_LEAN_BYTES - 1;
	dtap__shape_remember(&encoder, &event);
	ck_assert_int_eq(slot_of(&event)->layout, DTAP__SHAPE_QUERY_INET);
	dtap__shape_clear_all(&encoder);
	encoder.prefix.bytes = DTAP__PREFIX_LEAN_BYTES;
	dtap__shape_remember(&encoder, &event);
	ck_assert_int_eq(slot_of(&event)->layout, DTAP__SHAPE_ANY);
}
END_TEST

START_TEST(a_query_without_a_time_is_not_lean)
{
	struct dtap_event event =
		event_of(DTAP_CLIENT_QUERY, DTAP_INET, DTAP_UDP);

	dtap__shape_clear_all(&encoder);
	dtap__shape_remember(&encoder, &event);
	ck_assert_int_eq(slot_of(&event)->layout, DTAP__SHAPE_ANY);
	event.query_time_sec = 1;
	ck_assert(dtap__shape_refresh(slot_of(&event), &event));
	ck_assert_int_eq(slot_of(&event)->layout, DTAP__SHAPE_QUERY_INET);
}
END_TEST

/* All lengths of the Message from the least to the greatest it may have. */
START_TEST(lengths_that_a_shape_promises_are_certain)
{
	struct dtap_event event =
		event_of(DTAP_CLIENT_RESPONSE, DTAP_INET6, DTAP_UDP);
	struct dtap__shape *shape = slot_of(&event);

	event.query_time_sec = event.response_time_sec = 1700000000;
	dtap__shape_clear_all(&encoder);
	dtap__shape_remember(&encoder, &event);
	/* The message has a tag and a length, and there may be a port. */
	ck_assert_uint_eq(shape->fixed_bytes + 8 + shape->short_max, 0x7f);
	ck_assert_uint_eq(shape->fixed_bytes + 2 + shape->wide_min, 0x80);
	ck_assert_uint_eq(shape->fixed_bytes + 8 + shape->wide_min +
				  DTAP__SHAPE_WIDE_SPAN, 0x3fff);
	ck_assert_uint_le(DTAP__SHAPE_COPY_MIN + shape->copy_span,
			  shape->short_max);
	ck_assert_uint_le(DTAP__SHAPE_COPY_MIN + shape->copy_span,
			  DTAP__SHAPE_COPY_MAX);
}
END_TEST

START_TEST(http_protocol_is_not_remembered)
{
	struct dtap_event event =
		event_of(DTAP_CLIENT_QUERY, DTAP_INET, DTAP_DOH);

	event.http_protocol = DTAP_HTTP2;
	dtap__shape_clear_all(&encoder);
	dtap__shape_remember(&encoder, &event);
	ck_assert(slot_of(&event)->key != dtap__shape_key(&event));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("encode_shape");

	support_add(suite, no_key_fits_an_empty_slot);
	support_add(suite, the_slot_for_all_ones_is_not_slot_0);
	support_add(suite, what_a_server_mixes_does_not_collide);
	support_add(suite, a_shape_keeps_octets_ready);
	support_add(suite, a_refresh_takes_over_seconds_and_port_only);
	support_add(suite, the_longest_octets_fit);
	support_add(suite, a_long_prefix_is_never_lean);
	support_add(suite, a_query_without_a_time_is_not_lean);
	support_add(suite, lengths_that_a_shape_promises_are_certain);
	support_add(suite, http_protocol_is_not_remembered);
	return support_run(suite);
}
