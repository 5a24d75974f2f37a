/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity_container.c: the container's id in a path of a cgroup.
 *
 *	Docker      /docker/ID            .../docker-ID.scope
 *	containerd  /kubepods/.../pod.../ID   .../cri-containerd-ID.scope
 *	            .../SLICE:cri-containerd:ID
 *	CRI-O       .../crio-ID.scope
 *	Podman      .../libpod-ID.scope   .../libpod-ID.scope/container
 *	LXC         /lxc.payload.NAME
 *	nspawn      /machine.slice/systemd-nspawn@NAME.service/payload
 *	            /machine.slice/machine-NAME.scope
 *
 * ID is 64 hexadecimal digits. What watches over a container (conmon) has
 * the container's ID in its cgroup, too, and is not in the container.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "sidecar/identity.h"

#define ID_DIGITS 64

struct segment {
	const char *text;
	size_t bytes;
};

static bool
segment_drop_suffix(struct segment *segment, const char *suffix)
{
	size_t bytes = strlen(suffix);

	if (segment->bytes < bytes ||
	    memcmp(segment->text + segment->bytes - bytes, suffix, bytes) != 0)
		return false;
	segment->bytes -= bytes;
	return true;
}

static bool
segment_drop_prefix(struct segment *segment, const char *prefix)
{
	size_t bytes = strlen(prefix);

	if (segment->bytes < bytes ||
	    memcmp(segment->text, prefix, bytes) != 0)
		return false;
	segment->text += bytes;
	segment->bytes -= bytes;
	return true;
}

/* Leaves the ID alone in the segment. */
static bool
segment_is_id(struct segment *segment)
{
	static const char digits[] = "0123456789abcdef";
	struct segment before = *segment;

	if (segment->bytes < ID_DIGITS)
		return false;
	segment->text += segment->bytes - ID_DIGITS;
	before.bytes = segment->bytes - ID_DIGITS;
	segment->bytes = ID_DIGITS;
	if (strspn(segment->text, digits) < ID_DIGITS)
		return false;
	if (before.bytes == 0)
		return true;
	return !segment_drop_suffix(&before, "conmon-") &&
	       (segment_drop_suffix(&before, "-") ||
		segment_drop_suffix(&before, ":"));
}

/* Leaves the name alone in the segment. */
static bool
segment_is_named(struct segment *segment, bool scope)
{
	struct segment whole = *segment;

	if (scope && segment_drop_prefix(segment, "machine-"))
		return true;
	if (segment_drop_prefix(segment, "systemd-nspawn@") &&
	    segment_drop_suffix(segment, ".service"))
		return true;
	*segment = whole;
	return segment_drop_prefix(segment, "lxc.payload.");
}

/* systemd writes what cannot be in a unit's name as \x2d. */
static void
copy_unescaped(char *to, size_t room, const struct segment *segment)
{
	static const char escape[] = "\\x2d";
	size_t at = 0;
	size_t out = 0;

	while (at < segment->bytes && out + 1 < room) {
		bool escaped = segment->bytes - at >= sizeof(escape) - 1 &&
			       memcmp(segment->text + at, escape,
				      sizeof(escape) - 1) == 0;

		to[out++] = escaped ? '-' : segment->text[at];
		at += escaped ? sizeof(escape) - 1 : 1;
	}
	to[out] = '\0';
}

static bool
segment_container(struct segment segment, char *container, size_t bytes)
{
	bool scope = segment_drop_suffix(&segment, ".scope");
	struct segment id = segment;

	if (segment_is_id(&id)) {
		snprintf(container, bytes, "%.*s", (int)id.bytes, id.text);
		return true;
	}
	if (!segment_is_named(&segment, scope))
		return false;
	copy_unescaped(container, bytes, &segment);
	return true;
}

/* The innermost counts: containers may hold others. */
void
identity_container(const char *cgroup, char *container, size_t bytes)
{
	const char *end = cgroup + strlen(cgroup);

	container[0] = '\0';
	while (end > cgroup) {
		const char *begin = end;

		while (begin > cgroup && begin[-1] != '/')
			begin--;
		if (segment_container((struct segment){
				      begin, (size_t)(end - begin) },
				      container, bytes))
			return;
		end = begin > cgroup ? begin - 1 : cgroup;
	}
}
