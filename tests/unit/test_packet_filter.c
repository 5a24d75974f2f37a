/* SPDX-License-Identifier: Apache-2.0 */
#include "sidecar/packet_filter.h"

#include <linux/if_ether.h>
#include <stdbool.h>
#include <string.h>

#include "support/support.h"

static struct sock_filter program[PACKET_FILTER_MAX];
static size_t program_length;
static uint8_t frame[64];

/* What an instruction loads; -1 when that is beyond the frame. */
static int64_t
load(const struct sock_filter *step, uint32_t index, unsigned link)
{
	size_t at = step->k;
	size_t bytes = BPF_SIZE(step->code) == BPF_H ? 2 : 1;

	if (step->k == (uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL))
		return link;
	if (BPF_MODE(step->code) == BPF_IND)
		at += index;
	if (at + bytes > sizeof(frame))
		return -1;
	return bytes == 2 ? frame[at] << 8 | frame[at + 1] : frame[at];
}

/* What a kernel does with the few instructions that are used. */
static bool
passes(unsigned link)
{
	uint32_t accumulator = 0;
	uint32_t index = 0;
	int64_t loaded;

	for (size_t at = 0; at < program_length; at++) {
		const struct sock_filter *step = &program[at];

		switch (BPF_CLASS(step->code)) {
		case BPF_LD:
			loaded = load(step, index, link);
			if (loaded < 0)
				return false;
			accumulator = (uint32_t)loaded;
			break;
		case BPF_LDX:
			if (BPF_MODE(step->code) == BPF_MSH)
				index = (frame[step->k] & 0x0fu) * 4;
			else
				index = step->k;
			break;
		case BPF_JMP:
			if (BPF_OP(step->code) == BPF_JEQ ?
				    accumulator == step->k :
				    (accumulator & step->k) != 0)
				at += step->jt;
			else
				at += step->jf;
			break;
		case BPF_RET:
			return step->k != 0;
		default:
			ck_abort_msg("instruction %#x", step->code);
		}
	}
	ck_abort_msg("the program has no end");
}

static void
put16(size_t at, unsigned value)
{
	frame[at] = (uint8_t)(value >> 8);
	frame[at + 1] = (uint8_t)value;
}

static void
write_filter(void)
{
	static const uint16_t ports[] = { 53, 5353, 8, 7, 6, 5, 4, 50000 };

	program_length = packet_filter_write(ports, 8, program);
	ck_assert_uint_le(program_length, PACKET_FILTER_MAX);
}

static bool
passes_ip4(uint8_t header_bytes, uint8_t protocol, unsigned from, unsigned to)
{
	memset(frame, 0, sizeof(frame));
	frame[0] = (uint8_t)(0x40 | header_bytes / 4);
	frame[9] = protocol;
	put16(header_bytes, from);
	put16(header_bytes + 2u, to);
	return passes(ETH_P_IP);
}

static bool
passes_ip6(uint8_t next, unsigned from, unsigned to)
{
	memset(frame, 0, sizeof(frame));
	frame[0] = 0x60;
	frame[6] = next;
	put16(40, from);
	put16(42, to);
	return passes(ETH_P_IPV6);
}

START_TEST(wanted_ports_pass)
{
	write_filter();
	ck_assert(passes_ip4(20, 17, 53, 9));
	ck_assert(passes_ip4(20, 17, 9, 53));
	ck_assert(passes_ip4(20, 6, 9, 5353));
	ck_assert(passes_ip4(24, 17, 50000, 9));
	ck_assert(passes_ip4(60, 17, 9, 50000));
	ck_assert(passes_ip6(17, 53, 9));
	ck_assert(passes_ip6(17, 9, 50000));
	ck_assert(passes_ip6(6, 4, 9));
}
END_TEST

START_TEST(all_else_does_not)
{
	write_filter();
	ck_assert(!passes_ip4(20, 17, 9, 10));
	ck_assert(!passes_ip4(20, 1, 53, 53));
	ck_assert(!passes_ip6(17, 9, 10));
	ck_assert(!passes_ip6(58, 53, 53));
	memset(frame, 0, sizeof(frame));
	ck_assert(!passes(ETH_P_ARP));
	ck_assert(!passes(ETH_P_8021Q));
}
END_TEST

START_TEST(of_fragments_the_first_passes)
{
	write_filter();
	ck_assert(passes_ip4(20, 17, 53, 9));
	put16(6, 0x2000);
	ck_assert(passes(ETH_P_IP));
	put16(6, 0x2001);
	ck_assert(!passes(ETH_P_IP));
	put16(6, 0x4000);
	ck_assert(passes(ETH_P_IP));
}
END_TEST

START_TEST(extension_headers_pass_for_others_to_look_at)
{
	write_filter();
	ck_assert(passes_ip6(0, 9, 9));
	ck_assert(passes_ip6(43, 9, 9));
	ck_assert(passes_ip6(44, 9, 9));
	ck_assert(passes_ip6(60, 9, 9));
}
END_TEST

START_TEST(one_port_is_enough)
{
	static const uint16_t port = 53;

	program_length = packet_filter_write(&port, 1, program);
	ck_assert(passes_ip4(20, 17, 9, 53));
	ck_assert(!passes_ip4(20, 17, 9, 5353));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("packet_filter");

	support_add(suite, wanted_ports_pass);
	support_add(suite, all_else_does_not);
	support_add(suite, of_fragments_the_first_passes);
	support_add(suite, extension_headers_pass_for_others_to_look_at);
	support_add(suite, one_port_is_enough);
	return support_run(suite);
}
