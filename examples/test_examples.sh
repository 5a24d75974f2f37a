#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Runs every example, and the program in README.md, in a directory of its own;
# each judges its own result, and read_back has to find the frames that are
# expected in what it left behind. All of them must compile as C++, too. Runs
# in the build directory.
top=$(cd "$(dirname "$0")/.." && pwd) || exit 1
build=$PWD
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
failed=0

fail() {
	echo "FAIL: $1"
	failed=1
}

# try PROGRAM FRAMES FILE [ARGUMENT...]: FILE is what it writes.
try() {
	program=$1 frames=$2 file=$3
	shift 3
	if ! timeout 60 "$build/$program" "$@" >out 2>&1; then
		cat out
		fail "$program does not succeed"
	elif ! timeout 60 "$build/examples/read_back" "$file" >lines; then
		fail "$program: read_back finds $file damaged"
	elif [ "$(wc -l <lines)" != "$frames" ]; then
		fail "$program: $frames frames expected in $file, not these:"
		head lines
	else
		echo "PASS: $program"
	fi
}

try examples/hello_file 1 hello_file.fstrm
try examples/worker_threads 2000 worker_threads.fstrm
try examples/thread_pool 300 thread_pool.fstrm
try examples/reconfigure_live 3 reconfigure_live.fstrm
try examples/start_daemon 1 daemon.fstrm "file:$scratch/daemon.fstrm"
try docs/readme_program 1 hello.fstrm

# What any reader of dnstap makes of README's file, if one is here.
if command -v dnstap-ldns >/dev/null; then
	dnstap-ldns -q -r hello.fstrm >out 2>&1 &&
		grep -q ' CQ 192\.0\.2\.1 UDP .*"www\.example\."' out || {
		cat out
		fail "dnstap-ldns does not read README's file"
	}
fi

# Proof that read_back can fail, and so this test.
head -c 100 hello_file.fstrm >cut.fstrm
"$build/examples/read_back" cut.fstrm >/dev/null 2>&1 &&
	fail "read_back takes half a file for a whole one"
"$build/examples/hello_file" unix:/nowhere/sock >/dev/null 2>&1 &&
	fail "hello_file succeeds without an output"

case ${CC:-cc} in
*clang*) cxx=${CXX:-clang++} ;;
*) cxx=${CXX:-c++} ;;
esac
if command -v "$cxx" >/dev/null; then
	for source in "$top"/examples/*.c "$build/docs/readme_program.c"; do
		"$cxx" -x c++ -std=c++17 -D_GNU_SOURCE -Wall -Werror \
			-fsyntax-only -I"$top/include" -I"$build/include" \
			"$source" || fail "$source is not C++"
	done
elif [ $failed = 0 ]; then
	echo "SKIP: $cxx is missing (Debian: apt-get install g++);" \
		"the examples were run, but not compiled as C++"
	exit 77
fi
exit $failed
