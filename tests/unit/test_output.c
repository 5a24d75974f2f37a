/* SPDX-License-Identifier: Apache-2.0 */
#include "output/output.h"

#include <errno.h>
#include <string.h>

#include "support/support.h"

START_TEST(failure_says_who_what_and_why)
{
	struct dtap__output output = {0};

	ck_assert_int_eq(dtap__output_fail(&output, ENOENT, "/run/x.sock",
					   "cannot connect"),
			 DTAP_E_SYSTEM);
	ck_assert_int_eq(output.system_errno, ENOENT);
	ck_assert_str_eq(
		output.error,
		"/run/x.sock: cannot connect: No such file or directory");
}
END_TEST

START_TEST(failure_without_errno_claims_no_success)
{
	struct dtap__output output = {.system_errno = ENOENT};

	dtap__output_fail(&output, 0, "peer", "closed the connection");
	ck_assert_int_eq(output.system_errno, 0);
	ck_assert_str_eq(output.error, "peer: closed the connection");
}
END_TEST

START_TEST(long_name_keeps_its_end_and_the_reason)
{
	static const char end[] =
		"/the-end: may not have reached the disk: File name too long";
	struct dtap__output output = {0};
	char name[4000];
	size_t bytes;

	memset(name, 'x', sizeof(name));
	strcpy(name + sizeof(name) - sizeof("/the-end"), "/the-end");
	dtap__output_fail(&output, ENAMETOOLONG, name,
			  "may not have reached the disk");
	bytes = strlen(output.error);
	ck_assert_uint_lt(bytes, sizeof(output.error) - 1);
	ck_assert_int_eq(strncmp(output.error, "...xxx", 6), 0);
	ck_assert_str_eq(output.error + bytes - strlen(end), end);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("output");

	support_add(suite, failure_says_who_what_and_why);
	support_add(suite, failure_without_errno_claims_no_success);
	support_add(suite, long_name_keeps_its_end_and_the_reason);
	return support_run(suite);
}
