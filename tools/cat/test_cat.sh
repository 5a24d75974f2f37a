#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# test_cat.sh: dtap-cat as a user has it, next to dnstap-ldns and fstrm's
# tools. Runs in the build directory, as automake runs it. What needs a
# program that is missing is skipped and said; exit 77 then, if all else is
# good.
set -u

srcdir=${srcdir:-$(dirname "$0")/../..}
cat=$PWD/tools/cat/dtap-cat
craft=$PWD/tools/cat/craft_stream
manual=$srcdir/tools/cat/dtap-cat.1
type=protobuf:dnstap.Dnstap
dir=$(mktemp -d)
failed=0
skipped=0
background=

finish() {
	for pid in $background; do
		kill -KILL "$pid" 2>/dev/null
	done
	rm -rf "$dir"
}
trap finish EXIT

fail() {
	echo "FAIL: $*"
	failed=$((failed + 1))
}

# need PROGRAM PACKAGE WHAT: whether WHAT can be tested.
need() {
	command -v "$1" >/dev/null && return 0
	echo "SKIP: $3: needs $1 (package $2)"
	skipped=$((skipped + 1))
	return 1
}

# run STATUS ARGUMENT...: dtap-cat, into out and err; nothing may take long.
run() {
	local want=$1 got
	shift
	timeout -s KILL 60 "$cat" "$@" </dev/null >"$dir/out" 2>"$dir/err"
	got=$?
	[ $got -eq "$want" ] || fail "dtap-cat $*: exit $got, not $want:" \
		"$(head -3 "$dir/err")"
}

# same NAME FILE: what was printed is what FILE holds.
same() {
	cmp -s "$dir/out" "$2" || fail "$1: $(diff -a "$dir/out" "$2" | head -4)"
}

lines() {
	[ "$(wc -l <"$dir/out")" -eq "$1" ] ||
		fail "$2: $(wc -l <"$dir/out") lines, not $1"
}

says() {
	grep -q -- "$1" "$dir/err" || fail "stderr lacks '$1': $(cat "$dir/err")"
}

# until_true COMMAND...: waits for it, ten seconds at most.
until_true() {
	local n
	for n in $(seq 200); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.05
	done
	fail "in vain: $*"
	return 1
}

# listen ARGUMENT...: dtap-cat in the background as $!, into out and err.
listen() {
	"$cat" "$@" </dev/null >"$dir/out" 2>"$dir/err" &
	background="$background $!"
}

# ended PID STATUS WHAT
ended() {
	local got
	wait "$1"
	got=$?
	[ $got -eq "$2" ] || fail "$3: exit $got, not $2: $(cat "$dir/err")"
}

has_lines() {
	[ "$(wc -l <"$dir/out")" -ge "$1" ]
}

kinds="small fields qtypes qclasses octets rdata mutants pointers loss"
for kind in $kinds; do
	"$craft" "$kind" >"$dir/$kind" || fail "craft_stream $kind"
done
"$craft" undecodable 2 >"$dir/undecodable"

test_quiet_is_dnstap_ldns() {
	need dnstap-ldns dnstap-ldns "-q" || return
	for kind in small fields qtypes qclasses octets rdata mutants loss; do
		dnstap-ldns -q -r "$dir/$kind" >"$dir/ldns"
		[ -s "$dir/ldns" ] || fail "dnstap-ldns printed nothing"
		run 0 -q "$dir/$kind"
		same "-q of $kind" "$dir/ldns"
	done
}

test_quiet_is_dnstap_ldns_on_kdig() {
	need kdig knot-dnsutils "-q of kdig's files" || return
	need dnstap-ldns dnstap-ldns "-q of kdig's files" || return
	kdig @127.0.0.1 -p 9 -E "$dir/kdig" +time=1 +retry=0 example.com \
		>/dev/null 2>&1
	dnstap-ldns -q -r "$dir/kdig" >"$dir/ldns"
	[ -s "$dir/ldns" ] || fail "kdig wrote nothing"
	run 0 -q "$dir/kdig"
	same "-q of kdig" "$dir/ldns"
}

test_forward_pointers_are_refused() {
	run 0 -q "$dir/pointers"
	lines 12 pointers
	[ "$(grep -c '? ? ?$' "$dir/out")" -eq 12 ] || fail "a pointer was followed"
}

test_lines_are_printable() {
	for kind in $kinds; do
		run 0 "$dir/$kind"
		LC_ALL=C grep -q -v '^[ -~]*$' "$dir/out" && fail "$kind: octets"
	done
}

test_json_is_json() {
	need jq jq "-j" || return
	for kind in $kinds; do
		run 0 -j "$dir/$kind"
		# -n and inputs: a line that is no object ends with an error.
		jq -n '[inputs | objects] | length' "$dir/out" >"$dir/count" ||
			fail "-j of $kind"
		[ "$(cat "$dir/count")" -eq "$(wc -l <"$dir/out")" ] ||
			fail "-j of $kind: not an object a line"
		iconv -f UTF-8 -t UTF-8 "$dir/out" >/dev/null ||
			fail "-j of $kind: not UTF-8"
	done
	run 0 -j "$dir/small"
	jq -r 'select(.message.type == "CLIENT_RESPONSE") | .dns.rcode' \
		"$dir/out" | grep -q -x BADMODE || fail "-j: rcode"
}

test_cut_files() {
	local size n
	size=$(stat -c %s "$dir/small")
	for n in 0 1 20 41 42 43 150 300 $((size - 12)) $((size - 1)); do
		head -c "$n" "$dir/small" >"$dir/cut"
		run 3 "$dir/cut"
		says "cut: "
	done
	head -c $((size - 12)) "$dir/small" >"$dir/cut"
	run 3 "$dir/cut"
	lines 3 "without STOP"
	(cat "$dir/small" && echo x) >"$dir/cut"
	run 3 "$dir/cut"
	lines 3 "octets after STOP"
}

test_damage_is_named_and_passed_over() {
	run 3 "$dir/undecodable"
	lines 6 undecodable
	[ "$(grep -c 'undecodable: offset [0-9]*: frame of' "$dir/err")" -eq 2 ] ||
		fail "undecodable: $(cat "$dir/err")"
	echo "this is no Frame Streams file at all" >"$dir/text"
	run 3 "$dir/text" "$dir/small"
	lines 3 "a good file after a bad one"
	run 1 "$dir/undecodable" "$dir/missing" "$dir/small"
	lines 9 "files around a missing one"
	says "missing: No such file"
	run 3 --max-frame-bytes 100 "$dir/small"
	lines 1 "frames above the limit"
}

test_loss() {
	run 0 "$dir/loss"
	grep -q ' extra="site=a" LOSS 1532 full$' "$dir/out" || fail "LOSS"
	run 4 --strict "$dir/loss"
	run 0 --strict "$dir/small"
	run 3 --strict "$dir/loss" "$dir/undecodable"
}

test_standard_input() {
	run 0 "$dir/small"
	cp "$dir/out" "$dir/expected"
	"$cat" <"$dir/small" >"$dir/out" || fail "standard input"
	same "standard input" "$dir/expected"
	(head -c 77 "$dir/small"; sleep 0.1; tail -c +78 "$dir/small") |
		"$cat" - >"$dir/out" || fail "a pipe"
	same "a pipe" "$dir/expected"
}

test_count_and_closed_pipe() {
	run 0 -c 5 "$dir/qtypes" "$dir/missing"
	lines 5 "-c 5"
	"$cat" "$dir/qtypes" 2>"$dir/err" | head -1 >"$dir/out"
	[ "${PIPESTATUS[0]}" -eq 0 ] || fail "closed pipe: ${PIPESTATUS[0]}"
	[ -s "$dir/err" ] && fail "closed pipe: $(cat "$dir/err")"
	[ -w /dev/full ] || return
	"$cat" "$dir/small" >/dev/full 2>"$dir/err"
	[ $? -eq 1 ] || fail "a full device is no success"
	says "standard output: No space left"
}

test_write() {
	run 0 -w "$dir/copy" "$dir/small" "$dir/octets"
	lines 0 "-w prints nothing"
	run 0 "$dir/small" "$dir/octets"
	cp "$dir/out" "$dir/expected"
	run 0 "$dir/copy"
	same "-w" "$dir/expected"
	run 1 -w "$dir/copy" "$dir/small"
	says "copy: File exists"
	run 3 -q -w "$dir/good" "$dir/undecodable"
	lines 6 "-q -w"
	run 0 "$dir/good"
	lines 6 "-w of a damaged file"
	run 0 -w - "$dir/small"
	same "-w -" "$dir/small"
	need fstrm_dump fstrm-bin "-w read by fstrm" || return
	fstrm_dump "$dir/copy" >/dev/null 2>&1 || fail "fstrm_dump of -w's file"
}

test_wrong_usage() {
	run 2 --nonsense
	run 2 -q -j "$dir/small"
	run 2 -c 0 "$dir/small"
	run 2 -c 1x "$dir/small"
	run 2 -c
	run 2 -l localhost:6000
	run 2 -l 127.0.0.1
	run 2 --max-frame-bytes 0 "$dir/small"
	run 2 -q -w - "$dir/small"
	run 2 ""
	says "Try"
	run 0 --version
	run 1 "$dir"
	says "directory"
}

# --help and the manual page tell of the same options.
test_manual() {
	run 0 --help
	grep -o -E -- '--[a-z][a-z-]*' "$dir/out" | sort -u |
		grep -v -x -- --strict. >"$dir/in_help"
	sed -n '/^\.SH OPTIONS/,/^\.SH OUTPUT/s/^\.BR\{0,1\} //p' "$manual" |
		tr -d '\\' | grep -o -E -- '--[a-z][a-z-]*' | sort -u \
		>"$dir/in_manual"
	[ "$(wc -l <"$dir/in_help")" -ge 11 ] || fail "--help lacks options"
	cmp -s "$dir/in_help" "$dir/in_manual" ||
		fail "manual: $(diff "$dir/in_help" "$dir/in_manual")"
}

test_unix_socket() {
	local pid
	need fstrm_replay fstrm-bin "sockets" || return
	run 0 -q "$dir/small" "$dir/small" "$dir/octets"
	cp "$dir/out" "$dir/expected"
	listen -q -u "$dir/socket"
	pid=$!
	until_true test -S "$dir/socket" || return
	[ "$(stat -c %a "$dir/socket")" = 660 ] || fail "mode of the socket"
	for kind in small small octets; do
		until_true fstrm_replay -t $type -r "$dir/$kind" -u "$dir/socket"
	done
	until_true has_lines 262
	kill -TERM $pid
	ended $pid 0 "-u"
	same "-u" "$dir/expected"
	[ -e "$dir/socket" ] && fail "the socket is still there"
}

test_socket_name_is_respected() {
	local pid
	echo mine >"$dir/name"
	run 1 -u "$dir/name"
	says "Address already in use"
	[ "$(cat "$dir/name")" = mine ] || fail "a file was removed"
	listen -u "$dir/taken"
	pid=$!
	until_true test -S "$dir/taken" || return
	rm "$dir/taken"
	echo other >"$dir/taken"
	kill -INT $pid
	ended $pid 0 "SIGINT"
	[ "$(cat "$dir/taken")" = other ] || fail "another's file was removed"
}

# listen_tcp ADDR ARGUMENT...: on a free port, as $pid and $port.
listen_tcp() {
	local n address=$1
	shift
	for n in $(seq 20); do
		port=$((20000 + RANDOM % 20000))
		listen -l "$address:$port" "$@"
		pid=$!
		sleep 0.3
		kill -0 $pid 2>/dev/null && return 0
	done
	fail "no free port"
	return 1
}

test_tcp_socket() {
	local pid port
	need fstrm_replay fstrm-bin "sockets" || return
	run 0 -q "$dir/small"
	cp "$dir/out" "$dir/expected"
	listen_tcp 127.0.0.1 -q -c 3 || return
	until_true fstrm_replay -t $type -r "$dir/small" -a 127.0.0.1 -p $port
	ended $pid 0 "-l -c 3"
	same "-l" "$dir/expected"
}

# One that never speaks, one that is cut, one that is no dnstap: the others
# are served meanwhile.
test_bad_peers() {
	local pid port
	listen_tcp 127.0.0.1 -q || return
	until_true exec_ok $port || return
	exec 8<>/dev/tcp/127.0.0.1/$port
	exec 9<>/dev/tcp/127.0.0.1/$port
	head -c 300 "$dir/small" >&9
	exec 9>&-
	exec 9<>/dev/tcp/127.0.0.1/$port
	printf 'GET / HTTP/1.0\r\n\r\n' >&9
	exec 9>&-
	exec 9<>/dev/tcp/127.0.0.1/$port
	cat "$dir/small" >&9
	exec 9>&-
	until_true has_lines 4
	until_true grep -q "no START within 5 s" "$dir/err"
	kill -TERM $pid
	ended $pid 3 "bad peers"
	exec 8>&-
	lines 4 "bad peers"
	[ "$(wc -l <"$dir/err")" -ge 3 ] || fail "bad peers: $(cat "$dir/err")"
}

# What was sent before the signal is printed, though nobody had accepted yet.
test_signal_reads_what_waits() {
	local pid port
	listen_tcp 127.0.0.1 -q || return
	until_true exec_ok $port || return
	kill -STOP $pid
	exec 9<>/dev/tcp/127.0.0.1/$port
	head -c 300 "$dir/small" >&9
	kill -TERM $pid
	kill -CONT $pid
	wait $pid
	exec 9>&-
	lines 1 "a signal before accept"
}

exec_ok() {
	(exec 7<>/dev/tcp/127.0.0.1/"$1") 2>/dev/null
}

for t in $(declare -F | sed -n 's/^declare -f \(test_.*\)/\1/p'); do
	before=$failed
	$t
	[ "$before" -eq "$failed" ] && echo "ok: $t"
done
echo "$failed failed, $skipped skipped"
[ "$failed" -eq 0 ] || exit 1
[ "$skipped" -eq 0 ] || exit 77
