/* SPDX-License-Identifier: Apache-2.0 */
#include "unbound_pending.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "support/support.h"

static const int listening; /* something to point to */
static struct unbound_pending *pending;

static void
setup(void)
{
	pending = unbound_pending_new();
	ck_assert_ptr_nonnull(pending);
}

static void
teardown(void)
{
	unbound_pending_free(pending);
}

static struct unbound_exchange
exchange_of(const char *address, uint16_t port, uint16_t id, const void *socket)
{
	struct sockaddr_in6 ip6 = { .sin6_family = AF_INET6,
				    .sin6_port = htons(port) };
	struct sockaddr_in ip4 = { .sin_family = AF_INET,
				   .sin_port = htons(port) };
	bool is_ip4 = inet_pton(AF_INET, address, &ip4.sin_addr) == 1;
	uint8_t message[12] = { (uint8_t)(id >> 8), (uint8_t)id };
	struct unbound_exchange exchange;

	ck_assert(is_ip4 || inet_pton(AF_INET6, address, &ip6.sin6_addr) == 1);
	ck_assert(unbound_exchange_init(
		&exchange,
		is_ip4 ? (const struct sockaddr *)&ip4
		       : (const struct sockaddr *)&ip6,
		socket, message, sizeof(message)));
	return exchange;
}

static struct unbound_exchange
exchange_number(uint32_t number)
{
	return exchange_of("192.0.2.1", (uint16_t)(1024 + number / 65536),
			   (uint16_t)number, &listening);
}

static void
put(struct unbound_exchange exchange, time_t sec, long nsec)
{
	struct timespec came = { .tv_sec = sec, .tv_nsec = nsec };

	unbound_pending_put(pending, &exchange, &came);
}

/* The second in which the query came; -1 when it is not known. */
static time_t
take(struct unbound_exchange exchange)
{
	struct timespec came = { .tv_sec = -2 };

	if (unbound_pending_take(pending, &exchange, &came))
		return came.tv_sec;
	ck_assert_int_eq(came.tv_sec, -2);
	return -1;
}

START_TEST(a_query_is_taken_once)
{
	struct unbound_exchange exchange = exchange_number(7);
	struct timespec came;

	ck_assert_int_eq(take(exchange), -1);
	put(exchange, 1000, 999999999);
	ck_assert(unbound_pending_take(pending, &exchange, &came));
	ck_assert_int_eq(came.tv_sec, 1000);
	ck_assert_int_eq(came.tv_nsec, 999999999);
	ck_assert_int_eq(take(exchange), -1);
}
END_TEST

START_TEST(every_part_tells_exchanges_apart)
{
	const char *other_socket = "";

	put(exchange_of("192.0.2.1", 53, 1, &listening), 1000, 0);
	ck_assert_int_eq(take(exchange_of("192.0.2.2", 53, 1, &listening)), -1);
	ck_assert_int_eq(take(exchange_of("192.0.2.1", 54, 1, &listening)), -1);
	ck_assert_int_eq(take(exchange_of("192.0.2.1", 53, 2, &listening)), -1);
	ck_assert_int_eq(take(exchange_of("192.0.2.1", 53, 1, other_socket)),
			 -1);
	ck_assert_int_eq(take(exchange_of("c000:201::", 53, 1, &listening)),
			 -1);
	ck_assert_int_eq(take(exchange_of("192.0.2.1", 53, 1, &listening)),
			 1000);

	put(exchange_of("2001:db8::1", 53, 1, &listening), 2000, 0);
	ck_assert_int_eq(take(exchange_of("2001:db8::2", 53, 1, &listening)),
			 -1);
	ck_assert_int_eq(take(exchange_of("2001:db8::1", 53, 1, &listening)),
			 2000);
}
END_TEST

/* Neither response may get the time of the other's query. */
START_TEST(a_repeated_query_makes_both_times_unknown)
{
	put(exchange_number(7), 1000, 0);
	put(exchange_number(7), 1001, 0);
	ck_assert_int_eq(take(exchange_number(7)), -1);
	put(exchange_number(7), 1002, 0);
	ck_assert_int_eq(take(exchange_number(7)), -1);
	ck_assert_int_eq(take(exchange_number(7)), -1);
	put(exchange_number(7), 1003, 0);
	ck_assert_int_eq(take(exchange_number(7)), 1003);
}
END_TEST

START_TEST(a_dropped_query_is_forgotten_in_time)
{
	put(exchange_number(7), 1000, 0);
	put(exchange_number(7), 1121, 0);
	ck_assert_int_eq(take(exchange_number(7)), 1121);
	put(exchange_number(7), 2000, 0);
	put(exchange_number(7), 2120, 0);
	ck_assert_int_eq(take(exchange_number(7)), -1);
}
END_TEST

/* Half as many as there is room for: nearly all are still known. */
START_TEST(many_wait_at_a_time)
{
	uint32_t known = 0;

	for (uint32_t i = 0; i < UNBOUND_PENDING_QUERIES / 2; i++)
		put(exchange_number(i * 31), (time_t)i, 0);
	for (uint32_t i = 0; i < UNBOUND_PENDING_QUERIES / 2; i++) {
		time_t came = take(exchange_number(i * 31));

		ck_assert(came == -1 || came == (time_t)i);
		known += came != -1;
	}
	ck_assert_uint_gt(known, UNBOUND_PENDING_QUERIES / 2 * 9 / 10);
}
END_TEST

/* An attacker's flood pushes out, and never makes a wrong time. */
START_TEST(a_flood_leaves_the_newest)
{
	const uint32_t flood = 20 * UNBOUND_PENDING_QUERIES;
	uint32_t known = 0;

	for (uint32_t i = 0; i < flood; i++)
		put(exchange_number(i), (time_t)(i / 1000), i % 1000);
	put(exchange_number(flood), 9000, 0);
	ck_assert_int_eq(take(exchange_number(flood)), 9000);
	for (uint32_t i = 0; i < flood; i++) {
		time_t came = take(exchange_number(i));

		ck_assert(came == -1 || came == (time_t)(i / 1000));
		known += came != -1;
	}
	ck_assert_uint_le(known, UNBOUND_PENDING_QUERIES);
	ck_assert_uint_gt(known, UNBOUND_PENDING_QUERIES * 9 / 10);
}
END_TEST

/* A sockaddr_in of exactly its size: no octet behind it is read. */
START_TEST(only_the_familys_octets_are_read)
{
	struct sockaddr_in *ip4 = malloc(sizeof(*ip4));
	struct sockaddr odd = { .sa_family = AF_UNIX };
	const uint8_t message[2] = { 1, 2 };
	struct unbound_exchange exchange;

	ck_assert_ptr_nonnull(ip4);
	memset(ip4, 0, sizeof(*ip4));
	ip4->sin_family = AF_INET;
	ck_assert(unbound_exchange_init(&exchange, (struct sockaddr *)ip4,
					&listening, message, 2));
	ck_assert(!unbound_exchange_init(&exchange, (struct sockaddr *)ip4,
					 &listening, message, 1));
	ck_assert(!unbound_exchange_init(&exchange, &odd, &listening, message,
					 2));
	free(ip4);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("unbound_pending");
	TCase *cases = tcase_create("pending");

	tcase_add_checked_fixture(cases, setup, teardown);
	tcase_add_test(cases, a_query_is_taken_once);
	tcase_add_test(cases, every_part_tells_exchanges_apart);
	tcase_add_test(cases, a_repeated_query_makes_both_times_unknown);
	tcase_add_test(cases, a_dropped_query_is_forgotten_in_time);
	tcase_add_test(cases, many_wait_at_a_time);
	tcase_add_test(cases, a_flood_leaves_the_newest);
	tcase_add_test(cases, only_the_familys_octets_are_read);
	suite_add_tcase(suite, cases);
	return support_run(suite);
}
