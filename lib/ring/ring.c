/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring.c: see ring.h. The consumer's side, and why the ring is correct.
 *
 * The picture
 * -----------
 * tail, head, gap, next, limit are octet counts since the ring was made;
 * index modulo capacity is an offset into the memory. The capacity divides
 * 2^64, so offsets run on smoothly when an index wraps, and differences of
 * indexes are right across the wrap because they never exceed the capacity.
 *
 *   offset 0              head                  tail                capacity
 *
 *   mirrored, mapped twice; one run whatever the place:
 *          |##############|---------------------|###################|
 *                                               |######################...
 *
 *   wrap; two runs, and a gap where a record did not fit before the end:
 *          |##############|---------------------|############|......|
 *           second run      free                 first run   gap
 *
 * A boundary is an index that is a multiple of the capacity. In the wrap
 * layout no record crosses one: the record that would begins at it instead,
 * and the octets from gap up to the boundary mean nothing. gap is stored
 * with every record that begins at a boundary, also when the lap before was
 * filled to the last octet (gap equals the boundary then), so a consumer
 * that finds head beyond a boundary need not ask whether gap is about it.
 * In the mirrored layout gap is never read.
 *
 * limit is the producer's own: between next and limit all is free and, in
 * the wrap layout, on this side of the boundary. One comparison with it is
 * all that most reservations need; dtap__ring_look() does the others. While
 * a record at a boundary is reserved (crossing), limit is next: whatever is
 * reserved in its place is looked at anew, and never fits near.
 *
 * Ordering promises
 * -----------------
 * "Before" is C11's happens-before. Each promise names the one pair of
 * accesses that carries it; no other ordering is relied upon.
 *
 *   A. What the producer wrote into a record before commit, the consumer
 *      reads after a peek that covers it; a record appears whole, in order
 *      and once. (head: release in commit, acquire in peek.)
 *   B. A consumer that sees head beyond the next boundary above tail reads
 *      the gap of just that boundary: not an older one, not a newer one.
 *      (Not older: same pair as A. Not newer: same pair as C.)
 *   C. The producer overwrites an octet only after the consumer's last read
 *      of it. (tail: release in release, acquire in reserve.)
 *   D. A reservation that is given up was never visible: reserve stores only
 *      to fields that no one but the producer reads.
 *
 * B in full. Since head <= tail + capacity, at most one boundary lies
 * strictly between tail and head, so at most one gap is unconsumed. Let b
 * be that boundary. Its gap was stored before the release of the first head
 * beyond b: what the consumer reads is at least as new. The next store to
 * gap comes with a record that begins at b + capacity, holds at least one
 * octet and was granted by reserve, hence a tail beyond b had been acquired.
 * The consumer stored that tail with release, after all its reads of the gap
 * of b, and it never reads it again, for b is no longer above tail. So every
 * read of the gap of b is before the next store, and cannot see it.
 *
 * Progress
 * --------
 * reserve, commit, peek and release are wait-free: straight code without a
 * loop, a lock, a fence, a read-modify-write or a system call. The producer
 * reads the consumer's cache line only when it has come to its limit: half a
 * ring after the last time, sooner only if there was less room. A ring of
 * which one side has stopped never harms the other: the producer is told
 * "full", the consumer "empty".
 *
 * Rejected: a length in front of each record for the consumer to follow. It
 * would have to be atomic, and the bytes from tail to head would no longer
 * be what is written to the output. Also rejected: indexes modulo capacity,
 * which cannot tell full from empty without giving up an octet.
 */
#include "ring/ring.h"

#include <string.h>

#include "ring/ring_memory.h"

enum dtap_result
dtap__ring_init(struct dtap__ring *ring, uint64_t bytes,
		enum dtap__ring_layout layout)
{
	enum dtap_result result;

	memset(ring, 0, sizeof(*ring));
	result = dtap__ring_memory_map(bytes, layout, &ring->base,
				       &ring->contiguous);
	if (result != DTAP_OK)
		return result;
	ring->capacity = bytes;
	ring->mask = bytes - 1;
	dtap__ring_start_at(ring, 0);
	return DTAP_OK;
}

void
dtap__ring_fini(struct dtap__ring *ring)
{
	dtap__ring_memory_unmap(ring->base, ring->contiguous);
	memset(ring, 0, sizeof(*ring));
}

/* Relaxed: whoever hands the ring to another thread publishes it. */
void
dtap__ring_start_at(struct dtap__ring *ring, uint64_t index)
{
	ring->next = index;
	ring->limit = index;
	ring->crossing = false;
	dtap__store_relaxed(&ring->head, index);
	dtap__store_relaxed(&ring->gap, index);
	dtap__store_relaxed(&ring->tail, index);
}

/* The next boundary above an index, as a distance from it: 1 to capacity. */
static uint64_t
ring_to_boundary(const struct dtap__ring *ring, uint64_t index)
{
	return ring->capacity - (index & ring->mask);
}

static uint64_t
ring_smaller(uint64_t one, uint64_t other)
{
	return one < other ? one : other;
}

uint8_t *
dtap__ring_look(struct dtap__ring *ring, uint64_t bytes)
{
	uint64_t offset = ring->next & ring->mask;
	uint64_t skipped = 0;
	uint64_t used, room;

	/*
	 * C: pairs with the release in dtap__ring_release(). What is written
	 * from here on lands behind the consumer's reads.
	 */
	used = ring->next - dtap__load_acquire(&ring->tail);
	room = ring->capacity - used;
	ring->limit = ring->next;
	ring->crossing = false;
	/* Never true when mirrored. */
	if (offset + bytes > ring->contiguous) {
		skipped = ring->capacity - offset;
		offset = 0;
	}
	if (bytes > dtap__ring_record_max(ring) || skipped + bytes > room)
		return NULL;
	if (offset == 0)
		ring->crossing = true;
	else
		ring->limit += ring_smaller(
			ring_smaller(room, ring->contiguous - offset),
			dtap__ring_record_max(ring));
	return ring->base + offset;
}

void
dtap__ring_cross(struct dtap__ring *ring, uint64_t bytes)
{
	/*
	 * B: relaxed, because the release in commit publishes it, and whoever
	 * read the former value gave its bytes back before look got here.
	 */
	dtap__store_relaxed(&ring->gap, ring->next);
	ring->next = (ring->next + ring->mask) & ~ring->mask;
	ring->limit = ring->next + bytes;
	ring->crossing = false;
}

/*
 * Must the consumer look at gap? Only if head is beyond the next boundary,
 * and never when mirrored. Data that end at the boundary lie in one piece.
 */
static bool
ring_is_split(const struct dtap__ring *ring, uint64_t tail, uint64_t head)
{
	return (tail & ring->mask) + (head - tail) > ring->contiguous;
}

/*
 * B: relaxed, because the caller acquired a head beyond the boundary, which
 * was released after this gap was stored; no newer one can be there yet.
 */
static uint64_t
ring_to_gap(const struct dtap__ring *ring, uint64_t tail)
{
	return dtap__load_relaxed(&ring->gap) - tail;
}

size_t
dtap__ring_peek(const struct dtap__ring *ring, struct dtap__span span[2])
{
	/* Relaxed: the caller is the only one who stores to tail. */
	uint64_t tail = dtap__load_relaxed(&ring->tail);
	/* A, B: pairs with the release in dtap__ring_commit(). */
	uint64_t head = dtap__load_acquire(&ring->head);
	uint64_t first = head - tail;
	uint64_t second = 0;

	if (ring_is_split(ring, tail, head)) {
		second = first - ring_to_boundary(ring, tail);
		first = ring_to_gap(ring, tail);
	}
	/* All before the gap was released before the gap was made. */
	if (first == 0) {
		span[0] = (struct dtap__span){ ring->base, second };
		span[1] = (struct dtap__span){ ring->base, 0 };
	} else {
		span[0].data = ring->base + (tail & ring->mask);
		span[0].bytes = first;
		span[1] = (struct dtap__span){ ring->base, second };
	}
	return first + second;
}

void
dtap__ring_release(struct dtap__ring *ring, size_t bytes)
{
	/* Relaxed: the caller is the only one who stores to tail. */
	uint64_t tail = dtap__load_relaxed(&ring->tail);
	/*
	 * B: pairs with the release in dtap__ring_commit(). Acquire again,
	 * since head may be newer than the last peek; that is harmless, for
	 * what peek saw ends at or before a gap that came later.
	 */
	uint64_t head = dtap__load_acquire(&ring->head);

	if (ring_is_split(ring, tail, head)) {
		uint64_t first = ring_to_gap(ring, tail);

		if (bytes >= first) {
			tail += ring_to_boundary(ring, tail);
			bytes -= first;
		}
	}
	/* C: pairs with the acquire in dtap__ring_reserve(). */
	dtap__store_release(&ring->tail, tail + bytes);
}
