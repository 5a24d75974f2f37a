#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# bench_unbound.sh: what dnstap costs unbound: switched off, unbound's own,
# libdtap-unbound.
#
#     bench_unbound.sh [ROUNDS [SECONDS]]         from the build directory
#
# The three take turns in each round, so that a machine that grows slower
# slows them all. They are one source, compiled once, linked twice (see build);
# dnsperf asks over loopback for local data, so that two events a query are
# weighed against the least work that unbound can have with one. Both kinds of
# dnstap write to the same reader, fstrm_capture on a Unix socket. Prints
# medians and writes bench/out/unbound.json. Lost events are those that the
# reader did not get of the queries that were answered.
#
# DTAP_UNBOUND_THREADS sets num-threads (1). `make bench-unbound` runs this.
set -u
PATH=$PATH:/usr/sbin:/sbin
LC_ALL=C
export PATH LC_ALL

rounds=${1:-5}
seconds=${2:-3}
threads=${DTAP_UNBOUND_THREADS:-1}
here=$(cd "$(dirname "$0")" && pwd) || exit 1
client=${DTAP_KNOT_CLIENT:-$PWD/integrations/knot/knot_client}
: "${DTAP_UNBOUND_DIR:=$PWD/integrations/unbound/work}"
export DTAP_UNBOUND_DIR
out=bench/out
ticks=$(getconf CLK_TCK)

need() {
	command -v "$1" >/dev/null 2>&1 && return
	echo "SKIP: $1 is missing (Debian: apt-get install $2)" >&2
	exit 77
}
need dnsperf dnsperf
need fstrm_capture fstrm-bin
[ -x "$client" ] || {
	echo "SKIP: $client was not built (make bench-unbound builds it)" >&2
	exit 77
}
"$here/build" >/dev/null || exit
bin=$DTAP_UNBOUND_DIR/bin

# Memory, where there is some, so that no disk is measured.
base=${TMPDIR:-/tmp}
[ ! -w /dev/shm ] || base=/dev/shm
work=$(mktemp -d "$base/dtap-bench.XXXXXX") || exit 1
unbound_pid=
reader_pid=
finish() {
	for pid in $unbound_pid $reader_pid; do
		kill -KILL "$pid" 2>/dev/null
	done
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

die() {
	echo "bench_unbound: $*" >&2
	cat "$work/unbound.log" >&2
	exit 1
}

port=$("$client" port) || exit 1
awk 'BEGIN { for (i = 0; i < 1000; i++) print "n" i ".bench A" }' \
	>"$work/queries"

write_config() { # MODE
	cat <<-EOF
	server:
	    interface: 127.0.0.1@$port
	    directory: "$work"
	    chroot: ""
	    username: ""
	    pidfile: "$work/unbound.pid"
	    use-syslog: no
	    logfile: ""
	    num-threads: $threads
	    module-config: "iterator"
	    local-zone: "bench." static
	EOF
	awk 'BEGIN { for (i = 0; i < 1000; i++) printf \
	"    local-data: \"n%d.bench. 60 IN A 192.0.2.%d\"\n", i, i % 256 }'
	[ "$1" != off ] || return
	cat <<-EOF
	dnstap:
	    dnstap-enable: yes
	    dnstap-socket-path: "$work/tap.sock"
	    dnstap-send-identity: yes
	    dnstap-send-version: yes
	    dnstap-log-client-query-messages: yes
	    dnstap-log-client-response-messages: yes
	EOF
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

stop() {
	kill -TERM "$1"
	wait "$1"
}

# One run; sets qps, cpu_us (per query) and lost. unbound's own writer flushes
# once a second and drops its queue at the end: both get two seconds.
run() { # MODE
	program=unbound
	[ "$1" != stock ] || program=unbound-stock
	write_config "$1" >"$work/unbound.conf"
	rm -f "$work/tap.sock"
	fstrm_capture -t protobuf:dnstap.Dnstap -u "$work/tap.sock" \
		-w "$work/tap.fstrm" >"$work/capture.log" 2>&1 &
	reader_pid=$!
	wait_for test -S "$work/tap.sock"
	"$bin/$program" -d -c "$work/unbound.conf" >"$work/unbound.log" 2>&1 &
	unbound_pid=$!
	wait_for grep -q "start of service" "$work/unbound.log"
	sleep 0.5
	before=$(cpu_ticks $unbound_pid)
	dnsperf -s 127.0.0.1 -p "$port" -d "$work/queries" -l "$seconds" \
		-c 10 -q 200 >"$work/dnsperf.out" 2>&1 || die "dnsperf"
	sleep 2
	after=$(cpu_ticks $unbound_pid)
	stop $unbound_pid
	unbound_pid=
	stop $reader_pid
	reader_pid=
	completed=$(sed -n 's/.*Queries completed: *\([0-9]*\).*/\1/p' \
		"$work/dnsperf.out")
	qps=$(sed -n 's/.*Queries per second: *\([0-9]*\).*/\1/p' \
		"$work/dnsperf.out")
	cpu_us=$(awk -v t=$((after - before)) -v hz="$ticks" \
		-v n="$completed" 'BEGIN { printf "%.2f", t / hz * 1e6 / n }')
	lost=0
	[ "$1" = off ] || lost=$((2 * completed -
		$("$client" frames "$work/tap.fstrm"))) || die "no stream"
}

median() {
	tr ' ' '\n' | sort -n | awk 'NF { v[++n] = $1 } END {
		print n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2 }'
}

column() { # MODE COLUMN
	awk -v mode="$1" -v column="$2" '$1 == mode { print $column }' \
		"$work/results"
}

total() { # MODE COLUMN
	column "$1" "$2" | awk '{ n += $1 } END { print n }'
}

# On a machine that others use, believe the CPU time rather than the rates.
load=$(cut -d' ' -f1 /proc/loadavg)
echo "load average before: $load"
round=1
while [ $round -le "$rounds" ]; do
	for mode in off stock dtap; do
		run "$mode"
		echo "$mode $qps $cpu_us $lost $((2 * completed))" \
			>>"$work/results"
		printf 'round %d  %-6s %8d q/s  %5s us/q  %8d lost\n' \
			$round "$mode" "$qps" "$cpu_us" "$lost"
	done
	round=$((round + 1))
done

mkdir -p "$out"
{
	printf '{"unbound":"%s","kernel":"%s","cpus":%d,' \
		"$("$bin/unbound" -V | sed -n 's/^Version //p')" \
		"$(uname -r)" "$(getconf _NPROCESSORS_ONLN)"
	printf '"load_before":%s,' "$load"
	printf '"rounds":%d,"seconds":%d,"threads":%d,"modes":[' \
		"$rounds" "$seconds" "$threads"
	comma=
	for mode in off stock dtap; do
		printf '%s{"mode":"%s","qps":%s,"cpu_us_per_query":%s,' \
			"$comma" "$mode" "$(column "$mode" 2 | median)" \
			"$(column "$mode" 3 | median)"
		printf '"events_lost":%d,"events":%d}' \
			"$(total "$mode" 4)" "$(total "$mode" 5)"
		comma=,
	done
	echo ']}'
} >"$out/unbound.json"
echo
base_qps=$(column off 2 | median)
printf '%-6s %10s %8s %10s %12s %10s\n' mode q/s change us/query events lost
for mode in off stock dtap; do
	printf '%-6s %10.0f %7s%% %10s %12d %10d\n' "$mode" \
		"$(column "$mode" 2 | median)" \
		"$(column "$mode" 2 | median | awk -v base="$base_qps" \
			'{ printf "%+.1f", ($1 / base - 1) * 100 }')" \
		"$(column "$mode" 3 | median)" \
		"$(total "$mode" 5)" "$(total "$mode" 4)"
done
echo "written: $out/unbound.json"
