#!/bin/sh
# SPDX-License-Identifier: MIT
#
# publish.sh - put the last results into the documents.
#
#	bench/publish.sh [RUN]
#
#	RUN		of run.sh, such as 2026-11-24-221500 (the newest)
#
# Takes the newest file of each kind from bench/results/: the summary of rows
# for README.md, the whole table for doc/rows.md, the others for
# doc/performance.md, and the plots.  What has no result stays as it is.  In
# a document the place is between <!-- NAME --> and <!-- /NAME -->.

set -eu

cd "$(dirname "$0")/.."

newest()
{
	find bench/results -name "$1" | sort | tail -n 1
}

# put NAME DOCUMENT: what is on stdin.
put()
{
	cat >bench/results/.part
	awk -v name="$1" '
	$0 == "<!-- /" name " -->" { inside = 0 }
	!inside { print }
	$0 == "<!-- " name " -->" {
		inside = 1
		print ""
		while ((getline line <"bench/results/.part") > 0)
			print line
		print ""
	}' "$2" >bench/results/.new
	cat bench/results/.new >"$2"
	rm bench/results/.part bench/results/.new
}

# What a result of a busy machine is worth, if $1 is one.
busy()
{
	sed -n 's/^- load before the start: \([0-9.]*\).*/\1/p' "$1" | awk '
	$1 > 0.5 {
		print "**The machine was busy with other programs: these" \
		    " figures are rough.**\n"
	}'
}

# A result without its title, its parts one level down.
body()
{
	busy "$1"
	sed '1,2d; s/^## /### /' "$1"
}

short=$(newest "${1:-*}.short.md")
if [ "$short" ]; then
	run=${short%.short.md}
	{
		sed -n '/^- machine/p; /^- kernel/p; /^- weft:/p; /^- go:/p
		    /^- load/p' "$run.md"
		echo
		busy "$run.md"
		cat "$short"
		echo
		sed -n 's/^- \(Geometric mean.*, all:\)/\1/p' "$run.md"
	} | put summary README.md
	sed "s|]($(basename "$run").svg)|](rows.svg)|" "$run.md" >doc/rows.md
	[ ! -e "$run.svg" ] || cp "$run.svg" doc/rows.svg
	echo "publish.sh: rows: $run.md" >&2
fi
for kind in cost growth net; do
	file=$(newest "*-$kind.md")
	[ "$file" ] || continue
	body "$file" | put $kind doc/performance.md
	[ ! -e "${file%.md}.svg" ] || cp "${file%.md}.svg" doc/$kind.svg
	echo "publish.sh: $kind: $file" >&2
done
