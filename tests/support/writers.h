/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writers.h: a writer, a ring of numbered frames and an output that misbehaves
 * on demand. Time is a number that the test moves; nothing here sleeps.
 */
#ifndef DTAP_TESTS_WRITERS_H
#define DTAP_TESTS_WRITERS_H

#include <string.h>

#include "base/clock.h"
#include "frame/frame_control.h"
#include "output/output_memory.h"
#include "support/support.h"
#include "writer/writer_phase.h"

#define CAPACITY_BYTES ((size_t)1 << 20)

struct fixture {
	struct dtap__ring_set set;
	struct dtap__ring_node *node;
	struct dtap__log log;
	struct dtap__output *output;
	struct dtap__output_ops ops; /* the output's, for tests to change */
	struct dtap__writer writer;
	uint64_t now_ns;
	unsigned int frames; /* put so far */
	uint8_t accept[DTAP__CONTROL_WRITTEN_MAX];
	uint8_t finish[DTAP__CONTROL_WRITTEN_MAX];
	struct dtap__memory_reply replies[4];
};

static const struct dtap__writer_config config = {
	.where = "memory",
	.bidirectional = true,
	.latency_ms = 10,
	.connect_timeout_ms = 1000,
	.handshake_timeout_ms = 1000,
	.write_timeout_ms = 1000,
	.reconnect_min_ms = 50,
	.reconnect_max_ms = 400,
};

static inline void
fixture_init(struct fixture *f, const struct dtap__memory_script *script)
{
	dtap__log_init(&f->log, NULL, NULL);
	dtap__ring_set_init(&f->set, UINT64_C(1) << 30);
	ck_assert_int_eq(dtap__ring_set_add(&f->set, DTAP__RING_BYTES_MIN,
					    DTAP__RING_AUTO, &f->node),
			 DTAP_OK);
	f->output = dtap__output_memory_new(CAPACITY_BYTES, script);
	ck_assert_ptr_nonnull(f->output);
	f->ops = *f->output->ops;
	f->output->ops = &f->ops;
	dtap__writer_init(&f->writer, &config, &f->set, f->output, &f->log);
	f->now_ns = DTAP__NS_PER_SEC;
	f->frames = 0;
}

static inline void
fixture_fini(struct fixture *f)
{
	f->output->ops->free(f->output);
	dtap__ring_retire(f->node);
	dtap__ring_set_fini(&f->set);
	dtap__log_fini(&f->log);
}

/* A frame whose payload is its number. */
static inline void
put_frame(struct fixture *f)
{
	uint8_t *slot = dtap__ring_reserve(&f->node->ring, 8);

	ck_assert_ptr_nonnull(slot);
	memset(slot, 0, 3);
	slot[3] = 4;
	memcpy(slot + 4, &f->frames, 4);
	f->frames++;
	dtap__ring_commit(&f->node->ring, 8);
}

static inline bool
step(struct fixture *f)
{
	return dtap__writer_step(&f->writer, f->now_ns);
}

static inline void
advance_ms(struct fixture *f, uint64_t ms)
{
	f->now_ns += ms * DTAP__NS_PER_MS;
}

/* Steps until the writer has ended, moving time; true if it did. */
static inline bool
run_out(struct fixture *f, int rounds)
{
	while (rounds-- > 0) {
		if (!step(f))
			return true;
		advance_ms(f, 1);
	}
	return false;
}

static inline uint64_t
written(const struct fixture *f)
{
	return dtap__load_relaxed(&f->writer.ledger.written);
}

static inline uint64_t
confirmed(const struct fixture *f)
{
	return dtap__load_relaxed(&f->writer.ledger.confirmed);
}

/* Skips the control frame that must be at *at. */
static inline void
expect_control(const uint8_t *octets, size_t bytes, size_t *at,
	       enum dtap__control_type type)
{
	uint8_t expected[DTAP__CONTROL_WRITTEN_MAX];
	size_t length = dtap__control_write(expected, type);

	ck_assert_uint_le(*at + length, bytes);
	ck_assert_mem_eq(octets + *at, expected, length);
	*at += length;
}

/* The data frames from *at on must be numbers first, first + 1 ... */
static inline unsigned int
expect_frames(const uint8_t *octets, size_t bytes, size_t *at,
	      unsigned int first)
{
	while (*at + 8 <= bytes && octets[*at + 3] == 4) {
		unsigned int number;

		memcpy(&number, octets + *at + 4, 4);
		ck_assert_uint_eq(number, first);
		first++;
		*at += 8;
	}
	return first;
}

/* Answers READY with ACCEPT, and the end of everything with FINISH. */
static inline void
script_peer(struct fixture *f, struct dtap__memory_script *script,
	    size_t stream_bytes)
{
	size_t accept_bytes = dtap__control_write(f->accept,
						  DTAP__CONTROL_ACCEPT);
	size_t finish_bytes = dtap__control_write(f->finish,
						  DTAP__CONTROL_FINISH);
	uint8_t ready[DTAP__CONTROL_WRITTEN_MAX];
	size_t ready_bytes = dtap__control_write(ready, DTAP__CONTROL_READY);

	f->replies[0] = (struct dtap__memory_reply){ ready_bytes, f->accept,
						     accept_bytes };
	f->replies[1] = (struct dtap__memory_reply){
		ready_bytes + stream_bytes, f->finish, finish_bytes
	};
	script->readable = true;
	script->replies = f->replies;
	script->reply_count = stream_bytes > 0 ? 2 : 1;
}

/* Octets of START, frames of 8 octets, and STOP. */
static inline size_t
stream_bytes(unsigned int frames)
{
	uint8_t control[DTAP__CONTROL_WRITTEN_MAX];

	return dtap__control_write(control, DTAP__CONTROL_START) +
	       dtap__control_write(control, DTAP__CONTROL_STOP) +
	       8 * (size_t)frames;
}

#endif
