// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * capture.bpf.c: looks at each packet of the sockets of a cgroup, as it
 * enters or leaves a socket. Every packet passes: the verdict is always 1.
 *
 * At this place IP has put fragments together, or not yet made them, so that
 * a datagram is seen whole. Only addresses and ports are looked at here; what
 * is in a message is for the program outside.
 */
#include <stdbool.h>
#include <stddef.h>

#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "sidecar/owner.bpf.h"
#include "sidecar/record.bpf.h"
#include "sidecar/record.h"
#include "sidecar/tls.bpf.h"

#define PASS 1

#define UDP_BYTES 8
#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define EXTENSIONS_MAX 8

static __always_inline void
copy_addresses(struct record *head, const void *from, const void *to,
	       size_t bytes)
{
	bool sent = head->direction == SENT;

	__builtin_memcpy(head->local, sent ? from : to, bytes);
	__builtin_memcpy(head->remote, sent ? to : from, bytes);
}

/* Steps over what may stand between IPv6 and UDP or TCP (RFC 8200 section
 * 4); false for a fragment and for what is unknown. */
static __always_inline bool
skip_extensions(struct __sk_buff *skb, __u32 *at, __u8 *next)
{
	for (int i = 0; i < EXTENSIONS_MAX; i++) {
		__u8 header[2];

		if (*next == IPPROTO_UDP || *next == IPPROTO_TCP)
			return true;
		if (*next != IPPROTO_HOPOPTS && *next != IPPROTO_ROUTING &&
		    *next != IPPROTO_DSTOPTS)
			return false;
		if (bpf_skb_load_bytes(skb, *at, header, sizeof(header)) != 0)
			return false;
		*next = header[0];
		*at += (header[1] + 1) * 8;
	}
	return *next == IPPROTO_UDP || *next == IPPROTO_TCP;
}

/* A short look at what most packets of a host are: somebody else's. True if
 * the packet is; whatever is not plain is left to read_ip(). */
static __always_inline bool
is_foreign(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data;
	void *end = (void *)(long)skb->data_end;
	struct ipv6hdr *ip6 = data;
	struct iphdr *ip = data;
	__be16 *ports = (void *)(ip + 1);
	__u8 protocol;

	if ((void *)(ports + 2) > end)
		return false;
	if (ip->version == 4 && ip->ihl == 5) {
		protocol = ip->protocol;
	} else if (ip->version == 6) {
		ports = (void *)(ip6 + 1);
		if ((void *)(ports + 2) > end)
			return false;
		protocol = ip6->nexthdr;
	} else {
		return false;
	}
	return (protocol == IPPROTO_UDP || protocol == IPPROTO_TCP) &&
	       !owner_port_wanted(bpf_ntohs(ports[0])) &&
	       !owner_port_wanted(bpf_ntohs(ports[1]));
}

/* Fills in the addresses, and finds where UDP or TCP begins. */
static __always_inline bool
read_ip(struct walk *walk, __u8 *protocol)
{
	struct __sk_buff *skb = walk->skb;
	void *data = (void *)(long)skb->data;
	void *end = (void *)(long)skb->data_end;
	struct ipv6hdr *ip6 = data;
	struct iphdr *ip = data;

	if (data + sizeof(*ip) > end)
		return false;
	if (ip->version == 4) {
		/* Only a raw socket sends fragments through here. */
		if ((ip->frag_off & bpf_htons(0x3fff)) != 0)
			return false;
		walk->head.ip_version = 4;
		copy_addresses(&walk->head, &ip->saddr, &ip->daddr, 4);
		*protocol = ip->protocol;
		walk->at = ip->ihl * 4;
		return ip->protocol == IPPROTO_UDP ||
		       ip->protocol == IPPROTO_TCP;
	}
	if (data + sizeof(*ip6) > end || ip->version != 6)
		return false;
	walk->head.ip_version = 6;
	copy_addresses(&walk->head, &ip6->saddr, &ip6->daddr, 16);
	*protocol = ip6->nexthdr;
	walk->at = sizeof(*ip6);
	return skip_extensions(skb, &walk->at, protocol);
}

/* The first eight octets of UDP, and of TCP. */
struct transport {
	__be16 source;
	__be16 destination;
	union {
		__be32 sequence;
		__be16 udp_bytes;
	};
};

static __always_inline bool
read_ports(struct walk *walk, const struct transport *transport)
{
	__u16 from = bpf_ntohs(transport->source);
	__u16 to = bpf_ntohs(transport->destination);
	bool sent = walk->head.direction == SENT;

	walk->head.local_port = sent ? from : to;
	walk->head.remote_port = sent ? to : from;
	return owner_port_wanted(from) || owner_port_wanted(to);
}

/* Of a datagram: its payload, or several, each with a header to come. */
static __always_inline bool
read_udp(struct walk *walk, const struct transport *transport)
{
	__u32 bytes = bpf_ntohs(transport->udp_bytes);
	__u32 there = walk->skb->len - walk->at;

	walk->head.protocol = UDP;
	if (bytes < UDP_BYTES || bytes > there)
		return false;
	walk->at += UDP_BYTES;
	walk->left = bytes - UDP_BYTES;
	walk->piece = walk->skb->gso_size;
	if (walk->piece == 0)
		walk->piece = RECORD_PAYLOAD_MAX;
	return true;
}

static __always_inline bool
read_tcp(struct walk *walk, const struct transport *transport)
{
	__u32 there = walk->skb->len - walk->at;
	__u8 octets[2] = { 0, 0 }; /* the header's length; the flags */
	__u32 header_bytes;

	walk->head.protocol = TCP;
	if (bpf_skb_load_bytes(walk->skb, walk->at + 12, octets,
			       sizeof(octets)) != 0)
		return false;
	header_bytes = (octets[0] >> 4) * 4;
	if (header_bytes < 20 || header_bytes > there)
		return false;
	walk->at += header_bytes;
	walk->left = there - header_bytes;
	walk->piece = RECORD_PAYLOAD_MAX;
	walk->head.tcp_sequence = bpf_ntohl(transport->sequence);
	walk->head.tcp_flags = octets[1] & TCP_SYN;
	walk->final_flags = octets[1] & (TCP_FIN | TCP_RST);
	return true;
}

/* With data in its SYN (RFC 7413), a segment is two: the SYN comes first. */
static __always_inline void
record_tcp(struct walk *walk)
{
	__u32 left = walk->left;
	__u32 final_flags = walk->final_flags;

	if (left == 0 && walk->head.tcp_flags == 0 && final_flags == 0)
		return;
	if (left != 0 && walk->head.tcp_flags != 0) {
		walk->left = 0;
		walk->final_flags = 0;
		record_piece(walk);
		walk->left = left;
		walk->final_flags = final_flags;
		walk->head.tcp_sequence++;
	}
	record_packet(walk);
}

/* Notes the owner; false when the packet is not of a wanted process. */
static __always_inline bool
read_owner(struct walk *walk)
{
	struct owner_state *state = NULL;
	struct bpf_sock *sk = walk->skb->sk;

	if (sk != NULL)
		sk = bpf_sk_fullsock(sk);
	if (sk != NULL) {
		/* Raw sockets see what is another socket's. */
		if (walk->head.protocol == UDP &&
		    sk->protocol != IPPROTO_UDP)
			return false;
		state = bpf_sk_storage_get(&sockets, sk, NULL,
					   BPF_SK_STORAGE_GET_F_CREATE);
	}
	if (state == NULL)
		return wanted_pid == 0;
	if (walk->head.protocol == TCP && walk->head.direction == SENT &&
	    walk->left > 0)
		owner_sends(state, owner_kernel_sock(sk));
	if (state->owner.netns == 0)
		state->owner.netns = owner_netns(owner_kernel_sock(sk));
	walk->head.owner = state->owner;
	return wanted_pid == 0 || state->owner.pid == wanted_pid;
}

static __always_inline int
look(struct __sk_buff *skb, __u8 direction)
{
	struct walk walk = { .skb = skb, .head.direction = direction };
	struct transport transport;
	__u8 protocol;

	if (!read_ip(&walk, &protocol) ||
	    bpf_skb_load_bytes(skb, walk.at, &transport,
			       sizeof(transport)) != 0 ||
	    !read_ports(&walk, &transport)) {
		COUNT(foreign);
		return PASS;
	}
	if (protocol == IPPROTO_UDP ? !read_udp(&walk, &transport) :
				      !read_tcp(&walk, &transport)) {
		COUNT(lost_short);
		return PASS;
	}
	walk.head.time_ns = bpf_ktime_get_ns();
	if (!read_owner(&walk)) {
		COUNT(foreign);
		return PASS;
	}
	walk.head.cookie = bpf_get_socket_cookie(skb);
	if (protocol == IPPROTO_UDP)
		record_packet(&walk);
	else
		record_tcp(&walk);
	return PASS;
}

static __always_inline int
pass(struct __sk_buff *skb, __u8 direction)
{
	if (!is_foreign(skb))
		return look(skb, direction);
	COUNT(foreign);
	return PASS;
}

SEC("cgroup_skb/ingress")
int
capture_received(struct __sk_buff *skb)
{
	return pass(skb, RECEIVED);
}

SEC("cgroup_skb/egress")
int
capture_sent(struct __sk_buff *skb)
{
	return pass(skb, SENT);
}

char capture_license[] SEC("license") = "Dual BSD/GPL";
