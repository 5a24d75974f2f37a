/* SPDX-License-Identifier: Apache-2.0 */
/*
 * calls_life.h: lives of a tap in which system calls fail, and what must hold
 * of each.
 *
 * A life: opened, started, events, reopened, events, stopped, closed; into a
 * file, a Unix or a TCP socket. What does not hold is told and counted, and
 * the next life begins. Several processes may live side by side.
 */
#ifndef DTAP_TESTS_CALLS_LIFE_H
#define DTAP_TESTS_CALLS_LIFE_H

#include "base/compiler.h"
#include "rig.h"
#include "support/calls.h"

/* Processes that live lives; one more explores the bases before. */
#define LIFE_WORKERS 4
#define LIFE_EXPLORER LIFE_WORKERS

enum life_sink { SINK_FILE, SINK_UNIX, SINK_TCP, SINKS };

/* Their names. */
extern const char *const life_sinks[SINKS];

/* What happens to every life of a kind, before any fault is added. */
struct life_base {
	enum life_sink sink;
	struct calls_script script;
};

#define LIFE_BASES 6

extern const struct life_base life_bases[LIFE_BASES];

/* What the processes tell each other. */
struct life_shared {
	_Atomic(unsigned int) lives;
	_Atomic(unsigned int) injections;
	_Atomic(unsigned int) violations;
	_Atomic(unsigned int) struck[CALLS_KINDS]; /* lives, by kind */
	struct {
		_Atomic(unsigned int) lives;
		char what[256]; /* the life that is lived now */
	} workers[LIFE_WORKERS + 1];
};

/* Made by who starts the processes. */
extern struct life_shared *life_shared;
/* Which of the workers this is. */
extern unsigned int life_self;

/* What lives of a base are written to. */
struct life_stage {
	unsigned int base;
	enum life_sink sink;
	struct rig_reader reader;
	unsigned int next; /* number of the reader's next connection */
};

/* Tells of the life that is lived now what does not hold. */
void
life_violate(const char *format, ...) dtap__printf(1, 2);

/* Goes to a directory of its own, with a reader there if need be. */
void
life_stage_open(struct life_stage *stage, unsigned int base);

void
life_stage_close(struct life_stage *stage);

/* Lives a life with up to two faults more, and looks at what it has left. */
void
life_live(struct life_stage *stage, const struct calls_fault *faults,
	  unsigned int count);

#endif
