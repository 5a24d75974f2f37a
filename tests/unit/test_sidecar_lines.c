/* SPDX-License-Identifier: Apache-2.0 */
/* lines.c: who reads gets all lines; who does not, holds up no end. */
#include "sidecar/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/support.h"

/* More than a pipe and the buffer hold together. */
#define MANY 20000

static struct lines lines;

static void
add_many(void)
{
	struct dtap_message message = DTAP_MESSAGE_INIT;

	for (int i = 0; i < MANY && lines.text.error == 0; i++)
		lines_add(&lines, &message);
}

static void
open_pipe(int ends[2])
{
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	lines_init(&lines, ends[1]);
}

static void
open_terminal(int ends[2])
{
	ends[0] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	ck_assert_int_ge(ends[0], 0);
	ck_assert_int_eq(grantpt(ends[0]), 0);
	ck_assert_int_eq(unlockpt(ends[0]), 0);
	ends[1] = open(ptsname(ends[0]), O_RDWR | O_NOCTTY | O_CLOEXEC);
	ck_assert_int_ge(ends[1], 0);
	lines_init(&lines, ends[1]);
}

static void
close_ends(const int ends[2])
{
	lines_fini(&lines);
	close(ends[0]);
	close(ends[1]);
}

/* Takes a little at a time; counts the ends of lines. */
static void *
read_slowly(void *argument)
{
	const int *fd = argument;
	size_t *count = malloc(sizeof(*count));
	char octets[1000];
	ssize_t got;

	ck_assert_ptr_nonnull(count);
	*count = 0;
	while ((got = read(*fd, octets, sizeof(octets))) > 0)
		for (ssize_t i = 0; i < got; i++)
			*count += octets[i] == '\n';
	return count;
}

static void
check_reader(const int ends[2])
{
	pthread_t reader;
	size_t *count;

	ck_assert_int_eq(pthread_create(&reader, NULL, read_slowly,
					(void *)(uintptr_t)ends), 0);
	add_many();
	lines_flush(&lines);
	ck_assert_int_eq(lines.text.error, 0);
	lines_fini(&lines);
	close(ends[1]);
	ck_assert_int_eq(pthread_join(reader, (void **)&count), 0);
	ck_assert_uint_eq(*count, MANY);
	free(count);
	close(ends[0]);
}

START_TEST(a_slow_reader_gets_every_line)
{
	int ends[2];

	open_pipe(ends);
	check_reader(ends);
	open_pipe(ends);
	ck_assert_int_eq(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
	check_reader(ends);
	open_terminal(ends);
	check_reader(ends);
}
END_TEST

START_TEST(a_reader_that_goes_is_noticed)
{
	int ends[2];

	signal(SIGPIPE, SIG_IGN);
	open_pipe(ends);
	close(ends[0]);
	add_many();
	lines_flush(&lines);
	ck_assert_int_eq(lines.text.error, EPIPE);
	close(ends[1]);
}
END_TEST

START_TEST(who_does_not_read_does_not_hold_up_the_end)
{
	int ends[2];

	open_pipe(ends);
	lines_hurry(&lines);
	add_many();
	lines_flush(&lines);
	ck_assert_int_eq(lines.text.error, ETIME);
	close_ends(ends);
}
END_TEST

START_TEST(nor_does_he_a_signal_to_end)
{
	sigset_t set;
	int signal_number;
	int ends[2];

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	ck_assert_int_eq(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	open_pipe(ends);
	raise(SIGTERM);
	add_many();
	ck_assert_int_eq(lines.text.error, ETIME);
	/* It is still there, for who has to end. */
	ck_assert_int_eq(sigwait(&set, &signal_number), 0);
	ck_assert_int_eq(signal_number, SIGTERM);
	close_ends(ends);
}
END_TEST

/* It says that it has room, and has little. */
START_TEST(a_terminal_that_stands_still_does_not_hold_up_the_end)
{
	int ends[2];

	open_terminal(ends);
	/* Whoever shares it would not expect that. */
	ck_assert_int_eq(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0);
	lines_hurry(&lines);
	add_many();
	lines_flush(&lines);
	ck_assert_int_eq(lines.text.error, ETIME);
	close_ends(ends);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("sidecar lines");

	support_add(suite, a_slow_reader_gets_every_line);
	support_add(suite, a_reader_that_goes_is_noticed);
	support_add(suite, who_does_not_read_does_not_hold_up_the_end);
	support_add(suite, nor_does_he_a_signal_to_end);
	support_add(suite,
		    a_terminal_that_stands_still_does_not_hold_up_the_end);
	return support_run(suite);
}
