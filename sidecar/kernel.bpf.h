/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * kernel.bpf.h: the few members of the kernel's own structures that are read.
 *
 * Where they really are is found out when the program is loaded, from the
 * BTF of the running kernel (CO-RE); neither their order nor their offsets
 * here mean anything. So this compiles without any kernel.
 */
#ifndef DTAP_SIDECAR_KERNEL_BPF_H
#define DTAP_SIDECAR_KERNEL_BPF_H

#include <linux/in6.h>
#include <linux/types.h>

#define KERNEL_STRUCT __attribute__((preserve_access_index))

#define KERNEL_AF_INET 2
#define KERNEL_AF_INET6 10

struct kernfs_node {
	__u64 id;
} KERNEL_STRUCT;

struct cgroup {
	struct kernfs_node *kn;
} KERNEL_STRUCT;

struct css_set {
	struct cgroup *dfl_cgrp;
} KERNEL_STRUCT;

struct kernel_uid {
	__u32 val;
} KERNEL_STRUCT;

struct cred {
	struct kernel_uid uid;
} KERNEL_STRUCT;

struct qstr {
	const unsigned char *name;
} KERNEL_STRUCT;

struct dentry {
	struct qstr d_name;
} KERNEL_STRUCT;

struct path {
	struct dentry *dentry;
} KERNEL_STRUCT;

struct file {
	struct path f_path;
} KERNEL_STRUCT;

struct mm_struct {
	struct file *exe_file;
} KERNEL_STRUCT;

struct task_struct {
	__u32 tgid;
	struct mm_struct *mm;
	struct task_struct *group_leader;
	const struct cred *cred;
	struct css_set *cgroups;
	char comm[16];
} KERNEL_STRUCT;

struct ns_common {
	__u32 inum;
} KERNEL_STRUCT;

struct net {
	struct ns_common ns;
} KERNEL_STRUCT;

typedef struct {
	struct net *net;
} KERNEL_STRUCT possible_net_t;

struct sock_common {
	__u16 skc_family;
	__u16 skc_num;
	__be16 skc_dport;
	__be32 skc_rcv_saddr;
	__be32 skc_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	struct in6_addr skc_v6_daddr;
	possible_net_t skc_net;
} KERNEL_STRUCT;

typedef struct {
	int owned;
} KERNEL_STRUCT socket_lock_t;

struct sock {
	struct sock_common __sk_common;
	__u16 sk_protocol;
	socket_lock_t sk_lock;
} KERNEL_STRUCT;

struct socket {
	struct sock *sk;
} KERNEL_STRUCT;

struct bpf_iter__task_file {
	struct task_struct *task;
	struct file *file;
} KERNEL_STRUCT;

#endif
