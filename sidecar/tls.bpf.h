/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * tls.bpf.h: the plaintext of DNS over TLS, where OpenSSL and GnuTLS take it
 * or hand it out.
 *
 * Their functions know a session, and not its socket. That is found without
 * looking into their structures: while a thread is in such a function, what
 * it sends and receives is the session's (two tracepoints of the kernel tell
 * the socket). Programs that do that themselves, and give the library memory
 * instead of a socket, feed it with what they have just received: to a
 * session without a socket belongs the one that its thread has received from
 * just before. Only connections over a wanted port matter: a session that is
 * known to be of another one is marked, and nothing of it is ever copied.
 *
 * What was written is taken when the function returns: who is told to try
 * again calls it a second time with the same octets.
 */
#ifndef DTAP_SIDECAR_TLS_BPF_H
#define DTAP_SIDECAR_TLS_BPF_H

#include <linux/bpf.h>
#include <linux/ptrace.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "sidecar/kernel.bpf.h"
#include "sidecar/owner.bpf.h"
#include "sidecar/record.bpf.h"

#define TLS_THREADS_MAX 4096
#define TLS_SESSIONS_MAX 16384
#define TLS_PIECES_MAX 4

/* Two ends, as a socket has them. ip_version is 0 for another port. */
struct tls_peer {
	__u64 netns;
	__u8 local[16];
	__u8 remote[16];
	__u16 local_port;
	__u16 remote_port;
	__u32 ip_version;
};

struct tls_session {
	__u64 pointer;
	__u64 pid;
};

/* What a thread is doing. The libraries call their own functions as well:
 * what lies deeper on the stack is a part of it, and has been counted. */
struct tls_call {
	__u64 stack; /* its end, at the entry */
	__u64 session;
	__u64 data;
	__u64 bytes;
	__u64 done; /* where the function says how many octets; or 0 */
	__u64 direction;
	__u64 has_data;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, TLS_THREADS_MAX);
	__type(key, __u64); /* the thread */
	__type(value, struct tls_call);
} tls_calls SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, TLS_THREADS_MAX);
	__type(key, __u64); /* the thread */
	__type(value, struct tls_peer);
} tls_received SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, TLS_SESSIONS_MAX);
	__type(key, struct tls_session);
	__type(value, struct tls_peer);
} tls_sessions SEC(".maps");

/* Host byte order; zero where there is none. */
const volatile __u16 tls_ports[RECORD_PORTS_MAX];

static __always_inline bool
tls_port_wanted(__u16 port)
{
	if (port == 0)
		return false;
#pragma unroll
	for (int i = 0; i < RECORD_PORTS_MAX; i++)
		if (port == tls_ports[i])
			return true;
	return false;
}

static __always_inline struct tls_session
tls_session_of(__u64 pointer)
{
	struct tls_session session = {
		.pointer = pointer,
		.pid = bpf_get_current_pid_tgid() >> 32,
	};

	return session;
}

/* On x86 the return address is on the stack, and gone after the return. */
#ifdef __TARGET_ARCH_x86
#define TLS_RETURN_BYTES 8
#else
#define TLS_RETURN_BYTES 0
#endif

static __always_inline int
tls_enter(struct pt_regs *context, struct tls_call *call)
{
	__u64 thread = bpf_get_current_pid_tgid();
	struct tls_call *outer;

	if (wanted_pid != 0 && wanted_pid != thread >> 32)
		return 0;
	call->session = PT_REGS_PARM1(context);
	call->stack = PT_REGS_SP(context);
	outer = bpf_map_lookup_elem(&tls_calls, &thread);
	/* One that is not deeper: the other has never returned. */
	if (outer == NULL || call->stack >= outer->stack)
		bpf_map_update_elem(&tls_calls, &thread, call, BPF_ANY);
	return 0;
}

/* SSL_do_handshake(session) and its like. */
SEC("uprobe")
int
tls_enter_handshake(struct pt_regs *context)
{
	struct tls_call call = { 0 };

	return tls_enter(context, &call);
}

static __always_inline int
tls_enter_data(struct pt_regs *context, __u64 direction, __u64 done)
{
	struct tls_call call = {
		.data = PT_REGS_PARM2(context),
		.bytes = PT_REGS_PARM3(context),
		.done = done,
		.direction = direction,
		.has_data = 1,
	};

	return tls_enter(context, &call);
}

/* SSL_read(session, data, bytes), gnutls_record_recv() */
SEC("uprobe")
int
tls_enter_read(struct pt_regs *context)
{
	return tls_enter_data(context, RECEIVED, 0);
}

/* SSL_read_ex(session, data, bytes, &done) */
SEC("uprobe")
int
tls_enter_read_ex(struct pt_regs *context)
{
	return tls_enter_data(context, RECEIVED, PT_REGS_PARM4(context));
}

/* SSL_write(session, data, bytes), gnutls_record_send() */
SEC("uprobe")
int
tls_enter_write(struct pt_regs *context)
{
	return tls_enter_data(context, SENT, 0);
}

/* SSL_write_ex(session, data, bytes, &done) */
SEC("uprobe")
int
tls_enter_write_ex(struct pt_regs *context)
{
	return tls_enter_data(context, SENT, PT_REGS_PARM4(context));
}

/* SSL_free(session), gnutls_deinit(): its address may come again. */
SEC("uprobe")
int
tls_enter_free(struct pt_regs *context)
{
	struct tls_session session = tls_session_of(PT_REGS_PARM1(context));

	bpf_map_delete_elem(&tls_sessions, &session);
	return 0;
}

/* How many octets went one way or the other; 0 if none. */
static __always_inline __u32
tls_done_bytes(const struct tls_call *call, int result)
{
	__u64 done = 0;

	if (result <= 0)
		return 0;
	if (call->done == 0)
		done = result;
	else if (bpf_probe_read_user(&done, sizeof(done),
				     (void *)(long)call->done) != 0)
		return 0;
	return done <= call->bytes && done <= 0x7fffffff ? done : 0;
}

static long
tls_record_next(__u32 number, void *walk)
{
	(void)number;
	return record_some(walk, false);
}

/* Where the session's octets come from; false if that is not known, or of no
 * interest. What was received belongs to the next call alone. */
static __always_inline bool
tls_find_peer(const struct tls_call *call, __u64 thread,
	      struct tls_peer *found)
{
	struct tls_session session = tls_session_of(call->session);
	struct tls_peer *received =
		bpf_map_lookup_elem(&tls_received, &thread);
	struct tls_peer *peer = bpf_map_lookup_elem(&tls_sessions, &session);

	if (peer != NULL)
		*found = *peer;
	else if (received != NULL) {
		*found = *received;
		bpf_map_update_elem(&tls_sessions, &session, found, BPF_ANY);
	}
	if (received != NULL)
		bpf_map_delete_elem(&tls_received, &thread);
	return found->ip_version != 0;
}

static __always_inline void
tls_record(const struct tls_call *call, const struct tls_peer *peer,
	   __u32 bytes)
{
	struct walk walk = {
		.memory = call->data,
		.left = bytes,
		.piece = RECORD_PAYLOAD_MAX,
		.head.protocol = TLS,
		.head.direction = call->direction,
	};

	walk.head.time_ns = bpf_ktime_get_ns();
	walk.head.ip_version = peer->ip_version;
	owner_of_task(&walk.head.owner, bpf_get_current_task_btf());
	walk.head.owner.netns = peer->netns;
	__builtin_memcpy(walk.head.local, peer->local, 16);
	__builtin_memcpy(walk.head.remote, peer->remote, 16);
	walk.head.local_port = peer->local_port;
	walk.head.remote_port = peer->remote_port;
	bpf_loop(TLS_PIECES_MAX, tls_record_next, &walk, 0);
	if (walk.left > 0)
		COUNT(lost_short);
}

SEC("uretprobe")
int
tls_leave(struct pt_regs *context)
{
	__u64 thread = bpf_get_current_pid_tgid();
	struct tls_call *entered = bpf_map_lookup_elem(&tls_calls, &thread);
	struct tls_peer peer = { 0 };
	struct tls_call call;
	__u32 bytes;

	if (entered == NULL ||
	    PT_REGS_SP(context) < entered->stack + TLS_RETURN_BYTES)
		return 0;
	call = *entered;
	bpf_map_delete_elem(&tls_calls, &thread);
	if (!tls_find_peer(&call, thread, &peer) || call.has_data == 0)
		return 0;
	bytes = tls_done_bytes(&call, (int)PT_REGS_RC(context));
	if (bytes > 0)
		tls_record(&call, &peer, bytes);
	return 0;
}

/* IPv4 in the form of IPv6 is IPv4. */
static __always_inline void
tls_set_address(struct tls_peer *peer, __u8 to[16], struct in6_addr *address)
{
	const __be32 *words = address->in6_u.u6_addr32;

	if (words[0] == 0 && words[1] == 0 && words[2] == bpf_htonl(0xffff)) {
		peer->ip_version = 4;
		__builtin_memcpy(to, &words[3], 4);
	} else
		__builtin_memcpy(to, words, 16);
}

static __always_inline void
tls_read_peer(struct tls_peer *peer, struct sock *sk)
{
	struct in6_addr address;

	peer->netns = owner_netns(sk);
	peer->local_port = sk->__sk_common.skc_num;
	peer->remote_port = bpf_ntohs(sk->__sk_common.skc_dport);
	if (sk->__sk_common.skc_family == KERNEL_AF_INET) {
		peer->ip_version = 4;
		__builtin_memcpy(peer->local, &sk->__sk_common.skc_rcv_saddr,
				 4);
		__builtin_memcpy(peer->remote, &sk->__sk_common.skc_daddr, 4);
		return;
	}
	peer->ip_version = 6;
	BPF_CORE_READ_INTO(&address, sk, __sk_common.skc_v6_rcv_saddr);
	tls_set_address(peer, peer->local, &address);
	BPF_CORE_READ_INTO(&address, sk, __sk_common.skc_v6_daddr);
	tls_set_address(peer, peer->remote, &address);
}

static __always_inline int
tls_length(struct sock *sk, bool received)
{
	__u16 family = sk->__sk_common.skc_family;
	__u64 thread = bpf_get_current_pid_tgid();
	struct tls_peer peer = { 0 };
	struct tls_session session;
	struct tls_call *call;

	if ((family != KERNEL_AF_INET && family != KERNEL_AF_INET6) ||
	    sk->sk_protocol != IPPROTO_TCP)
		return 0;
	call = bpf_map_lookup_elem(&tls_calls, &thread);
	if (tls_port_wanted(sk->__sk_common.skc_num) ||
	    tls_port_wanted(bpf_ntohs(sk->__sk_common.skc_dport)))
		tls_read_peer(&peer, sk);
	if (call != NULL) {
		session = tls_session_of(call->session);
		bpf_map_update_elem(&tls_sessions, &session, &peer, BPF_ANY);
	} else if (received && peer.ip_version != 0)
		bpf_map_update_elem(&tls_received, &thread, &peer, BPF_ANY);
	else if (received)
		bpf_map_delete_elem(&tls_received, &thread);
	return 0;
}

SEC("tp_btf/sock_send_length")
int
tls_send_length(__u64 *context)
{
	return tls_length((struct sock *)context[0], false);
}

SEC("tp_btf/sock_recv_length")
int
tls_recv_length(__u64 *context)
{
	return tls_length((struct sock *)context[0], true);
}

#endif
