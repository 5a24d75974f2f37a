/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event_address.c: socket addresses become event fields.
 *
 * A server keeps its peers in sockaddr_storage, in unions, in packets; the
 * pointer may be aligned to nothing and only the family's own octets may be
 * there. So the fields are reached by their offsets and copied, never through
 * a structure pointer. The event borrows the address in place.
 *
 * Pure functions; one thread per event.
 */
#include <dnstap/event.h>

#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

/* What one end of an event takes from a socket address. */
struct address_end {
	const void *address;
	uint16_t port;
	uint8_t bytes;
	uint8_t socket_family;
};

/* Where a family keeps things. */
struct address_layout {
	size_t struct_bytes;
	size_t port_offset;
	size_t address_offset;
	uint8_t address_bytes;
	uint8_t socket_family;
};

static const struct address_layout address_inet = {
	.struct_bytes = sizeof(struct sockaddr_in),
	.port_offset = offsetof(struct sockaddr_in, sin_port),
	.address_offset = offsetof(struct sockaddr_in, sin_addr),
	.address_bytes = 4,
	.socket_family = DTAP_INET,
};

static const struct address_layout address_inet6 = {
	.struct_bytes = sizeof(struct sockaddr_in6),
	.port_offset = offsetof(struct sockaddr_in6, sin6_port),
	.address_offset = offsetof(struct sockaddr_in6, sin6_addr),
	.address_bytes = 16,
	.socket_family = DTAP_INET6,
};

/* NULL when the octets are too few, or of another family. */
static const struct address_layout *
address_layout_of(const uint8_t *octets, size_t bytes)
{
	const struct address_layout *layout;
	sa_family_t family;

	if (bytes < offsetof(struct sockaddr, sa_family) + sizeof(family))
		return NULL;
	memcpy(&family, octets + offsetof(struct sockaddr, sa_family),
	       sizeof(family));
	if (family == AF_INET)
		layout = &address_inet;
	else if (family == AF_INET6)
		layout = &address_inet6;
	else
		return NULL;
	return bytes >= layout->struct_bytes ? layout : NULL;
}

/* Fills *end for an event of that family (0: any); false: not allowed. */
static bool
address_read(struct address_end *end, unsigned int socket_family,
	     const struct sockaddr *address, size_t bytes)
{
	const uint8_t *octets = (const uint8_t *)address;
	const struct address_layout *layout = address_layout_of(octets, bytes);
	uint16_t port;

	if (layout == NULL)
		return false;
	if (socket_family != 0 && socket_family != layout->socket_family)
		return false;
	memcpy(&port, octets + layout->port_offset, sizeof(port));
	end->address = octets + layout->address_offset;
	end->port = ntohs(port);
	end->bytes = layout->address_bytes;
	end->socket_family = layout->socket_family;
	return true;
}

enum dtap_result
dtap_event_set_query_sockaddr(struct dtap_event *event,
			      const struct sockaddr *address, size_t bytes)
{
	struct address_end end = {.socket_family = event->socket_family};

	if (address != NULL &&
	    !address_read(&end, event->socket_family, address, bytes))
		return DTAP_E_INVALID;
	event->query_address = end.address;
	event->query_address_bytes = end.bytes;
	event->query_port = end.port;
	event->socket_family = end.socket_family;
	return DTAP_OK;
}

enum dtap_result
dtap_event_set_response_sockaddr(struct dtap_event *event,
				 const struct sockaddr *address, size_t bytes)
{
	struct address_end end = {.socket_family = event->socket_family};

	if (address != NULL &&
	    !address_read(&end, event->socket_family, address, bytes))
		return DTAP_E_INVALID;
	event->response_address = end.address;
	event->response_address_bytes = end.bytes;
	event->response_port = end.port;
	event->socket_family = end.socket_family;
	return DTAP_OK;
}
