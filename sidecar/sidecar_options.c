/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sidecar_options.c: see sidecar_options.h. Options of the library are handed
 * to dtap_options_set() as they are, so that it explains what is wrong.
 */
#include "sidecar/sidecar_options.h"

#include <errno.h>
#include <getopt.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char help[] =
"Usage: dtap-sidecar --output URI | --print [option ...]\n"
"Emits dnstap for the DNS messages of processes that know nothing of dnstap.\n"
"\n"
"  -o, --output URI        file:PATH, unix:PATH or tcp:ADDRESS:PORT\n"
"  -p, --print             a line for each message on standard output\n"
"      --set NAME=VALUE    an option of the library, see dtap-options(7);\n"
"                          repeatable\n"
"      --types LIST        emit only these types: CQ,CR,... (default: all)\n"
"\n"
"What is looked at:\n"
"      --port N            port of DNS; repeatable (default 53 and 5353)\n"
"      --unit NAME         the sockets of this systemd service alone\n"
"      --cgroup PATH       the sockets of this cgroup (v2) alone\n"
"      --pid PID           the sockets of this process alone\n"
"      --capture KIND      cgroup: at sockets, packet: on interfaces,\n"
"                          auto: the first that works (default)\n"
"      --ring-bytes N      of memory between kernel and program, a power of 2\n"
"                          (default 16777216)\n"
"      --latency-ms N      a packet waits no longer in it (default 10)\n"
"      --tls-plaintext     also what processes send and receive over TLS, by\n"
"                          probes in their libraries; shows in the clear what\n"
"                          they encrypt\n"
"      --tls-port N        port of DNS over TLS; repeatable (default 853)\n"
"\n"
"What is said of it:\n"
"      --role EXE=ROLE     what an executable is: learn, auth, recursive,\n"
"                          forwarder, stub or tool; repeatable\n"
"      --timeout MS        a query without answer is reported after so long\n"
"                          (default 5000; 0: never)\n"
"      --hold MS           a query waits no longer for its type (default 50)\n"
"      --query-in-response put the query into its response as well\n"
"      --no-extra          say nothing of processes\n"
"      --identity TEXT     instead of the host's name\n"
"\n"
"Operation:\n"
"      --metrics WHERE     Prometheus text at unix:PATH, 127.0.0.1:PORT or\n"
"                          [::1]:PORT\n"
"      --user NAME         become this user after the start\n"
"      --list-hooks        what this kernel allows, and exit\n"
"  -h, --help              show this text\n"
"  -V, --version           show the version\n"
"\n"
"SIGTERM and SIGINT end it, SIGHUP begins a new file or connection, SIGUSR2\n"
"prints the counters on standard error. Needs CAP_BPF, CAP_PERFMON and\n"
"CAP_NET_ADMIN at its start, and drops them.\n"
"Exit status: 0 good, 1 trouble while running, 2 wrong usage, 3 the kernel\n"
"does not allow it.\n";

#define PORT_DNS 53
#define PORT_MDNS 5353
#define RING_BYTES_DEFAULT (16u << 20)
#define LATENCY_MS_DEFAULT 10
#define TIMEOUT_MS_DEFAULT 5000
#define HOLD_MS_DEFAULT 50

enum {
	OPTION_SET = 256,
	OPTION_TYPES,
	OPTION_PORT,
	OPTION_UNIT,
	OPTION_CGROUP,
	OPTION_PID,
	OPTION_CAPTURE,
	OPTION_RING_BYTES,
	OPTION_LATENCY,
	OPTION_TLS,
	OPTION_TLS_PORT,
	OPTION_ROLE,
	OPTION_TIMEOUT,
	OPTION_HOLD,
	OPTION_QUERY,
	OPTION_NO_EXTRA,
	OPTION_IDENTITY,
	OPTION_METRICS,
	OPTION_USER,
	OPTION_LIST_HOOKS
};

static const struct option names[] = {
	{ "output", required_argument, NULL, 'o' },
	{ "print", no_argument, NULL, 'p' },
	{ "set", required_argument, NULL, OPTION_SET },
	{ "types", required_argument, NULL, OPTION_TYPES },
	{ "port", required_argument, NULL, OPTION_PORT },
	{ "unit", required_argument, NULL, OPTION_UNIT },
	{ "cgroup", required_argument, NULL, OPTION_CGROUP },
	{ "pid", required_argument, NULL, OPTION_PID },
	{ "capture", required_argument, NULL, OPTION_CAPTURE },
	{ "ring-bytes", required_argument, NULL, OPTION_RING_BYTES },
	{ "latency-ms", required_argument, NULL, OPTION_LATENCY },
	{ "tls-plaintext", no_argument, NULL, OPTION_TLS },
	{ "tls-port", required_argument, NULL, OPTION_TLS_PORT },
	{ "role", required_argument, NULL, OPTION_ROLE },
	{ "timeout", required_argument, NULL, OPTION_TIMEOUT },
	{ "hold", required_argument, NULL, OPTION_HOLD },
	{ "query-in-response", no_argument, NULL, OPTION_QUERY },
	{ "no-extra", no_argument, NULL, OPTION_NO_EXTRA },
	{ "identity", required_argument, NULL, OPTION_IDENTITY },
	{ "metrics", required_argument, NULL, OPTION_METRICS },
	{ "user", required_argument, NULL, OPTION_USER },
	{ "list-hooks", no_argument, NULL, OPTION_LIST_HOOKS },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 }
};

static bool
complain(const char *what, const char *why)
{
	fprintf(stderr, "dtap-sidecar: %s: %s\n", what, why);
	return false;
}

/* A whole decimal number from min to max. */
static bool
read_number(const char *text, uint64_t min, uint64_t max, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 10);
	if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 &&
	    *number >= min && *number <= max)
		return true;
	fprintf(stderr, "dtap-sidecar: \"%s\" is not a number from %llu to "
		"%llu\n", text, (unsigned long long)min,
		(unsigned long long)max);
	return false;
}

static bool
read_number32(const char *text, uint64_t min, uint64_t max, uint32_t *number)
{
	uint64_t wide;

	if (!read_number(text, min, max, &wide))
		return false;
	*number = (uint32_t)wide;
	return true;
}

static bool
set(struct sidecar_options *options, const char *name, const char *value)
{
	if (dtap_options_set(options->tap, name, value) == DTAP_OK)
		return true;
	fprintf(stderr, "dtap-sidecar: %s\n",
		dtap_options_error(options->tap));
	return false;
}

static bool
set_pair(struct sidecar_options *options, const char *pair)
{
	const char *equals = strchr(pair, '=');
	char name[64];

	if (equals == NULL || (size_t)(equals - pair) >= sizeof(name))
		return complain(pair, "not NAME=VALUE");
	memcpy(name, pair, (size_t)(equals - pair));
	name[equals - pair] = '\0';
	return set(options, name, equals + 1);
}

static bool
add_port(uint16_t ports[CAPTURE_PORTS_MAX], size_t *count, const char *text)
{
	uint64_t port;

	if (!read_number(text, 1, 65535, &port))
		return false;
	if (*count == CAPTURE_PORTS_MAX)
		return complain(text, "too many ports");
	ports[(*count)++] = (uint16_t)port;
	return true;
}

static bool
set_cgroup(struct sidecar_options *options, const char *path)
{
	struct stat status;

	if (strlen(path) >= sizeof(options->cgroup_path))
		return complain(path, "too long");
	strcpy(options->cgroup_path, path);
	options->capture.cgroup = options->cgroup_path;
	if (stat(path, &status) != 0)
		return complain(path, strerror(errno));
	return S_ISDIR(status.st_mode) || complain(path, "not a directory");
}

/* Where the cgroup of a service is: below the mount of cgroup v2. */
static bool
set_unit(struct sidecar_options *options, const char *unit)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	const char *suffix = strchr(unit, '.') == NULL ? ".service" : "";
	char path[PATH_MAX] = "";
	struct mntent *entry;

	while (mounts != NULL && (entry = getmntent(mounts)) != NULL)
		if (strcmp(entry->mnt_type, "cgroup2") == 0)
			snprintf(path, sizeof(path), "%s/system.slice/%s%s",
				 entry->mnt_dir, unit, suffix);
	if (mounts != NULL)
		endmntent(mounts);
	if (path[0] == '\0')
		return complain(unit, "no hierarchy of cgroup v2 is mounted");
	if (strchr(unit, '/') != NULL)
		return complain(unit, "not the name of a unit");
	return set_cgroup(options, path);
}

static bool
set_capture(struct sidecar_options *options, const char *kind)
{
	if (strcmp(kind, "auto") == 0)
		options->capture.kind = CAPTURE_AUTO;
	else if (strcmp(kind, "cgroup") == 0)
		options->capture.kind = CAPTURE_CGROUP;
	else if (strcmp(kind, "packet") == 0)
		options->capture.kind = CAPTURE_PACKET;
	else
		return complain(kind, "not auto, cgroup or packet");
	return true;
}

static bool
set_ring_bytes(struct sidecar_options *options, const char *text)
{
	uint32_t *bytes = &options->capture.ring_bytes;

	return read_number32(text, 65536, 1u << 30, bytes) &&
	       ((*bytes & (*bytes - 1)) == 0 ||
		complain(text, "not a power of two"));
}

static bool
apply(struct sidecar_options *options, int option, const char *value)
{
	struct capture_options *capture = &options->capture;

	switch (option) {
	case 'o': options->has_output = true;
		return set(options, "output", value);
	case 'p': return options->print = true;
	case OPTION_SET: return set_pair(options, value);
	case OPTION_TYPES: return set(options, "types", value);
	case OPTION_PORT:
		return add_port(capture->ports, &capture->ports_count, value);
	case OPTION_UNIT: return set_unit(options, value);
	case OPTION_CGROUP: return set_cgroup(options, value);
	case OPTION_PID:
		return read_number32(value, 1, INT_MAX, &capture->pid);
	case OPTION_CAPTURE: return set_capture(options, value);
	case OPTION_RING_BYTES: return set_ring_bytes(options, value);
	case OPTION_LATENCY:
		return read_number32(value, 1, 1000, &capture->latency_ms);
	case OPTION_TLS: return capture->tls_plaintext = true;
	case OPTION_TLS_PORT:
		return add_port(capture->tls_ports, &capture->tls_ports_count,
				value);
	case OPTION_ROLE:
		return role_table_override(options->roles, value) ||
		       complain(value, "not EXECUTABLE=ROLE");
	case OPTION_TIMEOUT:
		return read_number(value, 0, 3600000, &options->timeout_ms);
	case OPTION_HOLD:
		return read_number(value, 0, 10000, &options->hold_ms);
	case OPTION_QUERY: return options->query_in_response = true;
	case OPTION_NO_EXTRA: options->extra = false; return true;
	case OPTION_IDENTITY: return set(options, "identity", value);
	case OPTION_METRICS: options->metrics = value; return true;
	case OPTION_USER: options->user = value; return true;
	default: return false;
	}
}

/* Before the command line is read, which may say otherwise. */
static bool
set_defaults(struct sidecar_options *options)
{
	char host[HOST_NAME_MAX + 1] = "";

	memset(options, 0, sizeof(*options));
	options->capture.ring_bytes = RING_BYTES_DEFAULT;
	options->capture.latency_ms = LATENCY_MS_DEFAULT;
	options->timeout_ms = TIMEOUT_MS_DEFAULT;
	options->hold_ms = HOLD_MS_DEFAULT;
	options->extra = true;
	options->tap = dtap_options_new();
	options->roles = role_table_new();
	if (options->tap == NULL || options->roles == NULL)
		return complain("start", "out of memory");
	gethostname(host, sizeof(host) - 1);
	return set(options, "identity", host) &&
	       set(options, "version", "dtap-sidecar " DTAP_VERSION);
}

static bool
check(struct sidecar_options *options)
{
	struct capture_options *capture = &options->capture;

	if (!options->has_output && !options->print)
		return complain("nothing to do",
				"--output or --print is needed");
	capture->tls_pid = capture->pid;
	if (capture->ports_count == 0) {
		capture->ports[0] = PORT_DNS;
		capture->ports[1] = PORT_MDNS;
		capture->ports_count = 2;
	}
	return true;
}

enum sidecar_verdict
sidecar_options_parse(struct sidecar_options *options, int argc, char **argv)
{
	int option;

	if (!set_defaults(options))
		return SIDECAR_USAGE;
	while ((option = getopt_long(argc, argv, "o:phV", names, NULL)) >= 0) {
		switch (option) {
		case 'h': fputs(help, stdout); return SIDECAR_DONE;
		case 'V':
			puts("dtap-sidecar " DTAP_VERSION);
			return SIDECAR_DONE;
		case OPTION_LIST_HOOKS: return SIDECAR_LIST_HOOKS;
		}
		if (!apply(options, option, optarg)) {
			fputs("Try 'dtap-sidecar --help'.\n", stderr);
			return SIDECAR_USAGE;
		}
	}
	if (optind < argc) {
		complain(argv[optind], "not an option");
		return SIDECAR_USAGE;
	}
	return check(options) ? SIDECAR_RUN : SIDECAR_USAGE;
}

void
sidecar_options_free(struct sidecar_options *options)
{
	dtap_options_free(&options->tap);
	role_table_free(&options->roles);
}
