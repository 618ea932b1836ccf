#!/bin/sh
# SPDX-License-Identifier: MIT
#
# idle.sh - measure what a connection costs that nobody uses.
#
#	bench/idle.sh [-n RUNS] [-s SECONDS] [-c CONNECTIONS]
#
#	-n RUNS		runs of each, taking turns (3)
#	-s SECONDS	for which all are idle (2)
#	-c CONNECTIONS	as many as descriptors allow for, at most (10000)
#
# The servers are those of echo.sh.  Each connection is used once when it is
# made and once at the end, when all of them must answer.  "make bench" builds
# weft's first.  The table, of medians, goes to stdout.  Environment: BUILD
# (build), GO (build/go/bin/go, then on the PATH).

set -eu

cd "$(dirname "$0")/.."
build=${BUILD:-build}
work=$build/bench
runs=3
seconds=2
connections=10000

while getopts n:s:c:h option; do
	case $option in
	n) runs=$OPTARG ;;
	s) seconds=$OPTARG ;;
	c) connections=$OPTARG ;;
	*) sed -n 's/^#	//p' bench/idle.sh >&2; exit 2 ;;
	esac
done

[ -x "$work/weft-bench" ] ||
	{ echo "idle.sh: no $work/weft-bench: 'make bench' builds it" >&2
	exit 1; }
. bench/peers.sh
build_c
peers="epoll weft"
! build_go || peers="$peers go"

# Some are for other things than connections.
ulimit -n "$(ulimit -Hn)"
most=$(ulimit -n)
if [ "$most" != unlimited ] && [ "$connections" -gt $((most - 100)) ]; then
	connections=$((most - 100))
	echo "idle.sh: $connections connections: ulimit -Hn" >&2
fi

server()
{
	case $1 in
	epoll) exec "$work/echo" server ;;
	weft) exec "$work/weft-bench" echo-server ;;
	go) exec "$work/go-bench" echo-server ;;
	esac
}

# Bytes of process $1, page tables included.
memory()
{
	awk '/^VmRSS:|^VmPTE:/ { n += $2 } END { print n * 1024 }' \
	    "/proc/$1/status"
}

# Nanoseconds of all threads of process $1.
cpu()
{
	cat /proc/"$1"/task/*/schedstat | awk '{ n += $1 } END { print n }'
}

tmp=$(mktemp -d)
mkfifo "$tmp/port" "$tmp/in" "$tmp/out"
pids=
trap 'kill $pids 2>/dev/null || :; rm -rf "$tmp"' EXIT

# A fresh server of the kind $1, all connections, and the end.
measure()
{
	server "$1" >"$tmp/port" &
	pid=$!
	pids=$pid
	read -r _ port <"$tmp/port"
	"$work/echo" idle "$port" 1 </dev/null >"$tmp/once"
	memory_before=$(memory $pid)
	cpu_before=$(cpu $pid)
	"$work/echo" idle "$port" "$connections" <"$tmp/in" >"$tmp/out" &
	pids="$pid $!"
	exec 3>"$tmp/in" 4<"$tmp/out"
	read -r _ <&4
	memory_open=$(memory $pid)
	cpu_open=$(cpu $pid)
	sleep 0.2
	cpu_rest=$(cpu $pid)
	sleep "$seconds"
	cpu_idle=$(cpu $pid)
	exec 3>&-
	read -r alive <&4
	[ "$alive" = alive ]
	exec 4<&-
	kill $pid
	wait $pid 2>"$tmp/killed" || :
	pids=
	echo "$1 $((memory_open - memory_before))" \
	    "$((cpu_open - cpu_before)) $((cpu_idle - cpu_rest))"
}

run=0
while [ $run -lt "$runs" ]; do
	for p in $peers; do
		measure "$p"
	done
	run=$((run + 1))
done >"$tmp/raw"

awk -v n="$connections" -v seconds="$seconds" '
function median(list,    v, k, i, j, x) {
	k = split(list, v, " ")
	for (i = 2; i <= k; i++) {
		x = v[i]
		for (j = i - 1; j > 0 && v[j] + 0 > x + 0; j--)
			v[j + 1] = v[j]
		v[j + 1] = x
	}
	return v[int((k + 1) / 2)]
}
{
	if (!($1 in bytes))
		order[++peers] = $1
	bytes[$1] = bytes[$1] " " $2
	made[$1] = made[$1] " " $3
	idle[$1] = idle[$1] " " $4
}
END {
	print "| server | connections | bytes each | CPU to make one, ns |" \
	    " CPU while idle, us/s |\n|---|---|---|---|---|"
	for (i = 1; i <= peers; i++) {
		p = order[i]
		printf "| %s | %d | %.0f | %.0f | %.0f |\n", p, n,
		    median(bytes[p]) / n, median(made[p]) / n,
		    median(idle[p]) / seconds / 1000
	}
}' "$tmp/raw"
