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
 * dtap_submit() serves the events that servers send all day, in about as
 * many instructions as copying takes. Everything that is rare or remarkable
 * (policy, extra, sampling, a loss to be told, a shape not seen yet)
 * leaves it early for submit_full(), which is written for clarity. Nothing
 * on either way locks, allocates, or enters the kernel.
 *
 * A full ring is noticed before an event is looked at closely: overload is
 * when time matters most.
 */
#include "tap.h"

#include <string.h>

#include "encode/encode_message.h"
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
static dtap__always_inline enum dtap_result
submit_publish(dtap_producer *producer, uint8_t *slot, size_t bytes)
{
	submit_put_length(slot, bytes);
	dtap__tally_count(&producer->tally, DTAP__ACCEPTED);
	dtap__ring_commit(producer->ring, SUBMIT_LENGTH_BYTES + bytes);
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

enum dtap_result
dtap_submit(dtap_producer *producer, const struct dtap_event *event)
{
	enum dtap_result result;
	uint8_t *slot;
	size_t room;
	size_t bytes;

	if (dtap__unlikely(producer == NULL))
		return DTAP_E_INVALID;
	dtap__tally_count(&producer->tally, DTAP__SUBMITTED);
	/* Pairs with the release wherever the generation is raised. */
	if (dtap__unlikely(dtap__load_acquire(&producer->tap->generation) !=
			   producer->generation)) {
		result = dtap__producer_attend(producer);
		if (result != DTAP_OK)
			return result;
	}
	if (dtap__unlikely(event == NULL))
		return submit_lose(producer, NULL, DTAP_E_INVALID);
	if (dtap__unlikely(!dtap__encode_is_plain(event) ||
			   !dtap__event_wanted(producer->plain_types,
					       event->type)))
		return submit_full(producer, event);

	room = SUBMIT_LENGTH_BYTES +
	       dtap__encode_plain_bound(&producer->encoder, event);
	if (dtap__unlikely(room > dtap__ring_record_max(producer->ring)))
		return submit_full(producer, event);
	slot = dtap__ring_reserve(producer->ring, room);
	if (dtap__unlikely(slot == NULL))
		return submit_no_room(producer, event, room);
	if (dtap__unlikely(producer->loss.lost != 0))
		return submit_full(producer, event);
	bytes = dtap__encode_plain(&producer->encoder, event,
				   slot + SUBMIT_LENGTH_BYTES);
	if (dtap__unlikely(bytes == 0))
		return submit_full(producer, event);
	return submit_publish(producer, slot, bytes);
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
