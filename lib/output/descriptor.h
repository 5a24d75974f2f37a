/* SPDX-License-Identifier: Apache-2.0 */
/*
 * descriptor.h: a file descriptor that knows which file it stands for.
 *
 * fd is -1 when there is none. Used by output. One thread per descriptor;
 * never blocks, but for what close() does.
 */
#ifndef DTAP_OUTPUT_DESCRIPTOR_H
#define DTAP_OUTPUT_DESCRIPTOR_H

#include <stdbool.h>
#include <sys/types.h>

struct dtap__descriptor {
	int fd;
	dev_t device;
	ino_t inode;
};

void
dtap__descriptor_init(struct dtap__descriptor *descriptor);

/*
 * Takes over fd (which is not negative), moved away from the standard
 * descriptors. 0, or an errno with fd closed.
 */
int
dtap__descriptor_adopt(struct dtap__descriptor *descriptor, int fd);

/*
 * Whether fd still is the file that was adopted; forgets it when not. A file
 * that cannot be asked is taken for the same.
 */
bool
dtap__descriptor_check(struct dtap__descriptor *descriptor);

/* Whether path itself, not what a link there leads to, is this file. */
bool
dtap__descriptor_is_at(const struct dtap__descriptor *descriptor,
		       const char *path);

/* Closes fd if it still is ours; accepts a closed one. */
void
dtap__descriptor_close(struct dtap__descriptor *descriptor);

#endif
