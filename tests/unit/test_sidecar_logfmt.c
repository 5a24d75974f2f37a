/* SPDX-License-Identifier: Apache-2.0 */
/* logfmt.c: pairs, quotes, and what does not fit. */
#include "sidecar/logfmt.h"

#include <stdlib.h>
#include <string.h>

#include "support/support.h"

static char text[LOGFMT_BYTES];

static const char *
written(const char *value)
{
	struct logfmt logfmt;

	logfmt_init(&logfmt, text, sizeof(text));
	logfmt_string(&logfmt, "k", value);
	ck_assert_uint_eq(logfmt.used, strlen(text));
	return text;
}

START_TEST(plain_values_stand_bare)
{
	ck_assert_str_eq(written("unbound"), "k=unbound");
	ck_assert_str_eq(written("/system.slice/a@b:c.service"),
			 "k=/system.slice/a@b:c.service");
	ck_assert_str_eq(written("b\xc3\xbc\xf0\x9f\x90\xa7"),
			 "k=b\xc3\xbc\xf0\x9f\x90\xa7");
	ck_assert_str_eq(written(""), "");
}
END_TEST

START_TEST(others_are_quoted)
{
	ck_assert_str_eq(written("a b"), "k=\"a b\"");
	ck_assert_str_eq(written("a=b"), "k=\"a=b\"");
	ck_assert_str_eq(written("a\"b"), "k=\"a\\\"b\"");
	ck_assert_str_eq(written("a\\b"), "k=\"a\\\\b\"");
	ck_assert_str_eq(written("x pid=1 \"y"), "k=\"x pid=1 \\\"y\"");
}
END_TEST

START_TEST(nothing_ends_the_line_or_moves_the_cursor)
{
	ck_assert_str_eq(written("a\nb\x1b[2J\x7f"),
			 "k=\"a\\u000ab\\u001b[2J\\u007f\"");
	/* CSI and NEL of C1; the separators of lines and paragraphs. */
	ck_assert_str_eq(written("\xc2\x9b\xc2\x85"), "k=\"\\u009b\\u0085\"");
	ck_assert_str_eq(written("\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa"),
			 "k=\"\\u2028\\u2029\xe2\x80\xaa\"");
	for (int c = 1; c < 0x20; c++) {
		char value[2] = { (char)c, '\0' };

		ck_assert_uint_eq(strlen(written(value)), 10);
		ck_assert_ptr_nonnull(strstr(text, "=\"\\u00"));
	}
}
END_TEST

START_TEST(what_is_not_utf8_becomes_harmless)
{
	ck_assert_str_eq(written("a\xff"), "k=\"a\\ufffd\"");
	/* Cut off, too long, a surrogate. */
	ck_assert_str_eq(written("\xe2\x80"), "k=\"\\ufffd\\ufffd\"");
	ck_assert_str_eq(written("\xc0\xaf"), "k=\"\\ufffd\\ufffd\"");
	ck_assert_str_eq(written("\xed\xa0\x80"),
			 "k=\"\\ufffd\\ufffd\\ufffd\"");
}
END_TEST

START_TEST(numbers_are_decimal)
{
	struct logfmt logfmt;

	logfmt_init(&logfmt, text, sizeof(text));
	logfmt_number(&logfmt, "a", 0);
	logfmt_number(&logfmt, "b", UINT64_MAX);
	ck_assert_str_eq(text, "a=0 b=18446744073709551615");
}
END_TEST

START_TEST(a_pair_fits_or_is_left_out)
{
	static const char all[] = "a=12 b=\"x \\u0001\" c=yy d=3";

	for (size_t room = 1; room <= sizeof(all); room++) {
		struct logfmt logfmt;
		char *cut = malloc(room);
		char *at;

		ck_assert_ptr_nonnull(cut);
		logfmt_init(&logfmt, cut, room);
		logfmt_number(&logfmt, "a", 12);
		logfmt_string(&logfmt, "b", "x \1");
		logfmt_string(&logfmt, "c", "yy");
		logfmt_number(&logfmt, "d", 3);
		ck_assert_uint_lt(logfmt.used, room);
		ck_assert_uint_eq(strlen(cut), logfmt.used);
		/* Each that is there is there as a whole. */
		at = cut;
		if (strncmp(at, "a=12", 4) == 0)
			at += at[4] == ' ' ? 5 : 4;
		if (strncmp(at, "b=\"x \\u0001\"", 12) == 0)
			at += at[12] == ' ' ? 13 : 12;
		if (strncmp(at, "c=yy", 4) == 0)
			at += at[4] == ' ' ? 5 : 4;
		if (strncmp(at, "d=3", 3) == 0)
			at += 3;
		ck_assert_str_eq(at, "");
		if (room == sizeof(all))
			ck_assert_str_eq(cut, all);
		else
			ck_assert_str_ne(cut, all);
		free(cut);
	}
}
END_TEST

START_TEST(what_is_known_of_a_message)
{
	struct packet_owner owner = {
		.pid = 123, .uid = 105, .netns = 4026531840, .comm = "unbound"
	};
	struct identity identity = {
		.exe = "unbound",
		.cgroup = "/system.slice/unbound.service",
		.container = "3f4e",
	};
	static const char expected[] =
		"pid=123 exe=unbound comm=unbound uid=105 "
		"cgroup=/system.slice/unbound.service container=3f4e "
		"netns=4026531840 confidence=learnt event=unanswered";

	ck_assert_uint_eq(logfmt_extra(text, sizeof(text), &owner, &identity,
				       ROLE_LEARNT, "unanswered"),
			  sizeof(expected) - 1);
	ck_assert_str_eq(text, expected);
}
END_TEST

START_TEST(what_is_not_known_is_left_out)
{
	struct packet_owner owner = { .pid = 0 };
	struct identity identity = { .exe = "" };

	logfmt_extra(text, sizeof(text), &owner, &identity, ROLE_GUESSED,
		     NULL);
	ck_assert_str_eq(text, "confidence=guessed");
	/* The superuser is known. */
	owner.pid = 1;
	logfmt_extra(text, sizeof(text), &owner, &identity, ROLE_TOLD, NULL);
	ck_assert_str_eq(text, "pid=1 uid=0 confidence=told");
}
END_TEST

START_TEST(the_longest_values_fit)
{
	struct packet_owner owner = {
		.pid = UINT32_MAX, .uid = UINT32_MAX, .netns = UINT64_MAX
	};
	struct identity identity;

	memset(identity.exe, 'e', sizeof(identity.exe) - 1);
	memset(identity.cgroup, 'c', sizeof(identity.cgroup) - 1);
	memset(identity.container, 'o', sizeof(identity.container) - 1);
	identity.exe[sizeof(identity.exe) - 1] = '\0';
	identity.cgroup[sizeof(identity.cgroup) - 1] = '\0';
	identity.container[sizeof(identity.container) - 1] = '\0';
	memset(owner.comm, 'm', sizeof(owner.comm) - 1);
	logfmt_extra(text, sizeof(text), &owner, &identity, ROLE_GUESSED,
		     "unanswered");
	ck_assert_ptr_nonnull(strstr(text, " container=o"));
	ck_assert_ptr_nonnull(strstr(text, " event=unanswered"));
}
END_TEST

#define CONTAINER_ID \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* Whatever the length of one of its names. */
static void
check_names(struct identity *identity, char name[IDENTITY_TEXT_BYTES])
{
	struct packet_owner owner = {
		.pid = UINT32_MAX, .uid = UINT32_MAX, .netns = UINT64_MAX
	};

	memset(owner.comm, 1, sizeof(owner.comm) - 1);
	for (size_t bytes = 1; bytes < IDENTITY_TEXT_BYTES; bytes++) {
		memset(name, 1, bytes);
		name[bytes] = '\0';
		logfmt_extra(text, sizeof(text), &owner, identity,
			     ROLE_GUESSED, "unanswered");
		ck_assert_ptr_nonnull(strstr(text, " uid=4294967295 "));
		ck_assert_ptr_nonnull(
			strstr(text, " container=" CONTAINER_ID
				     " netns=18446744073709551615"
				     " confidence=guessed event=unanswered"));
	}
}

/* A process chooses its names, and its user those of cgroups. */
START_TEST(no_name_drives_out_what_others_say)
{
	struct identity identity = { .exe = "x", .container = CONTAINER_ID };

	check_names(&identity, identity.cgroup);
	strcpy(identity.cgroup, "/x");
	check_names(&identity, identity.exe);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("sidecar logfmt");

	support_add(suite, plain_values_stand_bare);
	support_add(suite, others_are_quoted);
	support_add(suite, nothing_ends_the_line_or_moves_the_cursor);
	support_add(suite, what_is_not_utf8_becomes_harmless);
	support_add(suite, numbers_are_decimal);
	support_add(suite, a_pair_fits_or_is_left_out);
	support_add(suite, what_is_known_of_a_message);
	support_add(suite, what_is_not_known_is_left_out);
	support_add(suite, the_longest_values_fit);
	support_add(suite, no_name_drives_out_what_others_say);
	return support_run(suite);
}
