/* SPDX-License-Identifier: Apache-2.0 */
/*
 * capture.c: which kind of capture it is to be, and what all kinds share.
 */
#include "sidecar/capture.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "sidecar/capture_kind.h"

#define RING_BYTES_MIN (64u << 10)

bool
capture_refuse(char reason[CAPTURE_REASON_BYTES], const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(reason, CAPTURE_REASON_BYTES, format, arguments);
	va_end(arguments);
	return false;
}

void
capture_hand_over(struct capture *capture, const struct packet *packet)
{
	capture->taken++;
	if (packet->owner.pid == 0)
		capture->unowned++;
	capture->callback(capture->user, packet);
}

static bool
has_zero(const uint16_t *ports, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (ports[i] == 0)
			return true;
	return false;
}

static bool
check_options(const struct capture_options *options,
	      char reason[CAPTURE_REASON_BYTES])
{
	if (options->ports_count == 0 ||
	    options->ports_count > CAPTURE_PORTS_MAX)
		return capture_refuse(reason, "Between 1 and %d ports can be "
				      "watched, not %zu.", CAPTURE_PORTS_MAX,
				      options->ports_count);
	if (options->tls_ports_count > CAPTURE_PORTS_MAX)
		return capture_refuse(reason, "At most %d ports of TLS can be "
				      "watched, not %zu.", CAPTURE_PORTS_MAX,
				      options->tls_ports_count);
	if (has_zero(options->ports, options->ports_count) ||
	    has_zero(options->tls_ports, options->tls_ports_count))
		return capture_refuse(reason, "0 is no port.");
	if (options->ring_bytes < RING_BYTES_MIN ||
	    (options->ring_bytes & (options->ring_bytes - 1)) != 0)
		return capture_refuse(reason, "The ring must be a power of "
				      "two of at least %u octets, not %u.",
				      RING_BYTES_MIN, options->ring_bytes);
	return true;
}

/* Frames belong to no process and to no cgroup. */
static bool
needs_sockets(const struct capture_options *options)
{
	return options->cgroup != NULL || options->pid != 0 ||
	       options->tls_plaintext;
}

static struct capture *
open_kind(const struct capture_options *options,
	  char reason[CAPTURE_REASON_BYTES])
{
	char why_not[CAPTURE_REASON_BYTES];
	struct capture *capture;

	if (options->kind == CAPTURE_PACKET && needs_sockets(options)) {
		capture_refuse(reason, "A capture of frames knows neither "
			       "processes nor cgroups nor TLS: leave out what "
			       "asks for one, or the choice of frames.");
		return NULL;
	}
	if (options->kind == CAPTURE_PACKET)
		return capture_packet_open(options, reason);
	capture = capture_cgroup_open(options, reason);
	if (capture != NULL || options->kind == CAPTURE_CGROUP ||
	    needs_sockets(options))
		return capture;
	capture = capture_packet_open(options, why_not);
	if (capture == NULL) {
		size_t bytes = strlen(reason);

		snprintf(reason + bytes, CAPTURE_REASON_BYTES - bytes, " %s",
			 why_not);
	}
	return capture;
}

bool
capture_open(const struct capture_options *options,
	     capture_callback *callback, void *user,
	     struct capture **capture, char reason[CAPTURE_REASON_BYTES])
{
	struct socket_id_key key;

	*capture = NULL;
	reason[0] = '\0';
	if (!check_options(options, reason))
		return false;
	if (getrandom(&key, sizeof(key), 0) != (ssize_t)sizeof(key))
		return capture_refuse(reason, "The kernel gives no random "
				      "numbers: %m.");
	*capture = open_kind(options, reason);
	if (*capture == NULL)
		return false;
	(*capture)->callback = callback;
	(*capture)->user = user;
	(*capture)->key = key;
	return true;
}

int
capture_descriptor(const struct capture *capture)
{
	return capture->operations->descriptor(capture);
}

bool
capture_drain(struct capture *capture)
{
	return capture->operations->drain(capture);
}

void
capture_count(const struct capture *capture, struct capture_counters *counters)
{
	memset(counters, 0, sizeof(*counters));
	capture->operations->count(capture, counters);
	counters->taken = capture->taken;
	counters->unowned = capture->unowned;
}

enum capture_kind
capture_kind(const struct capture *capture)
{
	return capture->operations->kind;
}

void
capture_detach(struct capture *capture)
{
	capture->operations->detach(capture);
}

void
capture_close(struct capture **capture)
{
	if (*capture == NULL)
		return;
	(*capture)->operations->close(*capture);
	*capture = NULL;
}
