/* SPDX-License-Identifier: Apache-2.0 */
#include <dnstap/result.h>
#include <dnstap/version.h>

#include <string.h>

#include "support/support.h"

START_TEST(every_result_has_a_name_and_a_text_of_its_own)
{
	for (int i = DTAP_E_CLOSED; i <= DTAP_END; i++) {
		enum dtap_result result = (enum dtap_result)i;

		ck_assert_str_ne(dtap_result_name(result), "DTAP_E_?");
		ck_assert_str_ne(dtap_result_text(result), "unknown result");
		for (int other = DTAP_E_CLOSED; other < i; other++) {
			ck_assert_str_ne(dtap_result_name(result),
					 dtap_result_name(other));
			ck_assert_str_ne(dtap_result_text(result),
					 dtap_result_text(other));
		}
	}
	ck_assert_str_eq(dtap_result_name(DTAP_OK), "DTAP_OK");
	ck_assert_str_eq(dtap_result_name(DTAP_E_FULL), "DTAP_E_FULL");
}
END_TEST

START_TEST(a_result_of_another_version_has_words_too)
{
	ck_assert_str_eq(dtap_result_name((enum dtap_result)-1000),
			 "DTAP_E_?");
	ck_assert_str_eq(dtap_result_text((enum dtap_result)99),
			 "unknown result");
}
END_TEST

START_TEST(a_text_is_a_sentence_without_its_full_stop)
{
	for (int i = DTAP_E_CLOSED; i <= DTAP_END; i++) {
		const char *text = dtap_result_text((enum dtap_result)i);

		ck_assert_uint_gt(strlen(text), 0);
		ck_assert_int_ne(text[strlen(text) - 1], '.');
	}
}
END_TEST

START_TEST(the_loaded_version_is_the_one_built)
{
	ck_assert_str_eq(dtap_version(), DTAP_VERSION);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("result");

	support_add(suite, every_result_has_a_name_and_a_text_of_its_own);
	support_add(suite, a_result_of_another_version_has_words_too);
	support_add(suite, a_text_is_a_sentence_without_its_full_stop);
	support_add(suite, the_loaded_version_is_the_one_built);
	return support_run(suite);
}
