/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dns_name.c: see dns_name.h.
 */
#include "cat/dns_name.h"

#include <string.h>

/* The two highest bits of a label's length octet (RFC 1035 section 4.1.4). */
#define LABEL_POINTER 0xc0
#define LABEL_BYTES_MAX 63
/* More than one pointer for each label is never of use. */
#define POINTERS_MAX 127

/*
 * Follows the pointer at here. floor is the lowest offset that the name has
 * used: the target must lie below it. Pointers to offset 0 are refused: that
 * is the message's id.
 */
static bool
follow_pointer(const uint8_t *message, size_t bytes, size_t here, size_t floor,
	       size_t *target)
{
	if (bytes - here < 2)
		return false;
	*target = (size_t)(message[here] & 0x3f) << 8 | message[here + 1];
	return *target != 0 && *target < floor;
}

bool
dns_name_read(const uint8_t *message, size_t bytes, size_t *at,
	      struct dns_name *name)
{
	size_t here = *at;
	size_t floor = here;
	size_t behind = 0;
	unsigned int pointers = 0;
	size_t label;

	name->bytes = 0;
	name->steps = 0;
	do {
		name->steps++;
		if (here >= bytes)
			return false;
		if (message[here] >= LABEL_POINTER) {
			if (behind == 0)
				behind = here + 2;
			if (++pointers > POINTERS_MAX ||
			    !follow_pointer(message, bytes, here, floor, &here))
				return false;
			floor = here;
			label = 1;
			continue;
		}
		label = message[here];
		if (label > LABEL_BYTES_MAX || label >= bytes - here ||
		    name->bytes + label + 1 > DNS_NAME_BYTES_MAX)
			return false;
		memcpy(name->octets + name->bytes, message + here, label + 1);
		name->bytes += label + 1;
		here += label + 1;
	} while (label > 0);
	*at = behind > 0 ? behind : here;
	return true;
}

bool
dns_name_skip(const uint8_t *message, size_t bytes, size_t *at)
{
	size_t here = *at;

	while (here < bytes) {
		size_t label = message[here];

		if (label >= LABEL_POINTER) {
			if (bytes - here < 2)
				return false;
			*at = here + 2;
			return true;
		}
		if (label > LABEL_BYTES_MAX)
			return false;
		here += label + 1;
		if (label == 0) {
			*at = here;
			return true;
		}
	}
	return false;
}

static char *
put_octet(char *text, uint8_t c)
{
	if (c > 0x20 && c < 0x7f) {
		if (c == '.' || c == ';' || c == '(' || c == ')' || c == '\\')
			*text++ = '\\';
		*text++ = (char)c;
		return text;
	}
	*text++ = '\\';
	*text++ = (char)('0' + c / 100);
	*text++ = (char)('0' + c / 10 % 10);
	*text++ = (char)('0' + c % 10);
	return text;
}

size_t
dns_name_format(const struct dns_name *name, char text[DNS_NAME_TEXT_MAX])
{
	const uint8_t *label = name->octets;
	char *end = text;

	if (*label == 0)
		*end++ = '.';
	for (; *label != 0; label += *label + 1) {
		for (size_t i = 1; i <= *label; i++)
			end = put_octet(end, label[i]);
		*end++ = '.';
	}
	*end = '\0';
	return (size_t)(end - text);
}
