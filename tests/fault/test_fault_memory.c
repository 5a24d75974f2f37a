/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tap in a process without memory (F39): the n-th allocation of its life
 * fails, once or from then on, for every n. Nothing aborts, nothing leaks,
 * and while it runs it allocates nothing at all.
 *
 * This program brings a malloc() of its own, which refuses on demand and
 * keeps count; libc, the threads and liburcu use it, too.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <dnstap/dtap.h>

#include "support/report.h"
#include "support/sanitized.h"
#include "support/scratch.h"
#include "support/support.h"
#include "support/taps.h"

#if !SANITIZED && defined(__GLIBC__)
#define HAS_OWN_MALLOC 1
#else
#define HAS_OWN_MALLOC 0
#endif

/* Only taken part in while this is set. Not touched by two threads at once
 * but for counts, where any order will do. */
static _Atomic(bool) counting;
static _Atomic(unsigned int) allocations;
static _Atomic(unsigned int) refusals;
static _Atomic(unsigned int) refuse_from; /* 0: none */
static _Atomic(bool) refuse_for_ever;
static _Atomic(long) living;

#if HAS_OWN_MALLOC

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *at, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);
void __libc_free(void *at);

static bool
is_refused(void)
{
	unsigned int number;
	unsigned int from = refuse_from;

	if (!counting)
		return false;
	number = ++allocations;
	if (from == 0 || number < from || (number > from && !refuse_for_ever))
		return false;
	refusals++;
	errno = ENOMEM;
	return true;
}

static void *
note(void *at)
{
	if (at != NULL)
		living++;
	return at;
}

/* Without this libc would go on using its own. */
#pragma GCC visibility push(default)

void *
malloc(size_t bytes)
{
	return is_refused() ? NULL : note(__libc_malloc(bytes));
}

void *
calloc(size_t count, size_t bytes)
{
	return is_refused() ? NULL : note(__libc_calloc(count, bytes));
}

void *
realloc(void *at, size_t bytes)
{
	if (is_refused())
		return NULL;
	if (at == NULL)
		living++;
	return __libc_realloc(at, bytes);
}

void *
aligned_alloc(size_t alignment, size_t bytes)
{
	return is_refused() ? NULL : note(__libc_memalign(alignment, bytes));
}

int
posix_memalign(void **at, size_t alignment, size_t bytes)
{
	void *made = is_refused() ? NULL
				  : note(__libc_memalign(alignment, bytes));

	if (made == NULL)
		return ENOMEM;
	*at = made;
	return 0;
}

void
free(void *at)
{
	if (at != NULL)
		living--;
	__libc_free(at);
}

#pragma GCC visibility pop
#endif

/* What the calls of one life returned. */
struct life {
	enum dtap_result set, open, producer, submit, start, reconfigure;
	struct dtap_stats stats;
	bool balanced;
};

static void
live_with_tap(dtap_options *options, struct life *life)
{
	struct dtap_event event = taps_event(1);
	dtap_producer *producer = NULL;
	dtap *tap = NULL;

	life->open = dtap_open(options, &tap);
	if (tap == NULL)
		return;
	life->producer = dtap_producer_open(tap, &producer);
	life->start = dtap_start(tap);
	if (producer != NULL)
		life->submit = dtap_submit(producer, &event);
	dtap_submit(dtap_thread_producer(tap), &event);
	life->reconfigure = dtap_reconfigure(tap, options);
	dtap_stop(tap, 10000);
	dtap_producer_close(&producer);
	dtap_stats_get(tap, &life->stats);
	life->balanced = dtap_stats_balanced(&life->stats);
	dtap_close(&tap);
}

/* From options to close, in a thread, so that its own producer goes, too. */
static void *
live(void *argument)
{
	struct life *life = argument;
	dtap_options *options;

	counting = true;
	options = dtap_options_new();
	if (options != NULL)
		life->set = dtap_options_set(options, "output",
					     "file:x.fstrm");
	if (options != NULL && life->set == DTAP_OK)
		live_with_tap(options, life);
	dtap_options_free(&options);
	counting = false;
	return NULL;
}

/* What all lives together have allocated and not freed. */
static long drift;

static void
live_once(struct life *life)
{
	pthread_t thread;
	long before;
	int failed;

	memset(life, 0, sizeof(*life));
	life->stats = (struct dtap_stats)DTAP_STATS_INIT;
	life->balanced = true;
	before = living;
	failed = pthread_create(&thread, NULL, live, life);
	if (failed == 0)
		failed = pthread_join(thread, NULL);
	drift += living - before;
	ck_assert_int_eq(failed, 0);
	unlink("x.fstrm");
}

/*
 * A life in which nothing fails; the drift after it. libc keeps something
 * from the first threads on, and more or less of it after a failure.
 */
static long
live_well(void)
{
	struct life life;

	refuse_from = 0;
	live_once(&life);
	ck_assert_uint_eq(life.stats.confirmed, 2);
	return drift;
}

static bool
is_failure(enum dtap_result result, enum dtap_result of_memory)
{
	return result == DTAP_OK || result == of_memory;
}

static void
expect_decency(const struct life *life)
{
	ck_assert(is_failure(life->set, DTAP_E_NOMEM));
	ck_assert(is_failure(life->open, DTAP_E_NOMEM));
	ck_assert(is_failure(life->producer, DTAP_E_NOMEM));
	ck_assert(is_failure(life->reconfigure, DTAP_E_NOMEM));
	/* No thread could be had. */
	ck_assert(is_failure(life->start, DTAP_E_SYSTEM));
	ck_assert_int_eq(life->submit, DTAP_OK);
	ck_assert(life->balanced);
}

START_TEST(every_allocation_fails_once_or_for_ever) /* F39, R2 */
{
	unsigned int refused = 0;
	unsigned int from = 0;
	struct life life;
	long before = 0;
	long after;

	scratch_enter();
	for (int i = 0; i < 3; i++)
		before = live_well();
	do {
		from++;
		refuse_for_ever = _i;
		refuse_from = from;
		allocations = refusals = 0;
		live_once(&life);
		expect_decency(&life);
		refused += refusals;
		after = live_well();
		ck_assert_msg(after == before, "allocation %u: %ld leaked",
			      from, after - before);
	} while (refusals > 0);
	ck_assert_uint_ge(from, 8);
	scratch_leave();
	if (_i == 1)
		report_gate("R02", "%u allocations in a life, each refused "
			    "once and for ever, %u refusals, 0 leaks",
			    from - 1, refused);
}
END_TEST

/* Without ck_assert(), which allocates. */
static uint64_t
sessions_of(const dtap *tap)
{
	struct dtap_stats stats = DTAP_STATS_INIT;

	dtap_stats_get(tap, &stats);
	return stats.sessions + stats.open_failures;
}

START_TEST(a_running_tap_allocates_nothing) /* F39, F36 */
{
	static const char *const options[] = { "rotate-bytes=64K",
					       "reconnect-min-ms=10",
					       "reconnect-max-ms=10", NULL };
	struct dtap_event event = taps_event(1);
	unsigned int submitted = 0;
	dtap_producer *producer;
	dtap *tap;

	scratch_enter();
	ck_assert_int_eq(mkdir("d", 0700), 0);
	tap = taps_start("file:d/x.%H%M%S", options);
	ck_assert_int_eq(dtap_producer_open(tap, &producer), DTAP_OK);
	while (sessions_of(tap) == 0)
		usleep(1000);
	refuse_from = 0;
	allocations = 0;
	counting = true;
	/* Rotation, reopening, and an output that fails. */
	while (sessions_of(tap) < 10) {
		dtap_submit(producer, &event);
		if (++submitted % 100 == 0)
			usleep(100);
	}
	rename("d", "e");
	dtap_reopen(tap);
	while (sessions_of(tap) < 15)
		usleep(1000);
	counting = false;
	ck_assert_uint_eq(allocations, 0);
	taps_finish(&tap, 1000);
	dtap_producer_close(&producer);
	scratch_leave();
}
END_TEST

int
main(void)
{
	Suite *suite;
	TCase *tests;

	if (!HAS_OWN_MALLOC) {
		puts("SKIP: the sanitizer's malloc() cannot be replaced");
		return 77;
	}
	suite = suite_create("fault_memory");
	tests = tcase_create("memory");
	tcase_set_timeout(tests, 120);
	tcase_add_loop_test(tests, every_allocation_fails_once_or_for_ever, 0,
			    2);
	tcase_add_test(tests, a_running_tap_allocates_nothing);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
