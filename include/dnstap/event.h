/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file event.h
 * What a server hands over for one DNS message.
 *
 * struct dtap_event is a plain structure on the caller's stack. It borrows
 * everything it points to, and only until dtap_submit() returns: by then the
 * bytes have been copied. A field left at zero is absent from the frame.
 * The numbers are those of dnstap.proto (2025-02); each field names its own.
 *
 * Threads: an event belongs to the thread that fills it.
 */
#ifndef DTAP_EVENT_H
#define DTAP_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include <dnstap/export.h>
#include <dnstap/result.h>

struct sockaddr;

/** Message.Type: who saw the message, and which way it went. */
enum dtap_message_type {
	DTAP_AUTH_QUERY = 1,
	DTAP_AUTH_RESPONSE = 2,
	DTAP_RESOLVER_QUERY = 3,
	DTAP_RESOLVER_RESPONSE = 4,
	DTAP_CLIENT_QUERY = 5,
	DTAP_CLIENT_RESPONSE = 6,
	DTAP_FORWARDER_QUERY = 7,
	DTAP_FORWARDER_RESPONSE = 8,
	DTAP_STUB_QUERY = 9,
	DTAP_STUB_RESPONSE = 10,
	DTAP_TOOL_QUERY = 11,
	DTAP_TOOL_RESPONSE = 12,
	DTAP_UPDATE_QUERY = 13,
	DTAP_UPDATE_RESPONSE = 14
};

/** SocketFamily: how the addresses are to be read. */
enum dtap_socket_family {
	DTAP_INET = 1,
	DTAP_INET6 = 2
};

/** SocketProtocol: what carried the message. */
enum dtap_socket_protocol {
	DTAP_UDP = 1,
	DTAP_TCP = 2,
	DTAP_DOT = 3,
	DTAP_DOH = 4,
	DTAP_DNSCRYPT_UDP = 5,
	DTAP_DNSCRYPT_TCP = 6,
	DTAP_DOQ = 7
};

/** HttpProtocol: the HTTP version below DNS over HTTPS. */
enum dtap_http_protocol {
	DTAP_HTTP1 = 1,
	DTAP_HTTP2 = 2,
	DTAP_HTTP3 = 3
};

/** Policy.Match: what of the message the rule matched. */
enum dtap_policy_match {
	DTAP_MATCH_QNAME = 1,
	DTAP_MATCH_CLIENT_IP = 2,
	DTAP_MATCH_RESPONSE_IP = 3,
	DTAP_MATCH_NS_NAME = 4,
	DTAP_MATCH_NS_IP = 5
};

/** Policy.Action: what the rule did. */
enum dtap_policy_action {
	DTAP_ACTION_NXDOMAIN = 1,
	DTAP_ACTION_NODATA = 2,
	DTAP_ACTION_PASS = 3,
	DTAP_ACTION_DROP = 4,
	DTAP_ACTION_TRUNCATE = 5,
	DTAP_ACTION_LOCAL_DATA = 6
};

/** Largest DNS message of an event, in octets (RFC 1035 section 4.2.2). */
#define DTAP_MESSAGE_BYTES_MAX 65535u
/** Largest sum of all else in a frame: names, extra, policy, protobuf. */
#define DTAP_METADATA_BYTES_MAX 4096u
/** Largest frame payload that the library produces, in octets. */
#define DTAP_FRAME_BYTES_MAX \
	(2u * DTAP_MESSAGE_BYTES_MAX + DTAP_METADATA_BYTES_MAX)

/** The policy that changed the message's fate (Message.policy, 15). */
struct dtap_policy {
	/** sizeof(struct dtap_policy); append-only, a zero tail is accepted. */
	size_t size;
	/** Policy.type (1), text such as "RPZ"; borrowed, NULL when absent. */
	const char *type;
	/** Policy.rule (2), for RPZ the owner name in wire format; borrowed. */
	const void *rule;
	/** Policy.value (5), its form depends on match; borrowed. */
	const void *value;
	/** Octets in rule; 0 when absent. */
	uint32_t rule_bytes;
	/** Octets in value; 0 when absent. */
	uint32_t value_bytes;
	/** Policy.action (3), enum dtap_policy_action; 0 when absent. */
	uint8_t action;
	/** Policy.match (4), enum dtap_policy_match; 0 when absent. */
	uint8_t match;
	/** Zero. */
	uint8_t reserved[6];
};

/** One DNS message event. */
struct dtap_event {
	/** sizeof(struct dtap_event); append-only, a zero tail is accepted. */
	size_t size;

	/** Message.type (1), enum dtap_message_type; required. */
	uint8_t type;
	/** Message.socket_family (2), enum dtap_socket_family; 0 if unknown. */
	uint8_t socket_family;
	/** Message.socket_protocol (3), enum dtap_socket_protocol; or 0. */
	uint8_t socket_protocol;
	/** Message.http_protocol (16), enum dtap_http_protocol; or 0. */
	uint8_t http_protocol;
	/** Octets at query_address: 0, or 4 (DTAP_INET), or 16 (DTAP_INET6). */
	uint8_t query_address_bytes;
	/** Octets at response_address: 0, 4 or 16, as the family demands. */
	uint8_t response_address_bytes;
	/** Zero. */
	uint16_t reserved;

	/** Message.query_port (6), host byte order; 0 when absent. */
	uint16_t query_port;
	/** Message.response_port (7), host byte order; 0 when absent. */
	uint16_t response_port;
	/** Message.query_time_nsec (9), nanoseconds, below 10^9. */
	uint32_t query_time_nsec;
	/**
	 * Message.query_time_sec (8), seconds since 1970-01-01 UTC, below
	 * 2^63. The time is absent when seconds and nanoseconds are 0.
	 */
	uint64_t query_time_sec;
	/** Message.response_time_sec (12), as query_time_sec. */
	uint64_t response_time_sec;
	/** Message.response_time_nsec (13), nanoseconds, below 10^9. */
	uint32_t response_time_nsec;

	/** Octets at query_message: 0 when absent, at most 65,535. */
	uint32_t query_message_bytes;
	/** Octets at response_message: 0 when absent, at most 65,535. */
	uint32_t response_message_bytes;
	/** Octets at query_zone: 0 when absent, at most 255. */
	uint32_t query_zone_bytes;

	/** Message.query_address (4), network byte order; the initiator. */
	const void *query_address;
	/** Message.response_address (5), network byte order; the responder. */
	const void *response_address;
	/** Message.query_message (10), wire format, verbatim. */
	const void *query_message;
	/** Message.response_message (14), wire format, verbatim. */
	const void *response_message;
	/** Message.query_zone (11), a name in wire format: the bailiwick. */
	const void *query_zone;
	/** Message.policy (15); NULL when no policy applied. */
	const struct dtap_policy *policy;
	/**
	 * Dnstap.extra (3), free text or bytes for this event alone. It takes
	 * the place of the configured `extra`; a report of loss goes behind it.
	 */
	const void *extra;
	/** Octets at extra: 0 when absent. */
	uint32_t extra_bytes;
	/** Zero. */
	uint32_t reserved_tail;
};

/** Initialises an event on the stack: everything absent. */
#ifdef __cplusplus
#define DTAP_EVENT_INIT { sizeof(struct dtap_event) }
#define DTAP_POLICY_INIT { sizeof(struct dtap_policy) }
#else
#define DTAP_EVENT_INIT { .size = sizeof(struct dtap_event) }
#define DTAP_POLICY_INIT { .size = sizeof(struct dtap_policy) }
#endif

DTAP_BEGIN_DECLS

/**
 * Sets the initiator's address and port from a socket address.
 *
 * Reads only the bytes of the address's own family, so that a pointer to a
 * struct sockaddr_in is enough however large the caller's storage is. The
 * event points into @p address afterwards. socket_family is set when it was
 * 0. An IPv4-mapped IPv6 address stays an IPv6 address.
 *
 * @param  event    filled; not NULL
 * @param  address  struct sockaddr_in or struct sockaddr_in6; borrowed until
 *                  the event is submitted; NULL makes the address absent
 * @param  bytes    octets readable at @p address
 * @return DTAP_OK; DTAP_E_INVALID when the family is neither AF_INET nor
 *         AF_INET6, differs from the event's, or @p bytes is too small for it
 * @threads    any thread, one event at a time
 * @blocks     never
 * @ownership  the caller keeps @p address
 * @after      a failure leaves the event unchanged
 * @since      0.1
 */
DTAP_API enum dtap_result
dtap_event_set_query_sockaddr(struct dtap_event *event,
			      const struct sockaddr *address, size_t bytes);

/**
 * Sets the responder's address and port from a socket address.
 *
 * As dtap_event_set_query_sockaddr(), for the other end.
 *
 * @param  event    filled; not NULL
 * @param  address  struct sockaddr_in or struct sockaddr_in6; borrowed until
 *                  the event is submitted; NULL makes the address absent
 * @param  bytes    octets readable at @p address
 * @return DTAP_OK; DTAP_E_INVALID when the family is neither AF_INET nor
 *         AF_INET6, differs from the event's, or @p bytes is too small for it
 * @threads    any thread, one event at a time
 * @blocks     never
 * @ownership  the caller keeps @p address
 * @after      a failure leaves the event unchanged
 * @since      0.1
 */
DTAP_API enum dtap_result
dtap_event_set_response_sockaddr(struct dtap_event *event,
				 const struct sockaddr *address, size_t bytes);

/**
 * Gives the two-letter mnemonic of a message type: "CQ", "CR", "AQ" ...
 *
 * @param  type  enum dtap_message_type, or any number
 * @return two letters; "??" for a number that names no type
 * @threads    any thread
 * @blocks     never
 * @ownership  the text is static
 * @after      cannot fail
 * @since      0.1
 */
DTAP_API const char *
dtap_message_type_mnemonic(unsigned int type);

/**
 * Gives the schema's name of a message type: "CLIENT_QUERY" ...
 *
 * @param  type  enum dtap_message_type, or any number
 * @return the name in dnstap.proto; NULL for a number that names no type
 * @threads    any thread
 * @blocks     never
 * @ownership  the text is static
 * @after      cannot fail
 * @since      0.1
 */
DTAP_API const char *
dtap_message_type_name(unsigned int type);

/**
 * Gives the schema's name of a socket protocol: "UDP", "DOT" ...
 *
 * @param  protocol  enum dtap_socket_protocol, or any number
 * @return the name in dnstap.proto; NULL for a number that names none
 * @threads    any thread
 * @blocks     never
 * @ownership  the text is static
 * @after      cannot fail
 * @since      0.1
 */
DTAP_API const char *
dtap_socket_protocol_name(unsigned int protocol);

DTAP_END_DECLS

#endif
