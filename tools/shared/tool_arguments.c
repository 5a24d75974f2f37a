/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tool_arguments.c: see tool_arguments.h.
 *
 * strtoull() is not used: it takes signs, blanks and overflow for numbers.
 * getaddrinfo() is not used: a program that watches DNS must not depend on
 * it, and a name can mean several addresses.
 */
#include "shared/tool_arguments.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

bool
tool_parse_number(const char *text, uint64_t min, uint64_t max,
		  uint64_t *number)
{
	uint64_t value = 0;

	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		unsigned int digit = (unsigned char)*text - (unsigned int)'0';

		if (digit > 9 || value > (UINT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	if (value < min || value > max)
		return false;
	*number = value;
	return true;
}

static bool
make_ipv4(const char *host, uint16_t port, struct sockaddr_storage *address,
	  socklen_t *bytes)
{
	struct sockaddr_in ipv4 = {.sin_family = AF_INET};

	if (inet_pton(AF_INET, host, &ipv4.sin_addr) != 1)
		return false;
	ipv4.sin_port = htons(port);
	memcpy(address, &ipv4, sizeof(ipv4));
	*bytes = sizeof(ipv4);
	return true;
}

static bool
make_ipv6(const char *host, uint16_t port, struct sockaddr_storage *address,
	  socklen_t *bytes)
{
	struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6};

	if (inet_pton(AF_INET6, host, &ipv6.sin6_addr) != 1)
		return false;
	ipv6.sin6_port = htons(port);
	memcpy(address, &ipv6, sizeof(ipv6));
	*bytes = sizeof(ipv6);
	return true;
}

bool
tool_parse_endpoint(const char *text, struct sockaddr_storage *address,
		    socklen_t *bytes)
{
	char host[INET6_ADDRSTRLEN];
	const char *colon = strrchr(text, ':');
	bool bracketed = text[0] == '[';
	const char *begin = text + bracketed;
	const char *end;
	uint64_t port;

	if (colon == NULL || !tool_parse_number(colon + 1, 0, 65535, &port))
		return false;
	end = colon - bracketed;
	if (end < begin || (bracketed && *end != ']') ||
	    (size_t)(end - begin) >= sizeof(host))
		return false;
	memcpy(host, begin, (size_t)(end - begin));
	host[end - begin] = '\0';
	if (bracketed)
		return make_ipv6(host, (uint16_t)port, address, bytes);
	return make_ipv4(host, (uint16_t)port, address, bytes);
}
