/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_peer_fstrm.c: protobuf-c and libfstrm, in two ways.
 *
 *   Knot's   what Knot DNS, and with small differences BIND and Unbound, do
 *            for each event: fill the message structures, serialise into a
 *            buffer that begins with 256 octets and is doubled as needed,
 *            fstrm_iothr_submit(), with the I/O thread's default options
 *   best     the fastest that the two libraries allow: the exact size first,
 *            one malloc, one pack; input queue 16384, output queue 1024,
 *            buffer hint 64 KiB, and the I/O thread woken when a quarter of
 *            the queue is in use
 *
 * A discarding file is /dev/null: the peers' threads get the cheapest output.
 */
#include "bench.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <fstrm.h>
#include <protobuf-c/protobuf-c.h>

#include "proto/dnstap.pb-c.h"

#define PEER_CONTENT_TYPE "protobuf:dnstap.Dnstap"
#define PEER_FIRST_BYTES 256 /* where Knot's buffer begins */
#define PEER_QUEUE 16384
#define PEER_OUTPUT_QUEUE 1024
#define PEER_BUFFER_HINT 65536

struct peer {
	struct fstrm_iothr *iothr;
	struct fstrm_iothr_queue *queue;
	bool best;
	struct bench_event event;
	_Atomic uint64_t freed; /* by the I/O thread, after writing */
	_Atomic bool closing;	/* for an output that takes nothing */
};

/* As fstrm_free_wrapper(), and counts. */
static void
peer_free(void *data, void *context)
{
	struct peer *peer = context;

	free(data);
	atomic_store_explicit(
		&peer->freed,
		atomic_load_explicit(&peer->freed, memory_order_relaxed) + 1,
		memory_order_relaxed);
}

/*
 * The message, from what a server has at hand. All of it is set anew for
 * each event, as the servers do.
 */
static inline void
peer_fill(Dnstap__Message *message, const struct dtap_event *event)
{
	dnstap__message__init(message);
	message->type = (Dnstap__Message__Type)event->type;
	message->has_socket_family = 1;
	message->socket_family = (Dnstap__SocketFamily)event->socket_family;
	message->has_socket_protocol = 1;
	message->socket_protocol =
		(Dnstap__SocketProtocol)event->socket_protocol;
	message->has_query_address = 1;
	message->query_address.data = (uint8_t *)(uintptr_t)
					      event->query_address;
	message->query_address.len = event->query_address_bytes;
	message->has_query_port = 1;
	message->query_port = event->query_port;
	message->has_response_address = 1;
	message->response_address.data = (uint8_t *)(uintptr_t)
						 event->response_address;
	message->response_address.len = event->response_address_bytes;
	message->has_response_port = 1;
	message->response_port = event->response_port;
	message->has_query_time_sec = 1;
	message->query_time_sec = event->query_time_sec;
	message->has_query_time_nsec = 1;
	message->query_time_nsec = event->query_time_nsec;
	if (event->query_message_bytes != 0) {
		message->has_query_message = 1;
		message->query_message.data = (uint8_t *)(uintptr_t)
						      event->query_message;
		message->query_message.len = event->query_message_bytes;
	}
	if (event->response_message_bytes != 0) {
		message->has_response_time_sec = 1;
		message->response_time_sec = event->response_time_sec;
		message->has_response_time_nsec = 1;
		message->response_time_nsec = event->response_time_nsec;
		message->has_response_message = 1;
		message->response_message.data =
			(uint8_t *)(uintptr_t)event->response_message;
		message->response_message.len = event->response_message_bytes;
	}
}

static inline void
peer_wrap(Dnstap__Dnstap *dnstap, Dnstap__Message *message)
{
	dnstap__dnstap__init(dnstap);
	dnstap->type = DNSTAP__DNSTAP__TYPE__MESSAGE;
	dnstap->has_identity = 1;
	dnstap->identity.data = (uint8_t *)(uintptr_t)BENCH_IDENTITY;
	dnstap->identity.len = sizeof(BENCH_IDENTITY) - 1;
	dnstap->has_version = 1;
	dnstap->version.data = (uint8_t *)(uintptr_t)BENCH_VERSION;
	dnstap->version.len = sizeof(BENCH_VERSION) - 1;
	dnstap->message = message;
}

/* Into a buffer that grows; NULL without memory. */
static inline uint8_t *
peer_pack_growing(const Dnstap__Dnstap *dnstap, size_t *bytes)
{
	ProtobufCBufferSimple buffer = { 0 };

	buffer.base.append = protobuf_c_buffer_simple_append;
	buffer.data = malloc(PEER_FIRST_BYTES);
	if (buffer.data == NULL)
		return NULL;
	buffer.alloced = PEER_FIRST_BYTES;
	buffer.must_free_data = 1;
	*bytes = dnstap__dnstap__pack_to_buffer(dnstap, &buffer.base);
	return buffer.data;
}

/* Into a buffer of exactly the right size. */
static inline uint8_t *
peer_pack_sized(const Dnstap__Dnstap *dnstap, size_t *bytes)
{
	uint8_t *data;

	*bytes = dnstap__dnstap__get_packed_size(dnstap);
	data = malloc(*bytes);
	if (data != NULL)
		dnstap__dnstap__pack(dnstap, data);
	return data;
}

static inline bool
peer_submit(struct peer *peer, const struct dtap_event *event, bool best)
{
	Dnstap__Message message;
	Dnstap__Dnstap dnstap;
	uint8_t *data;
	size_t bytes;

	peer_fill(&message, event);
	peer_wrap(&dnstap, &message);
	data = best ? peer_pack_sized(&dnstap, &bytes)
		    : peer_pack_growing(&dnstap, &bytes);
	if (data == NULL)
		return false;
	if (fstrm_iothr_submit(peer->iothr, peer->queue, data, bytes,
			       peer_free, peer) == fstrm_res_success)
		return true;
	free(data);
	return false;
}

static inline bool
knot_submit(void *self, struct bench_event *event)
{
	return peer_submit(self, &event->event, false);
}

static inline bool
tuned_submit(void *self, struct bench_event *event)
{
	return peer_submit(self, &event->event, true);
}

BENCH_LOOPS(knot, struct peer)
BENCH_LOOPS(tuned, struct peer)

/*
 * An output that takes nothing until the end.
 */
static fstrm_res
peer_blocked_open(void *context)
{
	(void)context;
	return fstrm_res_success;
}

static fstrm_res
peer_blocked_write(void *context, const struct iovec *parts, int count)
{
	struct peer *peer = context;

	(void)parts;
	(void)count;
	while (!atomic_load(&peer->closing))
		bench_sleep_ns(10000000);
	return fstrm_res_success;
}

static struct fstrm_writer *
peer_blocked_writer(struct peer *peer, const struct fstrm_writer_options *of)
{
	struct fstrm_rdwr *rdwr = fstrm_rdwr_init(peer);

	fstrm_rdwr_set_open(rdwr, peer_blocked_open);
	fstrm_rdwr_set_close(rdwr, peer_blocked_open);
	fstrm_rdwr_set_write(rdwr, peer_blocked_write);
	return fstrm_writer_init(of, &rdwr);
}

static struct fstrm_writer *
peer_file_writer(const char *path, const struct fstrm_writer_options *of)
{
	struct fstrm_file_options *options = fstrm_file_options_init();
	struct fstrm_writer *writer;

	fstrm_file_options_set_file_path(options, path);
	writer = fstrm_file_writer_init(options, of);
	fstrm_file_options_destroy(&options);
	return writer;
}

static struct fstrm_writer *
peer_unix_writer(const char *path, const struct fstrm_writer_options *of)
{
	struct fstrm_unix_writer_options *options =
		fstrm_unix_writer_options_init();
	struct fstrm_writer *writer;

	fstrm_unix_writer_options_set_socket_path(options, path);
	writer = fstrm_unix_writer_init(options, of);
	fstrm_unix_writer_options_destroy(&options);
	return writer;
}

/* place: ADDRESS:PORT, IPv4 */
static struct fstrm_writer *
peer_tcp_writer(const char *place, const struct fstrm_writer_options *of)
{
	struct fstrm_tcp_writer_options *options =
		fstrm_tcp_writer_options_init();
	struct fstrm_writer *writer;
	char address[64];
	const char *colon = strrchr(place, ':');

	memcpy(address, place, (size_t)(colon - place));
	address[colon - place] = '\0';
	fstrm_tcp_writer_options_set_socket_address(options, address);
	fstrm_tcp_writer_options_set_socket_port(options, colon + 1);
	writer = fstrm_tcp_writer_init(options, of);
	fstrm_tcp_writer_options_destroy(&options);
	return writer;
}

static struct fstrm_writer *
peer_writer(struct peer *peer, const char *uri)
{
	struct fstrm_writer_options *options = fstrm_writer_options_init();
	struct fstrm_writer *writer = NULL;

	fstrm_writer_options_add_content_type(options, PEER_CONTENT_TYPE,
					      sizeof(PEER_CONTENT_TYPE) - 1);
	if (uri == NULL)
		writer = peer_blocked_writer(peer, options);
	else if (strncmp(uri, "file:", 5) == 0)
		writer = peer_file_writer(uri + 5, options);
	else if (strncmp(uri, "unix:", 5) == 0)
		writer = peer_unix_writer(uri + 5, options);
	else if (strncmp(uri, "tcp:", 4) == 0)
		writer = peer_tcp_writer(uri + 4, options);
	fstrm_writer_options_destroy(&options);
	return writer;
}

static void
peer_tune(struct fstrm_iothr_options *options)
{
	fstrm_iothr_options_set_input_queue_size(options, PEER_QUEUE);
	fstrm_iothr_options_set_output_queue_size(options, PEER_OUTPUT_QUEUE);
	fstrm_iothr_options_set_buffer_hint(options, PEER_BUFFER_HINT);
	/* Counted in free entries. */
	fstrm_iothr_options_set_queue_notify_threshold(options,
						       PEER_QUEUE / 4 * 3);
}

static struct peer *
peer_open(const char *uri, enum bench_kind kind, bool best)
{
	struct fstrm_iothr_options *options = fstrm_iothr_options_init();
	struct peer *peer = calloc(1, sizeof(*peer));
	struct fstrm_writer *writer;

	bench_event_init(&peer->event, kind);
	fstrm_iothr_options_set_queue_model(options,
					    FSTRM_IOTHR_QUEUE_MODEL_SPSC);
	if (best)
		peer_tune(options);
	writer = peer_writer(peer, uri);
	bench_pin(1);
	peer->iothr = fstrm_iothr_init(options, &writer);
	bench_pin(0);
	fstrm_iothr_options_destroy(&options);
	peer->queue = fstrm_iothr_get_input_queue(peer->iothr);
	return peer;
}

static void *
knot_open(const char *uri, enum bench_kind kind)
{
	return peer_open(uri, kind, false);
}

static void *
tuned_open(const char *uri, enum bench_kind kind)
{
	return peer_open(uri, kind, true);
}

static uint64_t
peer_written(void *self)
{
	struct peer *peer = self;

	return atomic_load(&peer->freed);
}

static void
peer_close(void *self)
{
	struct peer *peer = self;

	atomic_store(&peer->closing, true);
	fstrm_iothr_destroy(&peer->iothr);
	free(peer);
}

const struct bench_subject bench_knot = {
	.name = "protobuf-c + fstrm_iothr, as Knot DNS",
	.open = knot_open,
	.burst = knot_burst,
	.insist = knot_insist,
	.pace = knot_pace,
	.written = peer_written,
	.close = peer_close,
	/* The default queue has 512 entries; at 480 its thread wakes up. */
	.burst_events = { 500, 500 },
	/* The output queue waits for 64 parts, two a frame, or a second. */
	.slack_events = 32,
};

const struct bench_subject bench_tuned = {
	.name = "protobuf-c + fstrm_iothr, at their best",
	.open = tuned_open,
	.burst = tuned_burst,
	.insist = tuned_insist,
	.pace = tuned_pace,
	.written = peer_written,
	.close = peer_close,
	.burst_events = { 5000, 5000 },
	.slack_events = 512,
};
