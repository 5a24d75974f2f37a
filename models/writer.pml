/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer.pml: what is asked of the writer, stop and reopen, at any moment and
 * whatever the output does.
 *
 *   here                        lib/writer/writer*.c, lib/tap*.c
 *   -------------------------   -------------------------------------------
 *   producer                    dtap_submit(), stopped: by its generation
 *   reopener                    dtap_reopen()
 *   stopper                     dtap_stop(), and the time that passes then
 *   writer, "round"             dtap__writer_run(), dtap__writer_step()
 *   DOWN                        writer_step_down()
 *   OPENING                     writer_step_opening(), writer_step_shaking()
 *   FLOWING                     writer_step_flowing(), writer_drain()
 *   FINISHING                   writer_step_finishing(), writer_end_session()
 *   writer, "wait"              writer_wait()
 *
 * Nobody wakes the writer: each of its waits ends by itself, within
 * latency-ms. An output fails, takes a part, or lets the writer wait, which
 * it does once before the phase's deadline is over. How dtap_stop() waits for
 * the writer's end is in stop.pml.
 *
 * Promises: the writer ends, in the first round that begins after the
 * deadline of the stop. What was published before the stop is written, unless
 * the output failed or time ran out since; "complete" is said only if it is.
 * A reopen is followed by an open, unless the writer ends. What the writer
 * leaves is found in the ring: accepted = written + lost_shutdown. (lost_io
 * is always 0.)
 *
 * variant LIVENESS: the writer ends
 *
 * mutant WAIT_WITHOUT_LIMIT: a wait for an output that is stuck
 * mutant DEADLINE_FORGOTTEN: the writer goes on when its time is over
 * mutant DEADLINE_LATE: the deadline of a stop is stored after the request
 * mutant STOP_READ_LATE: the rings are looked at before the request
 * mutant REOPEN_CLEARED_LATE: the request is cleared after the open
 * mutant COUNTED_LATE: a frame is published before it is counted
 * mutant SUCCESS_KEPT: the end of an earlier session is taken for this one's
 * mutant LAST_TRY_KEPT: a session that ends well leaves it at one try
 */
#ifdef LONG
#define FRAMES 3
#define REOPENS 2
#else
#define FRAMES 2
#define REOPENS 1
#endif
#define DEADLINE 2

mtype = { DOWN, OPENING, FLOWING, FINISHING, ENDED };

/* struct dtap__writer: the requests, and what became of the stop. */
bool stop_requested, reopen_requested, complete;
byte stop_deadline;
byte now = 1;

/* The ledger, and the ring. */
byte accepted, in_ring, written;

/* What is to be proved. */
bool stopped;		/* tap->status, before the request */
byte before_stop;	/* published when the stop was requested */
bool reopen_owed;	/* asked for, and no open has begun since */
bool trouble;		/* since the stop: the output failed, or time is up */
bool producer_done, ended;

active proctype producer()
{
	byte events;

	do
	:: atomic { events < FRAMES && !stopped -> events++ }
#ifdef COUNTED_LATE
		in_ring++;
		accepted++
#else
		accepted++;
		in_ring++
#endif
	:: events == FRAMES || stopped -> break
	od;
	producer_done = true
}

active proctype reopener()
{
	byte requests;

	do
	:: atomic { requests < REOPENS && !stopped -> requests++ }
		d_step {
			reopen_requested = true;
			reopen_owed = true
		}
	:: requests == REOPENS || stopped -> break
	od
}

active proctype stopper()
{
	stopped = true;
#ifndef DEADLINE_LATE
	stop_deadline = DEADLINE;
#endif
	d_step {
		stop_requested = true;
		before_stop = in_ring + written
	}
#ifdef DEADLINE_LATE
	stop_deadline = DEADLINE;
#endif
	now = DEADLINE;
	producer_done && ended;
	assert(accepted == written + in_ring)
}

#define NOTE_TROUBLE() trouble = (trouble || stop_requested)
/* The output lets the writer wait; the second time that is too late. */
#define WAITS() atomic { !waited -> waited = true; blocked = true; break }
#define MAY_LEAVE (last_try || (tried && in_ring == 0))

active proctype writer()
{
	mtype phase = DOWN;
	byte time, there, taken, late_rounds;
	bool stopping, expired, reopening, drained;
	bool blocked, waited, tried, last_try, had_frames;

round:
	atomic {
		time = now;
		late_rounds = late_rounds + (time == DEADLINE);
		assert(late_rounds <= 1)
	}
	stopping = stop_requested;
	expired = stopping && time >= stop_deadline;
	do
	:: phase == DOWN ->
		stopping = stop_requested;
		if
		:: !stopping -> break	/* not yet */
		:: atomic {
			stopping && MAY_LEAVE ->
			complete = !last_try;
			phase = ENDED;
			break
		   }
		:: atomic {
			!stopping || !MAY_LEAVE ->
			last_try = stopping
		   }
#ifdef REOPEN_CLEARED_LATE
		   reopen_owed = false;
		   reopen_requested = false;
#else
		   reopen_requested = false;
		   reopen_owed = false;
#endif
		   phase = OPENING
		fi
	:: phase == OPENING ->
		if
		:: WAITS()
		:: atomic {
			tried = true;
			waited = false;
			phase = FLOWING
		   }
		:: atomic {
			tried = true;
			waited = false;
			NOTE_TROUBLE();
			phase = DOWN;
			break
		   }
		fi
	:: phase == FLOWING ->
#ifndef STOP_READ_LATE
		stopping = stop_requested;
#endif
		atomic {
			assert(!reopen_owed || reopen_requested);
			reopening = reopen_requested;
			drained = false;
			taken = 0;
			there = 0;
			if
			:: had_frames -> reopening = true /* rotation */
			:: skip
			fi
		}
		do
		:: reopening -> break
		:: else ->
			atomic {
				there = in_ring;
				taken = 0;
				if
				:: there == 0 ->
					drained = true;
					break
				:: else
				fi
			}
			/* write() */
			atomic {
				if
				:: taken = there
				:: there > 1 -> taken = 1
				:: skip
				fi;
				in_ring = in_ring - taken
			}
			atomic {
				written = written + taken;
				assert(written <= accepted);
				if
				:: taken > 0 ->
					last_try = false;
					waited = false;
					had_frames = true
				:: else
				fi;
				if
				:: taken < there || !stopping -> break
				:: else
				fi
			}
		od;
#ifdef STOP_READ_LATE
		stopping = stop_requested;
#endif
		if
		:: atomic {
			taken == there && (reopening || stopping && drained) ->
			waited = false;
			reopen_requested = false;
			phase = FINISHING
		   }
		:: atomic {
			taken == there && !(reopening || stopping && drained) ->
			break
		   }
		:: taken < there ->
			if
			:: WAITS()
			:: atomic {
				waited = false;
				had_frames = false;
				NOTE_TROUBLE();
				phase = DOWN;
				break
			   }
			fi
		fi
	:: phase == FINISHING ->
		if
		:: WAITS()
		:: atomic {
			complete = true;
#ifndef LAST_TRY_KEPT
			last_try = false
#endif
		   }
		:: atomic {
			complete = false;
			NOTE_TROUBLE()
		   }
		fi;
		atomic {
			waited = false;
			had_frames = false;
			phase = (reopening -> DOWN : ENDED);
			break
		}
	od;
	atomic {
		if
#ifndef DEADLINE_FORGOTTEN
		:: expired && phase != ENDED ->
#ifndef SUCCESS_KEPT
			complete = false;
#endif
			assert(time == DEADLINE);
			phase = ENDED;
			trouble = true
#endif
		:: else
		fi;
		time = 0;
		there = 0;
		taken = 0;
		stopping = false;
		expired = false;
		reopening = (phase == FINISHING && reopening);
		drained = false
	}
	/* wait */
	if
	:: phase == ENDED
	:: phase != ENDED ->
#ifdef WAIT_WITHOUT_LIMIT
		!blocked;
#endif
		blocked = false;
		goto round
	fi;
	assert(trouble || written >= before_stop);
	assert(!complete || written >= before_stop);
	ended = true
}

ltl writer_ends { <> ended }
