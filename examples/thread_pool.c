/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thread_pool.c: a server whose threads come and go. Nobody opens or closes
 * producers: dtap_thread_producer() makes one at a thread's first message,
 * and it is gone when the thread is.
 *
 *     thread_pool [OUTPUT]
 */
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include <dnstap/dtap.h>

#define GENERATIONS 5
#define THREADS 3   /* at a time */
#define MESSAGES 20 /* of each thread */

static const unsigned char response[12] = { 0xbe, 0xef, 0x81, 0x80, 0, 0 };

static void *
serve(void *argument)
{
	dtap *tap = (dtap *)argument;

	for (int i = 0; i < MESSAGES; i++) {
		struct dtap_event event = DTAP_EVENT_INIT;

		event.type = DTAP_CLIENT_RESPONSE;
		event.socket_protocol = DTAP_DOT;
		event.response_time_sec = (uint64_t)time(NULL);
		event.response_message = response;
		event.response_message_bytes = sizeof(response);
		/* NULL, if there is no memory or no tap any more, will do. */
		dtap_submit(dtap_thread_producer(tap), &event);
	}
	return NULL;
}

int
main(int argc, char **argv)
{
	struct dtap_stats stats = DTAP_STATS_INIT;
	dtap_options *options = dtap_options_new();
	pthread_t threads[THREADS];
	dtap *tap;

	dtap_options_set(options, "output",
			 argc > 1 ? argv[1] : "file:thread_pool.fstrm");
	if (dtap_open(options, &tap) != DTAP_OK || dtap_start(tap) != DTAP_OK)
		return 1;
	dtap_options_free(&options);
	for (int i = 0; i < GENERATIONS; i++) {
		for (int k = 0; k < THREADS; k++)
			pthread_create(&threads[k], NULL, serve, tap);
		for (int k = 0; k < THREADS; k++)
			pthread_join(threads[k], NULL);
	}
	dtap_stop(tap, 2000);
	dtap_stats_get(tap, &stats);
	dtap_close(&tap);
	printf("confirmed %llu, producers left %llu\n",
	       (unsigned long long)stats.confirmed,
	       (unsigned long long)stats.producers);
	return stats.confirmed == GENERATIONS * THREADS * MESSAGES &&
			       stats.producers == 0
		       ? 0
		       : 1;
}
