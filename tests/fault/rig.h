/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rig.h: readers to torment a tap with, a load to do it under, and what must
 * hold afterwards.
 *
 * Every wait is for a condition and has an end; what is measured in time is
 * printed, and only judged with so much room that a busy machine passes.
 */
#ifndef DTAP_TESTS_RIG_H
#define DTAP_TESTS_RIG_H

#include <check.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/types.h>

#include <dnstap/dtap.h>

#include "base/atomic.h"
#include "gen_message.h"
#include "support/audit.h"

/* Waits until the condition holds; the test fails when it never does. */
#define rig_until(condition) \
	do { \
		unsigned int rig_waits = 0; \
		while (!(condition)) { \
			ck_assert_msg(rig_waits++ < 15000, "never: %s", \
				      #condition); \
			rig_nap_ms(2); \
		} \
	} while (0)

void
rig_nap_ms(unsigned int ms);

void
rig_nap_us(unsigned int us);

uint64_t
rig_clock_ms(void);

/* What to draw at random from: DTAP_STRESS_SEED, or something new; printed. */
uint64_t
rig_seed(void);

/* The next random number. */
uint64_t
rig_random(uint64_t *state);

/* Numbers of a loop test. */
enum rig_scheme { RIG_UNIX, RIG_TCP, RIG_SCHEMES };

/* A reader in processes of its own, which die with the test. */
struct rig_reader {
	pid_t pid;    /* of the first; they are a process group */
	char uri[64]; /* for the option `output` */
	unsigned int port;
};

/* Remembers where programs are built. Before any test changes directory. */
void
rig_init(void);

/*
 * Starts fault_peer, recording to "got.N"; arguments, if any, end with NULL.
 * It takes reader->port again unless that is 0.
 */
void
rig_start_peer(struct rig_reader *reader, enum rig_scheme scheme,
	       const char *const *arguments);

/* fork() for a child that does not outlive the test. */
pid_t
rig_fork(void);

/* Starts any program; its pid. Arguments begin with its name. */
pid_t
rig_spawn(const char *const *arguments);

/* Kills it and waits. */
void
rig_kill(pid_t pid, int signal);

/* Asks it to end, which it must do by itself; its exit status. */
int
rig_end(pid_t pid);

/* Waits for a child, which must end well. */
void
rig_await(pid_t child);

/* Whether a process of this pid, a child, sits in state S, T, Z ... */
bool
rig_is_in_state(pid_t pid, char state);

/* Where events come from: one thread, numbered sequence. */
struct rig_source {
	dtap_producer *producer;
	struct dtap_event event;
	struct gen_message message;
	uint64_t sequence;
	size_t bytes; /* of each message */
};

/* Without a producer, which may be given later. */
void
rig_source_init(struct rig_source *source, unsigned int thread, size_t bytes);

void
rig_source_open(struct rig_source *source, dtap *tap, unsigned int thread,
		size_t bytes);

enum dtap_result
rig_submit(struct rig_source *source);

void
rig_submit_many(struct rig_source *source, uint64_t events);

/* Submits until the output has taken nothing for a while and events drop. */
void
rig_submit_until_stuck(struct rig_source *source, dtap *tap);

/* A thread that submits a few events each millisecond until it is ended. */
struct rig_load {
	struct rig_source source;
	pthread_t thread;
	unsigned int burst; /* events per millisecond */
	dtap__atomic(bool) ending;
};

void
rig_load_start(struct rig_load *load, dtap *tap, unsigned int thread,
	       size_t bytes, unsigned int burst);

/* Returns how many events it has submitted. */
uint64_t
rig_load_end(struct rig_load *load);

/* The number of the writer's thread; 0 when there is none. */
pid_t
rig_writer(void);

/* Waits for a thread that ends: joined, it is counted for a moment more. */
void
rig_await_gone(pid_t thread);

/* Watches the writer for a while: it must not use the processor. */
void
rig_expect_rest(const char *when);

/*
 * Gives this process name spaces of its own (CLONE_NEWNS ...), for users other
 * than root within a user's. False when the system does not allow it.
 */
bool
rig_enter_own(int name_spaces);

/*
 * Makes the directory, and mounts memory there for this process alone, of a
 * size as mount(8) has it: "size=64m". False when the system does not allow
 * it; the directory may be there.
 */
bool
rig_mount_disk(const char *path, const char *size);

/* Only the directory stays. Of what was not mounted everything stays. */
void
rig_unmount_disk(const char *path);

/* Entries of a directory, as /proc/self/fd. */
unsigned int
rig_count_entries(const char *path);

/* The memory of this process that is resident. */
unsigned int
rig_resident_kib(void);

/*
 * Stops the tap, checks that the time was kept and the ledger balances to
 * the last event, and closes. *result may be NULL.
 */
struct dtap_stats
rig_finish(dtap **tap, uint32_t timeout_ms, enum dtap_result *result);

/*
 * Looks at files PREFIX.1 and following, as many as there are. All must be
 * well-formed, no event twice, and not more of them than were written.
 */
void
rig_audit(struct audit *audit, const char *prefix,
	  const struct dtap_stats *stats);

/*
 * The same for all regular files of a directory, but for one, which may be
 * NULL. Returns how many there were.
 */
unsigned int
rig_audit_files(struct audit *audit, const char *directory, const char *but,
		const struct dtap_stats *stats);

/* Lines of a tap's log, warnings and worse. */
#define RIG_LOG_LINES 8

struct rig_log {
	dtap__atomic(unsigned int) lines;
	char text[RIG_LOG_LINES][256]; /* the first lines; written once each */
};

/* The last line that was kept; "" when there is none. */
const char *
rig_last_line(const struct rig_log *log);

/* Opens a tap that logs; more as with taps_open(). */
dtap *
rig_open_logging(const char *output, const char *const *more,
		 struct rig_log *log);

/* Opens and starts one. */
dtap *
rig_start_logging(const char *output, const char *const *more,
		  struct rig_log *log);

#endif
