/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explore.c: see explore.h. The threads, and which of them goes on.
 *
 * The threads of a scenario are coroutines. One of them is stopped before
 * each action that can turn out in more than one way (a load, a lock, the
 * ends of an RCU section, explore_choose()), and a stopped thread and a
 * choice are a step. A run is a list of steps; the next run repeats all but
 * the end of the last one, and there takes the next step (a depth-first
 * search by repetition). When no step is left untried, every run has been
 * seen: the explorer says "all".
 *
 * A store needs no stop: it waits for nothing and takes nothing away from
 * the others, who may still read what was there before. Nor do the ends of
 * locks and sections.
 *
 * Runs that differ only in the order of steps that have nothing to do with
 * each other are the same, and one of them is enough. That is done by sleep
 * sets (Godefroid, "Partial-order methods", 1996): a step that was tried
 * where a run branches sleeps in the branches after it, until a step that it
 * depends on is taken. Here that is rare, since a load reads a certain store
 * whether other threads go on before it or after. What depends: steps of one
 * thread, two locks of one mutex, the begin of an RCU section and the begin
 * of a grace period.
 *
 * What the threads call is in explore_calls.c, the memory they share in
 * explore_memory.c.
 */
#include "explore.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "explore_thread.h"

#define THREADS MEMORY_THREADS
#define STACK_BYTES ((size_t)128 * 1024)
#define STEPS_MAX 400
#define WAYS_MAX 64

struct thread {
	ucontext_t context;
	struct action action;
	unsigned int way; /* how it was decided to turn out */
};

struct step {
	unsigned int thread;
	unsigned int way;
	enum action_kind kind;
	const volatile void *object;
};

/* A place where the run may branch. */
struct branch {
	struct step ways[WAYS_MAX];
	unsigned int count;
	unsigned int taken;
	struct step asleep[WAYS_MAX];
	unsigned int asleep_count;
};

static const struct explore_scenario *scenario;
static char *stacks[THREADS];
static struct thread threads[THREADS];
static unsigned int running; /* 0: the main thread, before and after */
static ucontext_t scheduler;
static bool exploring;

static struct branch branches[STEPS_MAX];
static unsigned int depth;    /* of this run */
static unsigned int repeated; /* branches that are as in the last run */
static unsigned long runs, dull;
static unsigned long seen[EXPLORE_EVENTS];

static struct {
	unsigned int thread;
	const char *what;
	const volatile void *object;
	uint64_t value;
} story[STEPS_MAX * 4];
static unsigned int story_count;

void
thread_tell(const char *what, const volatile void *object, uint64_t value)
{
	if (story_count == sizeof(story) / sizeof(story[0]))
		return;
	story[story_count].thread = running;
	story[story_count].what = what;
	story[story_count].object = object;
	story[story_count++].value = value;
}

static const char *
thread_name(unsigned int thread)
{
	return thread == 0 ? "main" : scenario->threads[thread - 1].name;
}

void
explore_promise(bool kept, const char *promise)
{
	if (kept)
		return;
	printf("explore: %s: broken: %s, by %s, after %lu runs\n",
	       scenario->name, promise, thread_name(running), runs);
	for (unsigned int i = 0; i < story_count; i++)
		printf("  %-10s %-14s %-12s %#llx\n",
		       thread_name(story[i].thread), story[i].what,
		       story[i].object == NULL ? ""
					       : memory_name(story[i].object),
		       (unsigned long long)story[i].value);
	exit(EXIT_FAILURE);
}

void
explore_saw(unsigned int event)
{
	seen[event]++;
}

unsigned int
thread_running(void)
{
	return running;
}

bool
thread_is_exploring(void)
{
	return exploring;
}

unsigned int
thread_stop_before(struct action action)
{
	struct thread *thread = &threads[running];

	if (running == 0)
		return 0;
	thread->action = action;
	swapcontext(&thread->context, &scheduler);
	return thread->way;
}

unsigned int
explore_choose(unsigned int count)
{
	struct action action = { .kind = ACTION_CHOOSE, .count = count };
	unsigned int way = thread_stop_before(action);

	thread_tell("chooses", NULL, way);
	return way;
}

void *
explore_get(size_t bytes, const char *label)
{
	void *address = memory_get(128, bytes);

	memory_label(address, label);
	return address;
}

void
explore_free(void *address)
{
	thread_tell("free", address, 0);
	explore_promise(address == NULL || memory_give_back(running, address),
			"memory is freed once");
}

void
explore_label(const volatile void *address, const char *label)
{
	memory_label(address, label);
}

unsigned int
explore_in_use(void)
{
	return memory_in_use();
}

static bool
depends(const struct step *one, const struct step *other)
{
	if (one->thread == other->thread)
		return true;
	if (one->kind == ACTION_LOCK && other->kind == ACTION_LOCK)
		return one->object == other->object;
	return (one->kind == ACTION_RCU_READ &&
		other->kind == ACTION_GRACE_BEGIN) ||
	       (one->kind == ACTION_GRACE_BEGIN &&
		other->kind == ACTION_RCU_READ);
}

static bool
is_asleep(const struct branch *branch, const struct step *step)
{
	for (unsigned int i = 0; i < branch->asleep_count; i++)
		if (branch->asleep[i].thread == step->thread &&
		    branch->asleep[i].way == step->way)
			return true;
	return false;
}

/* What still sleeps after the step that the branch before has taken. */
static void
hand_down_sleep(const struct branch *from, struct branch *to)
{
	const struct step *taken = &from->ways[from->taken];

	to->asleep_count = 0;
	for (unsigned int i = 0; i < from->asleep_count; i++)
		if (!depends(&from->asleep[i], taken))
			to->asleep[to->asleep_count++] = from->asleep[i];
	for (unsigned int i = 0; i < from->taken; i++)
		if (!depends(&from->ways[i], taken) &&
		    !is_asleep(to, &from->ways[i]))
			to->asleep[to->asleep_count++] = from->ways[i];
}

static void
list_ways(struct branch *branch)
{
	branch->count = 0;
	for (unsigned int t = 1; t < THREADS; t++) {
		unsigned int ways = calls_ways(t, &threads[t].action);

		for (unsigned int way = 0; way < ways; way++) {
			if (branch->count == WAYS_MAX)
				abort();
			branch->ways[branch->count++] = (struct step){
				t, way, threads[t].action.kind,
				threads[t].action.object
			};
		}
	}
}

/* The first way from here on that is awake; false: there is none. */
static bool
wake_next(struct branch *branch)
{
	while (branch->taken < branch->count &&
	       is_asleep(branch, &branch->ways[branch->taken]))
		branch->taken++;
	return branch->taken < branch->count;
}

static void
run_thread(void)
{
	scenario->threads[running - 1].run();
	threads[running].action.kind = ACTION_NONE;
	swapcontext(&threads[running].context, &scheduler);
}

/* Lets a thread go on to its next stop. */
static void
go_on(unsigned int number)
{
	running = number;
	swapcontext(&scheduler, &threads[number].context);
	running = 0;
}

static void
make_thread(unsigned int number)
{
	struct thread *thread = &threads[number];

	getcontext(&thread->context);
	thread->context.uc_stack.ss_sp = stacks[number];
	thread->context.uc_stack.ss_size = STACK_BYTES;
	makecontext(&thread->context, run_thread, 0);
	view_join(memory_view(number), memory_view(0));
}

static bool
is_used(unsigned int number)
{
	return scenario->threads[number - 1].run != NULL;
}

/* Each runs to its first stop. */
static void
start_threads(void)
{
	for (unsigned int t = 1; t < THREADS; t++) {
		threads[t].action.kind = ACTION_NONE;
		if (is_used(t))
			make_thread(t);
	}
	memory_tick(0);
	for (unsigned int t = 1; t < THREADS; t++)
		if (is_used(t))
			go_on(t);
}

static bool
all_done(void)
{
	for (unsigned int t = 1; t < THREADS; t++)
		if (threads[t].action.kind != ACTION_NONE)
			return false;
	return true;
}

/* False: this run is like one that was seen before. */
static bool
run_threads(void)
{
	while (!all_done()) {
		struct branch *branch = &branches[depth];

		if (depth == STEPS_MAX)
			abort();
		list_ways(branch);
		explore_promise(branch->count > 0, "no threads wait for ever");
		if (depth >= repeated) {
			branch->taken = 0;
			branch->asleep_count = 0;
			if (depth > 0)
				hand_down_sleep(branch - 1, branch);
			if (!wake_next(branch))
				return false;
		}
		depth++;
		threads[branch->ways[branch->taken].thread].way =
			branch->ways[branch->taken].way;
		go_on(branch->ways[branch->taken].thread);
	}
	return true;
}

static bool
run_once(void)
{
	bool whole;

	memory_reset();
	calls_reset();
	depth = 0;
	story_count = 0;
	running = 0;
	exploring = true;
	scenario->before();
	start_threads();
	whole = run_threads();
	for (unsigned int t = 1; t < THREADS; t++)
		view_join(memory_view(0), memory_view(t));
	if (whole)
		scenario->after();
	exploring = false;
	return whole;
}

/* Turns to the next untried way, the deepest first; false: none is left. */
static bool
turn(void)
{
	while (depth > 0) {
		branches[depth - 1].taken++;
		if (wake_next(&branches[depth - 1])) {
			repeated = depth;
			return true;
		}
		depth--;
	}
	return false;
}

static void
report(void)
{
	printf("explore: %s: %lu executions (and %lu cut short), all of them\n",
	       scenario->name, runs, dull);
	for (int i = 0; i < EXPLORE_EVENTS; i++) {
		if (scenario->events[i] == NULL)
			continue;
		printf("  %12lu times %s\n", seen[i], scenario->events[i]);
		if (seen[i] == 0) {
			printf("explore: %s: that never happened\n",
			       scenario->name);
			exit(EXIT_FAILURE);
		}
	}
	fflush(stdout);
}

void
explore(const struct explore_scenario *wanted)
{
	scenario = wanted;
	runs = dull = 0;
	repeated = 0;
	memset(seen, 0, sizeof(seen));
	for (unsigned int t = 1; t < THREADS && stacks[t] == NULL; t++)
		if ((stacks[t] = malloc(STACK_BYTES)) == NULL)
			abort();
	do {
		if (run_once())
			runs++;
		else
			dull++;
	} while (turn());
	report();
}
