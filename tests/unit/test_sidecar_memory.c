/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_sidecar_memory.c: the core of the sidecar when there is no memory: one
 * request after the other is refused. What is lost then is counted, and the
 * rest is as good as ever.
 *
 * The linker puts the functions below in front of the C library's.
 */
#include <stdlib.h>
#include <string.h>

#include "sidecar/exchange.h"
#include "sidecar/tcp.h"

#include "support/support.h"

#define FRAME_BYTES 102
#define FRAMES 6
#define SECOND UINT64_C(1000000000)

/* Only while the core works: the tests' own framework allocates, too. */
static struct {
	bool watched;
	unsigned int made;
	unsigned int refuse; /* from this one on, ... */
	unsigned int count;  /* ... so many */
} requests;

static bool
refused(void)
{
	if (!requests.watched)
		return false;
	requests.made++;
	return requests.made >= requests.refuse &&
	       requests.made < requests.refuse + requests.count;
}

void *__real_malloc(size_t);
void *__wrap_malloc(size_t);
void *__real_calloc(size_t, size_t);
void *__wrap_calloc(size_t, size_t);
void *__real_realloc(void *, size_t);
void *__wrap_realloc(void *, size_t);

void *
__wrap_malloc(size_t bytes)
{
	return refused() ? NULL : __real_malloc(bytes);
}

void *
__wrap_calloc(size_t count, size_t bytes)
{
	return refused() ? NULL : __real_calloc(count, bytes);
}

void *
__wrap_realloc(void *old, size_t bytes)
{
	return refused() ? NULL : __real_realloc(old, bytes);
}

static void
refuse_from(unsigned int number, unsigned int count)
{
	requests.made = 0;
	requests.refuse = number;
	requests.count = count;
}

/* Whether the scenario got as far as to what was to be refused. */
static bool
has_refused(void)
{
	return requests.made >= requests.refuse;
}

static uint8_t frames[FRAMES * FRAME_BYTES];
static unsigned int messages;
static unsigned int last;

static void
make_frames(void)
{
	memset(frames, 0xee, sizeof(frames));
	for (unsigned int i = 0; i < FRAMES; i++) {
		uint8_t *frame = frames + i * FRAME_BYTES;

		memset(frame, 0, 19);
		frame[1] = FRAME_BYTES - 2;
		frame[3] = (uint8_t)(i + 1);
		frame[7] = 1;
		frame[16] = 6;
		frame[18] = 1;
	}
}

static void
count_message(void *user, const struct packet *message)
{
	unsigned int number = message->payload[1];

	(void)user;
	requests.watched = false;
	ck_assert_uint_eq(message->payload_bytes, FRAME_BYTES - 2);
	ck_assert_uint_gt(number, last);
	ck_assert_mem_eq(message->payload,
			 frames + (number - 1) * FRAME_BYTES + 2,
			 FRAME_BYTES - 2);
	last = number;
	messages++;
	requests.watched = true;
}

static void
feed_segment(struct tcp_table *table, size_t at, size_t bytes,
	     unsigned int flags)
{
	struct packet packet = {
		.time_ns = SECOND,
		.protocol = PACKET_TCP,
		.tcp_flags = (uint8_t)flags,
		.tcp_sequence = (uint32_t)at,
		.payload = frames + at,
		.payload_bytes = bytes,
	};
	struct tcp_counters counters;

	requests.watched = true;
	tcp_table_feed(table, &packet);
	requests.watched = false;
	tcp_table_count(table, &counters);
	ck_assert_uint_eq(counters.octets,
			  counters.message_octets + counters.duplicate_octets +
				  counters.skipped_octets +
				  counters.held_octets);
}

/* In order and out of it, in halves; the last message in one piece. */
static void
feed_segments(struct tcp_table *table)
{
	static const unsigned int order[] = { 0, 1, 3, 4, 2, 6, 5, 7, 8, 9 };
	size_t half = FRAME_BYTES / 2;

	feed_segment(table, (size_t)-1, 0, PACKET_SYN);
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		feed_segment(table, order[i] * half, half, 0);
	requests.watched = true;
	tcp_table_expire(table, 2 * SECOND);
	requests.watched = false;
	feed_segment(table, 10 * half, FRAME_BYTES, 0);
}

/* One request refused costs one message here; many cost more, but no octets
 * are taken for a message that is none. */
START_TEST(tcp_goes_on_without_memory)
{
	static const struct tcp_limits limits = { 4, 200000, 200000,
						  60 * SECOND };
	unsigned int number = 0;
	bool has;

	make_frames();
	do {
		struct tcp_table *table =
			tcp_table_new(&limits, count_message, NULL);
		struct tcp_counters counters;

		ck_assert_ptr_nonnull(table);
		messages = 0;
		last = 0;
		refuse_from(++number, 1 + (unsigned int)_i * 3);
		feed_segments(table);
		has = has_refused();
		if (!has)
			ck_assert_uint_eq(messages, FRAMES);
		else if (_i == 0)
			ck_assert_uint_ge(messages, FRAMES - 1);
		tcp_table_expire(table, 61 * SECOND);
		tcp_table_count(table, &counters);
		ck_assert_uint_eq(counters.streams, 0);
		ck_assert_uint_eq(counters.memory_bytes, 0);
		tcp_table_free(&table);
	} while (has);
	ck_assert_uint_gt(number, 5);
}
END_TEST

static const char *
exe(void *user, const struct packet_owner *owner)
{
	(void)user;
	(void)owner;
	return "named";
}

static unsigned int seen[32];

static void
count_event(void *user, const struct exchange_event *event)
{
	(void)user;
	if (event->kind == EXCHANGE_MESSAGE)
		seen[event->message->tcp_sequence]++;
}

static void
feed_messages(struct exchange_table *table)
{
	for (uint32_t i = 0; i < 16; i++) {
		uint8_t octets[12] = { 0, 0, 1 };
		struct packet packet = {
			.time_ns = SECOND,
			.owner.pid = 1 + i / 4,
			.protocol = PACKET_UDP,
			.direction = i % 2 ? PACKET_SENT : PACKET_RECEIVED,
			.tcp_sequence = i,
			.payload = octets,
			.payload_bytes = sizeof(octets),
		};

		octets[0] = (uint8_t)(i / 2);
		octets[2] |= i % 2 ? 0x80 : 0;
		requests.watched = true;
		exchange_table_feed(table, &packet);
		requests.watched = false;
	}
	exchange_table_flush(table);
}

START_TEST(exchanges_go_on_without_memory)
{
	static const struct exchange_options options = { 4, 1000, SECOND,
							 SECOND, true };
	unsigned int number = 0;
	bool has;

	do {
		struct role_table *roles = role_table_new();
		struct exchange_table *table = exchange_table_new(
			&options, roles, exe, count_event, NULL);

		ck_assert_ptr_nonnull(table);
		memset(seen, 0, sizeof(seen));
		refuse_from(++number, 1 + (unsigned int)_i * 3);
		feed_messages(table);
		has = has_refused();
		for (int i = 0; i < 16; i++)
			ck_assert_uint_eq(seen[i], 1);
		exchange_table_free(&table);
		role_table_free(&roles);
	} while (has);
	ck_assert_uint_gt(number, 10);
}
END_TEST

START_TEST(tables_are_made_or_not)
{
	static const struct exchange_options options = { 4, 1000, 1, 1, true };
	static const struct tcp_limits limits = { 4, 200000, 200000, 1 };

	for (unsigned int number = 1; number <= 2; number++) {
		struct exchange_table *exchanges;
		struct role_table *roles;
		struct tcp_table *streams;

		requests.watched = true;
		refuse_from(number, 1);
		roles = role_table_new();
		refuse_from(number, 1);
		streams = tcp_table_new(&limits, count_message, NULL);
		refuse_from(number, 1);
		exchanges = exchange_table_new(&options, NULL, exe,
					       count_event, NULL);
		requests.watched = false;
		ck_assert_ptr_null(roles);
		ck_assert_ptr_null(streams);
		ck_assert_ptr_null(exchanges);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("sidecar memory");
	TCase *once_or_often = tcase_create("without memory");

	tcase_add_loop_test(once_or_often, tcp_goes_on_without_memory, 0, 3);
	tcase_add_loop_test(once_or_often, exchanges_go_on_without_memory, 0,
			    3);
	suite_add_tcase(suite, once_or_often);
	support_add(suite, tables_are_made_or_not);
	return support_run(suite);
}
