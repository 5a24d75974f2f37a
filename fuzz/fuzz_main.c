/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_main.c: a fuzz target as an ordinary test, where no fuzzer is built.
 *
 *   fuzz_x             its corpus, then damaged copies of it
 *   fuzz_x COUNT       the same with so many damaged copies
 *   fuzz_x FILE|DIR    these inputs, each once and as it is
 *
 * The copies have octets changed, cut out and doubled at places that a
 * generator with a fixed seed chooses, so that each run is the same. Where an
 * input hangs, its number is told and the program ends.
 */
#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"

#define COUNT_DEFAULT 10000
#define COUNT_VALGRIND 300
/* What every corpus has, at least. */
#define SEEDS_MIN 50
#define SEEDS_MAX 4096
#define ROOM (128 * 1024)
/* For one input, which takes far less on the slowest of machines. */
#define HANG_SECONDS 60
#define HANG_SECONDS_VALGRIND 600

struct seed {
	uint8_t *octets;
	size_t bytes;
};

static struct seed seeds[SEEDS_MAX];
static size_t seeds_count;

void
fuzz_measure(fuzz_work *work, void *context)
{
	work(context);
}

static void
fail(const char *what, const char *path)
{
	fprintf(stderr, "%s: %s\n", path, what);
	exit(EXIT_FAILURE);
}

static void
load_file(const char *path)
{
	static uint8_t room[ROOM];
	struct seed *seed;
	FILE *file;

	if (seeds_count == SEEDS_MAX)
		fail("is one file too many", path);
	seed = &seeds[seeds_count];
	file = fopen(path, "rb");
	if (file == NULL)
		fail("cannot be opened", path);
	seed->bytes = fread(room, 1, sizeof(room), file);
	if (ferror(file) || fgetc(file) != EOF)
		fail("cannot be read, or is too long", path);
	fclose(file);
	/* Of its exact size, so that what reads beyond it is found. */
	seed->octets = malloc(seed->bytes + (seed->bytes == 0));
	if (seed->octets == NULL)
		fail("no memory", path);
	memcpy(seed->octets, room, seed->bytes);
	seeds_count++;
}

static void
load(const char *path)
{
	char inner[4096];
	struct dirent **names;
	struct stat status;
	int count;

	if (stat(path, &status) != 0 || !S_ISDIR(status.st_mode)) {
		load_file(path);
		return;
	}
	count = scandir(path, &names, NULL, alphasort);
	if (count < 0)
		fail("cannot be read", path);
	for (int i = 0; i < count; i++) {
		snprintf(inner, sizeof(inner), "%s/%s", path,
			 names[i]->d_name);
		if (names[i]->d_name[0] != '.')
			load_file(inner);
		free(names[i]);
	}
	free(names);
}

/* The corpus has the name of the program; automake exports srcdir. */
static void
load_corpus(const char *program)
{
	const char *top = getenv("srcdir");
	const char *slash = strrchr(program, '/');
	char path[4096];

	snprintf(path, sizeof(path), "%s/fuzz/corpus/%s",
		 top != NULL ? top : ".", slash != NULL ? slash + 1 : program);
	load(path);
	if (seeds_count < SEEDS_MIN)
		fail("too few seeds", path);
}

/* What there is to say when the present input hangs. */
static char hangs[64];

static void
on_alarm(int number)
{
	(void)number;
	(void)!write(STDERR_FILENO, hangs, strlen(hangs));
	abort();
}

static void
feed(const uint8_t *octets, size_t bytes)
{
	static unsigned long count;

	snprintf(hangs, sizeof(hangs), "input %lu hangs\n", ++count);
	alarm(getenv("DTAP_UNDER_VALGRIND") != NULL ? HANG_SECONDS_VALGRIND
						    : HANG_SECONDS);
	fuzz_input(octets, bytes);
}

static uint64_t
next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* One damage; returns the new length. */
static size_t
damage(uint8_t *octets, size_t bytes, uint64_t *state)
{
	size_t at = (size_t)(next_random(state) % (bytes + 1));

	switch (next_random(state) % 4) {
	case 0:
		return at;
	case 1:
		if (at < bytes)
			octets[at] = (uint8_t)next_random(state);
		return bytes;
	case 2:
		if (at < bytes)
			octets[at] ^= (uint8_t)(1u << next_random(state) % 8);
		return bytes;
	default:
		memmove(octets + bytes, octets + at, bytes - at);
		return bytes + (bytes - at);
	}
}

static void
feed_damaged(long count)
{
	uint64_t state = 4711;

	for (long i = 0; i < count; i++) {
		const struct seed *seed = &seeds[(size_t)i % seeds_count];
		/* Three times doubled. */
		uint8_t *octets = malloc(8 * seed->bytes + 1);
		size_t bytes = seed->bytes;
		uint8_t *exact;

		if (octets == NULL)
			fail("no memory", "damaged");
		memcpy(octets, seed->octets, bytes);
		for (uint64_t n = 1 + next_random(&state) % 3; n > 0; n--)
			bytes = damage(octets, bytes, &state);
		exact = realloc(octets, bytes + (bytes == 0));
		feed(exact != NULL ? exact : octets, bytes);
		free(exact != NULL ? exact : octets);
	}
}

static long
count_damaged(int argc, char **argv)
{
	char *end;
	long count;

	if (argc < 2)
		return getenv("DTAP_UNDER_VALGRIND") != NULL ? COUNT_VALGRIND
							     : COUNT_DEFAULT;
	count = strtol(argv[1], &end, 10);
	return *end == '\0' ? count : -1;
}

int
main(int argc, char **argv)
{
	long count = count_damaged(argc, argv);

	signal(SIGALRM, on_alarm);
	if (count >= 0)
		load_corpus(argv[0]);
	for (int i = 1; count < 0 && i < argc; i++)
		load(argv[i]);
	for (size_t i = 0; i < seeds_count; i++)
		feed(seeds[i].octets, seeds[i].bytes);
	feed_damaged(count);
	printf("%zu seeds, %ld damaged copies\n", seeds_count,
	       count < 0 ? 0 : count);
	for (size_t i = 0; i < seeds_count; i++)
		free(seeds[i].octets);
	return EXIT_SUCCESS;
}
