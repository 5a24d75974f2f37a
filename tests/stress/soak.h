/* SPDX-License-Identifier: Apache-2.0 */
/*
 * soak.h: what the soak is made of: its sinks, each with a tap and a reader or
 * files, and the faults that happen to them.
 */
#ifndef DTAP_TESTS_SOAK_H
#define DTAP_TESTS_SOAK_H

#include <stdbool.h>
#include <stdint.h>

#include "rig.h"
#include "soak_load.h"

enum { SOAK_FILE, SOAK_UNIX, SOAK_TCP };

/* What the options drawn allow a tap: so many rings of up to so much. */
#define SOAK_RING_KIB_MIN 64
#define SOAK_RING_DOUBLINGS 4
#define SOAK_RINGS_MAX 16

struct soak {
	uint64_t random;
	uint64_t start_ms, end_ms, check_ms, fault_ms; /* when next */
	struct soak_load load;
	dtap_options *options[SOAK_SINKS];
	struct rig_reader readers[SOAK_SINKS]; /* pid 0: none */
	bool has_disk;
	bool filled;   /* the disk */
	bool moved;    /* the directory, away */
	unsigned int checks, faults;
	uint64_t events;	 /* of taps that have been closed */
	uint64_t frames_written; /* to files, by taps that have been closed */
	uint64_t frames_read;	 /* from files */
	unsigned int resident_kib; /* at the first look */
};

uint64_t
soak_draw(struct soak *soak, uint64_t below);

/* A line with the time. */
void
soak_say(const struct soak *soak, const char *sink, const char *what);

extern const char *const soak_sink_names[SOAK_SINKS];

/* A new tap for a sink, with options of its own. */
void
soak_sink_open(struct soak *soak, int number);

void
soak_set_number(dtap_options *options, const char *name, uint64_t value);

void
soak_set_text(dtap_options *options, const char *name, const char *text);

/* With threads that go on submitting. */
void
soak_sink_stop(struct soak *soak, int number, uint32_t timeout_ms);

/* After its stop, with the gate held for writing. */
void
soak_sink_close(struct soak *soak, int number);

/* Options of fault_peer; the first is none. */
#define SOAK_READER_OPTIONS 3

/* Starts a reader in the place of the one that is there. */
void
soak_reader_start(struct soak *soak, int sink, const char *const *options);

void
soak_reader_kill(struct soak *soak, int sink);

/*
 * Reads all files that have been moved aside, and removes them; with "x", the
 * last one, too.
 */
void
soak_collect(struct soak *soak, bool with_last);

/* Something happens to one of the sinks, or to the process. */
void
soak_make_fault(struct soak *soak);

/* Ends what lasts. */
void
soak_mend(struct soak *soak);

#endif
