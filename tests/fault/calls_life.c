/* SPDX-License-Identifier: Apache-2.0 */
/*
 * calls_life.c: see calls_life.h.
 */
#include "calls_life.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/taps.h"

#define EVENTS 24
#define EVENT_BYTES 100
/* When all is well, there is as much time as it takes; else there is none. */
#define STOP_MS 20000
#define STOP_IN_TROUBLE_MS 100
/* A life goes on after this, whether or not it has got anywhere. */
#define PATIENCE_MS 40
/* A healthy life has some hundred calls, one octet at a time some ten
 * thousand; a writer that does not wait any more gets much further. */
#define CALLS_MAX 60000

struct life_shared *life_shared;
unsigned int life_self;

const char *const life_sinks[SINKS] = { "file", "unix", "tcp" };

/* clang-format off */
const struct life_base life_bases[LIFE_BASES] = {
	{ SINK_FILE, { .count = 0 } },
	{ SINK_FILE, { {
		{ CALLS_WRITEV, 1, ENOSPC, false },
		{ CALLS_WRITEV, 4, CALLS_SHORT, false },
		{ CALLS_WRITEV, 5, EIO, false },
		{ CALLS_RENAMEAT2, 1, EINVAL, false } }, 4 } },
	{ SINK_UNIX, { .count = 0 } },
	{ SINK_UNIX, { {
		{ CALLS_CONNECT, 1, EAGAIN, false },
		{ CALLS_SENDMSG, 1, CALLS_SHORT, false },
		{ CALLS_SENDMSG, 5, CALLS_SHORT, false },
		{ CALLS_SENDMSG, 6, EPIPE, false } }, 4 } },
	{ SINK_TCP, { .count = 0 } },
	{ SINK_TCP, { {
		{ CALLS_GETSOCKOPT, 1, ECONNRESET, false },
		{ CALLS_SENDMSG, 1, CALLS_SHORT, false },
		{ CALLS_SENDMSG, 5, CALLS_SHORT, false },
		{ CALLS_SENDMSG, 6, ECONNRESET, false } }, 4 } },
};
/* clang-format on */

/* A life, and what is seen of it. */
struct life {
	struct life_stage *stage;
	enum life_sink sink;
	struct calls_script script;
	bool healthy;	 /* nothing is to be added */
	bool passing;	 /* no fault is for ever */
	unsigned int descriptors, threads; /* before */
	uint64_t events; /* submitted */
	enum dtap_result started, stopped;
	struct dtap_stats stats;
};

void
life_violate(const char *format, ...)
{
	va_list arguments;
	char text[256];

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	printf("VIOLATION: %s: %s\n", life_shared->workers[life_self].what,
	       text);
	fflush(stdout);
	life_shared->violations++;
}

/* Puts the life into words, for those who have to look into it. */
static void
describe(const struct life *life)
{
	char *what = life_shared->workers[life_self].what;
	size_t room = sizeof(life_shared->workers[life_self].what);
	size_t at;

	at = (size_t)snprintf(what, room, "base %u, %s",
			      life->stage->base, life_sinks[life->sink]);
	for (unsigned int i = 0; i < life->script.count && at < room; i++) {
		const struct calls_fault *fault = &life->script.faults[i];

		at += (size_t)snprintf(what + at, room - at, ", %s %u %s%s",
				       calls_table[fault->kind].name,
				       fault->number,
				       calls_error_name(fault->error),
				       fault->for_ever ? " for ever" : "");
	}
}

/* Whether more than a failure or two is to be expected no more. */
static bool
is_hopeless(const struct dtap_stats *stats)
{
	return stats->open_failures + stats->broken_sessions >= 3;
}

/* Until so many are written and so many files begun, or patience ends. */
static void
wait_for(const dtap *tap, uint64_t written, uint64_t rotations, bool patient)
{
	uint64_t end_ms = rig_clock_ms() + (patient ? STOP_MS : PATIENCE_MS);
	struct dtap_stats stats;

	do {
		stats = taps_stats(tap);
		if (stats.written >= written && stats.rotations >= rotations)
			return;
		if (!patient && is_hopeless(&stats))
			return;
		rig_nap_ms(1);
	} while (rig_clock_ms() < end_ms);
}

static void
wait_for_threads(unsigned int threads)
{
	rig_until(rig_count_entries("/proc/self/task") == threads);
}

static void
live_started(struct life *life, dtap *tap, struct rig_source *source)
{
	rig_submit_many(source, EVENTS / 2);
	wait_for(tap, EVENTS / 2, 0, life->passing);
	dtap_reopen(tap);
	wait_for(tap, EVENTS / 2, 1, life->healthy);
	rig_submit_many(source, EVENTS / 2);
	/* A stop gives an output that is down one try, which may be it. */
	if (life->passing)
		wait_for(tap, EVENTS, 0, true);
}

/* From open to close. */
static void
live(struct life *life)
{
	static const char *const options[] = {
		"latency-ms=1", "ring-bytes=64K", "reconnect-min-ms=10",
		"reconnect-max-ms=10", "connect-timeout-ms=100",
		"handshake-timeout-ms=100", "write-timeout-ms=100", NULL };
	struct rig_source source;
	enum dtap_result result;
	dtap *tap;

	rig_source_init(&source, 0, EVENT_BYTES);
	calls_begin(&life->script);
	tap = taps_open(life->stage->reader.uri, options);
	result = dtap_producer_open(tap, &source.producer);
	if (result != DTAP_OK && result != DTAP_E_NOMEM)
		life_violate("no producer: %s", dtap_result_text(result));
	life->started = dtap_start(tap);
	if (source.producer != NULL && life->started == DTAP_OK)
		live_started(life, tap, &source);
	life->events = source.producer == NULL ? 0 : source.sequence;
	life->stopped = dtap_stop(tap, life->passing ? STOP_MS
						     : STOP_IN_TROUBLE_MS);
	/* On a busy machine it may have been left behind. */
	wait_for_threads(life->threads);
	life->stats = taps_stats(tap);
	dtap_producer_close(&source.producer);
	dtap_close(&tap);
	calls_end();
}

static void
judge_ledger(const struct life *life)
{
	const struct dtap_stats *stats = &life->stats;

	if (!dtap_stats_balanced(stats))
		life_violate("the ledger is off");
	if (stats->submitted != life->events ||
	    stats->submitted != stats->accepted + stats->dropped_full +
					stats->dropped_no_ring)
		life_violate("%" PRIu64 " events, %" PRIu64 " submitted, %"
			     PRIu64 " accepted", life->events, stats->submitted,
			     stats->accepted);
	if (stats->accepted !=
		    stats->written + stats->lost_io + stats->lost_shutdown ||
	    stats->in_ring != 0)
		life_violate("%" PRIu64 " accepted, %" PRIu64 " written, %"
			     PRIu64 " lost, %" PRIu64 " in rings",
			     stats->accepted, stats->written,
			     stats->lost_io + stats->lost_shutdown,
			     stats->in_ring);
	if (stats->confirmed > stats->written)
		life_violate("more confirmed than written");
	if (life->passing && stats->written != life->events)
		life_violate("lost: %" PRIu64 " of %" PRIu64 " written",
			     stats->written, life->events);
}

static void
judge_results(const struct life *life)
{
	bool no_thread = calls_seen(CALLS_PTHREAD_CREATE) == 1 &&
			 life->started == DTAP_E_SYSTEM;
	unsigned int calls = 0;

	if (life->started != DTAP_OK && !no_thread)
		life_violate("start: %s", dtap_result_text(life->started));
	if (life->stopped != DTAP_OK && life->stopped != DTAP_E_TIMEOUT &&
	    !(no_thread && life->stopped == DTAP_E_STATE))
		life_violate("stop: %s", dtap_result_text(life->stopped));
	if (life->healthy && life->stopped != DTAP_OK)
		life_violate("not even a healthy life ends well");
	for (int kind = 0; kind < CALLS_KINDS; kind++)
		calls += calls_seen((enum calls_kind)kind);
	if (calls > CALLS_MAX)
		life_violate("spins: %u calls", calls);
}

/* Whether the file could not even be cut back. */
static bool
may_be_torn(const struct life *life)
{
	for (unsigned int i = 0; i < life->script.count; i++)
		if ((life->script.faults[i].kind == CALLS_FTRUNCATE ||
		     life->script.faults[i].kind == CALLS_FSTAT) &&
		    calls_hits(i) > 0)
			return true;
	return false;
}

static void
judge_streams(const struct life *life, const struct audit *audit)
{
	const struct dtap_stats *stats = &life->stats;

	if (audit->repeated > 0)
		life_violate("%" PRIu64 " events twice", audit->repeated);
	if (audit->frames < stats->confirmed || audit->frames > stats->written)
		life_violate("%" PRIu64 " confirmed, %" PRIu64 " read, %" PRIu64
			     " written", stats->confirmed, audit->frames,
			     stats->written);
	if (life->sink != SINK_FILE)
		return;
	if (audit->frames != stats->written)
		life_violate("%" PRIu64 " written, %" PRIu64 " in files",
			     stats->written, audit->frames);
	if (audit->torn > 0 && !may_be_torn(life))
		life_violate("%" PRIu64 " files end within a frame",
			     audit->torn);
}

/* Adds a stream to the audit and removes its file. One of two names of a file
 * only goes: where renaming is linking and unlinking, the latter may fail. */
static void
take_stream(struct audit *audit, const char *path)
{
	struct stat status;

	if (stat(path, &status) == 0 && status.st_nlink == 1 &&
	    !audit_add(audit, path))
		life_violate("%s", audit->error);
	unlink(path);
}

static void
take_files(struct audit *audit)
{
	DIR *files = opendir("d");
	struct dirent *entry;
	char path[PATH_MAX];

	ck_assert_ptr_nonnull(files);
	while ((entry = readdir(files)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "d/%s", entry->d_name);
		take_stream(audit, path);
	}
	closedir(files);
}

/* The reader has come to the end of all connections that were before this. */
static void
wait_for_reader(enum life_sink sink, const struct rig_reader *reader)
{
	struct sockaddr_un local = { AF_UNIX, "sock" };
	struct sockaddr_in four = { .sin_family = AF_INET };
	int fd = socket(sink == SINK_UNIX ? AF_UNIX : AF_INET, SOCK_STREAM, 0);
	char octet;

	four.sin_port = htons((uint16_t)reader->port);
	four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (sink == SINK_UNIX)
		ck_assert_int_eq(connect(fd, (struct sockaddr *)&local,
					 sizeof(local)), 0);
	else
		ck_assert_int_eq(connect(fd, (struct sockaddr *)&four,
					 sizeof(four)), 0);
	shutdown(fd, SHUT_WR);
	while (recv(fd, &octet, 1, 0) > 0)
		;
	close(fd);
}

static void
take_connections(struct audit *audit, struct life_stage *stage)
{
	char path[32];

	wait_for_reader(stage->sink, &stage->reader);
	for (;; stage->next++) {
		snprintf(path, sizeof(path), "got.%u.end", stage->next);
		if (unlink(path) != 0)
			break;
		snprintf(path, sizeof(path), "got.%u", stage->next);
		take_stream(audit, path);
	}
}

static void
judge(struct life *life)
{
	struct audit audit;

	memset(&audit, 0, sizeof(audit));
	if (life->sink == SINK_FILE)
		take_files(&audit);
	else
		take_connections(&audit, life->stage);
	audit_end(&audit);
	judge_results(life);
	judge_streams(life, &audit);
	if (life->started == DTAP_OK)
		judge_ledger(life);
	if (rig_count_entries("/proc/self/fd") != life->descriptors)
		life_violate("%u descriptors before, %u after",
			     life->descriptors,
			     rig_count_entries("/proc/self/fd"));
}

/* The count of lives, and of those that a fault has struck. */
static void
note_life(const struct life *life, const struct calls_fault *faults,
	  unsigned int count)
{
	unsigned int first = life->script.count - count;
	bool struck = false;

	life_shared->lives++;
	life_shared->workers[life_self].lives++;
	for (unsigned int i = 0; i < count; i++) {
		if (calls_hits(first + i) == 0)
			continue;
		struck = true;
		life_shared->struck[faults[i].kind]++;
	}
	life_shared->injections += struck;
}

void
life_live(struct life_stage *stage, const struct calls_fault *faults,
	  unsigned int count)
{
	struct life life = { .stage = stage,
			     .sink = stage->sink,
			     .script = life_bases[stage->base].script,
			     .healthy = count == 0,
			     .passing = count < 2 };

	for (unsigned int i = 0; i < count; i++) {
		life.script.faults[life.script.count++] = faults[i];
		life.passing &= !faults[i].for_ever;
	}
	describe(&life);
	life.descriptors = rig_count_entries("/proc/self/fd");
	life.threads = rig_count_entries("/proc/self/task");
	live(&life);
	judge(&life);
	note_life(&life, faults, count);
}

static void *
tell_number(void *nothing)
{
	(void)nothing;
	return (void *)(intptr_t)gettid();
}

/* A sanitizer has a thread of its own once there has been one. */
static void
start_first_thread(void)
{
	pthread_t thread;
	void *number;

	ck_assert_int_eq(pthread_create(&thread, NULL, tell_number, NULL), 0);
	ck_assert_int_eq(pthread_join(thread, &number), 0);
	rig_await_gone((pid_t)(intptr_t)number);
}

void
life_stage_open(struct life_stage *stage, unsigned int base)
{
	static const char *const serial[] = { "--serial", NULL };
	char directory[32];

	memset(stage, 0, sizeof(*stage));
	stage->base = base;
	stage->sink = life_bases[base].sink;
	stage->next = 1;
	snprintf(directory, sizeof(directory), "base%u.%u", base, life_self);
	ck_assert_int_eq(mkdir(directory, 0700), 0);
	ck_assert_int_eq(chdir(directory), 0);
	ck_assert_int_eq(mkdir("d", 0700), 0);
	if (stage->sink == SINK_FILE)
		strcpy(stage->reader.uri, "file:d/x");
	else
		rig_start_peer(&stage->reader,
			       stage->sink == SINK_UNIX ? RIG_UNIX : RIG_TCP,
			       serial);
	start_first_thread();
}

void
life_stage_close(struct life_stage *stage)
{
	if (stage->sink != SINK_FILE)
		rig_kill(stage->reader.pid, SIGKILL);
	ck_assert_int_eq(chdir(".."), 0);
}
