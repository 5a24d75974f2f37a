/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cat_print_quiet.c: the line of `dnstap-ldns -q`, octet by octet.
 *
 * Scripts parse that line, so its quirks are kept: UPDATE_QUERY and
 * UPDATE_RESPONSE are "unhandled", an address of odd length is an empty
 * word, the address is the client's for AUTH_* and CLIENT_* and the server's
 * for all others, a time counts only with its nanoseconds, and UDP and TCP
 * are the only protocols with a name (dnstap-ldns 0.2.1).
 */
#include "cat/cat_print.h"

#include "cat/dns_table.h"
#include "cat/quiet_packet.h"
#include "cat/text_field.h"

static void
put_time(struct text *text, const struct dtap_message *message, bool query)
{
	const struct dtap_event *event = &message->event;

	if (query && cat_print_has(message, FIELD_QUERY_TIME_SEC) &&
	    cat_print_has(message, FIELD_QUERY_TIME_NSEC))
		text_field_time(text, event->query_time_sec,
				event->query_time_nsec);
	else if (!query && cat_print_has(message, FIELD_RESPONSE_TIME_SEC) &&
		 cat_print_has(message, FIELD_RESPONSE_TIME_NSEC))
		text_field_time(text, event->response_time_sec,
				event->response_time_nsec);
	else
		text_string(text, "\?\?:\?\?:\?\?.\?\?\?\?\?\?");
}

static bool
shows_query_address(unsigned int type)
{
	return type == DTAP_AUTH_QUERY || type == DTAP_AUTH_RESPONSE ||
	       type == DTAP_CLIENT_QUERY || type == DTAP_CLIENT_RESPONSE;
}

static void
put_address(struct text *text, const struct dtap_message *message)
{
	const struct dtap_event *event = &message->event;
	bool query = shows_query_address(event->type);

	if (!cat_print_has(message, query ? FIELD_QUERY_ADDRESS
					  : FIELD_RESPONSE_ADDRESS))
		text_string(text, "MISSING_ADDRESS");
	else if (query)
		(void)text_field_address(text, event->query_address,
					 event->query_address_bytes);
	else
		(void)text_field_address(text, event->response_address,
					 event->response_address_bytes);
}

static const char *
protocol_name(unsigned int protocol)
{
	switch (protocol) {
	case DTAP_UDP:
		return "UDP";
	case DTAP_TCP:
		return "TCP";
	default:
		return "?";
	}
}

static void
put_question(struct text *text, const void *octets, size_t bytes)
{
	struct dns_question question;
	char name[DNS_NAME_TEXT_MAX];
	char buffer[DNS_TABLE_NAME_MAX];

	if (!quiet_packet_read(octets, bytes, &question)) {
		text_string(text, "? ? ?\n");
		return;
	}
	text_char(text, '"');
	text_put(text, name, dns_name_format(&question.name, name));
	text_put(text, "\" ", 2);
	text_string(text, dns_table_class(question.class, buffer));
	text_char(text, ' ');
	text_string(text, dns_table_type(question.type, buffer));
	text_char(text, '\n');
}

void
cat_print_quiet(struct text *text, const struct dtap_message *message)
{
	const struct dtap_event *event = &message->event;
	bool query = cat_print_is_query(message);
	size_t bytes = query ? event->query_message_bytes
			     : event->response_message_bytes;

	if (!cat_print_has_message(message)) {
		text_string(text, "[unhandled Dnstap.Type]\n");
		return;
	}
	if (event->type < DTAP_AUTH_QUERY || event->type > DTAP_TOOL_RESPONSE) {
		text_string(text, "[unhandled Dnstap.Message.Type]\n");
		return;
	}
	put_time(text, message, query);
	text_char(text, ' ');
	text_put(text, dtap_message_type_mnemonic(event->type), 2);
	text_char(text, ' ');
	put_address(text, message);
	text_char(text, ' ');
	text_string(text, protocol_name(event->socket_protocol));
	text_char(text, ' ');
	text_decimal(text, bytes);
	text_put(text, "b ", 2);
	put_question(text,
		     query ? event->query_message : event->response_message,
		     bytes);
}
