/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tcp.c with tcp_stream.c, tcp_framing.c and tcp_looks.c: what comes out for
 * given segments, and the limits. A random comparison is in
 * test_sidecar_tcp_model.c.
 */
#include "support/sidecar_stream.h"
#include "support/support.h"

#define ISN 1000
#define DATA (ISN + 1)

static uint8_t frames[4 * 65537];

/* Messages 1 to count of so many octets, one after the other. */
static size_t
make_messages(unsigned int count, size_t bytes)
{
	size_t at = 0;

	for (unsigned int i = 1; i <= count; i++)
		at += stream_message(frames + at, (uint16_t)i, bytes);
	return at;
}

static void
expect_messages(unsigned int count, size_t bytes)
{
	ck_assert_uint_eq(stream.count, count);
	for (unsigned int i = 1; i <= count; i++)
		stream_expect(i - 1, (uint16_t)i, bytes);
}

static void
open_with_syn(void)
{
	stream_open();
	stream_feed(ISN, "", 0, PACKET_SYN);
}

static void
feed_socket(uint64_t socket, uint32_t sequence, const void *octets,
	    size_t bytes, unsigned int flags)
{
	struct packet packet = stream_packet(sequence, octets, bytes, flags);

	packet.socket = socket;
	stream_feed_packet(&packet);
}

START_TEST(messages_in_one_segment_come_out_in_order)
{
	size_t bytes = make_messages(3, 40);

	open_with_syn();
	stream_feed(DATA, frames, bytes, 0);
	expect_messages(3, 40);
	ck_assert_uint_eq(stream_counters().messages, 3);
	ck_assert_uint_eq(stream_counters().memory_bytes, 0);
	stream_close();
}
END_TEST

START_TEST(any_octets_are_messages_behind_a_syn)
{
	static const uint8_t strange[] = { 0, 0, 0, 1, 0xff, 0, 0,
					   0, 3, 1, 2, 3 };

	open_with_syn();
	stream_feed(DATA, strange, sizeof(strange), 0);
	ck_assert_uint_eq(stream.count, 4);
	ck_assert_uint_eq(stream.of[0].bytes, 0);
	ck_assert_uint_eq(stream.of[1].bytes, 1);
	ck_assert_uint_eq(stream.of[2].bytes, 0);
	ck_assert_mem_eq(stream.of[3].octets, "\1\2\3", 3);
	stream_close();
}
END_TEST

START_TEST(segments_may_begin_anywhere)
{
	size_t bytes = make_messages(2, 30);

	for (size_t at = 1; at < bytes; at++) {
		open_with_syn();
		stream_feed(DATA, frames, at, 0);
		stream_feed(DATA + at, frames + at, bytes - at, 0);
		expect_messages(2, 30);
		stream_close();
	}
	open_with_syn();
	for (size_t at = 0; at < bytes; at++)
		stream_feed(DATA + at, frames + at, 1, 0);
	expect_messages(2, 30);
	stream_close();
}
END_TEST

START_TEST(the_longest_message_comes_in_pieces)
{
	size_t bytes = make_messages(2, 65535);

	open_with_syn();
	for (size_t at = 0; at < bytes; at += 1400)
		stream_feed(DATA + at, frames + at,
			    bytes - at < 1400 ? bytes - at : 1400, 0);
	expect_messages(2, 65535);
	ck_assert_uint_eq(stream_counters().memory_bytes, 0);
	stream_close();
}
END_TEST

START_TEST(a_message_has_the_time_of_its_last_octet)
{
	size_t bytes = make_messages(2, 30);
	uint64_t begin_ns;

	open_with_syn();
	begin_ns = stream.now_ns;
	stream_feed(DATA + 40, frames + 40, bytes - 40, 0);
	stream_feed(DATA, frames, 20, 0);
	stream_feed(DATA + 20, frames + 20, 20, 0);
	expect_messages(2, 30);
	ck_assert_uint_eq(stream.of[0].time_ns - begin_ns, 3000000);
	ck_assert_uint_eq(stream.of[1].time_ns - begin_ns, 1000000);
	stream_close();
}
END_TEST

START_TEST(the_owner_is_the_latest_that_is_known)
{
	size_t bytes = make_messages(2, 30);
	struct packet packet;

	open_with_syn();
	packet = stream_packet(DATA, frames, bytes / 2, 0);
	packet.owner.pid = 7;
	stream_feed_packet(&packet);
	stream_feed((uint32_t)(DATA + bytes / 2), frames + bytes / 2,
		    bytes / 2, 0);
	expect_messages(2, 30);
	ck_assert_uint_eq(stream.of[0].pid, 7);
	ck_assert_uint_eq(stream.of[1].pid, 7);
	stream_close();
}
END_TEST

START_TEST(segments_come_in_any_order)
{
	size_t bytes = make_messages(4, 30);

	open_with_syn();
	for (size_t at = bytes; at > 0; at -= 8)
		stream_feed((uint32_t)(DATA + at - 8), frames + at - 8, 8, 0);
	expect_messages(4, 30);
	ck_assert_uint_eq(stream_counters().duplicate_octets, 0);
	ck_assert_uint_eq(stream_counters().gaps, 0);
	stream_close();
}
END_TEST

START_TEST(sequence_numbers_wrap)
{
	size_t bytes = make_messages(4, 30);

	for (uint32_t isn = UINT32_MAX - 140; isn != 3; isn++) {
		stream_open();
		stream_feed(isn, "", 0, PACKET_SYN);
		for (size_t at = 0; at < bytes; at += 16) {
			size_t swapped = at ^ 16;

			stream_feed((uint32_t)(isn + 1 + swapped),
				    frames + swapped, 16, 0);
		}
		expect_messages(4, 30);
		stream_close();
	}
}
END_TEST

START_TEST(what_comes_twice_is_handed_on_once)
{
	size_t bytes = make_messages(2, 30);

	open_with_syn();
	for (int i = 0; i < 3; i++) {
		stream_feed(DATA + 30, frames + 30, bytes - 30, 0);
		stream_feed(DATA, frames, 40, 0);
	}
	expect_messages(2, 30);
	ck_assert_uint_eq(stream_counters().duplicate_octets,
			  3 * (bytes + 10) - bytes);
	stream_close();
}
END_TEST

/* The octets at from, then those that count, up to, but without, to. */
static void
feed_part(size_t from, size_t good, size_t to)
{
	uint8_t part[64];

	memset(part, 0xff, sizeof(part));
	memcpy(part + good, frames + good, sizeof(part) - good);
	stream_feed((uint32_t)(DATA + from), part + from, to - from, 0);
}

START_TEST(what_was_taken_is_not_replaced)
{
	size_t bytes = make_messages(2, 30);
	uint8_t other[64];

	open_with_syn();
	stream_feed(DATA, frames, 40, 0);
	memset(other, 0xff, sizeof(other));
	memcpy(other + 40, frames + 40, bytes - 40);
	stream_feed(DATA, other, bytes, 0);
	expect_messages(2, 30);
	ck_assert_uint_eq(stream_counters().duplicate_octets, 40);
	stream_close();
}
END_TEST

START_TEST(the_segment_that_begins_first_counts)
{
	make_messages(2, 30);
	open_with_syn();
	feed_part(20, 25, 40);
	feed_part(35, 40, 45);
	feed_part(10, 12, 25);
	/* Of those that begin together, the longest. */
	feed_part(45, 50, 50);
	feed_part(45, 45, 64);
	feed_part(45, 55, 55);
	ck_assert_uint_eq(stream.count, 0);
	feed_part(0, 0, 12);
	expect_messages(2, 30);
	ck_assert_uint_eq(stream_counters().duplicate_octets,
			  20 + 10 + 15 + 5 + 19 + 10 + 12 - 64);
	stream_close();
}
END_TEST

START_TEST(a_stream_may_be_met_at_a_boundary)
{
	size_t bytes = make_messages(3, 40);

	stream_open();
	stream_feed(77, frames, bytes - 1, 0);
	stream_feed((uint32_t)(77 + bytes - 1), frames + bytes - 1, 1, 0);
	expect_messages(3, 40);
	ck_assert_uint_eq(stream_counters().skipped_octets, 0);
	stream_close();
}
END_TEST

/* At each octet of the first message, in segments of any length. */
START_TEST(a_stream_may_be_met_in_a_message)
{
	size_t bytes = make_messages(3, 40);

	for (size_t from = 1; from < 42; from++) {
		for (size_t step = 1; step <= bytes; step += 13) {
			stream_open();
			for (size_t at = from; at < bytes; at += step)
				stream_feed((uint32_t)at, frames + at,
					    bytes - at < step ? bytes - at :
								step,
					    0);
			ck_assert_uint_eq(stream.count, 2);
			stream_expect(0, 2, 40);
			stream_expect(1, 3, 40);
			ck_assert_uint_eq(stream_counters().skipped_octets,
					  42 - from);
			stream_close();
		}
	}
}
END_TEST

START_TEST(octets_that_look_like_no_message_are_skipped)
{
	static const char *const strange[] = {
		/* Too short; reserved bit; opcode; two questions. */
		"\0\13\0\1\1\0\0\1\0\0\0\0\0",
		"\0\21\0\1\1\100\0\1\0\0\0\0\0\0\0\0\6\0\1",
		"\0\21\0\1\11\0\0\1\0\0\0\0\0\0\0\0\6\0\1",
		"\0\26\0\1\1\0\0\2\0\0\0\0\0\0\0\0\6\0\1\0\0\6\0\1",
		/* A query with an answer; a class; a type; a long label. */
		"\0\34\0\1\1\0\0\1\0\1\0\0\0\0\0\0\6\0\1\0\0\6\0\1\0\0\0\0\0\0",
		"\0\21\0\1\1\0\0\1\0\0\0\0\0\0\0\0\6\0\2",
		"\0\21\0\1\1\0\0\1\0\0\0\0\0\0\0\0\0\0\1",
		"\0\22\0\1\1\0\0\1\0\0\0\0\0\0\101\0\0\6\0\1",
		/* More records than fit; nothing at all in a response. */
		"\0\21\0\1\1\0\0\1\0\0\0\1\0\0\0\0\6\0\1",
		"\0\14\0\1\200\0\0\0\0\0\0\0\0\0",
	};
	static const size_t bytes[] = { 13, 19, 19, 24, 30,
					19, 19, 20, 19, 14 };

	make_messages(1, 40);
	for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
		stream_open();
		stream_feed(5, strange[i], bytes[i], 0);
		stream_feed((uint32_t)(5 + bytes[i]), frames, 42, 0);
		expect_messages(1, 40);
		ck_assert_uint_eq(stream_counters().skipped_octets, bytes[i]);
		stream_close();
	}
}
END_TEST

START_TEST(messages_of_all_kinds_are_found)
{
	static const char *const found[] = {
		/* A transfer's record, and OPT, without a question. */
		"\0\27\0\1\204\0\0\0\0\1\0\0\0\0\0\0\6\0\1\0\0\0\0\0\0",
		"\0\27\0\1\200\1\0\0\0\0\0\0\0\1\0\0\51\4\320\0\0\0\0\0\0",
		/* A format error, bare; an update; a notice. */
		"\0\14\0\1\200\1\0\0\0\0\0\0\0\0",
		"\0\21\0\1\50\0\0\1\0\0\0\0\0\0\0\0\6\0\1",
		"\0\21\0\1\44\0\0\1\0\0\0\0\0\0\0\0\6\0\1",
	};
	static const size_t bytes[] = { 25, 25, 14, 19, 19 };

	for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
		stream_open();
		stream_feed(5, found[i], bytes[i], 0);
		ck_assert_uint_eq(stream.count, 1);
		ck_assert_uint_eq(stream.of[0].bytes, bytes[i] - 2);
		stream_close();
	}
}
END_TEST

START_TEST(a_hole_is_given_up_after_a_second)
{
	size_t bytes = make_messages(4, 40);
	uint64_t then_ns;

	open_with_syn();
	stream_feed(DATA + 100, frames + 100, bytes - 100, 0);
	then_ns = stream.now_ns;
	tcp_table_expire(stream.table, then_ns + STREAM_SECOND - 1);
	ck_assert_uint_eq(stream.count, 0);
	tcp_table_expire(stream.table, then_ns + STREAM_SECOND);
	ck_assert_uint_eq(stream.count, 1);
	stream_expect(0, 4, 40);
	ck_assert_uint_eq(stream.of[0].time_ns, then_ns);
	ck_assert_uint_eq(stream_counters().gaps, 1);
	/* What comes after that is too late. */
	stream_feed(DATA, frames, 100, 0);
	ck_assert_uint_eq(stream.count, 1);
	ck_assert_uint_eq(stream_counters().duplicate_octets, 100);
	stream_close();
}
END_TEST

START_TEST(at_the_end_no_hole_is_waited_for)
{
	size_t bytes = make_messages(3, 40);

	open_with_syn();
	stream_feed(DATA + 42, frames + 42, 42, 0);
	feed_socket(2, ISN, "", 0, PACKET_SYN);
	feed_socket(2, (uint32_t)(DATA + bytes - 42), frames + bytes - 42, 42,
		    0);
	tcp_table_flush(stream.table);
	ck_assert_uint_eq(stream.count, 2);
	stream_expect(0, 2, 40);
	stream_expect(1, 3, 40);
	ck_assert_uint_eq(stream_counters().gaps, 2);
	/* Nobody was silent for long. */
	ck_assert_uint_eq(stream_counters().expired, 0);
	ck_assert_uint_eq(stream_counters().streams, 2);
	stream_close();
}
END_TEST

START_TEST(any_later_packet_ends_the_wait)
{
	size_t bytes = make_messages(2, 40);
	struct packet packet;

	open_with_syn();
	stream_feed(DATA + 42, frames + 42, bytes - 42, 0);
	packet = stream_packet(9, "", 0, PACKET_SYN);
	packet.time_ns += STREAM_SECOND;
	packet.socket = 2;
	stream_feed_packet(&packet);
	ck_assert_uint_eq(stream.count, 1);
	stream_expect(0, 2, 40);
	stream_close();
}
END_TEST

START_TEST(what_is_held_later_does_not_prolong_the_wait)
{
	make_messages(12, 40);
	open_with_syn();
	for (size_t at = 42; at < 11 * 42; at += 42) {
		stream.now_ns += STREAM_SECOND / 10;
		stream_feed((uint32_t)(DATA + at), frames + at, 42, 0);
		ck_assert_uint_eq(stream.count, 0);
	}
	stream.now_ns += STREAM_SECOND / 10;
	stream_feed(DATA + 11 * 42, frames + 11 * 42, 42, 0);
	ck_assert_uint_eq(stream.count, 11);
	stream_expect(0, 2, 40);
	stream_close();
}
END_TEST

/* And the rest of the stream is as certain as before: empty messages do not
 * look like any. */
START_TEST(a_hole_in_a_message_costs_this_message_alone)
{
	size_t bytes = make_messages(1, 1000);

	memset(frames + bytes, 0, 4);
	bytes += 4;
	for (size_t at = 2; at < 1002; at += 50) {
		open_with_syn();
		stream_feed(DATA, frames, at, 0);
		stream_feed((uint32_t)(DATA + at + 50), frames + at + 50,
			    bytes - at - 50, 0);
		tcp_table_expire(stream.table, stream.now_ns + STREAM_SECOND);
		ck_assert_uint_eq(stream.count, 2);
		ck_assert_uint_eq(stream.of[0].bytes, 0);
		ck_assert_uint_eq(stream.of[1].bytes, 0);
		ck_assert_uint_eq(stream_counters().gaps, 1);
		ck_assert_uint_eq(stream_counters().skipped_octets, 1002 - 50);
		stream_close();
	}
}
END_TEST

START_TEST(a_hole_is_given_up_when_too_much_is_behind_it)
{
	size_t bytes = make_messages(4, 65535);

	open_with_syn();
	for (size_t at = 1000; at < bytes; at += 1000)
		stream_feed((uint32_t)(DATA + at), frames + at,
			    bytes - at < 1000 ? bytes - at : 1000, 0);
	ck_assert_uint_eq(stream.count, 3);
	stream_expect(0, 2, 65535);
	stream_expect(2, 4, 65535);
	stream_close();
	/* Many small ones are too much, as well. */
	open_with_syn();
	for (uint32_t i = 1; i <= 600; i++)
		stream_feed(DATA + i * 3, "\0", 1, 0);
	ck_assert_uint_ge(stream_counters().gaps, 600 - 512);
	stream_close();
}
END_TEST

START_TEST(a_fin_ends_the_stream_once_all_is_there)
{
	size_t bytes = make_messages(2, 40);

	open_with_syn();
	stream_feed(DATA + 42, frames + 42, bytes - 42, PACKET_FIN);
	stream_feed(DATA, frames, 42, 0);
	expect_messages(2, 40);
	/* Retransmissions are still known for what they are. */
	stream_feed(DATA, frames, bytes, PACKET_FIN);
	stream_feed((uint32_t)(DATA + bytes), "", 0, PACKET_FIN);
	expect_messages(2, 40);
	ck_assert_uint_eq(stream_counters().duplicate_octets, bytes);
	/* A connection whose SYN was not seen has other numbers. */
	stream_feed((uint32_t)(DATA + bytes + 9000), frames, bytes, 0);
	ck_assert_uint_eq(stream.count, 4);
	stream_close();
}
END_TEST

START_TEST(an_unfinished_message_ends_with_its_stream)
{
	make_messages(1, 40);
	open_with_syn();
	stream_feed(DATA, frames, 30, PACKET_FIN);
	ck_assert_uint_eq(stream_counters().skipped_octets, 30);
	ck_assert_uint_eq(stream_counters().memory_bytes, 0);
	stream_close();
	/* With a hole that nobody fills, it waits for a second. */
	open_with_syn();
	stream_feed(DATA, frames, 30, 0);
	stream_feed(DATA + 42, "", 0, PACKET_FIN);
	ck_assert_uint_eq(stream_counters().held_octets, 30);
	tcp_table_expire(stream.table, stream.now_ns + STREAM_SECOND);
	ck_assert_uint_eq(stream_counters().skipped_octets, 30);
	ck_assert_uint_eq(stream_counters().memory_bytes, 0);
	stream_close();
}
END_TEST

START_TEST(an_rst_has_to_be_at_its_place)
{
	size_t bytes = make_messages(2, 40);

	open_with_syn();
	stream_feed(DATA, frames, 30, 0);
	stream_feed(DATA - 1, "", 0, PACKET_RST);
	stream_feed(DATA + 200, "", 0, PACKET_RST);
	stream_feed(DATA + 30, frames + 30, bytes - 30, 0);
	expect_messages(2, 40);
	stream_feed((uint32_t)(DATA + bytes), frames, 10, 0);
	ck_assert_uint_eq(stream_counters().held_octets, 10);
	stream_feed((uint32_t)(DATA + bytes + 10), "bye", 3, PACKET_RST);
	ck_assert_uint_eq(stream_counters().held_octets, 0);
	ck_assert_uint_eq(stream_counters().skipped_octets, 13);
	stream_close();
}
END_TEST

START_TEST(a_syn_begins_a_new_stream)
{
	size_t bytes = make_messages(2, 40);

	open_with_syn();
	stream_feed(DATA, frames, 30, 0);
	/* The same, once more, does not. */
	stream_feed(ISN, "", 0, PACKET_SYN);
	ck_assert_uint_eq(stream_counters().held_octets, 30);
	stream_feed(ISN - 500, "", 0, PACKET_SYN);
	ck_assert_uint_eq(stream_counters().skipped_octets, 30);
	stream_feed(DATA - 500, frames, bytes, 0);
	expect_messages(2, 40);
	/* And it may bring data with it (RFC 7413). */
	stream_feed(7000, frames, 42, PACKET_SYN);
	stream_feed(7043, frames + 42, 42, 0);
	ck_assert_uint_eq(stream.count, 4);
	stream_close();
}
END_TEST

/* A SYN that its receiver ignores must not blind us for good. */
START_TEST(a_forged_syn_does_no_lasting_harm)
{
	size_t bytes = make_messages(4, 40);

	open_with_syn();
	stream_feed(DATA, frames, 42, 0);
	stream_feed(ISN + 5000, "", 0, PACKET_SYN);
	stream_feed(DATA + 42, frames + 42, 42, 0);
	expect_messages(2, 40);
	stream_feed(ISN - 5000, "", 0, PACKET_SYN);
	stream_feed(DATA + 84, frames + 84, bytes - 84, 0);
	tcp_table_expire(stream.table, stream.now_ns + STREAM_SECOND);
	expect_messages(4, 40);
	stream_close();
}
END_TEST

START_TEST(a_probe_is_not_a_stranger)
{
	make_messages(1, 40);
	open_with_syn();
	stream_feed(DATA - 1, "x", 1, 0);
	stream_feed(DATA, frames, 30, 0);
	stream_feed(DATA - 1, "x", 1, 0);
	stream_feed(DATA + 30, frames + 30, 12, 0);
	expect_messages(1, 40);
	stream_close();
}
END_TEST

START_TEST(plaintext_comes_in_order_and_is_judged)
{
	size_t bytes = make_messages(3, 40);
	struct packet packet;

	stream_open();
	for (size_t at = 0; at < bytes; at += 7) {
		/* Octets 21 to 41 are lost on the way. */
		if (at >= 21 && at < 42)
			continue;
		packet = stream_packet(12345, frames + at, 7, 0);
		packet.protocol = PACKET_TLS;
		stream_feed_packet(&packet);
	}
	/* The first one swallows the second: nobody can know better. */
	ck_assert_uint_eq(stream.count, 2);
	stream_expect(1, 3, 40);
	ck_assert_uint_eq(stream_counters().gaps, 1);
	stream_close();
}
END_TEST

START_TEST(streams_do_not_mix)
{
	size_t bytes = make_messages(1, 40);
	struct packet packet;

	stream_open();
	for (size_t at = 0; at < bytes; at += 21) {
		for (unsigned int i = 0; i < 8; i++) {
			packet = stream_packet((uint32_t)(i * 1000 + at),
					       frames + at, 21, 0);
			packet.socket = i / 4;
			packet.direction = i % 2;
			packet.protocol = i / 2 % 2 == 0 ? PACKET_TCP :
							   PACKET_TLS;
			stream_feed_packet(&packet);
		}
	}
	ck_assert_uint_eq(stream.count, 8);
	for (unsigned int i = 0; i < 8; i++) {
		stream_expect(i, 1, 40);
		ck_assert_uint_eq(stream.of[i].socket, i / 4);
	}
	stream_close();
}
END_TEST

START_TEST(limits_that_hold_no_message_are_refused)
{
	static const struct tcp_limits refused[] = {
		{ 0, STREAM_LEAST, STREAM_LEAST, 1 },
		{ 1, STREAM_LEAST - 1, STREAM_LEAST, 1 },
		{ 1, STREAM_LEAST, STREAM_LEAST - 1, 1 },
	};
	struct tcp_limits smallest = { 1, STREAM_LEAST, STREAM_LEAST, 1 };
	size_t bytes = make_messages(2, 65535);

	for (int i = 0; i < 3; i++)
		ck_assert_ptr_null(
			tcp_table_new(&refused[i], stream_catch, &stream));
	stream_open_with(&smallest);
	stream_feed(ISN, "", 0, PACKET_SYN);
	for (size_t at = 0; at < bytes; at += 500)
		stream_feed((uint32_t)(DATA + at), frames + at,
			    bytes - at < 500 ? bytes - at : 500, 0);
	expect_messages(2, 65535);
	stream_close();
}
END_TEST

START_TEST(the_stream_used_least_recently_makes_room)
{
	struct tcp_limits limits = { 3, STREAM_LEAST, STREAM_LEAST,
				     60 * STREAM_SECOND };

	make_messages(1, 40);
	stream_open_with(&limits);
	for (uint64_t socket = 1; socket <= 3; socket++)
		feed_socket(socket, 0, frames, 20, 0);
	feed_socket(1, 20, frames + 20, 10, 0);
	feed_socket(4, 0, frames, 20, 0);
	ck_assert_uint_eq(stream_counters().evicted, 1);
	ck_assert_uint_eq(stream_counters().skipped_octets, 20);
	for (uint64_t socket = 4; socket >= 3; socket--)
		feed_socket(socket, 20, frames + 20, 22, 0);
	feed_socket(1, 30, frames + 30, 12, 0);
	ck_assert_uint_eq(stream.count, 3);
	ck_assert_uint_eq(stream_counters().streams, 3);
	/* One that has ended goes first, and does not count. */
	feed_socket(4, 42, "", 0, PACKET_FIN);
	feed_socket(5, 0, frames, 20, 0);
	ck_assert_uint_eq(stream_counters().evicted, 1);
	ck_assert_uint_eq(stream_counters().streams, 3);
	stream_close();
}
END_TEST

START_TEST(only_streams_that_hold_octets_make_room_for_octets)
{
	struct tcp_limits limits = { 16, STREAM_LEAST, STREAM_LEAST,
				     60 * STREAM_SECOND };
	size_t bytes = make_messages(1, 65535);

	stream_open_with(&limits);
	feed_socket(1, ISN, "", 0, PACKET_SYN);
	for (uint64_t socket = 2; socket <= 6; socket++) {
		feed_socket(socket, ISN, "", 0, PACKET_SYN);
		feed_socket(socket, DATA, frames, bytes / 2, 0);
		ck_assert_uint_le(stream_counters().memory_bytes,
				  limits.total_bytes);
	}
	ck_assert_uint_ge(stream_counters().evicted, 3);
	feed_socket(6, (uint32_t)(DATA + bytes / 2), frames + bytes / 2,
		    bytes - bytes / 2, 0);
	expect_messages(1, 65535);
	/* The first is still known: an empty message is one there. */
	feed_socket(1, DATA, "\0", 2, 0);
	ck_assert_uint_eq(stream.count, 2);
	stream_close();
}
END_TEST

START_TEST(silent_streams_are_forgotten)
{
	size_t bytes = make_messages(2, 40);

	open_with_syn();
	feed_socket(2, ISN, "", 0, PACKET_SYN | PACKET_FIN);
	stream_feed(DATA + 42, frames + 42, bytes - 42, 0);
	tcp_table_expire(stream.table, stream.now_ns + 59 * STREAM_SECOND);
	ck_assert_uint_eq(stream_counters().expired, 0);
	tcp_table_expire(stream.table, stream.now_ns + 60 * STREAM_SECOND);
	ck_assert_uint_eq(stream_counters().expired, 1);
	ck_assert_uint_eq(stream_counters().streams, 0);
	ck_assert_uint_eq(stream.count, 1);
	stream_expect(0, 2, 40);
	stream_close();
}
END_TEST

START_TEST(what_begins_no_stream_is_counted)
{
	stream_open();
	stream_feed(5, "", 0, PACKET_FIN);
	stream_feed(5, "", 0, PACKET_RST);
	ck_assert_uint_eq(stream_counters().streams, 0);
	ck_assert_uint_eq(stream_counters().segments, 2);
	stream_close();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("sidecar tcp");

	support_add(suite, messages_in_one_segment_come_out_in_order);
	support_add(suite, any_octets_are_messages_behind_a_syn);
	support_add(suite, segments_may_begin_anywhere);
	support_add(suite, the_longest_message_comes_in_pieces);
	support_add(suite, a_message_has_the_time_of_its_last_octet);
	support_add(suite, the_owner_is_the_latest_that_is_known);
	support_add(suite, segments_come_in_any_order);
	support_add(suite, sequence_numbers_wrap);
	support_add(suite, what_comes_twice_is_handed_on_once);
	support_add(suite, what_was_taken_is_not_replaced);
	support_add(suite, the_segment_that_begins_first_counts);
	support_add(suite, a_stream_may_be_met_at_a_boundary);
	support_add(suite, a_stream_may_be_met_in_a_message);
	support_add(suite, octets_that_look_like_no_message_are_skipped);
	support_add(suite, messages_of_all_kinds_are_found);
	support_add(suite, a_hole_is_given_up_after_a_second);
	support_add(suite, at_the_end_no_hole_is_waited_for);
	support_add(suite, any_later_packet_ends_the_wait);
	support_add(suite, what_is_held_later_does_not_prolong_the_wait);
	support_add(suite, a_hole_in_a_message_costs_this_message_alone);
	support_add(suite, a_hole_is_given_up_when_too_much_is_behind_it);
	support_add(suite, a_fin_ends_the_stream_once_all_is_there);
	support_add(suite, an_unfinished_message_ends_with_its_stream);
	support_add(suite, an_rst_has_to_be_at_its_place);
	support_add(suite, a_syn_begins_a_new_stream);
	support_add(suite, a_forged_syn_does_no_lasting_harm);
	support_add(suite, a_probe_is_not_a_stranger);
	support_add(suite, plaintext_comes_in_order_and_is_judged);
	support_add(suite, streams_do_not_mix);
	support_add(suite, limits_that_hold_no_message_are_refused);
	support_add(suite, the_stream_used_least_recently_makes_room);
	support_add(suite, only_streams_that_hold_octets_make_room_for_octets);
	support_add(suite, silent_streams_are_forgotten);
	support_add(suite, what_begins_no_stream_is_counted);
	return support_run(suite);
}
