#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# bench_bind.sh: what dnstap costs Debian's named: without it, with BIND's
# own, with libdtap-bind.
#
#     bench_bind.sh [ROUNDS [SECONDS]]            from the build directory
#
# The three take turns in each round, so that a machine that grows slower
# slows them all. dnsperf asks over loopback for what named has in a zone; both
# kinds of dnstap write to the same reader, fstrm_capture on a Unix socket.
# Prints medians and writes bench/out/bind.json. Each query makes two events;
# lost are those that the reader did not get of the queries that were answered.
#
# DTAP_BIND_SHIM names another libdtap-bind.so than the build's,
# DTAP_BIND_WORKERS the number of named's threads (1). The shim's own variables
# DTAP_BIND_MEND and DTAP_BIND_OPTIONS hold here, too.
set -u
PATH=$PATH:/usr/sbin:/sbin
LC_ALL=C
export PATH LC_ALL

rounds=${1:-5}
seconds=${2:-3}
workers=${DTAP_BIND_WORKERS:-1}
shim=${DTAP_BIND_SHIM:-$PWD/integrations/bind/.libs/libdtap-bind.so}
client=$PWD/integrations/knot/knot_client
out=bench/out
ticks=$(getconf CLK_TCK)

need() {
	command -v "$1" >/dev/null 2>&1 && return
	echo "SKIP: $1 is missing (Debian: apt-get install $2)" >&2
	exit 77
}
need named bind9
need dnsperf dnsperf
need fstrm_capture fstrm-bin
for file in "$shim" "$client"; do
	[ -e "$file" ] || {
		echo "SKIP: $file was not built (make check builds it)" >&2
		exit 77
	}
done

# Memory, where there is some, so that no disk is measured.
base=${TMPDIR:-/tmp}
[ ! -w /dev/shm ] || base=/dev/shm
work=$(mktemp -d "$base/dtap-bench.XXXXXX") || exit 1
named_pid=
reader_pid=
finish() {
	for pid in $named_pid $reader_pid; do
		kill -KILL "$pid" 2>/dev/null
	done
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

die() {
	echo "bench_bind: $*" >&2
	cat "$work/named.log" >&2
	exit 1
}

port=$("$client" port) || exit 1
{
	echo "\$ORIGIN bench."
	echo "\$TTL 60"
	echo "@ SOA ns hostmaster 1 3600 600 86400 60"
	echo "@ NS ns"
	echo "ns A 192.0.2.53"
	awk 'BEGIN { for (i = 0; i < 1000; i++)
		printf "n%d A 192.0.2.%d\n", i, i % 256 }'
} >"$work/bench.zone"
awk 'BEGIN { for (i = 0; i < 1000; i++) print "n" i ".bench A" }' \
	>"$work/queries"

write_config() { # MODE
	cat <<-END
	controls { };
	options {
		directory "$work";
		pid-file none; session-keyfile none; lock-file none;
		port $port;
		listen-on { 127.0.0.1; };
		listen-on-v6 { none; };
		recursion no;
		dnssec-validation no;
		notify no;
	END
	[ "$1" = off ] || cat <<-END
		dnstap { all; };
		dnstap-output unix "$work/tap.sock";
	END
	cat <<-END
	};
	zone "bench" { type primary; file "bench.zone"; };
	END
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

# One run; sets qps, cpu_us (per query) and lost.
run() { # MODE
	write_config "$1" >"$work/named.conf"
	rm -f "$work/tap.sock"
	fstrm_capture -t protobuf:dnstap.Dnstap -u "$work/tap.sock" \
		-w "$work/tap.fstrm" >"$work/capture.log" 2>&1 &
	reader_pid=$!
	wait_for test -S "$work/tap.sock"
	preload=
	[ "$1" != libdtap-bind ] || preload=$shim
	LD_PRELOAD=$preload named -g -c "$work/named.conf" -n "$workers" \
		>"$work/named.log" 2>&1 &
	named_pid=$!
	wait_for grep -q ' running$' "$work/named.log"
	before=$(cpu_ticks $named_pid)
	dnsperf -s 127.0.0.1 -p "$port" -d "$work/queries" -l "$seconds" \
		-c 10 -q 200 >"$work/dnsperf.out" 2>&1 || die "dnsperf"
	after=$(cpu_ticks $named_pid)
	stop $named_pid
	named_pid=
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

modes="off bind libdtap-bind"
# On a machine that others use, believe the CPU time rather than the rates.
load=$(cut -d' ' -f1 /proc/loadavg)
echo "load average before: $load"

round=1
while [ $round -le "$rounds" ]; do
	for mode in $modes; do
		run "$mode"
		echo "$mode $qps $cpu_us $lost $completed" >>"$work/results"
		printf 'round %d  %-12s %8d q/s  %5s us/q  %8d lost\n' \
			$round "$mode" "$qps" "$cpu_us" "$lost"
	done
	round=$((round + 1))
done

column() { # MODE COLUMN
	awk -v mode="$1" -v column="$2" '$1 == mode { print $column }' \
		"$work/results"
}

mkdir -p "$out"
{
	printf '{"bind":"%s","kernel":"%s","cpus":%d,' \
		"$(named -v | awk '{ print $2; exit }')" "$(uname -r)" \
		"$(getconf _NPROCESSORS_ONLN)"
	printf '"load_before":%s,' "$load"
	printf '"rounds":%d,"seconds":%d,"workers":%d,"modes":[' \
		"$rounds" "$seconds" "$workers"
	comma=
	for mode in $modes; do
		printf '%s{"mode":"%s","qps":%s,"cpu_us_per_query":%s,' \
			"$comma" "$mode" "$(column "$mode" 2 | median)" \
			"$(column "$mode" 3 | median)"
		printf '"events_lost":%d,"events":%d}' \
			"$(column "$mode" 4 | awk '{ n += $1 } END { print n }')" \
			"$(column "$mode" 5 | awk '{ n += 2 * $1 } END { print n }')"
		comma=,
	done
	echo ']}'
} >"$out/bind.json"
echo
base_qps=$(column off 2 | median)
printf '%-12s %10s %8s %10s %12s %10s\n' mode q/s change us/query events lost
for mode in $modes; do
	printf '%-12s %10.0f %7s%% %10s %12d %10d\n' "$mode" \
		"$(column "$mode" 2 | median)" \
		"$(column "$mode" 2 | median | awk -v base="$base_qps" \
			'{ printf "%+.1f", ($1 / base - 1) * 100 }')" \
		"$(column "$mode" 3 | median)" \
		"$(column "$mode" 5 | awk '{ n += 2 * $1 } END { print n }')" \
		"$(column "$mode" 4 | awk '{ n += $1 } END { print n }')"
done
echo "written: $out/bind.json"
