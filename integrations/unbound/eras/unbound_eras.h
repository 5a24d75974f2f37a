/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unbound_eras.h: the interface between unbound and its dnstap code, release
 * by release, as far as the shim uses it.
 *
 * Written from the facts of the releases 1.13.2 to 1.26, so that every variant
 * of the shim is compiled, and its configuration tested, without unbound. It
 * knows names and types, not layouts: objects made with it are never linked
 * into unbound. See unbound_host.h for UBVER.
 */
#ifndef DTAP_UNBOUND_ERAS_H
#define DTAP_UNBOUND_ERAS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/time.h>

#ifndef PACKAGE_STRING
#define PACKAGE_STRING "unbound of the facts"
#endif

struct comm_base;
struct dt_io_thread;
struct dt_msg_queue;
struct sldns_buffer;

enum comm_point_type {
	comm_udp,
	comm_tcp_accept,
	comm_tcp,
	comm_http,
#if UBVER >= 122
	comm_doq,
#endif
	comm_local,
	comm_raw
};

enum verbosity_value {
	NO_VERBOSE,
	VERB_OPS,
	VERB_DETAIL
};

struct config_file {
	char *chrootdir;
	int dnstap;
	int dnstap_bidirectional;
	char *dnstap_socket_path;
	char *dnstap_ip;
	int dnstap_tls;
	int dnstap_send_identity;
	int dnstap_send_version;
	char *dnstap_identity;
	char *dnstap_version;
#if UBVER >= 121
	int dnstap_sample_rate;
#endif
	int dnstap_log_resolver_query_messages;
	int dnstap_log_resolver_response_messages;
	int dnstap_log_client_query_messages;
	int dnstap_log_client_response_messages;
	int dnstap_log_forwarder_query_messages;
	int dnstap_log_forwarder_response_messages;
};

struct dt_env {
	struct dt_io_thread *dtio;
	struct dt_msg_queue *msgqueue;
	char *identity;
	char *version;
	unsigned len_identity;
	unsigned len_version;
	unsigned log_resolver_query_messages : 1;
	unsigned log_resolver_response_messages : 1;
	unsigned log_client_query_messages : 1;
	unsigned log_client_response_messages : 1;
	unsigned log_forwarder_query_messages : 1;
	unsigned log_forwarder_response_messages : 1;
};

/* What unbound gives. */
void
verbose(enum verbosity_value level, const char *format, ...);
void
log_info(const char *format, ...);
void
log_warn(const char *format, ...);
void
log_err(const char *format, ...);
size_t
sldns_buffer_limit(struct sldns_buffer *buffer);
uint8_t *
sldns_buffer_begin(struct sldns_buffer *buffer);

/* What the shim gives. */
struct dt_env *
dt_create(struct config_file *cfg);
#if UBVER >= 126
int
dt_apply_cfg(struct dt_env *env, struct config_file *cfg);
#else
void
dt_apply_cfg(struct dt_env *env, struct config_file *cfg);
#endif
#if UBVER >= 123
void
dt_apply_logcfg(struct dt_env *env, struct config_file *cfg);
#endif
int
dt_init(struct dt_env *env, struct comm_base *base);
void
dt_deinit(struct dt_env *env);
void
dt_delete(struct dt_env *env);

void
dt_msg_send_client_query(struct dt_env *env, struct sockaddr_storage *client,
			 struct sockaddr_storage *local,
			 enum comm_point_type transport,
#if UBVER >= 120
			 void *cpssl,
#endif
#if UBVER >= 118
			 struct sldns_buffer *query, struct timeval *tstamp);
#else
			 struct sldns_buffer *query);
#endif

void
dt_msg_send_client_response(struct dt_env *env,
			    struct sockaddr_storage *client,
			    struct sockaddr_storage *local,
			    enum comm_point_type transport,
#if UBVER >= 120
			    void *cpssl,
#endif
			    struct sldns_buffer *response);

void
dt_msg_send_outside_query(struct dt_env *env, struct sockaddr_storage *remote,
			  struct sockaddr_storage *local,
			  enum comm_point_type transport,
#if UBVER >= 120
			  void *cpssl,
#endif
			  uint8_t *zone, size_t zone_bytes,
			  struct sldns_buffer *query);

void
dt_msg_send_outside_response(struct dt_env *env,
			     struct sockaddr_storage *remote,
			     struct sockaddr_storage *local,
			     enum comm_point_type transport,
#if UBVER >= 120
			     void *cpssl,
#endif
			     uint8_t *zone, size_t zone_bytes, uint8_t *flags,
			     size_t flags_bytes, const struct timeval *sent,
			     const struct timeval *received,
			     struct sldns_buffer *response);

int
dt_io_thread_start(struct dt_io_thread *dtio, void *base, int workers);
void
dt_io_thread_stop(struct dt_io_thread *dtio);

void
mq_wakeup_cb(void *argument);
void
dtio_reconnect_timeout_cb(int fd, short events, void *argument);
void
dtio_output_cb(int fd, short events, void *argument);
void
dtio_cmd_cb(int fd, short events, void *argument);
void
dtio_stop_timer_cb(int fd, short events, void *argument);
void
dtio_stop_ev_cb(int fd, short events, void *argument);

#endif
