/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit.c: see audit.h.
 */
#include "support/audit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <dnstap/reader.h>

/* Where the query name is: behind a DNS header and the length of a label. */
#define AUDIT_LABEL 13
#define AUDIT_LABEL_BYTES 19

static bool
audit_fail(struct audit *audit, const char *path, const char *why)
{
	snprintf(audit->error, sizeof(audit->error), "%s: %s", path, why);
	return false;
}

/* The losses that a frame's extra tells of; 0 for none. */
static uint64_t
audit_told(const struct dtap_message *message)
{
	static const char key[] = "dtap.lost=";
	char text[2048];
	const char *at;

	snprintf(text, sizeof(text), "%.*s", (int)message->extra.bytes,
		 (const char *)message->extra.data);
	at = strstr(text, key);
	return at == NULL ? 0 : strtoull(at + strlen(key), NULL, 10);
}

/* Notes an event; false without memory. */
static bool
audit_note(struct audit *audit, struct audit_thread *thread, uint64_t sequence)
{
	uint8_t bit = (uint8_t)(1 << sequence % 8);
	size_t at = (size_t)(sequence / 8);

	if (at >= thread->seen_bytes) {
		size_t bytes = 2 * at + 4096;
		uint8_t *seen = realloc(thread->seen, bytes);

		if (seen == NULL)
			return false;
		memset(seen + thread->seen_bytes, 0,
		       bytes - thread->seen_bytes);
		thread->seen = seen;
		thread->seen_bytes = bytes;
	}
	audit->frames++;
	audit->late += sequence < thread->end;
	if (thread->seen[at] & bit)
		audit->repeated++;
	else if (sequence < thread->end)
		audit->missing--;
	if (sequence >= thread->end) {
		audit->missing += sequence - thread->end;
		thread->end = sequence + 1;
	}
	thread->seen[at] |= bit;
	return true;
}

static bool
audit_count(struct audit *audit, const struct dtap_message *message)
{
	const struct dtap_event *event = &message->event;
	const uint8_t *wire = event->query_message;
	size_t bytes = event->query_message_bytes;
	char label[AUDIT_LABEL_BYTES + 1] = "";
	unsigned int thread;
	uint64_t sequence;

	if (wire == NULL) {
		wire = event->response_message;
		bytes = event->response_message_bytes;
	}
	if (wire == NULL || bytes < AUDIT_LABEL + AUDIT_LABEL_BYTES)
		return false;
	memcpy(label, wire + AUDIT_LABEL, AUDIT_LABEL_BYTES);
	if (sscanf(label, "t%4x-s%12" SCNx64, &thread, &sequence) != 2 ||
	    thread >= AUDIT_THREADS)
		return false;
	if (audit->names != NULL)
		fprintf(audit->names, "%s\n", label);
	audit->told += audit_told(message);
	return audit_note(audit, &audit->threads[thread], sequence);
}

static bool
audit_frame(struct audit *audit, const char *path,
	    const struct dtap_frame *frame)
{
	struct dtap_message message = DTAP_MESSAGE_INIT;

	if (frame->kind != DTAP_FRAME_DATA)
		return true;
	if (dtap_message_decode(frame->data, frame->bytes, &message) != DTAP_OK)
		return audit_fail(audit, path, "a frame is no dnstap message");
	if (!audit_count(audit, &message))
		return audit_fail(audit, path, "an event is not dtap-gen's");
	return true;
}

static bool
audit_octets(struct audit *audit, const char *path, dtap_reader *reader,
	     const uint8_t *octets, size_t bytes)
{
	enum dtap_result result = DTAP_OK;
	struct dtap_frame frame;
	size_t consumed;
	size_t reply;

	while (result == DTAP_OK) {
		result = dtap_reader_next(reader, octets, bytes, &consumed,
					  &frame);
		octets += consumed;
		bytes -= consumed;
		dtap_reader_reply(reader, &reply);
		if (result == DTAP_OK && !audit_frame(audit, path, &frame))
			return false;
	}
	result = dtap_reader_finish(reader, bytes);
	audit->streams++;
	audit->stops += result == DTAP_OK;
	audit->cut += result == DTAP_E_TRUNCATED;
	audit->torn += result == DTAP_E_TRUNCATED && bytes > 0;
	if (result != DTAP_OK && result != DTAP_E_TRUNCATED)
		return audit_fail(audit, path, dtap_reader_error(reader));
	return true;
}

/* A whole file in memory; NULL when it cannot be read. */
static uint8_t *
audit_load(const char *path, size_t *bytes)
{
	FILE *file = fopen(path, "rb");
	uint8_t *octets = NULL;
	long length = -1;

	if (file == NULL)
		return NULL;
	if (fseek(file, 0, SEEK_END) == 0)
		length = ftell(file);
	rewind(file);
	if (length >= 0)
		octets = malloc((size_t)length + 1);
	*bytes = octets == NULL ? 0 : fread(octets, 1, (size_t)length, file);
	fclose(file);
	return octets;
}

bool
audit_add(struct audit *audit, const char *path)
{
	struct dtap_reader_options options = { .size = sizeof(options),
					       .bidirectional = 1 };
	dtap_reader *reader = NULL;
	uint8_t *octets;
	size_t bytes;
	bool good;

	octets = audit_load(path, &bytes);
	if (octets == NULL)
		return audit_fail(audit, path, "cannot be read");
	good = dtap_reader_open(&options, &reader) == DTAP_OK &&
	       audit_octets(audit, path, reader, octets, bytes);
	dtap_reader_close(&reader);
	free(octets);
	return good;
}

void
audit_end(struct audit *audit)
{
	for (int i = 0; i < AUDIT_THREADS; i++)
		free(audit->threads[i].seen);
	memset(audit->threads, 0, sizeof(audit->threads));
}
