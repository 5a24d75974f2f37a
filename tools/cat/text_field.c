/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text_field.c: see text_field.h.
 */
#include "cat/text_field.h"

#include <arpa/inet.h>
#include <time.h>

const char *
text_field_second(struct text *text, uint64_t sec, size_t *bytes)
{
	struct text_second *second = &text->second;

	if (!second->known || second->sec != sec) {
		time_t when = (time_t)sec;
		struct tm tm;

		second->known = true;
		second->sec = sec;
		second->bytes = 0;
		if (gmtime_r(&when, &tm) != NULL)
			second->bytes =
				strftime(second->text, sizeof(second->text),
					 "%F %H:%M:%S", &tm);
	}
	*bytes = second->bytes;
	return second->bytes == 0 ? NULL : second->text;
}

void
text_field_time(struct text *text, uint64_t sec, uint32_t nsec)
{
	size_t bytes;
	const char *second = text_field_second(text, sec, &bytes);

	if (second == NULL)
		return;
	text_put(text, second, bytes);
	text_char(text, '.');
	text_decimal_padded(text, nsec / 1000, 6);
}

static void
put_ipv4(struct text *text, const uint8_t *octets)
{
	for (int i = 0; i < 4; i++) {
		if (i > 0)
			text_char(text, '.');
		text_decimal(text, octets[i]);
	}
}

bool
text_field_address(struct text *text, const void *octets, size_t bytes)
{
	char ipv6[INET6_ADDRSTRLEN];

	if (bytes == 4) {
		put_ipv4(text, octets);
		return true;
	}
	if (bytes != 16 ||
	    inet_ntop(AF_INET6, octets, ipv6, sizeof(ipv6)) == NULL)
		return false;
	text_string(text, ipv6);
	return true;
}

void
text_field_quoted(struct text *text, const void *octets, size_t bytes)
{
	static const char hex[] = "0123456789abcdef";
	const uint8_t *at = octets;

	text_char(text, '"');
	for (size_t i = 0; i < bytes; i++) {
		uint8_t c = at[i];

		if (c < 0x20 || c > 0x7e) {
			text_put(text, "\\x", 2);
			text_char(text, hex[c >> 4]);
			text_char(text, hex[c & 15]);
			continue;
		}
		if (c == '"' || c == '\\')
			text_char(text, '\\');
		text_char(text, (char)c);
	}
	text_char(text, '"');
}
