/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file tap.h
 * The tap: from open to close, and the one call per DNS message.
 *
 * A tap owns one output and one writer thread. Every server thread submits
 * through a producer of its own, which owns a ring. dtap_submit() encodes
 * the event straight into that ring; the writer thread drains all rings to
 * the output. When a ring is full the event is dropped whole, at once, and
 * counted (stats.h).
 *
 * Lifetime: open, start, submit, stop, close. Producers may be closed before
 * or after the tap is; each keeps the memory that it needs alive.
 *
 * Caveats
 *  - fork: a child must not use a tap that its parent has started, or opened
 *    producers of. If it does, events are counted as dropped_fork and neither
 *    file nor socket is touched. A tap that was only opened goes over into
 *    the child, as daemon() needs it.
 *  - chroot, setuid, daemon(): call dtap_open() before or after, but
 *    dtap_start() after; it is the call that starts the thread and opens
 *    the output.
 *  - signals: the writer thread blocks all of them.
 *  - pthread_cancel(): dtap_submit() is no cancellation point. A thread that
 *    is cancelled asynchronously amid it cuts off one event, which is counted
 *    as submitted and nothing else, or as accepted and for ever in_ring; the
 *    producer stays usable.
 *  - dlclose(): libdtap.so stays mapped, because threads that have used it
 *    call it once more when they exit. Link a plugin that has the library in
 *    it with -z nodelete, too.
 */
#ifndef DTAP_TAP_H
#define DTAP_TAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <dnstap/event.h>
#include <dnstap/export.h>
#include <dnstap/options.h>
#include <dnstap/result.h>

/** A tap: one output, one writer thread, any number of producers. */
typedef struct dtap dtap;
/** What one server thread submits through. */
typedef struct dtap_producer dtap_producer;

DTAP_BEGIN_DECLS

/**
 * Validates the options and prepares a tap.
 *
 * No thread is started, no file or socket opened: safe before daemonising,
 * chroot and setuid. Producers may be opened, and events submitted, before
 * dtap_start(); they wait in the rings.
 *
 * @param  options  copied; not NULL
 * @param  tap      set to the tap, or to NULL on failure; not NULL
 * @return DTAP_OK; DTAP_E_INVALID when an argument is NULL; DTAP_E_CONFLICT
 *         when options exclude each other or `output` is not set;
 *         DTAP_E_NOMEM. dtap_options_error() tells more.
 * @threads    any thread
 * @blocks     never
 * @ownership  the caller closes the tap with dtap_close()
 * @after      a failure leaves nothing behind
 * @since      0.1
 */
DTAP_API enum dtap_result
dtap_open(dtap_options *options, dtap **tap);

/**
 * Starts the writer thread, which opens the output.
 *
 * Succeeds even when the output cannot be opened yet: the writer tries again
 * with back-off, and events wait in the rings meanwhile.
 *
 * @param  tap  opened, not yet started; not NULL
 * @return DTAP_OK; DTAP_E_INVALID when @p tap is NULL; DTAP_E_STATE when it
 *         was started before; DTAP_E_FORK in a child of the process that
 *         opened it; DTAP_E_SYSTEM when no thread can be had
 * @threads    not concurrently with dtap_stop() or dtap_close()
 * @blocks     never
 * @ownership  nothing changes hands
 * @after      a failure leaves the tap opened
 * @since      0.1
 */
DTAP_API enum dtap_result
dtap_start(dtap *tap);

/**
 * Stops: takes no more events, delivers what it can, ends the stream.
 *
 * Drains the rings, writes STOP and waits for the peer's FINISH, or syncs
 * the file. What is left after the timeout stays undelivered and is counted
 * as lost_shutdown. A second call waits for the first and returns the same.
 *
 * @param  tap         not NULL
 * @param  timeout_ms  time for all of it, in milliseconds; 0 drains nothing
 *                     that would have to wait
 * @return DTAP_OK when everything was delivered and the stream ended;
 *         DTAP_E_TIMEOUT when time ran out first, or the output was down;
 *         DTAP_E_INVALID when @p tap is NULL; DTAP_E_STATE when it was never
 *         started; DTAP_E_FORK in a child
 * @threads    any thread; producers may go on submitting meanwhile
 * @blocks     up to @p timeout_ms plus 250 ms, whatever the peer does; a
 *             second call for as long as the first
 * @ownership  nothing changes hands
 * @after      the tap is stopped whatever the result, except INVALID, STATE
 *             and FORK
 * @since      0.1
 */
DTAP_API enum dtap_result
dtap_stop(dtap *tap, uint32_t timeout_ms);

/**
 * Gives up the tap and sets the pointer to NULL.
 *
 * A tap that still runs is stopped with a timeout of 2 s. Producers that are
 * still open stay valid; what they submit is counted as dropped_stopped.
 *
 * @param  tap  address of the pointer; NULL, or a pointer that is NULL, is
 *              allowed
 * @threads    not concurrently with any other call for the same tap but
 *             those of its producers
 * @blocks     not at all after dtap_stop(), else as dtap_stop()
 * @ownership  the tap is gone; memory that open producers need goes with the
 *             last of them
 * @after      cannot fail
 * @since      0.1
 */
DTAP_API void
dtap_close(dtap **tap);

/**
 * Changes options while the tap runs and producers submit.
 *
 * Only the options that the table marks as live can change: `identity`,
 * `version`, `extra`, `types`, `loss-report`, `sample-one-in`. Each producer
 * takes the new values with its next event.
 *
 * @param  tap      opened or started; not NULL
 * @param  options  a whole set; copied; not NULL
 * @return DTAP_OK; DTAP_E_INVALID when an argument is NULL; DTAP_E_CONFLICT
 *         when an option that is not live differs from the tap's;
 *         DTAP_E_STATE after dtap_stop(); DTAP_E_NOMEM; DTAP_E_FORK in a
 *         child
 * @threads    any thread
 * @blocks     for an RCU grace period: microseconds
 * @ownership  nothing changes hands
 * @after      a failure leaves the tap unchanged
 * @since      0.1
 */
DTAP_API enum dtap_result
dtap_reconfigure(dtap *tap, dtap_options *options);

/**
 * Asks the writer to finish the file or connection and open it anew.
 *
 * For files: STOP, fdatasync, and a new file; the old one is moved aside if
 * its name is the same. No frame is lost or split, and no producer waits.
 *
 * @param  tap  started; not NULL
 * @return DTAP_OK when the request was noted; DTAP_E_INVALID when @p tap is
 *         NULL; DTAP_E_STATE when it is not running; DTAP_E_FORK in a child
 * @threads    any thread
 * @blocks     never
 * @ownership  nothing changes hands
 * @after      a failure leaves the tap unchanged
 * @since      0.1
 */
DTAP_API enum dtap_result
dtap_reopen(dtap *tap);

/**
 * Opens a producer: the handle through which one thread submits.
 *
 * Call it once for each server thread. It allocates the ring, pre-faulted.
 * When `ring-memory-bytes` is reached the producer comes without a ring and
 * counts its events as dropped_no_ring.
 *
 * @param  tap       opened or started; not NULL
 * @param  producer  set to the producer, or to NULL on failure; not NULL
 * @return DTAP_OK; DTAP_E_INVALID when an argument is NULL; DTAP_E_NOMEM;
 *         DTAP_E_UNSUPPORTED when `ring-layout` is mirrored and the system
 *         has no such memory; DTAP_E_STOPPED after dtap_stop(); DTAP_E_FORK
 *         in a child
 * @threads    any thread; the producer may then be used by one other thread,
 *             whose first event after a dtap_reconfigure() makes it known to
 *             liburcu, once in its life: a short lock
 * @blocks     for memory allocation and a short lock
 * @ownership  the caller closes it with dtap_producer_close()
 * @after      a failure leaves nothing behind
 * @since      0.1
 */
DTAP_API enum dtap_result
dtap_producer_open(dtap *tap, dtap_producer **producer);

/**
 * Closes a producer and sets the pointer to NULL.
 *
 * What it has in its ring is still delivered; then the ring goes.
 *
 * @param  producer  address of the pointer; NULL, or a pointer that is NULL,
 *                   is allowed; never one from dtap_thread_producer()
 * @threads    not concurrently with a call for the same producer
 * @blocks     for a short lock
 * @ownership  the producer is gone
 * @after      cannot fail
 * @since      0.1
 */
DTAP_API void
dtap_producer_close(dtap_producer **producer);

/**
 * Gives the calling thread's own producer, and makes it at the first call.
 *
 * For servers whose threads come and go. The producer closes itself when the
 * thread exits.
 *
 * @param  tap  opened or started; not NULL
 * @return the producer; NULL when it could not be made (no memory, a stopped
 *         tap, a child process), which dtap_submit() and dtap_wants() accept
 * @threads    any thread; the result is for the calling thread alone
 * @blocks     the first call of a thread as dtap_producer_open(), later ones
 *             never
 * @ownership  borrowed; valid until the thread exits
 * @after      a failure leaves nothing behind
 * @since      0.1
 */
DTAP_API dtap_producer *
dtap_thread_producer(dtap *tap);

/**
 * Tells whether events of a type are wanted, before the event is filled.
 *
 * One load and a branch. The answer is a hint: dtap_submit() checks again.
 *
 * @param  producer  NULL means that nothing is wanted
 * @param  type      the type of the event
 * @return true when dtap_submit() would not filter the type out
 * @threads    the producer's thread
 * @blocks     never
 * @ownership  nothing changes hands
 * @after      cannot fail
 * @since      0.1
 */
DTAP_API bool
dtap_wants(const dtap_producer *producer, enum dtap_message_type type);

/**
 * Records one DNS message.
 *
 * Checks the event, encodes it into the producer's ring and publishes it.
 * Never blocks, locks, allocates or enters the kernel. Everything that the
 * event points to has been copied when the call returns. Whatever happens,
 * exactly one counter of the ledger tells.
 *
 * @param  producer  the thread's own; NULL gives DTAP_E_INVALID, uncounted
 * @param  event     what was seen; borrowed until the call returns; NULL
 *                   gives DTAP_E_INVALID, counted as dropped_invalid
 * @return DTAP_OK; DTAP_FILTERED when configuration does not want it;
 *         DTAP_E_INVALID when a field is not allowed; DTAP_E_TOO_BIG when it
 *         exceeds the limits in event.h or half the ring; DTAP_E_FULL when
 *         the ring has no room; DTAP_E_NO_RING; DTAP_E_STOPPED; DTAP_E_FORK
 * @threads    the producer's thread
 * @blocks     never
 * @ownership  the caller keeps the event
 * @after      a failure drops the whole event and leaves the ring unchanged
 * @since      0.1
 */
DTAP_API enum dtap_result
dtap_submit(dtap_producer *producer, const struct dtap_event *event);

/**
 * Records a Dnstap payload that is already encoded.
 *
 * For relays. The bytes are copied as they are, not parsed, filtered or
 * sampled, and get no report of loss.
 *
 * @param  producer  the thread's own; NULL gives DTAP_E_INVALID, uncounted
 * @param  payload   a serialised Dnstap message; not NULL; borrowed
 * @param  bytes     its length, 1 to DTAP_FRAME_BYTES_MAX
 * @return DTAP_OK; DTAP_E_INVALID when @p payload is NULL or @p bytes 0;
 *         DTAP_E_TOO_BIG; DTAP_E_FULL; DTAP_E_NO_RING; DTAP_E_STOPPED;
 *         DTAP_E_FORK
 * @threads    the producer's thread
 * @blocks     never
 * @ownership  the caller keeps the payload
 * @after      a failure drops the frame and leaves the ring unchanged
 * @since      0.1
 */
DTAP_API enum dtap_result
dtap_submit_frame(dtap_producer *producer, const void *payload, size_t bytes);

DTAP_END_DECLS

#endif
