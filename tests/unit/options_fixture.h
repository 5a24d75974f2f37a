/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options_fixture.h: options of its own for each test, and what they do with
 * them. Used by the tests of options.c and options_check.c.
 */
#ifndef DTAP_TESTS_OPTIONS_FIXTURE_H
#define DTAP_TESTS_OPTIONS_FIXTURE_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dnstap/options.h>

#include "config/config.h"
#include "support/support.h"

static dtap_options *options;
static struct dtap__config before;

static inline void
set_up(void)
{
	options = dtap_options_new();
	ck_assert_ptr_nonnull(options);
}

static inline void
tear_down(void)
{
	dtap_options_free(&options);
	ck_assert_ptr_null(options);
}

static inline void
remember(void)
{
	memcpy(&before, dtap__options_get(options), sizeof(before));
}

static inline bool
unchanged(void)
{
	return memcmp(&before, dtap__options_get(options), sizeof(before)) ==
	       0;
}

static inline void
takes(const char *name, const char *value)
{
	ck_assert_msg(dtap_options_set(options, name, value) == DTAP_OK,
		      "%s", dtap_options_error(options));
}

/* The call failed as it should, told the name, and changed nothing. */
static inline void
failed(enum dtap_result result, enum dtap_result expected, const char *name)
{
	ck_assert_msg(result == expected, "\"%s\": %d", name, (int)result);
	ck_assert_msg(strstr(dtap_options_error(options), name) != NULL,
		      "\"%s\" is not in \"%s\"", name,
		      dtap_options_error(options));
	ck_assert_msg(unchanged(), "\"%s\" changed", name);
}

static inline void
refuses(const char *name, const char *value)
{
	remember();
	failed(dtap_options_set(options, name, value), DTAP_E_VALUE, name);
}

static inline void
refuses_number(const char *name, uint64_t number)
{
	remember();
	failed(dtap_options_set_number(options, name, number), DTAP_E_VALUE,
	       name);
}

/* A number in the notation that the row's unit asks for. */
static inline const char *
written(const struct dtap_option_info *info, uint64_t number)
{
	static char text[32];

	snprintf(text, sizeof(text),
		 strcmp(info->unit, "octal") == 0 ? "%" PRIo64 : "%" PRIu64,
		 number);
	return text;
}

/* bytes times 'x'; the caller frees it. */
static inline char *
long_text(size_t bytes)
{
	char *text = malloc(bytes + 1);

	ck_assert_ptr_nonnull(text);
	memset(text, 'x', bytes);
	text[bytes] = '\0';
	return text;
}

/* A value that is not the row's default. */
static inline const char *
another(const struct dtap_option_info *info)
{
	switch (info->kind) {
	case DTAP_OPTION_TEXT:
		return "x";
	case DTAP_OPTION_NUMBER:
		return written(info, info->max);
	case DTAP_OPTION_BOOLEAN:
		return strcmp(info->initial, "yes") == 0 ? "no" : "yes";
	case DTAP_OPTION_CHOICE:
		return strrchr(info->words, '|') + 1;
	case DTAP_OPTION_TYPES:
		return "CQ";
	case DTAP_OPTION_URI:
		return "file:x";
	}
	return NULL;
}

static inline void
options_fixture_add(Suite *suite, const char *name, const TTest *test)
{
	TCase *added = tcase_create(name);

	tcase_add_checked_fixture(added, set_up, tear_down);
	tcase_add_test(added, test);
	tcase_set_timeout(added, 120);
	suite_add_tcase(suite, added);
}

#define ADD(suite, test) options_fixture_add((suite), #test, (test))

#endif
