/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_message.h: plausible DNS messages whose name tells who made them.
 *
 * The query name is `tTTTT-sSSSSSSSSSSSS.gen.dtap.test.`: thread and
 * sequence number in hexadecimal, so that whoever reads the stream can tell
 * what is missing, doubled or out of order. A response repeats the question
 * and is filled up with TXT records to the wanted size.
 *
 * Threads: one message object per thread.
 */
#ifndef DTAP_GEN_MESSAGE_H
#define DTAP_GEN_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include <dnstap/dtap.h>

/* Header, question and name; no message is smaller. */
#define GEN_MESSAGE_BYTES_MIN 51
/* Sizes are drawn as servers see them. */
#define GEN_MESSAGE_BYTES_MIX 0

struct gen_message {
	uint8_t octets[DTAP_MESSAGE_BYTES_MAX];
	size_t bytes;
	unsigned int thread;
	uint64_t random; /* state of the generator */
};

void
gen_message_init(struct gen_message *message, unsigned int thread);

/*
 * Makes the message of one event. bytes: GEN_MESSAGE_BYTES_MIX, or the size
 * wanted, at most DTAP_MESSAGE_BYTES_MAX.
 */
void
gen_message_make(struct gen_message *message, enum dtap_message_type type,
		 uint64_t sequence, size_t bytes);

#endif
