/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packet_filter.h: a filter for frames, of the kind that a socket of
 * AF_PACKET takes without any privilege (classic BPF). Pure.
 */
#ifndef DTAP_SIDECAR_PACKET_FILTER_H
#define DTAP_SIDECAR_PACKET_FILTER_H

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

#define PACKET_FILTER_MAX 64

/*
 * Lets through UDP and TCP from and to the ports (1 to 8 of them), and all of
 * IPv6 with extension headers: those are for packet_parse(). The frames begin
 * with the IP header. Returns the number of instructions.
 */
size_t
packet_filter_write(const uint16_t *ports, size_t ports_count,
		    struct sock_filter program[PACKET_FILTER_MAX]);

#endif
