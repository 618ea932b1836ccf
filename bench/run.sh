#!/bin/sh
# SPDX-License-Identifier: MIT
#
# run.sh - measure weft and its peers side by side, print a Markdown table.
#
#	bench/run.sh [-n RUNS] [-w WORKERS] [-t SECONDS] [ROW...]
#
#	-n RUNS		runs of each row, an odd number is best (5)
#	-w WORKERS	numbers of workers, such as 1,2 (1,2)
#	-t SECONDS	longest time for one run (120)
#	ROW...		only these rows (all); bench/run.sh -l lists them
#
# "make bench" builds what it needs and calls it.  The table goes to stdout and
# to bench/results/, with all single runs beside it; progress goes to stderr.
# The status is 1 if a run failed.
#
# Environment: BUILD (build), GO (build/go/bin/go, then go on the PATH).

set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
build=${BUILD:-build}
work=$build/bench
weft=$work/weft-bench
go_bench=$work/go-bench
peers=weft
runs=5
workers=1,2
limit=120

die()
{
	echo "run.sh: $*" >&2
	exit 1
}

note()
{
	echo "run.sh: $*" >&2
}

usage()
{
	sed -n 's/^#	//p' "$root/bench/run.sh" >&2
	exit 2
}

list_rows()
{
	"$weft" list | awk -F '\t' '{ printf "%-15s %s\n", $1, $3 }'
	exit 0
}

# Build the Go peer with any Go there is.  The language version in go.mod is
# raised to that of the toolchain: Go reads its defaults from it.
build_go()
{
	go=${GO:-}
	if [ -z "$go" ]; then
		go=$build/go/bin/go
		[ -x "$go" ] || go=$(command -v go) || go=
	fi
	if [ -z "$go" ]; then
		note "no Go here, so weft runs alone." \
		    "bench/get-go.sh fetches one on Debian"
		return
	fi
	case $build in
	/*) abs=$build ;;
	*) abs=$root/$build ;;
	esac
	case $go in
	/*) ;;
	*/*) go=$root/$go ;;
	esac
	export GOCACHE="$abs/bench/gocache" GOTOOLCHAIN=local GOPROXY=off
	export GOFLAGS='' GOWORK=off GO111MODULE=on CGO_ENABLED=0
	language=$("$go" env GOVERSION |
	    sed 's/^go\([0-9]*\.[0-9]*\).*/\1/')
	sed "s/^go .*/go $language/" bench/peers/go/go.mod >"$work/go.mod"
	if (cd bench/peers/go && "$go" build -modfile="$abs/bench/go.mod" \
	    -o "$abs/bench/go-bench" .); then
		peers="weft go"
	else
		note "the Go peer does not build with $("$go" version)"
		failed=1
	fi
}

# Both must do the same number of operations, or the ratio means nothing.
same_operations()
{
	"$weft" list | cut -f 1,2 | sort >"$work/weft.list"
	"$go_bench" list | sort >"$work/go.list"
	cmp -s "$work/weft.list" "$work/go.list" || {
		diff "$work/weft.list" "$work/go.list" >&2 || :
		die "weft and Go disagree about rows or operations"
	}
}

check_rows()
{
	for row in $rows; do
		"$weft" list | cut -f 1 | grep -qx -- "$row" ||
		    die "no row '$row'; bench/run.sh -l lists them"
	done
}

# run_one PEER ROW WORKERS: its lines on stdout, marked with peer and workers.
run_one()
{
	case $1 in
	weft) binary=$weft ;;
	go) binary=$go_bench ;;
	esac
	if WEFT_WORKERS=$3 GOMAXPROCS=$3 timeout "$limit" "$binary" "$2" \
	    >"$work/out"; then
		sed "s/^/$1 $3 /" "$work/out"
	else
		status=$?
		clear_progress
		note "$1, row $2, workers: $3: failed with status $status"
		echo "$1 $3 $2 failed -"
		failed=1
	fi
}

clear_progress()
{
	[ ! -t 2 ] || printf '\r\033[K' >&2
}

# progress ROW WORKERS RUN
progress()
{
	left=
	if [ $done_runs -gt 0 ]; then
		left=$(($(date +%s) - began))
		left=$((left * (total - done_runs) / done_runs))
		left=", about $((left / 60)) min $((left % 60)) s left"
	fi
	text="[$done_runs/$total] $1, workers: $2, run $3 of $runs$left"
	if [ -t 2 ]; then
		printf '\r\033[K%s' "$text" >&2
	elif [ "$3" = 1 ]; then
		echo "$text" >&2
	fi
}

# A peer that failed in a row is not asked again there.
measure()
{
	began=$(date +%s)
	done_runs=0
	total=$(($(echo "$rows" | wc -w) * $(echo "$workers" | wc -w) * runs *
	    $(echo "$peers" | wc -w)))
	for row in $rows; do
		for w in $workers; do
			run=1
			while [ $run -le "$runs" ]; do
				progress "$row" "$w" $run
				for peer in $peers; do
					grep -q "^$peer $w $row failed" \
					    "$raw" ||
					    run_one "$peer" "$row" "$w" >>"$raw"
					done_runs=$((done_runs + 1))
				done
				run=$((run + 1))
			done
		done
	done
	clear_progress
}

machine()
{
	cpu=$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)
	memory=$(awk '/^MemTotal/ { printf "%.0f", $2 / 1048576 }' \
	    /proc/meminfo)
	guest=
	grep -qw hypervisor /proc/cpuinfo && guest=", virtual machine"
	echo "$(nproc) cores of ${cpu:-$(uname -m)}$guest, $memory GiB"
}

head_lines()
{
	revision=$(git describe --always --dirty 2>/dev/null || echo unknown)
	echo "# weft and its peers, $(date -u '+%Y-%m-%d %H:%M') UTC"
	echo
	echo "- machine: $(machine)"
	echo "- load before the start: $load (other programs would disturb)"
	echo "- kernel: $(uname -sr)"
	echo "- weft: $("$weft" version), revision $revision"
	case $peers in
	*go*) echo "- Go: $("$go_bench" version)" ;;
	*) echo "- Go: not installed; bench/get-go.sh fetches it on Debian" ;;
	esac
	echo
}

failed=0
while getopts n:w:t:lh option; do
	case $option in
	n) runs=$OPTARG ;;
	w) workers=$OPTARG ;;
	t) limit=$OPTARG ;;
	l) list=1 ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
workers=$(echo "$workers" | tr ',' ' ')
for number in $runs $limit $workers; do
	case $number in
	*[!0-9]* | 0) usage ;;
	esac
done

[ -x "$weft" ] || die "no $weft: 'make bench' builds it"
[ -z "${list:-}" ] || list_rows
mkdir -p bench/results "$work"
rows=${*:-$("$weft" list | cut -f 1)}
check_rows
build_go
case $peers in
*go*) same_operations ;;
esac

load=$(cut -d ' ' -f 1 /proc/loadavg)
stamp=$(date -u +%Y-%m-%d-%H%M%S)
raw=bench/results/$stamp.txt
: >"$raw"
measure
{
	head_lines
	"$weft" list | awk -F '\t' -v runs="$runs" -f bench/table.awk - "$raw"
} | tee "bench/results/$stamp.md"
note "the table is in bench/results/$stamp.md"
exit $failed
