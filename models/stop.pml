/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stop.pml: two threads call dtap_stop() and wait for the writer's thread,
 * which a file system may hold for ever; then the owner gives up the tap.
 *
 *   here                        lib/tap.c
 *   -------------------------   -------------------------------------------
 *   stopper                     dtap_stop()
 *   stopper, "settle"           tap_settle_locked()
 *   owner                       dtap_close()
 *   thread                      tap_thread()
 *   thread, "run"               dtap__writer_run(), for which see writer.pml
 *   RELEASE                     dtap__tap_release()
 *
 * tap->changed is the library's only condition variable, and the writer's end
 * the only thing that is waited for. The time for it runs out only if the
 * thread is held: else a wake-up that is lost would hide behind the timeout.
 *
 * Promises: every stop returns, and returns what the first does. The thread
 * is joined or detached, once; joined if it has ended. Nobody uses the tap
 * when the last has let it go, also a thread that was left behind and comes
 * back.
 *
 * variant LIVENESS: every stop returns
 *
 * mutant WAKE_EARLY: the end is told before it is noted
 * mutant WAKE_UNLOCKED: the end is noted and told without the lock
 * mutant WAKE_ONE: the end is told to one
 * mutant TESTED_UNLOCKED: the end is looked for before the lock is taken
 * mutant JOIN_LOCKED: the lock is held while the thread is joined
 * mutant JOIN_ALWAYS: a thread that is held is joined all the same
 * mutant SETTLED_TWICE: the second stop does not ask what the first did
 * mutant SETTLED_LATE: the first stop notes what it does when it has done it
 * mutant NO_REFERENCE: the thread does not hold the tap
 */
#define STOPPERS 2

/* struct dtap */
bool lock, stopped, exited, settled;
bool stop_requested;		/* tap->writer's */
bool waiting[STOPPERS];		/* on tap->changed */
#ifdef NO_REFERENCE
byte references = 1;
#else
byte references = 2;		/* the owner's and the thread's */
#endif

mtype = { OK, TIMEOUT };
mtype stop_result;

/* What is to be proved. */
byte returned;
mtype first_result;
bool held;			/* by the file system */
bool gone, joined, detached, freed;

#define LOCK() atomic { !lock -> assert(!freed); lock = true }
#define UNLOCK() lock = false
#define RELEASE() \
	LOCK(); \
	d_step { \
		references--; \
		freed = (references == 0); \
		UNLOCK() \
	}

proctype stopper(bit me)
{
	bool timed_out, ended;

#ifdef TESTED_UNLOCKED
	ended = exited;
#endif
	LOCK();
	if
	:: !stopped ->
		stopped = true;
		stop_requested = true
	:: else
	fi;
	/* settle */
	do
#ifdef TESTED_UNLOCKED
	:: !ended && !settled && !timed_out ->
#else
	:: !exited && !settled && !timed_out ->
#endif
		d_step {
			waiting[me] = true;
			UNLOCK()
		}
		d_step {
			if
			:: !waiting[me]
			:: held -> timed_out = true
			fi;
			waiting[me] = false
		}
#ifdef TESTED_UNLOCKED
		ended = exited;
#endif
		LOCK()
	:: else -> break
	od;
	if
#ifndef SETTLED_TWICE
	:: settled
#endif
	:: else ->
#ifndef SETTLED_LATE
		settled = true;
#endif
		stop_result = (exited -> OK : TIMEOUT);
		assert(!detached && !joined);
		if
#ifndef JOIN_ALWAYS
		:: !exited -> detached = true
#endif
		:: else ->
			joined = true;
#ifndef JOIN_LOCKED
			UNLOCK();
#endif
			gone;
#ifndef JOIN_LOCKED
			LOCK()
#endif
		fi;
#ifdef SETTLED_LATE
		settled = true
#endif
	fi;
	atomic {
		assert(first_result == 0 || first_result == stop_result);
		first_result = stop_result;
		UNLOCK();
		returned++
	}
}

active proctype owner()
{
	atomic {
		run stopper(0);
		run stopper(1);
		returned == STOPPERS
	}
	assert(joined != detached);
	RELEASE()
}

active proctype thread()
{
	byte ticks;

	/* run */
	do
	:: atomic { !stop_requested && ticks < 1 -> ticks++ }
		LOCK();
		UNLOCK()
	:: stop_requested -> break
	od;
	if
	:: held = true
		if
		:: held = false
		:: goto end_held
		fi
	:: skip
	fi;
	assert(!freed);
	/* it has ended */
#ifndef WAKE_UNLOCKED
	LOCK();
#endif
#ifndef WAKE_EARLY
	exited = true;
#endif
#ifdef WAKE_ONE
	if
	:: waiting[0] -> waiting[0] = false
	:: waiting[1] -> waiting[1] = false
	:: else
	fi;
#else
	d_step {
		waiting[0] = false;
		waiting[1] = false
	}
#endif
#ifndef WAKE_UNLOCKED
	UNLOCK();
#endif
#ifdef WAKE_EARLY
	exited = true;
#endif
#ifndef NO_REFERENCE
	RELEASE();
#endif
	gone = true;
	goto end;
end_held:
	false;
end:
	skip
}

ltl stops_return { <> (returned == STOPPERS) }
