/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_drain.c: how many frames a second one writer thread moves.
 *
 * A producer on the first CPU keeps the ring or queue full of 60-octet
 * queries; when it is refused it waits a moment and tries again, so that all
 * events arrive in the end. The writer thread has the second CPU, the reader
 * of a socket shares the first with the producer. The time runs until the
 * last frame has been written.
 *
 * On a machine with other work the wall clock tells little, so each medium
 * has a second figure: the CPU time that the writer thread took for a frame,
 * inside the kernel and out.
 *
 * Files are new ones in the directory of bench_path(), on tmpfs where there
 * is one. They get their pages before the clock starts, for both sides: to
 * find a page costs the kernel more than to fill it, and would be all that
 * is measured. The first round is not counted: it makes the (virtual) machine
 * find the pages that the others use again.
 */
#include "bench.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "bench_reader.h"

#define DRAIN_EVENTS_OURS 2000000
#define DRAIN_EVENTS_PEER 400000
#define DRAIN_ROUNDS 7
#define DRAIN_STEP 512
#define DRAIN_RETRY_NS 2000
#define DRAIN_REST_NS 20000
#define DRAIN_SETTLE_NS 50000
/* The frame of a 60-octet query has at least so many octets, and at most. */
#define DRAIN_FRAME_BYTES 120
#define DRAIN_FRAME_BYTES_MAX 160
#define DRAIN_TMPFS 0x01021994

static const char *const drain_media[] = { "file", "unix", "tcp" };

static const struct bench_subject *const drain_subjects[] = {
	&bench_ours,
#ifdef BENCH_PEERS
	&bench_tuned,
	&bench_knot,
#endif
};

#define DRAIN_SUBJECTS (sizeof(drain_subjects) / sizeof(drain_subjects[0]))

struct drain_result {
	struct bench_series frames_per_s;
	struct bench_series cpu_ns;
};

/*
 * Refused: look again soon. Sleeping gives the CPU away, which the reader of
 * a socket needs; without one there is nobody to give it to, and on a busy
 * machine it would come back later than the ring lasts.
 */
static void
drain_pause(enum bench_medium medium)
{
	uint64_t until_ns = bench_clock_ns() + DRAIN_RETRY_NS;

	if (medium != BENCH_FILE) {
		bench_sleep_ns(DRAIN_REST_NS);
		return;
	}
	while (bench_clock_ns() < until_ns)
		continue;
}

/* All of them, however often that means to wait. */
static void
drain_submit(const struct bench_subject *subject, void *self, uint64_t events,
	     enum bench_medium medium)
{
	uint64_t taken = 0;

	while (taken < events) {
		size_t step = events - taken < DRAIN_STEP
				      ? (size_t)(events - taken)
				      : DRAIN_STEP;
		size_t done = subject->burst(self, step);

		taken += done;
		if (done < step)
			drain_pause(medium);
	}
	while (subject->written(self) + subject->slack_events < events)
		bench_sleep_ns(DRAIN_SETTLE_NS);
}

static void
drain_measure(const struct bench_subject *subject, void *self, uint64_t events,
	      enum bench_medium medium, struct drain_result *result)
{
	uint64_t cpu_ns = bench_process_cpu_ns() - bench_thread_cpu_ns();
	uint64_t begin_ns = bench_clock_ns();
	uint64_t took_ns;

	drain_submit(subject, self, events, medium);
	took_ns = bench_clock_ns() - begin_ns;
	/* What the process used but for this thread: the writer. */
	cpu_ns = bench_process_cpu_ns() - bench_thread_cpu_ns() - cpu_ns;
	bench_series_add(&result->frames_per_s,
			 (double)events * 1e9 / (double)took_ns);
	bench_series_add(&result->cpu_ns, (double)cpu_ns / (double)events);
}

/* Once the file is open; a file system that cannot do it measures more. */
static void
drain_find_pages(const char *path, uint64_t events)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		bench_give_up(1, "the file was not opened");
	if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0,
		      (off_t)(events * DRAIN_FRAME_BYTES_MAX)) != 0)
		fprintf(stderr, "bench: files grow while they are written\n");
	close(fd);
}

static void
drain_round(const struct bench_subject *subject, enum bench_medium medium,
	    struct drain_result *result)
{
	uint64_t events = subject == &bench_ours ? DRAIN_EVENTS_OURS
						 : DRAIN_EVENTS_PEER;
	char *path = bench_path("drain");
	struct bench_reader reader;
	void *self;

	if (medium == BENCH_FILE)
		snprintf(reader.uri, sizeof(reader.uri), "file:%s", path);
	else
		bench_reader_start(&reader, medium);
	self = subject->open(reader.uri, BENCH_QUERY60);
	if (self == NULL)
		bench_give_up(1, "cannot open a subject");
	if (medium != BENCH_FILE)
		bench_reader_await(&reader);
	bench_sleep_ns(20000000);
	if (medium == BENCH_FILE)
		drain_find_pages(path, events);
	drain_measure(subject, self, events, medium, result);
	subject->close(self);
	if (medium != BENCH_FILE &&
	    bench_reader_finish(&reader) < events * DRAIN_FRAME_BYTES)
		bench_give_up(1, "the reader has missed frames");
	remove(path);
	free(path);
}

static void
drain_medium(enum bench_medium medium)
{
	struct drain_result results[DRAIN_SUBJECTS] = { 0 };
	int rounds = bench_rounds(DRAIN_ROUNDS);
	char name[64];

	for (int round = -1; round < rounds; round++) {
		for (size_t i = 0; i < DRAIN_SUBJECTS; i++) {
			struct drain_result warm = { 0 };

			drain_round(drain_subjects[i], medium,
				    round < 0 ? &warm : &results[i]);
		}
	}
	for (size_t i = DRAIN_SUBJECTS > 1 ? 1 : 0; i < DRAIN_SUBJECTS; i++) {
		const struct drain_result *peer = i > 0 ? &results[i] : NULL;
		const char *who = i > 0 ? drain_subjects[i]->name : NULL;

		snprintf(name, sizeof(name), "drain_%s_frames_per_s",
			 drain_media[medium]);
		bench_row(name, "frames/s", &results[0].frames_per_s,
			  peer != NULL ? &peer->frames_per_s : NULL, who);
		snprintf(name, sizeof(name), "drain_%s_writer_cpu_ns",
			 drain_media[medium]);
		bench_row(name, "ns", &results[0].cpu_ns,
			  peer != NULL ? &peer->cpu_ns : NULL, who);
	}
}

static void
drain_say_where(void)
{
	char *path = bench_path("");
	struct statfs status;

	if (statfs(path, &status) == 0)
		fprintf(stderr, "bench: files are in %s (%s)\n", path,
			status.f_type == DRAIN_TMPFS ? "tmpfs"
						     : "not tmpfs");
	free(path);
}

int
main(void)
{
	bench_pin(0);
	drain_say_where();
	drain_medium(BENCH_FILE);
	drain_medium(BENCH_UNIX);
	drain_medium(BENCH_TCP);
	bench_leave();
	return 0;
}
