/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forwarder.h: a DNS server that asks another one, in four small parts.
 *
 *   forwarder_main.c      options, threads, signals
 *   forwarder_clients.c   queries that come in by UDP and TCP, and answers
 *   forwarder_upstream.c  the same queries on their way out and back
 *   forwarder_loop.c      one thread: epoll, and what is late
 *   forwarder_dnstap.c    what dnstap learns of all that
 *
 * Each thread has sockets of its own (SO_REUSEPORT) and shares nothing with
 * the others. A query is an exchange from its arrival until its answer; each
 * has a socket of its own towards the upstream server, so that the kernel
 * chooses the port at random and lets nobody else's datagrams in.
 */
#ifndef FORWARDER_H
#define FORWARDER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>

#include <dnstap/dtap.h>

#define DNS_HEADER_BYTES 12
#define DNS_MESSAGE_BYTES_MAX 65535

/* Of one thread, at a time. */
#define EXCHANGES_MAX 1024
#define CONNECTIONS_MAX 256
#define LISTENERS_MAX 16

struct address {
	struct sockaddr_storage sockaddr;
	socklen_t bytes;
};

struct settings {
	struct address listen[LISTENERS_MAX / 2]; /* UDP and TCP, both */
	size_t listen_count;
	struct address upstream;
	uint32_t timeout_ms; /* of an upstream's answer */
	uint32_t idle_ms;    /* of a TCP client that does nothing */
};

struct worker;

/* A descriptor that epoll watches; fd is -1 when there is none. */
struct watch {
	int fd;
	void (*ready)(struct worker *worker, struct watch *watch,
		      uint32_t events);
};

struct listener {
	struct watch watch;
	struct address local;
};

/* Something that is late when its time has come; in the order of that. */
struct wait {
	struct wait *previous, *next;
	uint64_t until_ms;
};

/* A message with its length in front, as TCP carries it, coming or going. */
struct transfer {
	uint8_t *octets; /* two of length, then the message; malloc() */
	size_t bytes;    /* of all of it; 0: not known yet */
	size_t done;
};

/* A client's TCP connection; it has one exchange at a time. */
struct connection {
	struct watch watch;
	struct wait idle;
	struct address local, client;
	struct transfer query, answer;
	struct exchange *exchange;
};

/* A query, from its arrival until its answer. */
struct exchange {
	struct watch upstream;
	struct wait late;
	bool tcp;
	struct listener *listener;     /* of a UDP client */
	struct connection *connection; /* of a TCP client that is still there */
	struct address client, local;  /* on the client's side */
	struct address source;         /* our end, on the upstream's side */
	struct timespec received, asked;
	uint16_t client_id;
	struct transfer query;  /* with our id */
	struct transfer answer; /* of a TCP upstream */
};

struct worker {
	const struct settings *settings;
	dtap_producer *producer;
	int epoll;
	struct watch ending; /* readable when the server ends */
	bool ended;
	struct listener listeners[LISTENERS_MAX];
	size_t listeners_count;
	size_t exchanges_count, connections_count;
	struct wait exchanges, connections; /* heads of circular lists */
};

static inline uint16_t
dns_get16(const uint8_t *octets)
{
	return (uint16_t)(octets[0] << 8 | octets[1]);
}

static inline void
dns_put16(uint8_t *octets, uint16_t value)
{
	octets[0] = (uint8_t)(value >> 8);
	octets[1] = (uint8_t)value;
}

/* forwarder_loop.c */

/* Serves until ending is readable. -1 with errno when it cannot begin. */
int
worker_run(struct worker *worker, const struct settings *settings, dtap *tap,
	   int ending);

int
worker_watch(struct worker *worker, struct watch *watch, uint32_t events);

void
worker_rewatch(struct worker *worker, struct watch *watch, uint32_t events);

void
watch_close(struct watch *watch);

uint64_t
clock_ms(void);

void
wait_begin(struct wait *list, struct wait *wait, uint64_t until_ms);

void
wait_end(struct wait *wait);

/* Continues as far as the socket lets it: 1 whole, 0 later, -1 broken. */
int
transfer_read(struct transfer *transfer, int fd);

int
transfer_write(struct transfer *transfer, int fd);

/* An empty one of that many octets behind the length; false: no memory. */
bool
transfer_make(struct transfer *transfer, size_t message_bytes);

void
transfer_free(struct transfer *transfer);

/* forwarder_clients.c */

int
clients_listen(struct worker *worker, const struct address *address,
	       int type);

/* Sends the answer, which has the client's id, and ends the exchange. */
void
clients_answer(struct worker *worker, struct exchange *exchange,
	       const uint8_t *message, size_t bytes);

void
connection_close(struct worker *worker, struct connection *connection);

/* forwarder_upstream.c */

/* Takes over the query. The exchange is NULL when there is no room. */
void
upstream_ask(struct worker *worker, struct exchange *exchange);

/* Answers SERVFAIL in the upstream's place. */
void
upstream_fail(struct worker *worker, struct exchange *exchange);

struct exchange *
exchange_new(struct worker *worker, const uint8_t *query, size_t bytes);

void
exchange_end(struct worker *worker, struct exchange *exchange);

/* forwarder_dnstap.c */

/* All that dnstap needs to be told. */
void
dnstap_message(dtap_producer *producer, enum dtap_message_type type,
	       const struct settings *settings,
	       const struct exchange *exchange, const uint8_t *message,
	       size_t bytes);

#endif
