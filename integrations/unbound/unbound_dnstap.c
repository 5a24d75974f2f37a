/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unbound_dnstap.c: the symbols that unbound's own dnstap code would define.
 *
 * unbound calls them from places that are the same in all releases:
 *
 *   dt_create            main thread, after chroot, setuid and daemonize
 *   dt_init              each worker thread, on its own copy of the env
 *   dt_io_thread_start   main thread, once
 *   dt_msg_send_*        the worker's thread
 *   dt_io_thread_stop    main thread, when all other workers have ended
 *   dt_deinit            main thread, for each worker; also without dt_init
 *   dt_delete            main thread
 *
 * and all over again at each reload. The opaque pointers in struct dt_env
 * carry our own: dtio the tap, msgqueue what the worker holds. identity and
 * version stay NULL: the tap has copies, so that fast_reload, which swaps and
 * frees the strings under live workers, cannot hurt.
 *
 * The six log bits tell unbound only whether to call; all are set when there
 * is a tap. Which types are wanted is the tap's business: so it can change
 * while workers run, and each client query is seen, whose time the response
 * needs.
 *
 * A failing dt_create, dt_init or dt_io_thread_start would end the server, so
 * they do not fail: without a tap or a worker of ours, nothing is logged.
 */
#include "unbound_host.h"

#include <stdlib.h>

#include "unbound_event.h"
#include "unbound_pending.h"
#include "unbound_tap.h"

/* RD, in the first octet of the flags (RFC 1035 section 4.1.1). */
#define DNSTAP_FLAG_RD 0x01
#define DNSTAP_HEADER_FLAGS 2

static struct unbound_tap *
dnstap_tap(const struct dt_env *env)
{
	return env != NULL ? (struct unbound_tap *)env->dtio : NULL;
}

static struct unbound_worker *
dnstap_worker(const struct dt_env *env)
{
	return (struct unbound_worker *)env->msgqueue;
}

/* Always NULL where there is nobody to tell. */
static dtap_producer *
dnstap_producer(const struct dt_env *env)
{
	const struct unbound_worker *worker = dnstap_worker(env);

	return worker != NULL ? worker->producer : NULL;
}

static void
dnstap_ask_for_all(struct dt_env *env)
{
	env->log_client_query_messages = 1;
	env->log_client_response_messages = 1;
	env->log_resolver_query_messages = 1;
	env->log_resolver_response_messages = 1;
	env->log_forwarder_query_messages = 1;
	env->log_forwarder_response_messages = 1;
}

struct dt_env *
dt_create(struct config_file *cfg)
{
	struct dt_env *env = calloc(1, sizeof(*env));
	struct unbound_tap *tap;

	if (env == NULL)
		return NULL;
	tap = unbound_tap_open(cfg);
	env->dtio = (struct dt_io_thread *)tap;
	if (tap != NULL)
		dnstap_ask_for_all(env);
	return env;
}

static void
dnstap_apply(struct dt_env *env, const struct config_file *cfg)
{
	struct unbound_tap *tap = dnstap_tap(env);

	if (tap != NULL && cfg->dnstap)
		unbound_tap_reconfigure(tap, cfg);
}

UNBOUND_APPLY_RESULT
dt_apply_cfg(struct dt_env *env, struct config_file *cfg)
{
	dnstap_apply(env, cfg);
	UNBOUND_APPLIED;
}

#if UBVER >= 123
void
dt_apply_logcfg(struct dt_env *env, struct config_file *cfg)
{
	dnstap_apply(env, cfg);
}
#endif

int
dt_init(struct dt_env *env, struct comm_base *base)
{
	struct unbound_tap *tap = dnstap_tap(env);

	(void)base;
	if (tap != NULL)
		env->msgqueue =
			(struct dt_msg_queue *)unbound_worker_open(tap);
	return 1;
}

void
dt_deinit(struct dt_env *env)
{
	unbound_worker_close(dnstap_worker(env));
	env->msgqueue = NULL;
}

void
dt_delete(struct dt_env *env)
{
	unbound_tap_close(dnstap_tap(env));
	free(env);
}

int
dt_io_thread_start(struct dt_io_thread *dtio, void *base, int workers)
{
	(void)base;
	(void)workers;
	if (dtio != NULL)
		unbound_tap_start((struct unbound_tap *)dtio);
	return 1;
}

void
dt_io_thread_stop(struct dt_io_thread *dtio)
{
	if (dtio != NULL)
		unbound_tap_stop((struct unbound_tap *)dtio);
}

static struct timespec
dnstap_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now;
}

static struct timespec
dnstap_time(const struct timeval *time)
{
	return (struct timespec){ .tv_sec = time->tv_sec,
				  .tv_nsec = time->tv_usec * 1000L };
}

/*
 * Only where ID and client tell queries apart: the streams of one HTTPS or
 * QUIC connection may all use ID 0.
 */
static bool
dnstap_identify(struct unbound_exchange *exchange,
		const struct sockaddr_storage *client,
		const struct sockaddr_storage *local,
		enum comm_point_type transport,
		struct sldns_buffer *message)
{
	return (transport == comm_udp || transport == comm_tcp) &&
	       unbound_exchange_init(exchange, (const struct sockaddr *)client,
				     local, sldns_buffer_begin(message),
				     sldns_buffer_limit(message));
}

void
dt_msg_send_client_query(struct dt_env *env, struct sockaddr_storage *client,
			 struct sockaddr_storage *local,
			 enum comm_point_type transport UNBOUND_PARAMETER_TLS,
			 struct sldns_buffer *query UNBOUND_PARAMETER_STAMP)
{
	const struct timeval *received = UNBOUND_STAMP;
	dtap_producer *producer = dnstap_producer(env);
	struct dtap_event event = DTAP_EVENT_INIT;
	struct unbound_exchange exchange;
	struct timespec came;

	if (producer == NULL)
		return;
	came = received != NULL ? dnstap_time(received) : dnstap_now();
	if (dnstap_worker(env)->pending != NULL &&
	    dtap_wants(producer, DTAP_CLIENT_RESPONSE) &&
	    dnstap_identify(&exchange, client, local, transport, query))
		unbound_pending_put(dnstap_worker(env)->pending, &exchange,
				    &came);
	if (!dtap_wants(producer, DTAP_CLIENT_QUERY))
		return;
	unbound_event_init(&event, DTAP_CLIENT_QUERY, client, local, transport,
			   UNBOUND_TLS);
	unbound_event_set_query(&event, query);
	unbound_event_set_query_time(&event, &came);
	(void)dtap_submit(producer, &event);
}

void
dt_msg_send_client_response(struct dt_env *env, struct sockaddr_storage *client,
			    struct sockaddr_storage *local,
			    enum comm_point_type transport
				    UNBOUND_PARAMETER_TLS,
			    struct sldns_buffer *response)
{
	dtap_producer *producer = dnstap_producer(env);
	struct dtap_event event = DTAP_EVENT_INIT;
	struct unbound_exchange exchange;
	struct timespec came;
	struct timespec now;

	if (!dtap_wants(producer, DTAP_CLIENT_RESPONSE))
		return;
	now = dnstap_now();
	unbound_event_init(&event, DTAP_CLIENT_RESPONSE, client, local,
			   transport, UNBOUND_TLS);
	unbound_event_set_response(&event, response);
	unbound_event_set_response_time(&event, &now);
	if (dnstap_worker(env)->pending != NULL &&
	    dnstap_identify(&exchange, client, local, transport, response) &&
	    unbound_pending_take(dnstap_worker(env)->pending, &exchange, &came))
		unbound_event_set_query_time(&event, &came);
	(void)dtap_submit(producer, &event);
}

/* unbound's own rule: it asks forwarders for recursion, and nobody else. */
static bool
dnstap_is_forwarded(const uint8_t *flags)
{
	return (*flags & DNSTAP_FLAG_RD) != 0;
}

static void
dnstap_set_zone(struct dtap_event *event, const uint8_t *zone, size_t bytes)
{
	event->query_zone = zone;
	event->query_zone_bytes = zone != NULL ? (uint32_t)bytes : 0;
}

void
dt_msg_send_outside_query(struct dt_env *env, struct sockaddr_storage *remote,
			  struct sockaddr_storage *local,
			  enum comm_point_type transport UNBOUND_PARAMETER_TLS,
			  uint8_t *zone, size_t zone_bytes,
			  struct sldns_buffer *query)
{
	dtap_producer *producer = dnstap_producer(env);
	struct dtap_event event = DTAP_EVENT_INIT;
	enum dtap_message_type type = DTAP_RESOLVER_QUERY;
	struct timespec now;

	if (sldns_buffer_limit(query) > DNSTAP_HEADER_FLAGS &&
	    dnstap_is_forwarded(sldns_buffer_begin(query) +
				DNSTAP_HEADER_FLAGS))
		type = DTAP_FORWARDER_QUERY;
	if (!dtap_wants(producer, type))
		return;
	now = dnstap_now();
	unbound_event_init(&event, type, local, remote, transport, UNBOUND_TLS);
	dnstap_set_zone(&event, zone, zone_bytes);
	unbound_event_set_query(&event, query);
	unbound_event_set_query_time(&event, &now);
	(void)dtap_submit(producer, &event);
}

/* Of the query only what follows its ID is given: flags, then the question. */
void
dt_msg_send_outside_response(struct dt_env *env,
			     struct sockaddr_storage *remote,
			     struct sockaddr_storage *local,
			     enum comm_point_type transport
				     UNBOUND_PARAMETER_TLS,
			     uint8_t *zone, size_t zone_bytes, uint8_t *flags,
			     size_t flags_bytes, const struct timeval *sent,
			     const struct timeval *received,
			     struct sldns_buffer *response)
{
	dtap_producer *producer = dnstap_producer(env);
	struct dtap_event event = DTAP_EVENT_INIT;
	enum dtap_message_type type = DTAP_RESOLVER_RESPONSE;
	struct timespec query_time = dnstap_time(sent);
	struct timespec response_time = dnstap_time(received);

	if (flags_bytes > 0 && dnstap_is_forwarded(flags))
		type = DTAP_FORWARDER_RESPONSE;
	if (!dtap_wants(producer, type))
		return;
	unbound_event_init(&event, type, local, remote, transport, UNBOUND_TLS);
	dnstap_set_zone(&event, zone, zone_bytes);
	unbound_event_set_response(&event, response);
	unbound_event_set_query_time(&event, &query_time);
	unbound_event_set_response_time(&event, &response_time);
	(void)dtap_submit(producer, &event);
}
