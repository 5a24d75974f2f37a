/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packet_filter.c: a filter for frames. The index register holds how long the
 * IP header is; from the place "ports" on both versions of IP are the same:
 *
 *	by the protocol of the link: ip4, ip6, or no
 *	ip4:   no fragment but the first; UDP or TCP; X = length of the header
 *	ip6:   an extension header: yes; UDP or TCP; X = 40
 *	ports: source or destination is one of them: yes
 *	no:    return 0
 *	yes:   return all
 */
#include "sidecar/packet_filter.h"

#include <linux/if_ether.h>
#include <netinet/in.h>

#define NEVER 0

/* Where a jump leads before all places are known. */
enum { NEXT = 0, NO = 253, YES = 254, PORTS = 252 };

static const struct sock_filter filter_ip[] = {
	BPF_STMT(BPF_LD | BPF_H | BPF_ABS, SKF_AD_OFF + SKF_AD_PROTOCOL),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IPV6, 8, NEXT),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, NEXT, NO),
	/* IPv4 */
	BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6),
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1fff, NO, NEXT),
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
	BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, PORTS, NEXT),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, PORTS, NO),
	BPF_STMT(BPF_RET | BPF_K, NEVER),
	/* IPv6 */
	BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, 40),
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 6),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, PORTS, NEXT),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, PORTS, NEXT),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_HOPOPTS, YES, NEXT),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ROUTING, YES, NEXT),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_FRAGMENT, YES, NEXT),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_DSTOPTS, YES, NO),
};

#define FILTER_IP (sizeof(filter_ip) / sizeof(filter_ip[0]))

static size_t
compare_port(struct sock_filter *program, uint32_t offset,
	     const uint16_t *ports, size_t ports_count)
{
	size_t count = 0;

	program[count++] = (struct sock_filter)BPF_STMT(
		BPF_LD | BPF_H | BPF_IND, offset);
	for (size_t i = 0; i < ports_count; i++)
		program[count++] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, ports[i], YES, NEXT);
	return count;
}

/* Jumps count from the instruction that follows. */
static uint8_t
resolve(uint8_t jump, size_t here, size_t count)
{
	switch (jump) {
	case PORTS:
		return (uint8_t)(FILTER_IP - here - 1);
	case NO:
		return (uint8_t)(count - 2 - here - 1);
	case YES:
		return (uint8_t)(count - 1 - here - 1);
	default:
		return jump;
	}
}

size_t
packet_filter_write(const uint16_t *ports, size_t ports_count,
		    struct sock_filter program[PACKET_FILTER_MAX])
{
	size_t count = 0;

	for (; count < FILTER_IP; count++)
		program[count] = filter_ip[count];
	count += compare_port(program + count, 0, ports, ports_count);
	count += compare_port(program + count, 2, ports, ports_count);
	program[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
	program[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
							UINT32_MAX);
	for (size_t i = 0; i < count; i++) {
		if (BPF_CLASS(program[i].code) != BPF_JMP)
			continue;
		program[i].jt = resolve(program[i].jt, i, count);
		program[i].jf = resolve(program[i].jf, i, count);
	}
	return count;
}
