/* SPDX-License-Identifier: Apache-2.0 */
#include "config/options_parse.h"


#include <dnstap/event.h>

#include "base/compiler.h"
#include "support/support.h"

typedef enum dtap_result
number_parser(const char *text, uint64_t *number);

struct number_case {
	const char *text;
	uint64_t number;
};

static void
takes(number_parser *parse, const struct number_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t number = 0;

		ck_assert_msg(parse(cases[i].text, &number) == DTAP_OK,
			      "\"%s\" is refused", cases[i].text);
		ck_assert_uint_eq(number, cases[i].number);
	}
}

static void
refuses(number_parser *parse, const char *const *texts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t number = 4711;

		ck_assert_msg(parse(texts[i], &number) == DTAP_E_VALUE,
			      "\"%s\" is taken", texts[i]);
		ck_assert_uint_eq(number, 4711);
	}
}

/* What is no number in any notation. */
static const char *const never_numbers[] = {
	"", " ", "-", "+", "-1", "+1", "-0", " 1", "1 ", "1\n", "\t1", "1,0",
	"1.0", "1e3", "0x10", "0X10", "0b1", "x", "ten", "1_000", "1ms", "\xb2",
	"99999999999999999999999999999999999999999999999999", "K", "1B", "1T",
	"1KB", "1KK", "1 K", "K1", "1-", "/", ":",
};

START_TEST(decimal_takes_digits_only)
{
	static const struct number_case good[] = {
		{ "0", 0 },
		{ "1", 1 },
		{ "000", 0 },
		{ "010", 10 },
		{ "0000000000000000000000000000000089", 89 },
		{ "1234567890", 1234567890 },
		{ "18446744073709551615", UINT64_MAX },
	};
	static const char *const bad[] = {
		"18446744073709551616", "18446744073709551620",
		"184467440737095516150", "1K", "1M", "1G", "1k",
	};

	takes(dtap__options_parse_decimal, good, DTAP__COUNT_OF(good));
	refuses(dtap__options_parse_decimal, bad, DTAP__COUNT_OF(bad));
	refuses(dtap__options_parse_decimal, never_numbers,
		DTAP__COUNT_OF(never_numbers));
}
END_TEST

START_TEST(octal_takes_octal_digits_only)
{
	static const struct number_case good[] = {
		{ "0", 0 },
		{ "640", 0640 },
		{ "0640", 0640 },
		{ "00000640", 0640 },
		{ "1777777777777777777777", UINT64_MAX },
	};
	static const char *const bad[] = {
		"8", "648", "0o640", "2000000000000000000000", "640K",
		"u=rw", "9",
	};

	takes(dtap__options_parse_octal, good, DTAP__COUNT_OF(good));
	refuses(dtap__options_parse_octal, bad, DTAP__COUNT_OF(bad));
	refuses(dtap__options_parse_octal, never_numbers,
		DTAP__COUNT_OF(never_numbers));
}
END_TEST

START_TEST(octets_may_end_in_a_power_of_1024)
{
	static const struct number_case good[] = {
		{ "0", 0 },
		{ "0K", 0 },
		{ "65536", 65536 },
		{ "1K", 1024 },
		{ "1k", 1024 },
		{ "64K", 65536 },
		{ "064K", 65536 },
		{ "1M", 1048576 },
		{ "3m", 3145728 },
		{ "1G", 1073741824 },
		{ "2g", UINT64_C(2147483648) },
		{ "17179869183G", UINT64_C(17179869183) << 30 },
		{ "18014398509481983K", UINT64_C(18014398509481983) << 10 },
	};
	static const char *const bad[] = {
		"17179869184G", "17592186044416M", "18014398509481984K",
		"18446744073709551615K", "18446744073709551616",
	};

	takes(dtap__options_parse_octets, good, DTAP__COUNT_OF(good));
	refuses(dtap__options_parse_octets, bad, DTAP__COUNT_OF(bad));
	refuses(dtap__options_parse_octets, never_numbers,
		DTAP__COUNT_OF(never_numbers));
}
END_TEST

START_TEST(booleans_are_six_words)
{
	static const char *const yes[] = { "yes", "on", "true" };
	static const char *const no[] = { "no", "off", "false" };
	static const char *const bad[] = {
		"", "1", "0", "y", "n", "YES", "No", "yes ", " no", "yesno",
		"yes|no", "|", "tru", "truee",
	};
	bool truth;

	for (size_t i = 0; i < DTAP__COUNT_OF(yes); i++) {
		truth = false;
		ck_assert_int_eq(dtap__options_parse_boolean(yes[i], &truth),
				 DTAP_OK);
		ck_assert(truth);
		ck_assert_int_eq(dtap__options_parse_boolean(no[i], &truth),
				 DTAP_OK);
		ck_assert(!truth);
	}
	for (size_t i = 0; i < DTAP__COUNT_OF(bad); i++) {
		truth = true;
		ck_assert_msg(dtap__options_parse_boolean(bad[i], &truth) ==
				      DTAP_E_VALUE,
			      "\"%s\" is taken", bad[i]);
		ck_assert(truth);
	}
}
END_TEST

START_TEST(a_choice_is_one_whole_word)
{
	static const char words[] = "auto|mirrored|wrap";
	static const char *const good[] = { "auto", "mirrored", "wrap" };
	static const char *const bad[] = {
		"", "aut", "autoo", "mirror", "wrap ", "Wrap", "|",
		"auto|mirrored", "auto|", "|wrap",
	};
	int index;

	for (size_t i = 0; i < DTAP__COUNT_OF(good); i++) {
		index = -1;
		ck_assert_int_eq(dtap__options_parse_choice(good[i], words,
							    &index),
				 DTAP_OK);
		ck_assert_int_eq(index, (int)i);
	}
	for (size_t i = 0; i < DTAP__COUNT_OF(bad); i++) {
		index = -1;
		ck_assert_msg(dtap__options_parse_choice(bad[i], words,
							 &index) ==
				      DTAP_E_VALUE,
			      "\"%s\" is taken", bad[i]);
		ck_assert_int_eq(index, -1);
	}
}
END_TEST

START_TEST(types_are_all_none_or_a_list)
{
	const uint32_t cq = UINT32_C(1) << DTAP_CLIENT_QUERY;
	const uint32_t cr = UINT32_C(1) << DTAP_CLIENT_RESPONSE;
	const uint32_t ur = UINT32_C(1) << DTAP_UPDATE_RESPONSE;
	const struct {
		const char *text;
		uint32_t types;
	} cases[] = {
		{ "all", 0x7ffe },
		{ "none", 0 },
		{ "CQ", cq },
		{ "CQ,CR", cq | cr },
		{ "CR,CQ", cq | cr },
		{ "CQ,CQ,CR,CQ", cq | cr },
		{ "cq,cR,Ur", cq | cr | ur },
		{ "AQ,AR,RQ,RR,CQ,CR,FQ,FR,SQ,SR,TQ,TR,UQ,UR", 0x7ffe },
	};

	for (size_t i = 0; i < DTAP__COUNT_OF(cases); i++) {
		uint32_t types = 1;

		ck_assert_msg(dtap__options_parse_types(cases[i].text,
							&types) == DTAP_OK,
			      "\"%s\" is refused", cases[i].text);
		ck_assert_uint_eq(types, cases[i].types);
	}
}
END_TEST

START_TEST(each_mnemonic_is_the_bit_of_its_type)
{
	for (unsigned int type = DTAP_AUTH_QUERY; type <= DTAP_UPDATE_RESPONSE;
	     type++) {
		const char *mnemonic = dtap_message_type_mnemonic(type);
		uint32_t types = 0;

		ck_assert_int_eq(dtap__options_parse_types(mnemonic, &types),
				 DTAP_OK);
		ck_assert_uint_eq(types, UINT32_C(1) << type);
	}
}
END_TEST

START_TEST(types_refuse_the_rest)
{
	static const char *const bad[] = {
		"", ",", "C", "CQX", "??", "XX", "CQ,", ",CQ", "CQ,,CR",
		"CQ, CR", " CQ", "CQ ", "CQ;CR", "CQ CR", "CQ,XX", "all,CQ",
		"CQ,none", "CLIENT_QUERY", "5", "ALL",
	};

	for (size_t i = 0; i < DTAP__COUNT_OF(bad); i++) {
		uint32_t types = 4711;

		ck_assert_msg(dtap__options_parse_types(bad[i], &types) ==
				      DTAP_E_VALUE,
			      "\"%s\" is taken", bad[i]);
		ck_assert_uint_eq(types, 4711);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("options_parse");

	support_add(suite, decimal_takes_digits_only);
	support_add(suite, octal_takes_octal_digits_only);
	support_add(suite, octets_may_end_in_a_power_of_1024);
	support_add(suite, booleans_are_six_words);
	support_add(suite, a_choice_is_one_whole_word);
	support_add(suite, types_are_all_none_or_a_list);
	support_add(suite, each_mnemonic_is_the_bit_of_its_type);
	support_add(suite, types_refuse_the_rest);
	return support_run(suite);
}
