/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cat_file.h: reads one file, pipe or standard input ("-").
 */
#ifndef DTAP_TOOLS_CAT_FILE_H
#define DTAP_TOOLS_CAT_FILE_H

#include "cat/cat.h"

void
cat_file_read(struct cat *cat, const char *path);

#endif
