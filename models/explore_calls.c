/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explore_calls.c: what the shipped sources call, answered by the machine.
 *
 *   dtap__load_*, dtap__store_*   by explore_atomic.h
 *   pthread_mutex_*, urcu_bp_*, aligned_alloc, free
 *                                 by the linker (--wrap)
 *   each ordinary access          by the compiler: with -fsanitize=thread it
 *                                 puts a call before each of them, and the
 *                                 library that usually answers these is not
 *                                 linked
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "explore_atomic.h"
#include "explore_thread.h"

#define LOCKS_MAX 4

struct lock {
	const volatile void *address;
	bool held;
	struct view view;
};

static struct lock locks[LOCKS_MAX];

static struct {
	unsigned int depth;  /* how many sections a thread is in */
	unsigned int number; /* of the outermost one; 0: none */
	unsigned int waits_for[MEMORY_THREADS]; /* numbers, in a grace period */
} readers[MEMORY_THREADS];
static unsigned int section_count;
static struct view begun; /* what grace periods hand to readers */
static struct view ended; /* what readers hand to grace periods */

void
calls_reset(void)
{
	memset(locks, 0, sizeof(locks));
	memset(readers, 0, sizeof(readers));
	section_count = 0;
	memset(&begun, 0, sizeof(begun));
	memset(&ended, 0, sizeof(ended));
}

static struct lock *
lock_at(const volatile void *address)
{
	for (unsigned int i = 0; i < LOCKS_MAX; i++) {
		if (locks[i].address == NULL)
			locks[i].address = address;
		if (locks[i].address == address)
			return &locks[i];
	}
	abort();
}

static bool
grace_is_over(unsigned int thread)
{
	const unsigned int *waits_for = readers[thread].waits_for;

	for (unsigned int i = 0; i < MEMORY_THREADS; i++)
		if (waits_for[i] != 0 && waits_for[i] == readers[i].number)
			return false;
	return true;
}

unsigned int
calls_ways(unsigned int thread, const struct action *action)
{
	switch (action->kind) {
	case ACTION_NONE:
		return 0;
	case ACTION_LOAD:
		return memory_choices(thread, action->object, action->bytes);
	case ACTION_CHOOSE:
		return action->count;
	case ACTION_LOCK:
		return lock_at(action->object)->held ? 0 : 1;
	case ACTION_GRACE_END:
		return grace_is_over(thread) ? 1 : 0;
	default:
		return 1;
	}
}

const void *
explore_load(const volatile void *address, size_t bytes, bool acquire)
{
	struct action action = { .kind = ACTION_LOAD, .object = address,
				 .bytes = bytes };
	unsigned int thread = thread_running();
	unsigned int way = thread_stop_before(action);
	const void *value;

	/* Alone, there is one thing to read: what was stored last. */
	if (thread == 0)
		way = memory_choices(0, address, bytes) - 1;
	value = memory_load(thread, address, bytes, acquire, way);
	thread_tell(acquire ? "load acquire" : "load relaxed", address,
		    *(const uint64_t *)value);
	return value;
}

void
explore_store(volatile void *address, const void *value, size_t bytes,
	      bool release)
{
	uint64_t shown = 0;

	memcpy(&shown, value, bytes);
	thread_tell(release ? "store release" : "store relaxed", address,
		    shown);
	memory_store(thread_running(), address, value, bytes, release);
}

int
__wrap_pthread_mutex_lock(pthread_mutex_t *mutex);

int
__wrap_pthread_mutex_lock(pthread_mutex_t *mutex)
{
	struct action action = { .kind = ACTION_LOCK, .object = mutex };
	struct lock *lock = lock_at(mutex);

	thread_stop_before(action);
	explore_promise(!lock->held, "no lock is taken twice");
	thread_tell("lock", mutex, 0);
	lock->held = true;
	view_join(memory_view(thread_running()), &lock->view);
	return 0;
}

int
__wrap_pthread_mutex_unlock(pthread_mutex_t *mutex);

int
__wrap_pthread_mutex_unlock(pthread_mutex_t *mutex)
{
	struct lock *lock = lock_at(mutex);

	explore_promise(lock->held, "only what is locked is unlocked");
	thread_tell("unlock", mutex, 0);
	lock->held = false;
	lock->view = *memory_view(thread_running());
	memory_tick(thread_running());
	return 0;
}

void *
__wrap_aligned_alloc(size_t alignment, size_t bytes);

void *
__wrap_aligned_alloc(size_t alignment, size_t bytes)
{
	return memory_get(alignment, bytes);
}

void
__real_free(void *address);
void
__wrap_free(void *address);

void
__wrap_free(void *address)
{
	if (thread_is_exploring())
		explore_free(address);
	else
		__real_free(address);
}

/*
 * The promise of RCU: a section is over before a grace period ends, or began
 * after it began, and either way the one knows what the other did.
 */
void
__wrap_urcu_bp_read_lock(void);

void
__wrap_urcu_bp_read_lock(void)
{
	struct action action = { .kind = ACTION_RCU_READ };
	unsigned int thread = thread_running();

	if (readers[thread].depth++ > 0)
		return;
	thread_stop_before(action);
	thread_tell("read lock", NULL, 0);
	readers[thread].number = ++section_count;
	view_join(memory_view(thread), &begun);
}

void
__wrap_urcu_bp_read_unlock(void);

void
__wrap_urcu_bp_read_unlock(void)
{
	unsigned int thread = thread_running();

	explore_promise(readers[thread].depth > 0, "only a reader unlocks");
	if (--readers[thread].depth > 0)
		return;
	thread_tell("read unlock", NULL, 0);
	readers[thread].number = 0;
	view_join(&ended, memory_view(thread));
	memory_tick(thread);
}

void
__wrap_urcu_bp_synchronize_rcu(void);

void
__wrap_urcu_bp_synchronize_rcu(void)
{
	struct action action = { .kind = ACTION_GRACE_BEGIN };
	unsigned int thread = thread_running();

	explore_promise(readers[thread].depth == 0,
			"no reader waits for itself");
	thread_stop_before(action);
	thread_tell("grace begins", NULL, 0);
	view_join(&begun, memory_view(thread));
	memory_tick(thread);
	for (unsigned int i = 0; i < MEMORY_THREADS; i++)
		readers[thread].waits_for[i] = readers[i].number;
	action.kind = ACTION_GRACE_END;
	thread_stop_before(action);
	thread_tell("grace ends", NULL, 0);
	view_join(memory_view(thread), &ended);
}

/* The compiler's calls; gcc and clang use the same. */
#define PLAIN_ACCESS(name, bytes, writes) \
	void __tsan_##name(void *address); \
	void __tsan_##name(void *address) \
	{ \
		memory_plain(thread_running(), address, (bytes), (writes)); \
	}
#define PLAIN_ACCESSES(bytes) \
	PLAIN_ACCESS(read##bytes, bytes, false) \
	PLAIN_ACCESS(write##bytes, bytes, true) \
	PLAIN_ACCESS(unaligned_read##bytes, bytes, false) \
	PLAIN_ACCESS(unaligned_write##bytes, bytes, true)
PLAIN_ACCESSES(1)
PLAIN_ACCESSES(2)
PLAIN_ACCESSES(4)
PLAIN_ACCESSES(8)
PLAIN_ACCESSES(16)

#define RANGE_ACCESS(name, writes) \
	void __tsan_##name(void *address, unsigned long bytes); \
	void __tsan_##name(void *address, unsigned long bytes) \
	{ \
		memory_plain(thread_running(), address, bytes, (writes)); \
	}
RANGE_ACCESS(read_range, false)
RANGE_ACCESS(write_range, true)

void
__tsan_init(void);
void
__tsan_func_entry(void *address);
void
__tsan_func_exit(void);
/* atomic.h announces grace periods, which the machine knows already. */
void
__tsan_acquire(void *address);
void
__tsan_release(void *address);

void
__tsan_init(void)
{
}

void
__tsan_func_entry(void *address)
{
	(void)address;
}

void
__tsan_func_exit(void)
{
}

void
__tsan_acquire(void *address)
{
	(void)address;
}

void
__tsan_release(void *address)
{
	(void)address;
}
