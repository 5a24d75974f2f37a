/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.h: the options, parsed: one plain struct per set of options.
 *
 * Filled by options.c from options.def, read by tap. Immutable once a tap
 * has copied it. Threads: as the options object.
 */
#ifndef DTAP_CONFIG_CONFIG_H
#define DTAP_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <dnstap/options.h>

#define DTAP__OPTION_TEXT_MAX 1024
/* A path in a URI: PATH_MAX without its zero. */
#define DTAP__PATH_BYTES_MAX 4095

enum dtap__scheme {
	DTAP__SCHEME_NONE, /* not set */
	DTAP__SCHEME_FILE,
	DTAP__SCHEME_UNIX,
	DTAP__SCHEME_TCP
};

/* A parsed URI. */
struct dtap__uri {
	enum dtap__scheme scheme;
	char path[DTAP__PATH_BYTES_MAX + 1];	/* file, unix */
	struct sockaddr_storage address;	/* tcp */
	socklen_t address_bytes;
	char text[128];		/* as it was given, for logs; cut if longer */
};

/* Octets of a text option: may hold zeros. */
struct dtap__text {
	uint8_t octets[DTAP__OPTION_TEXT_MAX];
	size_t bytes;
};

enum dtap__ring_layout_choice {
	DTAP__LAYOUT_AUTO,
	DTAP__LAYOUT_MIRRORED,
	DTAP__LAYOUT_WRAP
};

/* One member per row of options.def, in its order. */
struct dtap__config {
	struct dtap__uri output;
	struct dtap__text identity;
	struct dtap__text version;
	struct dtap__text extra;
	uint32_t types;			/* bit n: message type n is wanted */
	bool loss_report;
	uint64_t sample_one_in;
	bool bidirectional;
	uint64_t ring_bytes;		/* power of two */
	uint64_t ring_memory_bytes;
	int ring_layout;		/* enum dtap__ring_layout_choice */
	uint64_t latency_ms;
	uint64_t connect_timeout_ms;
	uint64_t handshake_timeout_ms;
	uint64_t write_timeout_ms;
	uint64_t tcp_user_timeout_ms;
	uint64_t reconnect_min_ms;
	uint64_t reconnect_max_ms;
	uint64_t file_mode;
	uint64_t rotate_bytes;
	uint64_t rotate_seconds;
	dtap_log_function *log;
	void *log_user;
};

/* Borrowed: the parsed values of a set of options. */
const struct dtap__config *
dtap__options_get(const dtap_options *options);

/*
 * Checks the combination (output set, reconnect-min <= reconnect-max, ring
 * within ring memory ...). DTAP_OK or DTAP_E_CONFLICT with the text set.
 */
enum dtap_result
dtap__options_check(dtap_options *options);

/*
 * Compares every option that is not live. DTAP_OK or DTAP_E_CONFLICT with a
 * text in options that names the option.
 */
enum dtap_result
dtap__options_check_live(dtap_options *options,
			 const struct dtap__config *running);

/* Sets the text that dtap_options_error() returns. */
void
dtap__options_fail(dtap_options *options, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
