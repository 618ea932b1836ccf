#!/bin/sh
# SPDX-License-Identifier: MIT
#
# run.sh - measure weft and its peers side by side, print a Markdown table.
#
#	bench/run.sh [-n RUNS] [-w WORKERS] [-p PEERS] [-t SECONDS] [ROW...]
#
#	-n RUNS		runs of each row, an odd number is best (5)
#	-w WORKERS	numbers of workers, such as 1,2 (1,2)
#	-p PEERS	those beside weft (go,boost,cxx20)
#	-t SECONDS	longest time for one run (120)
#	ROW...		only these rows (all); bench/run.sh -l lists them
#
# "make bench" builds what it needs and calls it.  The table goes to stdout and
# to bench/results/, with all single runs, a summary and a plot of the ratios
# beside it; progress goes to stderr.  The status is 1 if a run of weft or of Go
# failed.
#
# Environment: BUILD (build), GO (build/go/bin/go, then go on the PATH).

set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
build=${BUILD:-build}
work=$build/bench
weft=$work/weft-bench
peers=weft
asked=go,boost,cxx20
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

build_peers()
{
	for peer in $(echo "$asked" | tr ',' ' '); do
		case $peer in
		go | boost | cxx20) ;;
		*) die "there is no peer '$peer'" ;;
		esac
		if "build_$peer"; then
			peers="$peers $peer"
			same_operations "$peer"
		fi
	done
}

# All must do the same number of operations, or the ratio means nothing.  Go
# has all rows; others those for which they have the notion.
same_operations()
{
	"$work/$1-bench" list | sort >"$work/$1.list"
	case $1 in
	go) comm -3 "$work/weft.list" "$work/go.list" ;;
	*) comm -13 "$work/weft.list" "$work/$1.list" ;;
	esac >"$work/wrong"
	[ ! -s "$work/wrong" ] || {
		cat "$work/wrong" >&2
		die "weft and $1 disagree about these rows or operations"
	}
}

# has_row PEER ROW WORKERS: not all peers have all rows, or a second thread.
has_row()
{
	cut -f 1 "$work/$1.list" | grep -qx -- "$2" || return 1
	[ "$1" != cxx20 ] || [ "$3" = 1 ]
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
	run_began=$(date +%s)
	if WEFT_WORKERS=$3 GOMAXPROCS=$3 timeout "$limit" "$work/$1-bench" \
	    "$2" >"$work/out"; then
		sed "s/^/$1 $3 /" "$work/out"
		[ $(($(date +%s) - run_began)) -le 10 ] ||
			slow="$slow $1,$2,$3 "
	else
		status=$?
		clear_progress
		note "$1, row $2, workers: $3: failed with status $status"
		echo "$1 $3 $2 failed -"
		case $1 in
		weft | go) failed=1 ;;
		esac
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

# again PEER ROW WORKERS: whether to run it.  A peer that failed in a row is
# not asked again there, nor is one that takes very long, besides weft and Go.
again()
{
	has_row "$@" || return 1
	! grep -q "^$1 $3 $2 failed" "$raw" || return 1
	case $1,$slow in
	weft,* | go,*) ;;
	*" $1,$2,$3 "*) return 1 ;;
	esac
}

measure()
{
	began=$(date +%s)
	slow=
	done_runs=0
	total=$(($(echo "$rows" | wc -w) * $(echo "$workers" | wc -w) * runs *
	    $(echo "$peers" | wc -w)))
	for row in $rows; do
		for w in $workers; do
			run=1
			while [ $run -le "$runs" ]; do
				progress "$row" "$w" $run
				for peer in $peers; do
					! again "$peer" "$row" "$w" ||
					    run_one "$peer" "$row" "$w" >>"$raw"
					done_runs=$((done_runs + 1))
				done
				run=$((run + 1))
			done
		done
	done
	clear_progress
}

head_lines()
{
	echo "# weft and its peers, $(date -u '+%Y-%m-%d %H:%M') UTC"
	echo
	echo "$where"
	for peer in $peers; do
		[ "$peer" = weft ] ||
			echo "- $peer: $("$work/$peer-bench" version)"
	done
	for peer in $(echo "$asked" | tr ',' ' '); do
		case " $peers " in
		*" $peer "*) ;;
		*) echo "- $peer: left out; see bench/README.md" ;;
		esac
	done
	echo "- command: bench/run.sh $command"
	echo
}

titles()
{
	for peer in $peers; do
		case $peer in
		boost) echo boost=Boost.Fiber ;;
		cxx20) echo cxx20=C++20 coroutines, bare ;;
		esac
	done | tr ',\n' ';,' | sed 's/,$//'
}

tables()
{
	head_lines
	"$weft" list | awk -F '\t' -v runs="$runs" -v goals=bench/goals.txt \
	    -v titles="$(titles)" -v short="$result.short.md" \
	    -v plot="$result.dat" -f bench/table.awk - "$raw"
}

failed=0
command=$*
while getopts n:w:p:t:lh option; do
	case $option in
	n) runs=$OPTARG ;;
	w) workers=$OPTARG ;;
	p) asked=$OPTARG ;;
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
. bench/peers.sh
. bench/machine.sh
"$weft" list | cut -f 1,2 | sort >"$work/weft.list"
build_peers

where=$(machine_lines)
stamp=$(date -u +%Y-%m-%d-%H%M%S)
result=bench/results/$stamp
raw=$result.txt
: >"$raw"
measure
tables >"$result.md"
if [ ! -s "$result.dat" ]; then
	note "no plot: there is nothing to compare"
elif command -v gnuplot >/dev/null; then
	gnuplot -e "data='$result.dat'; out='$result.svg'" bench/ratios.gp &&
		sed -i "s|^# weft and its peers.*|&\n\n![ratios]($stamp.svg)|" \
		    "$result.md"
else
	note "no plot: there is no gnuplot; in Debian: gnuplot-nox"
fi
cat "$result.md"
note "the table is in $result.md, a summary of it in $result.short.md"
exit $failed
