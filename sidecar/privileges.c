/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privileges.c: see privileges.h. By libcap-ng and libseccomp.
 *
 * What is forbidden is listed, rather than what is allowed: the latter would
 * be the calls of one version of libc. A forbidden call fails with EPERM, so
 * that a mistake in the list is seen and does not end the program.
 */
#include "sidecar/privileges.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static const int privileges_forbidden[] = {
	SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(execve),
	SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork),
	SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev), SCMP_SYS(pidfd_getfd),
	SCMP_SYS(kcmp), SCMP_SYS(mount), SCMP_SYS(umount2),
	SCMP_SYS(move_mount), SCMP_SYS(open_tree), SCMP_SYS(fsopen),
	SCMP_SYS(pivot_root), SCMP_SYS(chroot), SCMP_SYS(setns),
	SCMP_SYS(unshare), SCMP_SYS(init_module), SCMP_SYS(finit_module),
	SCMP_SYS(delete_module), SCMP_SYS(kexec_load),
	SCMP_SYS(kexec_file_load), SCMP_SYS(reboot), SCMP_SYS(swapon),
	SCMP_SYS(swapoff), SCMP_SYS(add_key), SCMP_SYS(request_key),
	SCMP_SYS(keyctl), SCMP_SYS(userfaultfd), SCMP_SYS(io_uring_setup),
	SCMP_SYS(open_by_handle_at), SCMP_SYS(setuid), SCMP_SYS(setgid),
	SCMP_SYS(setreuid), SCMP_SYS(setregid), SCMP_SYS(setresuid),
	SCMP_SYS(setresgid), SCMP_SYS(setgroups), SCMP_SYS(capset),
	SCMP_SYS(personality)
};

#define PRIVILEGES_FORBIDDEN \
	(sizeof(privileges_forbidden) / sizeof(privileges_forbidden[0]))

static bool
privileges_fail(char *reason, size_t bytes, const char *what)
{
	snprintf(reason, bytes, "%s: %s", what, strerror(errno));
	return false;
}

/* -1 stays who it is. */
static bool
privileges_find(const char *user, int *uid, int *gid, char *reason,
		size_t bytes)
{
	const struct passwd *entry;

	*uid = *gid = -1;
	if (user == NULL)
		return true;
	errno = 0;
	entry = getpwnam(user);
	if (entry == NULL) {
		if (errno == 0)
			errno = ENOENT;
		return privileges_fail(reason, bytes, user);
	}
	*uid = (int)entry->pw_uid;
	*gid = (int)entry->pw_gid;
	return true;
}

static bool
privileges_forbid(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	bool good = filter != NULL;

	/* A call that this architecture does not have need not be forbidden. */
	for (size_t i = 0; good && i < PRIVILEGES_FORBIDDEN; i++) {
		int error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM),
					     privileges_forbidden[i], 0);

		good = error == 0 || error == -EDOM;
	}
	good = good && seccomp_load(filter) == 0;
	seccomp_release(filter);
	return good;
}

bool
privileges_drop(const char *user, char *reason, size_t bytes)
{
	bool bounded;
	int uid, gid;

	if (!privileges_find(user, &uid, &gid, reason, bytes))
		return false;
	/* The bounding set can be cleared by those who have CAP_SETPCAP. */
	capng_get_caps_process();
	bounded = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP) == 0;
	capng_clear(CAPNG_SELECT_BOTH);
	if (uid >= 0 &&
	    capng_change_id(uid, gid,
			    CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING) != 0)
		return privileges_fail(reason, bytes, user);
	if (uid < 0 && !bounded)
		capng_apply(CAPNG_SELECT_BOUNDS);
	if (capng_apply(CAPNG_SELECT_CAPS) != 0)
		return privileges_fail(reason, bytes, "capabilities");
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return privileges_fail(reason, bytes, "prctl");
	if (!privileges_forbid())
		return privileges_fail(reason, bytes, "seccomp");
	return true;
}
