/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text_field.h: times, addresses and octets as text.
 */
#ifndef DTAP_TOOLS_TEXT_FIELD_H
#define DTAP_TOOLS_TEXT_FIELD_H

#include "cat/text.h"

/*
 * YYYY-MM-DD HH:MM:SS in UTC, borrowed until the next call; NULL when the
 * calendar has no such second. The year has as many digits as it needs.
 */
const char *
text_field_second(struct text *text, uint64_t sec, size_t *bytes);

/* YYYY-MM-DD HH:MM:SS.uuuuuu; nothing at all for an impossible second. */
void
text_field_time(struct text *text, uint64_t sec, uint32_t nsec);

/* An address of 4 or 16 octets; false, and nothing, for other lengths. */
bool
text_field_address(struct text *text, const void *octets, size_t bytes);

/* Printable ASCII in double quotes; \" \\ and \xNN for what is not. */
void
text_field_quoted(struct text *text, const void *octets, size_t bytes);

#endif
