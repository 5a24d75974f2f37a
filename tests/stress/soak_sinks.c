/* SPDX-License-Identifier: Apache-2.0 */
/*
 * soak_sinks.c: see soak.h. Taps, their readers, and files as they are done.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "soak.h"
#include "support/taps.h"

const char *const soak_sink_names[SOAK_SINKS] = { "file", "unix", "tcp" };

uint64_t
soak_draw(struct soak *soak, uint64_t below)
{
	return rig_random(&soak->random) % below;
}

void
soak_say(const struct soak *soak, const char *sink, const char *what)
{
	uint64_t ms = rig_clock_ms() - soak->start_ms;

	printf("%4" PRIu64 ".%02" PRIu64 " s  %-5s %s\n", ms / 1000,
	       ms % 1000 / 10, sink, what);
	fflush(stdout);
}

/* Whole frames in a file, each of which is a message. */
static uint64_t
count_frames(const uint8_t *octets, size_t bytes)
{
	enum dtap_result result = DTAP_OK;
	struct dtap_frame frame;
	dtap_reader *reader;
	uint64_t frames = 0;
	size_t consumed;

	ck_assert_int_eq(dtap_reader_open(NULL, &reader), DTAP_OK);
	while (result == DTAP_OK) {
		struct dtap_message message = DTAP_MESSAGE_INIT;

		result = dtap_reader_next(reader, octets, bytes, &consumed,
					  &frame);
		octets += consumed;
		bytes -= consumed;
		if (result != DTAP_OK || frame.kind != DTAP_FRAME_DATA)
			continue;
		ck_assert_int_eq(dtap_message_decode(frame.data, frame.bytes,
						     &message), DTAP_OK);
		frames++;
	}
	/* It may lack its STOP, but never a part of a frame. */
	result = dtap_reader_finish(reader, bytes);
	ck_assert_msg(result == DTAP_OK || result == DTAP_E_TRUNCATED, "%s",
		      dtap_reader_error(reader));
	ck_assert_uint_eq(bytes, 0);
	dtap_reader_close(&reader);
	return frames;
}

/* Reads a file that is finished, and removes it. */
static void
collect(struct soak *soak, const char *path)
{
	int fd = open(path, O_RDONLY);
	struct stat status;
	void *octets;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fstat(fd, &status), 0);
	if (status.st_size > 0) {
		octets = mmap(NULL, (size_t)status.st_size, PROT_READ,
			      MAP_SHARED, fd, 0);
		ck_assert_ptr_ne(octets, MAP_FAILED);
		soak->frames_read +=
			count_frames(octets, (size_t)status.st_size);
		munmap(octets, (size_t)status.st_size);
	}
	close(fd);
	ck_assert_int_eq(unlink(path), 0);
}

void
soak_collect(struct soak *soak, bool with_last)
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *files;

	if (soak->filled || soak->moved)
		return;
	files = opendir("disk/d");
	ck_assert_ptr_nonnull(files);
	while ((entry = readdir(files)) != NULL) {
		if (entry->d_name[0] == '.' ||
		    (!with_last && strcmp(entry->d_name, "x") == 0))
			continue;
		snprintf(path, sizeof(path), "disk/d/%s", entry->d_name);
		collect(soak, path);
	}
	closedir(files);
}

void
soak_reader_kill(struct soak *soak, int sink)
{
	struct rig_reader *reader = &soak->readers[sink];

	if (reader->pid == 0)
		return;
	kill(-reader->pid, SIGKILL);
	while (waitpid(reader->pid, NULL, 0) < 0)
		ck_assert_int_eq(errno, EINTR);
	reader->pid = 0;
}

void
soak_reader_start(struct soak *soak, int sink, const char *const *options)
{
	const char *words[SOAK_READER_OPTIONS * 2 + 3] = { "--record", "" };

	for (int i = 0; options[i] != NULL; i++)
		words[i + 2] = options[i];
	soak_reader_kill(soak, sink);
	rig_start_peer(&soak->readers[sink],
		       sink == SOAK_UNIX ? RIG_UNIX : RIG_TCP, words);
}

void
soak_set_number(dtap_options *options, const char *name, uint64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	ck_assert_msg(dtap_options_set(options, name, text) == DTAP_OK, "%s",
		      dtap_options_error(options));
}

void
soak_set_text(dtap_options *options, const char *name, const char *text)
{
	ck_assert_msg(dtap_options_set(options, name, text) == DTAP_OK, "%s",
		      dtap_options_error(options));
}

void
soak_sink_open(struct soak *soak, int number)
{
	static const char *const layouts[] = { "auto", "mirrored", "wrap" };
	struct soak_sink *sink = &soak->load.sinks[number];
	dtap_options *options = dtap_options_new();
	uint64_t ring_bytes = (UINT64_C(1024) * SOAK_RING_KIB_MIN)
			      << soak_draw(soak, SOAK_RING_DOUBLINGS + 1);

	soak_set_text(options, "output",
		      number == SOAK_FILE ? "file:disk/d/x"
					  : soak->readers[number].uri);
	soak_set_number(options, "ring-bytes", ring_bytes);
	/* For some threads, and sometimes not for all. */
	soak_set_number(options, "ring-memory-bytes",
			ring_bytes * 2 *
				(1 + soak_draw(soak, SOAK_RINGS_MAX / 2)));
	soak_set_text(options, "ring-layout", layouts[soak_draw(soak, 3)]);
	soak_set_number(options, "latency-ms", 1 + soak_draw(soak, 100));
	soak_set_number(options, "connect-timeout-ms", 200);
	soak_set_number(options, "handshake-timeout-ms", 200);
	soak_set_number(options, "write-timeout-ms",
			100 + soak_draw(soak, 3000));
	soak_set_number(options, "reconnect-min-ms", 10);
	soak_set_number(options, "reconnect-max-ms", 10 + soak_draw(soak, 200));
	soak_set_text(options, "bidirectional",
		      soak_draw(soak, 4) ? "yes" : "no");
	if (number == SOAK_FILE)
		soak_set_number(options, "rotate-bytes",
				65536 << soak_draw(soak, 6));
	ck_assert_int_eq(dtap_open(options, &sink->tap), DTAP_OK);
	ck_assert_int_eq(dtap_start(sink->tap), DTAP_OK);
	soak->options[number] = options;
	sink->generation++;
	for (int fate = 0; fate < SOAK_FATES; fate++)
		dtap__store_relaxed(&sink->counts[fate], 0);
}

void
soak_sink_close(struct soak *soak, int number)
{
	struct soak_sink *sink = &soak->load.sinks[number];

	soak->events += soak_load_compare(sink);
	if (number == SOAK_FILE)
		soak->frames_written += taps_stats(sink->tap).written;
	dtap_close(&sink->tap);
	dtap_options_free(&soak->options[number]);
}

void
soak_sink_stop(struct soak *soak, int number, uint32_t timeout_ms)
{
	dtap *tap = soak->load.sinks[number].tap;
	enum dtap_result result = dtap_stop(tap, timeout_ms);

	ck_assert_msg(result == DTAP_OK || result == DTAP_E_TIMEOUT, "%s",
		      dtap_result_name(result));
	soak_say(soak, soak_sink_names[number],
		 result == DTAP_OK ? "stopped: done" : "stopped: timeout");
	/* Only a writer that was left behind keeps anything in a ring. */
	rig_until(taps_stats(tap).in_ring == 0);
}
