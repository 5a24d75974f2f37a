/* SPDX-License-Identifier: Apache-2.0 */
#include <dnstap/options.h>

#include "options_fixture.h"

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

int
main(void)
{
	Suite *suite = suite_create("options");

	ADD(suite, defaults_are_those_promised);
	ADD(suite, only_octets_have_suffixes_and_only_modes_are_octal);
	ADD(suite, texts_hold_any_octets);
	ADD(suite, a_text_may_come_from_the_options_themselves);
	ADD(suite, unknown_names_are_refused);
	ADD(suite, null_is_refused);
	ADD(suite, errors_tell_the_option_the_value_and_what_is_allowed);
	ADD(suite, a_log_function_can_be_set_and_taken_away);
	return support_run(suite);
}
