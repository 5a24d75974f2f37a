/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/tool_arguments.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "support/support.h"

START_TEST(numbers_are_digits_within_limits)
{
	static const char *const wrong[] = {
		"", " 1", "1 ", "+1", "-1", "0x10", "1.0", "1k", "9", "101",
		"18446744073709551616", "99999999999999999999999"};
	uint64_t number = 7;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		ck_assert_msg(!tool_parse_number(wrong[i], 10, 100, &number),
			      "took %s", wrong[i]);
		ck_assert_uint_eq(number, 7);
	}
	ck_assert(tool_parse_number("10", 10, 100, &number));
	ck_assert_uint_eq(number, 10);
	ck_assert(tool_parse_number("0100", 10, 100, &number));
	ck_assert_uint_eq(number, 100);
	ck_assert(tool_parse_number("18446744073709551615", 0, UINT64_MAX,
				    &number));
	ck_assert(number == UINT64_MAX);
}
END_TEST

START_TEST(endpoints_are_numeric)
{
	static const char *const wrong[] = {
		"", ":", ":53", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
		"127.0.0.1:-1", "localhost:53", "127.1:53", "::1:53", "[::1]",
		"[::1]:", "[::1:53", "::1]:53", "[127.0.0.1]:53", "[]:53",
		"[:1",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:1111:2222:53"};
	struct sockaddr_storage address;
	socklen_t bytes;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_msg(!tool_parse_endpoint(wrong[i], &address, &bytes),
			      "took %s", wrong[i]);
}
END_TEST

START_TEST(endpoints_of_both_families)
{
	struct sockaddr_storage address;
	const struct sockaddr_in *ipv4 = (const void *)&address;
	const struct sockaddr_in6 *ipv6 = (const void *)&address;
	socklen_t bytes;

	ck_assert(tool_parse_endpoint("192.0.2.1:6000", &address, &bytes));
	ck_assert_uint_eq(bytes, sizeof(*ipv4));
	ck_assert_uint_eq(ipv4->sin_family, AF_INET);
	ck_assert_uint_eq(ntohs(ipv4->sin_port), 6000);
	ck_assert_uint_eq(ntohl(ipv4->sin_addr.s_addr), 0xc0000201);

	ck_assert(tool_parse_endpoint("[2001:db8::1]:0", &address, &bytes));
	ck_assert_uint_eq(bytes, sizeof(*ipv6));
	ck_assert_uint_eq(ipv6->sin6_family, AF_INET6);
	ck_assert_uint_eq(ipv6->sin6_port, 0);
	ck_assert_uint_eq(ipv6->sin6_addr.s6_addr[0], 0x20);
	ck_assert_uint_eq(ipv6->sin6_addr.s6_addr[15], 1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("tool_arguments");

	support_add(suite, numbers_are_digits_within_limits);
	support_add(suite, endpoints_are_numeric);
	support_add(suite, endpoints_of_both_families);
	return support_run(suite);
}
