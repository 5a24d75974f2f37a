/* SPDX-License-Identifier: Apache-2.0 */
/*
 * start_daemon.c: what belongs before fork(), and what after it. The parent
 * opens the tap, so that a mistake in the configuration is seen where the
 * operator looks; the child starts it, because a thread and a file do not
 * survive what daemons do: fork, setsid, chdir, chroot, setuid.
 *
 *     start_daemon [OUTPUT]    with an absolute path: the daemon works in /
 */
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <dnstap/dtap.h>

static const unsigned char header[12] = { 0xbe, 0xef, 0, 0, 0, 0 };

/* The daemon's life; its exit status. */
static int
run(dtap *tap)
{
	struct dtap_event event = DTAP_EVENT_INIT;
	struct dtap_stats stats = DTAP_STATS_INIT;
	dtap_producer *producer;

	if (setsid() < 0 || chdir("/") != 0)
		return 1;
	if (dtap_start(tap) != DTAP_OK ||
	    dtap_producer_open(tap, &producer) != DTAP_OK)
		return 1;
	event.type = DTAP_AUTH_QUERY;
	event.query_time_sec = (uint64_t)time(NULL);
	event.query_message = header;
	event.query_message_bytes = sizeof(header);
	dtap_submit(producer, &event);

	dtap_producer_close(&producer);
	dtap_stop(tap, 2000);
	dtap_stats_get(tap, &stats);
	dtap_close(&tap);
	return stats.confirmed == 1 ? 0 : 1;
}

int
main(int argc, char **argv)
{
	const char *output =
		argc > 1 ? argv[1] : "file:/tmp/start_daemon.fstrm";
	dtap_options *options = dtap_options_new();
	int status = 1;
	pid_t child;
	dtap *tap;

	if (dtap_options_set(options, "output", output) != DTAP_OK ||
	    dtap_open(options, &tap) != DTAP_OK) {
		fprintf(stderr, "%s\n", dtap_options_error(options));
		return 1;
	}
	dtap_options_free(&options);

	child = fork();
	if (child == 0)
		return run(tap);
	dtap_close(&tap); /* the parent's copy; it was never started */
	/* A real server would leave here. */
	return child < 0 || waitpid(child, &status, 0) != child || status != 0;
}
