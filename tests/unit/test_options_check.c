/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include "options_fixture.h"

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

int
main(void)
{
	Suite *suite = suite_create("options_check");

	ADD(suite, an_output_must_be_set);
	ADD(suite, minima_do_not_exceed_their_maxima);
	ADD(suite, only_files_rotate);
	ADD(suite, the_longest_texts_are_no_conflict);
	ADD(suite, only_live_options_change_while_a_tap_runs);
	ADD(suite, an_equal_configuration_is_no_change);
	return support_run(suite);
}
