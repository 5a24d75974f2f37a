/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loss.c: see loss.h.
 *
 * Written on a server's thread, so the digits are made here and not by
 * snprintf(), which takes locale locks and may allocate. Times that are not
 * valid (an invalid event may be the one that was lost) are left out.
 */
#include "stats/loss.h"

#include <string.h>

#define LOSS_NSEC_PER_SEC 1000000000u

static struct dtap__loss_time
loss_time_of(const struct dtap_event *event)
{
	struct dtap__loss_time time = { 0, 0 };

	if (event == NULL)
		return time;
	if (event->response_time_sec != 0) {
		time.sec = event->response_time_sec;
		time.nsec = event->response_time_nsec;
	} else {
		time.sec = event->query_time_sec;
		time.nsec = event->query_time_nsec;
	}
	if (time.sec > INT64_MAX || time.nsec >= LOSS_NSEC_PER_SEC)
		memset(&time, 0, sizeof(time));
	return time;
}

void
dtap__loss_note(struct dtap__loss *loss, enum dtap__loss_cause cause,
		const struct dtap_event *event)
{
	loss->last = loss_time_of(event);
	if (loss->lost == 0)
		loss->first = loss->last;
	loss->lost++;
	loss->causes |= cause;
}

static char *
loss_put_text(char *at, const char *text)
{
	size_t length = strlen(text);

	memcpy(at, text, length);
	return at + length;
}

/* Decimal, with leading zeros up to width. */
static char *
loss_put_number(char *at, uint64_t number, int width)
{
	char digits[20];
	int count = 0;

	do {
		digits[count++] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0 || count < width);
	while (count > 0)
		*at++ = digits[--count];
	return at;
}

static char *
loss_put_time(char *at, const char *key, const struct dtap__loss_time *time)
{
	if (time->sec == 0)
		return at;
	at = loss_put_text(at, key);
	at = loss_put_number(at, time->sec, 1);
	at = loss_put_text(at, ".");
	return loss_put_number(at, time->nsec, 9);
}

static const char *
loss_cause_text(unsigned int causes)
{
	switch (causes) {
	case DTAP__LOSS_FULL:
		return "full";
	case DTAP__LOSS_TOO_BIG:
		return "too-big";
	case DTAP__LOSS_INVALID:
		return "invalid";
	default:
		return "mixed";
	}
}

size_t
dtap__loss_text(const struct dtap__loss *loss, char *out)
{
	char *at = out;

	at = loss_put_text(at, "dtap.lost=");
	at = loss_put_number(at, loss->lost, 1);
	at = loss_put_text(at, " dtap.cause=");
	at = loss_put_text(at, loss_cause_text(loss->causes));
	at = loss_put_time(at, " dtap.first=", &loss->first);
	at = loss_put_time(at, " dtap.last=", &loss->last);
	return (size_t)(at - out);
}
