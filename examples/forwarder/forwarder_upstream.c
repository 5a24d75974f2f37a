/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forwarder_upstream.c: queries on their way to the upstream server.
 *
 * A query goes out as it came in, but for an id of our own, and over the
 * transport on which it came; so does its answer. Believed is an answer with
 * that id and the same question, from the address that was asked; anything
 * else is as if it had not come. Without an answer in time, and without a way
 * to ask, the client is told SERVFAIL.
 */
#include "forwarder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <unistd.h>

#define UPSTREAM_NAME_BYTES_MAX 255
#define UPSTREAM_TRIES 8 /* datagrams that are not the answer, in a row */
#define RCODE_SERVFAIL 2
#define RCODE_NOTIMP 4
#define TYPE_IXFR 251
#define TYPE_AXFR 252

struct exchange *
exchange_new(struct worker *worker, const uint8_t *query, size_t bytes)
{
	struct exchange *exchange;

	if (worker->exchanges_count == EXCHANGES_MAX)
		return NULL;
	exchange = calloc(1, sizeof(*exchange));
	if (exchange == NULL || !transfer_make(&exchange->query, bytes)) {
		free(exchange);
		return NULL;
	}
	memcpy(exchange->query.octets + 2, query, bytes);
	exchange->upstream.fd = -1;
	wait_begin(&worker->exchanges, &exchange->late,
		   clock_ms() + worker->settings->timeout_ms);
	worker->exchanges_count++;
	return exchange;
}

void
exchange_end(struct worker *worker, struct exchange *exchange)
{
	if (exchange->connection != NULL)
		exchange->connection->exchange = NULL;
	wait_end(&exchange->late);
	watch_close(&exchange->upstream);
	transfer_free(&exchange->query);
	transfer_free(&exchange->answer);
	worker->exchanges_count--;
	free(exchange);
}

/* Octets of header and first question; 0 when there is no such thing. */
static size_t
upstream_question(const uint8_t *message, size_t bytes)
{
	size_t at = DNS_HEADER_BYTES;

	if (bytes < DNS_HEADER_BYTES || dns_get16(message + 4) != 1)
		return 0;
	while (at < bytes && message[at] != 0) {
		if (message[at] > 63) /* no pointers in a question */
			return 0;
		at += message[at] + 1u;
	}
	at += 1 + 2 + 2; /* the root label, type and class */
	return at <= bytes && at <= DNS_HEADER_BYTES +
					    UPSTREAM_NAME_BYTES_MAX + 4
		       ? at
		       : 0;
}

/* Answers in the upstream's place. */
static void
upstream_refuse(struct worker *worker, struct exchange *exchange,
		uint8_t rcode)
{
	uint8_t message[DNS_HEADER_BYTES + UPSTREAM_NAME_BYTES_MAX + 4];
	const uint8_t *query = exchange->query.octets + 2;
	size_t bytes = upstream_question(query, exchange->query.bytes - 2);

	memset(message, 0, DNS_HEADER_BYTES);
	if (bytes != 0) {
		memcpy(message, query, bytes);
		memset(message + 6, 0, 6); /* no other records */
	} else {
		memcpy(message, query, 4);
		bytes = DNS_HEADER_BYTES;
	}
	dns_put16(message, exchange->client_id);
	/* A response to the same opcode, with the same RD. */
	message[2] = (uint8_t)(0x80 | (query[2] & 0x79));
	message[3] = 0x80 | rcode; /* RA */
	clients_answer(worker, exchange, message, bytes);
}

void
upstream_fail(struct worker *worker, struct exchange *exchange)
{
	upstream_refuse(worker, exchange, RCODE_SERVFAIL);
}

/* Its answer may be many messages, of which we would pass on one. */
static bool
upstream_is_transfer(const struct exchange *exchange)
{
	const uint8_t *query = exchange->query.octets + 2;
	size_t question = upstream_question(query, exchange->query.bytes - 2);
	uint16_t type = question == 0 ? 0 : dns_get16(query + question - 4);

	return type == TYPE_AXFR || type == TYPE_IXFR;
}

static bool
upstream_is_answer(const struct exchange *exchange, const uint8_t *message,
		   size_t bytes)
{
	const uint8_t *query = exchange->query.octets + 2;
	size_t question = upstream_question(query, exchange->query.bytes - 2);

	if (bytes < DNS_HEADER_BYTES || (message[2] & 0x80) == 0 ||
	    dns_get16(message) != dns_get16(query))
		return false;
	/* Errors may come without the question. */
	if (question == 0 || dns_get16(message + 4) == 0)
		return true;
	return bytes >= question &&
	       memcmp(message + DNS_HEADER_BYTES, query + DNS_HEADER_BYTES,
		      question - DNS_HEADER_BYTES) == 0;
}

static void
upstream_answer(struct worker *worker, struct exchange *exchange,
		uint8_t *message, size_t bytes)
{
	dnstap_message(worker->producer, DTAP_FORWARDER_RESPONSE,
		       worker->settings, exchange, message, bytes);
	dns_put16(message, exchange->client_id);
	clients_answer(worker, exchange, message, bytes);
}

static void
upstream_datagram(struct worker *worker, struct exchange *exchange)
{
	static _Thread_local uint8_t message[DNS_MESSAGE_BYTES_MAX];

	for (int i = 0; i < UPSTREAM_TRIES; i++) {
		ssize_t got = recv(exchange->upstream.fd, message,
				   sizeof(message), 0);

		if (got < 0 && errno != EAGAIN && errno != EINTR)
			upstream_fail(worker, exchange); /* it is not there */
		if (got < 0)
			return;
		if (upstream_is_answer(exchange, message, (size_t)got)) {
			upstream_answer(worker, exchange, message, (size_t)got);
			return;
		}
	}
}

/* Sends what is left of the query; tells of it when all has gone. */
static int
upstream_send(struct worker *worker, struct exchange *exchange)
{
	struct transfer *query = &exchange->query;
	int state;

	clock_gettime(CLOCK_REALTIME, &exchange->asked);
	if (exchange->tcp)
		state = transfer_write(query, exchange->upstream.fd);
	else
		state = send(exchange->upstream.fd, query->octets + 2,
			     query->bytes - 2, 0) > 0
				? 1
				: -1;
	if (state == 1) {
		exchange->source.bytes = sizeof(exchange->source.sockaddr);
		getsockname(exchange->upstream.fd,
			    (struct sockaddr *)&exchange->source.sockaddr,
			    &exchange->source.bytes);
		dnstap_message(worker->producer, DTAP_FORWARDER_QUERY,
			       worker->settings, exchange, query->octets + 2,
			       query->bytes - 2);
	}
	return state;
}

static void
upstream_stream(struct worker *worker, struct exchange *exchange,
		uint32_t events)
{
	struct transfer *answer = &exchange->answer;
	int state;

	if ((events & EPOLLOUT) && !(events & (EPOLLERR | EPOLLHUP))) {
		state = upstream_send(worker, exchange);
		if (state == 1)
			worker_rewatch(worker, &exchange->upstream, EPOLLIN);
	} else {
		state = transfer_read(answer, exchange->upstream.fd);
		if (state == 1 &&
		    upstream_is_answer(exchange, answer->octets + 2,
				       answer->bytes - 2)) {
			upstream_answer(worker, exchange, answer->octets + 2,
					answer->bytes - 2);
			return;
		}
		if (state == 1)
			state = -1;
	}
	if (state < 0)
		upstream_fail(worker, exchange);
}

static void
upstream_ready(struct worker *worker, struct watch *watch, uint32_t events)
{
	char *upstream = (char *)watch;
	struct exchange *exchange =
		(void *)(upstream - offsetof(struct exchange, upstream));

	if (exchange->tcp)
		upstream_stream(worker, exchange, events);
	else
		upstream_datagram(worker, exchange);
}

/* A socket for this exchange alone, on its way to the upstream server. */
static bool
upstream_connect(struct worker *worker, struct exchange *exchange)
{
	const struct address *upstream = &worker->settings->upstream;
	int type = exchange->tcp ? SOCK_STREAM : SOCK_DGRAM;

	exchange->upstream.ready = upstream_ready;
	exchange->upstream.fd = socket(upstream->sockaddr.ss_family,
				       type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	return exchange->upstream.fd >= 0 &&
	       (connect(exchange->upstream.fd,
			(const struct sockaddr *)&upstream->sockaddr,
			upstream->bytes) == 0 ||
		errno == EINPROGRESS) &&
	       worker_watch(worker, &exchange->upstream,
			    exchange->tcp ? EPOLLOUT : EPOLLIN) == 0;
}

void
upstream_ask(struct worker *worker, struct exchange *exchange)
{
	uint16_t id;

	if (upstream_is_transfer(exchange)) {
		upstream_refuse(worker, exchange, RCODE_NOTIMP);
		return;
	}
	if (getrandom(&id, sizeof(id), GRND_NONBLOCK) != sizeof(id) ||
	    !upstream_connect(worker, exchange)) {
		upstream_fail(worker, exchange);
		return;
	}
	dns_put16(exchange->query.octets + 2, id);
	/* Over TCP: when the connection is there. */
	if (!exchange->tcp && upstream_send(worker, exchange) < 0)
		upstream_fail(worker, exchange);
}
