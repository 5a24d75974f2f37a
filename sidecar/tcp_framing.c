/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tcp_framing.c: see tcp_framing.h.
 *
 * Whole messages are handed on from where they came; only what is left over
 * is copied, into a buffer that doubles: a peer that announces 65,535 octets
 * and sends one does not make us allocate more than a few.
 *
 * Where a boundary is certain, any octets are a message. Where it is not,
 * each message has to look like one (tcp_looks.h), and the search goes on
 * octet by octet where it does not. A stream that has once lost its step
 * never becomes certain again: to look is cheap.
 */
#include "sidecar/tcp_framing.h"

#include <stdlib.h>
#include <string.h>

#include "cat/dns_message.h"
#include "sidecar/tcp_looks.h"

#define ROOM_MIN 64

bool
tcp_meter_take(struct tcp_meter *meter, size_t bytes)
{
	if (bytes > meter->memory_max - meter->counters.memory_bytes)
		return false;
	meter->counters.memory_bytes += bytes;
	return true;
}

void
tcp_meter_give(struct tcp_meter *meter, size_t bytes)
{
	meter->counters.memory_bytes -= bytes;
}

void
tcp_framing_begin(struct tcp_framing *framing, bool certain)
{
	memset(framing, 0, sizeof(*framing));
	framing->certain = certain;
	framing->found = certain;
}

/* Forgets what is kept, whatever became of it. */
static void
framing_clear(struct tcp_framing *framing, struct tcp_meter *meter)
{
	free(framing->octets);
	tcp_meter_give(meter, framing->room);
	meter->counters.held_octets -= framing->used;
	framing->octets = NULL;
	framing->room = 0;
	framing->used = 0;
}

static void
framing_skip_kept(struct tcp_framing *framing, struct tcp_meter *meter)
{
	meter->counters.skipped_octets += framing->used;
	framing_clear(framing, meter);
}

void
tcp_framing_end(struct tcp_framing *framing, struct tcp_meter *meter)
{
	framing_skip_kept(framing, meter);
}

static bool
framing_grow(struct tcp_framing *framing, struct tcp_meter *meter,
	     size_t needed)
{
	size_t room = framing->room < ROOM_MIN ? ROOM_MIN : framing->room;
	uint8_t *octets;

	if (needed <= framing->room)
		return true;
	while (room < needed)
		room *= 2;
	if (room > TCP_FRAME_BYTES_MAX)
		room = TCP_FRAME_BYTES_MAX;
	if (!tcp_meter_take(meter, room - framing->room))
		return false;
	octets = realloc(framing->octets, room);
	if (octets == NULL) {
		tcp_meter_give(meter, room - framing->room);
		return false;
	}
	framing->octets = octets;
	framing->room = room;
	return true;
}

/* Of the message that is kept in part: its octets still to come; 0 when its
 * length is not known. */
static size_t
framing_missing(const struct tcp_framing *framing)
{
	if (framing->used < 2 || !framing->found)
		return 0;
	return 2 + (size_t)dns_message_be16(framing->octets) - framing->used;
}

static void
framing_lose_step(struct tcp_framing *framing, struct tcp_meter *meter)
{
	if (framing->found)
		meter->counters.gaps++;
	framing->found = false;
	framing->certain = false;
}

void
tcp_framing_gap(struct tcp_framing *framing, struct tcp_meter *meter,
		size_t bytes)
{
	size_t missing = framing->skip > 0 ? framing->skip :
					     framing_missing(framing);

	framing_skip_kept(framing, meter);
	meter->counters.gaps++;
	framing->skip = 0;
	if (missing >= bytes) {
		framing->skip = missing - bytes;
		return;
	}
	framing->found = false;
	framing->certain = false;
}

static void
framing_hand_on(struct tcp_meter *meter, const struct packet *latest,
		const uint8_t *frame, size_t bytes)
{
	struct packet message = *latest;

	message.payload = frame + 2;
	message.payload_bytes = bytes - 2;
	meter->counters.messages++;
	meter->counters.message_octets += bytes;
	meter->callback(meter->user, &message);
}

/* Hands on whole messages; returns how many octets are done with. */
static size_t
framing_take(struct tcp_framing *framing, struct tcp_meter *meter,
	     const struct packet *latest, const uint8_t *octets, size_t bytes)
{
	size_t at = 0;

	while (bytes - at >= 2) {
		size_t frame = 2 + (size_t)dns_message_be16(octets + at);
		enum tcp_looks looks = TCP_LOOKS_GOOD;

		if (!framing->certain)
			looks = tcp_looks(octets + at, bytes - at);
		if (looks == TCP_LOOKS_BAD) {
			framing_lose_step(framing, meter);
			meter->counters.skipped_octets++;
			at++;
			continue;
		}
		if (looks == TCP_LOOKS_SHORT)
			break;
		framing->found = true;
		if (bytes - at < frame)
			break;
		framing_hand_on(meter, latest, octets + at, frame);
		at += frame;
	}
	return at;
}

/* There is no memory for a message: it is skipped. */
static void
framing_give_up(struct tcp_framing *framing, struct tcp_meter *meter,
		const uint8_t *octets, size_t bytes)
{
	uint8_t length[2] = { 0, 0 };
	size_t known = framing->used;

	for (size_t i = 0; i < 2; i++)
		if (i < known)
			length[i] = framing->octets[i];
		else if (i - known < bytes)
			length[i] = octets[i - known];
	known += bytes;
	framing_skip_kept(framing, meter);
	meter->counters.skipped_octets += bytes;
	if (framing->found && known >= 2 &&
	    2 + (size_t)dns_message_be16(length) >= known)
		framing->skip = 2 + (size_t)dns_message_be16(length) - known;
	else
		framing_lose_step(framing, meter);
}

static void
framing_keep(struct tcp_framing *framing, struct tcp_meter *meter,
	     const uint8_t *octets, size_t bytes)
{
	if (bytes == 0)
		return;
	if (!framing_grow(framing, meter, framing->used + bytes)) {
		framing_give_up(framing, meter, octets, bytes);
		return;
	}
	memcpy(framing->octets + framing->used, octets, bytes);
	framing->used += bytes;
	meter->counters.held_octets += bytes;
}

/* Takes messages from what is kept; the rest moves to the front. */
static void
framing_take_kept(struct tcp_framing *framing, struct tcp_meter *meter,
		  const struct packet *latest)
{
	size_t done = framing_take(framing, meter, latest, framing->octets,
				   framing->used);

	if (done == framing->used) {
		framing_clear(framing, meter);
		return;
	}
	memmove(framing->octets, framing->octets + done, framing->used - done);
	framing->used -= done;
	meter->counters.held_octets -= done;
}

/* How many octets to add to what is kept: not beyond a message of known
 * length, so that what follows need not be copied. Never 0: as many as
 * TCP_LOOKS_BYTES are never kept of a message of unknown length. */
static size_t
framing_wanted(const struct tcp_framing *framing)
{
	size_t missing = framing_missing(framing);

	if (missing > 0)
		return missing;
	return (framing->certain ? 2 : TCP_LOOKS_BYTES) - framing->used;
}

static size_t
framing_skip(struct tcp_framing *framing, struct tcp_meter *meter,
	     size_t bytes)
{
	if (bytes > framing->skip)
		bytes = framing->skip;
	framing->skip -= bytes;
	meter->counters.skipped_octets += bytes;
	return bytes;
}

void
tcp_framing_feed(struct tcp_framing *framing, struct tcp_meter *meter,
		 const struct packet *latest, const uint8_t *octets,
		 size_t bytes)
{
	while (bytes > 0) {
		size_t done;

		if (framing->skip > 0) {
			done = framing_skip(framing, meter, bytes);
		} else if (framing->used == 0) {
			done = framing_take(framing, meter, latest, octets,
					    bytes);
			framing_keep(framing, meter, octets + done,
				     bytes - done);
			return;
		} else {
			done = framing_wanted(framing);
			if (done > bytes)
				done = bytes;
			framing_keep(framing, meter, octets, done);
			if (framing->used > 0)
				framing_take_kept(framing, meter, latest);
		}
		octets += done;
		bytes -= done;
	}
}
