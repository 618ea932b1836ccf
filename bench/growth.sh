#!/bin/sh
# SPDX-License-Identifier: MIT
#
# growth.sh - how costs grow with the number of things around: curves, beside
# Go's.
#
#	bench/growth.sh [-n RUNS] [-t SECONDS] [CURVE...]
#
#	-n RUNS		runs of each point, of which the median counts (3)
#	-t SECONDS	longest time for one run (120)
#	CURVE...	only these (all); bench/growth.sh -l lists them
#
# "make bench-growth" builds what it needs and calls it; it takes some five
# minutes.  weft and Go take turns.  The table and a plot for each curve go to
# bench/results/, the table to stdout too.  The status is 1 if a point is
# missing.  Environment: BUILD (build), GO (build/go/bin/go, then on the PATH).

set -eu

cd "$(dirname "$0")/.."
build=${BUILD:-build}
work=$build/bench
runs=3
limit=120
failed=0

# curve NAME WORKERS UNIT X WHAT POINT...: WORKERS is x where there are as many
# as the point says; X and WHAT are on the two axes.
curve()
{
	name=$1 workers=$2 unit=$3 x=$4 what=$5
	shift 5
	echo "$name|$workers|$unit|$x|$what|$*"
}

curves()
{
	thousands='1000 10000 100000'
	curve switches 1 ns 'coroutines that yield' 'one switch' \
	    1 10 100 "$thousands" 1000000
	curve memory 1 bytes 'coroutines that wait' 'memory of one' \
	    "$thousands" 1000000
	curve selects 1 ns 'channels in a select' 'one value' \
	    1 2 4 8 16 32 64 128 256 512 1024
	curve waiters 1 ns 'waiters on a channel' 'one leaves, comes back' \
	    1 10 100 "$thousands"
	curve timers 1 ns 'timers pending' 'set one, stop it' \
	    1 10 100 "$thousands" 1000000
	curve producers 2 ns 'producers, one consumer' 'one value' \
	    2 4 8 16 32 64
	curve pairs-on x ns 'workers' 'a round trip, 8 pairs' 1 2 4 8 16
	curve shared-on x ns 'workers' 'a value, 8 to 8, one channel' \
	    1 2 4 8 16
	curve spawns-on x ns 'workers' 'start, run, join' 1 2 4 8 16
}

while getopts n:t:lh option; do
	case $option in
	n) runs=$OPTARG ;;
	t) limit=$OPTARG ;;
	l) curves | cut -d '|' -f 1; exit 0 ;;
	*) sed -n 's/^#	//p' bench/growth.sh >&2; exit 2 ;;
	esac
done
shift $((OPTIND - 1))
wanted=" ${*:-$(curves | cut -d '|' -f 1 | tr '\n' ' ')} "

[ -x "$work/weft-bench" ] ||
	{ echo "growth.sh: no $work/weft-bench: 'make bench-growth' builds it" \
	    >&2; exit 1; }
. bench/peers.sh
. bench/machine.sh
peers=weft
! build_go || peers="weft go"
mkdir -p bench/results
result=bench/results/$(date -u +%Y-%m-%d-%H%M%S)-growth
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# point CURVE WORKERS X: the runs, in turns; the medians of weft and Go.
point()
{
	run=0
	: >"$tmp/weft"
	: >"$tmp/go"
	while [ $run -lt "$runs" ]; do
		for p in $peers; do
			WEFT_WORKERS=$2 GOMAXPROCS=$2 timeout "$limit" \
			    "$work/$p-bench" grow "$1" "$3" >"$tmp/out" &&
				awk '{ print $3 }' "$tmp/out" >>"$tmp/$p" ||
				echo "growth.sh: $p: $1 $3: failed" >&2
		done
		run=$((run + 1))
	done
	for p in weft go; do
		sort -g "$tmp/$p" | awk '{ v[NR] = $1 }
			END { print NR ? v[int((NR + 1) / 2)] : "NaN" }'
	done | tr '\n' ' '
}

# A panel for each curve, its points in a file of its own.
plot()
{
	panels=$((($1 + 2) / 3))
	echo "set terminal svg size 1000, $((panels * 260)) dynamic" \
	    "font 'sans-serif,11' background '#ffffff'"
	echo "set output '$result.svg'; set multiplot layout $panels, 3"
	echo "set logscale x; set key top left; set grid lc rgb '#dddddd'"
	echo "set format x '10^{%T}'; set tics nomirror; set mxtics 1;" \
	    "set mytics 1"
	while IFS='|' read -r name workers unit x what points; do
		echo "set title '$what, $unit'; set xlabel '$x'"
		case $name in
		selects) echo "set yrange [*:*]; set logscale y" ;;
		*) echo "unset logscale y; set yrange [0:*]" ;;
		esac
		case $workers in
		x) echo "set logscale x 2; set format x '%g'" ;;
		esac
		case $name in
		selects | producers) echo "set logscale x 2;" \
		    "set format x '%g'" ;;
		waiters | timers | switches | memory)
			echo "set logscale x 10; set format x '10^{%T}'" ;;
		esac
		echo "plot '$tmp/$name.dat' using 1:2 with linespoints" \
		    "lc rgb '#2b6cb0' pt 7 ps 0.5 title 'weft'," \
		    "'' using 1:3 with linespoints lc rgb '#dd6b20' pt 7" \
		    "ps 0.5 title 'Go'"
	done <"$tmp/curves"
}

curves | while IFS='|' read -r name rest; do
	case $wanted in
	*" $name "*) echo "$name|$rest" ;;
	esac
done >"$tmp/curves"
{
	echo "# How costs grow, $(date -u '+%Y-%m-%d %H:%M') UTC"
	echo
	machine_lines
	[ "$peers" = weft ] || echo "- Go: $("$work/go-bench" version)"
	echo "- each the median of $runs runs, in turns"
	while IFS='|' read -r name workers unit x what points; do
		printf '\n## %s: %s, %s\n\n' "$name" "$what" "$unit"
		echo "| $x | weft | Go | Go/weft |"
		echo '|--:|--:|--:|--:|'
		for n in $points; do
			w=$workers
			[ "$w" != x ] || w=$n
			echo "growth.sh: $name $n" >&2
			echo "$n $(point "$name" "$w" "$n" </dev/null)"
		done >"$tmp/$name.dat"
		awk '{ printf "| %d | %s | %s | %s |\n", $1, $2, $3,
		    $2 ~ /N/ || $3 ~ /N/ ? "-" : sprintf("%.2f", $3 / $2) }' \
		    "$tmp/$name.dat"
		! grep -q '^[0-9]* NaN' "$tmp/$name.dat" || : >"$tmp/missing"
	done <"$tmp/curves"
} >"$tmp/result"
cp "$tmp/result" "$result.md"
if command -v gnuplot >/dev/null; then
	plot "$(wc -l <"$tmp/curves")" >"$tmp/plot.gp"
	gnuplot "$tmp/plot.gp"
else
	echo "growth.sh: no plots: there is no gnuplot; in Debian:" \
	    "gnuplot-nox" >&2
fi
cat "$result.md"
echo "growth.sh: this is in $result.md, the plots in $result.svg" >&2
[ ! -e "$tmp/missing" ] || failed=1
exit $failed
