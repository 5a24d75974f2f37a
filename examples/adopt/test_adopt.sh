#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# test_adopt.sh: a server's own autoconf project finds libdtap by DTAP_CHECK
# where it is installed, does without where it is not, and says so where it
# was asked for in vain. Runs in the build directory.
here=$(cd "$(dirname "$0")" && pwd) || exit 1
build=$PWD
for program in autoreconf automake pkg-config; do
	command -v $program >/dev/null && continue
	echo "SKIP: DTAP_CHECK is NOT tested: $program is missing" \
		"(Debian: apt-get install autoconf automake pkg-config)"
	exit 77
done
work=$(mktemp -d "${TMPDIR:-/tmp}/dtap-adopt.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT

fail() {
	echo "FAIL: $*"
	tail -n 20 "$work"/*.log
	exit 1
}

# installs the library alone: the rest of the tree is for others to test.
install_library() {
	make -C "$build" prefix="$work/prefix" \
		install-libLTLIBRARIES install-dtapincludeHEADERS \
		install-nodist_dtapincludeHEADERS install-dtapm4DATA \
		>"$work/install.log" 2>&1 &&
		mkdir -p "$work/prefix/lib/pkgconfig" &&
		sed "s|^prefix=.*|prefix=$work/prefix|" "$build/libdtap.pc" \
			>"$work/prefix/lib/pkgconfig/libdtap.pc"
}
install_library || fail "the library cannot be installed"

# What is on this system must not be found.
PKG_CONFIG_LIBDIR=$work/none:$(pkg-config --variable=pcfiledir liburcu-bp)
export PKG_CONFIG_LIBDIR
unset PKG_CONFIG_PATH

mkdir "$work/server" && cd "$work/server" &&
	cp "$here/configure.ac" "$here/Makefile.am" "$here/server.c" . &&
	chmod u+w ./* && mkdir m4 && cp "$work/prefix/share/aclocal/dtap.m4" m4/ ||
	fail "no project"
autoreconf -fi >"$work/autoreconf.log" 2>&1 || fail "autoreconf"

# try WANTED ARGUMENT...: configures, builds and runs the server.
try() {
	wanted=$1
	shift
	rm -f tap.fstrm
	./configure CC="${CC:-cc}" "$@" >"$work/configure.log" 2>&1 ||
		fail "configure $*"
	grep -q "dnstap: $wanted\$" "$work/configure.log" ||
		fail "configure $*: dnstap is not '$wanted'"
	make clean all >"$work/make.log" 2>&1 || fail "make after $*"
	LD_LIBRARY_PATH=$work/prefix/lib ./server "file:$PWD/tap.fstrm" \
		>"$work/server.log" 2>&1 || fail "the server, after $*"
	[ "$wanted" = no ] || [ "$("$build/tools/cat/dtap-cat" -q tap.fstrm |
		grep -c ' CQ ')" = 1 ] || fail "no frame, after $*"
	echo "ok: configure${*:+ $*}: dnstap $wanted"
}
try no
try yes --with-dtap="$work/prefix"
try no --without-dtap
PKG_CONFIG_PATH=$work/prefix/lib/pkgconfig
export PKG_CONFIG_PATH
try yes
try no --without-dtap
unset PKG_CONFIG_PATH
./configure --with-dtap >"$work/configure.log" 2>&1 &&
	fail "configure --with-dtap succeeds without it"
grep -q 'libdtap >= 0.1 is not there' "$work/configure.log" ||
	fail "configure --with-dtap does not say what is missing"
echo "ok: configure --with-dtap: refused"

# The same server with the library copied in.
make -C "$build" amalgamation >"$work/amalgamation.log" 2>&1 ||
	fail "make amalgamation"
mkdir dnstap && cp "$build/amalgamation/dtap.c" "$build/amalgamation/dtap.h" \
	dnstap/ || fail "no copy"
sed -i 's/^DTAP_CHECK.*/DTAP_BUNDLED([dnstap])/' configure.ac
cat >Makefile.am <<-'END'
	ACLOCAL_AMFLAGS = -I m4
	AUTOMAKE_OPTIONS = subdir-objects
	bin_PROGRAMS = server
	server_SOURCES = server.c dnstap/dtap.c
	server_CPPFLAGS = $(DTAP_CFLAGS)
	server_LDADD = $(DTAP_LIBS)
END
sed -i 's|<dnstap/dtap.h>|"dtap.h"|' server.c
autoreconf -fi >"$work/autoreconf.log" 2>&1 || fail "autoreconf, copied in"
try yes
echo "PASS: adopt"
