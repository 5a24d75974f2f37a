/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_options.c: any text as options: a line with a name, a line with its
 * value, and so on. A text without a newline is a value of `output`.
 *
 * What must hold:
 *  - what is refused is explained in printable text, and changes nothing;
 *  - what is taken changes the one member that the name stands for;
 *  - a number that is taken is within the limits of its row; written as the
 *    row would, and set as a number, it is taken again and is the same; one
 *    more than the limit is not;
 *  - a text is as it was given, and can be given as octets as well;
 *  - options that were taken one by one either make a configuration together,
 *    or the conflict is explained.
 */
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/options_explain.h"
#include "config/options_table.h"
#include "fuzz.h"

static void
check_error(const dtap_options *options)
{
	const char *error = dtap_options_error(options);

	FUZZ_EXPECT(error[0] != '\0');
	for (; *error != '\0'; error++)
		FUZZ_EXPECT(*error >= ' ' && *error <= '~');
}

static const void *
member_of(const struct dtap__config *config,
	  const struct dtap__options_row *row)
{
	return (const char *)config + row->offset;
}

/* All but the row's own member is as it was. */
static void
check_others(const struct dtap__config *before,
	     const struct dtap__config *after,
	     const struct dtap__options_row *row)
{
	size_t behind = row->offset + row->bytes;

	FUZZ_EXPECT(memcmp(before, after, row->offset) == 0);
	FUZZ_EXPECT(memcmp((const char *)before + behind,
			   (const char *)after + behind,
			   sizeof(*before) - behind) == 0);
}

static void
check_number(dtap_options *options, const struct dtap__options_row *row)
{
	const struct dtap__config *config = dtap__options_get(options);
	char text[DTAP__OPTIONS_NUMBER_ROOM];
	uint64_t number;

	memcpy(&number, member_of(config, row), sizeof(number));
	FUZZ_EXPECT(number >= row->info.min && number <= row->info.max);
	dtap__options_explain_number(text, row, number);
	FUZZ_EXPECT(dtap_options_set(options, row->info.name, text) ==
		    DTAP_OK);
	FUZZ_EXPECT(memcmp(&number, member_of(config, row), sizeof(number)) ==
		    0);
	FUZZ_EXPECT(dtap_options_set_number(options, row->info.name,
					    number) == DTAP_OK);
	FUZZ_EXPECT(dtap_options_set_number(options, row->info.name,
					    row->info.max + 1) ==
		    DTAP_E_VALUE);
	check_error(options);
	FUZZ_EXPECT(memcmp(&number, member_of(config, row), sizeof(number)) ==
		    0);
}

static void
check_octets(dtap_options *options, const struct dtap__options_row *row,
	     const char *value)
{
	static const char zeros[DTAP__OPTION_TEXT_MAX + 1];
	const struct dtap__text *text =
		member_of(dtap__options_get(options), row);

	for (int i = 0; i < 2; i++) {
		FUZZ_EXPECT(text->bytes == strlen(value));
		FUZZ_EXPECT(text->bytes <= row->info.max);
		FUZZ_EXPECT(memcmp(text->octets, value, text->bytes) == 0);
		FUZZ_EXPECT(dtap_options_set_bytes(
				    options, row->info.name, zeros,
				    row->info.max + 1) == DTAP_E_VALUE);
		check_error(options);
		FUZZ_EXPECT(dtap_options_set_bytes(options, row->info.name,
						   value, strlen(value)) ==
			    DTAP_OK);
	}
	FUZZ_EXPECT(dtap_options_set_number(options, row->info.name, 0) ==
		    DTAP_E_OPTION);
}

struct setting {
	dtap_options *options;
	const char *name;
	const char *value;
	enum dtap_result result;
};

static size_t
set_option(void *context)
{
	struct setting *setting = context;

	setting->result = dtap_options_set(setting->options, setting->name,
					   setting->value);
	return strlen(setting->name) + strlen(setting->value);
}

static void
check_setting(struct setting *setting, const struct dtap__config *before)
{
	const struct dtap__options_row *row =
		dtap__options_table_find(setting->name);

	fuzz_measure(set_option, setting);
	if (setting->result != DTAP_OK) {
		FUZZ_EXPECT(setting->result ==
			    (row == NULL ? DTAP_E_OPTION : DTAP_E_VALUE));
		FUZZ_EXPECT(memcmp(before, dtap__options_get(setting->options),
				   sizeof(*before)) == 0);
		check_error(setting->options);
		return;
	}
	FUZZ_EXPECT(row != NULL);
	check_others(before, dtap__options_get(setting->options), row);
	if (row->info.kind == DTAP_OPTION_NUMBER)
		check_number(setting->options, row);
	else if (row->info.kind == DTAP_OPTION_TEXT)
		check_octets(setting->options, row, setting->value);
}

static void
check_together(dtap_options *options)
{
	const struct dtap__config *config = dtap__options_get(options);

	if (dtap__options_check(options) != DTAP_OK) {
		check_error(options);
		return;
	}
	FUZZ_EXPECT(config->output.scheme != DTAP__SCHEME_NONE);
	FUZZ_EXPECT(config->reconnect_min_ms <= config->reconnect_max_ms);
	FUZZ_EXPECT(config->ring_bytes <= config->ring_memory_bytes);
	FUZZ_EXPECT((config->ring_bytes & (config->ring_bytes - 1)) == 0);
	FUZZ_EXPECT(dtap__options_check_live(options, config) == DTAP_OK);
}

/* The next line of *at, which ends with a zero from now on. */
static char *
take_line(char **at)
{
	char *line = *at;

	*at = strchr(line, '\n');
	if (*at != NULL)
		*(*at)++ = '\0';
	return line;
}

void
fuzz_input(const uint8_t *data, size_t bytes)
{
	struct setting setting = { .options = dtap_options_new() };
	static struct dtap__config before;
	char *text = malloc(bytes + 1);
	char *at = text;

	FUZZ_EXPECT(setting.options != NULL && text != NULL);
	if (bytes > 0)
		memcpy(text, data, bytes);
	text[bytes] = '\0';
	do {
		memcpy(&before, dtap__options_get(setting.options),
		       sizeof(before));
		setting.name = take_line(&at);
		setting.value = at != NULL ? take_line(&at) : setting.name;
		if (setting.value == setting.name)
			setting.name = "output";
		check_setting(&setting, &before);
	} while (at != NULL);
	check_together(setting.options);
	free(text);
	dtap_options_free(&setting.options);
}
