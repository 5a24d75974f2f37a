/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forwarder_main.c: options, threads, signals.
 *
 * The order is that of every server: the tap is opened while there is an
 * operator to complain to and no thread yet; it is started when the process
 * has become what it will stay (there is no daemon() here, nor setuid()); each
 * thread opens its own producer; and it is stopped when the threads are gone.
 */
#include "forwarder.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define THREADS_MAX 64
#define STOP_MS 2000

static const char help[] =
"Usage: forwarder --listen ADDR:PORT --upstream ADDR:PORT [option ...]\n"
"Answers DNS queries by asking another server, over UDP and TCP.\n"
"\n"
"  -l, --listen ADDR:PORT    192.0.2.1:53 or [2001:db8::1]:53; repeatable.\n"
"                            An address of its own, not 0.0.0.0 or ::, so\n"
"                            that answers leave from where they were asked\n"
"  -u, --upstream ADDR:PORT  whom to ask\n"
"  -t, --threads N           1 to 64; 1 unless told\n"
"      --timeout MS          of the upstream's answer; 2000 unless told\n"
"      --dnstap URI          file:PATH, unix:PATH or tcp:ADDR:PORT\n"
"      --set NAME=VALUE      an option of dtap-options(7); repeatable\n"
"  -h, --help                this text\n"
"\n"
"SIGTERM and SIGINT end it; SIGHUP begins a new dnstap file or connection.\n";

struct thread {
	pthread_t thread;
	struct worker worker;
	const struct settings *settings;
	dtap *tap;
	int ending;
	int status;
};

static _Noreturn void
fail(const char *what, const char *why)
{
	fprintf(stderr, "forwarder: %s: %s\n", what, why);
	exit(2);
}

/* ADDR:PORT or [ADDR]:PORT, numbers only. */
static struct address
read_address(const char *text)
{
	struct address address = { .bytes = 0 };
	struct sockaddr_in *four = (struct sockaddr_in *)&address.sockaddr;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&address.sockaddr;
	char host[INET6_ADDRSTRLEN];
	unsigned int port;
	int end = 0;

	if (sscanf(text, "[%45[0-9a-fA-F:.]]:%5u%n", host, &port, &end) == 2 &&
	    text[end] == '\0' && port > 0 && port < 65536 &&
	    inet_pton(AF_INET6, host, &six->sin6_addr) == 1 &&
	    !IN6_IS_ADDR_UNSPECIFIED(&six->sin6_addr)) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons((uint16_t)port);
		address.bytes = sizeof(*six);
	} else if (sscanf(text, "%15[0-9.]:%5u%n", host, &port, &end) == 2 &&
		   text[end] == '\0' && port > 0 && port < 65536 &&
		   inet_pton(AF_INET, host, &four->sin_addr) == 1 &&
		   four->sin_addr.s_addr != INADDR_ANY) {
		four->sin_family = AF_INET;
		four->sin_port = htons((uint16_t)port);
		address.bytes = sizeof(*four);
	} else {
		fail(text, "not ADDR:PORT");
	}
	return address;
}

static uint32_t
read_number(const char *text, uint32_t max)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0' || number < 1 ||
	    number > max)
		fail(text, "not a number in the limits");
	return (uint32_t)number;
}

static void
set_option(dtap_options *options, const char *name, const char *value)
{
	if (dtap_options_set(options, name, value) != DTAP_OK)
		fail("dnstap", dtap_options_error(options));
}

static void
set_text(dtap_options *options, char *text)
{
	char *value = strchr(text, '=');

	if (value == NULL)
		fail(text, "not NAME=VALUE");
	*value = '\0';
	set_option(options, text, value + 1);
}

/* Returns the number of threads. */
static uint32_t
read_options(int argc, char **argv, struct settings *settings,
	     dtap_options *options, bool *dnstap)
{
	static const struct option names[] = {
		{ "listen", required_argument, NULL, 'l' },
		{ "upstream", required_argument, NULL, 'u' },
		{ "threads", required_argument, NULL, 't' },
		{ "timeout", required_argument, NULL, 'm' },
		{ "dnstap", required_argument, NULL, 'd' },
		{ "set", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	uint32_t threads = 1;
	int option;

	while ((option = getopt_long(argc, argv, "l:u:t:h", names,
				     NULL)) >= 0) {
		switch (option) {
		case 'l':
			if (settings->listen_count == LISTENERS_MAX / 2)
				fail(optarg, "too many addresses");
			settings->listen[settings->listen_count++] =
				read_address(optarg);
			break;
		case 'u': settings->upstream = read_address(optarg); break;
		case 't': threads = read_number(optarg, THREADS_MAX); break;
		case 'm':
			settings->timeout_ms = read_number(optarg, 60000);
			break;
		case 'd':
			set_option(options, "output", optarg);
			*dnstap = true;
			break;
		case 's': set_text(options, optarg); break;
		case 'h': fputs(help, stdout); exit(0);
		default: fputs(help, stderr); exit(2);
		}
	}
	if (optind < argc || settings->listen_count == 0 ||
	    settings->upstream.bytes == 0) {
		fputs(help, stderr);
		exit(2);
	}
	return threads;
}

static void
log_dnstap(void *user, enum dtap_log_level level, const char *text)
{
	(void)user;
	(void)level;
	fprintf(stderr, "dnstap: %s\n", text);
}

/* NULL when nobody asked for dnstap. */
static dtap *
open_tap(dtap_options *options, bool wanted)
{
	dtap *tap = NULL;

	dtap_options_set_log(options, log_dnstap, NULL);
	if (wanted && dtap_open(options, &tap) != DTAP_OK)
		fail("dnstap", dtap_options_error(options));
	/* A server without its log is better than no server. */
	if (wanted && dtap_start(tap) != DTAP_OK)
		fprintf(stderr, "forwarder: dnstap does not start\n");
	return tap;
}

static void
close_tap(dtap *tap)
{
	struct dtap_stats stats = DTAP_STATS_INIT;

	if (tap == NULL)
		return;
	dtap_stop(tap, STOP_MS);
	dtap_stats_get(tap, &stats);
	printf("dnstap: %llu submitted, %llu written, %llu lost\n",
	       (unsigned long long)stats.submitted,
	       (unsigned long long)stats.written,
	       (unsigned long long)(stats.submitted - stats.written -
				    stats.filtered - stats.sampled_out));
	dtap_close(&tap);
}

static void *
run_thread(void *argument)
{
	struct thread *thread = argument;

	thread->status = worker_run(&thread->worker, thread->settings,
				    thread->tap, thread->ending);
	if (thread->status != 0) {
		fprintf(stderr, "forwarder: cannot listen: %s\n",
			strerror(errno));
		kill(getpid(), SIGTERM);
	}
	return NULL;
}

static void
wait_for_the_end(const sigset_t *signals, dtap *tap)
{
	int signal;

	while (sigwait(signals, &signal) != 0 || signal == SIGHUP)
		if (tap != NULL)
			dtap_reopen(tap);
}

int
main(int argc, char **argv)
{
	static struct thread threads[THREADS_MAX];
	struct settings settings = { .timeout_ms = 2000, .idle_ms = 10000 };
	dtap_options *options = dtap_options_new();
	bool dnstap = false;
	uint32_t count = read_options(argc, argv, &settings, options, &dnstap);
	int status = 0;
	sigset_t signals;
	int ending[2];
	dtap *tap;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	tap = open_tap(options, dnstap);
	dtap_options_free(&options);
	if (pipe(ending) != 0)
		fail("pipe", strerror(errno));
	for (uint32_t i = 0; i < count; i++) {
		threads[i].settings = &settings;
		threads[i].tap = tap;
		threads[i].ending = ending[0];
		if (pthread_create(&threads[i].thread, NULL, run_thread,
				   &threads[i]) != 0)
			fail("threads", "there is no room for them");
	}
	wait_for_the_end(&signals, tap);
	close(ending[1]);
	for (uint32_t i = 0; i < count; i++) {
		pthread_join(threads[i].thread, NULL);
		status |= threads[i].status;
	}
	close_tap(tap);
	close(ending[0]);
	return status == 0 ? 0 : 1;
}
