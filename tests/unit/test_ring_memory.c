/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_ring_memory.c: mapped twice or not, all there, and never leaked.
 *
 * The linker puts the functions below between the library and the system.
 */
#include "ring/ring_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "support/ring_stream.h"

/* What the system gave and got back; and which request it refuses. */

static struct {
	size_t mapped_bytes;
	int files;
	int requests;
	int refuse; /* the number of the request, from 1; 0: none */
	int error;
} system_calls;

static bool
refused(void)
{
	if (++system_calls.requests != system_calls.refuse)
		return false;
	errno = system_calls.error;
	return true;
}

void *__real_mmap(void *, size_t, int, int, int, off_t);
void *__wrap_mmap(void *, size_t, int, int, int, off_t);
int __real_munmap(void *, size_t);
int __wrap_munmap(void *, size_t);
int __real_memfd_create(const char *, unsigned int);
int __wrap_memfd_create(const char *, unsigned int);
int __real_posix_fallocate(int, off_t, off_t);
int __wrap_posix_fallocate(int, off_t, off_t);
int __real_close(int);
int __wrap_close(int);

void *
__wrap_mmap(void *address, size_t bytes, int protection, int flags, int fd,
	    off_t offset)
{
	void *mapped;

	if (refused())
		return MAP_FAILED;
	mapped = __real_mmap(address, bytes, protection, flags, fd, offset);
	if (mapped != MAP_FAILED && address == NULL)
		system_calls.mapped_bytes += bytes;
	return mapped;
}

int
__wrap_munmap(void *address, size_t bytes)
{
	system_calls.mapped_bytes -= bytes;
	return __real_munmap(address, bytes);
}

int
__wrap_memfd_create(const char *name, unsigned int flags)
{
	int fd;

	if (refused())
		return -1;
	fd = __real_memfd_create(name, flags);
	system_calls.files += fd >= 0;
	return fd;
}

int
__wrap_posix_fallocate(int fd, off_t at, off_t bytes)
{
	if (refused())
		return system_calls.error;
	return __real_posix_fallocate(fd, at, bytes);
}

int
__wrap_close(int fd)
{
	system_calls.files--;
	return __real_close(fd);
}

START_TEST(init_takes_powers_of_two_within_the_limits)
{
	static const uint64_t wrong[] = {
		0, 1, SMALLEST - 1, SMALLEST / 2, SMALLEST + 1, SMALLEST * 3,
		DTAP__RING_BYTES_MAX * 2, UINT64_C(1) << 63, UINT64_MAX
	};
	struct dtap__ring ring;

	memset(&system_calls, 0, sizeof(system_calls));
	for (size_t i = 0; i < DTAP__COUNT_OF(wrong); i++) {
		ck_assert_int_eq(dtap__ring_init(&ring, wrong[i], layouts[_i]),
				 DTAP_E_INVALID);
		dtap__ring_fini(&ring);
	}
	ck_assert_int_eq(dtap__ring_init(&ring, SMALLEST * 4, layouts[_i]),
			 DTAP_OK);
	ck_assert_uint_eq(ring.capacity, SMALLEST * 4);
	ck_assert_uint_eq(dtap__ring_record_max(&ring), SMALLEST * 2);
	ck_assert_uint_eq(ring.contiguous,
			  layouts[_i] == DTAP__RING_WRAP ? SMALLEST * 4
							 : SMALLEST * 8);
	dtap__ring_fini(&ring);
	ck_assert_ptr_null(ring.base);
	dtap__ring_fini(&ring);
	ck_assert_uint_eq(system_calls.mapped_bytes, 0);
	ck_assert_int_eq(system_calls.files, 0);
}
END_TEST

START_TEST(ring_keeps_no_descriptor)
{
	struct dtap__ring ring;

	memset(&system_calls, 0, sizeof(system_calls));
	ck_assert_int_eq(dtap__ring_init(&ring, SMALLEST, layouts[_i]),
			 DTAP_OK);
	ck_assert_int_eq(system_calls.files, 0);
	ck_assert_uint_eq(system_calls.mapped_bytes, ring.contiguous);
	dtap__ring_fini(&ring);
}
END_TEST

START_TEST(mirrored_views_show_the_same_octets)
{
	struct dtap__ring ring;

	ck_assert_int_eq(dtap__ring_init(&ring, SMALLEST, DTAP__RING_MIRRORED),
			 DTAP_OK);
	ring.base[7] = 1;
	ring.base[2 * SMALLEST - 1] = 2;
	ck_assert_uint_eq(ring.base[SMALLEST + 7], 1);
	ck_assert_uint_eq(ring.base[SMALLEST - 1], 2);
	dtap__ring_fini(&ring);
}
END_TEST

/* Has the page table an entry for the page at address? (proc(5), pagemap) */
static bool
page_is_mapped(int pagemap, const uint8_t *address, uint64_t page_bytes)
{
	uint64_t entry = 0;
	off_t at = (off_t)((uintptr_t)address / page_bytes * sizeof(entry));

	ck_assert_int_eq(pread(pagemap, &entry, sizeof(entry), at),
			 sizeof(entry));
	return entry >> 62 != 0; /* in memory, or swapped out since */
}

START_TEST(all_pages_are_mapped_from_the_start)
{
	uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
	int pagemap = open("/proc/self/pagemap", O_RDONLY);
	struct dtap__ring ring;

	ck_assert_int_ge(pagemap, 0);
	ck_assert_int_eq(dtap__ring_init(&ring, SMALLEST, layouts[_i]),
			 DTAP_OK);
	for (uint64_t at = 0; at < ring.contiguous; at += page_bytes)
		ck_assert(page_is_mapped(pagemap, ring.base + at, page_bytes));
	dtap__ring_fini(&ring);
	close(pagemap);
}
END_TEST

/* Refuses one request after the other until init needs none that fails. */
static int
refuse_each(enum dtap__ring_layout layout, int error,
	    enum dtap_result expected)
{
	struct dtap__ring ring;
	enum dtap_result result;
	int at = 0;

	do {
		memset(&system_calls, 0, sizeof(system_calls));
		system_calls.refuse = ++at;
		system_calls.error = error;
		result = dtap__ring_init(&ring, SMALLEST, layout);
		if (system_calls.requests >= at)
			ck_assert_int_eq(result, expected);
		if (result != DTAP_OK)
			ck_assert_ptr_null(ring.base);
		dtap__ring_fini(&ring);
		ck_assert_uint_eq(system_calls.mapped_bytes, 0);
		ck_assert_int_eq(system_calls.files, 0);
	} while (system_calls.requests >= at);
	return at - 1;
}

START_TEST(each_refusal_is_reported_and_leaks_nothing)
{
	/* File, its pages, reservation, two views. */
	ck_assert_int_eq(refuse_each(DTAP__RING_MIRRORED, ENOMEM,
				     DTAP_E_NOMEM), 5);
	ck_assert_int_eq(refuse_each(DTAP__RING_MIRRORED, ENOSPC,
				     DTAP_E_NOMEM), 5);
	ck_assert_int_eq(refuse_each(DTAP__RING_MIRRORED, EPERM,
				     DTAP_E_UNSUPPORTED), 5);
	ck_assert_int_eq(refuse_each(DTAP__RING_WRAP, ENOMEM,
				     DTAP_E_NOMEM), 1);
}
END_TEST

START_TEST(auto_falls_back_to_wrap)
{
	struct dtap__ring ring;

	memset(&system_calls, 0, sizeof(system_calls));
	for (int at = 1; at <= 5; at++) {
		system_calls.requests = 0;
		system_calls.refuse = at;
		system_calls.error = ENOMEM;
		ck_assert_int_eq(dtap__ring_init(&ring, SMALLEST,
						 DTAP__RING_AUTO), DTAP_OK);
		ck_assert_uint_eq(ring.contiguous, SMALLEST);
		dtap__ring_fini(&ring);
	}
	system_calls.refuse = 0;
	ck_assert_int_eq(dtap__ring_init(&ring, SMALLEST, DTAP__RING_AUTO),
			 DTAP_OK);
	ck_assert_uint_eq(ring.contiguous, 2 * SMALLEST);
	dtap__ring_fini(&ring);
	ck_assert_uint_eq(system_calls.mapped_bytes, 0);
	ck_assert_int_eq(system_calls.files, 0);
}
END_TEST

START_TEST(allocation_survives_signals)
{
	struct dtap__ring ring;

	memset(&system_calls, 0, sizeof(system_calls));
	system_calls.refuse = 2;
	system_calls.error = EINTR;
	ck_assert_int_eq(dtap__ring_init(&ring, SMALLEST, DTAP__RING_MIRRORED),
			 DTAP_OK);
	ck_assert_int_eq(system_calls.requests, 6);
	dtap__ring_fini(&ring);
}
END_TEST

START_TEST(file_size_limit_raises_no_signal)
{
	struct rlimit limit = { SMALLEST / 2, SMALLEST / 2 };
	struct dtap__ring ring;

	/* SIGXFSZ would end this process. */
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ck_assert_int_eq(dtap__ring_init(&ring, SMALLEST, DTAP__RING_MIRRORED),
			 DTAP_E_UNSUPPORTED);
	ck_assert_int_eq(dtap__ring_init(&ring, SMALLEST, DTAP__RING_AUTO),
			 DTAP_OK);
	ck_assert_uint_eq(ring.contiguous, SMALLEST);
	dtap__ring_fini(&ring);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ring memory");

	add_for_layouts(suite, init_takes_powers_of_two_within_the_limits);
	add_for_layouts(suite, ring_keeps_no_descriptor);
	support_add(suite, mirrored_views_show_the_same_octets);
	add_for_layouts(suite, all_pages_are_mapped_from_the_start);
	support_add(suite, each_refusal_is_reported_and_leaks_nothing);
	support_add(suite, auto_falls_back_to_wrap);
	support_add(suite, allocation_survives_signals);
	support_add(suite, file_size_limit_raises_no_signal);
	return support_run(suite);
}
