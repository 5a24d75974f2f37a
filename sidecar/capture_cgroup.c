/* SPDX-License-Identifier: Apache-2.0 */
/*
 * capture_cgroup.c: packets from hooks at the sockets of a cgroup.
 *
 * All that needs privileges happens when it is opened. From then on there is
 * only memory that is shared with the kernel (the ring and the counters), a
 * timer and epoll: no bpf() any more. The kernel takes the hooks away when
 * the last descriptor is closed, however the process ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include <dnstap/event.h>

#include "sidecar/capture_hooks.h"
#include "sidecar/capture_kind.h"
#include "sidecar/capture_tls.h"
#include "sidecar/capture_wake.h"
#include "sidecar/record.h"

#include "sidecar/capture.skel.h"

/* Beyond so much in the ring the reader is woken before its time. */
#define THRESHOLD_BYTES_MAX (256u << 10)
/* Of one drain, so that the program gets to do other things as well. */
#define DRAIN_RECORDS_MAX 4096
#define PATH_BYTES 4096

struct cgroup_capture {
	struct capture capture; /* first */
	struct capture_bpf *kernel;
	struct ring_buffer *ring;
	struct capture_wake wake;
	struct capture_tls tls;
	int cgroup_fd; /* of the cgroup that was asked for; or -1 */
	uint32_t drained;
};

static void
copy_owner(struct packet_owner *owner, const struct record_owner *from)
{
	owner->pid = from->pid;
	owner->uid = from->uid;
	owner->cgroup = from->cgroup;
	owner->netns = from->netns;
	memcpy(owner->comm, from->comm, sizeof(owner->comm));
	owner->comm[sizeof(owner->comm) - 1] = '\0';
	memcpy(owner->exe, from->exe, sizeof(owner->exe));
	owner->exe[sizeof(owner->exe) - 1] = '\0';
}

static void
read_record(const struct cgroup_capture *self, const struct record *record,
	    struct packet *packet)
{
	packet->time_ns = record->time_ns;
	copy_owner(&packet->owner, &record->owner);
	memcpy(packet->local.address, record->local, 16);
	packet->local.port = record->local_port;
	memcpy(packet->remote.address, record->remote, 16);
	packet->remote.port = record->remote_port;
	packet->family = record->ip_version == 4 ? DTAP_INET : DTAP_INET6;
	packet->protocol = record->protocol;
	packet->direction = record->direction;
	packet->tcp_flags = record->tcp_flags;
	packet->tcp_sequence =
		record->protocol == PACKET_TCP ? record->tcp_sequence : 0;
	packet->payload_bytes = record->payload_bytes;
	packet->payload = (const uint8_t *)(record + 1);
	packet->socket = record->protocol == PACKET_UDP ?
		record->cookie :
		socket_id_connection(&self->capture.key, packet);
}

static int
take_record(void *user, void *data, size_t bytes)
{
	struct cgroup_capture *self = user;
	const struct record *record = data;
	struct packet packet;

	if (bytes < sizeof(*record) ||
	    record->payload_bytes > bytes - sizeof(*record))
		return -EPROTO;
	read_record(self, record, &packet);
	capture_hand_over(&self->capture, &packet);
	return ++self->drained < DRAIN_RECORDS_MAX ? 0 : -EINTR;
}

/* A service that is started anew gets a new cgroup under the old name, and
 * to attach to that takes privileges. */
static bool
cgroup_is_gone(const struct cgroup_capture *self)
{
	return self->cgroup_fd >= 0 &&
	       faccessat(self->cgroup_fd, "cgroup.procs", F_OK, 0) != 0 &&
	       errno == ENOENT;
}

static bool
cgroup_drain(struct capture *capture)
{
	struct cgroup_capture *self = (struct cgroup_capture *)capture;
	enum capture_wake_found found;
	int result;

	self->drained = 0;
	self->kernel->bss->wake_bytes = capture_wake_begin(&self->wake);
	result = ring_buffer__consume(self->ring);
	if (result == -EINTR)
		found = CAPTURE_WAKE_MORE;
	else
		found = self->drained > 0 ? CAPTURE_WAKE_SOME :
					    CAPTURE_WAKE_NOTHING;
	capture_wake_end(&self->wake, found);
	if (result < 0 && result != -EINTR) {
		errno = -result;
		return false;
	}
	return found != CAPTURE_WAKE_NOTHING || !cgroup_is_gone(self);
}

static int
cgroup_descriptor(const struct capture *capture)
{
	return ((const struct cgroup_capture *)capture)->wake.poll_fd;
}

static void
cgroup_count(const struct capture *capture, struct capture_counters *counters)
{
	const struct cgroup_capture *self =
		(const struct cgroup_capture *)capture;
	/* The kernel part goes on counting. */
	const volatile struct record_counters *each =
		self->kernel->bss->counters;

	for (size_t i = 0; i < RECORD_CPUS_MAX; i++) {
		counters->lost_kernel += each[i].lost_full;
		counters->lost_short += each[i].lost_short;
		counters->foreign += each[i].foreign;
	}
}

static void
cgroup_detach(struct capture *capture)
{
	struct cgroup_capture *self = (struct cgroup_capture *)capture;

	capture_tls_close(&self->tls);
	capture_bpf__detach(self->kernel);
}

static void
cgroup_close(struct capture *capture)
{
	struct cgroup_capture *self = (struct cgroup_capture *)capture;

	if (self->cgroup_fd >= 0)
		close(self->cgroup_fd);
	capture_wake_close(&self->wake);
	capture_tls_close(&self->tls);
	ring_buffer__free(self->ring);
	capture_bpf__destroy(self->kernel);
	free(self);
}

static const struct capture_operations cgroup_operations = {
	.kind = CAPTURE_CGROUP,
	.descriptor = cgroup_descriptor,
	.drain = cgroup_drain,
	.count = cgroup_count,
	.detach = cgroup_detach,
	.close = cgroup_close,
};

/* Where the hierarchy of version 2 is mounted; false if nowhere. */
static bool
find_root(char path[PATH_BYTES])
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	const struct mntent *entry;
	bool found = false;

	if (mounts == NULL)
		return false;
	while (!found && (entry = getmntent(mounts)) != NULL) {
		if (strcmp(entry->mnt_type, "cgroup2") != 0)
			continue;
		snprintf(path, PATH_BYTES, "%s", entry->mnt_dir);
		found = true;
	}
	endmntent(mounts);
	return found;
}

/* The directory of the cgroup, or -1 with *reason. */
static int
open_cgroup(const char *wanted, char path[PATH_BYTES],
	    char reason[CAPTURE_REASON_BYTES])
{
	struct statfs status;
	int fd;

	if (wanted != NULL)
		snprintf(path, PATH_BYTES, "%s", wanted);
	else if (!find_root(path)) {
		capture_refuse(reason, "No cgroup v2 hierarchy is mounted: "
			       "mount -t cgroup2 none /sys/fs/cgroup/unified, "
			       "or --capture packet.");
		return -1;
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		capture_refuse(reason, "The cgroup %.300s cannot be opened: "
			       "%m.", path);
		return -1;
	}
	if (fstatfs(fd, &status) == 0 &&
	    status.f_type == CGROUP2_SUPER_MAGIC)
		return fd;
	close(fd);
	capture_refuse(reason, "%.300s is no directory of a cgroup v2 "
		       "hierarchy: mount -t cgroup2 shows where that is.",
		       path);
	return -1;
}

static bool
open_ring(struct cgroup_capture *self, uint32_t ring_bytes,
	  uint32_t latency_ms, char reason[CAPTURE_REASON_BYTES])
{
	int fd = bpf_map__fd(self->kernel->maps.ring);
	uint32_t threshold_bytes = ring_bytes / 4;

	if (threshold_bytes > THRESHOLD_BYTES_MAX)
		threshold_bytes = THRESHOLD_BYTES_MAX;
	self->ring = ring_buffer__new(fd, take_record, self, NULL);
	if (self->ring == NULL ||
	    !capture_wake_open(&self->wake, fd, latency_ms, threshold_bytes))
		return capture_refuse(reason, "The ring of %u octets cannot be "
				      "opened: %m.", ring_bytes);
	return true;
}

struct capture *
capture_cgroup_open(const struct capture_options *options,
		    char reason[CAPTURE_REASON_BYTES])
{
	struct cgroup_capture *self = calloc(1, sizeof(*self));
	char cgroup[PATH_BYTES];
	bool done = false;
	int fd = -1;

	if (self == NULL) {
		capture_refuse(reason, "There is no memory.");
		return NULL;
	}
	self->capture.operations = &cgroup_operations;
	self->wake.poll_fd = self->wake.timer_fd = -1;
	self->cgroup_fd = -1;
	fd = open_cgroup(options->cgroup, cgroup, reason);
	if (fd < 0)
		goto done;
	self->kernel = capture_hooks_load(options, reason);
	if (self->kernel == NULL)
		goto done;
	done = open_ring(self, options->ring_bytes, options->latency_ms,
			 reason) &&
	       capture_hooks_attach(self->kernel, fd, cgroup, reason) &&
	       (!options->tls_plaintext ||
		capture_tls_attach(&self->tls, self->kernel, options->tls_pid,
				   reason));
done:
	/* The links hold the cgroup, for as long as it is there. */
	if (options->cgroup != NULL)
		self->cgroup_fd = fd;
	else if (fd >= 0)
		close(fd);
	if (done)
		return &self->capture;
	cgroup_close(&self->capture);
	return NULL;
}
