/* SPDX-License-Identifier: Apache-2.0 */
/*
 * submit_sandbox.c: submitting enters neither the kernel nor the allocator.
 *
 * A thread installs a seccomp filter that traps every system call of this
 * thread, without an exception, and then submits: events of all shapes,
 * valid and not, into a ring that is drained, into one that is full, and
 * while the configuration changes. What it allocated or freed meanwhile is
 * counted by wrappers around malloc() and its kin. It reports through memory
 * and then spins, since it cannot even end; the main thread looks on, and
 * ends the process.
 *
 * The disassembly (check-submit-path) proves the rest: no lock and no fence.
 */
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <dnstap/dtap.h>

#include "support/support_event.h"

#define SANDBOX_EVENTS 100000
#define SANDBOX_SECONDS 60
#define SANDBOX_SKIP 77
#define SANDBOX_RECONFIGURE_NS 1000000

enum sandbox_state {
	SANDBOX_STARTING,
	SANDBOX_NO_FILTER,
	SANDBOX_SUBMITTING,
	SANDBOX_DONE
};

static atomic_int sandbox_state;
static atomic_long sandbox_trapped = -1; /* number of a system call */
static atomic_ulong sandbox_allocations;
static _Thread_local unsigned long sandbox_count;

/* What the linker puts in the place of malloc() and its kin (--wrap). */
void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *memory, size_t bytes);
void __real_free(void *memory);
int __real_posix_memalign(void **memory, size_t alignment, size_t bytes);
void *__real_aligned_alloc(size_t alignment, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *memory, size_t bytes);
void __wrap_free(void *memory);
int __wrap_posix_memalign(void **memory, size_t alignment, size_t bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t bytes);

void *
__wrap_malloc(size_t bytes)
{
	sandbox_count++;
	return __real_malloc(bytes);
}

void *
__wrap_calloc(size_t count, size_t bytes)
{
	sandbox_count++;
	return __real_calloc(count, bytes);
}

void *
__wrap_realloc(void *memory, size_t bytes)
{
	sandbox_count++;
	return __real_realloc(memory, bytes);
}

void
__wrap_free(void *memory)
{
	sandbox_count++;
	__real_free(memory);
}

int
__wrap_posix_memalign(void **memory, size_t alignment, size_t bytes)
{
	sandbox_count++;
	return __real_posix_memalign(memory, alignment, bytes);
}

void *
__wrap_aligned_alloc(size_t alignment, size_t bytes)
{
	sandbox_count++;
	return __real_aligned_alloc(alignment, bytes);
}

/* A system call was trapped: it must not return, nor make another one. */
static void
sandbox_on_trap(int signal, siginfo_t *about, void *context)
{
	(void)signal;
	(void)context;
	atomic_store(&sandbox_trapped, about->si_syscall);
	for (;;)
		;
}

static bool
sandbox_enter(void)
{
	struct sock_filter trap_all[] = {
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
	};
	struct sock_fprog program = { .len = 1, .filter = trap_all };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

struct sandbox {
	dtap *drained;
	dtap *stuck; /* never started: its ring fills up */
	dtap_producer *to_drained;
	dtap_producer *to_stuck;
};

/* Damages an event so that it is invalid, or too big. */
static void
sandbox_damage(struct dtap_event *event, uint64_t draw)
{
	switch (draw % 5) {
	case 0:
		event->type = 0;
		break;
	case 1:
		event->query_time_nsec = 1000000000;
		break;
	case 2:
		event->query_message = NULL;
		event->query_message_bytes = 1;
		break;
	case 3:
		event->size = 8;
		break;
	default:
		event->response_message_bytes = DTAP_MESSAGE_BYTES_MAX + 1;
	}
}

static void
sandbox_submit_all(struct sandbox *sandbox)
{
	struct support_random random = { 1 };
	struct dtap_policy policy;
	struct dtap_event event;

	for (int i = 0; i < SANDBOX_EVENTS; i++) {
		support_random_event(&random, &event, &policy, i % 2 == 0);
		if (i % 16 == 0)
			sandbox_damage(&event, support_random_next(&random));
		dtap_submit(sandbox->to_drained, &event);
		dtap_submit(sandbox->to_stuck, &event);
		if (i % 64 == 0)
			dtap_submit_frame(sandbox->to_drained, "frame", 5);
	}
	dtap_submit(sandbox->to_drained, NULL);
	dtap_submit(NULL, &event);
}

static void *
sandbox_main(void *argument)
{
	struct sandbox *sandbox = argument;

	if (dtap_producer_open(sandbox->drained, &sandbox->to_drained) !=
		    DTAP_OK ||
	    dtap_producer_open(sandbox->stuck, &sandbox->to_stuck) != DTAP_OK)
		return NULL;
	if (!sandbox_enter()) {
		atomic_store(&sandbox_state, SANDBOX_NO_FILTER);
		return NULL;
	}
	sandbox_count = 0;
	atomic_store(&sandbox_state, SANDBOX_SUBMITTING);
	sandbox_submit_all(sandbox);
	atomic_store(&sandbox_allocations, sandbox_count);
	atomic_store(&sandbox_state, SANDBOX_DONE);
	for (;;)
		;
}

static dtap_options *
sandbox_options(const char *output, const char *identity)
{
	dtap_options *options = dtap_options_new();

	dtap_options_set(options, "output", output);
	dtap_options_set(options, "identity", identity);
	/* Every message above 32 KiB is too big for such a ring. */
	dtap_options_set(options, "ring-bytes", "64K");
	dtap_options_set(options, "types", "CQ,CR,AQ,AR,RQ,RR,TQ");
	return options;
}

static dtap *
sandbox_open(const char *output)
{
	dtap_options *options = sandbox_options(output, "first");
	dtap *tap = NULL;

	if (dtap_open(options, &tap) != DTAP_OK)
		fprintf(stderr, "%s\n", dtap_options_error(options));
	dtap_options_free(&options);
	return tap;
}

/* Until the thread is done, or trapped; changes the configuration. */
static bool
sandbox_watch(struct sandbox *sandbox, const char *output)
{
	struct timespec pause = { 0, SANDBOX_RECONFIGURE_NS };
	long turns = SANDBOX_SECONDS * (1000000000L / SANDBOX_RECONFIGURE_NS);

	for (long turn = 0; turn < turns; turn++) {
		int state = atomic_load(&sandbox_state);
		dtap_options *options;

		if (state == SANDBOX_DONE || state == SANDBOX_NO_FILTER ||
		    atomic_load(&sandbox_trapped) >= 0)
			return true;
		nanosleep(&pause, NULL);
		if (state != SANDBOX_SUBMITTING)
			continue;
		options = sandbox_options(output,
					  turn % 2 == 0 ? "second" : "third");
		dtap_reconfigure(sandbox->drained, options);
		dtap_options_free(&options);
	}
	return false;
}

static int
sandbox_judge(const struct sandbox *sandbox)
{
	struct dtap_stats drained = DTAP_STATS_INIT;
	struct dtap_stats stuck = DTAP_STATS_INIT;

	if (atomic_load(&sandbox_state) == SANDBOX_NO_FILTER) {
		printf("SKIP: seccomp filters are not available here\n");
		return SANDBOX_SKIP;
	}
	if (atomic_load(&sandbox_trapped) >= 0) {
		printf("a submit made system call %ld\n",
		       atomic_load(&sandbox_trapped));
		return 1;
	}
	if (atomic_load(&sandbox_state) != SANDBOX_DONE) {
		printf("submitting did not end\n");
		return 1;
	}
	if (atomic_load(&sandbox_allocations) != 0) {
		printf("submitting allocated or freed %lu times\n",
		       atomic_load(&sandbox_allocations));
		return 1;
	}
	dtap_stats_get(sandbox->drained, &drained);
	dtap_stats_get(sandbox->stuck, &stuck);
	/* Or else this has not tested what it says. */
	if (drained.accepted == 0 || drained.filtered == 0 ||
	    drained.dropped_invalid == 0 || drained.dropped_too_big == 0 ||
	    stuck.accepted == 0 || stuck.dropped_full == 0) {
		printf("some kind of event did not occur\n");
		return 1;
	}
	printf("R12 PASS %d events and more, no system call, no "
	       "allocation\n",
	       SANDBOX_EVENTS);
	return 0;
}

int
main(void)
{
	struct sigaction action = { .sa_sigaction = sandbox_on_trap,
				    .sa_flags = SA_SIGINFO | SA_NODEFER };
	char directory[] = "submit-sandbox-XXXXXX";
	struct sandbox sandbox = { 0 };
	char path[64], output[80];
	pthread_t thread;
	int status = 1;

	if (mkdtemp(directory) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/frames", directory);
	snprintf(output, sizeof(output), "file:%s", path);
	sigaction(SIGSYS, &action, NULL);
	sandbox.drained = sandbox_open(output);
	sandbox.stuck = sandbox_open("file:/never-opened");
	if (sandbox.drained == NULL || sandbox.stuck == NULL ||
	    dtap_start(sandbox.drained) != DTAP_OK ||
	    pthread_create(&thread, NULL, sandbox_main, &sandbox) != 0)
		goto done;
	if (sandbox_watch(&sandbox, output))
		status = sandbox_judge(&sandbox);
	else
		printf("submitting took too long\n");
done:
	unlink(path);
	rmdir(directory);
	fflush(stdout);
	/* The other thread cannot end. */
	_exit(status);
}
