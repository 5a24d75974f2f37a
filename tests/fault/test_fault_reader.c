/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reader of ours, dtap-cat, and peers that mean it no good (F48): a
 * thousand connections, most of which announce 4 GiB or a whole frame that
 * never comes, and some of which say nothing. One tap among them delivers.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/compiler.h"
#include "rig.h"
#include "support/report.h"
#include "support/sanitized.h"
#include "support/scratch.h"
#include "support/support.h"
#include "support/taps.h"

#define PEERS 1000
#define MUTES 40 /* fewer than it serves at a time */
#define EVENTS 20000
/* Far from PEERS times the largest frame, which would be 1 GiB. */
#define MEMORY_KIB_MAX (48 * 1024)

/* What dtap-cat ends with when some of its input was no stream. */
#define READER_SAW_DAMAGE 3

static char program[PATH_MAX + 32];

/* START with the content type of dnstap, for those who come so far. */
#define START \
	"\0\0\0\0\0\0\0\x22\0\0\0\2\0\0\0\1\0\0\0\x16protobuf:dnstap.Dnstap"

static const struct {
	const char *octets;
	size_t bytes;
} attacks[] = {
	/* A data frame before any control frame, of 4 GiB. */
	{ "\xff\xff\xff\xff", 4 },
	/* Control frames of 4 GiB, and of just above what is allowed. */
	{ "\0\0\0\0\xff\xff\xff\xff\0\0\0\2", 12 },
	{ "\0\0\0\0\0\0\2\1\0\0\0\2", 12 },
	/* A content type that is longer than its frame. */
	{ "\0\0\0\0\0\0\0\x22\0\0\0\2\0\0\0\1\xff\xff\xff\xff", 20 },
	/* Well begun, then a frame of 4 GiB. */
	{ START "\xff\xff\xff\xff", sizeof(START) + 3 },
	/* The largest frame that is allowed, of which a few octets come. */
	{ START "\0\x10\0\0some", sizeof(START) + 7 },
	/* Another protocol. */
	{ "GET / HTTP/1.0\r\n\r\n", 18 }
};

static int
call_reader(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX,
				       .sun_path = "sock" };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	/* Waits when the reader's queue is full. */
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address,
				 sizeof(address)), 0);
	return fd;
}

/* Becomes a reader that prints to "out"; kept within bounds by the test. */
static pid_t
start_reader(void)
{
	static const char *const arguments[] = { program, "--unix", "sock",
						 "--quiet", NULL };
	struct sockaddr_un address = { .sun_family = AF_UNIX,
				       .sun_path = "sock" };
	int out = open("out", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	int saved = dup(STDOUT_FILENO);
	int probe = socket(AF_UNIX, SOCK_STREAM, 0);
	pid_t pid;

	fflush(stdout);
	ck_assert_int_ge(dup2(out, STDOUT_FILENO), 0);
	pid = rig_spawn(arguments);
	ck_assert_int_ge(dup2(saved, STDOUT_FILENO), 0);
	close(saved);
	close(out);
	rig_until(connect(probe, (struct sockaddr *)&address,
			  sizeof(address)) == 0);
	close(probe);
	return pid;
}

/* The most memory that the process has had, in KiB. */
static unsigned int
peak_kib(pid_t pid)
{
	char path[64], line[256];
	unsigned int kib = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file) != NULL &&
	       sscanf(line, "VmHWM: %u", &kib) != 1)
		continue;
	fclose(file);
	ck_assert_uint_gt(kib, 0);
	return kib;
}

static unsigned int
count_lines(const char *path)
{
	FILE *file = fopen(path, "r");
	unsigned int lines = 0;
	int octet;

	ck_assert_ptr_nonnull(file);
	while ((octet = getc(file)) != EOF)
		lines += octet == '\n';
	fclose(file);
	return lines;
}

static void
attack(int *held)
{
	for (unsigned int i = 0; i < PEERS; i++) {
		unsigned int kind = i % DTAP__COUNT_OF(attacks);
		int fd = call_reader();

		/* It may have hung up already. */
		send(fd, attacks[kind].octets, attacks[kind].bytes,
		     MSG_NOSIGNAL);
		/* Every seventh waits for the rest of a frame. */
		if (kind == 5 && i < 7 * MUTES)
			held[i / 7] = fd;
		else
			close(fd);
	}
}

START_TEST(a_thousand_hostile_connections) /* F48 */
{
	static const char *const options[] = { "ring-bytes=16M", NULL };
	struct rig_source source;
	struct dtap_stats stats;
	enum dtap_result result;
	unsigned int memory_kib;
	int held[MUTES];
	pid_t reader;
	dtap *tap;

	scratch_enter();
	reader = start_reader();
	tap = taps_start("unix:sock", options);
	rig_source_open(&source, tap, 0, 100);
	rig_submit_many(&source, EVENTS / 2);
	attack(held);
	rig_submit_many(&source, EVENTS / 2);
	stats = rig_finish(&tap, 20000, &result);
	dtap_producer_close(&source.producer);
	ck_assert_int_eq(result, DTAP_OK);
	ck_assert_uint_eq(stats.confirmed, EVENTS);
	memory_kib = peak_kib(reader);
	for (int i = 0; i < MUTES; i++)
		close(held[i]);
	ck_assert_int_eq(rig_end(reader), READER_SAW_DAMAGE);
	ck_assert_uint_eq(count_lines("out"), EVENTS);
	if (!SANITIZED)
		ck_assert_uint_le(memory_kib, MEMORY_KIB_MAX);
	scratch_leave();
	report_fault("F48", "unix", "%d hostile connections, %d frames of "
		     "another, %u KiB", PEERS, EVENTS, memory_kib);
}
END_TEST

START_TEST(connections_that_say_nothing) /* F48 */
{
	int held[MUTES];
	pid_t reader;
	char octet;

	scratch_enter();
	reader = start_reader();
	for (int i = 0; i < MUTES; i++) {
		held[i] = call_reader();
		/* Half of them begin, an octet at a time. */
		if (i % 2 == 0)
			ck_assert_int_eq(send(held[i], "", 1, MSG_NOSIGNAL),
					 1);
	}
	/* All are hung up on. */
	for (int i = 0; i < MUTES; i++) {
		ck_assert_int_le(recv(held[i], &octet, 1, 0), 0);
		close(held[i]);
	}
	ck_assert_int_eq(rig_end(reader), READER_SAW_DAMAGE);
	scratch_leave();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("fault_reader");
	char built[PATH_MAX];

	rig_init();
	if (getcwd(built, sizeof(built)) == NULL)
		return EXIT_FAILURE;
	snprintf(program, sizeof(program), "%s/tools/cat/dtap-cat", built);
	support_add(suite, a_thousand_hostile_connections);
	support_add(suite, connections_that_say_nothing);
	return support_run(suite);
}
