/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz.h: what fuzz targets share.
 *
 * A target is one file with one function, fuzz_input(), and its head says what
 * must hold for any input. With --enable-fuzzers it is a libFuzzer program
 * (fuzz_cost.c), else a test over its corpus (fuzz_main.c).
 */
#ifndef DTAP_FUZZ_H
#define DTAP_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Takes any input; ends the program where something does not hold. */
void
fuzz_input(const uint8_t *data, size_t bytes);

/* What must hold, in every build. */
#define FUZZ_EXPECT(condition) \
	((condition) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #condition))

_Noreturn void
fuzz_fail(const char *file, int line, const char *condition);

/*
 * Does the work whose cost counts; returns the octets it worked on. It may be
 * called several times, always with the same result.
 */
typedef size_t
fuzz_work(void *context);

/*
 * Has the work done. In libFuzzer's build it may take no more processor time
 * than 1 ms and 100 ms for each MiB of what it worked on.
 */
void
fuzz_measure(fuzz_work *work, void *context);

/* An input that is read as numbers and runs of octets. */
struct fuzz_source {
	const uint8_t *at;
	size_t left;
};

/* count octets, most significant first; zeros where the input has ended. */
uint64_t
fuzz_take_number(struct fuzz_source *source, unsigned int count);

/* At most *bytes octets, and sets how many; never NULL. */
const uint8_t *
fuzz_take_octets(struct fuzz_source *source, size_t *bytes);

#endif
