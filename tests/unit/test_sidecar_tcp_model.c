/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_sidecar_tcp_model.c: random streams of messages, cut, doubled,
 * overlapping, out of order and, in part, lost. And hostile ones, of which
 * nothing is asked but that they stay within their memory.
 *
 * Without loss, all messages come out. With loss, those come out of which no
 * octet was lost, and no others.
 */
#include <malloc.h>

#include "support/sidecar_stream.h"
#include "support/support.h"

#define MESSAGES_MAX 64
#define OCTETS_MAX (MESSAGES_MAX * 4096)
#define SEGMENTS_MAX 4096
/* Segments change places with others so near. */
#define DISORDER 8

struct plan {
	size_t count;
	size_t bytes;
	size_t begins[MESSAGES_MAX + 1]; /* the last: the end of all */
	uint8_t octets[OCTETS_MAX];
	bool lost[OCTETS_MAX];
	size_t segments;
	struct {
		size_t at;
		size_t bytes;
	} segment[SEGMENTS_MAX];
};

static struct plan plan;
static uint64_t random_state;

static uint64_t
random_below(uint64_t limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state % limit;
}

static size_t
random_length(void)
{
	switch (random_below(8)) {
	case 0:
		return STREAM_MESSAGE_MIN;
	case 1:
		return STREAM_MESSAGE_MIN + random_below(4000);
	default:
		return STREAM_MESSAGE_MIN + random_below(100);
	}
}

static void
plan_messages(void)
{
	plan.count = 1 + random_below(MESSAGES_MAX);
	plan.bytes = 0;
	for (size_t i = 0; i < plan.count; i++) {
		plan.begins[i] = plan.bytes;
		plan.bytes += stream_message(plan.octets + plan.bytes,
					     (uint16_t)(i + 1),
					     random_length());
	}
	plan.begins[plan.count] = plan.bytes;
	memset(plan.lost, 0, sizeof(plan.lost));
}

static void
plan_add(size_t at, size_t bytes)
{
	ck_assert_uint_lt(plan.segments, SEGMENTS_MAX);
	if (at + bytes > plan.bytes)
		bytes = plan.bytes - at;
	plan.segment[plan.segments].at = at;
	plan.segment[plan.segments++].bytes = bytes;
}

/* One of `loss` segments is lost; 0: none is. */
static void
plan_segments(unsigned int loss)
{
	size_t most = 1 + random_below(1500);
	size_t bytes;

	/* Not too many. */
	if (most < plan.bytes / 500)
		most = plan.bytes / 500;
	plan.segments = 0;
	for (size_t at = 0; at < plan.bytes; at += bytes) {
		bytes = 1 + random_below(most);
		if (loss > 0 && random_below(loss) == 0) {
			for (size_t i = at; i < at + bytes && i < plan.bytes;
			     i++)
				plan.lost[i] = true;
			continue;
		}
		plan_add(at, bytes);
		if (loss == 0 && random_below(4) == 0) {
			size_t back = random_below(3 * most);

			plan_add(back < at ? at - back : 0,
				 1 + random_below(4 * most));
		} else if (random_below(8) == 0) {
			plan_add(at, bytes);
		}
	}
}

static void
plan_shuffle(void)
{
	for (size_t i = 0; i < plan.segments; i++) {
		size_t other = i + random_below(DISORDER);

		if (other >= plan.segments)
			continue;
		size_t at = plan.segment[i].at;
		size_t bytes = plan.segment[i].bytes;

		plan.segment[i] = plan.segment[other];
		plan.segment[other].at = at;
		plan.segment[other].bytes = bytes;
	}
}

static bool
is_lost(size_t message)
{
	for (size_t i = plan.begins[message]; i < plan.begins[message + 1]; i++)
		if (plan.lost[i])
			return true;
	return false;
}

static void
play(uint64_t seed, unsigned int loss)
{
	uint32_t isn;
	size_t next = 0;

	random_state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	isn = (uint32_t)(0 - random_below(2 * OCTETS_MAX));
	plan_messages();
	plan_segments(loss);
	plan_shuffle();
	stream_open();
	stream_feed(isn, "", 0, PACKET_SYN);
	for (size_t i = 0; i < plan.segments; i++)
		stream_feed((uint32_t)(isn + 1 + plan.segment[i].at),
			    plan.octets + plan.segment[i].at,
			    plan.segment[i].bytes, 0);
	stream_feed((uint32_t)(isn + 1 + plan.bytes), "", 0, PACKET_FIN);
	tcp_table_expire(stream.table, stream.now_ns + STREAM_SECOND);
	for (size_t i = 0; i < plan.count; i++)
		if (!is_lost(i))
			stream_expect(next++, (uint16_t)(i + 1),
				      plan.begins[i + 1] - plan.begins[i] - 2);
	ck_assert_uint_eq(stream.count, next);
	ck_assert_uint_eq(stream_counters().held_octets, 0);
	ck_assert_uint_eq(stream_counters().memory_bytes, 0);
	if (loss == 0) {
		ck_assert_uint_eq(stream_counters().gaps, 0);
		ck_assert_uint_eq(stream_counters().skipped_octets, 0);
	}
	stream_close();
}

START_TEST(without_loss_all_messages_come_out)
{
	for (uint64_t seed = 1; seed <= 200; seed++)
		play(seed, 0);
}
END_TEST

START_TEST(with_loss_the_others_come_out)
{
	for (uint64_t seed = 1; seed <= 300; seed++)
		play(seed, 2 + (unsigned int)seed % 40);
}
END_TEST

static void
ignore(void *user, const struct packet *message)
{
	(void)user;
	(void)message;
}

/* Of the C library's heap; 0 under a sanitizer. */
static size_t
heap_bytes(void)
{
	return mallinfo2().uordblks;
}

/* Single octets with holes between; lengths that promise the most; all of it
 * on more connections than there may be. */
START_TEST(hostile_segments_stay_within_their_memory)
{
	static const struct tcp_limits limits = { 200, STREAM_LEAST,
						  1000000, STREAM_SECOND };
	static const uint8_t octets[1500] = { 0xff, 0xff };
	struct tcp_counters counters = { 0 };
	size_t before_bytes = heap_bytes();
	uint64_t most_bytes = 0;

	stream.table = tcp_table_new(&limits, ignore, NULL);
	ck_assert_ptr_nonnull(stream.table);
	random_state = 1;
	for (uint32_t i = 0; i < 400000; i++) {
		uint64_t kind = random_below(2048);
		size_t bytes = kind < 64 ? sizeof(octets) : 1;
		uint32_t sequence = (uint32_t)random_below(50000);
		struct packet packet = stream_packet(
			sequence, octets, bytes, kind == 0 ? PACKET_SYN : 0);

		packet.socket = random_below(i < 200000 ? 40 : 300);
		packet.time_ns = stream.now_ns = i * UINT64_C(20000);
		if (kind == 2)
			packet.tcp_sequence = (uint32_t)random_state;
		tcp_table_feed(stream.table, &packet);
		tcp_table_count(stream.table, &counters);
		ck_assert_uint_le(counters.memory_bytes, limits.total_bytes);
		if (counters.memory_bytes > most_bytes)
			most_bytes = counters.memory_bytes;
		if (i % 1000 == 0)
			ck_assert_uint_le(heap_bytes(),
					  before_bytes + limits.total_bytes +
						  limits.streams * 1024);
	}
	/* Else it was no attack. */
	ck_assert_uint_gt(most_bytes, limits.total_bytes / 2);
	ck_assert_uint_gt(counters.evicted, 100);
	ck_assert_uint_gt(counters.gaps, 100);
	tcp_table_free(&stream.table);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("sidecar tcp model");

	support_add(suite, without_loss_all_messages_come_out);
	support_add(suite, with_loss_the_others_come_out);
	support_add(suite, hostile_segments_stay_within_their_memory);
	return support_run(suite);
}
