/* SPDX-License-Identifier: Apache-2.0 */
/*
 * capture_packet.c: frames of all interfaces of this network namespace, from
 * a socket of AF_PACKET: for hosts without cgroup v2, and for traffic that is
 * only forwarded. There are no processes here; which frames count, and as
 * what, is for packet_view.c.
 *
 * recvmmsg() and not the mapped ring of AF_PACKET, whose slots all have the
 * size of the longest frame. IPv4 fragments are put together by the kernel:
 * that is what the fanout of one member is for. Of those of IPv6, the first
 * is counted as short. SYN with data is two packets, as capture.bpf.c has it.
 */
#include <errno.h>
#include <ifaddrs.h>
#include <linux/filter.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <dnstap/event.h>

#include "sidecar/capture_kind.h"
#include "sidecar/packet_filter.h"
#include "sidecar/packet_parse.h"
#include "sidecar/packet_view.h"

#define BATCH_FRAMES 32
/* Longer segments (BIG TCP) are counted as short. */
#define FRAME_BYTES (128u << 10)
#define DRAIN_BATCHES_MAX 128
#define ADDRESSES_REFRESH_NS UINT64_C(10000000000)

struct frame_slot {
	struct sockaddr_ll link;
	struct iovec part;
	_Alignas(struct cmsghdr) char
		control[CMSG_SPACE(sizeof(struct timespec))];
	uint8_t octets[FRAME_BYTES];
};

struct frame_capture {
	struct capture capture; /* first */
	int fd;
	struct capture_counters counters;
	struct capture_options options;
	uint64_t addresses_read_ns;
	uint64_t emptied_ns;   /* all frames up to then have been read */
	uint64_t monotonic_ns; /* both when the batch was read */
	uint64_t realtime_ns;
	struct packet_view view;
	struct mmsghdr batch[BATCH_FRAMES];
	struct frame_slot slots[BATCH_FRAMES];
};

static void
add_address(struct packet_view *view, const struct sockaddr *address)
{
	struct packet_view_address *slot =
		&view->addresses[view->addresses_count];

	if (address == NULL ||
	    view->addresses_count == PACKET_VIEW_ADDRESSES_MAX)
		return;
	memset(slot, 0, sizeof(*slot));
	if (address->sa_family == AF_INET) {
		slot->family = DTAP_INET;
		memcpy(slot->octets,
		       &((const struct sockaddr_in *)address)->sin_addr, 4);
	} else if (address->sa_family == AF_INET6) {
		slot->family = DTAP_INET6;
		memcpy(slot->octets,
		       &((const struct sockaddr_in6 *)address)->sin6_addr, 16);
	} else
		return;
	view->addresses_count++;
}

/* Those of a moment ago stay, when they cannot be read. */
static void
refresh_addresses(struct frame_capture *self, uint64_t now_ns)
{
	struct ifaddrs *all;

	if (now_ns - self->addresses_read_ns < ADDRESSES_REFRESH_NS)
		return;
	self->addresses_read_ns = now_ns;
	if (getifaddrs(&all) != 0)
		return;
	self->view.addresses_count = 0;
	for (const struct ifaddrs *each = all; each != NULL;
	     each = each->ifa_next)
		add_address(&self->view, each->ifa_addr);
	freeifaddrs(all);
}

static uint64_t
time_in_ns(const struct timespec *time)
{
	return (uint64_t)time->tv_sec * 1000000000 + (uint64_t)time->tv_nsec;
}

static uint64_t
read_clock(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return time_in_ns(&now);
}

/* The kernel tells by CLOCK_REALTIME when it saw the frame, which may have
 * been set since: it is so much older than now, but no older than the time
 * when there was none left. */
static uint64_t
frame_time(const struct frame_capture *self, struct msghdr *message)
{
	struct cmsghdr *each = CMSG_FIRSTHDR(message);
	struct timespec seen;
	int64_t age_ns;

	if (each == NULL || each->cmsg_level != SOL_SOCKET ||
	    each->cmsg_type != SCM_TIMESTAMPNS)
		return self->monotonic_ns;
	memcpy(&seen, CMSG_DATA(each), sizeof(seen));
	age_ns = (int64_t)(self->realtime_ns - time_in_ns(&seen));
	if (age_ns < 0)
		return self->monotonic_ns;
	if ((uint64_t)age_ns > self->monotonic_ns - self->emptied_ns)
		return self->emptied_ns;
	return self->monotonic_ns - (uint64_t)age_ns;
}

static void
hand_over_tcp(struct frame_capture *self, struct packet *packet)
{
	struct packet rest = *packet;

	if (packet->payload_bytes == 0 && packet->tcp_flags == 0)
		return;
	if (packet->payload_bytes > 0 &&
	    (packet->tcp_flags & PACKET_SYN) != 0) {
		packet->payload_bytes = 0;
		packet->tcp_flags = PACKET_SYN;
		capture_hand_over(&self->capture, packet);
		rest.tcp_flags &= (uint8_t)~PACKET_SYN;
		rest.tcp_sequence++;
	}
	capture_hand_over(&self->capture, &rest);
}

static void
take_frame(struct frame_capture *self, struct frame_slot *slot,
	   struct mmsghdr *message)
{
	struct packet_view_frame frame = {
		.time_ns = frame_time(self, &message->msg_hdr),
		.leaves = slot->link.sll_pkttype == PACKET_OUTGOING,
		.loopback = slot->link.sll_hatype == ARPHRD_LOOPBACK,
	};
	enum packet_parse_result result;
	struct packet_parts parts;
	struct packet packet;

	if ((message->msg_hdr.msg_flags & MSG_TRUNC) != 0)
		result = PACKET_PARSE_SHORT;
	else
		result = packet_parse(slot->octets, message->msg_len, &parts);
	if (result == PACKET_PARSE_SHORT)
		self->counters.lost_short++;
	else if (result == PACKET_PARSE_FOREIGN ||
		 !packet_view_end(&self->view, &frame, &parts, &packet))
		self->counters.foreign++;
	else if (packet.protocol == PACKET_TCP)
		hand_over_tcp(self, &packet);
	else
		capture_hand_over(&self->capture, &packet);
}

static void
prepare_batch(struct frame_capture *self)
{
	for (size_t i = 0; i < BATCH_FRAMES; i++) {
		struct frame_slot *slot = &self->slots[i];

		slot->part.iov_base = slot->octets;
		slot->part.iov_len = sizeof(slot->octets);
		self->batch[i].msg_hdr = (struct msghdr){
			.msg_name = &slot->link,
			.msg_namelen = sizeof(slot->link),
			.msg_iov = &slot->part,
			.msg_iovlen = 1,
			.msg_control = slot->control,
			.msg_controllen = sizeof(slot->control),
		};
	}
}

/* The kernel forgets what it has told. */
static void
read_losses(struct frame_capture *self)
{
	struct tpacket_stats losses = { 0, 0 };
	socklen_t bytes = sizeof(losses);

	if (getsockopt(self->fd, SOL_PACKET, PACKET_STATISTICS, &losses,
		       &bytes) == 0)
		self->counters.lost_kernel += losses.tp_drops;
}

static bool
packet_drain(struct capture *capture)
{
	struct frame_capture *self = (struct frame_capture *)capture;
	uint64_t begin_ns = read_clock(CLOCK_MONOTONIC);
	int count = BATCH_FRAMES;

	refresh_addresses(self, begin_ns);
	for (int i = 0; i < DRAIN_BATCHES_MAX && count == BATCH_FRAMES; i++) {
		prepare_batch(self);
		count = recvmmsg(self->fd, self->batch, BATCH_FRAMES,
				 MSG_DONTWAIT | MSG_TRUNC, NULL);
		self->monotonic_ns = read_clock(CLOCK_MONOTONIC);
		self->realtime_ns = read_clock(CLOCK_REALTIME);
		for (int j = 0; j < count; j++)
			take_frame(self, &self->slots[j], &self->batch[j]);
	}
	if (count < BATCH_FRAMES)
		self->emptied_ns = begin_ns;
	read_losses(self);
	/* An interface that goes down says so once, and that is all. */
	return count >= 0 || errno == EAGAIN || errno == EINTR ||
	       errno == ENETDOWN;
}

static int
packet_descriptor(const struct capture *capture)
{
	return ((const struct frame_capture *)capture)->fd;
}

static void
packet_count(const struct capture *capture, struct capture_counters *counters)
{
	*counters = ((const struct frame_capture *)capture)->counters;
}

/* By a filter that lets nothing through. */
static void
packet_detach(struct capture *capture)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog filter = { .len = 1, .filter = &nothing };

	setsockopt(((struct frame_capture *)capture)->fd, SOL_SOCKET,
		   SO_ATTACH_FILTER, &filter, sizeof(filter));
}

static void
packet_close(struct capture *capture)
{
	struct frame_capture *self = (struct frame_capture *)capture;

	if (self->fd >= 0)
		close(self->fd);
	free(self);
}

static const struct capture_operations packet_operations = {
	.kind = CAPTURE_PACKET,
	.descriptor = packet_descriptor,
	.drain = packet_drain,
	.count = packet_count,
	.detach = packet_detach,
	.close = packet_close,
};

/* The filter is there before the first frame; the socket gets frames when it
 * is bound. What comes between that and the fanout may be a fragment. */
static bool
open_socket(struct frame_capture *self)
{
	struct sockaddr_ll all = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
	};
	struct sock_filter program[PACKET_FILTER_MAX];
	struct sock_fprog filter = {
		.len = (unsigned short)packet_filter_write(
			self->options.ports, self->options.ports_count,
			program),
		.filter = program,
	};
	uint32_t bytes = self->options.ring_bytes;
	uint32_t fanout = (uint32_t)(PACKET_FANOUT_HASH |
				     PACKET_FANOUT_FLAG_DEFRAG |
				     PACKET_FANOUT_FLAG_UNIQUEID) << 16;
	int on = 1;

	self->fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (self->fd < 0 ||
	    setsockopt(self->fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter,
		       sizeof(filter)) != 0 ||
	    setsockopt(self->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on,
		       sizeof(on)) != 0)
		return false;
	/* Without CAP_NET_ADMIN there is a limit. */
	if (setsockopt(self->fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes,
		       sizeof(bytes)) != 0)
		setsockopt(self->fd, SOL_SOCKET, SO_RCVBUF, &bytes,
			   sizeof(bytes));
	if (bind(self->fd, (struct sockaddr *)&all, sizeof(all)) != 0)
		return false;
	/* Without it fragments are counted as short. */
	setsockopt(self->fd, SOL_PACKET, PACKET_FANOUT, &fanout,
		   sizeof(fanout));
	return true;
}

struct capture *
capture_packet_open(const struct capture_options *options,
		    char reason[CAPTURE_REASON_BYTES])
{
	struct frame_capture *self = calloc(1, sizeof(*self));

	if (self == NULL) {
		capture_refuse(reason, "There is no memory.");
		return NULL;
	}
	self->capture.operations = &packet_operations;
	self->options = *options;
	self->view.ports = self->options.ports;
	self->view.ports_count = options->ports_count;
	self->view.key = &self->capture.key;
	self->emptied_ns = read_clock(CLOCK_MONOTONIC);
	if (!open_socket(self)) {
		capture_refuse(reason, "Frames cannot be captured: %m. Run as "
			       "root, or with CAP_NET_RAW (systemd: "
			       "AmbientCapabilities=).");
		packet_close(&self->capture);
		return NULL;
	}
	refresh_addresses(self, ADDRESSES_REFRESH_NS);
	self->addresses_read_ns = 0;
	return &self->capture;
}
