/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tcp_looks.h: whether octets look like a length and a DNS message.
 *
 * For streams of which the beginning, or a piece, is missing. What follows is
 * taken for a message when all of this holds:
 *
 *   - the length has room for the header and for the records it counts;
 *   - the reserved bit is clear, the opcode is QUERY, STATUS, NOTIFY or
 *     UPDATE, and there is at most one question;
 *   - a query has response code 0, is not truncated and has no RA; one of
 *     opcode QUERY has a question, no answer, at most one record of authority
 *     (IXFR) and four additional ones;
 *   - a response without question has an answer (a zone transfer) or an
 *     error to tell;
 *   - the question, else the first record, has a well-formed name, a type,
 *     and a class that is assigned; the first record may be OPT.
 *
 * Among random octets about one place in 10^9 looks so. Strange messages are
 * not found; they are skipped, and counted.
 */
#ifndef DTAP_SIDECAR_TCP_LOOKS_H
#define DTAP_SIDECAR_TCP_LOOKS_H

#include <stddef.h>
#include <stdint.h>

/* The length, the header, a question: no more is ever needed. */
#define TCP_LOOKS_BYTES (2 + 12 + 255 + 4)

enum tcp_looks {
	TCP_LOOKS_BAD,
	TCP_LOOKS_GOOD,
	TCP_LOOKS_SHORT /* tells itself from good only with more octets */
};

enum tcp_looks
tcp_looks(const uint8_t *octets, size_t bytes);

#endif
