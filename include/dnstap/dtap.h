/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file dtap.h
 * libdtap: dnstap for DNS servers that must never wait.
 *
 * A server makes one tap and one producer for each of its threads, and calls
 * dtap_submit() for each DNS message it sees:
 *
 *     dtap_options *o = dtap_options_new();
 *     dtap_options_set(o, "output", "unix:/run/dnstap.sock");
 *     dtap_options_set(o, "identity", "ns1.example");
 *
 *     dtap *tap;
 *     dtap_open(o, &tap);        (checks everything; opens nothing)
 *     dtap_options_free(&o);
 *     dtap_start(tap);           (after daemon(), chroot(), setuid())
 *
 *     dtap_producer *p;          (once in each server thread)
 *     dtap_producer_open(tap, &p);
 *
 *     if (dtap_wants(p, DTAP_CLIENT_QUERY)) {
 *             struct dtap_event ev = DTAP_EVENT_INIT;
 *             ev.type = DTAP_CLIENT_QUERY;
 *             ev.socket_protocol = DTAP_UDP;
 *             dtap_event_set_query_sockaddr(&ev, peer, peer_bytes);
 *             ev.query_time_sec = now.tv_sec;
 *             ev.query_time_nsec = now.tv_nsec;
 *             ev.query_message = wire;
 *             ev.query_message_bytes = wire_bytes;
 *             dtap_submit(p, &ev);
 *     }
 *
 *     dtap_producer_close(&p);
 *     dtap_stop(tap, 2000);      (milliseconds)
 *     dtap_close(&tap);
 *
 * Lifetime: open, start, submit, stop, close (tap.h). Threads: each header
 * and each function says who may call it. The library never aborts, exits,
 * prints, reads the environment, resolves names or installs signal handlers.
 */
#ifndef DTAP_DTAP_H
#define DTAP_DTAP_H

#include <dnstap/event.h>
#include <dnstap/export.h>
#include <dnstap/options.h>
#include <dnstap/reader.h>
#include <dnstap/result.h>
#include <dnstap/stats.h>
#include <dnstap/tap.h>
#include <dnstap/version.h>

#endif
