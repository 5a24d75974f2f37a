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
 * What must hold:
 *  - each message comes out once and unchanged, or is counted;
 *  - a response with a query comes after it and has its id;
 *  - a report follows the query that it is about, and there is but one;
 *  - the bounds hold, and the counters add up, after each message.
 */
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
fuzz_report(struct fuzz_exchange *fuzz, const struct exchange_event *event,
	    size_t number)
{
	FUZZ_EXPECT(!event->header.response && !event->multicast);
	FUZZ_EXPECT(fuzz->message[number].seen == 1);
	FUZZ_EXPECT(++fuzz->message[number].reported == 1);
}

static void
fuzz_event(void *user, const struct exchange_event *event)
{
	struct fuzz_exchange *fuzz = user;
	const struct packet *message = event->message;
	size_t number = message->tcp_sequence;

	FUZZ_EXPECT(number < fuzz->fed);
	FUZZ_EXPECT(fuzz->message[number].bytes == message->payload_bytes);
	FUZZ_EXPECT(memcmp(fuzz->message[number].octets, message->payload,
			   message->payload_bytes) == 0);
	FUZZ_EXPECT(event->verdict.type >= DTAP_AUTH_QUERY &&
		    event->verdict.type <= DTAP_UPDATE_RESPONSE);
	FUZZ_EXPECT(event->verdict.type % 2 == !event->header.response);
	if (event->kind == EXCHANGE_UNANSWERED) {
		fuzz_report(fuzz, event, number);
		return;
	}
	fuzz->handed_on++;
	FUZZ_EXPECT(++fuzz->message[number].seen == 1);
	if (event->query == NULL)
		return;
	FUZZ_EXPECT(event->header.response);
	FUZZ_EXPECT(memcmp(event->query, message->payload, 2) == 0);
	FUZZ_EXPECT(fuzz_query_is_known(fuzz, event));
}

static void
fuzz_ignore(void *user, const struct exchange_event *event)
{
	(void)user;
	(void)event;
}

static void
fuzz_check(const struct fuzz_exchange *fuzz)
{
	struct exchange_counters counters;

	exchange_table_count(fuzz->table, &counters);
	FUZZ_EXPECT(counters.queries + counters.responses +
			    counters.malformed == fuzz->fed);
	FUZZ_EXPECT(fuzz->handed_on + counters.held + counters.malformed ==
		    fuzz->fed);
	FUZZ_EXPECT(counters.waiting <= QUERIES);
	FUZZ_EXPECT(counters.held <= counters.waiting);
	FUZZ_EXPECT(counters.query_bytes <= QUERY_BYTES);
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
	return 3 + length;
}

/* Feeds all; checks nothing on the way when it is to be measured. */
static void
fuzz_run(struct fuzz_exchange *fuzz, const struct fuzz_source *input,
	 bool checked)
{
	static const struct exchange_options options = {
		.queries = QUERIES,
		.query_bytes = QUERY_BYTES,
		.timeout_ns = UINT64_C(5000000000),
		.hold_ns = UINT64_C(50000000),
		.report_unanswered = true,
	};
	struct packet packet = { .remote.port = 5353, .family = 1 };
	struct role_table *roles = role_table_new();
	size_t at = 0;

	memset(fuzz, 0, sizeof(*fuzz));
	fuzz->table = exchange_table_new(&options, roles, fuzz_exe,
					 checked ? fuzz_event : fuzz_ignore,
					 fuzz);
	FUZZ_EXPECT(fuzz->table != NULL && roles != NULL);
	while (input->left - at >= 3 && fuzz->fed < MESSAGES_MAX) {
		at += fuzz_feed(fuzz, input->at + at, input->left - at,
				&packet);
		if (checked)
			fuzz_check(fuzz);
	}
	if (input->left % 2 == 0)
		exchange_table_expire(fuzz->table, UINT64_MAX);
	exchange_table_flush(fuzz->table);
	if (checked)
		fuzz_check(fuzz);
	exchange_table_free(&fuzz->table);
	role_table_free(&roles);
}

static size_t
fuzz_run_unchecked(void *context)
{
	static struct fuzz_exchange fuzz;
	const struct fuzz_source *input = context;

	fuzz_run(&fuzz, input, false);
	return input->left;
}

void
fuzz_input(const uint8_t *data, size_t bytes)
{
	static struct fuzz_exchange fuzz;
	struct fuzz_source input = { data, bytes };

	fuzz_run(&fuzz, &input, true);
	fuzz_measure(fuzz_run_unchecked, &input);
}
