/* SPDX-License-Identifier: Apache-2.0 */
/*
 * retire.pml: server threads come and go, each with a ring, and the tap is
 * stopped and given up meanwhile.
 *
 *   here                        lib/tap*.c, lib/writer/, lib/ring/ring_set.c
 *   -------------------------   -------------------------------------------
 *   server, "open"              dtap_producer_open(), producer_enter()
 *   server, "submit"            dtap_submit(), submit_publish()
 *   server, "close"             dtap_producer_close(), also at thread exit
 *   writer, "collect"           dtap__batch_collect()
 *   writer, "taken"             dtap__batch_taken(), writer_account()
 *   writer, "reap"              dtap__ring_set_reap()
 *   writer, "end"               tap_thread()
 *   owner, "stop", "close"      dtap_stop(), dtap_close()
 *   owner, "stats"              dtap_stats_get()
 *   RELEASE                     dtap__tap_release(), tap_free()
 *
 * A ring is a number of frames, and the list of rings is a bit for each: what
 * happens inside of both is what ring.pml and explore_ring_set.c are about.
 * While the writer runs nobody else walks or reaps; afterwards, only who has
 * the tap's lock. The owner does not wait for a writer that is late.
 *
 * Promises: no ring and no tap is used after it was freed, each is freed in
 * the end, and a ring that is retired goes while the writer runs on. In the
 * ledger nothing is negative, lost_shutdown never shrinks, and in the end
 * accepted = written + lost_shutdown.
 *
 * variant LIVENESS: all is freed
 *
 * mutant EMPTY_FIRST: the writer looks whether a ring is empty, then retired
 * mutant NOT_DRAINED: a ring that is retired is freed with what is in it
 * mutant NEVER_REAPED: rings that are retired stay until the end
 * mutant EXITED_EARLY: the end is noted before the last look
 * mutant EXITED_UNASKED: a server reaps while the writer may be running
 * mutant LEFT_UNCOUNTED: what is left in a ring is thrown away uncounted
 * mutant LEFT_EARLY: what is in the rings is lost before the writer has ended
 * mutant TALLY_FORGOTTEN: a producer takes its count away
 * mutant STATS_UNLOCKED: the sums are taken without the lock
 * mutant NO_REFERENCE: a producer does not hold the tap
 */
#define SERVERS 2
#if defined(LONG) && !defined(LIVENESS)
#define EVENTS 3
#elif defined(LIVENESS) && !defined(LONG)
#define EVENTS 1
#else
#define EVENTS 2
#endif

/* struct dtap */
bool lock, stopped, stop_requested, exited;
byte references = 2;		/* the owner's and the thread's */
byte closed_accepted, closed_lost;
byte written;

/* Of each server: its ring and its producer. */
bool listed[SERVERS], retired[SERVERS];
byte in_ring[SERVERS];
bool entered[SERVERS];
byte tally[SERVERS];

/* What is to be proved. */
byte accepted, opened;
bool made[SERVERS], ring_freed[SERVERS];
bool freed;
bool works;			/* the output takes frames */

#define LOCK() atomic { !lock -> assert(!freed); lock = true }
#define UNLOCK() lock = false
/* Rings are walked from the youngest to the oldest. */
#define NEXT(ring) \
	if \
	:: ring == 1 -> ring = 0 \
	:: else -> break \
	fi
#define TOUCH(ring) assert(made[ring] && !ring_freed[ring])

/* ring_node_free() */
inline free_ring(ring)
{
	TOUCH(ring);
	ring_freed[ring] = true;
	in_ring[ring] = 0
}

/* What tap_free() finds is lost, and in the ledger until then. */
inline free_tap()
{
	assert(accepted == closed_accepted);
	assert(accepted == written + closed_lost + in_ring[0] + in_ring[1]);
	if
	:: listed[0] -> free_ring(0)
	:: else
	fi;
	if
	:: listed[1] -> free_ring(1)
	:: else
	fi;
	assert(ring_freed[0] == made[0] && ring_freed[1] == made[1]);
	freed = true
}

#define RELEASE() \
	LOCK(); \
	d_step { \
		references--; \
		if \
		:: references == 0 -> free_tap() \
		:: else \
		fi; \
		UNLOCK() \
	}

proctype server(bit me)
{
	byte events;
	bit ring = 1;

	/* The first is the first: the other way round is the same. */
	me == 0 || made[0] || opened > 0;
	/* open */
	if
	:: stopped ->
		opened++;
		goto refused
	:: else
	fi;
	d_step {
		made[me] = true;
		listed[me] = true
	}
	LOCK();
	if
	:: atomic { stopped -> UNLOCK() }
		retired[me] = true;
		opened++;
		goto refused
	:: else
	fi;
#ifndef NO_REFERENCE
	references++;
#endif
	d_step {
		entered[me] = true;
		UNLOCK();
		opened++
	}
	/* submit */
	do
	:: atomic { events < EVENTS - me && !stopped -> events++ }
		d_step {
			tally[me]++;
			accepted++
		}
		d_step {
			TOUCH(me);
			in_ring[me]++
		}
	:: break
	od;
	/* close */
	LOCK();
	entered[me] = false;
#ifndef TALLY_FORGOTTEN
	closed_accepted = closed_accepted + tally[me];
#endif
	d_step {
		TOUCH(me);
		retired[me] = true
	}
#ifdef EXITED_UNASKED
	if
	:: true ->
#else
	if
	:: exited ->
#endif
		/* reap, whatever is in them */
		ring = 1;
		do
		:: atomic { listed[ring] && retired[ring] ->
			listed[ring] = false }
			d_step {
				TOUCH(ring);
#ifndef LEFT_UNCOUNTED
				closed_lost = closed_lost + in_ring[ring];
#endif
				free_ring(ring)
			}
		:: else ->
			NEXT(ring)
		od
	:: else
	fi;
	UNLOCK();
#ifdef NO_REFERENCE
	LOCK();
	UNLOCK();
#else
	RELEASE();
#endif
refused:
	skip
}

active proctype writer()
{
	byte there[SERVERS], taken;
	bit ring = 1;
	bool stopping, late, nothing;

round:
	stopping = stop_requested;
#ifdef EXITED_EARLY
	if
	:: stopping -> exited = true
	:: else
	fi;
#endif
	/* collect */
	ring = 1;
	do
	:: atomic {
		if
		:: listed[ring] ->
			TOUCH(ring);
			there[ring] = in_ring[ring]
		:: else
		fi;
		NEXT(ring)
	   }
	od;
	/* taken, after the write */
	atomic {
		nothing = (there[0] + there[1] == 0);
		ring = 1
	}
	do
	:: atomic {
		taken = 0;
		if
		:: works -> taken = there[ring]
		:: works && there[ring] > 1 -> taken = 1
		:: !works
		fi;
		if
		:: taken > 0 ->
			TOUCH(ring);
			in_ring[ring] = in_ring[ring] - taken
		:: else
		fi
	   }
	   atomic {
		written = written + taken;
		there[ring] = 0;
		taken = 0;
		NEXT(ring)
	   }
	od;
	/* reap */
	ring = 1;
	do
#ifndef NEVER_REAPED
#ifdef EMPTY_FIRST
	:: atomic { listed[ring] && in_ring[ring] == 0 -> TOUCH(ring) }
		if
		:: retired[ring] ->
#else
	:: listed[ring] && retired[ring] ->
		if
#ifdef NOT_DRAINED
		:: true ->
#else
		:: atomic { in_ring[ring] == 0 -> TOUCH(ring) }
#endif
#endif
			listed[ring] = false;
			d_step { free_ring(ring) }
		:: else -> goto next
		fi
#endif
	:: else ->
next:		NEXT(ring)
	od;
	atomic {
		ring = 1;
		if
		:: stopping && (nothing || late)
		:: stopping	/* its time is up */
		:: !stopping || !(nothing || late) ->
			late = stopping;
			stopping = false;
			nothing = false;
			goto round
		fi
	}
	/* end */
	LOCK();
	exited = true;
	UNLOCK();
	RELEASE()
}

active proctype owner()
{
	byte sum_accepted, sum_lost, sum_written, lost_before;
	byte snapshots;
	bit ring = 1;

	atomic {
		run server(0);
		run server(1)
	}
	if
	:: works = true
	:: skip
	fi;
	if
	:: works -> ring_freed[0] && ring_freed[1]
	:: skip
	fi;
stats:
	snapshots++;
#ifndef STATS_UNLOCKED
	LOCK();
#endif
	d_step {
		sum_accepted = closed_accepted;
		sum_lost = closed_lost;
		sum_written = written
	}
#ifdef LEFT_EARLY
	if
	:: true ->
#else
	if
	:: exited ->
#endif
		do
		:: atomic {
			if
			:: listed[ring] ->
				TOUCH(ring);
				sum_lost = sum_lost + in_ring[ring]
			:: else
			fi;
			NEXT(ring)
		   }
		od
	:: else
	fi;
	ring = 1;
	do
	:: atomic {
		if
		:: entered[ring] -> sum_accepted = sum_accepted + tally[ring]
		:: else
		fi;
		NEXT(ring)
	   }
	od;
	atomic {
		assert(sum_written + sum_lost <= sum_accepted);
		assert(sum_lost >= lost_before);
		lost_before = sum_lost;
		sum_lost = 0;
		sum_written = 0;
		sum_accepted = 0;
		ring = 1;
#ifndef STATS_UNLOCKED
		UNLOCK();
#endif
		if
		:: snapshots == 2 -> goto close
		:: else
		fi
	}
	/* stop */
	LOCK();
	stopped = true;
	d_step {
		stop_requested = true;
		UNLOCK()
	}
	goto stats;
close:
	opened == SERVERS;
	RELEASE();
	freed
}

ltl all_freed { <> freed }
