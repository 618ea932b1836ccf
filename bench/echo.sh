#!/bin/sh
# SPDX-License-Identifier: MIT
#
# echo.sh - measure Echo: a server on one core, its client on another one.
#
#	bench/echo.sh [-n RUNS] [-s SECONDS] [-c CONNECTIONS]
#
#	-n RUNS		runs of each, taking turns (5)
#	-s SECONDS	length of a run (2)
#	-c CONNECTIONS	numbers of connections, such as 1,64 (1,64,1000)
#
# The servers are weft's (bench/weft/echo.c), Go's (bench/peers/go/echo.go), one
# on libuv (bench/peers/uv/echo.c), one by hand with io_uring
# (bench/peers/c/uring.c), where liburing is, and one by hand with epoll
# (bench/peers/c/echo.c), which also has the client.  "make bench" builds weft's
# first.  The table, of medians, goes to stdout.  Environment: BUILD (build), GO
# (build/go/bin/go, then on the PATH).

set -eu

cd "$(dirname "$0")/.."
build=${BUILD:-build}
work=$build/bench
runs=5
seconds=2
connections=1,64,1000

usage()
{
	sed -n 's/^#	//p' bench/echo.sh >&2
	exit 2
}

while getopts n:s:c:h option; do
	case $option in
	n) runs=$OPTARG ;;
	s) seconds=$OPTARG ;;
	c) connections=$OPTARG ;;
	*) usage ;;
	esac
done

[ -x "$work/weft-bench" ] ||
	{ echo "echo.sh: no $work/weft-bench: 'make bench' builds it" >&2
	exit 1; }
[ "$(nproc)" -gt 1 ] ||
	{ echo "echo.sh: two cores are needed" >&2; exit 1; }
. bench/peers.sh
build_c
peers="epoll weft"
if ${CC:-cc} -O2 -o "$work/uring" bench/peers/c/uring.c -luring \
    2>"$work/uring.err" && "$work/uring" check; then
	peers="$peers io_uring"
fi
! build_uv || peers="$peers libuv"
! build_go || peers="$peers go"

server()
{
	case $1 in
	epoll) taskset -c 0 "$work/echo" server ;;
	io_uring) taskset -c 0 "$work/uring" ;;
	weft) WEFT_WORKERS=1 taskset -c 0 "$work/weft-bench" echo-server ;;
	libuv) taskset -c 0 "$work/uv-echo" ;;
	go) GOMAXPROCS=1 taskset -c 0 "$work/go-bench" echo-server ;;
	esac
}

# Nanoseconds of all threads of process $1.
cpu()
{
	cat /proc/"$1"/task/*/schedstat | awk '{ n += $1 } END { print n }'
}

tmp=$(mktemp -d)
pids=
trap 'kill $pids 2>/dev/null; rm -rf "$tmp"' EXIT
for p in $peers; do
	mkfifo "$tmp/$p.fifo"
	server "$p" >"$tmp/$p.fifo" &
	read -r _ port <"$tmp/$p.fifo"
	echo "$port" >"$tmp/$p.port"
	# taskset runs the server in its own place.
	pids="$pids $!"
	pgrep -P $! >"$tmp/$p.pid" || echo $! >"$tmp/$p.pid"
	pids="$pids $(cat "$tmp/$p.pid")"
done

for c in $(echo "$connections" | tr ',' ' '); do
	run=0
	while [ $run -lt "$runs" ]; do
		for p in $peers; do
			pid=$(cat "$tmp/$p.pid")
			before=$(cpu "$pid")
			taskset -c 1 "$work/echo" client \
			    "$(cat "$tmp/$p.port")" "$c" "$seconds" \
			    >"$tmp/out"
			echo "$c $p $(cat "$tmp/out") $before $(cpu "$pid")"
		done
		run=$((run + 1))
	done
done >"$tmp/raw"

awk -v seconds="$seconds" -v base=epoll -f bench/rates.awk "$tmp/raw"
