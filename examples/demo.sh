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

# shown FIRST LAST TEXT: so many lines of it, from the beginning and the end.
shown()
{
	printf '%s\n' "$3" | awk -v first="$1" -v last="$2" '
	{ line[NR] = $0 }
	END {
		for (i = 1; i <= NR; i++)
			if (i <= first || i > NR - last)
				print line[i]
			else if (i == first + 1)
				print "    ... (" NR - first - last " lines)"
	}'
}

set -e
told=$(run worker_pool)
shown 12 6 "$told"
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
told=$(run payments 2>&1) || found=yes
shown 10 16 "$told"
[ -z "$found" ] || echo '(that is the bug it looks for; without it:)'
run payments -f
