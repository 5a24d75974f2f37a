/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rig.c: see rig.h. Time and chance, loads, and what must hold at the end.
 */
#include "rig.h"

#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "support/taps.h"

/* Only exceeded when something hangs, however busy the machine. */
#define RIG_STOP_ROOM_MS 5000

void
rig_nap_us(unsigned int us)
{
	struct timespec nap = { us / 1000000, (long)(us % 1000000) * 1000 };

	nanosleep(&nap, NULL);
}

void
rig_nap_ms(unsigned int ms)
{
	rig_nap_us(ms * 1000);
}

/* splitmix64 */
uint64_t
rig_random(uint64_t *state)
{
	uint64_t value = *state += UINT64_C(0x9e3779b97f4a7c15);

	value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
	return value ^ value >> 31;
}

uint64_t
rig_seed(void)
{
	const char *text = getenv("DTAP_STRESS_SEED");
	uint64_t seed = (uint64_t)time(NULL) ^ rig_clock_ms() << 32;

	if (text != NULL)
		seed = strtoull(text, NULL, 10);
	else
		seed = rig_random(&seed) >> 1;
	printf("DTAP_STRESS_SEED=%" PRIu64 "\n", seed);
	fflush(stdout);
	return seed;
}

uint64_t
rig_clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void
rig_source_init(struct rig_source *source, unsigned int thread, size_t bytes)
{
	static const uint8_t client[4] = { 192, 0, 2, 1 };

	memset(source, 0, sizeof(*source));
	gen_message_init(&source->message, thread);
	source->bytes = bytes;
	source->event = (struct dtap_event)DTAP_EVENT_INIT;
	source->event.type = DTAP_CLIENT_QUERY;
	source->event.socket_family = DTAP_INET;
	source->event.socket_protocol = DTAP_UDP;
	source->event.query_address = client;
	source->event.query_address_bytes = 4;
	source->event.query_time_sec = 1700000000;
	source->event.query_message = source->message.octets;
}

void
rig_source_open(struct rig_source *source, dtap *tap, unsigned int thread,
		size_t bytes)
{
	rig_source_init(source, thread, bytes);
	ck_assert_int_eq(dtap_producer_open(tap, &source->producer), DTAP_OK);
}

enum dtap_result
rig_submit(struct rig_source *source)
{
	gen_message_make(&source->message, DTAP_CLIENT_QUERY,
			 source->sequence++, source->bytes);
	source->event.query_message_bytes = (uint32_t)source->message.bytes;
	return dtap_submit(source->producer, &source->event);
}

void
rig_submit_many(struct rig_source *source, uint64_t events)
{
	while (events-- > 0)
		rig_submit(source);
}

void
rig_submit_until_stuck(struct rig_source *source, dtap *tap)
{
	struct dtap_stats before = taps_stats(tap);
	unsigned int still = 0;

	while (still < 20) {
		struct dtap_stats now;

		rig_submit_many(source, 50);
		rig_nap_ms(5);
		now = taps_stats(tap);
		still = now.written == before.written &&
					now.dropped_full > before.dropped_full
				? still + 1
				: 0;
		before = now;
	}
}

static void *
rig_load_main(void *argument)
{
	struct rig_load *load = argument;

	while (!dtap__load_relaxed(&load->ending)) {
		rig_submit_many(&load->source, load->burst);
		rig_nap_ms(1);
	}
	return NULL;
}

void
rig_load_start(struct rig_load *load, dtap *tap, unsigned int thread,
	       size_t bytes, unsigned int burst)
{
	rig_source_open(&load->source, tap, thread, bytes);
	load->burst = burst;
	dtap__store_relaxed(&load->ending, false);
	ck_assert_int_eq(pthread_create(&load->thread, NULL, rig_load_main,
					load), 0);
}

uint64_t
rig_load_end(struct rig_load *load)
{
	dtap__store_relaxed(&load->ending, true);
	ck_assert_int_eq(pthread_join(load->thread, NULL), 0);
	return load->source.sequence;
}

struct dtap_stats
rig_finish(dtap **tap, uint32_t timeout_ms, enum dtap_result *result)
{
	uint64_t start_ms = rig_clock_ms();
	enum dtap_result stopped = dtap_stop(*tap, timeout_ms);
	uint64_t ms = rig_clock_ms() - start_ms;
	struct dtap_stats stats = taps_stats(*tap);

	printf("stop(%u ms): %s after %" PRIu64 " ms\n", timeout_ms,
	       dtap_result_text(stopped), ms);
	ck_assert_uint_lt(ms, timeout_ms + RIG_STOP_ROOM_MS);
	ck_assert_msg(dtap_stats_balanced(&stats), "the ledger is off");
	ck_assert_uint_eq(stats.in_ring, 0);
	if (result != NULL)
		*result = stopped;
	dtap_close(tap);
	return stats;
}

/* What must hold when all streams have been added. */
static void
rig_judge(struct audit *audit, const struct dtap_stats *stats)
{
	audit_end(audit);
	ck_assert_uint_eq(audit->repeated, 0);
	ck_assert_uint_le(audit->frames, stats->written);
	ck_assert_uint_ge(audit->frames, stats->confirmed);
}

void
rig_audit(struct audit *audit, const char *prefix,
	  const struct dtap_stats *stats)
{
	char path[PATH_MAX];

	memset(audit, 0, sizeof(*audit));
	for (unsigned int number = 1;; number++) {
		snprintf(path, sizeof(path), "%s.%u", prefix, number);
		if (access(path, F_OK) != 0)
			break;
		ck_assert_msg(audit_add(audit, path), "%s", audit->error);
	}
	rig_judge(audit, stats);
}

unsigned int
rig_audit_files(struct audit *audit, const char *directory, const char *but,
		const struct dtap_stats *stats)
{
	DIR *files = opendir(directory);
	struct dirent *entry;
	unsigned int count = 0;
	char path[PATH_MAX];

	memset(audit, 0, sizeof(*audit));
	ck_assert_ptr_nonnull(files);
	while ((entry = readdir(files)) != NULL) {
		if (entry->d_type != DT_REG ||
		    (but != NULL && strcmp(entry->d_name, but) == 0))
			continue;
		snprintf(path, sizeof(path), "%s/%s", directory,
			 entry->d_name);
		ck_assert_msg(audit_add(audit, path), "%s", audit->error);
		count++;
	}
	closedir(files);
	rig_judge(audit, stats);
	return count;
}

static void
rig_on_log(void *user, enum dtap_log_level level, const char *text)
{
	struct rig_log *log = user;
	unsigned int lines = dtap__load_relaxed(&log->lines);

	if (level > DTAP_LOG_WARNING)
		return;
	if (lines < RIG_LOG_LINES)
		snprintf(log->text[lines], sizeof(log->text[lines]), "%s",
			 text);
	/* Pairs with the acquire in rig_last_line(). */
	dtap__store_release(&log->lines, lines + 1);
}

const char *
rig_last_line(const struct rig_log *log)
{
	/* Pairs with the release in rig_on_log(). */
	unsigned int lines = dtap__load_acquire(&log->lines);

	if (lines == 0)
		return "";
	return log->text[(lines < RIG_LOG_LINES ? lines : RIG_LOG_LINES) - 1];
}

dtap *
rig_open_logging(const char *output, const char *const *more,
		 struct rig_log *log)
{
	dtap_options *options = dtap_options_new();
	dtap *tap;

	dtap__store_relaxed(&log->lines, 0);
	ck_assert_int_eq(dtap_options_set(options, "output", output), DTAP_OK);
	for (; more != NULL && *more != NULL; more++) {
		const char *equals = strchr(*more, '=');
		char name[64];

		snprintf(name, sizeof(name), "%.*s", (int)(equals - *more),
			 *more);
		ck_assert_int_eq(dtap_options_set(options, name, equals + 1),
				 DTAP_OK);
	}
	dtap_options_set_log(options, rig_on_log, log);
	ck_assert_int_eq(dtap_open(options, &tap), DTAP_OK);
	dtap_options_free(&options);
	return tap;
}

dtap *
rig_start_logging(const char *output, const char *const *more,
		  struct rig_log *log)
{
	dtap *tap = rig_open_logging(output, more, log);

	ck_assert_int_eq(dtap_start(tap), DTAP_OK);
	return tap;
}
