/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode_full.c: the full way: every field, in the order of the schema.
 *
 * Protobuf wants a message's length in front of it. All lengths follow from a
 * handful of numbers, so they are summed up first and the bytes are written
 * once, front to back; leaving a gap and moving the bytes up afterwards, or
 * writing backwards, would not be simpler. The lines of full_message_bytes()
 * and full_put_message() correspond one to one.
 *
 * Threads: an encoder belongs to one producer.
 */
#include "encode/encode_message.h"

#include "encode/encode_octets.h"
#include "encode/encode_shape.h"

/* Lengths without their own tag and length. */
struct full_size {
	size_t policy_type;
	size_t policy;
	size_t message;
	size_t extra;
};

static size_t
full_number_bytes(unsigned int tag, uint64_t value)
{
	return value == 0 ? 0
			  : dtap__varint_bytes(tag) + dtap__varint_bytes(value);
}

static uint8_t *
full_put_number(uint8_t *p, unsigned int tag, uint64_t value)
{
	if (value == 0)
		return p;
	p = dtap__put_varint(p, tag);
	return dtap__put_varint(p, value);
}

/* Octets of a field of bytes that is there, even if it is empty. */
static size_t
full_present_bytes(size_t bytes)
{
	return 1 + dtap__varint_bytes(bytes) + bytes;
}

static size_t
full_octets_bytes(size_t bytes)
{
	return bytes == 0 ? 0 : full_present_bytes(bytes);
}

static uint8_t *
full_put_header(uint8_t *p, unsigned int tag, size_t bytes)
{
	p = dtap__put_varint(p, tag);
	return dtap__put_varint(p, bytes);
}

static uint8_t *
full_put_octets(uint8_t *p, unsigned int tag, const void *data, size_t bytes)
{
	if (bytes == 0)
		return p;
	p = full_put_header(p, tag, bytes);
	memcpy(p, data, bytes);
	return p + bytes;
}

/* Constant lengths: compilers turn a small variable one into a slow copy. */
static uint8_t *
full_put_address(uint8_t *p, unsigned int tag, const void *address,
		 unsigned int bytes)
{
	if (bytes == 4)
		return full_put_octets(p, tag, address, 4);
	return full_put_octets(p, tag, address, bytes == 16 ? 16 : 0);
}

static bool
full_time_present(uint64_t seconds, uint32_t nsec)
{
	return seconds != 0 || nsec != 0;
}

static size_t
full_time_bytes(uint64_t seconds, uint32_t nsec)
{
	if (!full_time_present(seconds, nsec))
		return 0;
	return 1 + dtap__varint_bytes(seconds) + 1 + sizeof(nsec);
}

static uint8_t *
full_put_time(uint8_t *p, unsigned int sec_tag, uint64_t seconds,
	      unsigned int nsec_tag, uint32_t nsec)
{
	if (!full_time_present(seconds, nsec))
		return p;
	p = dtap__put_varint(p, sec_tag);
	p = dtap__put_varint(p, seconds);
	p = dtap__put_varint(p, nsec_tag);
	return dtap__put_le32(p, nsec);
}

static size_t
full_policy_bytes(const struct dtap_policy *policy, size_t type_bytes)
{
	return (policy->type != NULL ? full_present_bytes(type_bytes) : 0) +
	       full_octets_bytes(policy->rule_bytes) +
	       full_number_bytes(DTAP__TAG_POLICY_ACTION, policy->action) +
	       full_number_bytes(DTAP__TAG_POLICY_MATCH, policy->match) +
	       full_octets_bytes(policy->value_bytes);
}

static uint8_t *
full_put_policy(uint8_t *p, const struct dtap_policy *policy,
		const struct full_size *size)
{
	p = full_put_header(p, DTAP__TAG_POLICY, size->policy);
	if (policy->type != NULL) {
		p = full_put_header(p, DTAP__TAG_POLICY_TYPE,
				    size->policy_type);
		memcpy(p, policy->type, size->policy_type);
		p += size->policy_type;
	}
	p = full_put_octets(p, DTAP__TAG_POLICY_RULE, policy->rule,
			    policy->rule_bytes);
	p = full_put_number(p, DTAP__TAG_POLICY_ACTION, policy->action);
	p = full_put_number(p, DTAP__TAG_POLICY_MATCH, policy->match);
	return full_put_octets(p, DTAP__TAG_POLICY_VALUE, policy->value,
			       policy->value_bytes);
}

static size_t
full_message_bytes(const struct dtap_event *event, size_t policy_bytes)
{
	return full_number_bytes(DTAP__TAG_TYPE, event->type) +
	       full_number_bytes(DTAP__TAG_FAMILY, event->socket_family) +
	       full_number_bytes(DTAP__TAG_PROTOCOL, event->socket_protocol) +
	       full_octets_bytes(event->query_address_bytes) +
	       full_octets_bytes(event->response_address_bytes) +
	       full_number_bytes(DTAP__TAG_QUERY_PORT, event->query_port) +
	       full_number_bytes(DTAP__TAG_RESPONSE_PORT,
				 event->response_port) +
	       full_time_bytes(event->query_time_sec, event->query_time_nsec) +
	       full_octets_bytes(event->query_message_bytes) +
	       full_octets_bytes(event->query_zone_bytes) +
	       full_time_bytes(event->response_time_sec,
			       event->response_time_nsec) +
	       full_octets_bytes(event->response_message_bytes) +
	       (event->policy != NULL ? full_present_bytes(policy_bytes) : 0) +
	       full_number_bytes(DTAP__TAG_HTTP_PROTOCOL,
				 event->http_protocol);
}

static uint8_t *
full_put_message(uint8_t *p, const struct dtap_event *event,
		 const struct full_size *size)
{
	p = full_put_header(p, DTAP__TAG_MESSAGE, size->message);
	p = full_put_number(p, DTAP__TAG_TYPE, event->type);
	p = full_put_number(p, DTAP__TAG_FAMILY, event->socket_family);
	p = full_put_number(p, DTAP__TAG_PROTOCOL, event->socket_protocol);
	p = full_put_address(p, DTAP__TAG_QUERY_ADDRESS, event->query_address,
			     event->query_address_bytes);
	p = full_put_address(p, DTAP__TAG_RESPONSE_ADDRESS,
			     event->response_address,
			     event->response_address_bytes);
	p = full_put_number(p, DTAP__TAG_QUERY_PORT, event->query_port);
	p = full_put_number(p, DTAP__TAG_RESPONSE_PORT, event->response_port);
	p = full_put_time(p, DTAP__TAG_QUERY_SEC, event->query_time_sec,
			  DTAP__TAG_QUERY_NSEC, event->query_time_nsec);
	p = full_put_octets(p, DTAP__TAG_QUERY_MESSAGE, event->query_message,
			    event->query_message_bytes);
	p = full_put_octets(p, DTAP__TAG_QUERY_ZONE, event->query_zone,
			    event->query_zone_bytes);
	p = full_put_time(p, DTAP__TAG_RESPONSE_SEC, event->response_time_sec,
			  DTAP__TAG_RESPONSE_NSEC, event->response_time_nsec);
	p = full_put_octets(p, DTAP__TAG_RESPONSE_MESSAGE,
			    event->response_message,
			    event->response_message_bytes);
	if (event->policy != NULL)
		p = full_put_policy(p, event->policy, size);
	return full_put_number(p, DTAP__TAG_HTTP_PROTOCOL,
			       event->http_protocol);
}

/* The event's own extra, or else the configured one. */
static const uint8_t *
full_extra(const struct dtap__encoder *encoder, const struct dtap_event *event,
	   size_t *bytes)
{
	if (event->extra_bytes != 0) {
		*bytes = event->extra_bytes;
		return event->extra;
	}
	*bytes = encoder->prefix.extra_bytes;
	return encoder->prefix.octets + encoder->prefix.extra_offset;
}

static size_t
full_extra_bytes(const struct dtap__encoder *encoder,
		 const struct dtap_event *event, size_t loss_bytes)
{
	size_t extra_bytes;

	full_extra(encoder, event, &extra_bytes);
	if (extra_bytes != 0 && loss_bytes != 0)
		extra_bytes++; /* the space between them */
	return extra_bytes + loss_bytes;
}

static uint8_t *
full_put_extra(uint8_t *p, const struct dtap__encoder *encoder,
	       const struct dtap_event *event, const char *loss,
	       size_t loss_bytes, const struct full_size *size)
{
	size_t extra_bytes;
	const uint8_t *extra = full_extra(encoder, event, &extra_bytes);

	if (size->extra == 0)
		return p;
	p = full_put_header(p, DTAP__TAG_EXTRA, size->extra);
	if (extra_bytes != 0) {
		memcpy(p, extra, extra_bytes);
		p += extra_bytes;
	}
	if (loss_bytes == 0)
		return p;
	if (extra_bytes != 0)
		*p++ = ' ';
	memcpy(p, loss, loss_bytes);
	return p + loss_bytes;
}

static struct full_size
full_measure(const struct dtap__encoder *encoder,
	     const struct dtap_event *event, size_t loss_bytes)
{
	struct full_size size = {0};

	if (event->policy != NULL) {
		if (event->policy->type != NULL)
			size.policy_type = strlen(event->policy->type);
		size.policy = full_policy_bytes(event->policy,
						size.policy_type);
	}
	size.message = full_message_bytes(event, size.policy);
	size.extra = full_extra_bytes(encoder, event, loss_bytes);
	return size;
}

size_t
dtap__encode_full_bound(const struct dtap__encoder *encoder,
			const struct dtap_event *event, size_t loss_bytes)
{
	struct full_size size = full_measure(encoder, event, loss_bytes);

	return encoder->prefix.server_bytes + full_octets_bytes(size.extra) +
	       full_present_bytes(size.message) + DTAP__TRAILER_BYTES +
	       DTAP__ENCODE_SLACK;
}

size_t
dtap__encode_full(struct dtap__encoder *encoder,
		  const struct dtap_event *event, const char *loss,
		  size_t loss_bytes, uint8_t *out)
{
	struct full_size size = full_measure(encoder, event, loss_bytes);
	uint8_t *p = out;

	memcpy(p, encoder->prefix.octets, encoder->prefix.server_bytes);
	p += encoder->prefix.server_bytes;
	p = full_put_extra(p, encoder, event, loss, loss_bytes, &size);
	p = full_put_message(p, event, &size);
	p = dtap__put_le16(p, DTAP__TRAILER);
	dtap__shape_remember(encoder, event);
	return (size_t)(p - out);
}
