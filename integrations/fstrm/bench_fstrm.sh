#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# bench_fstrm.sh: what dnstap costs Debian's dnsdist and PowerDNS Recursor:
# without it, with libfstrm, with libdtap-fstrm in its place.
#
#     bench_fstrm.sh [ROUNDS [SECONDS]]           from the build directory
#
# The three take turns in each round, so that a machine that grows slower
# slows them all. dnsperf asks over loopback; both libraries write to the same
# kind of reader, fstrm_capture on a Unix socket, and are left at their
# defaults. dnsdist answers by itself: two events for each query. The recursor
# asks a knotd that lets nothing be cached: two events for each query that it
# sends and gets an answer to, as it counts them itself. Lost are events that
# the reader did not get. Prints medians and writes bench/out/fstrm.json.
#
# DTAP_FSTRM_LIBRARY names another libdtap-fstrm.so than the build's,
# DTAP_FSTRM_THREADS the recursor's threads (1), DTAP_FSTRM_SERVERS which of
# the two are tried.
set -u
PATH=$PATH:/usr/sbin:/sbin
LC_ALL=C
export PATH LC_ALL

rounds=${1:-5}
seconds=${2:-3}
threads=${DTAP_FSTRM_THREADS:-1}
servers=${DTAP_FSTRM_SERVERS:-dnsdist recursor}
library=${DTAP_FSTRM_LIBRARY:-$PWD/integrations/fstrm/.libs/libdtap-fstrm.so}
client=${DTAP_KNOT_CLIENT:-$PWD/integrations/knot/knot_client}
out=bench/out
ticks=$(getconf CLK_TCK)
modes="off libfstrm libdtap-fstrm"

need() {
	command -v "$1" >/dev/null 2>&1 && return
	echo "SKIP: $1 is missing (Debian: apt-get install $2)" >&2
	exit 77
}
need dnsdist dnsdist
need pdns_recursor pdns-recursor
need knotd knot
need dnsperf dnsperf
need fstrm_capture fstrm-bin
for file in "$library" "$client"; do
	[ -e "$file" ] || {
		echo "SKIP: $file was not built (make check builds it)" >&2
		exit 77
	}
done

# Memory, where there is some, so that no disk is measured.
base=${TMPDIR:-/tmp}
[ ! -w /dev/shm ] || base=/dev/shm
work=$(mktemp -d "$base/dtap-bench.XXXXXX") || exit 1
server_pid=
reader_pid=
back_pid=
finish() {
	for pid in $server_pid $reader_pid $back_pid; do
		kill -KILL "$pid" 2>/dev/null
	done
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

die() {
	echo "bench_fstrm: $*" >&2
	tail -n 30 "$work/server.log" >&2
	exit 1
}

port=$("$client" port) && back=$("$client" port) || exit 1
awk 'BEGIN { for (i = 0; i < 100000; i++) print "n" i ".bench A" }' \
	>"$work/queries"
printf '%s\n' "\$ORIGIN bench." "\$TTL 0" \
	"@ SOA ns hostmaster 1 3600 600 86400 0" "@ NS ns" "ns A 192.0.2.53" \
	"* A 192.0.2.80" >"$work/bench.zone"
cat >"$work/knot.conf" <<-EOF
server:
    rundir: $work
    listen: 127.0.0.1@$back
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
database:
    storage: $work
log:
  - target: stderr
    any: info
template:
  - id: default
    storage: $work
zone:
  - domain: bench.
EOF

write_dnsdist() { # MODE
	cat <<-EOF
	setLocal("127.0.0.1:$port")
	setSecurityPollSuffix("")
	EOF
	[ "$1" = off ] || cat <<-EOF
	logger = newFrameStreamUnixLogger("$work/tap.sock")
	addAction(AllRule(), DnstapLogAction("bench", logger))
	addSelfAnsweredResponseAction(AllRule(),
		DnstapLogResponseAction("bench", logger))
	EOF
	echo 'addAction(AllRule(), SpoofAction("192.0.2.80"))'
}

write_recursor() { # MODE
	[ "$1" = off ] ||
		echo "dnstapFrameStreamServer({\"$work/tap.sock\"}," \
			"{logQueries=true, logResponses=true})"
}

cat >"$work/recursor.conf" <<-EOF
local-address=127.0.0.1
local-port=$port
forward-zones=bench=127.0.0.1:$back, .=127.0.0.1:$back
lua-config-file=$work/recursor.lua
socket-dir=$work
threads=$threads
dnssec=off
dont-query=
security-poll-suffix=
disable-packetcache=yes
quiet=yes
setuid=
setgid=
EOF

exec_server() { # SERVER
	case $1 in
	dnsdist) exec dnsdist --supervised -C "$work/dnsdist.conf" ;;
	recursor) exec pdns_recursor --config-dir="$work" --daemon=no ;;
	esac
}

# User and system time of a process, in clock ticks.
cpu_ticks() {
	sed 's/.*) //' "/proc/$1/stat" | awk '{ print $12 + $13 }'
}

wait_for() {
	tries=0
	until "$@" 2>/dev/null; do
		tries=$((tries + 1))
		[ $tries -lt 100 ] || die "waited in vain: $*"
		sleep 0.1
	done
}

# With a name that is not in the zone of questions.
answers() { # PORT
	echo 000101000001000000000000026e730562656e63680000010001 |
		timeout 1 "$client" udp 127.0.0.1 "$1" | grep -q '^AR'
}

stop() {
	kill -TERM "$1"
	wait "$1" 2>"$work/wait.log"
}

# Events that there were: two for each query, less those without an answer.
count_events() { # SERVER
	case $1 in
	dnsdist) echo $((2 * (completed + asked))) ;;
	recursor) rec_control --config-dir="$work" --socket-dir="$work" \
		get all-outqueries outgoing-timeouts |
		awk 'NR == 1 { n = 2 * $1 } NR == 2 { n -= $1 }
			END { print n }' ;;
	esac
}

# One run; sets qps, cpu_us (per query), events and lost.
run() { # SERVER MODE
	write_dnsdist "$2" >"$work/dnsdist.conf"
	write_recursor "$2" >"$work/recursor.lua"
	rm -f "$work/tap.sock"
	fstrm_capture -t protobuf:dnstap.Dnstap -u "$work/tap.sock" \
		-w "$work/tap.fstrm" >"$work/capture.log" 2>&1 &
	reader_pid=$!
	wait_for test -S "$work/tap.sock"
	(
		[ "$2" != libdtap-fstrm ] || export LD_PRELOAD="$library"
		exec_server "$1"
	) >"$work/server.log" 2>&1 &
	server_pid=$!
	asked=0
	wait_for answers_once
	before=$(cpu_ticks $server_pid)
	dnsperf -s 127.0.0.1 -p "$port" -d "$work/queries" -l "$seconds" \
		-c 10 -q 200 >"$work/dnsperf.out" 2>&1 || die "dnsperf"
	completed=$(sed -n 's/.*Queries completed: *\([0-9]*\).*/\1/p' \
		"$work/dnsperf.out")
	qps=$(sed -n 's/.*Queries per second: *\([0-9]*\).*/\1/p' \
		"$work/dnsperf.out")
	after=$(cpu_ticks $server_pid)
	sleep 2 # libfstrm writes once a second when there is little to write
	events=$(count_events "$1")
	stop $server_pid
	server_pid=
	stop $reader_pid
	reader_pid=
	cpu_us=$(awk -v t=$((after - before)) -v hz="$ticks" \
		-v n="$completed" 'BEGIN { printf "%.2f", t / hz * 1e6 / n }')
	lost=0
	[ "$2" != off ] || events=0
	[ "$2" != off ] || return 0
	lost=$((events - $("$client" frames "$work/tap.fstrm"))) ||
		die "no stream"
}

answers_once() {
	asked=$((asked + 1))
	answers "$port" && return
	# Nobody listened yet: nobody has logged it.
	asked=$((asked - 1))
	return 1
}

median() {
	tr ' ' '\n' | sort -n | awk 'NF { v[++n] = $1 } END {
		print n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2 }'
}

sum() {
	awk '{ n += $1 } END { printf "%d", n }'
}

column() { # SERVER MODE COLUMN
	awk -v server="$1" -v mode="$2" -v column="$3" \
		'$1 == server && $2 == mode { print $column }' "$work/results"
}

# On a machine that others use, believe the CPU time rather than the rates.
load=$(cut -d' ' -f1 /proc/loadavg)
echo "load average before: $load"

knotd -c "$work/knot.conf" -s "$work/knot.sock" >"$work/back.log" 2>&1 &
back_pid=$!
wait_for grep -q "server started" "$work/back.log"

round=1
while [ $round -le "$rounds" ]; do
	for server in $servers; do
		for mode in $modes; do
			run "$server" "$mode"
			echo "$server $mode $qps $cpu_us $lost $events" \
				>>"$work/results"
			printf 'round %d  %-9s %-14s %7d q/s  %6s us/q' \
				$round "$server" "$mode" "$qps" "$cpu_us"
			printf '  %7d of %d lost\n' "$lost" "$events"
		done
	done
	round=$((round + 1))
done

mkdir -p "$out"
{
	printf '{"dnsdist":"%s","recursor":"%s","libfstrm":"%s",' \
		"$(dpkg-query -W -f '${Version}' dnsdist)" \
		"$(dpkg-query -W -f '${Version}' pdns-recursor)" \
		"$(dpkg-query -W -f '${Version}' libfstrm0)"
	printf '"kernel":"%s","cpus":%d,"load_before":%s,' "$(uname -r)" \
		"$(getconf _NPROCESSORS_ONLN)" "$load"
	printf '"rounds":%d,"seconds":%d,"recursor_threads":%d,"runs":[' \
		"$rounds" "$seconds" "$threads"
	comma=
	for server in $servers; do
		for mode in $modes; do
			printf '%s{"server":"%s","mode":"%s","qps":%s,' \
				"$comma" "$server" "$mode" \
				"$(column "$server" "$mode" 3 | median)"
			printf '"cpu_us_per_query":%s,"events_lost":%d,' \
				"$(column "$server" "$mode" 4 | median)" \
				"$(column "$server" "$mode" 5 | sum)"
			printf '"events":%d}' \
				"$(column "$server" "$mode" 6 | sum)"
			comma=,
		done
	done
	echo ']}'
} >"$out/fstrm.json"
echo
printf '%-9s %-14s %10s %8s %10s %12s %10s\n' server mode q/s change \
	us/query events lost
for server in $servers; do
	base_qps=$(column "$server" off 3 | median)
	for mode in $modes; do
		printf '%-9s %-14s %10.0f %7s%% %10s %12d %10d\n' \
			"$server" "$mode" \
			"$(column "$server" "$mode" 3 | median)" \
			"$(column "$server" "$mode" 3 | median |
				awk -v base="$base_qps" '{ printf "%+.1f",
				($1 / base - 1) * 100 }')" \
			"$(column "$server" "$mode" 4 | median)" \
			"$(column "$server" "$mode" 6 | sum)" \
			"$(column "$server" "$mode" 5 | sum)"
	done
done
echo "written: $out/fstrm.json"
