# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
#
# bench_knot.sh: Debian's knotd, with Knot's own mod-dnstap and with mod-dtap;
# for integrations/bench-servers.
# shellcheck shell=bash disable=SC2154

bench_programs() {
	echo "knotd knot"
}

bench_prepare() {
	export knot_module=$build/integrations/knot/.libs/dtap.so
	built "$knot_module" || return
	bench_zone >"$work/bench.zone"
}

bench_versions() {
	knotd -V | awk '{ print "knotd", $NF; exit }'
}

bench_own() {
	[ -z "$(find /usr/lib -path '*/knot/modules-*/dnstap.so')" ] ||
		echo mod-dnstap
}

bench_start() { # MODE
	local name=
	case $1 in
	own) name=mod-dnstap ;;
	ours) name=mod-dtap ;;
	esac
	{
		cat <<-END
		server:
		    rundir: $work
		    listen: 127.0.0.1@$port
		    udp-workers: $threads
		    tcp-workers: 1
		    background-workers: 1
		database:
		    storage: $work
		log:
		  - target: stderr
		    any: info
		END
		[ "$1" != ours ] || printf '%s\n' "module:" \
			"  - id: mod-dtap" "    file: $knot_module"
		[ -z "$name" ] || printf '%s\n' "$name:" "  - id: all" \
			"    sink: unix:$work/tap.sock"
		printf '%s\n' "template:" "  - id: default" "    storage: $work"
		[ -z "$name" ] || echo "    global-module: $name/all"
		printf '%s\n' "zone:" "  - domain: bench."
	} >"$work/knot.conf"
	exec knotd -c "$work/knot.conf" -s "$work/ctl"
}
