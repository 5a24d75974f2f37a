/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What options.c promises for every row. These tests walk the table, so that
 * a new option is tested as soon as it is there.
 */
#include <dnstap/options.h>

#include "options_fixture.h"

START_TEST(defaults_are_those_of_the_table)
{
	const struct dtap_option_info *info;

	remember();
	for (size_t i = 0; (info = dtap_option_info_get(i)) != NULL; i++) {
		if (info->kind == DTAP_OPTION_URI)
			continue;
		takes(info->name, info->initial);
		ck_assert_msg(unchanged(), "%s", info->name);
		takes(info->name, another(info));
		ck_assert_msg(!unchanged(), "%s", info->name);
		takes(info->name, info->initial);
		ck_assert_msg(unchanged(), "%s", info->name);
	}
	ck_assert_str_eq(dtap_options_error(options), "");
}
END_TEST

START_TEST(numbers_go_from_min_to_max)
{
	const struct dtap_option_info *info;

	for (size_t i = 0; (info = dtap_option_info_get(i)) != NULL; i++) {
		if (info->kind != DTAP_OPTION_NUMBER)
			continue;
		takes(info->name, written(info, info->min));
		remember();
		ck_assert_int_eq(dtap_options_set_number(options, info->name,
							 info->min),
				 DTAP_OK);
		ck_assert_msg(unchanged(), "%s", info->name);
		takes(info->name, written(info, info->max));
		remember();
		ck_assert_int_eq(dtap_options_set_number(options, info->name,
							 info->max),
				 DTAP_OK);
		ck_assert_msg(unchanged(), "%s", info->name);
	}
}
END_TEST

START_TEST(numbers_beyond_their_limits_are_refused)
{
	const struct dtap_option_info *info;

	for (size_t i = 0; (info = dtap_option_info_get(i)) != NULL; i++) {
		if (info->kind != DTAP_OPTION_NUMBER)
			continue;
		/* Below 0 this is UINT64_MAX, no better. */
		refuses_number(info->name, info->min - 1);
		refuses(info->name, written(info, info->min - 1));
		refuses_number(info->name, info->max + 1);
		refuses(info->name, written(info, info->max + 1));
		refuses_number(info->name, UINT64_MAX);
		refuses(info->name, "");
		refuses(info->name, "-1");
		refuses(info->name, "many");
		refuses(info->name, "0x10");
	}
}
END_TEST

START_TEST(booleans_are_words_or_0_and_1)
{
	const struct dtap_option_info *info;

	for (size_t i = 0; (info = dtap_option_info_get(i)) != NULL; i++) {
		if (info->kind != DTAP_OPTION_BOOLEAN)
			continue;
		for (uint64_t truth = 0; truth <= 1; truth++) {
			takes(info->name, truth ? "on" : "off");
			remember();
			takes(info->name, truth ? "yes" : "no");
			ck_assert(unchanged());
			ck_assert_int_eq(dtap_options_set_number(options,
								 info->name,
								 truth),
					 DTAP_OK);
			ck_assert(unchanged());
		}
		refuses(info->name, "maybe");
		refuses(info->name, "1");
		refuses_number(info->name, 2);
		refuses_number(info->name, UINT64_MAX);
	}
}
END_TEST

static void
try_limit_of_text(const struct dtap_option_info *info)
{
	char *longest = long_text(info->max);
	char *longer = long_text(info->max + 1);

	takes(info->name, longest);
	remember();
	ck_assert_int_eq(dtap_options_set_bytes(options, info->name, longest,
						info->max),
			 DTAP_OK);
	ck_assert_msg(unchanged(), "%s", info->name);
	refuses(info->name, longer);
	failed(dtap_options_set_bytes(options, info->name, longer,
				      info->max + 1),
	       DTAP_E_VALUE, info->name);
	/* Never read: the length alone is enough to refuse. */
	failed(dtap_options_set_bytes(options, info->name, longer, SIZE_MAX),
	       DTAP_E_VALUE, info->name);
	free(longest);
	free(longer);
}

START_TEST(texts_have_up_to_max_octets)
{
	const struct dtap_option_info *info;

	for (size_t i = 0; (info = dtap_option_info_get(i)) != NULL; i++)
		if (info->kind == DTAP_OPTION_TEXT)
			try_limit_of_text(info);
}
END_TEST

START_TEST(uris_have_up_to_max_octets)
{
	const struct dtap_option_info *info;

	for (size_t i = 0; (info = dtap_option_info_get(i)) != NULL; i++) {
		char *longer;

		if (info->kind != DTAP_OPTION_URI)
			continue;
		longer = long_text(info->max + 1);
		memcpy(longer, "file:", 5);
		refuses(info->name, longer);
		longer[info->max] = '\0';
		takes(info->name, longer);
		longer[info->min] = '\0';
		takes(info->name, longer);
		longer[info->min - 1] = '\0';
		refuses(info->name, longer);
		free(longer);
	}
}
END_TEST

START_TEST(choices_take_their_words)
{
	const struct dtap_option_info *info;

	for (size_t i = 0; (info = dtap_option_info_get(i)) != NULL; i++) {
		if (info->kind != DTAP_OPTION_CHOICE)
			continue;
		for (const char *word = info->words; *word != '\0';) {
			size_t bytes = strcspn(word, "|");
			char *copy = strndup(word, bytes);

			takes(info->name, copy);
			free(copy);
			word += bytes + (word[bytes] == '|');
		}
		refuses(info->name, info->words);
		refuses(info->name, "");
	}
	takes("ring-layout", "wrap");
	ck_assert_int_eq(dtap__options_get(options)->ring_layout,
			 DTAP__LAYOUT_WRAP);
	takes("ring-layout", "mirrored");
	ck_assert_int_eq(dtap__options_get(options)->ring_layout,
			 DTAP__LAYOUT_MIRRORED);
}
END_TEST

START_TEST(typed_setters_know_their_kinds)
{
	const struct dtap_option_info *info;

	for (size_t i = 0; (info = dtap_option_info_get(i)) != NULL; i++) {
		remember();
		if (info->kind != DTAP_OPTION_TEXT)
			failed(dtap_options_set_bytes(options, info->name, "1",
						      1),
			       DTAP_E_OPTION, info->name);
		if (info->kind != DTAP_OPTION_NUMBER &&
		    info->kind != DTAP_OPTION_BOOLEAN)
			failed(dtap_options_set_number(options, info->name, 1),
			       DTAP_E_OPTION, info->name);
	}
}
END_TEST

START_TEST(values_of_any_length_are_refused_shortly)
{
	const struct dtap_option_info *info;
	char *huge = long_text(1 << 20);

	for (size_t i = 0; (info = dtap_option_info_get(i)) != NULL; i++) {
		refuses(info->name, huge);
		ck_assert_uint_lt(strlen(dtap_options_error(options)), 200);
		ck_assert_ptr_nonnull(
			strstr(dtap_options_error(options), "xxx...\""));
	}
	free(huge);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("options_limits");

	ADD(suite, defaults_are_those_of_the_table);
	ADD(suite, numbers_go_from_min_to_max);
	ADD(suite, numbers_beyond_their_limits_are_refused);
	ADD(suite, booleans_are_words_or_0_and_1);
	ADD(suite, texts_have_up_to_max_octets);
	ADD(suite, uris_have_up_to_max_octets);
	ADD(suite, choices_take_their_words);
	ADD(suite, typed_setters_know_their_kinds);
	ADD(suite, values_of_any_length_are_refused_shortly);
	return support_run(suite);
}
