/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reconfigure.pml: the configuration is replaced, and the tap stopped, while
 * producers come and submit. They compare one number for each event.
 *
 *   here                        lib/tap.c, lib/tap_producer.c
 *   -------------------------   -------------------------------------------
 *   producer, "open"            dtap_producer_open(), producer_enter()
 *   producer, "event"           dtap_submit()
 *   ATTEND                      dtap__producer_attend()
 *   COPY                        producer_copy_snapshot()
 *   reconfigurer                dtap_reconfigure(), tap_swap_locked()
 *   stopper                     dtap_stop(), until the writer is asked
 *   RAISE                       the generation is raised, under the lock
 *   GRACE                       urcu_bp_synchronize_rcu()
 *
 * A snapshot is two fields of the same value, each read and written in a step
 * of its own. Read sections are counted for each producer, odd inside of one;
 * a grace period ends when every section has that was there at its beginning.
 *
 * Promises: no copy is torn, made of memory that is not filled in or that is
 * freed; an event that begins after dtap_reconfigure() has returned gets its
 * configuration, or a later one, and never an older one than the last; one
 * that begins after dtap_stop() has returned is refused. Every snapshot but
 * the last is freed, once. Reconfiguration waits for nobody who is idle.
 *
 * variant TWO_PRODUCERS: and one reconfiguration, instead of one and two
 *
 * mutant GENERATION_FIRST: it is raised before the pointer is stored
 * mutant GENERATION_SAME: it is not raised
 * mutant GENERATION_LATE: a producer reads it behind the copy
 * mutant FILLED_LATE: the pointer is stored before the snapshot is filled in
 * mutant FREED_AT_ONCE: without a grace period
 * mutant GRACE_FIRST: the grace period is over when the pointer is stored
 * mutant POINTER_EARLY: the pointer is read before the section begins
 * mutant SECTION_KEPT: a section lasts until the next event
 * mutant SWAP_UNLOCKED: two swap at the same time
 * mutant STATUS_FIRST: a producer reads the status before the generation
 * mutant STOP_RAISES_FIRST: a stop raises the generation, then sets the status
 * mutant ENTER_UNASKED: a producer that was made during a stop is let in
 */
#ifdef TWO_PRODUCERS
#define PRODUCERS 2
#define SNAPSHOTS 2	/* the first, and one for each reconfiguration */
#define EVENTS 2
#else
#define PRODUCERS 1
#define SNAPSHOTS 3
#ifdef LONG
#define EVENTS 4
#else
#define EVENTS 3
#endif
#endif

/* struct dtap */
bool lock, stopped;
byte generation = 1;
byte snapshot;

/* struct dtap__snapshot, by number. */
byte types[SNAPSHOTS], sampling[SNAPSHOTS];

/* liburcu's. */
byte section[PRODUCERS];

/* What is to be proved. */
byte age[SNAPSHOTS];	/* the first to be published is 0, the next one 1 */
byte ages;		/* of the last that was published */
byte floor;		/* of the last whose dtap_reconfigure() has returned */
bool snapshot_freed[SNAPSHOTS];
byte snapshots_freed;
bool stop_returned;
bool first_began;
byte finished;

#define LOCK() atomic { !lock -> lock = true }
#define UNLOCK() lock = false

/* dtap__load_relaxed(&tap->generation) + 1, stored with release. */
#define RAISE() \
	raised = generation + 1; \
	generation = raised

#define GRACE() \
	do \
	:: atomic { reader < PRODUCERS -> seen = section[reader] } \
		atomic { \
			(seen & 1) == 0 || section[reader] != seen; \
			reader++ \
		} \
	:: else -> break \
	od

/* Takes a copy for the generation that was read before. */
inline copy()
{
#ifdef POINTER_EARLY
	from = snapshot;
	section[me]++;
#else
#ifdef SECTION_KEPT
	if
	:: (section[me] & 1) == 1 -> section[me]++
	:: else
	fi;
#endif
	section[me]++;
	from = snapshot;
#endif
	d_step {
		assert(!snapshot_freed[from]);
		own_types = types[from]
	}
	d_step {
		assert(!snapshot_freed[from]);
		own_sampling = sampling[from];
		assert(own_types == own_sampling && own_types != 0);
		assert(age[from] >= own_age);
		own_age = age[from]
	}
#ifndef SECTION_KEPT
	section[me]++;
#endif
#ifdef GENERATION_LATE
	seen = generation;
#endif
	own = seen
}

proctype producer(bit me)
{
	byte own, seen, from, own_types, own_sampling, own_age, events, least;
	bool late;

	/* open */
	seen = generation;
	copy();
	LOCK();
#ifdef ENTER_UNASKED
	late = false;
#else
	late = stopped;
#endif
	UNLOCK();
	if
	:: late -> goto end
	:: else
	fi;
	do
	:: events < EVENTS ->
		/* event */
		atomic {
			events++;
			least = floor;
			late = stop_returned;
			if
			:: generation == own -> goto submit
			:: else
			fi
		}
#ifdef STATUS_FIRST
		if
		:: stopped -> goto next
		:: else
		fi;
		seen = generation;
#else
		seen = generation;
		if
		:: stopped -> goto next
		:: else
		fi;
#endif
		copy();
submit:
		atomic {
			assert(!late);
			assert(own_age >= least)
		}
next:
		skip
	:: break
	od;
end:
	finished++
}

proctype reconfigurer(byte me)
{
	byte before, raised, reader, seen;

#ifndef FILLED_LATE
	types[me] = me + 1;
	sampling[me] = me + 1;
#endif
#ifdef GRACE_FIRST
	GRACE();
#endif
	/* The first is the first: the other way round is the same. */
	me == 1 || first_began;
#ifdef SWAP_UNLOCKED
	first_began = true;
#else
	atomic {
		!lock -> lock = true;
		first_began = true
	}
#endif
	if
	:: stopped ->
		before = me;
		goto refused
	:: else
	fi;
	before = snapshot;
#ifdef GENERATION_FIRST
	RAISE();
#endif
	d_step {
		snapshot = me;
		ages++;
		age[me] = ages
	}
#ifdef FILLED_LATE
	types[me] = me + 1;
	sampling[me] = me + 1;
#endif
#if !defined(GENERATION_FIRST) && !defined(GENERATION_SAME)
	RAISE();
#endif
refused:
#ifndef SWAP_UNLOCKED
	UNLOCK();
#endif
#if !defined(FREED_AT_ONCE) && !defined(GRACE_FIRST)
	if
	:: before != me -> GRACE()
	:: else
	fi;
#endif
	atomic {
		assert(!snapshot_freed[before]);
		snapshot_freed[before] = true;
		snapshots_freed++;
		if
		:: before != me && age[me] > floor -> floor = age[me]
		:: else
		fi
	}
	finished++
}

proctype stopper()
{
	byte raised;

	LOCK();
#ifdef STOP_RAISES_FIRST
	RAISE();
	stopped = true;
#else
	stopped = true;
	RAISE();
#endif
	UNLOCK();
	stop_returned = true;
	finished++
}

init {
	atomic {
		types[0] = 1;
		sampling[0] = 1;
		run producer(0);
#if PRODUCERS == 2
		run producer(1);
#else
		run reconfigurer(2);
#endif
		run reconfigurer(1);
		run stopper()
	}
	finished == PRODUCERS + SNAPSHOTS;
	assert(!snapshot_freed[snapshot]);
	assert(snapshots_freed == SNAPSHOTS - 1)
}
