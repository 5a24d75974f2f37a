/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cat_loss.c: see cat_loss.h.
 */
#include "cat/cat_loss.h"

#include <string.h>

#define LOST "dtap.lost="
#define CAUSE "dtap.cause="

/* The last word that begins with prefix: where it begins, or NULL. */
static const char *
find_word(struct dtap_bytes text, const char *prefix)
{
	const char *begin = text.data;
	size_t length = strlen(prefix);
	const char *found = NULL;

	for (size_t i = 0; i + length <= text.bytes; i++) {
		if ((i == 0 || begin[i - 1] == ' ') &&
		    memcmp(begin + i, prefix, length) == 0)
			found = begin + i;
	}
	return found;
}

/* What stands between the prefix at word and the next blank. */
static struct dtap_bytes
word_value(const char *word, const char *end, const char *prefix)
{
	const char *begin = word + strlen(prefix);
	const char *blank = memchr(begin, ' ', (size_t)(end - begin));
	struct dtap_bytes value = {begin, 0};

	value.bytes = (size_t)((blank != NULL ? blank : end) - begin);
	return value;
}

bool
cat_loss_read(struct dtap_bytes extra, struct cat_loss *loss)
{
	const char *begin = extra.data;
	const char *end;
	const char *lost;
	struct dtap_bytes rest;

	memset(loss, 0, sizeof(*loss));
	loss->before = extra;
	if (extra.bytes == 0)
		return false;
	end = begin + extra.bytes;
	lost = find_word(extra, LOST);
	if (lost == NULL)
		return false;
	rest.data = lost;
	rest.bytes = (size_t)(end - lost);
	loss->count = word_value(lost, end, LOST);
	loss->before.bytes = (size_t)(lost - begin);
	if (loss->before.bytes > 0)
		loss->before.bytes--; /* the blank between the two */
	lost = find_word(rest, CAUSE);
	if (lost != NULL)
		loss->cause = word_value(lost, end, CAUSE);
	return true;
}
