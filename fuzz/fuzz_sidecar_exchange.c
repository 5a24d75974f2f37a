/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_sidecar_exchange.c: any octets as DNS messages of a few sockets.
 *
 * The input is a row of messages, each of three octets and a payload:
 *
 *   0  bits 0-1 the socket, 2 the direction, 3-4 the protocol, 5 port 5353,
 *      6 an unknown program, 7 no pid
 *   1  milliseconds that pass, in squares
 *   2  octets of the payload
 *
 * Each message must come out once and unchanged, or be counted; a response
 * with a query must come after it and have its id; a report must follow the
 * query it is about; and the bounds must hold.
 */
#include <stdlib.h>
#include <string.h>

#include "sidecar/exchange.h"

#include "fuzz.h"

#define QUERIES 6
#define QUERY_BYTES 300
#define MESSAGES_MAX 256

struct fuzz_exchange {
	struct exchange_table *table;
	size_t fed;
	uint64_t handed_on;
	/* By number, which messages carry as their sequence number. */
	struct {
		const uint8_t *octets;
		size_t bytes;
		unsigned int seen;
		unsigned int reported;
	} message[MESSAGES_MAX];
};

static const char *
fuzz_exe(void *user, const struct packet_owner *owner)
{
	(void)user;
	return owner->uid == 0 ? "" : "unbound";
}

static bool
fuzz_query_is_known(const struct fuzz_exchange *fuzz,
		    const struct exchange_event *event)
{
	for (size_t i = 0; i < fuzz->fed; i++)
		if (fuzz->message[i].seen == 1 &&
		    fuzz->message[i].bytes == event->query_bytes &&
		    memcmp(fuzz->message[i].octets, event->query,
			   event->query_bytes) == 0)
			return true;
	return false;
}

static void
fuzz_event(void *user, const struct exchange_event *event)
{
	struct fuzz_exchange *fuzz = user;
	size_t number = event->message->tcp_sequence;

	if (number >= fuzz->fed ||
	    fuzz->message[number].bytes != event->message->payload_bytes ||
	    memcmp(fuzz->message[number].octets, event->message->payload,
		   event->message->payload_bytes) != 0 ||
	    event->verdict.type < DTAP_AUTH_QUERY ||
	    event->verdict.type > DTAP_UPDATE_RESPONSE ||
	    event->verdict.type % 2 != !event->header.response)
		abort();
	if (event->kind == EXCHANGE_UNANSWERED) {
		if (event->header.response || event->multicast ||
		    fuzz->message[number].seen != 1 ||
		    ++fuzz->message[number].reported != 1)
			abort();
		return;
	}
	fuzz->handed_on++;
	if (++fuzz->message[number].seen != 1)
		abort();
	if (event->query != NULL &&
	    (!event->header.response ||
	     memcmp(event->query, event->message->payload, 2) != 0 ||
	     !fuzz_query_is_known(fuzz, event)))
		abort();
}

static void
fuzz_check(const struct fuzz_exchange *fuzz)
{
	struct exchange_counters counters;

	exchange_table_count(fuzz->table, &counters);
	if (counters.queries + counters.responses + counters.malformed !=
		    fuzz->fed ||
	    fuzz->handed_on + counters.held + counters.malformed !=
		    fuzz->fed ||
	    counters.waiting > QUERIES || counters.held > counters.waiting ||
	    counters.query_bytes > QUERY_BYTES)
		abort();
}

/* Feeds one message; returns how many octets of the input it took. */
static size_t
fuzz_feed(struct fuzz_exchange *fuzz, const uint8_t *data, size_t bytes,
	  struct packet *packet)
{
	size_t length = data[2];

	if (length > bytes - 3)
		length = bytes - 3;
	packet->socket = data[0] & 3;
	packet->direction = data[0] >> 2 & 1;
	packet->protocol = (uint8_t)(1 + (data[0] >> 3 & 3) % 3);
	packet->local.port = (data[0] & 0x20) != 0 ? 5353 : 53;
	packet->owner.uid = data[0] >> 6 & 1;
	packet->owner.pid = (data[0] & 0x80) != 0 ? 0 : packet->owner.uid + 1;
	packet->time_ns += (uint64_t)data[1] * data[1] * 1000000;
	packet->tcp_sequence = (uint32_t)fuzz->fed;
	packet->payload = data + 3;
	packet->payload_bytes = length;
	fuzz->message[fuzz->fed].octets = data + 3;
	fuzz->message[fuzz->fed++].bytes = length;
	exchange_table_feed(fuzz->table, packet);
	fuzz_check(fuzz);
	return 3 + length;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static const struct exchange_options options = {
		.queries = QUERIES,
		.query_bytes = QUERY_BYTES,
		.timeout_ns = UINT64_C(5000000000),
		.hold_ns = UINT64_C(50000000),
		.report_unanswered = true,
	};
	struct packet packet = { .remote.port = 5353, .family = 1 };
	static struct fuzz_exchange fuzz;
	struct role_table *roles = role_table_new();
	size_t at = 0;

	memset(&fuzz, 0, sizeof(fuzz));
	fuzz.table = exchange_table_new(&options, roles, fuzz_exe, fuzz_event,
					&fuzz);
	if (fuzz.table == NULL || roles == NULL)
		abort();
	while (bytes - at >= 3 && fuzz.fed < MESSAGES_MAX)
		at += fuzz_feed(&fuzz, data + at, bytes - at, &packet);
	if (bytes % 2 == 0)
		exchange_table_expire(fuzz.table, UINT64_MAX);
	exchange_table_flush(fuzz.table);
	fuzz_check(&fuzz);
	exchange_table_free(&fuzz.table);
	role_table_free(&roles);
	return 0;
}
