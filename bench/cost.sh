#!/bin/sh
# SPDX-License-Identifier: MIT
#
# cost.sh - what one operation of a row executes: instructions, atomic ones
# among them, switches; beside the time it takes and what the machine itself
# would need for these.
#
#	bench/cost.sh [-n RUNS] [ROW...]
#
#	-n RUNS		runs for the time, of which the median counts (5)
#	ROW...		only these (those of the list below)
#
# "make bench-cost" builds what it needs and calls it.  Counts are made by
# callgrind with one worker, over N operations and over 2 N: the difference is
# what N cost, without the start.  Atomic are the instructions with a lock
# prefix, and xchg with memory.  The floor is atomic operations and switches
# alone, each at what bench/peers/c/floor.c needs here.  The table goes to
# stdout and to bench/results/.  Environment: BUILD (build).

set -eu

cd "$(dirname "$0")/.."
build=${BUILD:-build}
work=$build/bench
bench=$work/weft-bench
runs=5

usage()
{
	sed -n 's/^#	//p' bench/cost.sh >&2
	exit 2
}

while getopts n:h option; do
	case $option in
	n) runs=$OPTARG ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
rows=${*:-Switch Spawn PingPong SPSC MPMC Select4 SelectDefault2 SelectTimeout \
Ring Mutex WaitGroup TimerStop TimerReset}

for tool in valgrind objdump nm; do
	command -v $tool >/dev/null || {
		echo "cost.sh: skipped: there is no $tool; in Debian:" \
		    "valgrind, binutils" >&2
		exit 0
	}
done
[ -x "$bench" ] || { echo "cost.sh: no $bench: 'make' builds it" >&2; exit 1; }
${CC:-cc} -O2 -pthread -o "$work/floor" bench/peers/c/floor.c
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export WEFT_WORKERS=1

# atomics OBJECT: the addresses of its atomic instructions, for cost.awk.
atomics()
{
	objdump -d --no-show-raw-insn "$1" 2>/dev/null | awk -v object="$1" '
	$2 == "lock" || ($2 ~ /^xchg/ && /\(/) {
		sub(/:$/, "", $1)
		print object, $1, "atomic"
	}'
}

# count ROW OPS FILE
count()
{
	valgrind --tool=callgrind --dump-instr=yes --dump-line=no \
	    --compress-pos=no --compress-strings=no \
	    --callgrind-out-file="$3" "$bench" "$1" "$2" \
	    >/dev/null 2>"$tmp/said" || { cat "$tmp/said" >&2; exit 1; }
}

# The objects that are in a profile, and what is of interest in them.
marks()
{
	sed -n 's/^ob=//p' "$1" | sort -u | while read -r object; do
		[ ! -f "$object" ] || atomics "$object"
	done
	nm "$bench" | awk -v object="$(sed -n 's/^ob=//p' "$1" | grep -m 1 \
	    "${bench##*/}\$")" '
	$3 ~ /^wf__switch(_visit)?$/ {
		sub(/^0*/, "", $1)
		print object, $1, "switch"
	}'
}

# The median of the lines of stdin.
median()
{
	sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

# Operations of a run under callgrind.
ops_of()
{
	case $1 in
	Ring | Spawn | Select4) echo 40000 ;;
	*) echo 20000 ;;
	esac
}

# The row's time, each of its figures; counts are made for all figures at once,
# so that rows with several are for one only in the list above.
time_of()
{
	run=0
	while [ $run -lt "$runs" ]; do
		"$bench" "$1" | awk '{ n += $2 } END { print n }'
		run=$((run + 1))
	done | median
}

floor_of()
{
	awk -v name="$1" '$1 == name { print $2 }' "$tmp/floor" | median
}

# settle ROW OPS FILE: counts until two are the same but for one in a hundred.
# Under callgrind all is slow, and now and then the monitor brings a stand-in.
settle()
{
	: >"$tmp/sums"
	until [ "$(wc -l <"$tmp/sums")" -ge 6 ]; do
		count "$@"
		sum=$(sed -n 's/^summary: //p' "$3")
		! awk -v sum="$sum" '
		$1 > sum * 0.99 && $1 < sum * 1.01 { found = 1 }
		END { exit !found }' "$tmp/sums" || return 0
		echo "$sum" >>"$tmp/sums"
	done
	echo "cost.sh: $1: no two counts are the same" >&2
}

one_row()
{
	n=$(ops_of "$1")
	settle "$1" "$n" "$tmp/one"
	settle "$1" $((2 * n)) "$tmp/two"
	[ -s "$tmp/marks" ] || marks "$tmp/two" >"$tmp/marks"
	awk -v n="$n" -f bench/cost.awk "$tmp/marks" "$tmp/one" "$tmp/two" \
	    >"$tmp/counts"
	read -r instructions atomic switched <"$tmp/counts"
	awk -v row="$1" -v i="$instructions" -v a="$atomic" -v s="$switched" \
	    -v t="$(time_of "$1")" -v add="$(floor_of add)" \
	    -v change="$(floor_of switch)" 'BEGIN {
		printf "| %s | %.0f | %.2f | %.2f | %.1f | %.1f |\n", row, i,
		    a, s, a * add + s * change, t
	}'
	sed 1d "$tmp/counts" | sort -rg | awk -v row="$1" '
	$1 >= 4 {
		sub(/\..*/, "", $2)
		line = line (line ? ", " : "") sprintf("%s %.0f", $2, $1)
	}
	END { print "| " row " | " line " |" }' >>"$tmp/functions"
}

mkdir -p bench/results
result=bench/results/$(date -u +%Y-%m-%d-%H%M%S)-cost.md
. bench/machine.sh
{
	echo "# What an operation costs, $(date -u '+%Y-%m-%d %H:%M') UTC"
	echo
	machine_lines
	for run in 1 2 3 4 5; do
		"$work/floor"
	done >"$tmp/floor"
	echo
	echo '| the machine itself | ns |'
	echo '|---|--:|'
	for name in load-store cas add lock-pair clock syscall switch line \
	    page tcp; do
		echo "| $name | $(floor_of $name) |"
	done
	echo
	printf '| row | instructions | atomic | switches '
	echo '| floor, ns | takes, ns |'
	echo '|---|--:|--:|--:|--:|--:|'
	for row in $rows; do
		one_row "$row"
	done
	echo
	echo '| row | where they are: functions, and instructions in each |'
	echo '|---|---|'
	cat "$tmp/functions"
} >"$tmp/result"
cp "$tmp/result" "$result"
cat "$result"
echo "cost.sh: this is in $result" >&2
