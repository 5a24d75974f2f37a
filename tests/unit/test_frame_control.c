/* SPDX-License-Identifier: Apache-2.0 */
#include "frame/frame_control.h"

#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"

#include "support/support.h"

/* Pieces of control frames as they stand behind the length field. */
#define ACCEPT "\0\0\0\1"
#define START "\0\0\0\2"
#define STOP "\0\0\0\3"
#define READY "\0\0\0\4"
#define FINISH "\0\0\0\5"
#define OURS "\0\0\0\1" "\0\0\0\x16" "protobuf:dnstap.Dnstap"
#define OTHER "\0\0\0\1" "\0\0\0\4" "text"
#define EMPTY "\0\0\0\1" "\0\0\0\0"
#define NEARLY "\0\0\0\1" "\0\0\0\x15" "protobuf:dnstap.Dnsta"
#define LONGER "\0\0\0\1" "\0\0\0\x17" "protobuf:dnstap.Dnstap2"
#define STRANGE "\0\0\0\2" "\0\0\0\3" "abc"

START_TEST(writes_the_octets_of_the_protocol)
{
	static const struct {
		enum dtap__control_type type;
		const char *octets;
		size_t bytes;
	} cases[] = {
#define CASE(type, octets) { type, octets, sizeof(octets) - 1 }
		CASE(DTAP__CONTROL_ACCEPT, "\0\0\0\0" "\0\0\0\x22" ACCEPT OURS),
		CASE(DTAP__CONTROL_START, "\0\0\0\0" "\0\0\0\x22" START OURS),
		CASE(DTAP__CONTROL_STOP, "\0\0\0\0" "\0\0\0\4" STOP),
		CASE(DTAP__CONTROL_READY, "\0\0\0\0" "\0\0\0\x22" READY OURS),
		CASE(DTAP__CONTROL_FINISH, "\0\0\0\0" "\0\0\0\4" FINISH),
#undef CASE
	};
	uint8_t out[DTAP__CONTROL_WRITTEN_MAX];

	for (size_t i = 0; i < DTAP__COUNT_OF(cases); i++) {
		ck_assert_uint_eq(dtap__control_write(out, cases[i].type),
				  cases[i].bytes);
		ck_assert_mem_eq(out, cases[i].octets, cases[i].bytes);
	}
}
END_TEST

struct read_case {
	const char *octets;
	size_t bytes;
	enum dtap_result result;
	uint32_t type;
	unsigned int content_types;
	bool names_dnstap;
};

#define GOOD(octets, type, count, ours) \
	{ octets, sizeof(octets) - 1, DTAP_OK, type, count, ours }
#define BAD(octets) \
	{ octets, sizeof(octets) - 1, DTAP_E_PROTOCOL, 0, 0, false }

static const struct read_case read_cases[] = {
	GOOD(STOP, 3, 0, false),
	GOOD(FINISH, 5, 0, false),
	GOOD(START, 2, 0, false),
	GOOD(START OURS, 2, 1, true),
	GOOD(START OTHER, 2, 1, false),
	GOOD(READY OURS, 4, 1, true),
	GOOD(READY, 4, 0, false),
	GOOD(ACCEPT, 1, 0, false),
	GOOD(ACCEPT OURS OTHER EMPTY, 1, 3, true),
	GOOD(ACCEPT OTHER OURS, 1, 2, true),
	GOOD(ACCEPT OTHER EMPTY NEARLY, 1, 3, false),
	GOOD(ACCEPT NEARLY LONGER, 1, 2, false),
	/* Unknown fields are stepped over, wherever they stand. */
	GOOD(START STRANGE OURS, 2, 1, true),
	GOOD(START OURS STRANGE, 2, 1, true),
	GOOD(STOP STRANGE, 3, 0, false),
	/* Of unknown types, only the type. */
	GOOD("\0\0\0\0", 0, 0, false),
	GOOD("\0\0\0\6", 6, 0, false),
	GOOD("\xff\xff\xff\xff" "anything at all", UINT32_MAX, 0, false),
	/* Too short for a type, for a field's head, for a field. */
	BAD(""),
	BAD("\0\0\0"),
	BAD(STOP "\0"),
	BAD(START "\0\0\0\1" "\0\0\0"),
	BAD(START "\0\0\0\1" "\0\0\0\1"),
	BAD(START "\0\0\0\1" "\xff\xff\xff\xff" "abc"),
	BAD(START "\0\0\0\2" "\xff\xff\xff\xff" "abc"),
	BAD(START OURS "\0\0\0\1"),
	/* More content types than the frame may carry. */
	BAD(START OURS OURS),
	BAD(STOP OURS),
	BAD(FINISH OURS),
	BAD(FINISH EMPTY),
};

START_TEST(understands_what_is_well_formed_and_nothing_else)
{
	const struct read_case *c;
	struct dtap__control control;

	for (size_t i = 0; i < DTAP__COUNT_OF(read_cases); i++) {
		/* From the heap, so that reading on is seen. */
		uint8_t *octets = malloc(read_cases[i].bytes + 1);

		c = &read_cases[i];
		memcpy(octets + 1, c->octets, c->bytes);
		ck_assert_msg(dtap__control_read(octets + 1, c->bytes,
						 &control) == c->result,
			      "case %zu", i);
		if (c->result == DTAP_OK) {
			ck_assert_uint_eq(control.type, c->type);
			ck_assert_msg(control.content_types ==
				      c->content_types, "case %zu", i);
			ck_assert_msg(control.names_dnstap == c->names_dnstap,
				      "case %zu", i);
		}
		free(octets);
	}
}
END_TEST

/* ACCEPT with one content type of that many octets. */
static size_t
accept_of(uint8_t *out, size_t content_type_bytes)
{
	memset(out, 'x', 12 + content_type_bytes);
	memcpy(out, ACCEPT "\0\0\0\1" "\0\0", 10);
	out[10] = (uint8_t)(content_type_bytes >> 8);
	out[11] = (uint8_t)content_type_bytes;
	return 12 + content_type_bytes;
}

START_TEST(limits_are_exact)
{
	uint8_t octets[DTAP__CONTROL_BYTES_MAX + 1];
	struct dtap__control control;
	size_t bytes = accept_of(octets, 256);

	ck_assert_int_eq(dtap__control_read(octets, bytes, &control), DTAP_OK);
	ck_assert_uint_eq(control.content_types, 1);
	bytes = accept_of(octets, 257);
	ck_assert_int_eq(dtap__control_read(octets, bytes, &control),
			 DTAP_E_PROTOCOL);

	memset(octets, 0xff, sizeof(octets));
	ck_assert_int_eq(dtap__control_read(octets, DTAP__CONTROL_BYTES_MAX,
					    &control), DTAP_OK);
	ck_assert_int_eq(dtap__control_read(octets,
					    DTAP__CONTROL_BYTES_MAX + 1,
					    &control), DTAP_E_PROTOCOL);
}
END_TEST

START_TEST(as_many_content_types_as_fit)
{
	uint8_t octets[DTAP__CONTROL_BYTES_MAX];
	struct dtap__control control;
	size_t bytes = 4;

	memcpy(octets, READY, 4);
	for (; bytes + 8 <= sizeof(octets); bytes += 8)
		memcpy(octets + bytes, EMPTY, 8);
	ck_assert_int_eq(dtap__control_read(octets, bytes, &control), DTAP_OK);
	ck_assert_uint_eq(control.content_types, 63);
	ck_assert(!dtap__control_allows_dnstap(&control));
}
END_TEST

START_TEST(what_is_written_is_understood)
{
	uint8_t out[DTAP__CONTROL_WRITTEN_MAX];
	struct dtap__control control;
	size_t bytes;

	for (uint32_t type = 1; type <= 5; type++) {
		bytes = dtap__control_write(out, type);
		ck_assert_int_eq(dtap__control_read(out + 8, bytes - 8,
						    &control), DTAP_OK);
		ck_assert_uint_eq(control.type, type);
		ck_assert(dtap__control_allows_dnstap(&control));
		ck_assert(control.names_dnstap == (control.content_types > 0));
	}
}
END_TEST

START_TEST(names_the_known_types)
{
	ck_assert_str_eq(dtap__control_name(DTAP__CONTROL_ACCEPT), "ACCEPT");
	ck_assert_str_eq(dtap__control_name(DTAP__CONTROL_START), "START");
	ck_assert_str_eq(dtap__control_name(DTAP__CONTROL_STOP), "STOP");
	ck_assert_str_eq(dtap__control_name(DTAP__CONTROL_READY), "READY");
	ck_assert_str_eq(dtap__control_name(DTAP__CONTROL_FINISH), "FINISH");
	ck_assert_str_eq(dtap__control_name(0), "unknown");
	ck_assert_str_eq(dtap__control_name(6), "unknown");
	ck_assert_str_eq(dtap__control_name(UINT32_MAX), "unknown");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("frame_control");

	support_add(suite, writes_the_octets_of_the_protocol);
	support_add(suite, understands_what_is_well_formed_and_nothing_else);
	support_add(suite, limits_are_exact);
	support_add(suite, as_many_content_types_as_fit);
	support_add(suite, what_is_written_is_understood);
	support_add(suite, names_the_known_types);
	return support_run(suite);
}
