/* SPDX-License-Identifier: Apache-2.0 */
#include <dnstap/event.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "support/support.h"

/* Memory of exactly that size, so that a sanitizer sees one octet more. */
static struct sockaddr *
exactly(const void *address, size_t bytes)
{
	void *copy = malloc(bytes);

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, address, bytes);
	return copy;
}

static struct sockaddr *
inet(const char *text, uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons(port)};

	ck_assert_int_eq(inet_pton(AF_INET, text, &address.sin_addr), 1);
	return exactly(&address, sizeof(address));
}

static struct sockaddr *
inet6(const char *text, uint16_t port)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6,
				       .sin6_port = htons(port)};

	ck_assert_int_eq(inet_pton(AF_INET6, text, &address.sin6_addr), 1);
	return exactly(&address, sizeof(address));
}

START_TEST(an_ipv4_address_fills_its_end)
{
	struct sockaddr *query = inet("192.0.2.1", 40000);
	struct sockaddr *response = inet("198.51.100.53", 53);
	struct dtap_event event = DTAP_EVENT_INIT;

	ck_assert_int_eq(dtap_event_set_query_sockaddr(
				 &event, query, sizeof(struct sockaddr_in)),
			 DTAP_OK);
	ck_assert_int_eq(event.socket_family, DTAP_INET);
	ck_assert_int_eq(event.query_address_bytes, 4);
	ck_assert_mem_eq(event.query_address, "\xc0\x00\x02\x01", 4);
	ck_assert_int_eq(event.query_port, 40000);
	ck_assert_int_eq(event.response_address_bytes, 0);
	ck_assert_int_eq(event.response_port, 0);

	ck_assert_int_eq(dtap_event_set_response_sockaddr(
				 &event, response, sizeof(struct sockaddr_in)),
			 DTAP_OK);
	ck_assert_int_eq(event.response_address_bytes, 4);
	ck_assert_mem_eq(event.response_address, "\xc6\x33\x64\x35", 4);
	ck_assert_int_eq(event.response_port, 53);
	ck_assert_int_eq(event.query_port, 40000);
	free(query);
	free(response);
}
END_TEST

START_TEST(an_ipv6_address_stays_one_even_if_mapped)
{
	struct sockaddr *query = inet6("::ffff:192.0.2.1", 1);
	struct dtap_event event = DTAP_EVENT_INIT;

	ck_assert_int_eq(dtap_event_set_query_sockaddr(
				 &event, query, sizeof(struct sockaddr_in6)),
			 DTAP_OK);
	ck_assert_int_eq(event.socket_family, DTAP_INET6);
	ck_assert_int_eq(event.query_address_bytes, 16);
	ck_assert_mem_eq(event.query_address,
			 "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\x00\x02\x01", 16);
	ck_assert_int_eq(event.query_port, 1);
	free(query);
}
END_TEST

START_TEST(larger_storage_is_fine)
{
	struct sockaddr_storage storage = {.ss_family = AF_INET};
	struct dtap_event event = DTAP_EVENT_INIT;

	ck_assert_int_eq(dtap_event_set_query_sockaddr(
				 &event, (struct sockaddr *)&storage,
				 sizeof(storage)),
			 DTAP_OK);
	ck_assert_int_eq(event.query_address_bytes, 4);
}
END_TEST

START_TEST(no_alignment_is_assumed)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6,
				       .sin6_port = htons(853)};
	char octets[sizeof(address) + 1];
	struct dtap_event event = DTAP_EVENT_INIT;

	memcpy(octets + 1, &address, sizeof(address));
	ck_assert_int_eq(dtap_event_set_response_sockaddr(
				 &event, (void *)(octets + 1),
				 sizeof(address)),
			 DTAP_OK);
	ck_assert_int_eq(event.response_port, 853);
}
END_TEST

START_TEST(null_makes_the_address_absent)
{
	struct sockaddr *address = inet("192.0.2.1", 1);
	struct dtap_event event = DTAP_EVENT_INIT;

	dtap_event_set_query_sockaddr(&event, address,
				      sizeof(struct sockaddr_in));
	dtap_event_set_response_sockaddr(&event, address,
					 sizeof(struct sockaddr_in));
	ck_assert_int_eq(dtap_event_set_query_sockaddr(&event, NULL, 0),
			 DTAP_OK);
	ck_assert_int_eq(event.query_address_bytes, 0);
	ck_assert_ptr_null(event.query_address);
	ck_assert_int_eq(event.query_port, 0);
	ck_assert_int_eq(event.response_address_bytes, 4);
	ck_assert_int_eq(event.socket_family, DTAP_INET);
	ck_assert_int_eq(dtap_event_set_response_sockaddr(&event, NULL, 0),
			 DTAP_OK);
	ck_assert_int_eq(event.response_address_bytes, 0);
	free(address);
}
END_TEST

/* Both functions refuse, and change nothing. */
static void
refused(const struct dtap_event *before, const struct sockaddr *address,
	size_t bytes)
{
	struct dtap_event event = *before;

	ck_assert_int_eq(dtap_event_set_query_sockaddr(&event, address, bytes),
			 DTAP_E_INVALID);
	ck_assert_mem_eq(&event, before, sizeof(event));
	ck_assert_int_eq(dtap_event_set_response_sockaddr(&event, address,
							  bytes),
			 DTAP_E_INVALID);
	ck_assert_mem_eq(&event, before, sizeof(event));
}

START_TEST(too_few_octets_are_refused)
{
	struct sockaddr *address = inet("192.0.2.1", 1);
	struct sockaddr *address6 = inet6("2001:db8::1", 1);
	struct dtap_event event = DTAP_EVENT_INIT;

	for (size_t bytes = 0; bytes < sizeof(struct sockaddr_in); bytes++) {
		struct sockaddr *cut = exactly(address, bytes);

		refused(&event, cut, bytes);
		free(cut);
	}
	refused(&event, address6, sizeof(struct sockaddr_in));
	refused(&event, address6, sizeof(struct sockaddr_in6) - 1);
	free(address);
	free(address6);
}
END_TEST

START_TEST(other_families_are_refused)
{
	struct sockaddr_storage storage = {.ss_family = AF_UNIX};
	struct sockaddr *address6 = inet6("2001:db8::1", 1);
	struct dtap_event event = DTAP_EVENT_INIT;

	refused(&event, (struct sockaddr *)&storage, sizeof(storage));
	event.socket_family = DTAP_INET;
	refused(&event, address6, sizeof(struct sockaddr_in6));
	free(address6);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("event_address");

	support_add(suite, an_ipv4_address_fills_its_end);
	support_add(suite, an_ipv6_address_stays_one_even_if_mapped);
	support_add(suite, larger_storage_is_fine);
	support_add(suite, no_alignment_is_assumed);
	support_add(suite, null_makes_the_address_absent);
	support_add(suite, too_few_octets_are_refused);
	support_add(suite, other_families_are_refused);
	return support_run(suite);
}
