/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cat_print_line.c: the line for people.
 *
 *   time type initiator -> responder protocol octets name class type
 *        rcode latency id="identity" extra="text" LOSS count cause
 *
 * The arrow turns round for responses. What is absent is "?" in the first
 * part, which always has the same number of words, and left out in the
 * second. Everything that came from outside is escaped: the line is
 * printable ASCII.
 */
#include "cat/cat_print.h"

#include "cat/cat_loss.h"
#include "cat/dns_message.h"
#include "cat/dns_table.h"
#include "cat/text_field.h"

/* A longer latency says more of the clocks than of the server. */
#define LATENCY_SEC_MAX (24 * 3600)

static bool
has_query_time(const struct dtap_message *message)
{
	return cat_print_has(message, FIELD_QUERY_TIME_SEC);
}

static bool
has_response_time(const struct dtap_message *message)
{
	return cat_print_has(message, FIELD_RESPONSE_TIME_SEC);
}

static void
put_time(struct text *text, const struct dtap_message *message)
{
	const struct dtap_event *event = &message->event;
	bool query = has_query_time(message) && (cat_print_is_query(message) ||
						 !has_response_time(message));
	uint64_t sec = query ? event->query_time_sec : event->response_time_sec;
	size_t bytes;

	if ((query || has_response_time(message)) &&
	    text_field_second(text, sec, &bytes) != NULL)
		text_field_time(text, sec,
				query ? event->query_time_nsec
				      : event->response_time_nsec);
	else
		text_string(text, "? ?");
}

static void
put_end(struct text *text, struct dtap_bytes address, bool has_port,
	uint16_t port)
{
	bool bracketed = has_port && address.bytes == 16;

	if (bracketed)
		text_char(text, '[');
	if (!text_field_address(text, address.data, address.bytes))
		text_char(text, '?');
	if (bracketed)
		text_char(text, ']');
	if (has_port) {
		text_char(text, ':');
		text_decimal(text, port);
	}
}

static void
put_ends(struct text *text, const struct dtap_message *message)
{
	const struct dtap_event *event = &message->event;
	struct dtap_bytes query = {event->query_address,
				   event->query_address_bytes};
	struct dtap_bytes response = {event->response_address,
				      event->response_address_bytes};

	put_end(text, query, cat_print_has(message, FIELD_QUERY_PORT),
		event->query_port);
	text_string(text, cat_print_is_query(message) ? " -> " : " <- ");
	put_end(text, response, cat_print_has(message, FIELD_RESPONSE_PORT),
		event->response_port);
}

static void
put_protocol(struct text *text, const struct dtap_event *event)
{
	const char *name = dtap_socket_protocol_name(event->socket_protocol);

	text_string(text, name != NULL ? name : "?");
	if (event->http_protocol >= DTAP_HTTP1 &&
	    event->http_protocol <= DTAP_HTTP3) {
		text_string(text, "/HTTP");
		text_decimal(text, event->http_protocol);
	}
}

static void
put_question(struct text *text, const struct dns_question *question)
{
	char name[DNS_NAME_TEXT_MAX];
	char buffer[DNS_TABLE_NAME_MAX];

	text_put(text, name, dns_name_format(&question->name, name));
	text_char(text, ' ');
	text_string(text, dns_table_class(question->class, buffer));
	text_char(text, ' ');
	text_string(text, dns_table_type(question->type, buffer));
}

static void
put_dns(struct text *text, const struct dtap_message *message)
{
	const struct dtap_event *event = &message->event;
	bool query = cat_print_is_query(message);
	const void *octets =
		query ? event->query_message : event->response_message;
	size_t bytes = query ? event->query_message_bytes
			     : event->response_message_bytes;
	struct dns_message dns;
	char buffer[DNS_TABLE_NAME_MAX];
	bool readable = dns_message_read(octets, bytes, &dns);

	text_decimal(text, bytes);
	text_put(text, "b ", 2);
	if (readable && dns.has_question)
		put_question(text, &dns.question);
	else
		text_string(text, "? ? ?");
	if (readable && !query) {
		text_char(text, ' ');
		text_string(text, dns_table_rcode(dns.rcode, buffer));
	}
	if (bytes > 0 && (!readable || !dns.whole))
		text_string(text, " malformed");
}

static void
put_latency(struct text *text, const struct dtap_message *message)
{
	const struct dtap_event *event = &message->event;
	int64_t sec =
		(int64_t)(event->response_time_sec - event->query_time_sec);
	int64_t nsec;
	uint64_t usec;

	if (!has_query_time(message) || !has_response_time(message) ||
	    sec > LATENCY_SEC_MAX || sec < -LATENCY_SEC_MAX)
		return;
	nsec = sec * 1000000000 + event->response_time_nsec -
	       event->query_time_nsec;
	text_char(text, ' ');
	if (nsec < 0)
		text_char(text, '-');
	usec = (uint64_t)(nsec < 0 ? -nsec : nsec) / 1000;
	text_decimal(text, usec / 1000);
	text_char(text, '.');
	text_decimal_padded(text, usec % 1000, 3);
	text_put(text, "ms", 2);
}

/* A value of our own report: shown bare, so only if it is made of words. */
static void
put_word(struct text *text, struct dtap_bytes word)
{
	const char *at = word.data;

	text_char(text, ' ');
	for (size_t i = 0; i < word.bytes; i++)
		text_char(text, at[i] > 0x20 && at[i] < 0x7f ? at[i] : '?');
}

static void
put_extra(struct text *text, const struct dtap_message *message)
{
	struct cat_loss loss;
	bool lossy = cat_loss_read(message->extra, &loss);

	if (message->identity.bytes > 0) {
		text_string(text, " id=");
		text_field_quoted(text, message->identity.data,
				  message->identity.bytes);
	}
	if (loss.before.bytes > 0) {
		text_string(text, " extra=");
		text_field_quoted(text, loss.before.data, loss.before.bytes);
	}
	if (lossy) {
		text_string(text, " LOSS");
		put_word(text, loss.count);
		if (loss.cause.bytes > 0)
			put_word(text, loss.cause);
	}
}

void
cat_print_line(struct text *text, const struct dtap_message *message)
{
	if (!cat_print_has_message(message)) {
		text_string(text, "? ? Dnstap.type=");
		text_decimal(text, message->dnstap_type);
	} else {
		put_time(text, message);
		text_char(text, ' ');
		text_string(text,
			    dtap_message_type_mnemonic(message->event.type));
		text_char(text, ' ');
		put_ends(text, message);
		text_char(text, ' ');
		put_protocol(text, &message->event);
		text_char(text, ' ');
		put_dns(text, message);
		put_latency(text, message);
	}
	put_extra(text, message);
	text_char(text, '\n');
}
