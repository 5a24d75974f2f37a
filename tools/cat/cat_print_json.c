/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cat_print_json.c: one JSON object for each message.
 *
 * The names are those of golang-dnstap's `dnstap -j`, so that what was
 * written for it goes on working: type, identity, version, message{...}. It
 * puts dig's text for the messages; here are their octets in base64, as
 * protobuf's own JSON has it, and the parsed beginning in dns{...}. Absent
 * fields are absent, not null.
 */
#include "cat/cat_print.h"

#include <stdio.h>

#include "cat/dns_message.h"
#include "cat/dns_table.h"
#include "cat/text_field.h"
#include "cat/text_json.h"

/* "YYYY-MM-DD HH:MM:SS": RFC 3339 ends with the year 9999. */
#define RFC3339_SECOND_BYTES 19

/* A member whose value is a string without anything to escape. */
static void
put_plain(struct text *text, bool *first, const char *name, const char *value)
{
	text_json_name(text, first, name);
	text_char(text, '"');
	text_string(text, value);
	text_char(text, '"');
}

static void
put_number(struct text *text, bool *first, const char *name, uint64_t value)
{
	text_json_name(text, first, name);
	text_decimal(text, value);
}

static void
put_octets(struct text *text, bool *first, const char *name,
	   struct dtap_bytes octets)
{
	if (octets.data == NULL)
		return;
	text_json_name(text, first, name);
	text_json_string(text, octets.data, octets.bytes);
}

/* A value of an enumeration; its number where it has no name. */
static void
put_enum(struct text *text, bool *first, const char *name,
	 const char *value_name, unsigned int value)
{
	char number[16];

	snprintf(number, sizeof(number), "%u", value);
	put_plain(text, first, name, value_name != NULL ? value_name : number);
}

static const char *
nth_name(const char *const *names, size_t count, unsigned int n)
{
	return n >= 1 && n <= count ? names[n - 1] : NULL;
}

static void
put_time(struct text *text, bool *first, const char *name, uint64_t sec,
	 uint32_t nsec)
{
	size_t bytes;
	const char *second = text_field_second(text, sec, &bytes);

	if (second == NULL || bytes != RFC3339_SECOND_BYTES ||
	    second[0] == '-' || nsec > 999999999)
		return;
	text_json_name(text, first, name);
	text_char(text, '"');
	text_put(text, second, 10);
	text_char(text, 'T');
	text_put(text, second + 11, 8);
	text_char(text, '.');
	text_decimal_padded(text, nsec, 9);
	text_put(text, "Z\"", 2);
}

static void
put_address(struct text *text, bool *first, const char *name,
	    const void *octets, size_t bytes)
{
	const uint8_t *at = octets;

	text_json_name(text, first, name);
	text_char(text, '"');
	if (!text_field_address(text, octets, bytes)) {
		text_char(text, '?');
		for (size_t i = 0; i < bytes; i++) {
			text_char(text, "0123456789abcdef"[at[i] >> 4]);
			text_char(text, "0123456789abcdef"[at[i] & 15]);
		}
	}
	text_char(text, '"');
}

/* A name in wire format as text; anything else as it is. */
static void
put_wire_name(struct text *text, bool *first, const char *name,
	      const void *octets, size_t bytes)
{
	struct dns_name dns_name;
	struct dtap_bytes raw = {octets, bytes};
	char written[DNS_NAME_TEXT_MAX];
	size_t at = 0;

	if (dns_name_read(octets, bytes, &at, &dns_name) && at == bytes) {
		raw.data = written;
		raw.bytes = dns_name_format(&dns_name, written);
	}
	put_octets(text, first, name, raw);
}

static void
put_policy_value(struct text *text, bool *first,
		 const struct dtap_policy *policy)
{
	bool is_address = policy->match == DTAP_MATCH_CLIENT_IP ||
			  policy->match == DTAP_MATCH_RESPONSE_IP ||
			  policy->match == DTAP_MATCH_NS_IP;

	if (policy->value == NULL)
		return;
	if (is_address)
		put_address(text, first, "value", policy->value,
			    policy->value_bytes);
	else
		put_wire_name(text, first, "value", policy->value,
			      policy->value_bytes);
}

static void
put_policy(struct text *text, bool *first, const struct dtap_message *message)
{
	static const char *const actions[] = {
		"NXDOMAIN", "NODATA", "PASS", "DROP", "TRUNCATE", "LOCAL_DATA"};
	static const char *const matches[] = {
		"QNAME", "CLIENT_IP", "RESPONSE_IP", "NS_NAME", "NS_IP"};
	const struct dtap_policy *policy = &message->policy;
	bool inner = true;

	if (!cat_print_has(message, FIELD_POLICY))
		return;
	text_json_name(text, first, "policy");
	text_char(text, '{');
	put_octets(text, &inner, "type", message->policy_type);
	if (policy->rule != NULL)
		put_wire_name(text, &inner, "rule", policy->rule,
			      policy->rule_bytes);
	if (policy->action != 0)
		put_enum(text, &inner, "action",
			 nth_name(actions, 6, policy->action), policy->action);
	if (policy->match != 0)
		put_enum(text, &inner, "match",
			 nth_name(matches, 5, policy->match), policy->match);
	put_policy_value(text, &inner, policy);
	text_char(text, '}');
}

static void
put_transport(struct text *text, bool *first,
	      const struct dtap_message *message)
{
	static const char *const families[] = {"INET", "INET6"};
	static const char *const https[] = {"HTTP1", "HTTP2", "HTTP3"};
	const struct dtap_event *event = &message->event;

	if (cat_print_has(message, FIELD_SOCKET_FAMILY))
		put_enum(text, first, "socket_family",
			 nth_name(families, 2, event->socket_family),
			 event->socket_family);
	if (cat_print_has(message, FIELD_SOCKET_PROTOCOL))
		put_enum(text, first, "socket_protocol",
			 dtap_socket_protocol_name(event->socket_protocol),
			 event->socket_protocol);
	if (cat_print_has(message, FIELD_HTTP_PROTOCOL))
		put_enum(text, first, "http_protocol",
			 nth_name(https, 3, event->http_protocol),
			 event->http_protocol);
}

static void
put_ends(struct text *text, bool *first, const struct dtap_message *message)
{
	const struct dtap_event *event = &message->event;

	if (cat_print_has(message, FIELD_QUERY_ADDRESS))
		put_address(text, first, "query_address", event->query_address,
			    event->query_address_bytes);
	if (cat_print_has(message, FIELD_RESPONSE_ADDRESS))
		put_address(text, first, "response_address",
			    event->response_address,
			    event->response_address_bytes);
	if (cat_print_has(message, FIELD_QUERY_PORT))
		put_number(text, first, "query_port", event->query_port);
	if (cat_print_has(message, FIELD_RESPONSE_PORT))
		put_number(text, first, "response_port", event->response_port);
	if (cat_print_has(message, FIELD_QUERY_ZONE))
		put_wire_name(text, first, "query_zone", event->query_zone,
			      event->query_zone_bytes);
}

static void
put_wire_messages(struct text *text, bool *first,
		  const struct dtap_message *message)
{
	const struct dtap_event *event = &message->event;

	if (cat_print_has(message, FIELD_QUERY_MESSAGE)) {
		put_number(text, first, "query_message_bytes",
			   event->query_message_bytes);
		text_json_name(text, first, "query_message_base64");
		text_json_base64(text, event->query_message,
				 event->query_message_bytes);
	}
	if (cat_print_has(message, FIELD_RESPONSE_MESSAGE)) {
		put_number(text, first, "response_message_bytes",
			   event->response_message_bytes);
		text_json_name(text, first, "response_message_base64");
		text_json_base64(text, event->response_message,
				 event->response_message_bytes);
	}
}

static void
put_message(struct text *text, bool *first, const struct dtap_message *message)
{
	const struct dtap_event *event = &message->event;
	bool inner = true;

	text_json_name(text, first, "message");
	text_char(text, '{');
	put_enum(text, &inner, "type", dtap_message_type_name(event->type),
		 event->type);
	if (cat_print_has(message, FIELD_QUERY_TIME_SEC))
		put_time(text, &inner, "query_time", event->query_time_sec,
			 event->query_time_nsec);
	if (cat_print_has(message, FIELD_RESPONSE_TIME_SEC))
		put_time(text, &inner, "response_time",
			 event->response_time_sec, event->response_time_nsec);
	put_transport(text, &inner, message);
	put_ends(text, &inner, message);
	put_policy(text, &inner, message);
	put_wire_messages(text, &inner, message);
	text_char(text, '}');
}

static void
put_flags(struct text *text, bool *first, const struct dns_message *dns)
{
	static const struct {
		const char *name;
		uint16_t bit;
	} flags[] = {{"qr", DNS_QR}, {"aa", DNS_AA}, {"tc", DNS_TC},
		     {"rd", DNS_RD}, {"ra", DNS_RA}, {"ad", DNS_AD},
		     {"cd", DNS_CD}};
	bool inner = true;

	text_json_name(text, first, "flags");
	text_char(text, '{');
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		text_json_name(text, &inner, flags[i].name);
		text_string(text, (dns->flags & flags[i].bit) != 0 ? "true"
								   : "false");
	}
	text_char(text, '}');
}

static void
put_question(struct text *text, bool *first,
	     const struct dns_question *question)
{
	char name[DNS_NAME_TEXT_MAX];
	char buffer[DNS_TABLE_NAME_MAX];
	struct dtap_bytes written = {name, 0};

	written.bytes = dns_name_format(&question->name, name);
	put_octets(text, first, "qname", written);
	put_plain(text, first, "qtype", dns_table_type(question->type, buffer));
	put_plain(text, first, "qclass",
		  dns_table_class(question->class, buffer));
}

/* The message that the type is about, or the other when it is alone. */
static struct dtap_bytes
subject(const struct dtap_message *message)
{
	const struct dtap_event *event = &message->event;
	struct dtap_bytes query = {event->query_message,
				   event->query_message_bytes};
	struct dtap_bytes response = {event->response_message,
				      event->response_message_bytes};

	if (cat_print_is_query(message))
		return query.bytes > 0 ? query : response;
	return response.bytes > 0 ? response : query;
}

static void
put_dns(struct text *text, bool *first, const struct dtap_message *message)
{
	static const char *const counts[] = {"qdcount", "ancount", "nscount",
					     "arcount"};
	struct dtap_bytes octets = subject(message);
	struct dns_message dns;
	char buffer[DNS_TABLE_NAME_MAX];
	bool inner = true;

	if (!dns_message_read(octets.data, octets.bytes, &dns))
		return;
	text_json_name(text, first, "dns");
	text_char(text, '{');
	put_number(text, &inner, "id", dns.id);
	put_plain(text, &inner, "opcode", dns_table_opcode(dns.opcode, buffer));
	put_plain(text, &inner, "rcode", dns_table_rcode(dns.rcode, buffer));
	put_flags(text, &inner, &dns);
	if (dns.has_question)
		put_question(text, &inner, &dns.question);
	for (int i = 0; i < 4; i++)
		put_number(text, &inner, counts[i], dns.counts[i]);
	if (!dns.whole) {
		text_json_name(text, &inner, "malformed");
		text_string(text, "true");
	}
	text_char(text, '}');
}

void
cat_print_json(struct text *text, const struct dtap_message *message)
{
	bool first = true;

	text_char(text, '{');
	put_enum(text, &first, "type",
		 message->dnstap_type == 1 ? "MESSAGE" : NULL,
		 message->dnstap_type);
	put_octets(text, &first, "identity", message->identity);
	put_octets(text, &first, "version", message->version);
	put_octets(text, &first, "extra", message->extra);
	if (cat_print_has_message(message)) {
		put_message(text, &first, message);
		put_dns(text, &first, message);
	}
	text_put(text, "}\n", 2);
}
