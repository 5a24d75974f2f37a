#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# test_fstrm.sh: Debian's unmodified servers with libdtap-fstrm preloaded.
#
# Real queries go to real servers on free loopback ports; fstrm_capture, which
# runs without our library, reads. The truth is what knot_client saw on its
# sockets, and for the recursor, whose events are about the other side, what
# Knot's own mod-dnstap saw of its queries (with the real libfstrm, also
# without ours). Message by message and octet by octet the stream must hold
# the same, once. Runs in the build tree, in a directory of its own that goes
# away; needs no privileges.
#
# DTAP_FSTRM_LIBRARY names another libdtap-fstrm.so than the build's,
# DTAP_FSTRM_KEEP=1 keeps the directory, DTAP_FSTRM_ONLY="nsd dnsdist" tries
# some servers alone.
set -u
PATH=$PATH:/usr/sbin:/sbin
LC_ALL=C TZ=UTC
export PATH LC_ALL TZ

library=${DTAP_FSTRM_LIBRARY:-$PWD/integrations/fstrm/.libs/libdtap-fstrm.so}
client=${DTAP_KNOT_CLIENT:-$PWD/integrations/knot/knot_client}

need() {
	command -v "$1" >/dev/null 2>&1 && return
	echo "SKIP: libdtap-fstrm is NOT tested: $1 is missing" \
		"(Debian: apt-get install $2)"
	exit 77
}
need fstrm_capture fstrm-bin
need dnstap-read bind9-dnsutils
need nm binutils
if [ ! -e "$library" ]; then
	echo "SKIP: libdtap-fstrm is NOT tested: $library was not built" \
		"(Debian: apt-get install libfstrm-dev, then configure again)"
	exit 77
fi
# A library built with gcc's sanitizer needs its runtime before it.
preload=$library
if grep -q __tsan_init "$library"; then
	echo "SKIP: libdtap-fstrm is NOT tested: servers cannot load a" \
		"library that was built with ThreadSanitizer"
	exit 77
elif grep -q __asan_init "$library"; then
	asan=$(${CC:-gcc} -print-file-name=libasan.so)
	case $asan in
	/*) preload="$asan $library" ;;
	*)
		echo "SKIP: libdtap-fstrm is NOT tested: there is no shared" \
			"run-time library of this compiler's sanitizer"
		exit 77
		;;
	esac
	echo "note: servers run with $asan"
	# What the servers leak and how they allocate is not looked for.
	export ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0:\
alloc_dealloc_mismatch=0:detect_odr_violation=0"
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/dtap-fstrm.XXXXXX") || exit 1
server_pid=
reader_pid=
back_pid=
case=start

finish() {
	status=$?
	for pid in $server_pid $reader_pid $back_pid; do
		kill -CONT "$pid" 2>/dev/null
		kill -KILL "$pid" 2>/dev/null
	done
	if [ "${DTAP_FSTRM_KEEP:-0}" = 1 ]; then
		echo "kept: $work"
	else
		rm -rf "$work"
	fi
	exit $status
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

fail() {
	echo "FAIL: $case: $*"
	for log in server nsd capture; do
		[ ! -e "$work/$log.log" ] || tail -n 20 "$work/$log.log" |
			cut -c 1-200 | sed "s/^/    $log: /"
	done
	exit 1
}

expect() { # WHAT GOT WANTED
	[ "$2" = "$3" ] || fail "$1: got $2, wanted $3"
}

# Waits for a condition; each case says what it is that did not happen.
until_true() { # WHAT COMMAND...
	what=$1
	shift
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ $tries -lt 200 ] || fail "$what: not within 20 s"
		sleep 0.1
	done
}

ended() { # PID: also when it is a zombie that waits for us
	! grep -q '^State:	[^Z]' "/proc/$1/status" 2>/dev/null
}

port=$("$client" port) && back=$("$client" port) ||
	{ echo "FAIL: no free port"; exit 1; }

cat >"$work/one.zone" <<-EOF
\$ORIGIN one.
\$TTL 60
@ SOA ns hostmaster 1 3600 600 86400 60
@ NS ns
ns A 192.0.2.53
* A 192.0.2.80
EOF
# Who looks for the root stays on this machine.
printf '%s\n' ". 3600 NS ns.root." "ns.root. 3600 A 127.0.0.1" \
	>"$work/root.hints"

# --- the servers -------------------------------------------------------------
#
# For each NAME: the program and its package, a configuration that logs to
# tap.sock, and how it is run in the foreground. The exec_ functions replace
# the shell they run in, so that $! is the server itself.

program_and_package() {
	case $server in
	dnsdist) echo dnsdist dnsdist ;;
	recursor) echo pdns_recursor pdns-recursor ;;
	nsd) echo nsd nsd ;;
	named) echo named bind9 ;;
	knotd) echo knotd knot-module-dnstap ;;
	esac
}

logger="newFrameStreamUnixLogger(\"$work/tap.sock\""
config_dnsdist() {
	cat >"$work/dnsdist.conf" <<-EOF
	setLocal("127.0.0.1:$port")
	setSecurityPollSuffix("")
	newServer({address="127.0.0.1:$back", healthCheckMode="up"})
	logger = $logger, {
		bufferHint=4096, flushTimeout=2, inputQueueSize=1024, outputQueueSize=32,
		queueNotifyThreshold=16, reopenInterval=1})
	addAction(AllRule(), DnstapLogAction("test", logger))
	addResponseAction(AllRule(), DnstapLogResponseAction("test", logger))
	EOF
}
exec_dnsdist() {
	exec dnsdist --supervised -C "$work/dnsdist.conf"
}

config_recursor() {
	echo "dnstapFrameStreamServer({\"$work/tap.sock\"}, {logQueries=true," \
		"logResponses=true, bufferHint=4096, inputQueueSize=1024," \
		"reopenInterval=1})" >"$work/recursor.lua"
	cat >"$work/recursor.conf" <<-EOF
	local-address=127.0.0.1
	local-port=$port
	forward-zones=one=127.0.0.1:$back
	lua-config-file=$work/recursor.lua
	socket-dir=$work
	threads=2
	dnssec=off
	dont-query=
	hint-file=$work/root.hints
	security-poll-suffix=
	setuid=
	setgid=
	EOF
}
exec_recursor() {
	exec pdns_recursor --config-dir="$work" --daemon=no
}

config_nsd() {
	cat >"$work/nsd.conf" <<-EOF
	server:
	  ip-address: 127.0.0.1@$port
	  server-count: 2
	  username: ""
	  chroot: ""
	  zonesdir: "$work"
	  database: ""
	  pidfile: "$work/nsd.pid"
	  xfrdfile: "$work/xfrd.state"
	  zonelistfile: "$work/zone.list"
	  xfrdir: "$work"
	  logfile: "$work/nsd.log"
	remote-control:
	  control-enable: no
	dnstap:
	  dnstap-enable: yes
	  dnstap-socket-path: "$work/tap.sock"
	  dnstap-log-auth-query-messages: yes
	  dnstap-log-auth-response-messages: yes
	zone:
	  name: one
	  zonefile: one.zone
	EOF
}
exec_nsd() {
	exec nsd -d -c "$work/nsd.conf"
}

config_named() {
	cat >"$work/named.conf" <<-EOF
	options {
		directory "$work";
		listen-on port $port { 127.0.0.1; };
		listen-on-v6 { none; };
		pid-file none;
		session-keyfile none;
		recursion no;
		dnssec-validation no;
		dnstap { all; };
		dnstap-output unix "$work/tap.sock";
		fstrm-set-buffer-hint 4096;
		fstrm-set-flush-timeout 2;
		fstrm-set-input-queue-size 1024;
		fstrm-set-output-queue-size 32;
		fstrm-set-output-notify-threshold 16;
		fstrm-set-output-queue-model spsc;
		fstrm-set-reopen-interval 1;
	};
	controls { };
	zone "." { type hint; file "$work/root.hints"; };
	zone "one" { type primary; file "$work/one.zone"; };
	EOF
}
exec_named() {
	exec named -g -c "$work/named.conf"
}

write_knot() { # PORT FOLDER SINK
	mkdir -p "$2"
	cat >"$2/knot.conf" <<-EOF
	server:
	    rundir: $2
	    listen: 127.0.0.1@$1
	    udp-workers: 1
	    tcp-workers: 1
	    background-workers: 1
	database:
	    storage: $2
	log:
	  - target: stderr
	    any: info
	mod-dnstap:
	  - id: all
	    sink: $3
	template:
	  - id: default
	    storage: $work
	    global-module: mod-dnstap/all
	zone:
	  - domain: one.
	EOF
}
config_knotd() {
	write_knot "$port" "$work/knot" "${sink:-unix:$work/tap.sock}"
}
exec_knotd() {
	exec knotd -c "$work/knot/knot.conf" -s "$work/knot/sock"
}

# An authoritative server behind dnsdist and the recursor, and a witness.
start_back() {
	[ -z "$back_pid" ] || return 0
	need knotd knot
	write_knot "$back" "$work/back" "$work/witness.fstrm"
	knotd -c "$work/back/knot.conf" -s "$work/back/sock" \
		>"$work/back.log" 2>&1 &
	back_pid=$!
	until_true "start of the server behind" \
		grep -q "server started" "$work/back.log"
}

stop_back() {
	[ -n "$back_pid" ] || return 0
	kill -TERM $back_pid
	wait $back_pid
	back_pid=
}

# The question of the test itself, ns.one A; what is logged of it is left out.
ready_name=026e73036f6e65
answers() { # PORT
	echo "000101000001000000000000${ready_name}0000010001" |
		timeout 1 "$client" tcp 127.0.0.1 "$1" | grep -q '^AR'
}

# Servers say in many ways that they are ready; the first answer tells.
start_server() {
	rm -f "$work/server.log" "$work/nsd.log"
	config_$server
	(
		# shellcheck disable=SC2163
		export "$loader" DTAP_FSTRM_LOG=stderr
		exec_$server
	) >"$work/server.log" 2>&1 &
	server_pid=$!
	until_true "start of $server" answers "$port"
}

stop_server() {
	kill -TERM $server_pid
	until_true "end of $server" ended $server_pid
	wait $server_pid 2>"$work/wait.log"
	status=$?
	server_pid=
	# dnsdist and the recursor let the signal end them.
	[ $status = 0 ] || [ $status = 143 ] ||
		fail "$server ended with status $status"
	! grep -q 'Sanitizer' "$work/server.log" || fail "a sanitizer's report"
}

# Tells of each frame in its log, so that we need not guess when it has all.
start_reader() { # FILE [ADDRESS-OPTIONS]
	file=$1
	shift
	[ $# -gt 0 ] || set -- -u "$work/tap.sock"
	fstrm_capture -dddddd -t protobuf:dnstap.Dnstap "$@" -w "$file" \
		>"$work/capture.log" 2>&1 &
	reader_pid=$!
	until_true "start of fstrm_capture" \
		grep -q "opened output file" "$work/capture.log"
}

# fstrm_capture writes its file out when it is told to end.
stop_reader() {
	kill -TERM $reader_pid
	wait $reader_pid
	reader_pid=
	rm -f "$work/tap.sock"
}

frames_read() {
	grep -c 'processing data frame' "$work/capture.log"
}

has_frames() { # FRAMES
	[ "$(frames_read)" -ge "$1" ]
}

# --- messages ----------------------------------------------------------------

# Each query asks for another name, so that the recursor asks, too.
asked=0
ask() { # udp|tcp QUERIES: appends to sent what went over the socket
	awk -v from=$asked -v n="$2" 'BEGIN {
		for (i = from; i < from + n; i++) {
			name = ""
			text = sprintf("%06d", i)
			for (k = 1; k <= 6; k++)
				name = name "3" substr(text, k, 1)
			printf "%04x0100000100000000000006%s", 4096 + i, name
			print "036f4E650000010001"
		}
	}' | "$client" "$1" 127.0.0.1 "$port" >"$work/asked" ||
		fail "the server does not answer"
	expect "messages of knot_client" "$(wc -l <"$work/asked")" $((2 * $2))
	cat "$work/asked" >>"$work/sent"
	asked=$((asked + $2))
}

# A frame of the stream in knot_client's words.
frames() {
	dnstap-read -x "$1" >"$work/read.out" 2>"$work/read.err" ||
		fail "dnstap-read cannot read $1: $(cat "$work/read.err")"
	awk 'NF > 1 { head = $3 " " $4 " " $6 " " $7; next }
		{ print head " " $1 }' "$work/read.out" |
		grep -v -i "$ready_name"
}

# What the server was to log, in its own words. BIND calls the same message
# AQ or CQ, and answers to either CR.
wanted() {
	case $server in
	recursor) frames "$work/witness.fstrm" | sed 's/^A/R/' ;;
	dnsdist) sed 's/^A/C/' "$work/sent" ;;
	*) cat "$work/sent" ;;
	esac
}

seen() { # FILE...
	for file; do
		frames "$file"
	done | case $server in
	named) sed -n 's/^[AC]/A/p' ;;
	recursor) grep -F ":$back " ;;
	*) cat ;;
	esac
}

compare() { # WHAT FILE...
	what=$1
	shift
	[ $server != recursor ] || stop_back # its file is whole then
	wanted | sort >"$work/wanted.sorted"
	seen "$@" | sort >"$work/seen.sorted"
	! grep 'rror' "$work/capture.log" || fail "$what: an error at the reader"
	[ -s "$work/wanted.sorted" ] || fail "$what: nothing was wanted"
	diff "$work/wanted.sorted" "$work/seen.sorted" >"$work/diff.out" ||
		fail "$what: sent (<) and logged (>) differ:
$(cut -c 1-200 "$work/diff.out")"
}

begin() {
	stop_back
	rm -f "$work"/*.fstrm* "$work/sent" "$work/tap.sock"
	: >"$work/capture.log"
	case $server in
	dnsdist | recursor) start_back ;;
	esac
}

# So many frames are the least that must have come: a pair for each query.
settle() { # QUERIES
	until_true "arrival of the frames" has_frames $((2 * $1))
	sleep 0.2 # and what should not come would come now
}

# --- the cases ---------------------------------------------------------------

# Each event arrives once, octet by octet, over UDP and TCP.
case_messages() {
	begin
	start_reader "$work/one.fstrm"
	start_server
	ask udp 40
	ask tcp 20
	settle 61
	stop_server
	stop_reader
	compare messages "$work/one.fstrm"
	case $server in
	nsd | named | knotd)
		grep -q 'closed, events submitted .*dropped 0, lost 0' \
			"$work/server.log" || fail "the ledger was not told"
		;;
	esac
	case $server in
	dnsdist | named)
		grep -q 'have no effect: buffer_hint output_queue_size' \
			"$work/server.log" || fail "idle options were not told"
		;;
	esac
}

# The reader comes late, goes, and comes back: nothing is lost, or doubled.
case_reader() {
	begin
	start_server
	ask udp 20
	start_reader "$work/one.fstrm"
	settle 21
	ask udp 20
	settle 41
	stop_reader
	ask udp 20
	start_reader "$work/two.fstrm"
	settle 20
	ask tcp 20
	settle 40
	stop_server
	stop_reader
	compare "reader comes and goes" "$work/one.fstrm" "$work/two.fstrm"
}

# A reader that stands still holds up neither answers nor the end.
case_stuck() {
	begin
	start_reader "$work/one.fstrm"
	start_server
	ask udp 20
	settle 21
	kill -STOP $reader_pid
	for _ in 1 2 3 4 5; do
		ask udp 60
	done
	stop_server
	kill -CONT $reader_pid
	stop_reader
}

# mod-dnstap writes to a file: one that is there is moved aside.
case_file() {
	sink=$work/file.fstrm
	begin
	for run in 1 2; do
		start_server
		ask udp $((10 * run))
		stop_server
	done
	unset sink
	expect "frames moved aside" \
		"$("$client" frames "$work/file.fstrm.1")" 22
	expect "frames in the file" "$("$client" frames "$work/file.fstrm")" 42
	compare "both files" "$work/file.fstrm.1" "$work/file.fstrm"
}

# As case_messages, over TCP.
case_tcp() {
	unix_logger=$logger
	tap_port=$("$client" port) || fail "no free port"
	logger="newFrameStreamTcpLogger(\"127.0.0.1:$tap_port\""
	begin
	start_reader "$work/one.fstrm" -a 127.0.0.1 -p "$tap_port"
	start_server
	logger=$unix_logger
	ask udp 20
	settle 21
	stop_server
	stop_reader
	compare "over TCP" "$work/one.fstrm"
}

# The recursor ends its streams and opens new ones. After that it submits
# nothing at first, with the real libfstrm as with ours, so it is the ledger
# that tells what is to arrive: at least that, and nothing that never was.
case_reload() {
	need rec_control pdns-recursor
	begin
	start_reader "$work/one.fstrm"
	start_server
	ask udp 20
	for interval in 2 3 4; do
		sed -i "s/reopenInterval=./reopenInterval=$interval/" \
			"$work/recursor.lua"
		rec_control --config-dir="$work" --socket-dir="$work" \
			reload-lua-config >"$work/control.log" 2>&1 ||
			fail "rec_control: $(cat "$work/control.log")"
		ask udp 20
	done
	# At one moment: streams may still be closing.
	grep 'closed, events submitted' "$work/server.log" >"$work/ledgers"
	sed -n 's/.* closed, events submitted \([0-9]*\), written \1,.*/\1/p' \
		"$work/ledgers" >"$work/closed"
	expect "streams that lost something" "$(wc -l <"$work/closed")" \
		"$(wc -l <"$work/ledgers")"
	submitted=$(awk '{ n += $1 } END { print n + 0 }' "$work/closed")
	[ "$submitted" -ge 40 ] || fail "only $submitted events were submitted"
	until_true "arrival of the frames" has_frames "$submitted"
	stop_server
	stop_reader
	stop_back
	wanted | sort >"$work/wanted.sorted"
	seen "$work/one.fstrm" | sort >"$work/seen.sorted"
	expect "events that never were" \
		"$(comm -13 "$work/wanted.sorted" "$work/seen.sorted")" ""
}

# In place of libfstrm.so.0, for servers that need no reader.
case_replaced() {
	mkdir -p "$work/lib"
	ln -sf "$library" "$work/lib/libfstrm.so.0"
	loader="LD_LIBRARY_PATH=$work/lib"
	case_messages
	loader="LD_PRELOAD=$preload"
}

# Every writer function that a server imports is exported, in its node.
check_symbols() { # PROGRAM
	nm -D "$library" | sed -n 's/.* T \(fstrm_.*\)@@/\1@/p' | sort \
		>"$work/exported"
	[ -s "$work/exported" ] || fail "nothing is exported"
	nm -D "$1" | sed -n 's/.* U \(fstrm_.*\)/\1/p' |
		grep -v '^fstrm_\(control\|reader\|rdwr\)_' | sort \
		>"$work/imported"
	comm -23 "$work/imported" "$work/exported" >"$work/missing"
	expect "functions that $1 lacks" "$(cat "$work/missing")" ""
}

loader="LD_PRELOAD=$preload"
case=symbols
expect "symbols that are not fstrm's" "$(nm -D --defined-only "$library" |
	awk '$2 != "A" { print $3 }' | grep -v '^fstrm_.*@@LIBFSTRM_0\.[24]\.0$')" ""
for file in $(command -v dnsdist pdns_recursor nsd named) \
	/usr/lib/*/libdns-9*.so /usr/lib/*/knot/modules-*/dnstap.so; do
	[ ! -e "$file" ] || check_symbols "$file"
done
echo "ok: symbols"

tried=0
for server in ${DTAP_FSTRM_ONLY:-dnsdist recursor nsd named knotd}; do
	# shellcheck disable=SC2046
	set -- $(program_and_package)
	if ! command -v "$1" >/dev/null; then
		echo "SKIP: $server is NOT tested with libdtap-fstrm: $1" \
			"is missing (Debian: apt-get install $2)"
		continue
	fi
	cases="messages reader stuck"
	case $server in
	knotd) cases="$cases file" ;;
	dnsdist) cases="$cases tcp replaced" ;;
	recursor) cases="$cases reload replaced" ;;
	nsd) cases="$cases replaced" ;;
	esac
	[ "$preload" = "$library" ] || cases=${cases% replaced}
	for case in $cases; do
		name=$case
		case="$server, $case"
		case_$name
		echo "ok: $case"
	done
	stop_back
	tried=$((tried + 1))
done
[ $tried -gt 0 ] || { echo "SKIP: no server to test with"; exit 77; }
echo "libdtap-fstrm: $tried servers tried"
