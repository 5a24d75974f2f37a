/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_encoder.c: an input makes events, and they go round: encoded by us,
 * decoded by us and by protobuf-c.
 *
 * The input begins with the lengths of identity, version and extra and their
 * octets. Then follow events, as make_event() reads them: each field from an
 * octet or more, brought into its limits. All go through one encoder, so that
 * it has shapes to remember.
 *
 * What must hold for each event:
 *  - it is valid, and the octets written stay within the bound;
 *  - we decode the same values that went in, and so does protobuf-c;
 *  - protobuf-c, packing what it decoded, writes the same octets;
 *  - the plain way, where the event is one for it, writes the same, too.
 */
#include <stdlib.h>
#include <string.h>

#include "encode/encode_message.h"
#include "event/event_check.h"
#include "fuzz.h"
#include "fuzz_oracle.h"

#define EVENTS_MAX 5
#define CANARY 0xc5
#define LOSS "dtap.lost=17 dtap.cause=full"

/*
 * Messages: a length of one octet, or 255 and one of two, and octets, 64 at
 * most, again and again: they may be longer than inputs should be.
 */
static uint8_t query[DTAP_MESSAGE_BYTES_MAX];
static uint8_t response[DTAP_MESSAGE_BYTES_MAX];

struct made {
	struct dtap_event event;
	struct dtap_policy policy;
	char policy_type[64];
};

struct encoding {
	struct dtap__encoder encoder;
	const struct dtap_event *event;
	const char *loss;
	size_t bytes;
	uint8_t octets[2 * DTAP_MESSAGE_BYTES_MAX + 8192];
};

static const uint8_t *
take_message(struct fuzz_source *source, uint8_t *room, uint32_t *bytes)
{
	size_t whole = (size_t)fuzz_take_number(source, 1);
	const uint8_t *octets;
	size_t given;

	if (whole == 255)
		whole = (size_t)fuzz_take_number(source, 2);
	given = whole < 64 ? whole : 64;
	octets = fuzz_take_octets(source, &given);

	memset(room, 0, whole);
	for (size_t i = 0; given > 0 && i < whole; i += given)
		memcpy(room + i, octets, given < whole - i ? given : whole - i);
	*bytes = (uint32_t)whole;
	return room;
}

static const void *
take_field(struct fuzz_source *source, uint32_t *bytes)
{
	size_t count = (size_t)fuzz_take_number(source, 1);
	const void *octets = fuzz_take_octets(source, &count);

	*bytes = (uint32_t)count;
	return octets;
}

static const void *
take_address(struct fuzz_source *source, const struct dtap_event *event,
	     uint8_t *bytes)
{
	static const uint8_t none[16];
	size_t count = event->socket_family == DTAP_INET ? 4 : 16;
	const void *octets = fuzz_take_octets(source, &count);

	*bytes = event->socket_family == DTAP_INET ? 4 : 16;
	return count == *bytes ? octets : none;
}

static void
make_policy(struct fuzz_source *source, struct made *made)
{
	struct dtap_policy *policy = &made->policy;
	size_t type_bytes = (size_t)fuzz_take_number(source, 1) % 64;
	const uint8_t *type = fuzz_take_octets(source, &type_bytes);

	*policy = (struct dtap_policy)DTAP_POLICY_INIT;
	memcpy(made->policy_type, type, type_bytes);
	made->policy_type[type_bytes] = '\0';
	policy->action = (uint8_t)(fuzz_take_number(source, 1) % 7);
	policy->match = (uint8_t)(fuzz_take_number(source, 1) % 6);
	policy->rule = take_field(source, &policy->rule_bytes);
	policy->value = take_field(source, &policy->value_bytes);
	if ((policy->action ^ policy->match) != 0)
		policy->type = made->policy_type;
	made->event.policy = policy;
}

static void
make_times(struct fuzz_source *source, struct dtap_event *event,
	   unsigned int which)
{
	if ((which & 1) != 0) {
		event->query_time_sec = fuzz_take_number(source, 8) >> 1;
		event->query_time_nsec =
			(uint32_t)fuzz_take_number(source, 4) % 1000000000;
	}
	if ((which & 2) != 0) {
		event->response_time_sec = fuzz_take_number(source, 8) >> 1;
		event->response_time_nsec =
			(uint32_t)fuzz_take_number(source, 4) % 1000000000;
	}
}

/*
 * Two octets say what there is: bits 0-1 times, 2-3 addresses, 4 ports,
 * 5-6 messages, 7 zone, 8 policy, 9 extra.
 */
static void
make_event(struct fuzz_source *source, struct made *made)
{
	unsigned int what = (unsigned int)fuzz_take_number(source, 2);
	struct dtap_event *event = &made->event;

	*event = (struct dtap_event)DTAP_EVENT_INIT;
	event->type = (uint8_t)(1 + fuzz_take_number(source, 1) % 14);
	event->socket_family = (uint8_t)(fuzz_take_number(source, 1) % 3);
	event->socket_protocol = (uint8_t)(fuzz_take_number(source, 1) % 8);
	event->http_protocol = (uint8_t)(fuzz_take_number(source, 1) % 4);
	make_times(source, event, what & 3);
	if ((what & 4) != 0 && event->socket_family != 0)
		event->query_address = take_address(
			source, event, &event->query_address_bytes);
	if ((what & 8) != 0 && event->socket_family != 0)
		event->response_address = take_address(
			source, event, &event->response_address_bytes);
	if ((what & 0x10) != 0) {
		event->query_port = (uint16_t)fuzz_take_number(source, 2);
		event->response_port = (uint16_t)fuzz_take_number(source, 2);
	}
	if ((what & 0x20) != 0)
		event->query_message = take_message(
			source, query, &event->query_message_bytes);
	if ((what & 0x40) != 0)
		event->response_message = take_message(
			source, response, &event->response_message_bytes);
	if ((what & 0x80) != 0)
		event->query_zone = take_field(source,
					       &event->query_zone_bytes);
	if ((what & 0x100) != 0)
		make_policy(source, made);
	if ((what & 0x200) != 0)
		event->extra = take_field(source, &event->extra_bytes);
}

static bool
same_octets(const void *a, size_t a_bytes, const void *b, size_t b_bytes)
{
	return a_bytes == b_bytes &&
	       (a_bytes == 0 || memcmp(a, b, a_bytes) == 0);
}

static void
check_policy(const struct dtap_policy *in, const struct dtap_message *out)
{
	FUZZ_EXPECT((out->event.policy != NULL) == (in != NULL));
	if (in == NULL)
		return;
	FUZZ_EXPECT((out->policy_type.data != NULL) == (in->type != NULL));
	if (in->type != NULL)
		FUZZ_EXPECT(same_octets(in->type, strlen(in->type),
					out->policy_type.data,
					out->policy_type.bytes));
	FUZZ_EXPECT(in->action == out->policy.action);
	FUZZ_EXPECT(in->match == out->policy.match);
	FUZZ_EXPECT(same_octets(in->rule, in->rule_bytes, out->policy.rule,
				out->policy.rule_bytes));
	FUZZ_EXPECT(same_octets(in->value, in->value_bytes, out->policy.value,
				out->policy.value_bytes));
}

static void
check_numbers(const struct dtap_event *in, const struct dtap_event *out)
{
	FUZZ_EXPECT(in->type == out->type);
	FUZZ_EXPECT(in->socket_family == out->socket_family);
	FUZZ_EXPECT(in->socket_protocol == out->socket_protocol);
	FUZZ_EXPECT(in->http_protocol == out->http_protocol);
	FUZZ_EXPECT(in->query_port == out->query_port);
	FUZZ_EXPECT(in->response_port == out->response_port);
	FUZZ_EXPECT(in->query_time_sec == out->query_time_sec);
	FUZZ_EXPECT(in->query_time_nsec == out->query_time_nsec);
	FUZZ_EXPECT(in->response_time_sec == out->response_time_sec);
	FUZZ_EXPECT(in->response_time_nsec == out->response_time_nsec);
}

/* What went in, but for extra, is what came out. */
static void
check_event(const struct dtap_event *in, const struct dtap_message *message)
{
	const struct dtap_event *out = &message->event;

	check_numbers(in, out);
	FUZZ_EXPECT(same_octets(in->query_address, in->query_address_bytes,
				out->query_address, out->query_address_bytes));
	FUZZ_EXPECT(same_octets(
		in->response_address, in->response_address_bytes,
		out->response_address, out->response_address_bytes));
	FUZZ_EXPECT(same_octets(in->query_message, in->query_message_bytes,
				out->query_message, out->query_message_bytes));
	FUZZ_EXPECT(same_octets(
		in->response_message, in->response_message_bytes,
		out->response_message, out->response_message_bytes));
	FUZZ_EXPECT(same_octets(in->query_zone, in->query_zone_bytes,
				out->query_zone, out->query_zone_bytes));
	check_policy(in->policy, message);
}

/* The event's own extra, or the configured one, then the report of loss. */
static void
check_extra(const struct encoding *encoding, const struct dtap_bytes *out)
{
	const struct dtap__prefix *prefix = &encoding->encoder.prefix;
	const struct dtap_event *event = encoding->event;
	const uint8_t *extra = prefix->octets + prefix->extra_offset;
	const uint8_t *at = out->data;
	size_t loss_bytes = strlen(encoding->loss);
	size_t bytes = prefix->extra_bytes;

	if (event->extra_bytes > 0) {
		extra = event->extra;
		bytes = event->extra_bytes;
	}
	FUZZ_EXPECT(out->bytes ==
		    bytes + loss_bytes + (bytes > 0 && loss_bytes > 0));
	if (bytes > 0)
		FUZZ_EXPECT(memcmp(at, extra, bytes) == 0);
	if (loss_bytes > 0)
		FUZZ_EXPECT(memcmp(at + out->bytes - loss_bytes,
				   encoding->loss, loss_bytes) == 0);
	if (bytes > 0 && loss_bytes > 0)
		FUZZ_EXPECT(at[bytes] == ' ');
}

static void
check_decoded(const struct encoding *encoding)
{
	static uint8_t packed[sizeof(encoding->octets)];
	struct dtap_message ours = DTAP_MESSAGE_INIT;
	Dnstap__Dnstap *theirs;

	FUZZ_EXPECT(dtap_message_decode(encoding->octets, encoding->bytes,
					&ours) == DTAP_OK);
	check_event(encoding->event, &ours);
	check_extra(encoding, &ours.extra);
	theirs = dnstap__dnstap__unpack(NULL, encoding->bytes,
					encoding->octets);
	FUZZ_EXPECT(theirs != NULL);
	FUZZ_EXPECT(oracle_agrees(&ours, theirs, false));
	FUZZ_EXPECT(dnstap__dnstap__get_packed_size(theirs) ==
		    encoding->bytes);
	dnstap__dnstap__pack(theirs, packed);
	FUZZ_EXPECT(memcmp(packed, encoding->octets, encoding->bytes) == 0);
	dnstap__dnstap__free_unpacked(theirs, NULL);
}

static size_t
encode_fully(void *context)
{
	struct encoding *encoding = context;
	size_t loss_bytes = strlen(encoding->loss);
	size_t bound = dtap__encode_full_bound(&encoding->encoder,
					       encoding->event, loss_bytes);

	FUZZ_EXPECT(bound < sizeof(encoding->octets));
	encoding->octets[bound] = CANARY;
	encoding->bytes = dtap__encode_full(&encoding->encoder,
					    encoding->event, encoding->loss,
					    loss_bytes, encoding->octets);
	FUZZ_EXPECT(encoding->octets[bound] == CANARY);
	FUZZ_EXPECT(encoding->bytes == bound - DTAP__ENCODE_SLACK);
	return encoding->bytes;
}

/* Whether the plain way must take an event whose shape it knows. */
static bool
is_for_plain(const struct dtap_event *event)
{
	return event->http_protocol == 0 &&
	       (event->query_time_sec != 0 || event->query_time_nsec == 0) &&
	       (event->response_time_sec != 0 ||
		event->response_time_nsec == 0);
}

/* The event's shape is known: what was written last is to be written again. */
static void
encode_plainly(struct encoding *encoding)
{
	size_t bound = dtap__encode_plain_bound(&encoding->encoder,
						encoding->event);
	uint8_t *octets = malloc(bound);
	size_t bytes;

	FUZZ_EXPECT(octets != NULL);
	bytes = dtap__encode_plain(&encoding->encoder, encoding->event,
				   octets);
	FUZZ_EXPECT((bytes != 0) == is_for_plain(encoding->event));
	if (bytes != 0)
		FUZZ_EXPECT(same_octets(octets, bytes, encoding->octets,
					encoding->bytes));
	free(octets);
}

static void
start_encoder(struct fuzz_source *source, struct encoding *encoding)
{
	static struct dtap__prefix prefix;
	size_t bytes[3];
	const uint8_t *octets[3];

	for (int i = 0; i < 3; i++) {
		bytes[i] = (size_t)fuzz_take_number(source, 1);
		octets[i] = fuzz_take_octets(source, &bytes[i]);
	}
	dtap__prefix_init(&prefix, octets[0], bytes[0], octets[1], bytes[1],
			  octets[2], bytes[2]);
	dtap__encoder_init(&encoding->encoder, &prefix);
}

void
fuzz_input(const uint8_t *data, size_t bytes)
{
	static struct encoding encoding;
	struct fuzz_source source = { data, bytes };

	start_encoder(&source, &encoding);
	for (int i = 0; i < EVENTS_MAX && source.left > 0; i++) {
		const struct dtap_event *normal;
		struct made made;

		make_event(&source, &made);
		FUZZ_EXPECT(dtap__event_check(&made.event, 2000, &made.event,
					      &normal) == DTAP_OK);
		FUZZ_EXPECT(normal == &made.event);
		encoding.event = &made.event;
		if ((bytes & 1) != 0) {
			encoding.loss = LOSS;
			encode_fully(&encoding);
			check_decoded(&encoding);
		}
		encoding.loss = "";
		fuzz_measure(encode_fully, &encoding);
		check_decoded(&encoding);
		if (dtap__encode_is_plain(&made.event))
			encode_plainly(&encoding);
	}
}
