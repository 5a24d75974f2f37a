# SPDX-License-Identifier: Apache-2.0
#
# dtap.m4: what a server's configure.ac needs to use libdtap.
#
# DTAP_CHECK([MINIMUM-VERSION], [IF-FOUND], [IF-NOT])
#
#   Adds the switch
#
#     --with-dtap          libdtap must be there
#     --with-dtap=PREFIX   ... and is installed below PREFIX
#     --without-dtap       do not even look
#
#   Without the switch the library is used when it is there. Sets DTAP_CFLAGS
#   and DTAP_LIBS (also for Makefiles), the shell variable have_dtap to yes or
#   no, and defines HAVE_DTAP for C. configure ends with an error only when
#   the switch asked for a library that is not there. IF-FOUND and IF-NOT are
#   shell commands.
#
# DTAP_BUNDLED([FOLDER])
#
#   For a server that carries a copy: dtap.c and dtap.h, as `make amalgamation`
#   makes them, in FOLDER of its source tree. Sets the same, without a switch;
#   the server compiles dtap.c among its own sources.
AC_DEFUN([DTAP_CHECK], [
	AC_REQUIRE([PKG_PROG_PKG_CONFIG])
	AC_ARG_WITH([dtap], [AS_HELP_STRING([--with-dtap@<:@=PREFIX@:>@],
		[log DNS messages with libdtap, installed below PREFIX])],
		[], [with_dtap=maybe])
	have_dtap=no
	dtap_path=$PKG_CONFIG_PATH
	AS_CASE([$with_dtap], [yes|no|maybe], [], [
		PKG_CONFIG_PATH=$with_dtap/lib/pkgconfig:$PKG_CONFIG_PATH
		export PKG_CONFIG_PATH
	])
	AS_IF([test "x$with_dtap" != xno], [
		PKG_CHECK_MODULES([DTAP], [libdtap]m4_ifval([$1],
			[ [>= $1]]), [have_dtap=yes], [have_dtap=no])
		AS_IF([test $have_dtap = no && test "x$with_dtap" != xmaybe],
			[AC_MSG_ERROR([libdtap]m4_ifval([$1], [ [>= $1]])[ is not there: $DTAP_PKG_ERRORS])])
	])
	PKG_CONFIG_PATH=$dtap_path
	AC_SUBST([DTAP_CFLAGS])
	AC_SUBST([DTAP_LIBS])
	AS_IF([test $have_dtap = yes], [
		AC_DEFINE([HAVE_DTAP], [1], [Define to 1 if you have libdtap.])
		m4_default([$2], [:])
	], [m4_default([$3], [:])])
])

AC_DEFUN([DTAP_BUNDLED], [
	AC_REQUIRE([PKG_PROG_PKG_CONFIG])
	PKG_CHECK_MODULES([DTAP_URCU], [liburcu-bp >= 0.13])
	have_dtap=yes
	DTAP_CFLAGS="-I\$(top_srcdir)/$1 $DTAP_URCU_CFLAGS"
	DTAP_LIBS="$DTAP_URCU_LIBS -lpthread"
	AC_SUBST([DTAP_CFLAGS])
	AC_SUBST([DTAP_LIBS])
	AC_DEFINE([HAVE_DTAP], [1], [Define to 1 if you have libdtap.])
])
