/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * record.bpf.h: from a payload to records in the ring.
 *
 * A payload is copied once, from where it is into the ring, in a record of
 * the smallest size that holds it: the ring wants sizes that are constants.
 * There is no scratch memory for each processor: a packet that is being sent
 * may be interrupted by one that is being received.
 *
 * Lengths are cut to size by masks, with the compiler kept from seeing that
 * they do nothing: the verifier of Linux 6.1 understands no other form.
 */
#ifndef DTAP_SIDECAR_RECORD_BPF_H
#define DTAP_SIDECAR_RECORD_BPF_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "sidecar/record.h"

/* Longer than any packet of Linux (BIG TCP), in records; and as many
 * messages as UDP_SEGMENT takes at a time. */
#define PIECES_MAX 128

/* The numbers of enum packet_protocol and enum packet_direction. */
enum { UDP = 1, TCP = 2, TLS = 3 };
enum { RECEIVED = 0, SENT = 1 };

/* As many octets must wait in the ring for the reader to be woken; 0: never.
 * The reader sets it, whoever wakes the reader takes it away. */
volatile __u32 wake_bytes;

struct record_counters counters[RECORD_CPUS_MAX];

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 16);
} ring SEC(".maps");

/* A payload on its way into one or more records. */
struct walk {
	struct __sk_buff *skb; /* NULL: it is in the memory of a process, */
	__u64 memory;          /* at this address */
	__u32 at;    /* where the rest of the payload begins, */
	__u32 left;  /* and how long it is */
	__u32 piece; /* the most for one record */
	__u32 final_flags; /* for the last one */
	struct record head;
};

/* A packet that is sent may be interrupted by one that is received. */
#define COUNT(counter) __sync_fetch_and_add( \
	&counters[bpf_get_smp_processor_id() & (RECORD_CPUS_MAX - 1)].counter, \
	1)

static __always_inline __u64
wake_flags(void)
{
	__u32 enough = wake_bytes;

	if (enough == 0 ||
	    bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) < enough)
		return BPF_RB_NO_WAKEUP;
	wake_bytes = 0;
	return BPF_RB_FORCE_WAKEUP;
}

/* room is constant, and a power of two; 0 < payload_bytes <= room. Programs
 * may not even contain a call that is not for their kind: is_packet is
 * constant, too. */
static __always_inline void
record_payload(struct walk *walk, __u32 room, bool is_packet)
{
	__u32 bytes = walk->head.payload_bytes;
	struct record *record;
	long error;

	record = bpf_ringbuf_reserve(&ring, sizeof(*record) + room, 0);
	if (record == NULL) {
		COUNT(lost_full);
		return;
	}
	*record = walk->head;
	barrier_var(bytes);
	bytes = ((bytes - 1) & (room - 1)) + 1;
	if (is_packet)
		error = bpf_skb_load_bytes(walk->skb, walk->at, record + 1,
					   bytes);
	else
		error = bpf_probe_read_user(record + 1, bytes,
			(void *)(long)(walk->memory + walk->at));
	if (error != 0) {
		bpf_ringbuf_discard(record, BPF_RB_NO_WAKEUP);
		COUNT(lost_short);
		return;
	}
	COUNT(recorded);
	bpf_ringbuf_submit(record, wake_flags());
}

static __always_inline void
record_empty(struct walk *walk)
{
	struct record *record;

	record = bpf_ringbuf_reserve(&ring, sizeof(*record), 0);
	if (record == NULL) {
		COUNT(lost_full);
		return;
	}
	*record = walk->head;
	COUNT(recorded);
	bpf_ringbuf_submit(record, wake_flags());
}

/* The next record; whether it was the last one. */
static __always_inline int
record_some(struct walk *walk, bool is_packet)
{
	__u32 bytes = walk->left < walk->piece ? walk->left : walk->piece;

	walk->head.payload_bytes = bytes;
	if (bytes == walk->left)
		walk->head.tcp_flags |= walk->final_flags;
	if (bytes == 0)
		record_empty(walk);
	else if (bytes <= 128)
		record_payload(walk, 128, is_packet);
	else if (bytes <= 256)
		record_payload(walk, 256, is_packet);
	else if (bytes <= 512)
		record_payload(walk, 512, is_packet);
	else if (bytes <= 2048)
		record_payload(walk, 2048, is_packet);
	else if (bytes <= 16384)
		record_payload(walk, 16384, is_packet);
	else
		record_payload(walk, RECORD_PAYLOAD_MAX, is_packet);
	walk->at += bytes;
	walk->left -= bytes;
	walk->head.tcp_sequence += bytes;
	walk->head.tcp_flags = 0;
	return walk->left == 0;
}

/* Not inline: it is long, and called from two places. */
static __attribute__((noinline)) int
record_piece(struct walk *walk)
{
	return record_some(walk, true);
}

static long
record_next(__u32 number, void *walk)
{
	(void)number;
	return record_piece(walk);
}

static __always_inline void
record_packet(struct walk *walk)
{
	if (record_piece(walk) == 0)
		bpf_loop(PIECES_MAX, record_next, walk, 0);
}

#endif
