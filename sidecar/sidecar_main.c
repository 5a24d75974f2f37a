/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sidecar_main.c: dtap-sidecar.
 *
 * In this order: attach to the kernel and open what needs privileges, drop
 * these, start libdtap's writer, and then let one thread wait for packets,
 * for signals and for those who want to know the counters. The end detaches
 * first, so that the traffic goes on without us, and then hands on what is
 * left.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <dnstap/dtap.h>

#include "sidecar/capture.h"
#include "sidecar/metrics_serve.h"
#include "sidecar/pipeline.h"
#include "sidecar/privileges.h"
#include "sidecar/sidecar_options.h"

#define STOP_MS 5000
#define STATUS_KERNEL 3
/* Each packet takes more of the ring. */
#define RING_PACKET_BYTES 128

enum { WATCH_CAPTURE, WATCH_SIGNALS, WATCH_METRICS, WATCHES };

struct sidecar {
	struct sidecar_options options;
	struct pipeline *pipeline;
	struct capture *capture;
	struct metrics_server *server;
	dtap *tap;
	dtap_producer *producer;
	int signals;
	bool ending;
	bool broken;
	bool mute; /* standard output takes no more */
};

static void
on_log(void *user, enum dtap_log_level level, const char *text)
{
	(void)user;
	(void)level;
	fprintf(stderr, "dtap-sidecar: %s\n", text);
}

static void
count_all(struct sidecar *sidecar, struct metrics_view *view)
{
	memset(view, 0, sizeof(*view));
	view->stats = (struct dtap_stats)DTAP_STATS_INIT;
	if (sidecar->tap != NULL)
		dtap_stats_get(sidecar->tap, &view->stats);
	if (sidecar->capture != NULL)
		capture_count(sidecar->capture, &view->capture);
	pipeline_count(sidecar->pipeline, view);
}

static size_t
write_metrics(void *user, char text[METRICS_TEXT_BYTES])
{
	struct metrics_view view;

	count_all(user, &view);
	return metrics_text(&view, text);
}

static void
print_metrics(struct sidecar *sidecar)
{
	static char text[METRICS_TEXT_BYTES];

	fwrite(text, 1, write_metrics(sidecar, text), stderr);
}

static bool
open_signals(struct sidecar *sidecar)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR2);
	signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return false;
	sidecar->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return sidecar->signals >= 0;
}

static void
take_signals(struct sidecar *sidecar)
{
	struct signalfd_siginfo got;

	while (read(sidecar->signals, &got, sizeof(got)) ==
	       (ssize_t)sizeof(got)) {
		if (got.ssi_signo == SIGUSR2) {
			print_metrics(sidecar);
		} else if (got.ssi_signo != SIGHUP) {
			sidecar->ending = true;
			pipeline_hurry(sidecar->pipeline);
		} else if (sidecar->tap != NULL) {
			dtap_reopen(sidecar->tap);
		}
	}
}

/* What needs privileges. The exit status; 0 to go on. */
static int
begin_privileged(struct sidecar *sidecar)
{
	const struct sidecar_options *options = &sidecar->options;
	char reason[CAPTURE_REASON_BYTES];
	const char *why;

	dtap_options_set_log(options->tap, on_log, NULL);
	if (options->has_output &&
	    dtap_open(options->tap, &sidecar->tap) != DTAP_OK) {
		fprintf(stderr, "dtap-sidecar: %s\n",
			dtap_options_error(options->tap));
		return 2;
	}
	sidecar->pipeline = pipeline_new(options);
	if (sidecar->pipeline == NULL || !open_signals(sidecar)) {
		fputs("dtap-sidecar: out of memory or descriptors\n", stderr);
		return EXIT_FAILURE;
	}
	if (options->metrics != NULL) {
		sidecar->server = metrics_serve(options->metrics, write_metrics,
						sidecar, &why);
		if (sidecar->server == NULL) {
			fprintf(stderr, "dtap-sidecar: --metrics %s: %s\n",
				options->metrics, why);
			return 2;
		}
	}
	if (!capture_open(&options->capture, pipeline_packet,
			  sidecar->pipeline, &sidecar->capture, reason)) {
		fprintf(stderr, "dtap-sidecar: %s\n", reason);
		return STATUS_KERNEL;
	}
	if (reason[0] != '\0')
		fprintf(stderr, "dtap-sidecar: %s\n", reason);
	return 0;
}

/* The rest, without privileges. */
static int
begin(struct sidecar *sidecar)
{
	char reason[CAPTURE_REASON_BYTES];

	if (!privileges_drop(sidecar->options.user, reason, sizeof(reason))) {
		fprintf(stderr, "dtap-sidecar: cannot drop privileges: %s\n",
			reason);
		return EXIT_FAILURE;
	}
	if (sidecar->tap == NULL)
		return 0;
	if (dtap_start(sidecar->tap) != DTAP_OK ||
	    dtap_producer_open(sidecar->tap, &sidecar->producer) != DTAP_OK) {
		fputs("dtap-sidecar: the output cannot be started\n", stderr);
		return EXIT_FAILURE;
	}
	pipeline_connect(sidecar->pipeline, sidecar->producer);
	return 0;
}

/* Hands on all that came before the end: no more than the ring holds, in case
 * that the kernel goes on. */
static void
finish(struct sidecar *sidecar)
{
	uint64_t most = sidecar->options.capture.ring_bytes / RING_PACKET_BYTES;
	struct capture_counters counters;
	uint64_t taken;

	pipeline_hurry(sidecar->pipeline);
	capture_detach(sidecar->capture);
	capture_count(sidecar->capture, &counters);
	most += counters.taken;
	do {
		taken = counters.taken;
		if (!capture_drain(sidecar->capture))
			break;
		capture_count(sidecar->capture, &counters);
	} while (counters.taken != taken && counters.taken < most);
	pipeline_flush(sidecar->pipeline);
}

/* Without readers there are no lines; without frames besides, there is
 * nothing left to do. That `dtap-sidecar --print | head` ends is no trouble. */
static void
check_lines(struct sidecar *sidecar)
{
	int error = pipeline_print_error(sidecar->pipeline);

	if (error == 0 || sidecar->mute)
		return;
	sidecar->mute = true;
	if (sidecar->tap == NULL) {
		sidecar->ending = true;
		if (error == EPIPE)
			return;
	}
	fprintf(stderr, "dtap-sidecar: standard output takes no more: %s\n",
		strerror(error));
	sidecar->broken = true;
}

static void
serve(struct sidecar *sidecar)
{
	struct pollfd watches[WATCHES] = {
		[WATCH_CAPTURE] = { capture_descriptor(sidecar->capture),
				    POLLIN, 0 },
		[WATCH_SIGNALS] = { sidecar->signals, POLLIN, 0 },
		[WATCH_METRICS] = { metrics_serve_descriptor(sidecar->server),
				    POLLIN, 0 },
	};

	fprintf(stderr, "dtap-sidecar: captures %s\n",
		capture_kind(sidecar->capture) == CAPTURE_CGROUP
			? "at sockets"
			: "on interfaces");
	while (!sidecar->ending) {
		poll(watches, WATCHES, pipeline_expire(sidecar->pipeline));
		take_signals(sidecar);
		if (!capture_drain(sidecar->capture)) {
			fprintf(stderr, "dtap-sidecar: %s\n",
				errno == ENOENT ? "the cgroup is gone"
						: "the capture is broken");
			sidecar->broken = sidecar->ending = true;
		}
		metrics_serve_run(sidecar->server);
		check_lines(sidecar);
	}
	finish(sidecar);
	check_lines(sidecar);
}

static void
print_end(struct sidecar *sidecar)
{
	struct metrics_view view;

	count_all(sidecar, &view);
	fprintf(stderr,
		"dtap-sidecar: %llu packets, %llu lost in the kernel; "
		"%llu queries, %llu responses; "
		"%llu frames written, %llu lost\n",
		(unsigned long long)view.capture.taken,
		(unsigned long long)(view.capture.lost_kernel +
				     view.capture.lost_short),
		(unsigned long long)view.exchange.queries,
		(unsigned long long)view.exchange.responses,
		(unsigned long long)view.stats.written,
		(unsigned long long)(view.stats.submitted -
				     view.stats.written -
				     view.stats.filtered -
				     view.stats.sampled_out));
}

static void
end(struct sidecar *sidecar)
{
	metrics_serve_end(&sidecar->server);
	dtap_producer_close(&sidecar->producer);
	if (sidecar->tap != NULL)
		dtap_stop(sidecar->tap, STOP_MS);
	if (sidecar->capture != NULL && sidecar->pipeline != NULL)
		print_end(sidecar);
	capture_close(&sidecar->capture);
	dtap_close(&sidecar->tap);
	pipeline_free(&sidecar->pipeline);
	if (sidecar->signals >= 0)
		close(sidecar->signals);
}

static int
run(struct sidecar *sidecar)
{
	int status = begin_privileged(sidecar);

	if (status == 0)
		status = begin(sidecar);
	if (status == 0) {
		serve(sidecar);
		status = sidecar->broken ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	end(sidecar);
	return status;
}

static void
print_hook(void *user, const char *hook, const char *purpose,
	   const char *verdict)
{
	(void)user;
	printf("%-28s %-44s %s\n", hook, purpose, verdict);
}

int
main(int argc, char **argv)
{
	struct sidecar sidecar = { .signals = -1 };
	int status = EXIT_SUCCESS;

	switch (sidecar_options_parse(&sidecar.options, argc, argv)) {
	case SIDECAR_RUN: status = run(&sidecar); break;
	case SIDECAR_LIST_HOOKS: capture_list_hooks(print_hook, NULL); break;
	case SIDECAR_DONE: break;
	case SIDECAR_USAGE: status = 2; break;
	}
	sidecar_options_free(&sidecar.options);
	return fflush(stdout) == 0 ? status : EXIT_FAILURE;
}
