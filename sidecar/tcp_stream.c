/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tcp_stream.c: see tcp_stream.h.
 *
 *             next           held              held
 *   ...seen----|    hole    |------|    hole    |------|   end
 *
 * Octets before next are with the framing. What lies behind a hole is in a
 * list, by its first octet, the longer before the shorter. Segments in it may
 * overlap: what the one before has is left out when they are taken. So octets
 * before next count as they came first, and of others the segment that begins
 * first: this is how Linux has it (tcp_data_queue_ofo() in tcp_input.c), and
 * so what its processes read. Sequence numbers are compared as RFC 9293
 * section 3.4 says, by the sign of their difference; next only ever moves
 * towards what is held, so all of it stays within half of the circle.
 *
 * A FIN, and an RST, say where the stream ends. An RST at another place than
 * that which the receiver expects is ignored by it (RFC 5961 section 3), and
 * here has no effect before all octets up to it are there: to forge one ends
 * nothing early. A stream that has ended is kept for a while, without memory
 * for octets, so that what is retransmitted then is not taken for new.
 */
#include "sidecar/tcp_stream.h"

#include <stdlib.h>
#include <string.h>

/* What malloc() needs besides. */
#define SEGMENT_BYTES (sizeof(struct tcp_segment) + 16)
#define SEQUENCE_SPAN (UINT32_C(1) << 30)

struct tcp_segment {
	struct list_link link;
	uint64_t time_ns;
	uint32_t sequence;
	uint32_t bytes;
	uint8_t octets[];
};

/* What is left of a packet's payload, or of a held segment. */
struct piece {
	const uint8_t *octets;
	uint32_t bytes;
	uint32_t sequence;
	uint64_t time_ns;
};

static bool
is_before(uint32_t one, uint32_t other)
{
	return (int32_t)(one - other) < 0;
}

static struct tcp_segment *
segment_of(struct list_link *link)
{
	return table_holder(link, struct tcp_segment, link);
}

/* A payload with its SYN begins behind that. */
static struct piece
piece_of(const struct packet *packet)
{
	struct piece piece = {
		.octets = packet->payload,
		.bytes = (uint32_t)packet->payload_bytes,
		.sequence = packet->tcp_sequence,
		.time_ns = packet->time_ns,
	};

	if ((packet->tcp_flags & PACKET_SYN) != 0)
		piece.sequence++;
	return piece;
}

static void
piece_advance(struct piece *piece, uint32_t bytes)
{
	piece->octets += bytes;
	piece->bytes -= bytes;
	piece->sequence += bytes;
}

/* Those octets of the piece that lie before a place are there already. */
static void
piece_cut(struct piece *piece, uint32_t place, struct tcp_meter *meter)
{
	uint32_t bytes = place - piece->sequence;

	if (!is_before(piece->sequence, place))
		return;
	if (bytes > piece->bytes)
		bytes = piece->bytes;
	meter->counters.duplicate_octets += bytes;
	piece_advance(piece, bytes);
}

void
tcp_stream_begin(struct tcp_stream *stream, const struct packet *packet)
{
	struct piece piece = piece_of(packet);

	stream->latest = *packet;
	stream->first = piece.sequence;
	stream->next = piece.sequence;
	stream->began = (packet->tcp_flags & PACKET_SYN) != 0;
	stream->has_end = false;
	stream->ended = false;
	list_init(&stream->segments);
	stream->segments_count = 0;
	stream->segment_bytes = 0;
	tcp_framing_begin(&stream->framing, stream->began);
}

bool
tcp_stream_is_strange(const struct tcp_stream *stream,
		      const struct packet *packet)
{
	struct piece piece = piece_of(packet);

	if (packet->protocol == PACKET_TLS)
		return false;
	if ((packet->tcp_flags & PACKET_SYN) != 0)
		return piece.sequence != stream->first;
	/* One octet before the first may be a probe (RFC 1122, 4.2.3.6). */
	if (piece.bytes <= 1)
		return false;
	return stream->ended ? !is_before(piece.sequence, stream->end) :
			       stream->began &&
				       is_before(piece.sequence, stream->first);
}

static void
segment_free(struct tcp_stream *stream, struct tcp_meter *meter,
	     struct tcp_segment *segment)
{
	list_remove(&segment->link);
	stream->segments_count--;
	stream->segment_bytes -= SEGMENT_BYTES + segment->bytes;
	tcp_meter_give(meter, SEGMENT_BYTES + segment->bytes);
	meter->counters.held_octets -= segment->bytes;
	free(segment);
}

/* Skips the piece if it may not be held. */
static void
segment_new(struct tcp_stream *stream, struct tcp_meter *meter,
	    struct list_link *place, const struct piece *piece)
{
	size_t memory_bytes = SEGMENT_BYTES + piece->bytes;
	struct tcp_segment *segment = NULL;

	if (tcp_meter_take(meter, memory_bytes)) {
		segment = malloc(sizeof(*segment) + piece->bytes);
		if (segment == NULL)
			tcp_meter_give(meter, memory_bytes);
	}
	if (segment == NULL) {
		meter->counters.skipped_octets += piece->bytes;
		return;
	}
	segment->time_ns = piece->time_ns;
	segment->sequence = piece->sequence;
	segment->bytes = piece->bytes;
	memcpy(segment->octets, piece->octets, piece->bytes);
	list_insert_after(place, &segment->link);
	stream->segments_count++;
	stream->segment_bytes += memory_bytes;
	meter->counters.held_octets += piece->bytes;
}

/* Whether a held segment goes in front of a piece. */
static bool
is_ahead(const struct tcp_segment *segment, const struct piece *piece)
{
	return is_before(segment->sequence, piece->sequence) ||
	       (segment->sequence == piece->sequence &&
		segment->bytes >= piece->bytes);
}

/* Holds a piece behind next, unless the held segment in front of it has all
 * of its octets. */
static void
stream_hold(struct tcp_stream *stream, struct tcp_meter *meter,
	    const struct piece *piece)
{
	struct list_link *place = stream->segments.previous;

	while (place != &stream->segments &&
	       !is_ahead(segment_of(place), piece))
		place = place->previous;
	if (place != &stream->segments &&
	    !is_before(segment_of(place)->sequence + segment_of(place)->bytes,
		       piece->sequence + piece->bytes))
		meter->counters.duplicate_octets += piece->bytes;
	else
		segment_new(stream, meter, place, piece);
}

/* Takes a piece that begins at next, or before. */
static void
stream_accept(struct tcp_stream *stream, struct tcp_meter *meter,
	      struct piece piece)
{
	piece_cut(&piece, stream->next, meter);
	stream->latest.time_ns = piece.time_ns;
	stream->next += piece.bytes;
	tcp_framing_feed(&stream->framing, meter, &stream->latest,
			 piece.octets, piece.bytes);
}

/* Takes from what is held all that is no longer behind a hole. */
static void
stream_drain(struct tcp_stream *stream, struct tcp_meter *meter)
{
	struct list_link *link;

	while ((link = list_first(&stream->segments)) != NULL) {
		struct tcp_segment *segment = segment_of(link);
		struct piece piece = { segment->octets, segment->bytes,
				       segment->sequence, segment->time_ns };

		if (is_before(stream->next, segment->sequence))
			return;
		stream_accept(stream, meter, piece);
		segment_free(stream, meter, segment);
	}
}

static void
stream_give_up_until(struct tcp_stream *stream, struct tcp_meter *meter,
		     uint32_t place)
{
	tcp_framing_gap(&stream->framing, meter, place - stream->next);
	stream->next = place;
	stream_drain(stream, meter);
}

/* Gives up the first hole before a place behind next, or before what is
 * held there. */
static void
stream_give_up_hole(struct tcp_stream *stream, struct tcp_meter *meter,
		    uint32_t place)
{
	struct list_link *link = list_first(&stream->segments);

	if (link != NULL && is_before(segment_of(link)->sequence, place))
		place = segment_of(link)->sequence;
	stream_give_up_until(stream, meter, place);
}

static bool
stream_has_room(const struct tcp_stream *stream, const struct tcp_meter *meter,
		uint32_t bytes)
{
	return stream->segments_count < TCP_STREAM_SEGMENTS_MAX &&
	       stream->segment_bytes + SEGMENT_BYTES + bytes <=
		       meter->segment_bytes_max;
}

static void
stream_take(struct tcp_stream *stream, struct tcp_meter *meter,
	    struct piece piece)
{
	while (is_before(stream->next, piece.sequence) &&
	       !stream_has_room(stream, meter, piece.bytes))
		stream_give_up_hole(stream, meter, piece.sequence);
	if (is_before(stream->next, piece.sequence)) {
		stream_hold(stream, meter, &piece);
		return;
	}
	stream_accept(stream, meter, piece);
	stream_drain(stream, meter);
}

/* Notes the end that a FIN or RST tells: the nearest that is not past. */
static void
stream_note_end(struct tcp_stream *stream, uint32_t end)
{
	if (is_before(end, stream->next) ||
	    (stream->has_end && !is_before(end, stream->end)))
		return;
	stream->has_end = true;
	stream->end = end;
}

void
tcp_stream_end(struct tcp_stream *stream, struct tcp_meter *meter)
{
	struct list_link *link;

	tcp_framing_end(&stream->framing, meter);
	while ((link = list_first(&stream->segments)) != NULL) {
		meter->counters.skipped_octets += segment_of(link)->bytes;
		segment_free(stream, meter, segment_of(link));
	}
	stream->ended = true;
	stream->has_end = true;
	stream->end = stream->next;
}

/* After octets have come. */
static void
stream_settle(struct tcp_stream *stream, struct tcp_meter *meter)
{
	if (stream->next - stream->first > SEQUENCE_SPAN)
		stream->first = stream->next - SEQUENCE_SPAN;
	if (stream->has_end && !is_before(stream->next, stream->end))
		tcp_stream_end(stream, meter);
}

static void
stream_note_packet(struct tcp_stream *stream, const struct packet *packet)
{
	struct packet_owner owner = stream->latest.owner;

	stream->latest = *packet;
	if (packet->owner.pid == 0)
		stream->latest.owner = owner;
	stream->latest.tcp_flags = 0;
	stream->latest.payload = NULL;
	stream->latest.payload_bytes = 0;
}

void
tcp_stream_feed(struct tcp_stream *stream, struct tcp_meter *meter,
		const struct packet *packet)
{
	struct piece piece = piece_of(packet);
	uint32_t behind = piece.sequence + piece.bytes;

	stream_note_packet(stream, packet);
	if (packet->protocol == PACKET_TLS) {
		piece.sequence = stream->next;
		stream_accept(stream, meter, piece);
		return;
	}
	if (stream->ended) {
		meter->counters.duplicate_octets += piece.bytes;
		return;
	}
	if ((packet->tcp_flags & PACKET_RST) != 0) {
		/* Its payload, if any, says why (RFC 9293 section 3.5.3). */
		meter->counters.skipped_octets += piece.bytes;
		stream_note_end(stream, piece.sequence);
	} else if (piece.bytes > 0) {
		stream_take(stream, meter, piece);
	}
	if ((packet->tcp_flags & PACKET_FIN) != 0)
		stream_note_end(stream, behind);
	stream_settle(stream, meter);
}

bool
tcp_stream_is_waiting(const struct tcp_stream *stream)
{
	return !list_is_empty(&stream->segments) ||
	       (stream->has_end && !stream->ended);
}

bool
tcp_stream_is_holding(const struct tcp_stream *stream)
{
	return stream->segments_count > 0 || stream->framing.used > 0;
}

void
tcp_stream_give_up(struct tcp_stream *stream, struct tcp_meter *meter)
{
	struct list_link *link;

	while ((link = list_first(&stream->segments)) != NULL)
		stream_give_up_until(stream, meter, segment_of(link)->sequence);
	if (stream->has_end && is_before(stream->next, stream->end))
		stream_give_up_until(stream, meter, stream->end);
	stream_settle(stream, meter);
}
