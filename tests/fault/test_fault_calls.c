/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The n-th system call of a tap's life fails, whichever it is (R03).
 *
 * A life: opened, started, events, reopened, events, stopped, closed; into a
 * file, a Unix and a TCP socket; once undisturbed and once with troubles of
 * its own, so that what is done about a failure is done, too. First its calls
 * are counted. Then each of them fails with each error that it may fail with,
 * once in one life and from then on in another. Nothing of that may end the
 * process or hang it, leave a descriptor or a thread behind, put the ledger
 * out of balance, or a broken or repeated frame into a stream.
 *
 * Lives are lived in a few processes side by side, because they mostly wait.
 * DTAP_STRESS_FACTOR adds lives with two such faults, drawn at random from
 * DTAP_STRESS_SEED.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rig.h"
#include "support/calls.h"
#include "support/report.h"
#include "support/scratch.h"
#include "support/support.h"
#include "support/taps.h"

#define WORKERS 4
#define EXPLORER WORKERS /* explores the bases before */
#define EVENTS 24
#define EVENT_BYTES 100
/* When all is well, there is as much time as it takes; else there is none. */
#define STOP_MS 20000
#define STOP_IN_TROUBLE_MS 100
/* A life goes on after this, whether or not it has got anywhere. */
#define PATIENCE_MS 40
/* Without a sign of life the process hangs. */
#define HANG_MS 60000
/* Of one kind in one life: later ones find nothing that is new. */
#define NUMBERS_MAX 16
#define ITEMS_MAX 20000
/* A healthy life has some hundred calls, one octet at a time some ten
 * thousand; a writer that does not wait any more gets much further. */
#define CALLS_MAX 60000
#define PAIRS_PER_FACTOR 1000

enum sink { SINK_FILE, SINK_UNIX, SINK_TCP, SINKS };

static const char *const sink_names[SINKS] = { "file", "unix", "tcp" };

/* What happens to every life of a kind, before any fault is added. */
struct base {
	enum sink sink;
	struct calls_script script;
};

/* clang-format off */
static const struct base bases[] = {
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

#define BASES DTAP__COUNT_OF(bases)

/* One life that is to be lived: what is added to a base. */
struct item {
	unsigned int base;
	struct calls_fault fault;
};

static struct item plan[ITEMS_MAX];
static unsigned int plan_count;
/* Where the items of a base begin; one more for the end of the last. */
static unsigned int plan_begins[BASES + 1];

/* What the processes tell each other. */
struct shared {
	_Atomic(unsigned int) lives;
	_Atomic(unsigned int) injections;
	_Atomic(unsigned int) violations;
	_Atomic(unsigned int) struck[CALLS_KINDS]; /* lives, by kind */
	struct {
		_Atomic(unsigned int) lives;
		char what[256]; /* the life that is lived now */
	} workers[WORKERS + 1];
};

static struct shared *shared;
static unsigned int self; /* which of the workers this is */

/* What lives of a base are written to. */
struct stage {
	unsigned int base;
	enum sink sink;
	struct rig_reader reader;
	unsigned int next; /* number of the reader's next connection */
};

/* A life, and what is seen of it. */
struct life {
	struct stage *stage;
	enum sink sink;
	struct calls_script script;
	bool healthy;	 /* nothing is to be added */
	bool passing;	 /* no fault is for ever */
	unsigned int descriptors, threads; /* before */
	uint64_t events; /* submitted */
	enum dtap_result started, stopped;
	struct dtap_stats stats;
};

static void
violate(const char *format, ...) dtap__printf(1, 2);

static void
violate(const char *format, ...)
{
	va_list arguments;
	char text[256];

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	printf("VIOLATION: %s: %s\n", shared->workers[self].what, text);
	fflush(stdout);
	shared->violations++;
}

/* Puts the life into words, for those who have to look into it. */
static void
describe(const struct life *life)
{
	char *what = shared->workers[self].what;
	size_t room = sizeof(shared->workers[self].what);
	size_t at;

	at = (size_t)snprintf(what, room, "base %u, %s",
			      life->stage->base, sink_names[life->sink]);
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
		violate("no producer: %s", dtap_result_text(result));
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
		violate("the ledger is off");
	if (stats->submitted != life->events ||
	    stats->submitted != stats->accepted + stats->dropped_full +
					stats->dropped_no_ring)
		violate("%" PRIu64 " events, %" PRIu64 " submitted, %" PRIu64
			" accepted", life->events, stats->submitted,
			stats->accepted);
	if (stats->accepted !=
		    stats->written + stats->lost_io + stats->lost_shutdown ||
	    stats->in_ring != 0)
		violate("%" PRIu64 " accepted, %" PRIu64 " written, %" PRIu64
			" lost, %" PRIu64 " in rings", stats->accepted,
			stats->written, stats->lost_io + stats->lost_shutdown,
			stats->in_ring);
	if (stats->confirmed > stats->written)
		violate("more confirmed than written");
	if (life->passing && stats->written != life->events)
		violate("lost: %" PRIu64 " of %" PRIu64 " written",
			stats->written, life->events);
}

static void
judge_results(const struct life *life)
{
	bool no_thread = calls_seen(CALLS_PTHREAD_CREATE) == 1 &&
			 life->started == DTAP_E_SYSTEM;
	unsigned int calls = 0;

	if (life->started != DTAP_OK && !no_thread)
		violate("start: %s", dtap_result_text(life->started));
	if (life->stopped != DTAP_OK && life->stopped != DTAP_E_TIMEOUT &&
	    !(no_thread && life->stopped == DTAP_E_STATE))
		violate("stop: %s", dtap_result_text(life->stopped));
	if (life->healthy && life->stopped != DTAP_OK)
		violate("not even a healthy life ends well");
	for (int kind = 0; kind < CALLS_KINDS; kind++)
		calls += calls_seen((enum calls_kind)kind);
	if (calls > CALLS_MAX)
		violate("spins: %u calls", calls);
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
		violate("%" PRIu64 " events twice", audit->repeated);
	if (audit->frames < stats->confirmed || audit->frames > stats->written)
		violate("%" PRIu64 " confirmed, %" PRIu64 " read, %" PRIu64
			" written", stats->confirmed, audit->frames,
			stats->written);
	if (life->sink != SINK_FILE)
		return;
	if (audit->frames != stats->written)
		violate("%" PRIu64 " written, %" PRIu64 " in files",
			stats->written, audit->frames);
	if (audit->torn > 0 && !may_be_torn(life))
		violate("%" PRIu64 " files end within a frame", audit->torn);
}

/* Adds a stream to the audit and removes its file. One of two names of a file
 * only goes: where renaming is linking and unlinking, the latter may fail. */
static void
take_stream(struct audit *audit, const char *path)
{
	struct stat status;

	if (stat(path, &status) == 0 && status.st_nlink == 1 &&
	    !audit_add(audit, path))
		violate("%s", audit->error);
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
wait_for_reader(enum sink sink, const struct rig_reader *reader)
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
take_connections(struct audit *audit, struct stage *stage)
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
		violate("%u descriptors before, %u after", life->descriptors,
			rig_count_entries("/proc/self/fd"));
}

/* The count of lives, and of those that a fault has struck. */
static void
note_life(const struct life *life, const struct calls_fault *faults,
	  unsigned int count)
{
	unsigned int first = life->script.count - count;
	bool struck = false;

	shared->lives++;
	shared->workers[self].lives++;
	for (unsigned int i = 0; i < count; i++) {
		if (calls_hits(first + i) == 0)
			continue;
		struck = true;
		shared->struck[faults[i].kind]++;
	}
	shared->injections += struck;
}

/* Lives a life with up to two faults more, and looks at what it has left. */
static void
live_and_judge(struct stage *stage, const struct calls_fault *faults,
	       unsigned int count)
{
	struct life life = { .stage = stage,
			     .sink = stage->sink,
			     .script = bases[stage->base].script,
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
do_nothing(void *nothing)
{
	return nothing;
}

/* A sanitizer has a thread of its own once there has been one. */
static void
start_first_thread(void)
{
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, do_nothing, NULL), 0);
	pthread_join(thread, NULL);
}

static void
stage_open(struct stage *stage, unsigned int base)
{
	static const char *const serial[] = { "--serial", NULL };
	char directory[32];

	memset(stage, 0, sizeof(*stage));
	stage->base = base;
	stage->sink = bases[base].sink;
	stage->next = 1;
	snprintf(directory, sizeof(directory), "base%u.%u", base, self);
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

static void
stage_close(struct stage *stage)
{
	if (stage->sink != SINK_FILE)
		rig_kill(stage->reader.pid, SIGKILL);
	ck_assert_int_eq(chdir(".."), 0);
}

static void
plan_fault(unsigned int base, enum calls_kind kind, unsigned int number,
	   int error)
{
	for (int for_ever = 0; for_ever < 2; for_ever++) {
		ck_assert_uint_lt(plan_count, ITEMS_MAX);
		plan[plan_count++] = (struct item){
			base, { kind, number, error, for_ever }
		};
	}
}

/* Every call that a life has, as often as it has it, every error. */
static void
plan_base(unsigned int base, const unsigned int *seen)
{
	plan_begins[base] = plan_count;
	for (int kind = 0; kind < CALLS_KINDS; kind++) {
		const int *errors = calls_table[kind].errors;

		for (unsigned int number = 1;
		     number <= seen[kind] && number <= NUMBERS_MAX; number++)
			for (int i = 0; errors[i] != 0; i++)
				plan_fault(base, (enum calls_kind)kind, number,
					   errors[i]);
	}
	plan_begins[base + 1] = plan_count;
}

/* Lives with nothing added: they must end well, and are counted. */
static void
explore_base(unsigned int base)
{
	unsigned int seen[CALLS_KINDS] = { 0 };
	struct stage stage;

	stage_open(&stage, base);
	for (int i = 0; i < 3; i++) {
		live_and_judge(&stage, NULL, 0);
		for (int kind = 0; kind < CALLS_KINDS; kind++)
			if (calls_seen((enum calls_kind)kind) > seen[kind])
				seen[kind] = calls_seen((enum calls_kind)kind);
	}
	stage_close(&stage);
	plan_base(base, seen);
}

/* Two faults of one base, at random. */
static void
live_with_pair(struct stage *stage, uint64_t random)
{
	unsigned int begin = plan_begins[stage->base];
	unsigned int items = plan_begins[stage->base + 1] - begin;
	struct calls_fault pair[2];

	/* One kind twice might be interrupted for ever indeed. */
	do {
		pair[0] = plan[begin + rig_random(&random) % items].fault;
		pair[1] = plan[begin + rig_random(&random) % items].fault;
	} while (pair[0].kind == pair[1].kind);
	live_and_judge(stage, pair, 2);
}

/* What there is to do beside the plan. */
struct pairs {
	unsigned int count;
	uint64_t seed;
};

/* This worker's share of a base. */
static void
work_on_base(unsigned int base, const struct pairs *pairs)
{
	struct stage stage;

	stage_open(&stage, base);
	for (unsigned int i = plan_begins[base]; i < plan_begins[base + 1]; i++)
		if (i % WORKERS == self)
			live_and_judge(&stage, &plan[i].fault, 1);
	for (unsigned int i = 0; i < pairs->count; i++)
		if (i % BASES == base && i / BASES % WORKERS == self)
			live_with_pair(&stage, pairs->seed ^ i);
	stage_close(&stage);
}

static pid_t
start_worker(unsigned int number, const struct pairs *pairs)
{
	pid_t pid = rig_fork();

	if (pid != 0)
		return pid;
	self = number;
	for (unsigned int base = 0; base < BASES; base++)
		work_on_base(base, pairs);
	exit(EXIT_SUCCESS);
}

/* One that says nothing any more is ended, and told about. */
static void
watch_worker(unsigned int number, pid_t pid)
{
	unsigned int lives = 0;
	uint64_t since_ms = rig_clock_ms();
	int status;

	self = number;
	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (shared->workers[number].lives != lives)
			since_ms = rig_clock_ms();
		lives = shared->workers[number].lives;
		if (rig_clock_ms() - since_ms > HANG_MS) {
			violate("hangs");
			kill(pid, SIGKILL);
			since_ms = rig_clock_ms();
		}
		rig_nap_ms(20);
	}
	if (WIFSIGNALED(status))
		violate("killed by signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status) != EXIT_SUCCESS)
		violate("exit status %d", WEXITSTATUS(status));
}

static void
work_in_parallel(const struct pairs *pairs)
{
	pid_t pids[WORKERS];

	for (unsigned int i = 0; i < WORKERS; i++)
		pids[i] = start_worker(i, pairs);
	for (unsigned int i = 0; i < WORKERS; i++)
		watch_worker(i, pids[i]);
}

static void
print_plan(const struct pairs *pairs)
{
	for (unsigned int base = 0; base < BASES; base++)
		printf("base %u, %s: %u faults\n", base,
		       sink_names[bases[base].sink],
		       plan_begins[base + 1] - plan_begins[base]);
	printf("%u faults, %u pairs\n", plan_count, pairs->count);
	fflush(stdout);
}

/* All but one: it is made for every four megabytes, and its result ignored. */
static void
expect_all_kinds(void)
{
	for (int kind = 0; kind < CALLS_KINDS; kind++)
		ck_assert_msg(shared->struck[kind] > 0 ||
				      kind == CALLS_SYNC_FILE_RANGE,
			      "no %s has failed", calls_table[kind].name);
}

START_TEST(every_system_call_fails_with_every_error) /* R03 */
{
	struct pairs pairs = { PAIRS_PER_FACTOR * (rig_factor() - 1),
			       rig_seed() };

	scratch_enter();
	/* What the library opens first has to be moved up. */
	close(STDIN_FILENO);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(shared, MAP_FAILED);
	self = EXPLORER;
	for (unsigned int base = 0; base < BASES; base++)
		explore_base(base);
	print_plan(&pairs);
	work_in_parallel(&pairs);
	printf("%u lives\n", shared->lives);
	ck_assert_uint_eq(shared->violations, 0);
	expect_all_kinds();
	ck_assert_uint_ge(shared->injections, 2000);
	report_gate("R03", "%u injections, %u violations", shared->injections,
		    shared->violations);
	munmap(shared, sizeof(*shared));
	scratch_leave();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("fault_calls");
	TCase *tests = tcase_create("calls");

	rig_init();
	tcase_set_timeout(tests, 240);
	tcase_add_test(tests, every_system_call_fails_with_every_error);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
