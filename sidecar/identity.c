/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity.c: what is known of a process, from /proc and its cgroup.
 *
 * A slot for each pid, as pid modulo the number of slots: they are given out
 * one after the other. A slot is good for a second without any system call,
 * unless the kernel part tells something new; then the start time says
 * whether it is still the same process. The executable comes from the kernel
 * part, else from /proc/PID/exe, which only some may read, else from argv[0].
 *
 * The path of a cgroup is that of /proc/PID/cgroup, if its directory has the
 * inode that the kernel part told. For a process that is gone, the hierarchy
 * is searched for the inode: bounded, once a second at most, and for no more
 * than a twentieth of the time. What was not found is looked for again, as
 * often as the slot is looked at.
 */
#include "sidecar/identity.h"

#include <dirent.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SLOTS 1024
#define CHECK_NS UINT64_C(1000000000)
#define SEARCH_DIRECTORIES_MAX 8192
#define SEARCH_DEPTH_MAX 32
/* After a search, as many times as long as it took. */
#define SEARCH_PAUSES 20
#define FILE_BYTES 4096
#define CGROUP_DEFAULT "/sys/fs/cgroup"

struct identity_slot {
	uint32_t pid;
	uint64_t start_ticks; /* of the process; 0: was gone already */
	uint64_t checked_ns;
	struct packet_owner owner; /* as it was told */
	struct identity identity;
};

struct identity_table {
	char root[FILE_BYTES]; /* where cgroup v2 is mounted */
	dev_t device;          /* that it is */
	uint64_t search_again_ns;
	struct identity_slot unknown;
	struct identity_slot slots[SLOTS];
};

static void
copy_text(char *to, const char *from, size_t bytes)
{
	if (bytes > IDENTITY_TEXT_BYTES - 1)
		bytes = IDENTITY_TEXT_BYTES - 1;
	bytes = strnlen(from, bytes);
	memcpy(to, from, bytes);
	to[bytes] = '\0';
}

static uint64_t
monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Reads a file of /proc/PID; its text, "" if it cannot be read. */
static size_t
read_proc(uint32_t pid, const char *name, char text[FILE_BYTES])
{
	char path[64];
	ssize_t got = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		got = read(fd, text, FILE_BYTES - 1);
		close(fd);
	}
	text[got > 0 ? got : 0] = '\0';
	return got > 0 ? (size_t)got : 0;
}

/* Field 22 of /proc/PID/stat; the second, the name, may hold anything. */
static uint64_t
read_start(uint32_t pid)
{
	char text[FILE_BYTES];
	unsigned long long ticks = 0;
	char *field;

	read_proc(pid, "stat", text);
	field = strrchr(text, ')');
	for (int i = 2; field != NULL && i < 22; i++)
		field = strchr(field + 1, ' ');
	if (field != NULL)
		ticks = strtoull(field + 1, NULL, 10);
	return ticks;
}

/* The file name in a path, without what the kernel adds to it. */
static void
set_exe(struct identity *identity, const char *path, size_t bytes)
{
	static const char gone[] = " (deleted)";
	const size_t gone_bytes = sizeof(gone) - 1;
	size_t begin;

	if (bytes > gone_bytes &&
	    memcmp(path + bytes - gone_bytes, gone, gone_bytes) == 0)
		bytes -= gone_bytes;
	for (begin = bytes; begin > 0 && path[begin - 1] != '/'; begin--)
		continue;
	copy_text(identity->exe, path + begin, bytes - begin);
}

static void
read_exe(struct identity_slot *slot)
{
	struct identity *identity = &slot->identity;
	char text[FILE_BYTES];
	char path[64];
	ssize_t bytes;

	snprintf(path, sizeof(path), "/proc/%u/exe", slot->pid);
	bytes = readlink(path, text, sizeof(text));
	if (bytes > 0)
		set_exe(identity, text, (size_t)bytes);
	/* Whose name begins otherwise is another process: the number is of
	 * another namespace, or has been used again. */
	if (bytes > 0 && strncmp(identity->exe, slot->owner.exe,
				 strlen(slot->owner.exe)) == 0)
		return;
	/* A cut name is still better than what a process calls itself. */
	if (slot->owner.exe[0] != '\0')
		copy_text(identity->exe, slot->owner.exe, PACKET_EXE_BYTES);
	else if (read_proc(slot->pid, "cmdline", text) > 0)
		set_exe(identity, text, strcspn(text, " :"));
}

/* The path may be longer than what is kept of it. */
static void
set_cgroup(struct identity *identity, const char *path)
{
	copy_text(identity->cgroup, path, strlen(path));
	identity_container(path, identity->container,
			   sizeof(identity->container));
}

static bool
has_inode(const struct identity_table *table, const char *cgroup,
	  uint64_t inode)
{
	char path[2 * FILE_BYTES];
	struct stat status;

	snprintf(path, sizeof(path), "%s%s", table->root, cgroup);
	return stat(path, &status) == 0 && status.st_ino == inode &&
	       status.st_dev == table->device;
}

/* What follows "0::" in /proc/PID/cgroup; NULL if it says nothing. */
static char *
proc_cgroup(uint32_t pid, char text[FILE_BYTES])
{
	char *line;

	read_proc(pid, "cgroup", text);
	line = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
	if (line == NULL)
		return NULL;
	line = strchr(line, ':') + 2;
	line[strcspn(line, "\n")] = '\0';
	return line;
}

/* A directory below the root, and what is looked for. */
struct search {
	const struct identity_table *table;
	char path[FILE_BYTES];
	uint64_t inode;
	int left; /* directories to look at */
};

/* Leaves the path of the directory with the inode, in or below that which the
 * path leads to. Numbers and types are in the directories: stat() is only for
 * the one that is found, as other file systems may be mounted in between. */
static bool
search_below(struct search *search, int depth)
{
	size_t root_bytes = strlen(search->table->root);
	size_t bytes = strlen(search->path);
	DIR *directory = opendir(search->path);
	const struct dirent *entry;
	bool found = false;

	while (!found && directory != NULL && search->left > 0 &&
	       (entry = readdir(directory)) != NULL) {
		if (entry->d_type != DT_DIR ||
		    strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		search->left--;
		snprintf(search->path + bytes, sizeof(search->path) - bytes,
			 "/%s", entry->d_name);
		found = (entry->d_ino == search->inode &&
			 has_inode(search->table, search->path + root_bytes,
				   search->inode)) ||
			(depth < SEARCH_DEPTH_MAX &&
			 search_below(search, depth + 1));
		if (!found)
			search->path[bytes] = '\0';
	}
	if (directory != NULL)
		closedir(directory);
	return found;
}

static void
search_cgroup(struct identity_table *table, uint64_t inode,
	      struct identity *identity)
{
	struct search search = { .table = table,
				 .inode = inode,
				 .left = SEARCH_DIRECTORIES_MAX };
	uint64_t begin_ns = monotonic_ns();
	uint64_t pause_ns;

	if (begin_ns < table->search_again_ns)
		return;
	strcpy(search.path, table->root);
	if (has_inode(table, "/", inode))
		set_cgroup(identity, "/");
	else if (search_below(&search, 1))
		set_cgroup(identity, search.path + strlen(table->root));
	pause_ns = (monotonic_ns() - begin_ns) * SEARCH_PAUSES;
	if (pause_ns < CHECK_NS)
		pause_ns = CHECK_NS;
	table->search_again_ns = begin_ns + pause_ns;
}

/* Another slot's process may live in the same cgroup. */
static bool
copy_cgroup(const struct identity_table *table, uint64_t inode,
	    struct identity *identity)
{
	for (size_t i = 0; i < SLOTS; i++) {
		const struct identity_slot *slot = &table->slots[i];

		if (slot->owner.cgroup != inode ||
		    slot->identity.cgroup[0] == '\0' ||
		    &slot->identity == identity)
			continue;
		memcpy(identity->cgroup, slot->identity.cgroup,
		       sizeof(identity->cgroup));
		memcpy(identity->container, slot->identity.container,
		       sizeof(identity->container));
		return true;
	}
	return false;
}

static void
read_cgroup(struct identity_table *table, struct identity_slot *slot)
{
	struct identity *identity = &slot->identity;
	uint64_t inode = slot->owner.cgroup;
	char text[FILE_BYTES];
	char *path = proc_cgroup(slot->pid, text);

	if (path != NULL && (inode == 0 || has_inode(table, path, inode)))
		set_cgroup(identity, path);
	else if (inode != 0 && !copy_cgroup(table, inode, identity))
		search_cgroup(table, inode, identity);
}

static void
fill_slot(struct identity_table *table, struct identity_slot *slot,
	  const struct packet_owner *owner, uint64_t start_ticks)
{
	memset(slot, 0, sizeof(*slot));
	slot->pid = owner->pid;
	slot->owner = *owner;
	slot->start_ticks = start_ticks;
	read_exe(slot);
	read_cgroup(table, slot);
}

static bool
same_owner(const struct packet_owner *a, const struct packet_owner *b)
{
	return a->pid == b->pid && a->cgroup == b->cgroup &&
	       strncmp(a->comm, b->comm, sizeof(a->comm)) == 0 &&
	       strncmp(a->exe, b->exe, sizeof(a->exe)) == 0;
}

/* Who has the same name and the same cgroup under the same pid is the same
 * process, unless its start time says otherwise; gone or not. */
static bool
slot_holds(const struct identity_slot *slot, const struct packet_owner *owner,
	   uint64_t start_ticks)
{
	return same_owner(&slot->owner, owner) &&
	       (start_ticks == 0 || start_ticks == slot->start_ticks);
}

const struct identity *
identity_table_find(struct identity_table *table,
		    const struct packet_owner *owner)
{
	struct identity_slot *slot = &table->slots[owner->pid % SLOTS];
	uint64_t now_ns = monotonic_ns();
	uint64_t start_ticks;

	if (owner->pid == 0)
		return &table->unknown.identity;
	if (now_ns - slot->checked_ns < CHECK_NS &&
	    same_owner(&slot->owner, owner))
		return &slot->identity;
	start_ticks = read_start(owner->pid);
	if (!slot_holds(slot, owner, start_ticks))
		fill_slot(table, slot, owner, start_ticks);
	else if (slot->identity.cgroup[0] == '\0' && owner->cgroup != 0)
		read_cgroup(table, slot);
	slot->checked_ns = now_ns;
	return &slot->identity;
}

static void
find_root(struct identity_table *table)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	const struct mntent *entry;

	snprintf(table->root, sizeof(table->root), "%s", CGROUP_DEFAULT);
	if (mounts == NULL)
		return;
	while ((entry = getmntent(mounts)) != NULL)
		if (strcmp(entry->mnt_type, "cgroup2") == 0) {
			snprintf(table->root, sizeof(table->root), "%s",
				 entry->mnt_dir);
			break;
		}
	endmntent(mounts);
}

struct identity_table *
identity_table_new(void)
{
	struct identity_table *table = calloc(1, sizeof(*table));
	struct stat status;

	if (table == NULL)
		return NULL;
	find_root(table);
	if (stat(table->root, &status) == 0)
		table->device = status.st_dev;
	return table;
}

void
identity_table_free(struct identity_table **table)
{
	free(*table);
	*table = NULL;
}
