/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tap_submit.c: the path of one event, in the order of ARCHITECTURE.md.
 *
 *   1 event   wanted?  valid?         filtered, sampled_out, dropped_invalid
 *   2 encode  how large at most?      dropped_too_big
 *   3 ring    reserve                 dropped_full, dropped_no_ring
 *     encode  into the reserved room
 *     ring    commit                  accepted
 *
 * There are three ways through these steps:
 *
 *   lean   a usual query or response of a shape that is known, with room near
 *          in the ring: one piece of straight code, without a call or a saved
 *          register but for the copy of a long message
 *   plain  what has no policy or extra of its own, any shape that is known,
 *          any place in the ring
 *   full   every event, step by step, written for clarity
 *
 * What a way cannot serve it leaves to the next before it has changed
 * anything. Nothing on any of them locks, allocates, or enters the kernel.
 *
 * While a ring stays full, events are refused before they are looked at
 * closely: overload is when time matters most.
 */
#include "tap.h"

#include <string.h>

#include "encode/encode_plain.h"
#include "event/event_check.h"
#include "event/event_filter.h"

/* Octets of a data frame's length field. */
#define SUBMIT_LENGTH_BYTES 4

static dtap__always_inline void
submit_put_length(uint8_t *slot, size_t bytes)
{
	uint32_t length = (uint32_t)bytes;

	slot[0] = (uint8_t)(length >> 24);
	slot[1] = (uint8_t)(length >> 16);
	slot[2] = (uint8_t)(length >> 8);
	slot[3] = (uint8_t)length;
}

/*
 * The frame stands behind its length field: hand it to the writer. It is
 * counted first, so that the commit's release makes the count known to
 * whoever sees the frame: nothing is ever written that was not accepted.
 */
static enum dtap_result
submit_publish(dtap_producer *producer, uint8_t *slot, size_t bytes)
{
	submit_put_length(slot, bytes);
	dtap__tally_count(&producer->tally, DTAP__ACCEPTED);
	dtap__ring_commit(producer->ring, SUBMIT_LENGTH_BYTES + bytes);
	return DTAP_OK;
}

/*
 * The same for a lean event, the message of which ends at end; the slot was
 * found near (ring.h).
 */
static dtap__always_inline enum dtap_result
submit_publish_lean(dtap_producer *producer, uint8_t *slot, const uint8_t *end)
{
	size_t bytes = (size_t)(end - slot) + DTAP__TRAILER_BYTES;

	submit_put_length(slot, bytes - SUBMIT_LENGTH_BYTES);
	dtap__tally_count(&producer->tally, DTAP__ACCEPTED);
	dtap__ring_commit_near(producer->ring, bytes);
	return DTAP_OK;
}

/* One event is lost: in the ledger, and in the next frame's extra. */
static dtap__noinline enum dtap_result
submit_lose(dtap_producer *producer, const struct dtap_event *event,
	    enum dtap_result result)
{
	enum dtap__fate fate = DTAP__DROPPED_FULL;
	enum dtap__loss_cause cause = DTAP__LOSS_FULL;

	if (result == DTAP_E_INVALID) {
		fate = DTAP__DROPPED_INVALID;
		cause = DTAP__LOSS_INVALID;
	} else if (result == DTAP_E_TOO_BIG) {
		fate = DTAP__DROPPED_TOO_BIG;
		cause = DTAP__LOSS_TOO_BIG;
	} else if (producer->node == NULL) {
		fate = DTAP__DROPPED_NO_RING;
		result = DTAP_E_NO_RING;
	}
	dtap__tally_count(&producer->tally, fate);
	dtap__loss_note(&producer->loss, cause, event);
	producer->plain = false;
	return result;
}

/* No room for so many octets: is the ring full now, or too small for ever? */
static enum dtap_result
submit_no_room(dtap_producer *producer, const struct dtap_event *event,
	       size_t bytes)
{
	bool never = producer->node != NULL &&
		     bytes > dtap__ring_record_max(producer->ring);

	return submit_lose(producer, event,
			   never ? DTAP_E_TOO_BIG : DTAP_E_FULL);
}

/* What the configured strings and protobuf leave of the metadata limit. */
static size_t
submit_metadata_max(const dtap_producer *producer)
{
	return DTAP_METADATA_BYTES_MAX - producer->encoder.prefix.bytes -
	       DTAP__LOSS_TEXT_MAX - DTAP__ENCODE_FIELDS_BYTES_MAX;
}

/* The loss to be told with the next frame; its octets, 0 for none. */
static size_t
submit_loss_text(const dtap_producer *producer, char *text)
{
	if (producer->loss.lost == 0 || !producer->loss_report)
		return 0;
	return dtap__loss_text(&producer->loss, text);
}

/* Octets that a frame may take in the ring. */
static size_t
submit_room(const dtap_producer *producer, const struct dtap_event *event,
	    size_t loss_bytes)
{
	return SUBMIT_LENGTH_BYTES +
	       dtap__encode_full_bound(&producer->encoder, event, loss_bytes);
}

/* Encodes an event that was found valid, and publishes it. */
static enum dtap_result
submit_checked(dtap_producer *producer, const struct dtap_event *event)
{
	uint64_t room_max = dtap__ring_record_max(producer->ring);
	char loss[DTAP__LOSS_TEXT_MAX];
	size_t loss_bytes = submit_loss_text(producer, loss);
	size_t room = submit_room(producer, event, loss_bytes);
	/* A report is no reason to drop an event: a smaller one will do. */
	bool postponed = loss_bytes > 0 && room > room_max;
	uint8_t *slot = NULL;
	size_t bytes;

	if (postponed) {
		loss_bytes = 0;
		room = submit_room(producer, event, 0);
	}
	if (room <= room_max)
		slot = dtap__ring_reserve(producer->ring, room);
	if (slot == NULL)
		return submit_no_room(producer, event, room);
	bytes = dtap__encode_full(&producer->encoder, event, loss, loss_bytes,
				  slot + SUBMIT_LENGTH_BYTES);
	if (!postponed)
		memset(&producer->loss, 0, sizeof(producer->loss));
	producer->plain = dtap__producer_is_plain(producer);
	return submit_publish(producer, slot, bytes);
}

/* Any event, step by step. */
static dtap__noinline enum dtap_result
submit_full(dtap_producer *producer, const struct dtap_event *event)
{
	const struct dtap_event *normal;
	struct dtap_event room;
	enum dtap_result result;

	result = dtap__event_check(event, submit_metadata_max(producer), &room,
				   &normal);
	if (result != DTAP_OK)
		return submit_lose(producer, event, result);
	if (!dtap__event_wanted(producer->types, normal->type)) {
		dtap__tally_count(&producer->tally, DTAP__FILTERED);
		return DTAP_FILTERED;
	}
	if (producer->sample_one_in > 1 &&
	    !dtap__event_sampled(normal, producer->sample_one_in)) {
		dtap__tally_count(&producer->tally, DTAP__SAMPLED_OUT);
		return DTAP_FILTERED;
	}
	return submit_checked(producer, normal);
}

/* What the plain way may touch, length field included. */
static size_t
submit_plain_room(const dtap_producer *producer,
		  const struct dtap_event *event)
{
	return SUBMIT_LENGTH_BYTES +
	       dtap__encode_plain_bound(&producer->encoder, event);
}

/*
 * Whether an event that needs no look itself comes while the ring, which was
 * full, still is.
 */
static dtap__always_inline bool
submit_is_hopeless(const dtap_producer *producer,
		   const struct dtap_event *event)
{
	size_t room = submit_plain_room(producer, event);

	return producer->loss.lost != 0 && producer->sample_one_in <= 1 &&
	       dtap__encode_is_plain(event) &&
	       dtap__event_wanted(producer->types, event->type) &&
	       room <= dtap__ring_record_max(producer->ring) &&
	       dtap__ring_is_short_of(producer->ring, room);
}

/* While sampling, or when a loss is to be told. */
static dtap__noinline enum dtap_result
submit_remarkable(dtap_producer *producer, const struct dtap_event *event)
{
	/* Overload is when time matters most. */
	if (submit_is_hopeless(producer, event)) {
		dtap__tally_count(&producer->tally, DTAP__DROPPED_FULL);
		dtap__loss_note(&producer->loss, DTAP__LOSS_FULL, event);
		return DTAP_E_FULL;
	}
	return submit_full(producer, event);
}

/* Something has changed since this producer has last looked. */
static dtap__noinline enum dtap_result
submit_changed(dtap_producer *producer, const struct dtap_event *event)
{
	enum dtap_result result = dtap__producer_attend(producer);

	if (result != DTAP_OK)
		return result;
	if (event == NULL)
		return submit_lose(producer, NULL, DTAP_E_INVALID);
	return submit_full(producer, event);
}

/* The plain way. */
static dtap__noinline enum dtap_result
submit_plain(dtap_producer *producer, const struct dtap_event *event)
{
	size_t room = submit_plain_room(producer, event);
	uint8_t *slot;
	size_t bytes;

	if (!dtap__encode_is_plain(event) ||
	    !dtap__event_wanted(producer->types, event->type) ||
	    room > dtap__ring_record_max(producer->ring))
		return submit_full(producer, event);
	slot = dtap__ring_reserve(producer->ring, room);
	if (slot == NULL)
		return submit_no_room(producer, event, room);
	bytes = dtap__encode_plain(&producer->encoder, event,
				   slot + SUBMIT_LENGTH_BYTES);
	if (bytes == 0)
		return submit_full(producer, event);
	return submit_publish(producer, slot, bytes);
}

/*
 * The lean way of a query: few enough octets to ask for room without adding
 * them up.
 */
static dtap__always_inline enum dtap_result
submit_query(dtap_producer *producer, const struct dtap_event *event,
	     const struct dtap__shape *shape, enum dtap__shape_ends ends)
{
	const uint32_t octets_bytes = event->query_message_bytes;
	struct dtap__ring *ring = producer->ring;
	uint8_t *slot, *end;

	if (dtap__unlikely(
		    !dtap__lean_is_short(shape, octets_bytes) ||
		    !dtap__lean_is_valid(shape, event, DTAP__LEAN_QUERY) ||
		    !dtap__ring_fits_near(ring,
					  SUBMIT_LENGTH_BYTES +
						  DTAP__LEAN_SHORT_BOUND)))
		return submit_plain(producer, event);
	slot = dtap__ring_near(ring);
	end = dtap__lean_put(&producer->encoder, shape, event, ends,
			     DTAP__LEAN_QUERY, 1, slot + SUBMIT_LENGTH_BYTES) +
	      octets_bytes;
	dtap__lean_copy_short(end, event->query_message, octets_bytes);
	return submit_publish_lean(producer, slot, end);
}

/* The lean way of a response. */
static dtap__always_inline enum dtap_result
submit_response(dtap_producer *producer, const struct dtap_event *event,
		const struct dtap__shape *shape, enum dtap__shape_ends ends)
{
	const uint32_t octets_bytes = event->response_message_bytes;
	struct dtap__ring *ring = producer->ring;
	uint8_t *slot, *message;

	if (dtap__unlikely(
		    !dtap__lean_is_wide(shape, octets_bytes) ||
		    !dtap__lean_is_valid(shape, event, DTAP__LEAN_RESPONSE) ||
		    !dtap__ring_fits_near(ring,
					  SUBMIT_LENGTH_BYTES +
						  DTAP__LEAN_BOUND +
						  octets_bytes)))
		return submit_plain(producer, event);
	slot = dtap__ring_near(ring);
	message = dtap__lean_put(&producer->encoder, shape, event, ends,
				 DTAP__LEAN_RESPONSE, 2,
				 slot + SUBMIT_LENGTH_BYTES);
	memcpy(message, event->response_message, octets_bytes);
	return submit_publish_lean(producer, slot, message + octets_bytes);
}

/*
 * One for each lean layout. Functions of their own, so that none has to save
 * registers that only another one uses.
 */
static dtap__noinline enum dtap_result
submit_query_inet(dtap_producer *producer, const struct dtap_event *event,
		  const struct dtap__shape *shape)
{
	return submit_query(producer, event, shape, DTAP__ENDS_INET);
}

static dtap__noinline enum dtap_result
submit_query_inet6(dtap_producer *producer, const struct dtap_event *event,
		   const struct dtap__shape *shape)
{
	return submit_query(producer, event, shape, DTAP__ENDS_INET6);
}

static dtap__noinline enum dtap_result
submit_response_inet(dtap_producer *producer, const struct dtap_event *event,
		     const struct dtap__shape *shape)
{
	return submit_response(producer, event, shape, DTAP__ENDS_INET);
}

static dtap__noinline enum dtap_result
submit_response_inet6(dtap_producer *producer, const struct dtap_event *event,
		      const struct dtap__shape *shape)
{
	return submit_response(producer, event, shape, DTAP__ENDS_INET6);
}

enum dtap_result
dtap_submit(dtap_producer *producer, const struct dtap_event *event)
{
	const struct dtap__shape *shape;

	if (dtap__unlikely(producer == NULL))
		return DTAP_E_INVALID;
	dtap__tally_count(&producer->tally, DTAP__SUBMITTED);
	/* Pairs with the release wherever the generation is raised. */
	if (dtap__unlikely(dtap__load_acquire(&producer->tap->generation) !=
			   producer->generation))
		return submit_changed(producer, event);
	if (dtap__unlikely(event == NULL))
		return submit_lose(producer, NULL, DTAP_E_INVALID);
	if (dtap__unlikely(!producer->plain))
		return submit_remarkable(producer, event);

	shape = dtap__shape_slot(&producer->encoder, dtap__shape_key(event));
	if (dtap__unlikely(!dtap__shape_is_of(shape, event)))
		return submit_plain(producer, event);
	if (dtap__likely(shape->layout == DTAP__SHAPE_QUERY_INET))
		return submit_query_inet(producer, event, shape);
	if (dtap__likely(shape->layout == DTAP__SHAPE_RESPONSE_INET))
		return submit_response_inet(producer, event, shape);
	if (shape->layout == DTAP__SHAPE_QUERY_INET6)
		return submit_query_inet6(producer, event, shape);
	if (shape->layout == DTAP__SHAPE_RESPONSE_INET6)
		return submit_response_inet6(producer, event, shape);
	return submit_plain(producer, event);
}

enum dtap_result
dtap_submit_frame(dtap_producer *producer, const void *payload, size_t bytes)
{
	enum dtap_result result = DTAP_OK;
	uint8_t *slot = NULL;
	size_t room;

	if (producer == NULL)
		return DTAP_E_INVALID;
	dtap__tally_count(&producer->tally, DTAP__SUBMITTED);
	if (dtap__load_acquire(&producer->tap->generation) !=
	    producer->generation)
		result = dtap__producer_attend(producer);
	if (result != DTAP_OK)
		return result;
	if (payload == NULL || bytes == 0)
		return submit_lose(producer, NULL, DTAP_E_INVALID);
	if (bytes > DTAP_FRAME_BYTES_MAX)
		return submit_lose(producer, NULL, DTAP_E_TOO_BIG);
	room = SUBMIT_LENGTH_BYTES + bytes;
	if (room <= dtap__ring_record_max(producer->ring))
		slot = dtap__ring_reserve(producer->ring, room);
	if (slot == NULL)
		return submit_no_room(producer, NULL, room);
	memcpy(slot + SUBMIT_LENGTH_BYTES, payload, bytes);
	return submit_publish(producer, slot, bytes);
}

bool
dtap_wants(const dtap_producer *producer, enum dtap_message_type type)
{
	/* Relaxed: a hint; dtap_submit() looks at the generation first. */
	return producer != NULL &&
	       dtap__event_wanted(dtap__load_relaxed(&producer->tap->types),
				  (unsigned int)type);
}
