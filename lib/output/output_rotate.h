/* SPDX-License-Identifier: Apache-2.0 */
/*
 * output_rotate.h: what a file is called, and what happens to the one that
 * already has the name.
 *
 * Results are 0 or an errno. Used by output_file. Any thread; no state, no
 * allocation; blocks as long as the file system does.
 */
#ifndef DTAP_OUTPUT_OUTPUT_ROTATE_H
#define DTAP_OUTPUT_OUTPUT_ROTATE_H

#include <stddef.h>
#include <time.h>

/*
 * Expands a strftime pattern in UTC. ENAMETOOLONG when it does not fit into
 * room octets with its zero, EINVAL when it expands to nothing.
 */
int
dtap__output_rotate_name(const char *pattern, time_t now, char *into,
			 size_t room);

/*
 * Renames the regular file at path to PATH.1, or to the number above the
 * highest PATH.n that is there. Never overwrites, never follows a link, never
 * touches a file that a writer holds locked. A path that names nothing is a
 * success. On failure *problem says in words what is wrong.
 */
int
dtap__output_rotate_move_aside(const char *path, const char **problem);

/*
 * Renames without overwriting where renameat2() cannot: for a moment the
 * file has both names. Only for rotation itself and its test.
 */
int
dtap__output_rotate_by_link(const char *from, const char *to);

#endif
