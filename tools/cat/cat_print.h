/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cat_print.h: the formats, one function each: a message in, a line out.
 *
 * A printer never fails; whatever the message holds, it writes one line that
 * ends with a newline. The manual page describes the formats.
 */
#ifndef DTAP_TOOLS_CAT_PRINT_H
#define DTAP_TOOLS_CAT_PRINT_H

#include <stdbool.h>

#include <dnstap/reader.h>

#include "cat/text.h"

/* Numbers of dnstap.proto's Message fields, for dtap_message.present. */
enum cat_field {
	FIELD_TYPE = 1,
	FIELD_SOCKET_FAMILY = 2,
	FIELD_SOCKET_PROTOCOL = 3,
	FIELD_QUERY_ADDRESS = 4,
	FIELD_RESPONSE_ADDRESS = 5,
	FIELD_QUERY_PORT = 6,
	FIELD_RESPONSE_PORT = 7,
	FIELD_QUERY_TIME_SEC = 8,
	FIELD_QUERY_TIME_NSEC = 9,
	FIELD_QUERY_MESSAGE = 10,
	FIELD_QUERY_ZONE = 11,
	FIELD_RESPONSE_TIME_SEC = 12,
	FIELD_RESPONSE_TIME_NSEC = 13,
	FIELD_RESPONSE_MESSAGE = 14,
	FIELD_POLICY = 15,
	FIELD_HTTP_PROTOCOL = 16
};

typedef void
cat_print_function(struct text *text, const struct dtap_message *message);

/* As `dnstap-ldns -q`. */
void
cat_print_quiet(struct text *text, const struct dtap_message *message);

void
cat_print_line(struct text *text, const struct dtap_message *message);

/* One JSON object. */
void
cat_print_json(struct text *text, const struct dtap_message *message);

static inline bool
cat_print_has(const struct dtap_message *message, enum cat_field field)
{
	return (message->present >> field & 1) != 0;
}

/* Dnstap.type is MESSAGE, and there is one. */
static inline bool
cat_print_has_message(const struct dtap_message *message)
{
	return message->dnstap_type == 1 && cat_print_has(message, FIELD_TYPE);
}

/* The schema gives odd numbers to queries and even ones to responses. */
static inline bool
cat_print_is_query(const struct dtap_message *message)
{
	return (message->event.type & 1) != 0;
}

#endif
