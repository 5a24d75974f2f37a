/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring.pml: the byte ring with one producer and one consumer, and a record
 * that does not fit dropped whole.
 *
 *   here                        lib/ring/ring.h, ring.c
 *   -------------------------   -------------------------------------------
 *   producer, "near"            dtap__ring_reserve(): fits_near, near
 *   producer, "look"            dtap__ring_look()
 *   producer, "write"           what the caller writes into the reservation
 *   producer, "commit"          dtap__ring_cross(), dtap__ring_commit_near()
 *   SPLIT                       ring_is_split()
 *   consumer, "peek"            dtap__ring_peek()
 *   consumer, "read"            what the writer does with a run
 *   consumer, "release"         dtap__ring_release()
 *
 * Indexes are octets of eight bits that begin just below their wrap, as the
 * library's are of 64. Each access to shared memory is a step of its own;
 * memory is sequentially consistent here. What weaker memory does to the
 * same ring is what explore_ring.c asks of the source itself.
 *
 * Promises: records are whole, in order, none twice, none that was refused
 * or given up; submitted = accepted + dropped + given up; accepted = read.
 *
 * variant MIRRORED: the memory is mapped twice, nothing wraps
 *
 * mutant HEAD_EARLY: published before it is written
 * mutant TAIL_EARLY: given back before it is read
 * mutant GAP_LATE: the gap is stored after the head beyond it
 * mutant GAP_FORGOTTEN: a gap is stored only when octets are skipped
 * mutant ONE_TOO_MANY: full is one octet late
 * mutant STALE_LIMIT: a look leaves the limit as it was
 * mutant CROSSING_STAYS: what follows a reservation given up crosses for it
 * mutant DROPPED_IN_PART: what fits of a record is kept
 * mutant DROP_NOT_COUNTED: a drop that leaves no trace in the ledger
 */
#ifdef LONG
#define RECORDS 5
#else
#define RECORDS 4
#endif
#define CAPACITY 8
#define MASK 7
#define RECORD_MAX 4
#define START 254
#ifdef MIRRORED
#define CONTIGUOUS 16
#else
#define CONTIGUOUS 8
#endif

#define U8(x) ((x) & 255)
#define SMALLER(a, b) ((a) < (b) -> (a) : (b))
#define TO_BOUNDARY(index) (CAPACITY - ((index) & MASK))
#define SPLIT(tail, head) \
	(((tail) & MASK) + U8((head) - (tail)) > CONTIGUOUS)
/* Octet number place of a record. */
#define VALUE(number, place, bytes) \
	((number) * 16 + ((place) == 0 -> (bytes) : 8 + (place)))

byte octet[CAPACITY];
byte head = START;
byte gap = START;
byte tail = START;

/* The ledger, and what the consumer has to find. */
byte submitted, accepted, dropped, given_up, received;
byte order[RECORDS + 1];	/* the records that were accepted */
byte size[RECORDS + 1];		/* of every record, by number */
bool done;

active proctype producer()
{
	byte next = START;
	byte limit = START;
	byte bytes, at, room, skipped, i, before;
	bool crossing;

	do
	:: submitted < RECORDS ->
		submitted++;
		if
		:: bytes = 1
		:: bytes = 3
		:: bytes = 4
		fi;
		size[submitted] = bytes;
		if
		/* near */
		:: bytes <= U8(limit - next) ->
			at = next & MASK
		/* look */
		:: else ->
			room = CAPACITY - U8(next - tail);
#ifdef ONE_TOO_MANY
			room++;
#endif
			d_step {
#ifndef STALE_LIMIT
				limit = next;
#endif
#ifndef CROSSING_STAYS
				crossing = false;
#endif
				at = next & MASK;
				skipped = 0;
				if
				:: at + bytes > CONTIGUOUS ->
					skipped = CAPACITY - at;
					at = 0
				:: else
				fi
			}
#ifdef DROPPED_IN_PART
			if
			:: skipped == 0 && bytes > room && room > 0 ->
				bytes = room
			:: else
			fi;
#endif
			if
			:: skipped + bytes > room ->
				/* dropped whole */
#ifndef DROP_NOT_COUNTED
				dropped++;
#endif
				goto refused
			:: else
			fi;
			if
			:: at == 0 -> crossing = true
			:: else ->
				limit = U8(next + SMALLER(
					SMALLER(room, CONTIGUOUS - at),
					RECORD_MAX))
			fi
		fi;
#ifdef HEAD_EARLY
		if
		:: !crossing -> head = U8(next + bytes)
		:: else
		fi;
#endif
		/* write */
		i = 0;
		do
		:: i < bytes ->
			octet[(at + i) & MASK] = VALUE(submitted, i, bytes);
			i++
		:: else -> break
		od;
		if
		:: given_up++;
			goto refused
		:: skip
		fi;
		/* commit */
		before = next;
		if
		:: crossing ->
#ifdef GAP_FORGOTTEN
			if
			:: (next & MASK) != 0 -> gap = next
			:: else
			fi;
#else
#ifndef GAP_LATE
			gap = next;
#endif
#endif
			d_step {
				next = U8(next + MASK) & (255 - MASK);
				limit = U8(next + bytes)
			}
		:: else
		fi;
		d_step {
			next = U8(next + bytes);
			order[accepted] = submitted;
			accepted++;
			head = next
		}
#ifdef GAP_LATE
		if
		:: crossing -> gap = before
		:: else
		fi;
#endif
		crossing = false;
refused:
		skip;
		/* Nothing of these is used again: fewer states to tell apart. */
		d_step {
			bytes = 0;
			at = 0;
			room = 0;
			skipped = 0;
			i = 0;
			before = 0
		}
	:: else -> break
	od;
	done = true
}

active proctype consumer()
{
	byte first, second, bytes, at, i, value, length, whole;
	byte seen_head, seen_tail, count, part;
	bool last;

	do
	:: /* The producer's end first, then what it has left. */
		last = done;
		/* peek */
		seen_head = head;
		if
		:: seen_head == tail ->
			if
			:: last -> break
			:: else -> goto again
			fi
		:: else
		fi;
		first = U8(seen_head - tail);
		second = 0;
		if
		:: SPLIT(tail, seen_head) ->
			second = first - TO_BOUNDARY(tail);
			first = U8(gap - tail)
		:: else
		fi;
		assert(first + second <= CAPACITY);
		seen_tail = tail;
#ifdef TAIL_EARLY
		tail = seen_head;
#endif
		/* read: the records of both runs */
		count = 0;
		whole = 0;
		part = 0;
		do
		:: part < 2 ->
			at = (part == 0 && first > 0 -> seen_tail & MASK : 0);
			bytes = (part == 0 -> first : second);
			do
			:: bytes > 0 ->
				length = octet[at & MASK] & 7;
				assert(length > 0 && length <= bytes);
				assert(length == size[order[received + count]]);
				i = 0;
				do
				:: i < length ->
					value = octet[(at + i) & MASK];
					assert(value == VALUE(
						order[received + count], i,
						length));
					i++
				:: else -> break
				od;
				at = at + length;
				bytes = bytes - length;
				count++;
				whole = whole + length;
#ifndef TAIL_EARLY
				/* give back only so much, this time */
				if
				:: goto release
				:: skip
				fi
#endif
			:: else -> break
			od;
			part++
		:: else -> break
		od;
release:
		received = received + count;
#ifndef TAIL_EARLY
		seen_head = head;
		if
		:: SPLIT(tail, seen_head) ->
			first = U8(gap - tail);
			if
			:: whole >= first ->
				tail = U8(tail + TO_BOUNDARY(tail) + whole -
					  first)
			:: else -> tail = U8(tail + whole)
			fi
		:: else -> tail = U8(tail + whole)
		fi;
#endif
again:
		skip;
		d_step {
			first = 0;
			second = 0;
			bytes = 0;
			at = 0;
			i = 0;
			value = 0;
			length = 0;
			whole = 0;
			seen_head = 0;
			seen_tail = 0;
			count = 0;
			part = 0;
			last = false
		}
	od;
	assert(submitted == accepted + dropped + given_up);
	assert(received == accepted)
}
