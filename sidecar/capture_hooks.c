/* SPDX-License-Identifier: Apache-2.0 */
/*
 * capture_hooks.c: what the kernel part asks of a kernel, and loading it.
 *
 * Kernels differ in what they have and, by policy, in what they allow. What
 * is missing is found out by trying each hook alone, but only when all of
 * them together do not load.
 */
#include "sidecar/capture_hooks.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "sidecar/capture_kind.h"

#include "sidecar/capture.skel.h"

#define BTF_FILE "/sys/kernel/btf/vmlinux"
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

enum hook_need {
	NEED_ALWAYS,
	NEED_TLS, /* only for plaintext, but then always */
	NEED_NOT  /* it is better to have it */
};

struct hook {
	const char *program; /* its name in the kernel part */
	const char *name;
	const char *purpose;
	enum hook_need need;
};

/* In the order in which they are attached: packets ask for owners. */
static const struct hook hooks[] = {
	{ "owner_bind4", "cgroup/bind4", "process of a server", NEED_NOT },
	{ "owner_bind6", "cgroup/bind6", "process of a server", NEED_NOT },
	{ "owner_connect4", "cgroup/connect4", "process of a client",
	  NEED_NOT },
	{ "owner_connect6", "cgroup/connect6", "process of a client",
	  NEED_NOT },
	{ "owner_sendmsg4", "cgroup/sendmsg4", "process that sends",
	  NEED_NOT },
	{ "owner_sendmsg6", "cgroup/sendmsg6", "process that sends",
	  NEED_NOT },
	{ "owner_iterate", "iter/task_file", "processes of older sockets",
	  NEED_NOT },
	{ "tls_enter_handshake", "uprobe/handshake", "plaintext of TLS",
	  NEED_TLS },
	{ "tls_enter_read", "uprobe/read", "plaintext of TLS", NEED_TLS },
	{ "tls_enter_read_ex", "uprobe/read_ex", "plaintext of TLS",
	  NEED_TLS },
	{ "tls_enter_write", "uprobe/write", "plaintext of TLS", NEED_TLS },
	{ "tls_enter_write_ex", "uprobe/write_ex", "plaintext of TLS",
	  NEED_TLS },
	{ "tls_enter_free", "uprobe/free", "plaintext of TLS", NEED_TLS },
	{ "tls_leave", "uretprobe", "plaintext of TLS", NEED_TLS },
	{ "tls_send_length", "tp_btf/sock_send_length",
	  "socket of a TLS session", NEED_TLS },
	{ "tls_recv_length", "tp_btf/sock_recv_length",
	  "socket of a TLS session", NEED_TLS },
	{ "capture_received", "cgroup_skb/ingress", "packets received",
	  NEED_ALWAYS },
	{ "capture_sent", "cgroup_skb/egress", "packets sent", NEED_ALWAYS },
};

#define HOOKS COUNT_OF(hooks)

static bool
has_capability(int capability)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];

	memset(data, 0, sizeof(data));
	return syscall(SYS_capget, &header, data) == 0 &&
	       (data[capability / 32].effective >> capability % 32 & 1) != 0;
}

/* What can be told before anything is tried. */
static bool
check_system(char reason[CAPTURE_REASON_BYTES])
{
	const char *missing = NULL;

	if (has_capability(CAP_SYS_ADMIN))
		missing = NULL;
	else if (!has_capability(CAP_BPF))
		missing = "CAP_BPF";
	else if (!has_capability(CAP_PERFMON))
		missing = "CAP_PERFMON";
	else if (!has_capability(CAP_NET_ADMIN))
		missing = "CAP_NET_ADMIN";
	if (missing != NULL)
		return capture_refuse(reason, "The capability %s is missing: "
			"run as root, or with CAP_BPF, CAP_PERFMON and "
			"CAP_NET_ADMIN (systemd: AmbientCapabilities=).",
			missing);
	if (access(BTF_FILE, R_OK) != 0)
		return capture_refuse(reason, "%s: %m. A kernel is needed that "
			"describes its types (CONFIG_DEBUG_INFO_BTF=y), or "
			"--capture packet, which knows no processes.",
			BTF_FILE);
	return true;
}

/* A tracepoint that is missing is not in the kernel's types either; libbpf
 * would only say "no such process". */
static bool
kernel_knows(const struct btf *types, const struct hook *hook)
{
	static const char tracing[] = "tp_btf/";
	char name[64];

	if (strncmp(hook->name, tracing, sizeof(tracing) - 1) != 0)
		return true;
	snprintf(name, sizeof(name), "btf_trace_%s",
		 hook->name + sizeof(tracing) - 1);
	return btf__find_by_name_kind(types, name, BTF_KIND_TYPEDEF) > 0;
}

/* What need not even be tried. */
static void
find_unknown(bool refused[HOOKS])
{
	struct btf *types = btf__load_vmlinux_btf();

	for (size_t i = 0; i < HOOKS; i++)
		refused[i] = types != NULL && !kernel_knows(types, &hooks[i]);
	btf__free(types);
}

static bool
is_needed(const struct capture_options *options, const struct hook *hook)
{
	return hook->need == NEED_ALWAYS ||
	       (hook->need == NEED_TLS && options->tls_plaintext);
}

static struct bpf_prog_skeleton *
find_program(struct capture_bpf *kernel, const struct hook *hook)
{
	struct bpf_object_skeleton *all = kernel->skeleton;
	int i = 0;

	/* It is there: the table has no names of its own making. */
	while (strcmp(all->progs[i].name, hook->program) != 0)
		i++;
	return &all->progs[i];
}

static int
print_nothing(enum libbpf_print_level level, const char *format,
	      va_list arguments)
{
	(void)level;
	(void)format;
	(void)arguments;
	return 0;
}

static void
set_ports(__u16 *to, const uint16_t *ports, size_t count)
{
	for (size_t i = 0; i < count; i++)
		to[i] = ports[i];
}

static int
set_options(struct capture_bpf *kernel, const struct capture_options *options)
{
	static const uint16_t dot = 853;
	bool given = options->tls_ports_count > 0;
	int error;

	set_ports(kernel->rodata->wanted_ports, options->ports,
		  options->ports_count);
	set_ports(kernel->rodata->tls_ports,
		  given ? options->tls_ports : &dot,
		  given ? options->tls_ports_count : 1);
	kernel->rodata->wanted_pid = options->pid;
	error = bpf_map__set_max_entries(kernel->maps.ring,
					 options->ring_bytes);
	if (error == 0 && !options->tls_plaintext) {
		bpf_map__set_autocreate(kernel->maps.tls_calls, false);
		bpf_map__set_autocreate(kernel->maps.tls_received, false);
		bpf_map__set_autocreate(kernel->maps.tls_sessions, false);
	}
	return error;
}

/* NULL with errno. */
static struct capture_bpf *
load_some(const struct capture_options *options, const bool refused[HOOKS])
{
	struct capture_bpf *kernel = capture_bpf__open();
	int error;

	if (kernel == NULL)
		return NULL;
	for (size_t i = 0; i < HOOKS; i++)
		bpf_program__set_autoload(
			*find_program(kernel, &hooks[i])->prog,
			!refused[i] && (hooks[i].need != NEED_TLS ||
					options->tls_plaintext));
	error = set_options(kernel, options);
	if (error == 0)
		error = capture_bpf__load(kernel);
	if (error == 0)
		return kernel;
	capture_bpf__destroy(kernel);
	errno = -error;
	return NULL;
}

/* 0, or the error with which this kernel refuses the hook. */
static int
try_alone(const struct capture_options *options, size_t hook)
{
	struct capture_bpf *kernel;
	bool refused[HOOKS];

	for (size_t i = 0; i < HOOKS; i++)
		refused[i] = i != hook;
	kernel = load_some(options, refused);
	if (kernel == NULL)
		return errno;
	capture_bpf__destroy(kernel);
	return 0;
}

static bool
refuse_hook(const struct hook *hook, int error,
	    char reason[CAPTURE_REASON_BYTES])
{
	if (hook->need == NEED_TLS)
		return capture_refuse(reason, "This kernel refuses %s (%s): "
			"plaintext of TLS needs Linux 6.3 and "
			"CONFIG_UPROBE_EVENTS=y. --list-hooks shows what it "
			"allows.", hook->name, strerror(error));
	return capture_refuse(reason, "This kernel refuses the hook %s (%s), "
		"which needs Linux 6.1 with CONFIG_CGROUP_BPF=y. --list-hooks "
		"shows what it allows; --capture packet does without.",
		hook->name, strerror(error));
}

static bool
find_refused(const struct capture_options *options, bool refused[HOOKS],
	     char reason[CAPTURE_REASON_BYTES])
{
	for (size_t i = 0; i < HOOKS; i++) {
		int error = refused[i] ? ENOENT : try_alone(options, i);

		refused[i] = error != 0;
		if (refused[i] && is_needed(options, &hooks[i]))
			return refuse_hook(&hooks[i], error, reason);
	}
	return true;
}

struct capture_bpf *
capture_hooks_load(const struct capture_options *options,
		   char reason[CAPTURE_REASON_BYTES])
{
	struct capture_bpf *kernel;
	bool refused[HOOKS];

	libbpf_set_print(print_nothing);
	if (!check_system(reason))
		return NULL;
	find_unknown(refused);
	for (size_t i = 0; i < HOOKS; i++)
		if (refused[i] && is_needed(options, &hooks[i])) {
			refuse_hook(&hooks[i], ENOENT, reason);
			return NULL;
		}
	kernel = load_some(options, refused);
	if (kernel != NULL || !find_refused(options, refused, reason))
		return kernel;
	kernel = load_some(options, refused);
	if (kernel == NULL)
		capture_refuse(reason, "The kernel part could not be loaded: "
			       "%m. A smaller ring may help, or more memory "
			       "for this service.");
	return kernel;
}

/* Runs the iterator to its end; it has no output. false with errno. */
static bool
iterate(struct bpf_program *program)
{
	struct bpf_link *link = bpf_program__attach_iter(program, NULL);
	char octets[64];
	ssize_t got = -1;
	int fd = -1;

	if (link != NULL)
		fd = bpf_iter_create(bpf_link__fd(link));
	if (fd >= 0) {
		do
			got = read(fd, octets, sizeof(octets));
		while (got > 0 || (got < 0 && errno == EAGAIN));
		close(fd);
	}
	bpf_link__destroy(link);
	return got == 0;
}

static bool
attach_one(struct bpf_prog_skeleton *program, int cgroup_fd)
{
	struct bpf_link *link;

	/* To a program in user space: capture_tls.c. */
	if (bpf_program__type(*program->prog) == BPF_PROG_TYPE_KPROBE)
		return true;
	switch (bpf_program__expected_attach_type(*program->prog)) {
	case BPF_TRACE_ITER:
		return iterate(*program->prog);
	case BPF_TRACE_RAW_TP:
		link = bpf_program__attach_trace(*program->prog);
		break;
	default:
		link = bpf_program__attach_cgroup(*program->prog, cgroup_fd);
		break;
	}
	/* Destroying the skeleton destroys the link. */
	*program->link = link;
	return link != NULL;
}

bool
capture_hooks_attach(struct capture_bpf *kernel, int cgroup_fd,
		     const char *cgroup, char reason[CAPTURE_REASON_BYTES])
{
	for (size_t i = 0; i < HOOKS; i++) {
		struct bpf_prog_skeleton *program =
			find_program(kernel, &hooks[i]);

		if (!bpf_program__autoload(*program->prog) ||
		    attach_one(program, cgroup_fd) ||
		    hooks[i].need == NEED_NOT)
			continue;
		return capture_refuse(reason, "The hook %s cannot be attached "
			"to %s: %m. Another program may hold it for itself "
			"alone: bpftool cgroup tree shows them.",
			hooks[i].name, cgroup);
	}
	return true;
}

static void
list_system(void (*line)(void *user, const char *hook, const char *purpose,
			 const char *verdict), void *user)
{
	char verdict[128];
	int fd;

	snprintf(verdict, sizeof(verdict), "%s%s",
		 access(BTF_FILE, R_OK) == 0 ? "yes" : "no: ",
		 access(BTF_FILE, R_OK) == 0 ? "" : strerror(errno));
	line(user, BTF_FILE, "types of the kernel", verdict);
	fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	snprintf(verdict, sizeof(verdict), "%s%s", fd >= 0 ? "yes" : "no: ",
		 fd >= 0 ? "" : strerror(errno));
	line(user, "AF_PACKET", "frames, without processes", verdict);
	if (fd >= 0)
		close(fd);
}

void
capture_list_hooks(void (*line)(void *user, const char *hook,
				const char *purpose, const char *verdict),
		   void *user)
{
	struct capture_options options = {
		.ports = { 53 }, .ports_count = 1, .ring_bytes = 64u << 10,
		.tls_plaintext = true,
	};
	bool unknown[HOOKS];

	libbpf_set_print(print_nothing);
	find_unknown(unknown);
	for (size_t i = 0; i < HOOKS; i++) {
		int error = unknown[i] ? ENOENT : try_alone(&options, i);
		char verdict[128] = "yes";

		if (unknown[i])
			snprintf(verdict, sizeof(verdict),
				 "no: not in this kernel");
		else if (error != 0)
			snprintf(verdict, sizeof(verdict), "no: %s",
				 strerror(error));
		line(user, hooks[i].name, hooks[i].purpose, verdict);
	}
	list_system(line, user);
}
