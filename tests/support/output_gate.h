/* SPDX-License-Identifier: Apache-2.0 */
/*
 * output_gate.h: an output that takes everything at once and keeps nothing,
 * and whose open hangs while the gate is shut, as on a dead file system.
 */
#ifndef DTAP_TESTS_OUTPUT_GATE_H
#define DTAP_TESTS_OUTPUT_GATE_H

#include <stdbool.h>

#include <dnstap/dtap.h>

#include "base/atomic.h"
#include "output/output.h"

struct output_gate {
	struct dtap__output output;
	dtap__atomic(bool) shut;
	dtap__atomic(bool) freed;
};

/* Opens and starts a tap on the gate; whatever output the options name. */
dtap *
output_gate_start(struct output_gate *gate, bool shut, dtap_options *options);

void
output_gate_unlock(struct output_gate *gate);

/* The tap, and with it the writer thread, is done with the gate. */
bool
output_gate_is_freed(const struct output_gate *gate);

#endif
