/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Most tests walk the table of options, so that a new row is tested as soon
 * as it is there.
 */
#include <dnstap/options.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "support/support.h"

static dtap_options *options;
static struct dtap__config before;

static void
set_up(void)
{
	options = dtap_options_new();
	ck_assert_ptr_nonnull(options);
}

static void
tear_down(void)
{
	dtap_options_free(&options);
	ck_assert_ptr_null(options);
}

static void
remember(void)
{
	memcpy(&before, dtap__options_get(options), sizeof(before));
}

static bool
unchanged(void)
{
	return memcmp(&before, dtap__options_get(options), sizeof(before)) ==
	       0;
}

static void
takes(const char *name, const char *value)
{
	ck_assert_msg(dtap_options_set(options, name, value) == DTAP_OK,
		      "%s", dtap_options_error(options));
}

/* The call failed as it should, told the name, and changed nothing. */
static void
failed(enum dtap_result result, enum dtap_result expected, const char *name)
{
	ck_assert_msg(result == expected, "\"%s\": %d", name, (int)result);
	ck_assert_msg(strstr(dtap_options_error(options), name) != NULL,
		      "\"%s\" is not in \"%s\"", name,
		      dtap_options_error(options));
	ck_assert_msg(unchanged(), "\"%s\" changed", name);
}

static void
refuses(const char *name, const char *value)
{
	remember();
	failed(dtap_options_set(options, name, value), DTAP_E_VALUE, name);
}

static void
refuses_number(const char *name, uint64_t number)
{
	remember();
	failed(dtap_options_set_number(options, name, number), DTAP_E_VALUE,
	       name);
}

/* A number in the notation that the row's unit asks for. */
static const char *
written(const struct dtap_option_info *info, uint64_t number)
{
	static char text[32];

	snprintf(text, sizeof(text),
		 strcmp(info->unit, "octal") == 0 ? "%" PRIo64 : "%" PRIu64,
		 number);
	return text;
}

/* bytes times 'x'; the caller frees it. */
static char *
long_text(size_t bytes)
{
	char *text = malloc(bytes + 1);

	ck_assert_ptr_nonnull(text);
	memset(text, 'x', bytes);
	text[bytes] = '\0';
	return text;
}

/* A value that is not the row's default. */
static const char *
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

START_TEST(defaults_are_those_promised)
{
	const struct dtap__config *config = dtap__options_get(options);

	ck_assert_int_eq(config->output.scheme, DTAP__SCHEME_NONE);
	ck_assert_uint_eq(config->identity.bytes, 0);
	ck_assert_uint_eq(config->version.bytes, 0);
	ck_assert_uint_eq(config->extra.bytes, 0);
	ck_assert_uint_eq(config->types, 0x7ffe);
	ck_assert(config->loss_report);
	ck_assert_uint_eq(config->sample_one_in, 1);
	ck_assert(config->bidirectional);
	ck_assert_uint_eq(config->ring_bytes, 1 << 20);
	ck_assert_uint_eq(config->ring_memory_bytes, 256 << 20);
	ck_assert_int_eq(config->ring_layout, DTAP__LAYOUT_AUTO);
	ck_assert_uint_eq(config->latency_ms, 10);
	ck_assert_uint_eq(config->connect_timeout_ms, 5000);
	ck_assert_uint_eq(config->handshake_timeout_ms, 5000);
	ck_assert_uint_eq(config->write_timeout_ms, 10000);
	ck_assert_uint_eq(config->tcp_user_timeout_ms, 10000);
	ck_assert_uint_eq(config->reconnect_min_ms, 50);
	ck_assert_uint_eq(config->reconnect_max_ms, 5000);
	ck_assert_uint_eq(config->file_mode, 0640);
	ck_assert_uint_eq(config->rotate_bytes, 0);
	ck_assert_uint_eq(config->rotate_seconds, 0);
	ck_assert(config->log == NULL);
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

START_TEST(only_octets_have_suffixes_and_only_modes_are_octal)
{
	const struct dtap_option_info *info;

	for (size_t i = 0; (info = dtap_option_info_get(i)) != NULL; i++) {
		if (info->kind != DTAP_OPTION_NUMBER)
			continue;
		if (strcmp(info->unit, "octets") == 0)
			takes(info->name, "128K");
		else
			refuses(info->name, "1K");
	}
	ck_assert_uint_eq(dtap__options_get(options)->ring_bytes, 131072);
	takes("file-mode", "600");
	ck_assert_uint_eq(dtap__options_get(options)->file_mode, 0600);
	refuses("file-mode", "680");
	takes("latency-ms", "010");
	ck_assert_uint_eq(dtap__options_get(options)->latency_ms, 10);
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

START_TEST(texts_hold_any_octets)
{
	const uint8_t octets[] = { 0, 0xff, '\n', 0, 'x' };
	const struct dtap__config *config = dtap__options_get(options);

	ck_assert_int_eq(dtap_options_set_bytes(options, "identity", octets,
						sizeof(octets)),
			 DTAP_OK);
	ck_assert_uint_eq(config->identity.bytes, sizeof(octets));
	ck_assert_mem_eq(config->identity.octets, octets, sizeof(octets));
	ck_assert_uint_eq(config->version.bytes, 0);
	takes("version", "\x01\xfe");
	ck_assert_uint_eq(config->version.bytes, 2);
	ck_assert_mem_eq(config->version.octets, "\x01\xfe", 2);
	ck_assert_int_eq(dtap_options_set_bytes(options, "identity", NULL, 0),
			 DTAP_OK);
	ck_assert_uint_eq(config->identity.bytes, 0);
}
END_TEST

START_TEST(a_text_may_come_from_the_options_themselves)
{
	const struct dtap__config *config = dtap__options_get(options);

	takes("extra", "from here");
	ck_assert_int_eq(dtap_options_set_bytes(options, "extra",
						config->extra.octets + 5, 4),
			 DTAP_OK);
	ck_assert_uint_eq(config->extra.bytes, 4);
	ck_assert_mem_eq(config->extra.octets, "here", 4);
	refuses("types", "nonsense");
	failed(dtap_options_set(options, dtap_options_error(options), "x"),
	       DTAP_E_OPTION, "there is no option");
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

START_TEST(unknown_names_are_refused)
{
	static const char *const names[] = { "", "ring", "ring-bytes ",
					     "Output", "ring_bytes" };
	char *huge = long_text(1 << 20);

	remember();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		failed(dtap_options_set(options, names[i], "1"),
		       DTAP_E_OPTION, names[i]);
		failed(dtap_options_set_bytes(options, names[i], "1", 1),
		       DTAP_E_OPTION, names[i]);
		failed(dtap_options_set_number(options, names[i], 1),
		       DTAP_E_OPTION, names[i]);
	}
	failed(dtap_options_set(options, huge, "1"), DTAP_E_OPTION, "xxx...");
	free(huge);
}
END_TEST

START_TEST(null_is_refused)
{
	remember();
	failed(dtap_options_set(options, NULL, "1"), DTAP_E_INVALID, "NULL");
	failed(dtap_options_set(options, "output", NULL), DTAP_E_INVALID,
	       "NULL");
	failed(dtap_options_set_bytes(options, NULL, "1", 1), DTAP_E_INVALID,
	       "NULL");
	failed(dtap_options_set_bytes(options, "identity", NULL, 1),
	       DTAP_E_INVALID, "NULL");
	failed(dtap_options_set_number(options, NULL, 1), DTAP_E_INVALID,
	       "NULL");
	ck_assert_int_eq(dtap_options_set(NULL, "output", "file:x"),
			 DTAP_E_INVALID);
	ck_assert_int_eq(dtap_options_set_bytes(NULL, "identity", "x", 1),
			 DTAP_E_INVALID);
	ck_assert_int_eq(dtap_options_set_number(NULL, "latency-ms", 1),
			 DTAP_E_INVALID);
	ck_assert_int_eq(dtap_options_set_log(NULL, NULL, NULL),
			 DTAP_E_INVALID);
	ck_assert_str_eq(dtap_options_error(NULL), "");
	dtap_options_free(NULL);
	dtap_options_free(&(dtap_options *){ NULL });
}
END_TEST

START_TEST(errors_tell_the_option_the_value_and_what_is_allowed)
{
	static const struct {
		const char *name;
		const char *value;
		const char *error;
	} cases[] = {
		{ "ring-bytes", "12345",
		  "option \"ring-bytes\": \"12345\" is not allowed: a power "
		  "of two from 64K to 1G octets" },
		{ "loss-report", "ja\n",
		  "option \"loss-report\": \"ja\\x0a\" is not allowed: yes, "
		  "no, on, off, true or false" },
		{ "output", "tls:192.0.2.1:6000",
		  "option \"output\": \"tls:192.0.2.1:6000\" is not allowed: "
		  "this build has no TLS output" },
		{ "output", "fd:3",
		  "option \"output\": \"fd:3\" is not allowed: file:PATH, "
		  "unix:PATH, tcp:ADDRESS:PORT or tcp:[IPV6-ADDRESS]:PORT" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		refuses(cases[i].name, cases[i].value);
		ck_assert_str_eq(dtap_options_error(options), cases[i].error);
	}
	refuses_number("ring-bytes", 3072);
	ck_assert_str_eq(dtap_options_error(options),
			 "option \"ring-bytes\": \"3K\" is not allowed: a "
			 "power of two from 64K to 1G octets");
	refuses_number("bidirectional", 2);
	ck_assert_str_eq(dtap_options_error(options),
			 "option \"bidirectional\": \"2\" is not allowed: 0 "
			 "or 1");
	ck_assert_int_eq(dtap_options_set_bytes(options, "identity", "", 256),
			 DTAP_E_VALUE);
	ck_assert_str_eq(dtap_options_error(options),
			 "option \"identity\": \"256 octets\" is not allowed: "
			 "at most 255 octets");
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

START_TEST(a_log_function_can_be_set_and_taken_away)
{
	const struct dtap__config *config = dtap__options_get(options);
	/* Never called: any function will do. */
	dtap_log_function *function =
		(dtap_log_function *)(void (*)(void))abort;

	ck_assert_int_eq(dtap_options_set_log(options, function, &before),
			 DTAP_OK);
	ck_assert(config->log == function);
	ck_assert_ptr_eq(config->log_user, &before);
	ck_assert_int_eq(dtap_options_set_log(options, NULL, NULL), DTAP_OK);
	ck_assert(config->log == NULL);
	ck_assert_ptr_null(config->log_user);
}
END_TEST

static void
conflicts(const char *first, const char *second)
{
	remember();
	failed(dtap__options_check(options), DTAP_E_CONFLICT, first);
	ck_assert_ptr_nonnull(strstr(dtap_options_error(options), second));
}

START_TEST(an_output_must_be_set)
{
	conflicts("output", "is not set");
	takes("output", "unix:/run/dnstap.sock");
	ck_assert_int_eq(dtap__options_check(options), DTAP_OK);
}
END_TEST

START_TEST(minima_do_not_exceed_their_maxima)
{
	takes("output", "file:x");
	takes("reconnect-min-ms", "5001");
	conflicts("reconnect-min-ms", "reconnect-max-ms");
	takes("reconnect-max-ms", "5001");
	ck_assert_int_eq(dtap__options_check(options), DTAP_OK);
	takes("ring-bytes", "512M");
	conflicts("ring-bytes", "ring-memory-bytes");
	takes("ring-memory-bytes", "512M");
	ck_assert_int_eq(dtap__options_check(options), DTAP_OK);
}
END_TEST

START_TEST(only_files_rotate)
{
	static const char *const sockets[] = { "unix:x", "tcp:127.0.0.1:1" };

	for (size_t i = 0; i < 2; i++) {
		takes("output", sockets[i]);
		takes("rotate-bytes", "64K");
		conflicts("rotate-bytes", "file:");
		takes("rotate-bytes", "0");
		takes("rotate-seconds", "1");
		conflicts("rotate-seconds", "file:");
		takes("rotate-seconds", "0");
		ck_assert_int_eq(dtap__options_check(options), DTAP_OK);
	}
	takes("output", "file:x");
	takes("rotate-bytes", "64K");
	takes("rotate-seconds", "1");
	ck_assert_int_eq(dtap__options_check(options), DTAP_OK);
}
END_TEST

START_TEST(the_longest_texts_are_no_conflict)
{
	const struct dtap_option_info *info;

	takes("output", "file:x");
	for (size_t i = 0; (info = dtap_option_info_get(i)) != NULL; i++) {
		char *longest;

		if (info->kind != DTAP_OPTION_TEXT)
			continue;
		longest = long_text(info->max);
		takes(info->name, longest);
		free(longest);
	}
	ck_assert_int_eq(dtap__options_check(options), DTAP_OK);
}
END_TEST

START_TEST(only_live_options_change_while_a_tap_runs)
{
	const struct dtap_option_info *info;

	for (size_t i = 0; (info = dtap_option_info_get(i)) != NULL; i++) {
		dtap_options *changed = dtap_options_new();

		ck_assert_ptr_nonnull(changed);
		ck_assert_int_eq(dtap_options_set(changed, info->name,
						  another(info)),
				 DTAP_OK);
		remember();
		if (info->live)
			ck_assert_int_eq(
				dtap__options_check_live(
					options, dtap__options_get(changed)),
				DTAP_OK);
		else
			failed(dtap__options_check_live(
				       options, dtap__options_get(changed)),
			       DTAP_E_CONFLICT, info->name);
		dtap_options_free(&changed);
	}
}
END_TEST

START_TEST(an_equal_configuration_is_no_change)
{
	struct dtap__config running;

	takes("output", "tcp:[2001:db8::1]:6000");
	memset(&running, 0xaa, sizeof(running));
	running = *dtap__options_get(options);
	ck_assert_int_eq(dtap_options_set_log(options, NULL, &running),
			 DTAP_OK);
	takes("output", "file:x");
	takes("output", "tcp:[2001:db8:0::1]:6000");
	ck_assert_int_eq(dtap__options_check_live(options, &running), DTAP_OK);
	takes("output", "tcp:[2001:db8::1]:6001");
	remember();
	failed(dtap__options_check_live(options, &running), DTAP_E_CONFLICT,
	       "output");
}
END_TEST

static void
add(Suite *suite, const char *name, const TTest *test)
{
	TCase *added = tcase_create(name);

	tcase_add_checked_fixture(added, set_up, tear_down);
	tcase_add_test(added, test);
	tcase_set_timeout(added, 120);
	suite_add_tcase(suite, added);
}

#define ADD(suite, test) add((suite), #test, (test))

int
main(void)
{
	Suite *suite = suite_create("options");

	ADD(suite, defaults_are_those_of_the_table);
	ADD(suite, defaults_are_those_promised);
	ADD(suite, numbers_go_from_min_to_max);
	ADD(suite, numbers_beyond_their_limits_are_refused);
	ADD(suite, only_octets_have_suffixes_and_only_modes_are_octal);
	ADD(suite, booleans_are_words_or_0_and_1);
	ADD(suite, texts_have_up_to_max_octets);
	ADD(suite, uris_have_up_to_max_octets);
	ADD(suite, texts_hold_any_octets);
	ADD(suite, a_text_may_come_from_the_options_themselves);
	ADD(suite, choices_take_their_words);
	ADD(suite, typed_setters_know_their_kinds);
	ADD(suite, unknown_names_are_refused);
	ADD(suite, null_is_refused);
	ADD(suite, errors_tell_the_option_the_value_and_what_is_allowed);
	ADD(suite, values_of_any_length_are_refused_shortly);
	ADD(suite, a_log_function_can_be_set_and_taken_away);
	ADD(suite, an_output_must_be_set);
	ADD(suite, minima_do_not_exceed_their_maxima);
	ADD(suite, only_files_rotate);
	ADD(suite, the_longest_texts_are_no_conflict);
	ADD(suite, only_live_options_change_while_a_tap_runs);
	ADD(suite, an_equal_configuration_is_no_change);
	return support_run(suite);
}
