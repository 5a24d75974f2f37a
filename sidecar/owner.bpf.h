/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * owner.bpf.h: which process a socket belongs to.
 *
 * A packet is received in whatever process the processor happened to run: on
 * the loopback it is the sender. So the owner is noted with the socket when
 * a process does something with it: bind, connect, send. An accepted socket
 * gets its listener's owner (BPF_F_CLONE). Sockets that are older than this
 * program are found through the files of all processes. A socket that several
 * have belongs to who sent last: when a query comes, nobody knows yet who will
 * read it.
 */
#ifndef DTAP_SIDECAR_OWNER_BPF_H
#define DTAP_SIDECAR_OWNER_BPF_H

#include <linux/bpf.h>
#include <linux/in.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "sidecar/kernel.bpf.h"
#include "sidecar/record.h"

#define SOCKADDR_PASS 1

enum owner_source {
	OWNER_UNKNOWN,
	OWNER_HOLDS, /* the process has it open */
	OWNER_USES   /* the process did something with it */
};

/* What is kept with each socket that matters. */
struct owner_state {
	struct record_owner owner;
	__u64 source; /* enum owner_source */
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct owner_state);
} sockets SEC(".maps");

/* Host byte order; zero where there is none. */
const volatile __u16 wanted_ports[RECORD_PORTS_MAX];
/* 0: of all processes. */
const volatile __u32 wanted_pid;

static __always_inline bool
owner_port_wanted(__u16 port)
{
	if (port == 0)
		return false;
#pragma unroll
	for (int i = 0; i < RECORD_PORTS_MAX; i++)
		if (port == wanted_ports[i])
			return true;
	return false;
}

/* The kernel lets a socket's pointer be passed on, but not be reckoned with;
 * an address read from memory is a number like any other. */
static __always_inline struct sock *
owner_kernel_sock(const void *sk)
{
	struct sock *address = NULL;

	bpf_probe_read_kernel(&address, sizeof(address), &sk);
	return address;
}

static __always_inline __u64
owner_netns(struct sock *sk)
{
	return BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
}

/* All but the network namespace: that is the socket's. */
static __always_inline void
owner_of_task(struct record_owner *owner, struct task_struct *task)
{
	owner->pid = BPF_CORE_READ(task, tgid);
	owner->uid = BPF_CORE_READ(task, cred, uid.val);
	owner->cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	/* Threads have names of their own: the process has its leader's. */
	BPF_CORE_READ_INTO(&owner->comm, task, group_leader, comm);
	owner->comm[RECORD_COMM_BYTES - 1] = '\0';
	/* Here, because a process may be gone before anybody asks /proc. */
	bpf_probe_read_kernel_str(owner->exe, sizeof(owner->exe),
		BPF_CORE_READ(task, mm, exe_file, f_path.dentry, d_name.name));
}

static __always_inline void
owner_set(struct owner_state *state, struct task_struct *task,
	  struct sock *sk, enum owner_source source)
{
	owner_of_task(&state->owner, task);
	if (state->owner.netns == 0)
		state->owner.netns = owner_netns(sk);
	state->source = source;
}

/* The running process did something with the socket. */
static __always_inline void
owner_claim(struct owner_state *state, struct sock *sk)
{
	/* Not by bpf_get_current_pid_tgid(): in Linux 6.1 that is not for
	 * programs that look at packets. */
	struct task_struct *task = bpf_get_current_task_btf();

	if (state->source == OWNER_USES && state->owner.pid == task->tgid &&
	    state->owner.uid == task->cred->uid.val)
		return;
	if (task->tgid != 0)
		owner_set(state, task, sk, OWNER_USES);
}

static __always_inline int
owner_address(struct bpf_sock_addr *context)
{
	struct bpf_sock *sk = context->sk;
	struct owner_state *state;

	if (sk == NULL ||
	    !(owner_port_wanted(bpf_ntohs((__u16)context->user_port)) ||
	      owner_port_wanted((__u16)sk->src_port)))
		return SOCKADDR_PASS;
	state = bpf_sk_storage_get(&sockets, sk, NULL,
				   BPF_SK_STORAGE_GET_F_CREATE);
	if (state != NULL)
		owner_claim(state, owner_kernel_sock(sk));
	return SOCKADDR_PASS;
}

SEC("cgroup/bind4")
int
owner_bind4(struct bpf_sock_addr *context)
{
	return owner_address(context);
}

SEC("cgroup/bind6")
int
owner_bind6(struct bpf_sock_addr *context)
{
	return owner_address(context);
}

SEC("cgroup/connect4")
int
owner_connect4(struct bpf_sock_addr *context)
{
	return owner_address(context);
}

SEC("cgroup/connect6")
int
owner_connect6(struct bpf_sock_addr *context)
{
	return owner_address(context);
}

SEC("cgroup/sendmsg4")
int
owner_sendmsg4(struct bpf_sock_addr *context)
{
	return owner_address(context);
}

SEC("cgroup/sendmsg6")
int
owner_sendmsg6(struct bpf_sock_addr *context)
{
	return owner_address(context);
}

static __always_inline bool
owner_sock_wanted(struct sock *sk)
{
	__u16 family = sk->__sk_common.skc_family;

	/* A socket of UDP may have asked somebody already. */
	return (family == KERNEL_AF_INET || family == KERNEL_AF_INET6) &&
	       (sk->sk_protocol == IPPROTO_UDP ||
		owner_port_wanted(sk->__sk_common.skc_num) ||
		owner_port_wanted(bpf_ntohs(sk->__sk_common.skc_dport)));
}

/* Each open file of each process, once. Of several holders the last one
 * counts: children have higher numbers than who opened it for them. */
SEC("iter/task_file")
int
owner_iterate(struct bpf_iter__task_file *context)
{
	struct task_struct *task = context->task;
	struct file *file = context->file;
	struct owner_state *state;
	struct socket *socket;
	struct sock *sk;

	if (task == NULL || file == NULL)
		return 0;
	socket = bpf_sock_from_file(file);
	if (socket == NULL)
		return 0;
	sk = socket->sk;
	if (sk == NULL || !owner_sock_wanted(sk))
		return 0;
	state = bpf_sk_storage_get(&sockets, sk, NULL,
				   BPF_SK_STORAGE_GET_F_CREATE);
	if (state != NULL && state->source != OWNER_USES)
		owner_set(state, task, sk, OWNER_HOLDS);
	return 0;
}

/* Who sends over a connection, whoever opened it. Only who has locked the
 * socket is known to be the running process: much of TCP is sent when an
 * acknowledgement comes, and that is in nobody's time. */
static __always_inline void
owner_sends(struct owner_state *state, struct sock *sk)
{
	if (BPF_CORE_READ(sk, sk_lock.owned) != 0)
		owner_claim(state, sk);
}

#endif
