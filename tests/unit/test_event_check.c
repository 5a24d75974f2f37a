/* SPDX-License-Identifier: Apache-2.0 */
#include "event/event_check.h"

#include <string.h>

#include "base/compiler.h"
#include "support/support.h"

#define OWN_MAX 2000u

static const uint8_t octets[16] = {192, 0, 2, 1};

static struct dtap_policy policy;
static struct dtap_event event;

/* An event with every field, valid. */
static void
fill(void)
{
	policy = (struct dtap_policy)DTAP_POLICY_INIT;
	policy.type = "RPZ";
	policy.rule = octets;
	policy.rule_bytes = 10;
	policy.value = octets;
	policy.value_bytes = 4;
	policy.action = DTAP_ACTION_LOCAL_DATA;
	policy.match = DTAP_MATCH_NS_IP;

	event = (struct dtap_event)DTAP_EVENT_INIT;
	event.type = DTAP_RESOLVER_RESPONSE;
	event.socket_family = DTAP_INET;
	event.socket_protocol = DTAP_DOH;
	event.http_protocol = DTAP_HTTP3;
	event.query_address = octets;
	event.query_address_bytes = 4;
	event.response_address = octets;
	event.response_address_bytes = 4;
	event.query_port = 65535;
	event.response_port = 443;
	event.query_time_sec = UINT64_MAX >> 1;
	event.query_time_nsec = 999999999;
	event.response_time_sec = 1;
	event.response_time_nsec = 999999999;
	event.query_message = octets;
	event.query_message_bytes = 16;
	event.response_message = octets;
	event.response_message_bytes = 16;
	event.query_zone = octets;
	event.query_zone_bytes = 1;
	event.policy = &policy;
	event.extra = octets;
	event.extra_bytes = 1;
}

static enum dtap_result
check(void)
{
	struct dtap_event room;
	const struct dtap_event *normal = NULL;
	enum dtap_result result =
		dtap__event_check(&event, OWN_MAX, &room, &normal);

	if (result == DTAP_OK)
		ck_assert_ptr_eq(normal, &event);
	else
		ck_assert_ptr_null(normal);
	return result;
}

/* Fills, changes one thing and expects that. */
#define EXPECT_AFTER(change, expected) \
	do { \
		fill(); \
		change; \
		ck_assert_msg(check() == (expected), "%s", #change); \
	} while (0)

START_TEST(a_full_event_and_an_empty_one_are_valid)
{
	fill();
	ck_assert_int_eq(check(), DTAP_OK);
	event = (struct dtap_event)DTAP_EVENT_INIT;
	event.type = DTAP_AUTH_QUERY;
	ck_assert_int_eq(check(), DTAP_OK);
}
END_TEST

START_TEST(enumerations_end_where_the_schema_does)
{
	EXPECT_AFTER(event.type = 0, DTAP_E_INVALID);
	EXPECT_AFTER(event.type = DTAP_UPDATE_RESPONSE, DTAP_OK);
	EXPECT_AFTER(event.type = 15, DTAP_E_INVALID);
	EXPECT_AFTER(event.type = 255, DTAP_E_INVALID);
	EXPECT_AFTER(event.socket_protocol = DTAP_DOQ, DTAP_OK);
	EXPECT_AFTER(event.socket_protocol = 8, DTAP_E_INVALID);
	EXPECT_AFTER(event.http_protocol = 4, DTAP_E_INVALID);
	EXPECT_AFTER(policy.action = 7, DTAP_E_INVALID);
	EXPECT_AFTER(policy.match = 6, DTAP_E_INVALID);
}
END_TEST

START_TEST(addresses_have_the_length_of_the_family)
{
	EXPECT_AFTER(event.socket_family = DTAP_INET6, DTAP_E_INVALID);
	EXPECT_AFTER(event.socket_family = 3, DTAP_E_INVALID);
	EXPECT_AFTER(event.socket_family = 0, DTAP_E_INVALID);
	EXPECT_AFTER(event.query_address_bytes = 5, DTAP_E_INVALID);
	EXPECT_AFTER(event.response_address_bytes = 16, DTAP_E_INVALID);
	EXPECT_AFTER(event.query_address = NULL, DTAP_E_INVALID);
	EXPECT_AFTER(event.response_address = NULL, DTAP_E_INVALID);

	EXPECT_AFTER(event.query_address_bytes = 0, DTAP_OK);
	event.response_address_bytes = 0;
	ck_assert_int_eq(check(), DTAP_OK);
	event.socket_family = 0;
	ck_assert_int_eq(check(), DTAP_OK);
	event.socket_family = DTAP_INET6;
	event.query_address_bytes = 16;
	event.response_address_bytes = 16;
	ck_assert_int_eq(check(), DTAP_OK);
}
END_TEST

START_TEST(times_have_limits)
{
	EXPECT_AFTER(event.query_time_nsec = 1000000000, DTAP_E_INVALID);
	EXPECT_AFTER(event.response_time_nsec = 1000000000, DTAP_E_INVALID);
	EXPECT_AFTER(event.query_time_sec = UINT64_C(1) << 63,
		     DTAP_E_INVALID);
	EXPECT_AFTER(event.response_time_sec = UINT64_MAX, DTAP_E_INVALID);
}
END_TEST

START_TEST(a_length_needs_a_pointer)
{
	EXPECT_AFTER(event.query_message = NULL, DTAP_E_INVALID);
	EXPECT_AFTER(event.response_message = NULL, DTAP_E_INVALID);
	EXPECT_AFTER(event.query_zone = NULL, DTAP_E_INVALID);
	EXPECT_AFTER(event.extra = NULL, DTAP_E_INVALID);
	EXPECT_AFTER(policy.rule = NULL, DTAP_E_INVALID);
	EXPECT_AFTER(policy.value = NULL, DTAP_E_INVALID);
	EXPECT_AFTER(policy.type = NULL, DTAP_OK);
	EXPECT_AFTER(event.query_message = NULL, DTAP_E_INVALID);
	event.query_message_bytes = 0;
	ck_assert_int_eq(check(), DTAP_OK);
}
END_TEST

START_TEST(reserved_fields_are_zero)
{
	EXPECT_AFTER(event.reserved = 1, DTAP_E_INVALID);
	EXPECT_AFTER(event.reserved_tail = 1, DTAP_E_INVALID);
	EXPECT_AFTER(policy.reserved[5] = 1, DTAP_E_INVALID);
}
END_TEST

START_TEST(lengths_have_limits)
{
	EXPECT_AFTER(event.query_message_bytes = 65535, DTAP_OK);
	EXPECT_AFTER(event.query_message_bytes = 65536, DTAP_E_TOO_BIG);
	EXPECT_AFTER(event.response_message_bytes = UINT32_MAX,
		     DTAP_E_TOO_BIG);
	EXPECT_AFTER(event.query_zone_bytes = 255, DTAP_OK);
	EXPECT_AFTER(event.query_zone_bytes = 256, DTAP_E_TOO_BIG);
}
END_TEST

START_TEST(metadata_is_limited_as_a_sum)
{
	/* What fill() sets, but the extra: zone 1, type 3, rule 10, value 4. */
	const uint32_t rest = 18;
	static char long_type[OWN_MAX + 2];

	EXPECT_AFTER(event.extra_bytes = OWN_MAX - rest, DTAP_OK);
	EXPECT_AFTER(event.extra_bytes = OWN_MAX - rest + 1, DTAP_E_TOO_BIG);
	EXPECT_AFTER(policy.rule_bytes = OWN_MAX, DTAP_E_TOO_BIG);
	EXPECT_AFTER(policy.value_bytes = UINT32_MAX, DTAP_E_TOO_BIG);
	/* Sums that would be small again in 32 bits. */
	EXPECT_AFTER(event.extra_bytes = UINT32_MAX, DTAP_E_TOO_BIG);
	EXPECT_AFTER((event.extra_bytes = UINT32_MAX,
		      policy.rule_bytes = UINT32_MAX), DTAP_E_TOO_BIG);
	memset(long_type, 'x', sizeof(long_type) - 1);
	EXPECT_AFTER(policy.type = long_type, DTAP_E_TOO_BIG);
}
END_TEST

START_TEST(a_smaller_structure_is_refused)
{
	EXPECT_AFTER(event.size = sizeof(event) - 1, DTAP_E_INVALID);
	EXPECT_AFTER(event.size = 0, DTAP_E_INVALID);
	EXPECT_AFTER(policy.size = sizeof(policy) - 1, DTAP_E_INVALID);
	EXPECT_AFTER(event.size = SIZE_MAX, DTAP_E_INVALID);
	EXPECT_AFTER(policy.size = SIZE_MAX, DTAP_E_INVALID);
}
END_TEST

START_TEST(a_larger_structure_needs_a_zero_tail)
{
	struct {
		struct dtap_event known;
		uint8_t tail[16];
	} later = {0};
	struct dtap_event room;
	const struct dtap_event *normal = NULL;

	fill();
	later.known = event;
	later.known.size = sizeof(later);
	ck_assert_int_eq(dtap__event_check(&later.known, OWN_MAX, &room,
					   &normal),
			 DTAP_OK);
	ck_assert_ptr_eq(normal, &room);
	ck_assert_mem_eq(&room, &event, sizeof(event));

	for (size_t i = 0; i < sizeof(later.tail); i++) {
		later.tail[i] = 1;
		ck_assert_int_eq(dtap__event_check(&later.known, OWN_MAX,
						   &room, &normal),
				 DTAP_E_INVALID);
		later.tail[i] = 0;
	}
}
END_TEST

START_TEST(a_structure_of_no_sensible_size_is_not_read)
{
	static struct {
		struct dtap_event known;
		uint8_t tail[2 * DTAP__STRUCT_BYTES_MAX];
	} later;
	struct dtap_event room;
	const struct dtap_event *normal;

	fill();
	later.known = event;
	later.known.size = DTAP__STRUCT_BYTES_MAX;
	ck_assert_int_eq(dtap__event_check(&later.known, OWN_MAX, &room,
					   &normal),
			 DTAP_OK);
	later.known.size = DTAP__STRUCT_BYTES_MAX + 1;
	ck_assert_int_eq(dtap__event_check(&later.known, OWN_MAX, &room,
					   &normal),
			 DTAP_E_INVALID);
}
END_TEST

START_TEST(a_larger_policy_needs_a_zero_tail)
{
	struct {
		struct dtap_policy known;
		uint8_t tail[8];
	} later = {0};

	fill();
	later.known = policy;
	later.known.size = sizeof(later);
	event.policy = &later.known;
	ck_assert_int_eq(check(), DTAP_OK);
	later.tail[7] = 1;
	ck_assert_int_eq(check(), DTAP_E_INVALID);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("event_check");

	support_add(suite, a_full_event_and_an_empty_one_are_valid);
	support_add(suite, enumerations_end_where_the_schema_does);
	support_add(suite, addresses_have_the_length_of_the_family);
	support_add(suite, times_have_limits);
	support_add(suite, a_length_needs_a_pointer);
	support_add(suite, reserved_fields_are_zero);
	support_add(suite, lengths_have_limits);
	support_add(suite, metadata_is_limited_as_a_sum);
	support_add(suite, a_smaller_structure_is_refused);
	support_add(suite, a_larger_structure_needs_a_zero_tail);
	support_add(suite, a_structure_of_no_sensible_size_is_not_read);
	support_add(suite, a_larger_policy_needs_a_zero_tail);
	return support_run(suite);
}
