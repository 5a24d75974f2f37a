/* SPDX-License-Identifier: Apache-2.0 */
#include "event/event_filter.h"

#include <string.h>

#include "support/support.h"

#define EXCHANGES 100000u

struct exchange {
	uint8_t address[16];
	uint8_t message[12];
	struct dtap_event query;
	struct dtap_event response;
};

/* The n-th of many exchanges: the two events that a server sees of it. */
static void
exchange_fill(struct exchange *exchange, uint32_t n)
{
	struct dtap_event *query = &exchange->query;

	memset(exchange, 0, sizeof(*exchange));
	memcpy(exchange->address, (uint8_t[]){192, 0, (uint8_t)(n >> 8),
					      (uint8_t)n}, 4);
	exchange->message[0] = (uint8_t)(n >> 4);
	exchange->message[1] = (uint8_t)(n >> 12);
	query->size = sizeof(*query);
	query->type = DTAP_CLIENT_QUERY;
	query->socket_family = DTAP_INET;
	query->query_address = exchange->address;
	query->query_address_bytes = 4;
	query->query_port = (uint16_t)(1024 + n);
	query->query_message = exchange->message;
	query->query_message_bytes = sizeof(exchange->message);

	exchange->response = *query;
	exchange->response.type = DTAP_CLIENT_RESPONSE;
	exchange->response.response_time_sec = n;
	exchange->response.query_message_bytes = 0;
	exchange->response.response_message = exchange->message;
	exchange->response.response_message_bytes = sizeof(exchange->message);
}

START_TEST(a_type_is_wanted_when_its_bit_is_set)
{
	for (unsigned int type = 0; type < 256; type++) {
		ck_assert_int_eq(dtap__event_wanted(DTAP__TYPES_ALL, type),
				 type >= 1 && type <= 14);
		ck_assert(!dtap__event_wanted(0, type));
		ck_assert_int_eq(dtap__event_wanted(1u << 5, type), type == 5);
	}
}
END_TEST

START_TEST(one_in_one_keeps_everything)
{
	struct exchange exchange;

	for (uint32_t n = 0; n < 1000; n++) {
		exchange_fill(&exchange, n);
		ck_assert(dtap__event_sampled(&exchange.query, 1));
		ck_assert(dtap__event_sampled(&exchange.query, 0));
	}
}
END_TEST

START_TEST(a_query_and_its_response_share_their_fate)
{
	struct exchange exchange;

	for (uint32_t n = 0; n < 10000; n++) {
		exchange_fill(&exchange, n);
		ck_assert_int_eq(dtap__event_sampled(&exchange.query, 3),
				 dtap__event_sampled(&exchange.response, 3));
	}
}
END_TEST

START_TEST(about_one_in_n_is_kept)
{
	static const uint64_t rates[] = {2, 7, 10, 100, 1000};
	struct exchange exchange;

	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		uint32_t kept = 0;

		for (uint32_t n = 0; n < EXCHANGES; n++) {
			exchange_fill(&exchange, n);
			kept += dtap__event_sampled(&exchange.query, rates[i]);
		}
		/* Half to twice: the numbers are fixed, so is the outcome. */
		ck_assert_uint_gt(kept, EXCHANGES / rates[i] / 2);
		ck_assert_uint_lt(kept, EXCHANGES / rates[i] * 2);
	}
}
END_TEST

/* How many of 1000 events are kept when only one thing varies. */
static unsigned int
kept_when(void (*vary)(struct exchange *exchange, uint32_t n))
{
	struct exchange exchange;
	unsigned int kept = 0;

	for (uint32_t n = 0; n < 1000; n++) {
		exchange_fill(&exchange, 0);
		vary(&exchange, n);
		kept += dtap__event_sampled(&exchange.query, 2);
	}
	return kept;
}

static void
vary_address(struct exchange *exchange, uint32_t n)
{
	memcpy(exchange->address + 2, &n, 2);
}

static void
vary_address6(struct exchange *exchange, uint32_t n)
{
	exchange->query.query_address_bytes = 16;
	memcpy(exchange->address + 12, &n, 4);
}

static void
vary_port(struct exchange *exchange, uint32_t n)
{
	exchange->query.query_port = (uint16_t)n;
}

static void
vary_id(struct exchange *exchange, uint32_t n)
{
	memcpy(exchange->message, &n, 2);
}

START_TEST(address_port_and_id_each_matter)
{
	static void (*const vary[])(struct exchange *, uint32_t) = {
		vary_address, vary_address6, vary_port, vary_id};

	for (size_t i = 0; i < sizeof(vary) / sizeof(vary[0]); i++) {
		unsigned int kept = kept_when(vary[i]);

		ck_assert_uint_gt(kept, 250);
		ck_assert_uint_lt(kept, 750);
	}
}
END_TEST

START_TEST(an_event_without_a_message_has_a_fate_too)
{
	struct dtap_event event = DTAP_EVENT_INIT;
	uint8_t octet = 7;
	bool fate;

	event.type = DTAP_TOOL_QUERY;
	fate = dtap__event_sampled(&event, 3);
	event.query_message = &octet; /* too short for an id */
	event.query_message_bytes = 1;
	ck_assert_int_eq(dtap__event_sampled(&event, 3), fate);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("event_filter");

	support_add(suite, a_type_is_wanted_when_its_bit_is_set);
	support_add(suite, one_in_one_keeps_everything);
	support_add(suite, a_query_and_its_response_share_their_fate);
	support_add(suite, about_one_in_n_is_kept);
	support_add(suite, address_port_and_id_each_matter);
	support_add(suite, an_event_without_a_message_has_a_fate_too);
	return support_run(suite);
}
