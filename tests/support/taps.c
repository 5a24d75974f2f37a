/* SPDX-License-Identifier: Apache-2.0 */
/*
 * taps.c: see taps.h.
 */
#include "taps.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

static void
taps_set(dtap_options *options, const char *pair)
{
	char name[64];
	const char *equals = strchr(pair, '=');

	ck_assert_ptr_nonnull(equals);
	snprintf(name, sizeof(name), "%.*s", (int)(equals - pair), pair);
	ck_assert_msg(dtap_options_set(options, name, equals + 1) == DTAP_OK,
		      "%s", dtap_options_error(options));
}

dtap *
taps_open(const char *output, const char *const *more)
{
	dtap_options *options = dtap_options_new();
	dtap *tap;

	ck_assert_ptr_nonnull(options);
	ck_assert_int_eq(dtap_options_set(options, "output", output), DTAP_OK);
	for (; more != NULL && *more != NULL; more++)
		taps_set(options, *more);
	ck_assert_msg(dtap_open(options, &tap) == DTAP_OK, "%s",
		      dtap_options_error(options));
	dtap_options_free(&options);
	return tap;
}

dtap *
taps_start(const char *output, const char *const *more)
{
	dtap *tap = taps_open(output, more);

	ck_assert_int_eq(dtap_start(tap), DTAP_OK);
	return tap;
}

struct dtap_event
taps_event(uint32_t number)
{
	static const uint8_t client[4] = { 192, 0, 2, 1 };
	static _Thread_local uint8_t wire[64];
	struct dtap_event event = DTAP_EVENT_INIT;

	memset(wire, 0x55, sizeof(wire));
	memcpy(wire + sizeof(wire) - 4, &number, 4);
	event.type = DTAP_CLIENT_QUERY;
	event.socket_family = DTAP_INET;
	event.socket_protocol = DTAP_UDP;
	event.query_address = client;
	event.query_address_bytes = 4;
	event.query_port = 53053;
	event.query_time_sec = 1700000000;
	event.query_time_nsec = number % 1000000000;
	event.query_message = wire;
	event.query_message_bytes = sizeof(wire);
	return event;
}

uint32_t
taps_number(const struct dtap_event *event)
{
	uint32_t number;

	ck_assert_uint_eq(event->query_message_bytes, 64);
	memcpy(&number, (const uint8_t *)event->query_message + 60, 4);
	return number;
}

struct dtap_stats
taps_stats(const dtap *tap)
{
	struct dtap_stats stats = DTAP_STATS_INIT;

	ck_assert_int_eq(dtap_stats_get(tap, &stats), DTAP_OK);
	return stats;
}

struct dtap_stats
taps_finish(dtap **tap, uint32_t timeout_ms)
{
	struct dtap_stats stats;

	dtap_stop(*tap, timeout_ms);
	stats = taps_stats(*tap);
	ck_assert(dtap_stats_balanced(&stats));
	ck_assert_uint_eq(stats.in_ring, 0);
	dtap_close(tap);
	ck_assert_ptr_null(*tap);
	return stats;
}

/* A whole file in memory. */
static uint8_t *
taps_load(const char *path, size_t *bytes)
{
	FILE *file = fopen(path, "rb");
	uint8_t *octets;
	long length;

	ck_assert_msg(file != NULL, "%s cannot be opened", path);
	ck_assert_int_eq(fseek(file, 0, SEEK_END), 0);
	length = ftell(file);
	ck_assert_int_ge(length, 0);
	rewind(file);
	octets = malloc((size_t)length + 1);
	ck_assert_ptr_nonnull(octets);
	*bytes = fread(octets, 1, (size_t)length, file);
	ck_assert_uint_eq(*bytes, (size_t)length);
	fclose(file);
	return octets;
}

static void
taps_decode(const struct dtap_frame *frame, taps_visit *visit, void *context)
{
	struct dtap_message message = DTAP_MESSAGE_INIT;

	ck_assert_int_eq(dtap_message_decode(frame->data, frame->bytes,
					     &message),
			 DTAP_OK);
	if (visit != NULL)
		visit(&message, context);
}

uint64_t
taps_read(const char *path, taps_visit *visit, void *context)
{
	size_t bytes;
	uint8_t *octets = taps_load(path, &bytes);
	enum dtap_result result = DTAP_OK;
	uint64_t frames = 0;
	dtap_reader *reader;
	size_t at = 0;

	ck_assert_int_eq(dtap_reader_open(NULL, &reader), DTAP_OK);
	while (result == DTAP_OK) {
		struct dtap_frame frame;
		size_t consumed;

		result = dtap_reader_next(reader, octets + at, bytes - at,
					  &consumed, &frame);
		at += consumed;
		if (result != DTAP_OK || frame.kind != DTAP_FRAME_DATA)
			continue;
		taps_decode(&frame, visit, context);
		frames++;
	}
	ck_assert_msg(dtap_reader_finish(reader, bytes - at) == DTAP_OK,
		      "%s: %s", path, dtap_reader_error(reader));
	dtap_reader_close(&reader);
	free(octets);
	return frames;
}
