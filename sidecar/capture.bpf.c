// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * capture.bpf.c: looks at each packet of the sockets of a cgroup, as it
 * enters or leaves a socket. Every packet passes: the verdict is always 1.
 */
#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "sidecar/record.h"

#define PASS 1

const volatile __u16 ports[RECORD_PORTS_MAX];

struct record_counters counters[RECORD_CPUS_MAX];

static __always_inline struct record_counters *
counters_here(void)
{
	return &counters[bpf_get_smp_processor_id() & (RECORD_CPUS_MAX - 1)];
}

SEC("cgroup_skb/ingress")
int
capture_received(struct __sk_buff *skb)
{
	(void)skb;
	__sync_fetch_and_add(&counters_here()->foreign, 1);
	return PASS;
}

SEC("cgroup_skb/egress")
int
capture_sent(struct __sk_buff *skb)
{
	(void)skb;
	__sync_fetch_and_add(&counters_here()->foreign, 1);
	return PASS;
}

char capture_license[] SEC("license") = "Dual BSD/GPL";
