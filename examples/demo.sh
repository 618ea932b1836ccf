#!/bin/sh
# SPDX-License-Identifier: MIT
#
# demo.sh - run the examples, each on something real, from the top of the tree.
#
#	EXAMPLES=build/examples examples/demo.sh

examples=${EXAMPLES:-build/examples}

# run NAME ARGUMENT...: show the command, and what it does.
run()
{
	printf '\n== %s\n\n' "$*"
	"$examples/$@"
}

set -e
run worker_pool
run pipeline README.md CHANGELOG.md
run hub
run fetch_prices -d examples/fetch_prices/quotes WEFT LOOM REED
run timeouts -t 1000 3 1 7 x 9999 30
printf '%s\n' 'echo this takes a while; sleep 1.5' 'exit 1' 'echo hello' |
	run background_worker -a 3 -f "$examples/demo.db"
run lua_host examples/lua_host/checks.lua 2 'sleep 0.5' 'test -e README.md' \
	'sleep 9' || echo '(one of them had no time)'
run sieve
run million
run replay || echo '(that is the bug it looks for; without it:)'
run replay -f
run payments -r
# The story is long: how it begins, and how it ends.
told=$(run payments 2>&1) || found=yes
printf '%s\n' "$told" | awk '
{ line[NR] = $0 }
END {
	for (i = 1; i <= NR; i++)
		if (i <= 8 || i > NR - 16)
			print line[i]
		else if (i == 9)
			print "    ... (" NR - 24 " lines)"
}'
[ -z "$found" ] || echo '(that is the bug it looks for; without it:)'
run payments -f
