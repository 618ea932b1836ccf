#!/bin/sh
# SPDX-License-Identifier: MIT
#
# net.sh - measure what goes over the network: Echo, HTTP, keys and values.
#
#	bench/net.sh [-n RUNS]		(5)
#
# "make bench-net" builds what it needs and calls it.  The tables of echo.sh,
# http.sh and kv.sh go to stdout and to bench/results/.  The status is 1 if one
# of them failed.  Environment: as in these.

set -eu

cd "$(dirname "$0")/.."
build=${BUILD:-build}
runs=5
failed=0
while getopts n:h option; do
	case $option in
	n) runs=$OPTARG ;;
	*) sed -n 's/^#	//p' bench/net.sh >&2; exit 2 ;;
	esac
done

# part TITLE SCRIPT ARGUMENT...
part()
{
	printf '\n## %s\n\n' "$1"
	shift
	sh "$@" -n "$runs" || failed=1
}

mkdir -p bench/results
result=bench/results/$(date -u +%Y-%m-%d-%H%M%S)-net.md
. bench/machine.sh
{
	echo '# weft and its peers on the network,' \
	    "$(date -u '+%Y-%m-%d %H:%M') UTC"
	echo
	machine_lines
	part 'Echo: 64 bytes' bench/echo.sh
	part 'HTTP: a short text' bench/http.sh
	part 'Keys and values' bench/kv.sh
	[ $failed = 0 ] || printf '\n**A part failed.**\n'
} >"$result.part"
mv "$result.part" "$result"
cat "$result"
echo "net.sh: this is in $result" >&2
! grep -q 'A part failed' "$result"
