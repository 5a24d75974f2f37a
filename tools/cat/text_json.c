/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text_json.c: see text_json.h.
 */
#include "cat/text_json.h"

#include "cat/utf8.h"

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
