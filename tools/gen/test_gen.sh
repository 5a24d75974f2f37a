#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# test_gen.sh: dtap-gen keeps what its manual page promises. Runs in the build
# directory; reads back with dtap-cat.
set -u
gen=$PWD/tools/gen/dtap-gen
cat=$PWD/tools/cat/dtap-cat
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failed=0

fail() {
	echo "not ok: $case: $*"
	failed=1
}

# value NAME: of the ledger line in out.
value() {
	sed -n "s/.*\\b$1=\\([0-9]*\\).*/\\1/p" out
}

# expect NAME NUMBER
expect() {
	[ "$(value "$1")" = "$2" ] || fail "$1 is $(value "$1"), not $2"
}

# gen STATUS ARGUMENT...: runs it and expects the exit status.
gen() {
	wanted=$1
	shift
	"$gen" "$@" >out 2>err
	status=$?
	[ "$status" = "$wanted" ] ||
		fail "exit status $status, not $wanted: $(cat err)"
}

case='every event of every thread is in the file once'
gen 0 --output file:a.fstrm --events 10000 --threads 3 --rate 100000 \
	--set ring-bytes=4M
expect submitted 10000
expect accepted 10000
expect confirmed 10000
expect in_ring 0
"$cat" -q a.fstrm >a.txt || fail "dtap-cat refuses the file"
[ "$(wc -l <a.txt)" = 10000 ] || fail "$(wc -l <a.txt) frames"
# Threads get 3334, 3333 and 3333 events; numbers begin at 0.
for thread in 0:3334 1:3333 2:3333; do
	i=${thread%:*} n=${thread#*:}
	sed -n "s/.*\"t000$i-s\\([0-9a-f]*\\)\\.gen.*/\\1/p" a.txt >got
	seq 0 $((n - 1)) | awk '{ printf "%012x\n", $1 }' >wanted
	cmp -s got wanted || fail "thread $i is not whole and in order"
done

case='all types, in turn'
gen 0 --output file:b.fstrm --events 28 \
	--types AQ,AR,RQ,RR,CQ,CR,FQ,FR,SQ,SR,TQ,TR,UQ,UR
"$cat" b.fstrm | cut -d' ' -f3 | sort | uniq -c >types
[ "$(wc -l <types)" = 14 ] || fail "$(wc -l <types) types"
grep -qv '^ *2 ' types && fail "not two of each"

case='the smallest and the largest message'
gen 0 --output file:c.fstrm --events 1 --message-bytes 51
"$cat" -q c.fstrm | grep -q ' 51b ' || fail "not 51 octets"
gen 0 --output file:d.fstrm --events 2 --message-bytes 65535
"$cat" -q d.fstrm | grep -Eq ' 655(2[4-9]|3[0-5])b ' || fail "not 65535 octets"

case='options reach the library'
gen 0 --output file:e.fstrm --events 10 --set types=CR \
	--set identity=gen-test
expect filtered 5
expect written 5
"$cat" e.fstrm | grep -q 'gen-test' || fail "no identity"

case='an interrupt ends it with the ledger'
"$gen" --output file:f.fstrm --seconds 60 --rate 1000 >out 2>err &
pid=$!
while [ ! -s f.fstrm ]; do sleep 0.05; done
kill -INT $pid
wait $pid || fail "exit status $?: $(cat err)"
[ -n "$(value submitted)" ] || fail "no ledger"
expect in_ring 0
[ "$("$cat" -q f.fstrm | wc -l)" = "$(value written)" ] ||
	fail "the file and the ledger differ"

case='an output that is not there is no reason to fail'
gen 0 --output unix:nobody.sock --events 10 --stop-timeout-ms 100
expect lost_shutdown 10
expect written 0

case='wrong usage is explained'
gen 2 --events 10
grep -q output err || fail "$(cat err)"
gen 2 --output tls:x
grep -q tls err || fail "$(cat err)"
gen 2 --output file:x --set ring-bytes=3
grep -q ring-bytes err || fail "$(cat err)"
gen 2 --output file:x --set nonsense
gen 2 --output file:x --threads 0
gen 2 --output file:x --threads 1025
gen 2 --output file:x --message-bytes 50
gen 2 --output file:x --message-bytes 65536
gen 2 --output file:x --types CQ,XX
gen 2 --output file:x --events -1
gen 2 --output file:x surplus
gen 2 --no-such-option
[ ! -e x ] || fail "a file was made"

case='help and version'
gen 0 --help
grep -q '^Usage: dtap-gen' out || fail "no usage"
gen 0 --version
grep -q '^dtap-gen [0-9]' out || fail "no version"

[ $failed = 0 ] && echo "ok: dtap-gen"
exit $failed
