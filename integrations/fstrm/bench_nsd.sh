# SPDX-License-Identifier: Apache-2.0
#
# bench_nsd.sh: Debian's NSD, with libfstrm and with libdtap-fstrm in its
# place; for integrations/bench-servers. NSD's workers hand their messages to a
# process of its own, which alone knows libfstrm; what is lost on that way is
# lost with either.
# shellcheck shell=bash disable=SC2154

bench_programs() {
	echo "nsd nsd"
}

bench_prepare() {
	export fstrm_library=$build/integrations/fstrm/.libs/libdtap-fstrm.so
	built "$fstrm_library" || return
	bench_zone >"$work/bench.zone"
}

bench_versions() {
	dpkg-query -W -f 'nsd ${Version}' nsd
}

bench_own() {
	echo libfstrm
}

bench_start() { # MODE
	{
		cat <<-END
		server:
		  ip-address: 127.0.0.1@$port
		  server-count: $threads
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
		END
		[ "$1" = off ] || cat <<-END
		dnstap:
		  dnstap-enable: yes
		  dnstap-socket-path: "$work/tap.sock"
		  dnstap-log-auth-query-messages: yes
		  dnstap-log-auth-response-messages: yes
		END
		printf '%s\n' "zone:" "  name: bench" "  zonefile: bench.zone"
	} >"$work/nsd.conf"
	[ "$1" != ours ] || export LD_PRELOAD="$fstrm_library"
	exec nsd -d -c "$work/nsd.conf"
}
