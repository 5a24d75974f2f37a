/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scratch.c: see scratch.h. A test that fails leaves its directory behind,
 * for somebody to look into.
 */
#include "support/scratch.h"

#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char scratch_path[] = "scratch-XXXXXX";

void
scratch_enter(void)
{
	ck_assert_ptr_nonnull(mkdtemp(scratch_path));
	ck_assert_int_eq(chdir(scratch_path), 0);
}

static int
scratch_remove(const char *path, const struct stat *status, int kind,
	       struct FTW *where)
{
	(void)status;
	(void)kind;
	(void)where;
	return remove(path);
}

void
scratch_leave(void)
{
	ck_assert_int_eq(chdir(".."), 0);
	ck_assert_int_eq(
		nftw(scratch_path, scratch_remove, 8, FTW_DEPTH | FTW_PHYS), 0);
}

void
scratch_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

void
scratch_expect(const char *path, const char *text)
{
	char found[4096];
	FILE *file = fopen(path, "r");
	size_t bytes;

	ck_assert_msg(file != NULL, "%s is missing", path);
	bytes = fread(found, 1, sizeof(found) - 1, file);
	found[bytes] = '\0';
	fclose(file);
	ck_assert_str_eq(found, text);
	ck_assert_uint_eq(bytes, strlen(text));
}

bool
scratch_exists(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0;
}
