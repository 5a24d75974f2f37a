/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring_memory.c: see ring_memory.h.
 *
 * Mirrored: an anonymous file in memory, mapped twice side by side, so that
 * whatever crosses the end of the first view continues in the second, which
 * is the beginning. Without memfd_create(), or where a sandbox forbids it,
 * plain anonymous memory does (the wrap layout).
 *
 * Every page is allocated and mapped here, not at first use: the first user
 * would be a server thread in the middle of a query.
 *
 * Rejected: shm_open(), which leaves a name behind when the process dies in
 * between; remap_file_pages(), deprecated; MAP_HUGETLB, which needs pages
 * reserved by the administrator and gains nothing measurable at this size.
 */
#include "ring/ring_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

static uint64_t
ring_page_bytes(void)
{
	return (uint64_t)sysconf(_SC_PAGESIZE);
}

static bool
ring_bytes_allowed(uint64_t bytes)
{
	return bytes >= DTAP__RING_BYTES_MIN && bytes <= DTAP__RING_BYTES_MAX &&
	       (bytes & (bytes - 1)) == 0 && bytes >= ring_page_bytes();
}

/*
 * A page fault on the producer's path would cost more than a hundred events.
 * MAP_POPULATE maps the pages at one go but does not tell when it could not,
 * so write to each.
 */
static void
ring_touch_pages(uint8_t *base, uint64_t bytes)
{
	volatile uint8_t *octet = base;
	uint64_t page_bytes = ring_page_bytes();

	for (uint64_t at = 0; at < bytes; at += page_bytes)
		octet[at] = 0;
}

/*
 * In small pieces, so that a signal, however often one comes, costs a piece
 * and not all that went before. 0 or an errno.
 */
static int
ring_allocate_pages(int fd, uint64_t bytes)
{
	uint64_t at = 0;

	while (at < bytes) {
		int error = posix_fallocate(fd, (off_t)at,
					    (off_t)DTAP__RING_BYTES_MIN);

		if (error == 0)
			at += DTAP__RING_BYTES_MIN;
		else if (error != EINTR)
			return error;
	}
	return 0;
}

/*
 * A file in memory, its pages allocated: without that, a system short of
 * memory answers the first touch with SIGBUS. -1 and errno on failure.
 */
static int
ring_memory_file(uint64_t bytes)
{
	struct rlimit limit;
	int error;
	int fd;

	/* Past the limit the kernel not only refuses, it sends SIGXFSZ. */
	if (getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur < bytes) {
		errno = EFBIG;
		return -1;
	}
	fd = memfd_create("dtap-ring", MFD_CLOEXEC);
	if (fd < 0)
		return -1;
	error = ring_allocate_pages(fd, bytes);
	if (error != 0) {
		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

static bool
ring_map_view(int fd, uint8_t *address, uint64_t bytes)
{
	return mmap(address, bytes, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_FIXED | MAP_POPULATE, fd, 0) != MAP_FAILED;
}

/* Lack of memory, or lack of the means? */
static enum dtap_result
ring_map_failure(int error)
{
	return error == ENOMEM || error == ENOSPC ? DTAP_E_NOMEM
						  : DTAP_E_UNSUPPORTED;
}

/*
 * The reservation comes first, so that the two views lie in a row and
 * MAP_FIXED replaces nothing but our own addresses. The views keep the file
 * alive; its descriptor is not needed any longer than this.
 */
static enum dtap_result
ring_map_mirrored(uint64_t bytes, uint8_t **base)
{
	enum dtap_result result = DTAP_OK;
	uint8_t *address;
	int fd = ring_memory_file(bytes);

	if (fd < 0)
		return ring_map_failure(errno);
	address = mmap(NULL, 2 * bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);
	if (address == MAP_FAILED) {
		result = ring_map_failure(errno);
		goto done;
	}
	if (!ring_map_view(fd, address, bytes) ||
	    !ring_map_view(fd, address + bytes, bytes)) {
		result = ring_map_failure(errno);
		munmap(address, 2 * bytes);
		goto done;
	}
	*base = address;
done:
	close(fd);
	return result;
}

static enum dtap_result
ring_map_wrap(uint64_t bytes, uint8_t **base)
{
	uint8_t *address;

	address = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (address == MAP_FAILED)
		return DTAP_E_NOMEM;
	*base = address;
	return DTAP_OK;
}

enum dtap_result
dtap__ring_memory_map(uint64_t bytes, enum dtap__ring_layout layout,
		      uint8_t **base, uint64_t *contiguous)
{
	enum dtap_result result = DTAP_E_UNSUPPORTED;
	uint64_t mapped_bytes = 2 * bytes;

	if (!ring_bytes_allowed(bytes))
		return DTAP_E_INVALID;
	if (layout != DTAP__RING_WRAP)
		result = ring_map_mirrored(bytes, base);
	if (result != DTAP_OK && layout != DTAP__RING_MIRRORED) {
		result = ring_map_wrap(bytes, base);
		mapped_bytes = bytes;
	}
	if (result != DTAP_OK)
		return result;
	ring_touch_pages(*base, mapped_bytes);
	*contiguous = mapped_bytes;
	return DTAP_OK;
}

void
dtap__ring_memory_unmap(uint8_t *base, uint64_t contiguous)
{
	if (base != NULL)
		munmap(base, contiguous);
}
