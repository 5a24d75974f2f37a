/* SPDX-License-Identifier: Apache-2.0 */
/*
 * soak.c: everything at once, for as long as one likes (R19).
 *
 *	soak [seconds]
 *
 * Three taps, into a file, a Unix and a TCP socket, under the load of threads
 * that come and go. Every few seconds something happens to one of them, or to
 * the process, drawn at random from a seed that is printed first. Every minute
 * all threads are held for a moment, and each ledger must agree with what the
 * threads know of their events; again when a tap is stopped, and at the end.
 * All files are read as they are finished: they must hold the frames that
 * were written, no more and no fewer.
 *
 * The file's disk is a small one of its own, that can be filled, where the
 * system lets us have one.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "rig.h"
#include "soak.h"
#include "support/report.h"
#include "support/sanitized.h"
#include "support/scratch.h"
#include "support/support.h"

#define SECONDS_DEFAULT 20
#define TICK_MS 20
#define CHECKS_PER_RUN 5
#define CHECK_SECONDS_MAX 60
#define DISK "size=64m"
/*
 * All rings that there can be: those of three taps, and those that threads
 * still have of taps which are closed; mapped twice.
 */
#define RINGS_KIB_MAX \
	(SOAK_SINKS * (SOAK_RINGS_MAX + SOAK_THREADS) * \
	 (SOAK_RING_KIB_MIN << SOAK_RING_DOUBLINGS) * 2)
/* From the first look on; arenas of threads, and what a burst may need. */
#define GROWTH_KIB_MAX (RINGS_KIB_MAX + 32 * 1024)

static unsigned int soak_seconds = SECONDS_DEFAULT;

/* Ledgers and counts, while all threads are held. */
static uint64_t
compare_all(struct soak *soak)
{
	uint64_t events = soak->events;

	pthread_rwlock_wrlock(&soak->load.gate);
	for (int sink = 0; sink < SOAK_SINKS; sink++)
		events += soak_load_compare(&soak->load.sinks[sink]);
	pthread_rwlock_unlock(&soak->load.gate);
	soak->checks++;
	return events;
}

static void
look(struct soak *soak)
{
	unsigned int kib = rig_resident_kib();
	uint64_t events = compare_all(soak);
	char text[160];

	snprintf(text, sizeof(text), "ledger exact: %" PRIu64 " events, %u KiB "
		 "resident, %u descriptors, %" PRIu64 " threads so far",
		 events, kib, rig_count_entries("/proc/self/fd") - 3,
		 soak->load.started);
	soak_say(soak, "all", text);
	if (soak->resident_kib == 0)
		soak->resident_kib = kib;
	if (!SANITIZED)
		ck_assert_uint_le(kib, soak->resident_kib + GROWTH_KIB_MAX);
}

static unsigned int
check_interval_ms(void)
{
	unsigned int seconds = soak_seconds / CHECKS_PER_RUN;

	return 1000 * (seconds < 1 ? 1
			       : seconds > CHECK_SECONDS_MAX
				       ? CHECK_SECONDS_MAX
				       : seconds);
}

/* From one to ten seconds, ten times as often in a short run. */
static unsigned int
draw_rest_ms(struct soak *soak)
{
	unsigned int ms = 1000 + (unsigned int)soak_draw(soak, 9000);

	return soak_seconds < CHECK_SECONDS_MAX ? ms / 10 : ms;
}

static void
run(struct soak *soak)
{
	for (;;) {
		uint64_t now_ms = rig_clock_ms();

		if (now_ms >= soak->end_ms)
			return;
		soak_load_tend(&soak->load, &soak->random);
		soak_collect(soak, false);
		if (now_ms >= soak->fault_ms) {
			soak_make_fault(soak);
			soak->fault_ms = rig_clock_ms() + draw_rest_ms(soak);
		}
		if (now_ms >= soak->check_ms) {
			look(soak);
			soak->check_ms += check_interval_ms();
		}
		rig_nap_ms(TICK_MS);
	}
}

static void
on_signal(int number)
{
	(void)number;
}

static void
begin(struct soak *soak)
{
	static const char *const good[] = { NULL };
	struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGUSR1, &action, NULL);
	soak->random = rig_seed();
	soak->start_ms = rig_clock_ms();
	soak->end_ms = soak->start_ms + 1000 * (uint64_t)soak_seconds;
	soak->check_ms = soak->start_ms + check_interval_ms();
	soak->fault_ms = soak->start_ms + draw_rest_ms(soak);
	soak->has_disk = rig_mount_disk("disk", DISK);
	if (!soak->has_disk)
		puts("not tested, for nothing can be mounted: a full disk");
	ck_assert(mkdir("disk", 0700) == 0 || errno == EEXIST);
	ck_assert_int_eq(mkdir("disk/d", 0700), 0);
	soak_reader_start(soak, SOAK_UNIX, good);
	soak_reader_start(soak, SOAK_TCP, good);
	for (int sink = 0; sink < SOAK_SINKS; sink++)
		soak_sink_open(soak, sink);
	soak_load_start(&soak->load, &soak->random);
}

/* All is well again, and what is left is delivered. */
static void
end(struct soak *soak)
{
	soak_mend(soak);
	soak_load_end(&soak->load);
	for (int sink = 0; sink < SOAK_SINKS; sink++) {
		soak_sink_stop(soak, sink, 5000);
		soak_sink_close(soak, sink);
	}
	soak->checks++;
	soak_reader_kill(soak, SOAK_UNIX);
	soak_reader_kill(soak, SOAK_TCP);
	soak_collect(soak, true);
	ck_assert_uint_eq(soak->frames_read, soak->frames_written);
	ck_assert_uint_gt(soak->frames_read, 0);
}

START_TEST(random_load_and_random_trouble) /* R19 */
{
	static struct soak soak;
	unsigned int descriptors;
	char text[128];

	scratch_enter();
	descriptors = rig_count_entries("/proc/self/fd");
	begin(&soak);
	run(&soak);
	end(&soak);
	/* A writer that was left behind goes in its own time. */
	rig_until(rig_writer() == 0);
	rig_until(rig_count_entries("/proc/self/fd") == descriptors);
	snprintf(text, sizeof(text), "%u faults, %" PRIu64 " frames in files, "
		 "all read", soak.faults, soak.frames_read);
	soak_say(&soak, "all", text);
	rig_unmount_disk("disk");
	scratch_leave();
	report_gate("R19", "%" PRIu64 " s, %" PRIu64 " events, %u faults%s, "
		    "ledger exact %u times",
		    (rig_clock_ms() - soak.start_ms) / 1000, soak.events,
		    soak.faults, soak.has_disk ? "" : " but no full disk",
		    soak.checks);
}
END_TEST

int
main(int argc, char **argv)
{
	Suite *suite = suite_create("soak");
	TCase *tests = tcase_create("soak");

	if (argc > 1)
		soak_seconds = (unsigned int)strtoul(argv[1], NULL, 10);
	if (argc > 2 || soak_seconds == 0) {
		fputs("usage: soak [seconds]\n", stderr);
		return EXIT_FAILURE;
	}
	rig_init();
	tcase_set_timeout(tests, soak_seconds + 120);
	tcase_add_test(tests, random_load_and_random_trouble);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
