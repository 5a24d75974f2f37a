/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipeline.c: see pipeline.h.
 */
#include "sidecar/pipeline.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sidecar/emit.h"
#include "sidecar/exchange.h"
#include "sidecar/identity.h"
#include "sidecar/lines.h"
#include "sidecar/logfmt.h"
#include "sidecar/tcp.h"

#define PIPELINE_NS_PER_S UINT64_C(1000000000)
#define PIPELINE_NS_PER_MS 1000000
#define PIPELINE_EXPIRE_MS 200 /* TCP is looked at as often */
#define PIPELINE_CLOCK_NS UINT64_C(100000)

/* Bounds of what the network can make us remember: some 100 MiB in all. */
static const struct tcp_limits pipeline_tcp_limits = {
	.streams = 16384,
	.stream_bytes = 256 << 10,
	.total_bytes = 32 << 20,
	.idle_ns = 120 * PIPELINE_NS_PER_S,
};

/* The text about a process is the same for message after message. */
#define PIPELINE_EXTRAS 256

struct pipeline_extra {
	struct packet_owner owner;
	uint64_t made_ns;
	uint32_t bytes; /* 0: empty */
	uint8_t confidence;
	char text[LOGFMT_BYTES];
};

struct pipeline {
	const struct sidecar_options *options;
	struct identity_table *identities;
	struct tcp_table *tcp;
	struct exchange_table *exchanges;
	dtap_producer *producer;
	uint64_t since_1970_ns; /* CLOCK_REALTIME - CLOCK_MONOTONIC */
	uint64_t reached_ns; /* what came earlier has been fed */
	struct metrics metrics;
	struct pipeline_extra extras[PIPELINE_EXTRAS];
	struct lines lines; /* of --print */
};

static uint64_t
pipeline_clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * PIPELINE_NS_PER_S +
	       (uint64_t)now.tv_nsec;
}

/* Which fields of the frame there are, as a reader of it would tell. */
static uint32_t
pipeline_present(const struct dtap_event *event)
{
	uint32_t present = 1u << FIELD_TYPE | 1u << FIELD_SOCKET_FAMILY |
			   1u << FIELD_SOCKET_PROTOCOL |
			   1u << FIELD_QUERY_ADDRESS |
			   1u << FIELD_RESPONSE_ADDRESS |
			   1u << FIELD_QUERY_PORT | 1u << FIELD_RESPONSE_PORT;

	if (event->query_time_sec != 0)
		present |= 1u << FIELD_QUERY_TIME_SEC |
			   1u << FIELD_QUERY_TIME_NSEC;
	if (event->response_time_sec != 0)
		present |= 1u << FIELD_RESPONSE_TIME_SEC |
			   1u << FIELD_RESPONSE_TIME_NSEC;
	if (event->query_message != NULL)
		present |= 1u << FIELD_QUERY_MESSAGE;
	if (event->response_message != NULL)
		present |= 1u << FIELD_RESPONSE_MESSAGE;
	return present;
}

static void
pipeline_print(struct pipeline *pipeline, const struct dtap_event *event)
{
	struct dtap_message message = DTAP_MESSAGE_INIT;

	message.dnstap_type = 1;
	message.present = pipeline_present(event);
	message.event = *event;
	message.extra.data = event->extra;
	message.extra.bytes = event->extra_bytes;
	lines_add(&pipeline->lines, &message);
}

static bool
pipeline_same_owner(const struct packet_owner *a, const struct packet_owner *b)
{
	return a->pid == b->pid && a->uid == b->uid &&
	       a->cgroup == b->cgroup && a->netns == b->netns &&
	       strcmp(a->comm, b->comm) == 0 && strcmp(a->exe, b->exe) == 0;
}

/* Valid until the next call; a second old at most. */
static const struct pipeline_extra *
pipeline_extra(struct pipeline *pipeline, const struct exchange_event *exchange)
{
	const struct packet_owner *owner = &exchange->message->owner;
	uint64_t now_ns = exchange->message->time_ns;
	struct pipeline_extra *extra =
		&pipeline->extras[(owner->pid * 4 +
				   exchange->verdict.confidence) %
				  PIPELINE_EXTRAS];

	if (extra->bytes != 0 &&
	    extra->confidence == exchange->verdict.confidence &&
	    now_ns - extra->made_ns < PIPELINE_NS_PER_S &&
	    pipeline_same_owner(&extra->owner, owner))
		return extra;
	extra->owner = *owner;
	extra->confidence = exchange->verdict.confidence;
	extra->made_ns = now_ns;
	extra->bytes = (uint32_t)logfmt_extra(
		extra->text, sizeof(extra->text), owner,
		identity_table_find(pipeline->identities, owner),
		(enum role_confidence)exchange->verdict.confidence, NULL);
	return extra;
}

/* That it is a report has to be said, also when nothing else is. */
static size_t
pipeline_report(struct pipeline *pipeline,
		const struct exchange_event *exchange, char text[LOGFMT_BYTES])
{
	const struct packet_owner *owner = &exchange->message->owner;
	struct logfmt logfmt;

	if (pipeline->options->extra)
		return logfmt_extra(
			text, LOGFMT_BYTES, owner,
			identity_table_find(pipeline->identities, owner),
			(enum role_confidence)exchange->verdict.confidence,
			"unanswered");
	logfmt_init(&logfmt, text, LOGFMT_BYTES);
	logfmt_string(&logfmt, "event", "unanswered");
	return logfmt.used;
}

static void
pipeline_describe(struct pipeline *pipeline,
		  const struct exchange_event *exchange,
		  struct dtap_event *event, char unanswered[LOGFMT_BYTES])
{
	if (exchange->kind == EXCHANGE_UNANSWERED) {
		event->extra = unanswered;
		event->extra_bytes = (uint32_t)pipeline_report(
			pipeline, exchange, unanswered);
	} else if (pipeline->options->extra) {
		const struct pipeline_extra *extra =
			pipeline_extra(pipeline, exchange);

		event->extra = extra->text;
		event->extra_bytes = extra->bytes;
	}
}

static void
pipeline_event(void *user, const struct exchange_event *exchange)
{
	struct pipeline *pipeline = user;
	enum dtap_message_type type =
		(enum dtap_message_type)exchange->verdict.type;
	char unanswered[LOGFMT_BYTES];
	struct dtap_event event;

	if (exchange->kind == EXCHANGE_MESSAGE)
		metrics_message(&pipeline->metrics, exchange);
	if (!pipeline->options->print &&
	    !dtap_wants(pipeline->producer, type))
		return;
	emit_event(exchange, pipeline->since_1970_ns,
		   pipeline->options->query_in_response, &event);
	pipeline_describe(pipeline, exchange, &event, unanswered);
	if (pipeline->options->print)
		pipeline_print(pipeline, &event);
	/* Whatever becomes of it is in the library's ledger. */
	if (pipeline->producer != NULL)
		dtap_submit(pipeline->producer, &event);
}

static void
pipeline_message(void *user, const struct packet *message)
{
	struct pipeline *pipeline = user;

	exchange_table_feed(pipeline->exchanges, message);
}

void
pipeline_packet(void *user, const struct packet *packet)
{
	struct pipeline *pipeline = user;

	pipeline->reached_ns = packet->time_ns;
	if (packet->protocol == PACKET_UDP)
		exchange_table_feed(pipeline->exchanges, packet);
	else
		tcp_table_feed(pipeline->tcp, packet);
}

/* The kernel's name, unless it is missing or may be cut. */
static const char *
pipeline_exe(void *user, const struct packet_owner *owner)
{
	struct pipeline *pipeline = user;
	size_t bytes = strlen(owner->exe);

	if (bytes > 0 && bytes < PACKET_EXE_BYTES - 1)
		return owner->exe;
	return identity_table_find(pipeline->identities, owner)->exe;
}

struct pipeline *
pipeline_new(const struct sidecar_options *options)
{
	struct pipeline *pipeline = calloc(1, sizeof(*pipeline));
	struct exchange_options exchange = {
		.queries = 65536,
		.query_bytes = 32 << 20,
		.timeout_ns = (options->timeout_ms != 0 ? options->timeout_ms
							: 5000) *
			      PIPELINE_NS_PER_MS,
		.hold_ns = options->hold_ms * PIPELINE_NS_PER_MS,
		.report_unanswered = options->timeout_ms != 0,
	};

	if (pipeline == NULL)
		return NULL;
	pipeline->options = options;
	lines_init(&pipeline->lines, STDOUT_FILENO);
	pipeline->identities = identity_table_new();
	pipeline->tcp = tcp_table_new(&pipeline_tcp_limits, pipeline_message,
				      pipeline);
	pipeline->exchanges =
		exchange_table_new(&exchange, options->roles, pipeline_exe,
				   pipeline_event, pipeline);
	if (pipeline->identities == NULL || pipeline->tcp == NULL ||
	    pipeline->exchanges == NULL)
		pipeline_free(&pipeline);
	return pipeline;
}

void
pipeline_free(struct pipeline **pipeline)
{
	if (*pipeline == NULL)
		return;
	exchange_table_free(&(*pipeline)->exchanges);
	tcp_table_free(&(*pipeline)->tcp);
	identity_table_free(&(*pipeline)->identities);
	lines_fini(&(*pipeline)->lines);
	free(*pipeline);
	*pipeline = NULL;
}

void
pipeline_connect(struct pipeline *pipeline, dtap_producer *producer)
{
	pipeline->producer = producer;
}

/* Somebody may have set the clock. But what is only the time between looks at
 * clocks must not make two times of one: looks far apart tell nothing, unless
 * nothing is known yet. Returns CLOCK_MONOTONIC. */
static uint64_t
pipeline_look_at_clocks(struct pipeline *pipeline)
{
	uint64_t begin_ns = pipeline_clock_ns(CLOCK_MONOTONIC);
	uint64_t realtime_ns = pipeline_clock_ns(CLOCK_REALTIME);
	uint64_t now_ns = pipeline_clock_ns(CLOCK_MONOTONIC);
	uint64_t apart_ns = now_ns - begin_ns;
	uint64_t since_1970_ns = realtime_ns - begin_ns - apart_ns / 2;
	uint64_t moved_ns = since_1970_ns - pipeline->since_1970_ns;

	if (pipeline->since_1970_ns == 0 ||
	    (apart_ns <= PIPELINE_CLOCK_NS &&
	     moved_ns + PIPELINE_CLOCK_NS > 2 * PIPELINE_CLOCK_NS))
		pipeline->since_1970_ns = since_1970_ns;
	return now_ns;
}

int
pipeline_expire(struct pipeline *pipeline)
{
	uint64_t now_ns = pipeline_look_at_clocks(pipeline);
	uint64_t next_ns;
	uint64_t wait_ms;

	tcp_table_expire(pipeline->tcp, pipeline->reached_ns);
	next_ns = exchange_table_expire(pipeline->exchanges,
					pipeline->reached_ns);
	pipeline->reached_ns = now_ns;
	lines_flush(&pipeline->lines);
	if (next_ns <= now_ns)
		return 1;
	wait_ms = (next_ns - now_ns) / PIPELINE_NS_PER_MS + 1;
	return wait_ms < PIPELINE_EXPIRE_MS ? (int)wait_ms
					    : PIPELINE_EXPIRE_MS;
}

void
pipeline_hurry(struct pipeline *pipeline)
{
	lines_hurry(&pipeline->lines);
}

void
pipeline_flush(struct pipeline *pipeline)
{
	tcp_table_flush(pipeline->tcp);
	exchange_table_flush(pipeline->exchanges);
	lines_flush(&pipeline->lines);
}

int
pipeline_print_error(const struct pipeline *pipeline)
{
	return pipeline->lines.text.error;
}

void
pipeline_count(const struct pipeline *pipeline, struct metrics_view *view)
{
	view->metrics = &pipeline->metrics;
	tcp_table_count(pipeline->tcp, &view->tcp);
	exchange_table_count(pipeline->exchanges, &view->exchange);
}
