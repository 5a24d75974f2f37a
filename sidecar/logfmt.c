/* SPDX-License-Identifier: Apache-2.0 */
/*
 * logfmt.c: see logfmt.h.
 */
#include "sidecar/logfmt.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cat/utf8.h"

void
logfmt_init(struct logfmt *logfmt, char *text, size_t room)
{
	logfmt->text = text;
	logfmt->room = room;
	logfmt->used = 0;
	text[0] = '\0';
}

/* false, and the text is cut where it was full, when there is no room. */
static bool
put(struct logfmt *logfmt, const void *octets, size_t bytes)
{
	if (bytes >= logfmt->room - logfmt->used)
		return false;
	memcpy(logfmt->text + logfmt->used, octets, bytes);
	logfmt->used += bytes;
	logfmt->text[logfmt->used] = '\0';
	return true;
}

static bool
put_string(struct logfmt *logfmt, const char *string)
{
	return put(logfmt, string, strlen(string));
}

static bool
put_key(struct logfmt *logfmt, const char *key)
{
	return (logfmt->used == 0 || put(logfmt, " ", 1)) &&
	       put_string(logfmt, key) && put(logfmt, "=", 1);
}

/* Octets of a character of UTF-8 that a terminal or parser may take for
 * something else: C0, DEL, C1, and the separators of lines and paragraphs. */
static bool
is_control(const uint8_t *at, size_t sequence)
{
	if (sequence == 1)
		return at[0] < 0x20 || at[0] == 0x7f;
	if (sequence == 2)
		return at[0] == 0xc2 && at[1] < 0xa0;
	return sequence == 3 && at[0] == 0xe2 && at[1] == 0x80 &&
	       (at[2] == 0xa8 || at[2] == 0xa9);
}

static bool
is_plain(const uint8_t *at, size_t bytes)
{
	while (bytes > 0) {
		size_t sequence = utf8_sequence(at, bytes);

		if (sequence == 0 || is_control(at, sequence) ||
		    strchr(" =\"\\", at[0]) != NULL)
			return false;
		at += sequence;
		bytes -= sequence;
	}
	return true;
}

static bool
put_escaped(struct logfmt *logfmt, const uint8_t *at, size_t sequence)
{
	unsigned int code = at[0];
	char text[8];

	if (sequence == 1 && (code == '"' || code == '\\'))
		return put(logfmt, "\\", 1) && put(logfmt, at, 1);
	if (sequence == 0)
		code = 0xfffd;
	else if (!is_control(at, sequence))
		return put(logfmt, at, sequence);
	else if (sequence == 2)
		code = at[1];
	else if (sequence == 3)
		code = 0x2000 + (at[2] & 0x3fu);
	snprintf(text, sizeof(text), "\\u%04x", code);
	return put_string(logfmt, text);
}

static bool
put_quoted(struct logfmt *logfmt, const uint8_t *at, size_t bytes)
{
	if (!put(logfmt, "\"", 1))
		return false;
	while (bytes > 0) {
		size_t sequence = utf8_sequence(at, bytes);

		if (!put_escaped(logfmt, at, sequence))
			return false;
		at += sequence > 0 ? sequence : 1;
		bytes -= sequence > 0 ? sequence : 1;
	}
	return put(logfmt, "\"", 1);
}

static void
cut(struct logfmt *logfmt, size_t used)
{
	logfmt->used = used;
	logfmt->text[used] = '\0';
}

void
logfmt_number(struct logfmt *logfmt, const char *key, uint64_t number)
{
	size_t before = logfmt->used;
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	if (!put_key(logfmt, key) || !put_string(logfmt, text))
		cut(logfmt, before);
}

void
logfmt_string(struct logfmt *logfmt, const char *key, const char *value)
{
	const uint8_t *octets = (const uint8_t *)value;
	size_t bytes = strlen(value);
	size_t before = logfmt->used;

	if (bytes == 0)
		return;
	if (!put_key(logfmt, key) ||
	    !(is_plain(octets, bytes) ? put(logfmt, octets, bytes) :
					put_quoted(logfmt, octets, bytes)))
		cut(logfmt, before);
}

/* Processes choose their names, and users those of cgroups: none may take
 * the room of what the kernel and this program have to say. */
#define UID " uid=4294967295"
#define CONTAINER \
	" container=" \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define REST \
	" netns=18446744073709551615 confidence=guessed event=unanswered"

/* Leaves room for what is behind it. */
static void
put_name(struct logfmt *logfmt, const char *key, const char *value,
	 size_t behind_bytes)
{
	size_t room = logfmt->room;

	if (room - logfmt->used <= behind_bytes)
		return;
	logfmt->room -= behind_bytes;
	logfmt_string(logfmt, key, value);
	logfmt->room = room;
}

size_t
logfmt_extra(char *text, size_t room, const struct packet_owner *owner,
	     const struct identity *identity, enum role_confidence confidence,
	     const char *event)
{
	struct logfmt logfmt;

	logfmt_init(&logfmt, text, room);
	if (owner->pid != 0)
		logfmt_number(&logfmt, "pid", owner->pid);
	put_name(&logfmt, "exe", identity->exe, sizeof(UID CONTAINER REST));
	put_name(&logfmt, "comm", owner->comm, sizeof(UID CONTAINER REST));
	if (owner->pid != 0)
		logfmt_number(&logfmt, "uid", owner->uid);
	put_name(&logfmt, "cgroup", identity->cgroup, sizeof(CONTAINER REST));
	put_name(&logfmt, "container", identity->container, sizeof(REST));
	if (owner->netns != 0)
		logfmt_number(&logfmt, "netns", owner->netns);
	logfmt_string(&logfmt, "confidence", role_confidence_name(confidence));
	if (event != NULL)
		logfmt_string(&logfmt, "event", event);
	return logfmt.used;
}
