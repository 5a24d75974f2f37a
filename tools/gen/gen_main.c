/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_main.c: dtap-gen, a load generator for collectors and for tests.
 *
 * Opens a tap from the command line, lets gen_run.c submit, stops, and prints
 * the ledger as one line of name=value pairs on standard output. Log lines
 * of the library go to standard error.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dnstap/dtap.h>

#include "gen_options.h"
#include "gen_run.h"

static void
gen_on_signal(int number)
{
	(void)number;
	gen_run_interrupt();
}

static void
gen_catch_signals(void)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = gen_on_signal;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static void
gen_on_log(void *user, enum dtap_log_level level, const char *text)
{
	(void)user;
	(void)level;
	fprintf(stderr, "%s\n", text);
}

static void
gen_print_pair(const char *name, uint64_t value)
{
	printf("%s=%llu ", name, (unsigned long long)value);
}

static void
gen_print_ledger(const struct dtap_stats *s, double seconds)
{
	gen_print_pair("submitted", s->submitted);
	gen_print_pair("accepted", s->accepted);
	gen_print_pair("filtered", s->filtered);
	gen_print_pair("sampled_out", s->sampled_out);
	gen_print_pair("dropped_invalid", s->dropped_invalid);
	gen_print_pair("dropped_too_big", s->dropped_too_big);
	gen_print_pair("dropped_full", s->dropped_full);
	gen_print_pair("dropped_no_ring", s->dropped_no_ring);
	gen_print_pair("dropped_fork", s->dropped_fork);
	gen_print_pair("dropped_stopped", s->dropped_stopped);
	gen_print_pair("written", s->written);
	gen_print_pair("lost_io", s->lost_io);
	gen_print_pair("lost_shutdown", s->lost_shutdown);
	gen_print_pair("in_ring", s->in_ring);
	gen_print_pair("confirmed", s->confirmed);
	gen_print_pair("unconfirmed", s->unconfirmed);
	gen_print_pair("written_bytes", s->written_bytes);
	gen_print_pair("sessions", s->sessions);
	gen_print_pair("broken_sessions", s->broken_sessions);
	gen_print_pair("open_failures", s->open_failures);
	gen_print_pair("rotations", s->rotations);
	printf("seconds=%.3f events_per_s=%.0f\n", seconds,
	       seconds > 0 ? (double)s->submitted / seconds : 0.0);
}

/* The whole life of the tap. Exit status. */
static int
gen_generate(const struct gen_options *options)
{
	struct dtap_stats stats = DTAP_STATS_INIT;
	enum dtap_result result;
	double seconds = 0;
	bool ran;
	dtap *tap;

	if (dtap_open(options->tap, &tap) != DTAP_OK) {
		fprintf(stderr, "dtap-gen: %s\n",
			dtap_options_error(options->tap));
		return 2;
	}
	result = dtap_start(tap);
	if (result != DTAP_OK) {
		fprintf(stderr, "dtap-gen: %s\n", dtap_result_text(result));
		dtap_close(&tap);
		return EXIT_FAILURE;
	}
	ran = gen_run(options, tap, &seconds);
	if (!ran)
		fputs("dtap-gen: a thread could not be started\n", stderr);
	dtap_stop(tap, (uint32_t)options->stop_timeout_ms);
	dtap_stats_get(tap, &stats);
	gen_print_ledger(&stats, seconds);
	dtap_close(&tap);
	return ran && stats.in_ring == 0 && dtap_stats_balanced(&stats)
		       ? EXIT_SUCCESS
		       : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	struct gen_options options;
	int status = EXIT_SUCCESS;

	switch (gen_options_parse(&options, argc, argv)) {
	case GEN_RUN:
		dtap_options_set_log(options.tap, gen_on_log, NULL);
		gen_catch_signals();
		status = gen_generate(&options);
		break;
	case GEN_DONE:
		break;
	case GEN_USAGE:
		status = 2;
		break;
	}
	dtap_options_free(&options.tap);
	return fflush(stdout) == 0 ? status : EXIT_FAILURE;
}
