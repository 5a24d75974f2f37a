/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random events, encoded by protobuf-c and by both of our ways: the octets
 * must be the same. The number of events is the first argument, or
 * DTAP_EVENTS in the environment, or 20,000.
 */
#include "encode/encode_message.h"

#include <stdlib.h>
#include <string.h>

#include "event/event_check.h"
#include "proto/dnstap.pb-c.h"
#include "support/support.h"
#include "support/support_event.h"

#define OWN_METADATA_MAX 2000u
#define CANARY_BYTES 64
#define ENCODERS 4

/* Check writes to a pipe at each of its assertions: too slow for millions. */
#define EXPECT(condition, ...) \
	do { \
		if (!(condition)) \
			ck_abort_msg(__VA_ARGS__); \
	} while (0)

static unsigned long events_wanted = 20000;

static uint8_t expected[2 * 65535 + 8192];
static uint8_t room[CANARY_BYTES + 2 * 65535 + 8192 + CANARY_BYTES];
static uint8_t *const out = room + CANARY_BYTES;

static struct dtap__encoder encoders[ENCODERS];

static void
start_encoders(void)
{
	static const struct {
		size_t identity, version, extra;
	} lengths[ENCODERS] = {
		{15, 10, 0}, {0, 0, 0}, {40, 19, 30}, {255, 255, 1024}};
	static uint8_t octets[1024];
	static struct dtap__prefix prefix;

	memset(octets, 'e', sizeof(octets));
	for (size_t i = 0; i < ENCODERS; i++) {
		dtap__prefix_init(&prefix, octets, lengths[i].identity, octets,
				  lengths[i].version, octets,
				  lengths[i].extra);
		dtap__encoder_init(&encoders[i], &prefix);
	}
}

static ProtobufCBinaryData
binary(const void *octets, size_t bytes)
{
	ProtobufCBinaryData data = {bytes, (uint8_t *)(uintptr_t)octets};

	return data;
}

#define SET_NUMBER(to, field, value) \
	((to)->field = (value), (to)->has_##field = (to)->field != 0)
#define SET_OCTETS(to, field, octets, bytes) \
	((to)->field = binary((octets), (bytes)), \
	 (to)->has_##field = (to)->field.len != 0)

static void
oracle_policy(Dnstap__Policy *to, const struct dtap_policy *from)
{
	to->type = (char *)(uintptr_t)from->type;
	SET_OCTETS(to, rule, from->rule, from->rule_bytes);
	SET_NUMBER(to, action, (Dnstap__Policy__Action)from->action);
	SET_NUMBER(to, match, (Dnstap__Policy__Match)from->match);
	SET_OCTETS(to, value, from->value, from->value_bytes);
}

static void
oracle_times(Dnstap__Message *to, const struct dtap_event *from)
{
	to->query_time_sec = from->query_time_sec;
	to->query_time_nsec = from->query_time_nsec;
	to->has_query_time_sec = to->has_query_time_nsec =
		from->query_time_sec != 0 || from->query_time_nsec != 0;
	to->response_time_sec = from->response_time_sec;
	to->response_time_nsec = from->response_time_nsec;
	to->has_response_time_sec = to->has_response_time_nsec =
		from->response_time_sec != 0 || from->response_time_nsec != 0;
}

static void
oracle_message(Dnstap__Message *to, const struct dtap_event *from)
{
	to->type = (Dnstap__Message__Type)from->type;
	SET_NUMBER(to, socket_family,
		   (Dnstap__SocketFamily)from->socket_family);
	SET_NUMBER(to, socket_protocol,
		   (Dnstap__SocketProtocol)from->socket_protocol);
	SET_NUMBER(to, http_protocol,
		   (Dnstap__HttpProtocol)from->http_protocol);
	SET_OCTETS(to, query_address, from->query_address,
		   from->query_address_bytes);
	SET_OCTETS(to, response_address, from->response_address,
		   from->response_address_bytes);
	SET_NUMBER(to, query_port, from->query_port);
	SET_NUMBER(to, response_port, from->response_port);
	oracle_times(to, from);
	SET_OCTETS(to, query_message, from->query_message,
		   from->query_message_bytes);
	SET_OCTETS(to, response_message, from->response_message,
		   from->response_message_bytes);
	SET_OCTETS(to, query_zone, from->query_zone, from->query_zone_bytes);
}

/* The event's extra or the configured one, then the loss report. */
static ProtobufCBinaryData
oracle_extra(const struct dtap__prefix *prefix, const struct dtap_event *event,
	     const char *loss)
{
	static uint8_t joined[4096];
	const void *extra = prefix->octets + prefix->extra_offset;
	size_t bytes = prefix->extra_bytes;

	if (event->extra_bytes != 0) {
		extra = event->extra;
		bytes = event->extra_bytes;
	}
	if (bytes != 0)
		memcpy(joined, extra, bytes);
	if (bytes != 0 && loss[0] != '\0')
		joined[bytes++] = ' ';
	memcpy(joined + bytes, loss, strlen(loss));
	return binary(joined, bytes + strlen(loss));
}

/* What protobuf-c makes of it; into expected. */
static size_t
oracle(const struct dtap__prefix *prefix, const struct dtap_event *event,
       const char *loss)
{
	Dnstap__Dnstap dnstap = DNSTAP__DNSTAP__INIT;
	Dnstap__Message message = DNSTAP__MESSAGE__INIT;
	Dnstap__Policy policy = DNSTAP__POLICY__INIT;
	ProtobufCBinaryData extra = oracle_extra(prefix, event, loss);
	size_t fields_bytes;

	dnstap.type = DNSTAP__DNSTAP__TYPE__MESSAGE;
	dnstap.message = &message;
	oracle_message(&message, event);
	if (event->policy != NULL) {
		oracle_policy(&policy, event->policy);
		message.policy = &policy;
	}
	SET_OCTETS(&dnstap, extra, extra.data, extra.len);
	/* Fields 1 and 2 come from the prefix: test_encode_prefix.c. */
	memcpy(expected, prefix->octets, prefix->server_bytes);
	fields_bytes = dnstap__dnstap__get_packed_size(&dnstap);
	EXPECT(prefix->server_bytes + fields_bytes <= sizeof(expected),
	       "the test's own room is too small");
	dnstap__dnstap__pack(&dnstap, expected + prefix->server_bytes);
	return prefix->server_bytes + fields_bytes;
}

static void
set_canaries(size_t bound)
{
	EXPECT(CANARY_BYTES + bound + CANARY_BYTES <= sizeof(room),
	       "the test's own room is too small");
	memset(room, 0xc5, CANARY_BYTES);
	memset(out + bound, 0xc5, CANARY_BYTES);
}

static bool
is_canary(const uint8_t *octets)
{
	for (size_t i = 0; i < CANARY_BYTES; i++)
		if (octets[i] != 0xc5)
			return false;
	return true;
}

/* The frame is the expected one and nothing else was touched. */
static void
expect_frame(const char *way, unsigned long n, size_t bytes,
	     size_t expected_bytes, size_t bound)
{
	EXPECT(bytes == expected_bytes,
	       "event %lu, %s: %zu octets, expected %zu", n, way, bytes,
	       expected_bytes);
	EXPECT(memcmp(out, expected, bytes) == 0,
	       "event %lu, %s: octets differ", n, way);
	EXPECT(bytes + DTAP__ENCODE_SLACK <= bound,
	       "event %lu, %s: bound too small", n, way);
	EXPECT(is_canary(room) && is_canary(out + bound),
	       "event %lu, %s: wrote out of bounds", n, way);
}

/* Whether the plain way must take an event whose shape it knows. */
static bool
plain_must_take(const struct dtap_event *event)
{
	return event->http_protocol == 0 &&
	       (event->query_time_sec != 0 || event->query_time_nsec == 0) &&
	       (event->response_time_sec != 0 ||
		event->response_time_nsec == 0);
}

static size_t
encode_plainly(struct dtap__encoder *encoder, const struct dtap_event *event,
	       unsigned long n, size_t expected_bytes)
{
	size_t bound = dtap__encode_plain_bound(encoder, event);
	size_t bytes;

	set_canaries(bound);
	bytes = dtap__encode_plain(encoder, event, out);
	if (bytes != 0)
		expect_frame("plain", n, bytes, expected_bytes, bound);
	EXPECT(is_canary(room) && is_canary(out + bound),
	       "event %lu: declined, but wrote out of bounds", n);
	return bytes;
}

static void
encode_fully(struct dtap__encoder *encoder, const struct dtap_event *event,
	     unsigned long n, const char *loss)
{
	size_t loss_bytes = strlen(loss);
	size_t expected_bytes = oracle(&encoder->prefix, event, loss);
	size_t bound = dtap__encode_full_bound(encoder, event, loss_bytes);

	set_canaries(bound);
	expect_frame("full", n,
		     dtap__encode_full(encoder, event, loss, loss_bytes, out),
		     expected_bytes, bound);
	EXPECT(bound == expected_bytes + DTAP__ENCODE_SLACK,
	       "event %lu: the bound of the full way is not exact", n);
}

static void
check_valid(const struct dtap_event *event, unsigned long n)
{
	const struct dtap_event *normal = NULL;
	struct dtap_event copy;

	EXPECT(dtap__event_check(event, OWN_METADATA_MAX, &copy, &normal) ==
			       DTAP_OK &&
		       normal == event,
	       "event %lu is not valid", n);
}

START_TEST(both_ways_write_what_protobuf_c_writes)
{
	struct support_random random = {1};
	unsigned long taken_at_once = 0;
	unsigned long taken = 0;

	start_encoders();
	for (unsigned long n = 0; n < events_wanted; n++) {
		struct dtap__encoder *encoder =
			&encoders[support_random_below(&random, ENCODERS)];
		bool plain = support_random_below(&random, 8) != 0;
		struct dtap_policy policy;
		struct dtap_event event;
		size_t bytes;

		support_random_event(&random, &event, &policy, plain);
		check_valid(&event, n);
		if (!dtap__encode_is_plain(&event)) {
			encode_fully(encoder, &event, n, "");
			encode_fully(encoder, &event, n, "dtap.lost=17");
			continue;
		}
		bytes = oracle(&encoder->prefix, &event, "");
		taken_at_once += encode_plainly(encoder, &event, n, bytes) != 0;
		encode_fully(encoder, &event, n, "");
		for (int twice = 0; twice < 2; twice++) {
			size_t plainly =
				encode_plainly(encoder, &event, n, bytes);

			taken += plainly != 0;
			EXPECT((plainly != 0) == plain_must_take(&event),
			       "event %lu: declined or not, wrongly", n);
		}
		encode_fully(encoder, &event, n, "dtap.lost=17");
	}
	/* The comparison means little if the plain way hardly takes part. */
	ck_assert_uint_gt(taken_at_once, events_wanted / 4);
	ck_assert_uint_gt(taken, events_wanted);
}
END_TEST

/* Sets one field to what it should perhaps not be. */
static void
spoil(struct support_random *random, struct dtap_event *event,
      const struct dtap_policy *policy)
{
	uint64_t any = support_random_next(random);
	uint8_t few = (uint8_t)(any >> 32 & 31);

	switch (any % 24) {
	case 0: event->size -= few; break;
	case 1: event->type = few; break;
	case 2: event->socket_family = few % 4; break;
	case 3: event->socket_protocol = few % 9; break;
	case 4: event->http_protocol = few % 5; break;
	case 5: event->query_address_bytes = few; break;
	case 6: event->response_address_bytes = few; break;
	case 7: event->reserved = (uint16_t)(1u << few % 16); break;
	case 8: event->query_port = (uint16_t)(any >> 40); break;
	case 9: event->response_port = (uint16_t)(any >> 40); break;
	case 10: event->query_time_nsec = 999999990u + few; break;
	case 11: event->response_time_nsec = 999999990u + few; break;
	case 12: event->query_time_sec = any << few; break;
	case 13: event->response_time_sec = any << few; break;
	case 14: event->query_zone_bytes = 240u + few; break;
	case 15: event->query_zone_bytes = (uint32_t)(any >> 32); break;
	case 16: event->query_address = NULL; break;
	case 17: event->response_address = NULL; break;
	case 18: event->query_message = NULL; break;
	case 19: event->response_message = NULL; break;
	case 20: event->query_zone = NULL; break;
	case 21: event->policy = policy; break;
	case 22: event->extra_bytes = few; break;
	case 23: event->reserved_tail = few; break;
	}
}

START_TEST(what_the_plain_way_takes_is_valid)
{
	static const uint8_t zone[256];
	struct support_random random = {2};
	unsigned long taken = 0, declined_invalid = 0;
	struct dtap__encoder *encoder = &encoders[0];

	start_encoders();
	for (unsigned long n = 0; n < events_wanted; n++) {
		struct dtap_policy policy = DTAP_POLICY_INIT;
		const struct dtap_event *normal;
		struct dtap_event event, copy;
		size_t plainly = 0;
		bool valid;

		support_random_event(&random, &event, &policy, true);
		encode_fully(encoder, &event, n, ""); /* now it is known */
		event.query_zone = zone;
		for (uint32_t i = support_random_below(&random, 4); i > 0; i--)
			spoil(&random, &event, &policy);
		if (dtap__encode_is_plain(&event))
			plainly = dtap__encode_plain(encoder, &event, out);
		/* Only now: a zone may be longer than what it points to. */
		valid = dtap__event_check(&event, OWN_METADATA_MAX, &copy,
					  &normal) == DTAP_OK;
		if (plainly == 0) {
			declined_invalid += !valid;
			continue;
		}
		taken++;
		EXPECT(valid, "event %lu is not valid", n);
		EXPECT(plainly == oracle(&encoder->prefix, &event, "") &&
			       memcmp(out, expected, plainly) == 0,
		       "event %lu: octets differ", n);
	}
	ck_assert_uint_gt(taken, events_wanted / 8);
	ck_assert_uint_gt(declined_invalid, events_wanted / 8);
}
END_TEST

/* With time for as many events as were asked for. */
static void
add(Suite *suite, TCase *tcase, const TTest *test)
{
	tcase_add_test(tcase, test);
	tcase_set_timeout(tcase, 120.0 + (double)events_wanted / 2000);
	suite_add_tcase(suite, tcase);
}

int
main(int argc, char **argv)
{
	Suite *suite = suite_create("encode_differential");
	const char *wanted = argc > 1 ? argv[1] : getenv("DTAP_EVENTS");

	if (wanted != NULL)
		events_wanted = strtoul(wanted, NULL, 10);
	add(suite, tcase_create("octets"),
	    both_ways_write_what_protobuf_c_writes);
	add(suite, tcase_create("subset"), what_the_plain_way_takes_is_valid);
	return support_run(suite);
}
