/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker_threads.c: a server with a fixed set of threads. Each opens its own
 * producer when it begins and closes it at its end; nothing else is shared
 * than the tap.
 *
 *     worker_threads [OUTPUT]
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include <dnstap/dtap.h>

#define WORKERS 4
#define MESSAGES 500 /* of each worker */

/* The beginning of a DNS message will do here: nothing parses it. */
static const unsigned char query[12] = { 0xbe, 0xef, 1, 0, 0, 0 };

/* A server has the peer's address from recvmsg(). */
static void
saw_query(dtap_producer *producer, const struct sockaddr_in *peer)
{
	struct dtap_event event = DTAP_EVENT_INIT;

	if (!dtap_wants(producer, DTAP_CLIENT_QUERY))
		return; /* spares the work below */
	event.type = DTAP_CLIENT_QUERY;
	event.socket_protocol = DTAP_UDP;
	dtap_event_set_query_sockaddr(&event, (const struct sockaddr *)peer,
				      sizeof(*peer));
	event.query_time_sec = (uint64_t)time(NULL);
	event.query_message = query;
	event.query_message_bytes = sizeof(query);
	dtap_submit(producer, &event);
}

static void *
work(void *argument)
{
	dtap *tap = (dtap *)argument;
	struct sockaddr_in peer = { 0 };
	dtap_producer *producer;

	peer.sin_family = AF_INET;
	peer.sin_port = htons(53053);
	peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (dtap_producer_open(tap, &producer) != DTAP_OK)
		return NULL;
	for (int i = 0; i < MESSAGES; i++)
		saw_query(producer, &peer);
	dtap_producer_close(&producer); /* what it holds still arrives */
	return NULL;
}

int
main(int argc, char **argv)
{
	struct dtap_stats stats = DTAP_STATS_INIT;
	dtap_options *options = dtap_options_new();
	pthread_t workers[WORKERS];
	dtap *tap;

	dtap_options_set(options, "output",
			 argc > 1 ? argv[1] : "file:worker_threads.fstrm");
	if (dtap_open(options, &tap) != DTAP_OK || dtap_start(tap) != DTAP_OK)
		return 1;
	dtap_options_free(&options);
	for (int i = 0; i < WORKERS; i++)
		pthread_create(&workers[i], NULL, work, tap);
	for (int i = 0; i < WORKERS; i++)
		pthread_join(workers[i], NULL);
	dtap_stop(tap, 2000);
	dtap_stats_get(tap, &stats);
	dtap_close(&tap);
	return stats.confirmed == WORKERS * MESSAGES ? 0 : 1;
}
