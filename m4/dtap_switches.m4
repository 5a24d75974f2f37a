# SPDX-License-Identifier: Apache-2.0
#
# The switches of configure that change how everything is compiled. Each sets
# a *_CFLAGS and a *_LDFLAGS variable of its own, so that CFLAGS and LDFLAGS
# stay the user's.

# DTAP_DEFAULT_CFLAGS: before AC_PROG_CC. Sanitizers and coverage want other
# defaults than -O2; whoever sets CFLAGS gets what was set.
AC_DEFUN([DTAP_DEFAULT_CFLAGS], [
	AC_BEFORE([$0], [AC_PROG_CC])
	AS_CASE([$enable_sanitizer], [''|no], [],
		[: "${CFLAGS=-O1 -g}"])
	AS_IF([test "x$enable_coverage" = xyes], [: "${CFLAGS=-O0 -g}"])
])

AC_DEFUN([DTAP_SWITCH_WERROR], [
	AC_ARG_ENABLE([werror], [AS_HELP_STRING([--enable-werror],
		[treat compiler warnings as errors])])
	WERROR=
	AS_IF([test "x$enable_werror" = xyes], [WERROR=-Werror])
	AC_SUBST([WERROR])
])

# Findings end the program: a test that only prints them would stay green.
# Fuzzers find little without; OSS-Fuzz brings its own in CFLAGS.
AC_DEFUN([DTAP_SWITCH_SANITIZER], [
	AC_ARG_ENABLE([sanitizer],
		[AS_HELP_STRING([--enable-sanitizer=LIST],
		[build with sanitizers: address,undefined (yes) or thread])])
	AS_CASE([$enable_sanitizer:$enable_fuzzers:$LIB_FUZZING_ENGINE],
		[:yes:], [enable_sanitizer=yes])
	AS_CASE([$enable_sanitizer],
		[''|no], [sanitizer=no],
		[yes], [sanitizer=address,undefined],
		[sanitizer=$enable_sanitizer])
	SANITIZER_CFLAGS=
	SANITIZER_LDFLAGS=
	AS_IF([test "x$sanitizer" != xno], [
		DTAP_REQUIRE_FLAG([-fsanitize=$sanitizer], [--enable-sanitizer])
		SANITIZER_LDFLAGS="-fsanitize=$sanitizer"
		SANITIZER_CFLAGS="-fsanitize=$sanitizer -fno-sanitize-recover=all"
		SANITIZER_CFLAGS="$SANITIZER_CFLAGS -fno-omit-frame-pointer"
	])
	AC_SUBST([SANITIZER_CFLAGS])
	AC_SUBST([SANITIZER_LDFLAGS])
	AM_CONDITIONAL([SANITIZER], [test "x$sanitizer" != xno])
])

# The library is instrumented (fuzzer-no-link); only fuzz targets get an
# engine, libFuzzer's or that of OSS-Fuzz in LIB_FUZZING_ENGINE.
AC_DEFUN([DTAP_SWITCH_FUZZERS], [
	AC_ARG_ENABLE([fuzzers], [AS_HELP_STRING([--enable-fuzzers],
		[build the fuzz targets (clang)])])
	AC_ARG_VAR([LIB_FUZZING_ENGINE], [link flags of the fuzzing engine])
	AS_IF([test "x$enable_fuzzers" = xyes], [
		: "${LIB_FUZZING_ENGINE=-fsanitize=fuzzer}"
		DTAP_REQUIRE_FLAG([-fsanitize=fuzzer-no-link],
			[--enable-fuzzers])
		SANITIZER_CFLAGS="$SANITIZER_CFLAGS -fsanitize=fuzzer-no-link"
		SANITIZER_LDFLAGS="$SANITIZER_LDFLAGS -fsanitize=fuzzer-no-link"
	])
	AM_CONDITIONAL([FUZZERS], [test "x$enable_fuzzers" = xyes])
])

AC_DEFUN([DTAP_SWITCH_COVERAGE], [
	AC_ARG_ENABLE([coverage], [AS_HELP_STRING([--enable-coverage],
		[count executed lines for `make coverage' (gcc)])])
	COVERAGE_CFLAGS=
	COVERAGE_LDFLAGS=
	AS_IF([test "x$enable_coverage" = xyes], [
		DTAP_REQUIRE_FLAG([--coverage], [--enable-coverage])
		DTAP_ADD_CFLAG([COVERAGE_CFLAGS], [--coverage])
		dnl Threads share the counters.
		DTAP_ADD_CFLAG([COVERAGE_CFLAGS], [-fprofile-update=atomic])
		COVERAGE_LDFLAGS=--coverage
	])
	AC_SUBST([COVERAGE_CFLAGS])
	AC_SUBST([COVERAGE_LDFLAGS])
	AM_CONDITIONAL([COVERAGE], [test "x$enable_coverage" = xyes])
])

# After DTAP_SWITCH_SANITIZER. _FORTIFY_SOURCE does nothing but warn without
# optimisation, hides calls from the sanitizers, and is left alone when the
# user or the distribution has already set it.
AC_DEFUN([DTAP_SWITCH_HARDENING], [
	AC_ARG_ENABLE([hardening], [AS_HELP_STRING([--disable-hardening],
		[leave out the compiler's and linker's protections])])
	HARDENING_CFLAGS=
	HARDENING_LDFLAGS=
	hardening=no
	AS_IF([test "x$enable_hardening" != xno], [
		hardening=yes
		DTAP_ADD_CFLAG([HARDENING_CFLAGS], [-fstack-protector-strong])
		DTAP_ADD_CFLAG([HARDENING_CFLAGS], [-fcf-protection])
		DTAP_ADD_LDFLAG([HARDENING_LDFLAGS], [-Wl,-z,relro])
		DTAP_ADD_LDFLAG([HARDENING_LDFLAGS], [-Wl,-z,now])
		AS_CASE(["$sanitizer:$CPPFLAGS $CFLAGS"],
			[no:*FORTIFY_SOURCE*], [],
			[no:*-O@<:@123sg@:>@*|no:*-Ofast*], [
			HARDENING_CFLAGS="$HARDENING_CFLAGS -U_FORTIFY_SOURCE"
			HARDENING_CFLAGS="$HARDENING_CFLAGS -D_FORTIFY_SOURCE=2"
		])
	])
	AC_SUBST([HARDENING_CFLAGS])
	AC_SUBST([HARDENING_LDFLAGS])
])

# Knot's modules are built against the headers of the server they plug into.
AC_DEFUN([DTAP_SWITCH_KNOT_MODULE], [
	AC_ARG_ENABLE([knot-module],
		[AS_HELP_STRING([--enable-knot-module],
		[build the module for Knot DNS (default: if knot/module.h
		of libknot-dev is there)])],
		[], [enable_knot_module=auto])
	have_knot=no
	# A module is a shared object.
	AS_IF([test "x$enable_knot_module:$enable_shared" = xauto:no],
		[enable_knot_module=no])
	AS_IF([test "x$enable_knot_module" != xno], [
		PKG_CHECK_MODULES([KNOT], [libknot >= 3.2], [
			dtap_saved_CPPFLAGS=$CPPFLAGS
			CPPFLAGS="$CPPFLAGS $KNOT_CFLAGS"
			AC_CHECK_HEADER([knot/module.h], [have_knot=yes])
			CPPFLAGS=$dtap_saved_CPPFLAGS
		], [:])
	])
	AS_CASE([$enable_knot_module:$have_knot], [yes:no],
		[AC_MSG_ERROR([--enable-knot-module needs knot/module.h
(Debian: libknot-dev)])])
	AM_CONDITIONAL([HAVE_KNOT], [test "x$have_knot" = xyes])
	AC_ARG_ENABLE([knot-drop-in],
		[AS_HELP_STRING([--enable-knot-drop-in],
		[install the module also as dnstap.so, in the place of Knot's
		own mod-dnstap])])
	AM_CONDITIONAL([KNOT_DROP_IN], [test "x$enable_knot_drop_in" = xyes])
	# knotd looks in one directory for each series of its module ABI.
	AC_ARG_WITH([knot-moduledir],
		[AS_HELP_STRING([--with-knot-moduledir=DIR],
		[where Knot looks for modules
		(default: LIBDIR/knot/modules-SERIES)])],
		[knotmoddir=$withval], [
		knot_series=$($PKG_CONFIG --modversion libknot 2>/dev/null |
			cut -d. -f1,2)
		knotmoddir="\${libdir}/knot/modules-$knot_series"])
	AC_SUBST([knotmoddir])
])

# The shim for BIND includes the server's headers, which come without the
# config.h that they were written for: two macros stand in for it.
AC_DEFUN([DTAP_SWITCH_BIND_SHIM], [
	AC_ARG_ENABLE([bind-shim],
		[AS_HELP_STRING([--enable-bind-shim],
		[build the shim for BIND 9.18 (default: if its headers,
		of bind9-dev, and those of libfstrm are there)])],
		[], [enable_bind_shim=auto])
	have_bind=no
	AS_IF([test "x$enable_bind_shim:$enable_shared" = xauto:no],
		[enable_bind_shim=no])
	BIND_CPPFLAGS="-D_GNU_SOURCE -DHAVE_STDATOMIC_H=1"
	AC_SUBST([BIND_CPPFLAGS])
	AS_IF([test "x$enable_bind_shim:$have_fstrm" = xauto:no],
		[enable_bind_shim=no])
	AS_IF([test "x$enable_bind_shim" != xno], [
		AC_CACHE_CHECK([for the headers of BIND 9.18],
			[dtap_cv_bind_headers], [
			dtap_saved_CPPFLAGS=$CPPFLAGS
			CPPFLAGS="$CPPFLAGS $BIND_CPPFLAGS"
			dnl 9.18 is the last series with tasks.
			AC_COMPILE_IFELSE([AC_LANG_PROGRAM([
#include <isc/task.h>
#include <dns/dnstap.h>
#include <dns/view.h>
], [isc_task_t *task = 0; dns_dtenv_t **field = &((dns_view_t *)0)->dtenv;
return dns_dt_create(0, dns_dtmode_unix, "", 0, task, field) != 0;])],
				[dtap_cv_bind_headers=yes],
				[dtap_cv_bind_headers=no])
			CPPFLAGS=$dtap_saved_CPPFLAGS
		])
		have_bind=$dtap_cv_bind_headers
	])
	AS_CASE([$enable_bind_shim:$have_bind], [yes:no],
		[AC_MSG_ERROR([--enable-bind-shim needs the headers of BIND 9.18
and libfstrm (Debian: bind9-dev libfstrm-dev)])])
	AM_CONDITIONAL([HAVE_BIND], [test "x$have_bind" = xyes])
])

# The sidecar's programs for the kernel are compiled by clang and embedded by
# bpftool. Neither the running kernel nor its BTF is looked at.
AC_DEFUN([DTAP_SWITCH_SIDECAR], [
	AC_ARG_ENABLE([sidecar],
		[AS_HELP_STRING([--enable-sidecar],
		[build dtap-sidecar (default: if libbpf 1.1, bpftool and a
		clang that compiles for BPF are there)])],
		[], [enable_sidecar=auto])
	AC_ARG_VAR([BPF_CLANG], [clang that compiles for BPF])
	AC_ARG_VAR([BPFTOOL], [bpftool])
	have_sidecar=no
	AS_IF([test "x$enable_sidecar" != xno], [
		PKG_CHECK_MODULES([LIBBPF], [libbpf >= 1.1],
			[have_sidecar=yes], [:])
		PKG_CHECK_MODULES([SIDECAR], [libcap-ng libseccomp], [],
			[have_sidecar=no])
		PKG_CHECK_MODULES([MICROHTTPD], [libmicrohttpd >= 0.9.70], [
			MICROHTTPD_CFLAGS="$MICROHTTPD_CFLAGS -DHAVE_MICROHTTPD"
		], [:])
		AC_PATH_PROGS([BPF_CLANG],
			[clang clang-19 clang-17 clang-16 clang-15 clang-14])
		AC_PATH_PROG([BPFTOOL], [bpftool], [],
			[$PATH$PATH_SEPARATOR/usr/sbin$PATH_SEPARATOR/sbin])
		AS_IF([test -z "$BPF_CLANG" || test -z "$BPFTOOL"],
			[have_sidecar=no])
	])
	AS_IF([test "x$have_sidecar" = xyes], [
		DTAP_BPF_INCLUDES
		dnl Whose registers arguments are in, as libbpf calls it.
		AS_CASE([$host_cpu],
			[x86_64], [bpf_arch=x86],
			[aarch64], [bpf_arch=arm64],
			[powerpc64*], [bpf_arch=powerpc],
			[riscv64], [bpf_arch=riscv],
			[s390x], [bpf_arch=s390],
			[have_sidecar=no])
		BPF_CFLAGS="-O2 -g -target bpf -mcpu=v3 -Wall -Wextra"
		BPF_CFLAGS="$BPF_CFLAGS -D__TARGET_ARCH_$bpf_arch"
		BPF_CFLAGS="$BPF_CFLAGS $bpf_includes $LIBBPF_CFLAGS"
		AC_MSG_CHECKING([whether $BPF_CLANG compiles for BPF])
		cat >conftest.bpf.c <<END
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
int conftest(struct __sk_buff *skb);
SEC("cgroup_skb/ingress") int conftest(struct __sk_buff *skb)
{ return skb->len != 0; }
END
		AS_IF([$BPF_CLANG $BPF_CFLAGS -c -o conftest.bpf.o \
			conftest.bpf.c >&AS_MESSAGE_LOG_FD 2>&1],
			[], [have_sidecar=no])
		rm -f conftest.bpf.c conftest.bpf.o
		AC_MSG_RESULT([$have_sidecar])
	])
	AC_SUBST([BPF_CFLAGS])
	AS_CASE([$enable_sidecar:$have_sidecar], [yes:no],
		[AC_MSG_ERROR([--enable-sidecar needs libbpf 1.1, bpftool and
clang, libcap-ng and libseccomp (Debian: libbpf-dev bpftool clang libcap-ng-dev
libseccomp-dev)])])
	AM_CONDITIONAL([HAVE_SIDECAR], [test "x$have_sidecar" = xyes])
])
