/* SPDX-License-Identifier: Apache-2.0 */
#include "sidecar/identity.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <mntent.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/support.h"

#define ID \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void
expect_container(const char *cgroup, const char *wanted)
{
	char container[IDENTITY_TEXT_BYTES];

	identity_container(cgroup, container, sizeof(container));
	ck_assert_msg(strcmp(container, wanted) == 0, "%s: %s, not %s",
		      cgroup, container, wanted);
}

START_TEST(container_ids_are_found_in_paths)
{
	expect_container("/docker/" ID, ID);
	expect_container("/system.slice/docker-" ID ".scope", ID);
	expect_container("/kubepods/burstable/pod4fb0d7a2-1b9a/" ID, ID);
	expect_container("/kubepods.slice/kubepods-pod1.slice/"
			 "cri-containerd-" ID ".scope", ID);
	expect_container("/system.slice/containerd.service/"
			 "kubepods-pod1.slice:cri-containerd:" ID, ID);
	expect_container("/kubepods.slice/crio-" ID ".scope", ID);
	expect_container("/machine.slice/libpod-" ID ".scope", ID);
	expect_container("/user.slice/user-1000.slice/user@1000.service/"
			 "user.slice/libpod-" ID ".scope/container", ID);
	expect_container("/libpod_parent/libpod-" ID, ID);
}
END_TEST

START_TEST(containers_may_have_names)
{
	expect_container("/machine.slice/machine-web.scope", "web");
	expect_container("/machine.slice/machine-my\\x2dweb.scope/payload",
			 "my-web");
	expect_container("/machine.slice/systemd-nspawn@dns.service/payload",
			 "dns");
	expect_container("/lxc.payload.box/system.slice/cron.service", "box");
}
END_TEST

START_TEST(what_is_no_container_has_no_id)
{
	expect_container("", "");
	expect_container("/", "");
	expect_container("/system.slice/unbound.service", "");
	expect_container("/machine.slice", "");
	expect_container("/user.slice/user-1000.slice/session-2.scope", "");
	/* It watches over a container from outside. */
	expect_container("/machine.slice/libpod-conmon-" ID ".scope", "");
	expect_container("/kubepods.slice/crio-conmon-" ID ".scope", "");
	/* One digit too few; letters that are none; part of a longer word. */
	expect_container("/docker/0123456789abcdef0123456789abcdef"
			 "0123456789abcdef0123456789abcde", "");
	expect_container("/docker/x123456789abcdef0123456789abcdef"
			 "0123456789abcdef0123456789abcdef", "");
	expect_container("/a" ID, "");
}
END_TEST

START_TEST(the_innermost_container_counts)
{
	expect_container("/docker/" ID "/machine.slice/machine-in.scope",
			 "in");
}
END_TEST

START_TEST(a_container_is_cut_to_the_room_there_is)
{
	char container[5];

	identity_container("/docker/" ID, container, sizeof(container));
	ck_assert_str_eq(container, "0123");
	identity_container("/machine.slice/machine-abcdef.scope", container,
			   sizeof(container));
	ck_assert_str_eq(container, "abcd");
}
END_TEST

static struct packet_owner
owner_of(pid_t pid)
{
	struct packet_owner owner = { .pid = (uint32_t)pid };

	strcpy(owner.comm, "some");
	return owner;
}

START_TEST(this_process_has_an_executable_and_a_cgroup)
{
	struct identity_table *table = identity_table_new();
	struct packet_owner owner = owner_of(getpid());
	const struct identity *identity = identity_table_find(table, &owner);

	/* libtool may have put "lt-" before it. */
	ck_assert_ptr_nonnull(strstr(identity->exe, "test_identity"));
	ck_assert_ptr_null(strchr(identity->exe, '/'));
	/* "" only where there is no cgroup v2 at all. */
	ck_assert(identity->cgroup[0] == '/' || identity->cgroup[0] == '\0');
	identity_table_free(&table);
	ck_assert_ptr_null(table);
}
END_TEST

START_TEST(nobody_has_nothing)
{
	struct identity_table *table = identity_table_new();
	struct packet_owner owner = { .pid = 0 };
	const struct identity *identity = identity_table_find(table, &owner);

	ck_assert_str_eq(identity->exe, "");
	ck_assert_str_eq(identity->cgroup, "");
	ck_assert_str_eq(identity->container, "");
	identity_table_free(&table);
}
END_TEST

/* A child that waits in another program, or that is gone and waited for. */
static pid_t
start_sleep(void)
{
	pid_t pid;
	int ready[2];
	char octet;

	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		execlp("sleep", "sleep", "1000", (char *)NULL);
		_exit(1);
	}
	close(ready[1]);
	/* Its end closes with the exec. */
	ck_assert_int_eq(read(ready[0], &octet, 1), 0);
	close(ready[0]);
	return pid;
}

static void
end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

START_TEST(who_is_gone_stays_known)
{
	struct identity_table *table = identity_table_new();
	pid_t pid = start_sleep();
	struct packet_owner owner = owner_of(pid);
	char exe[IDENTITY_TEXT_BYTES];

	strcpy(exe, identity_table_find(table, &owner)->exe);
	ck_assert_ptr_nonnull(strstr("sleep coreutils busybox", exe));
	end_child(pid);
	/* Longer than what is known is trusted without a look. */
	usleep(1100000);
	ck_assert_str_eq(identity_table_find(table, &owner)->exe, exe);
	identity_table_free(&table);
}
END_TEST

START_TEST(who_was_gone_at_once_has_what_the_kernel_told)
{
	struct identity_table *table = identity_table_new();
	pid_t pid = start_sleep();
	struct packet_owner owner = owner_of(pid);

	end_child(pid);
	ck_assert_str_eq(identity_table_find(table, &owner)->exe, "");
	strcpy(owner.exe, "dig");
	ck_assert_str_eq(identity_table_find(table, &owner)->exe, "dig");
	identity_table_free(&table);
}
END_TEST

/* What another process under the same number looks like: another name is
 * noticed at once. */
START_TEST(a_number_used_again_is_another_process)
{
	struct identity_table *table = identity_table_new();
	struct packet_owner owner = owner_of(1 << 22);

	/* No process has that number: pid_max is at most that. */
	strcpy(owner.exe, "dig");
	ck_assert_str_eq(identity_table_find(table, &owner)->exe, "dig");
	strcpy(owner.exe, "kdig");
	strcpy(owner.comm, "kdig");
	ck_assert_str_eq(identity_table_find(table, &owner)->exe, "kdig");
	identity_table_free(&table);
}
END_TEST

/* As start_sleep(), under a number that was used before; -1 without the
 * privilege to choose one. */
static pid_t
start_as(pid_t wanted)
{
	struct clone_args arguments = {
		.exit_signal = SIGCHLD,
		.set_tid = (uint64_t)(uintptr_t)&wanted,
		.set_tid_size = 1,
	};
	pid_t pid = (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));

	if (pid == 0)
		for (;;)
			pause();
	return pid;
}

START_TEST(the_start_time_tells_processes_apart)
{
	struct identity_table *table = identity_table_new();
	pid_t pid = start_sleep();
	struct packet_owner owner = owner_of(pid);
	char exe[IDENTITY_TEXT_BYTES];

	strcpy(exe, identity_table_find(table, &owner)->exe);
	end_child(pid);
	/* Longer than a slot is trusted, and than the clock's tick. */
	usleep(1100000);
	if (start_as(pid) == pid) {
		ck_assert_str_ne(identity_table_find(table, &owner)->exe, exe);
		end_child(pid);
	} else
		fprintf(stderr, "SKIP: the_start_time_tells_processes_apart: "
			"a process cannot be given a number here (%m)\n");
	identity_table_free(&table);
}
END_TEST

START_TEST(two_numbers_of_one_slot_are_two_processes)
{
	struct identity_table *table = identity_table_new();
	pid_t pid = start_sleep();
	struct packet_owner owner = owner_of(pid);
	char exe[IDENTITY_TEXT_BYTES];

	strcpy(exe, identity_table_find(table, &owner)->exe);
	ck_assert_str_ne(exe, "");
	owner.pid += 1024;
	strcpy(owner.exe, "another");
	ck_assert_str_ne(identity_table_find(table, &owner)->exe, exe);
	owner = owner_of(pid);
	ck_assert_str_eq(identity_table_find(table, &owner)->exe, exe);
	end_child(pid);
	identity_table_free(&table);
}
END_TEST

/* In a container, or where the number is another process's by now: /proc is
 * then of somebody else. */
START_TEST(what_the_kernel_told_counts_more_than_proc)
{
	struct identity_table *table = identity_table_new();
	struct packet_owner owner = owner_of(getpid());

	strcpy(owner.exe, "kdig");
	ck_assert_str_eq(identity_table_find(table, &owner)->exe, "kdig");
	/* The kernel part cuts the name; /proc has the rest. */
	strcpy(owner.exe, "test");
	if (strncmp(identity_table_find(table, &owner)->exe, "lt-", 3) != 0)
		ck_assert_str_eq(identity_table_find(table, &owner)->exe,
				 "test_identity");
	identity_table_free(&table);
}
END_TEST

#define LONG_NAME \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* A cgroup in another one, and its inode; false where none can be made. */
static bool
make_cgroups(char outer[512], char inner[512], uint64_t *inode)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	const struct mntent *entry;
	struct stat status;

	outer[0] = '\0';
	while (mounts != NULL && outer[0] == '\0' &&
	       (entry = getmntent(mounts)) != NULL)
		if (strcmp(entry->mnt_type, "cgroup2") == 0)
			snprintf(outer, 512, "%.100s/" LONG_NAME,
				 entry->mnt_dir);
	if (mounts != NULL)
		endmntent(mounts);
	snprintf(inner, 512, "%.320s/docker-" ID ".scope", outer);
	if (outer[0] == '\0' || mkdir(outer, 0755) != 0 ||
	    mkdir(inner, 0755) != 0 || stat(inner, &status) != 0) {
		fprintf(stderr, "SKIP: cgroups of those who are gone: none "
			"can be made here (%m)\n");
		rmdir(outer);
		return false;
	}
	*inode = status.st_ino;
	return true;
}

/* By its inode, wherever it is; the container is in the part that is cut. */
START_TEST(the_cgroup_of_who_is_gone_is_found)
{
	struct identity_table *table = identity_table_new();
	struct packet_owner owner = owner_of(1 << 22);
	const struct identity *identity;
	char outer[512];
	char inner[512];

	if (make_cgroups(outer, inner, &owner.cgroup)) {
		identity = identity_table_find(table, &owner);
		rmdir(inner);
		rmdir(outer);
		ck_assert_int_eq(strncmp(identity->cgroup, "/" LONG_NAME
					 "/docker-0123456789abcdef", 229), 0);
		ck_assert_str_eq(identity->container, ID);
		/* Its neighbour's is known without looking for it. */
		owner.pid--;
		identity = identity_table_find(table, &owner);
		ck_assert_str_eq(identity->container, ID);
	}
	identity_table_free(&table);
}
END_TEST

/* Who comes while the search is in its pause is not forgotten for that. */
START_TEST(a_cgroup_that_was_not_looked_for_is_found_later)
{
	struct identity_table *table = identity_table_new();
	struct packet_owner stranger = { .pid = 1 << 22, .comm = "some",
					 .cgroup = UINT64_MAX };
	struct packet_owner owner = owner_of((1 << 22) - 1);
	const struct identity *identity;
	char outer[512];
	char inner[512];

	if (make_cgroups(outer, inner, &owner.cgroup)) {
		identity = identity_table_find(table, &stranger);
		ck_assert_str_eq(identity->cgroup, "");
		identity = identity_table_find(table, &owner);
		ck_assert_str_eq(identity->cgroup, "");
		/* A search may take long elsewhere, and its pause, too. */
		for (int i = 0; i < 100 && identity->cgroup[0] == '\0'; i++) {
			usleep(100000);
			identity = identity_table_find(table, &owner);
		}
		rmdir(inner);
		rmdir(outer);
		ck_assert_str_eq(identity->container, ID);
	}
	identity_table_free(&table);
}
END_TEST

/* Mounts of this process alone; false without the privilege. */
static bool
unshare_mounts(void)
{
	if (unshare(CLONE_NEWNS) == 0 &&
	    mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0)
		return true;
	fprintf(stderr, "SKIP: what_is_mounted_among_cgroups_is_none: nothing "
		"can be mounted here (%m)\n");
	return false;
}

/* Its numbers are not those of cgroups. */
START_TEST(what_is_mounted_among_cgroups_is_none)
{
	struct identity_table *table = identity_table_new();
	struct packet_owner owner = owner_of(1 << 22);
	const struct identity *identity;
	struct stat status;
	char outer[512];
	char inner[512];
	char path[600];

	if (unshare_mounts() && make_cgroups(outer, inner, &owner.cgroup)) {
		ck_assert_int_eq(mount("none", inner, "tmpfs", 0, NULL), 0);
		snprintf(path, sizeof(path), "%s/inside", inner);
		ck_assert_int_eq(mkdir(path, 0755), 0);
		ck_assert_int_eq(stat(path, &status), 0);
		owner.cgroup = status.st_ino;
		identity = identity_table_find(table, &owner);
		ck_assert_int_eq(umount2(inner, MNT_DETACH), 0);
		rmdir(inner);
		rmdir(outer);
		ck_assert_str_eq(identity->container, "");
	}
	identity_table_free(&table);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("identity");

	support_add(suite, container_ids_are_found_in_paths);
	support_add(suite, containers_may_have_names);
	support_add(suite, what_is_no_container_has_no_id);
	support_add(suite, the_innermost_container_counts);
	support_add(suite, a_container_is_cut_to_the_room_there_is);
	support_add(suite, this_process_has_an_executable_and_a_cgroup);
	support_add(suite, nobody_has_nothing);
	support_add(suite, who_is_gone_stays_known);
	support_add(suite, who_was_gone_at_once_has_what_the_kernel_told);
	support_add(suite, a_number_used_again_is_another_process);
	support_add(suite, the_start_time_tells_processes_apart);
	support_add(suite, two_numbers_of_one_slot_are_two_processes);
	support_add(suite, what_the_kernel_told_counts_more_than_proc);
	support_add(suite, the_cgroup_of_who_is_gone_is_found);
	support_add(suite, a_cgroup_that_was_not_looked_for_is_found_later);
	support_add(suite, what_is_mounted_among_cgroups_is_none);
	return support_run(suite);
}
