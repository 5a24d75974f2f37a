/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The n-th system call of a tap's life fails, whichever it is (R03).
 *
 * A life (calls_life.h) is lived once undisturbed and once with troubles of its
 * own, so that what is done about a failure is done, too. First its calls are
 * counted. Then each of them fails with each error that it may fail with,
 * once in one life and from then on in another. Nothing of that may end the
 * process or hang it, leave a descriptor or a thread behind, put the ledger
 * out of balance, or a broken or repeated frame into a stream.
 *
 * Lives are lived in a few processes side by side, because they mostly wait.
 * DTAP_STRESS_FACTOR adds lives with two such faults, drawn at random from
 * DTAP_STRESS_SEED.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls_life.h"
#include "support/report.h"
#include "support/scratch.h"
#include "support/support.h"

/* Without a sign of life the process hangs. */
#define HANG_MS 60000
/* Of one kind in one life: later ones find nothing that is new. */
#define NUMBERS_MAX 16
#define ITEMS_MAX 20000
#define PAIRS_PER_FACTOR 1000

/* One life that is to be lived: what is added to a base. */
struct item {
	unsigned int base;
	struct calls_fault fault;
};

static struct item plan[ITEMS_MAX];
static unsigned int plan_count;
/* Where the items of a base begin; one more for the end of the last. */
static unsigned int plan_begins[LIFE_BASES + 1];

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
	struct life_stage stage;

	life_stage_open(&stage, base);
	for (int i = 0; i < 3; i++) {
		life_live(&stage, NULL, 0);
		for (int kind = 0; kind < CALLS_KINDS; kind++)
			if (calls_seen((enum calls_kind)kind) > seen[kind])
				seen[kind] = calls_seen((enum calls_kind)kind);
	}
	life_stage_close(&stage);
	plan_base(base, seen);
}

/* Two faults of one base, at random. */
static void
live_with_pair(struct life_stage *stage, uint64_t random)
{
	unsigned int begin = plan_begins[stage->base];
	unsigned int items = plan_begins[stage->base + 1] - begin;
	struct calls_fault pair[2];

	/* One kind twice might be interrupted for ever indeed. */
	do {
		pair[0] = plan[begin + rig_random(&random) % items].fault;
		pair[1] = plan[begin + rig_random(&random) % items].fault;
	} while (pair[0].kind == pair[1].kind);
	life_live(stage, pair, 2);
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
	struct life_stage stage;

	life_stage_open(&stage, base);
	for (unsigned int i = plan_begins[base]; i < plan_begins[base + 1]; i++)
		if (i % LIFE_WORKERS == life_self)
			life_live(&stage, &plan[i].fault, 1);
	for (unsigned int i = 0; i < pairs->count; i++)
		if (i % LIFE_BASES == base &&
		    i / LIFE_BASES % LIFE_WORKERS == life_self)
			live_with_pair(&stage, pairs->seed ^ i);
	life_stage_close(&stage);
}

static pid_t
start_worker(unsigned int number, const struct pairs *pairs)
{
	pid_t pid = rig_fork();

	if (pid != 0)
		return pid;
	life_self = number;
	for (unsigned int base = 0; base < LIFE_BASES; base++)
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

	life_self = number;
	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (life_shared->workers[number].lives != lives)
			since_ms = rig_clock_ms();
		lives = life_shared->workers[number].lives;
		if (rig_clock_ms() - since_ms > HANG_MS) {
			life_violate("hangs");
			kill(pid, SIGKILL);
			since_ms = rig_clock_ms();
		}
		rig_nap_ms(20);
	}
	if (WIFSIGNALED(status))
		life_violate("killed by signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status) != EXIT_SUCCESS)
		life_violate("exit status %d", WEXITSTATUS(status));
}

static void
work_in_parallel(const struct pairs *pairs)
{
	pid_t pids[LIFE_WORKERS];

	for (unsigned int i = 0; i < LIFE_WORKERS; i++)
		pids[i] = start_worker(i, pairs);
	for (unsigned int i = 0; i < LIFE_WORKERS; i++)
		watch_worker(i, pids[i]);
}

static void
print_plan(const struct pairs *pairs)
{
	for (unsigned int base = 0; base < LIFE_BASES; base++)
		printf("base %u, %s: %u faults\n", base,
		       life_sinks[life_bases[base].sink],
		       plan_begins[base + 1] - plan_begins[base]);
	printf("%u faults, %u pairs\n", plan_count, pairs->count);
	fflush(stdout);
}

/* All but one: it is made for every four megabytes, and its result ignored. */
static void
expect_all_kinds(void)
{
	for (int kind = 0; kind < CALLS_KINDS; kind++)
		ck_assert_msg(life_shared->struck[kind] > 0 ||
				      kind == CALLS_SYNC_FILE_RANGE,
			      "no %s has failed", calls_table[kind].name);
}

START_TEST(every_system_call_fails_with_every_error) /* R03 */
{
	struct pairs pairs = { PAIRS_PER_FACTOR * (support_factor() - 1),
			       rig_seed() };

	scratch_enter();
	/* What the library opens first has to be moved up. */
	close(STDIN_FILENO);
	life_shared = mmap(NULL, sizeof(*life_shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(life_shared, MAP_FAILED);
	life_self = LIFE_EXPLORER;
	for (unsigned int base = 0; base < LIFE_BASES; base++)
		explore_base(base);
	print_plan(&pairs);
	work_in_parallel(&pairs);
	printf("%u lives\n", life_shared->lives);
	ck_assert_uint_eq(life_shared->violations, 0);
	expect_all_kinds();
	ck_assert_uint_ge(life_shared->injections, 2000);
	scratch_leave();
	report_gate("R03", "%u injections, %u violations",
		    life_shared->injections, life_shared->violations);
	munmap(life_shared, sizeof(*life_shared));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("fault_calls");
	TCase *tests = tcase_create("calls");

	rig_init();
	tcase_set_timeout(tests, 240.0 * support_factor());
	tcase_add_test(tests, every_system_call_fails_with_every_error);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
