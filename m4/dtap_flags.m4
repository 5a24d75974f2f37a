# SPDX-License-Identifier: Apache-2.0
#
# Questions to the compiler and the linker. A flag counts as accepted only
# when it draws no warning either: clang merely warns about what it ignores.

# DTAP_ADD_CFLAG(VARIABLE, FLAG): appends FLAG when the compiler takes it.
AC_DEFUN([DTAP_ADD_CFLAG], [
	AS_VAR_PUSHDEF([answer], [dtap_cv_cflag_$2])
	AC_CACHE_CHECK([whether $CC takes $2], [answer], [
		dtap_saved_CFLAGS=$CFLAGS
		CFLAGS="$CFLAGS -Werror $2"
		AC_COMPILE_IFELSE([AC_LANG_PROGRAM()],
			[AS_VAR_SET([answer], [yes])],
			[AS_VAR_SET([answer], [no])])
		CFLAGS=$dtap_saved_CFLAGS
	])
	AS_VAR_IF([answer], [yes], [$1="$$1 $2"])
	AS_VAR_POPDEF([answer])
])

# DTAP_ADD_LDFLAG(VARIABLE, FLAG): appends FLAG when a program links with it.
AC_DEFUN([DTAP_ADD_LDFLAG], [
	AS_VAR_PUSHDEF([answer], [dtap_cv_ldflag_$2])
	AC_CACHE_CHECK([whether the linker takes $2], [answer], [
		dtap_saved_LDFLAGS=$LDFLAGS
		LDFLAGS="$LDFLAGS -Werror $2"
		AC_LINK_IFELSE([AC_LANG_PROGRAM()],
			[AS_VAR_SET([answer], [yes])],
			[AS_VAR_SET([answer], [no])])
		LDFLAGS=$dtap_saved_LDFLAGS
	])
	AS_VAR_IF([answer], [yes], [$1="$$1 $2"])
	AS_VAR_POPDEF([answer])
])

# DTAP_REQUIRE_FLAG(FLAG, SWITCH [, SOURCE]): stops unless FLAG compiles and
# links, because the user asked for it by SWITCH.
AC_DEFUN([DTAP_REQUIRE_FLAG], [
	AC_MSG_CHECKING([whether $CC compiles and links with $1])
	dtap_saved_CFLAGS=$CFLAGS
	CFLAGS="$CFLAGS $1"
	AC_LINK_IFELSE([m4_default([$3], [AC_LANG_PROGRAM()])],
		[AC_MSG_RESULT([yes])],
		[AC_MSG_RESULT([no])
		 AC_MSG_ERROR([$2 needs $1, which $CC cannot do; on Debian the
run-time libraries come with gcc, and for clang with libclang-rt-dev])])
	CFLAGS=$dtap_saved_CFLAGS
])

# DTAP_VERSION_SCRIPT(VARIABLE, MAP): sets VARIABLE to the linker flag for the
# version script MAP, or to nothing where the linker has no such thing; then
# hidden visibility alone decides what is exported.
AC_DEFUN([DTAP_VERSION_SCRIPT], [
	AC_CACHE_CHECK([whether the linker takes a version script],
		[dtap_cv_version_script], [
		echo 'CONFTEST_1 { global: conftest; local: *; };' \
			>conftest.map
		dtap_saved_CFLAGS=$CFLAGS
		CFLAGS="$CFLAGS -shared -fPIC -Wl,--version-script=conftest.map"
		AC_LINK_IFELSE([AC_LANG_SOURCE([[int conftest(void);
int conftest(void) { return 0; }]])],
			[dtap_cv_version_script=yes],
			[dtap_cv_version_script=no])
		CFLAGS=$dtap_saved_CFLAGS
		rm -f conftest.map
	])
	AS_IF([test "x$dtap_cv_version_script" = xyes],
		[$1='-Wl,--version-script=$2'], [$1=])
	AC_SUBST([$1])
])

# DTAP_BPF_INCLUDES: sets bpf_includes to flags for the folders in which
# BPF_CLANG finds the system's headers when it compiles for this machine.
# -target bpf leaves out those that are the machine's own, as asm/types.h.
AC_DEFUN([DTAP_BPF_INCLUDES], [
	bpf_includes=`$BPF_CLANG -v -E -x c /dev/null 2>&1 |
		$AWK '/^#include </ { on = 1; next } /^End of search/ { on = 0 }
		on && ! /framework/ { printf " -idirafter %s", \$[1] }'`
])
