# SPDX-License-Identifier: Apache-2.0
#
# bench_dnsdist.sh: Debian's dnsdist, which answers by itself, with libfstrm
# and with libdtap-fstrm in its place; for integrations/bench-servers.
# shellcheck shell=bash disable=SC2154

bench_programs() {
	echo "dnsdist dnsdist"
}

bench_prepare() {
	export fstrm_library=$build/integrations/fstrm/.libs/libdtap-fstrm.so
	built "$fstrm_library" || return
}

bench_versions() {
	dpkg-query -W -f 'dnsdist ${Version}' dnsdist
}

bench_own() {
	echo libfstrm
}

bench_start() { # MODE
	{
		cat <<-END
		setLocal("127.0.0.1:$port")
		setSecurityPollSuffix("")
		END
		[ "$1" = off ] || cat <<-END
		logger = newFrameStreamUnixLogger("$work/tap.sock")
		addAction(AllRule(), DnstapLogAction("bench", logger))
		addSelfAnsweredResponseAction(AllRule(),
			DnstapLogResponseAction("bench", logger))
		END
		echo 'addAction(AllRule(), SpoofAction("192.0.2.80"))'
	} >"$work/dnsdist.conf"
	[ "$1" != ours ] || export LD_PRELOAD="$fstrm_library"
	exec dnsdist --supervised -C "$work/dnsdist.conf"
}
