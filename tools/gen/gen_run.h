/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_run.h: threads that submit events at a rate, for a count or a time.
 *
 * Threads: one run at a time.
 */
#ifndef DTAP_GEN_RUN_H
#define DTAP_GEN_RUN_H

#include <dnstap/dtap.h>

#include "gen_options.h"

/*
 * Runs all threads to their end. *seconds is set to how long they submitted.
 * False when a thread could not be started; what ran has ended all the same.
 */
bool
gen_run(const struct gen_options *options, dtap *tap, double *seconds);

/* Makes the threads end early; async-signal-safe. */
void
gen_run_interrupt(void);

#endif
