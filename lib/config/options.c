/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.c: see <dnstap/options.h> and config.h.
 *
 * Every setter takes the same three steps: find the row, make a value apart
 * from the options, store it where the row says. Only the last step changes
 * anything, and it cannot fail; so a value that is refused changes nothing,
 * and a value may come from the options themselves.
 *
 * A value is zeroed before it is made, so that equal values are equal octet
 * by octet. The options object belongs to one thread at a time.
 */
#include "config/config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/options_explain.h"
#include "config/options_parse.h"
#include "config/options_table.h"
#include "config/options_uri.h"

#define OPTIONS_ERROR_BYTES 512

struct dtap_options {
	struct dtap__config config;
	char error[OPTIONS_ERROR_BYTES];
};

/* A value of any kind, on its way into struct dtap__config. */
union options_value {
	struct dtap__text text;
	uint64_t number;
	bool boolean;
	int choice;
	uint32_t types;
	struct dtap__uri uri;
};

static enum dtap_result
options_fail_null(dtap_options *options)
{
	dtap__options_fail(options, "an argument is NULL");
	return DTAP_E_INVALID;
}

/* sought: "", or what kind of option was looked for. */
static enum dtap_result
options_fail_name(dtap_options *options, const char *sought, const char *name)
{
	char quoted[DTAP__OPTIONS_QUOTE_ROOM];

	dtap__options_fail(options, "there is no %soption \"%s\"", sought,
			   dtap__options_explain_quote(quoted, name));
	return DTAP_E_OPTION;
}

/* why: what is allowed; NULL when the row knows. */
static enum dtap_result
options_fail_value(dtap_options *options, const struct dtap__options_row *row,
		   const char *value, const char *why)
{
	char quoted[DTAP__OPTIONS_QUOTE_ROOM];
	char allowed[DTAP__OPTIONS_ALLOWED_ROOM];

	if (why == NULL)
		why = dtap__options_explain_allowed(allowed, row);
	dtap__options_fail(options,
			   "option \"%s\": \"%s\" is not allowed: %s",
			   row->info.name,
			   dtap__options_explain_quote(quoted, value), why);
	return DTAP_E_VALUE;
}

static enum dtap_result
options_read_octets(const struct dtap__options_row *row, const void *octets,
		    size_t bytes, struct dtap__text *text)
{
	if (bytes > row->info.max)
		return DTAP_E_VALUE;
	if (bytes != 0)
		memcpy(text->octets, octets, bytes);
	text->bytes = bytes;
	return DTAP_OK;
}

static enum dtap_result
options_read_number(const struct dtap__options_row *row, const char *text,
		    uint64_t *number)
{
	enum dtap_result result;

	if (dtap__options_table_counts_octets(row))
		result = dtap__options_parse_octets(text, number);
	else if (dtap__options_table_is_octal(row))
		result = dtap__options_parse_octal(text, number);
	else
		result = dtap__options_parse_decimal(text, number);
	if (result == DTAP_OK && !dtap__options_table_allows(row, *number))
		result = DTAP_E_VALUE;
	return result;
}

/* Makes a value from text. *why: as options_fail_value() takes it. */
static enum dtap_result
options_read(const struct dtap__options_row *row, const char *text,
	     union options_value *value, const char **why)
{
	*why = NULL;
	memset(value, 0, sizeof(*value));
	switch (row->info.kind) {
	case DTAP_OPTION_TEXT:
		return options_read_octets(row, text, strlen(text),
					   &value->text);
	case DTAP_OPTION_NUMBER:
		return options_read_number(row, text, &value->number);
	case DTAP_OPTION_BOOLEAN:
		return dtap__options_parse_boolean(text, &value->boolean);
	case DTAP_OPTION_CHOICE:
		return dtap__options_parse_choice(text, row->info.words,
						  &value->choice);
	case DTAP_OPTION_TYPES:
		return dtap__options_parse_types(text, &value->types);
	case DTAP_OPTION_URI:
		return dtap__options_uri_parse(text, &value->uri, why);
	}
	return DTAP_E_VALUE;
}

static void
options_store(dtap_options *options, const struct dtap__options_row *row,
	      const union options_value *value)
{
	memcpy((char *)&options->config + row->offset, value, row->bytes);
}

dtap_options *
dtap_options_new(void)
{
	dtap_options *options = calloc(1, sizeof(*options));
	const struct dtap__options_row *row;
	union options_value value;
	const char *why;

	if (options == NULL)
		return NULL;
	/* Zeros stand for what has no default. */
	for (size_t i = 0; (row = dtap__options_table_get(i)) != NULL; i++)
		if (options_read(row, row->info.initial, &value, &why) ==
		    DTAP_OK)
			options_store(options, row, &value);
	return options;
}

void
dtap_options_free(dtap_options **options)
{
	if (options == NULL)
		return;
	free(*options);
	*options = NULL;
}

enum dtap_result
dtap_options_set(dtap_options *options, const char *name, const char *value)
{
	const struct dtap__options_row *row;
	union options_value read;
	const char *why;

	if (options == NULL)
		return DTAP_E_INVALID;
	if (name == NULL || value == NULL)
		return options_fail_null(options);
	row = dtap__options_table_find(name);
	if (row == NULL)
		return options_fail_name(options, "", name);
	if (options_read(row, value, &read, &why) != DTAP_OK)
		return options_fail_value(options, row, value, why);
	options_store(options, row, &read);
	return DTAP_OK;
}

enum dtap_result
dtap_options_set_bytes(dtap_options *options, const char *name,
		       const void *data, size_t bytes)
{
	const struct dtap__options_row *row;
	union options_value value = { 0 };
	char count[sizeof("18446744073709551615 octets")];

	if (options == NULL)
		return DTAP_E_INVALID;
	if (name == NULL || (data == NULL && bytes != 0))
		return options_fail_null(options);
	row = dtap__options_table_find(name);
	if (row == NULL || row->info.kind != DTAP_OPTION_TEXT)
		return options_fail_name(options, "text ", name);
	if (options_read_octets(row, data, bytes, &value.text) != DTAP_OK) {
		snprintf(count, sizeof(count), "%zu octets", bytes);
		return options_fail_value(options, row, count, NULL);
	}
	options_store(options, row, &value);
	return DTAP_OK;
}

/* The row of a number or boolean; NULL when name is neither. */
static const struct dtap__options_row *
options_find_number(const char *name)
{
	const struct dtap__options_row *row = dtap__options_table_find(name);

	if (row != NULL && row->info.kind != DTAP_OPTION_NUMBER &&
	    row->info.kind != DTAP_OPTION_BOOLEAN)
		return NULL;
	return row;
}

enum dtap_result
dtap_options_set_number(dtap_options *options, const char *name,
			uint64_t value)
{
	const struct dtap__options_row *row;
	union options_value stored = { 0 };
	char number[DTAP__OPTIONS_NUMBER_ROOM];

	if (options == NULL)
		return DTAP_E_INVALID;
	if (name == NULL)
		return options_fail_null(options);
	row = options_find_number(name);
	if (row == NULL)
		return options_fail_name(options, "number or boolean ", name);
	if (!dtap__options_table_allows(row, value)) {
		dtap__options_explain_number(number, row, value);
		return options_fail_value(
			options, row, number,
			row->info.kind == DTAP_OPTION_BOOLEAN ? "0 or 1"
							      : NULL);
	}
	if (row->info.kind == DTAP_OPTION_BOOLEAN)
		stored.boolean = value != 0;
	else
		stored.number = value;
	options_store(options, row, &stored);
	return DTAP_OK;
}

enum dtap_result
dtap_options_set_log(dtap_options *options, dtap_log_function *function,
		     void *user)
{
	if (options == NULL)
		return DTAP_E_INVALID;
	options->config.log = function;
	options->config.log_user = user;
	return DTAP_OK;
}

const char *
dtap_options_error(const dtap_options *options)
{
	return options != NULL ? options->error : "";
}

void
dtap__options_fail(dtap_options *options, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(options->error, sizeof(options->error), format, arguments);
	va_end(arguments);
}

const struct dtap__config *
dtap__options_get(const dtap_options *options)
{
	return &options->config;
}
