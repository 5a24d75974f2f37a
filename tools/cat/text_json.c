/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text_json.c: see text_json.h.
 */
#include "cat/text_json.h"

static bool
is_continuation(uint8_t c)
{
	return (c & 0xc0) == 0x80;
}

/*
 * Octets of the UTF-8 sequence at the start of at, 0 when there is none:
 * no overlong forms, no surrogates, nothing above U+10FFFF (RFC 3629).
 */
static size_t
utf8_sequence(const uint8_t *at, size_t left)
{
	uint8_t lowest = 0x80;
	uint8_t highest = 0xbf;
	size_t bytes;

	if (at[0] < 0x80)
		return 1;
	if (at[0] < 0xc2 || at[0] > 0xf4)
		return 0;
	bytes = at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
	if (left < bytes)
		return 0;
	if (at[0] == 0xe0)
		lowest = 0xa0;
	else if (at[0] == 0xed)
		highest = 0x9f;
	else if (at[0] == 0xf0)
		lowest = 0x90;
	else if (at[0] == 0xf4)
		highest = 0x8f;
	if (at[1] < lowest || at[1] > highest)
		return 0;
	for (size_t i = 2; i < bytes; i++) {
		if (!is_continuation(at[i]))
			return 0;
	}
	return bytes;
}

static void
put_code_point(struct text *text, uint8_t low)
{
	static const char hex[] = "0123456789abcdef";

	text_put(text, "\\u00", 4);
	text_char(text, hex[low >> 4]);
	text_char(text, hex[low & 15]);
}

static void
put_ascii(struct text *text, uint8_t c)
{
	if (c < 0x20 || c == 0x7f) {
		put_code_point(text, c);
		return;
	}
	if (c == '"' || c == '\\')
		text_char(text, '\\');
	text_char(text, (char)c);
}

void
text_json_string(struct text *text, const void *octets, size_t bytes)
{
	const uint8_t *at = octets;

	text_char(text, '"');
	while (bytes > 0) {
		size_t sequence = utf8_sequence(at, bytes);

		if (sequence == 0) {
			text_string(text, "\\ufffd");
			sequence = 1;
		} else if (sequence == 1) {
			put_ascii(text, at[0]);
		} else if (at[0] == 0xc2 && at[1] < 0xa0) {
			put_code_point(text, at[1]);
		} else {
			text_put(text, at, sequence);
		}
		at += sequence;
		bytes -= sequence;
	}
	text_char(text, '"');
}

void
text_json_base64(struct text *text, const void *octets, size_t bytes)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz"
				     "0123456789+/";
	const uint8_t *at = octets;

	text_char(text, '"');
	for (size_t i = 0; i < bytes; i += 3) {
		size_t left = bytes - i;
		uint32_t group = (uint32_t)at[i] << 16;

		if (left > 1)
			group |= (uint32_t)at[i + 1] << 8;
		if (left > 2)
			group |= at[i + 2];
		text_char(text, digits[group >> 18]);
		text_char(text, digits[group >> 12 & 63]);
		text_char(text, left > 1 ? digits[group >> 6 & 63] : '=');
		text_char(text, left > 2 ? digits[group & 63] : '=');
	}
	text_char(text, '"');
}

void
text_json_name(struct text *text, bool *first, const char *name)
{
	if (!*first)
		text_char(text, ',');
	*first = false;
	text_char(text, '"');
	text_string(text, name);
	text_put(text, "\":", 2);
}
