#!/bin/sh
# SPDX-License-Identifier: MIT
#
# lint.sh - the form of the sources, as far as a machine can judge it.
#
#	test/lint.sh		(from the top of the tree; BUILD=build)
#
# Each check is a function that prints one line "file:line: what is wrong" for
# each place, and nothing when all is well.

LC_ALL=C
export LC_ALL
BUILD=${BUILD:-build}
library=$(find lib -name '*.[chS]' | sort)
c_files=$(find lib include test examples bench -name '*.[ch]' | sort)
sources=$(find lib include test examples bench .ci Makefile meson.build \
    -type f \( -name '*.[chS]' -o -name '*.cc' -o -name '*.cpp' \
    -o -name '*.go' -o -name '*.pml' -o -name '*.inc' -o -name '*.map' \
    -o -name '*.sh' -o -name run \
    -o -name Makefile -o -name meson.build \) | sort)
words=$(find . -name '*.md' -o -name '*.in' | grep -v '^\./build' | sort)

# The licence is on the first line, or follows the interpreter's.
spdx() {
	for f in $sources; do
		sed 2q "$f" | awk -v f="$f" '
		NR == 1 && /^#!/ { next }
		/SPDX-License-Identifier: MIT/ { found = 1 }
		{ exit }
		END { if (!found) print f ":1: no SPDX line" }'
	done
}

width() {
	awk '{
		line = $0
		for (at = 0; (i = index(line, "\t")) > 0; ) {
			at += i - 1
			at += 8 - at % 8
			line = substr(line, i + 1)
		}
		if (at + length(line) > 80 && FILENAME !~ /\.go$/)
			print FILENAME ":" FNR ": " at + length(line) " columns"
	}' $sources
}

trailing_space() {
	grep -Hn '[[:blank:]]$' $sources $words LICENSE
}

# A function's name begins its line, its type is on the line before:
# "grep ^name" finds the definition.
column_0() {
	awk '
	/\\$/ || macro { macro = /\\$/; next }
	/^[A-Za-z_#]/ { head = $0; line = FNR }
	/^\{/ && head !~ /^[A-Za-z_][A-Za-z0-9_]*\(/ && head !~ /^template/ {
		print FILENAME ":" line ": name not at column 0: " head
	}
	FILENAME ~ /^(lib|examples)/ && /^[a-z_][^=]*\)[^=]*\{/ {
		print FILENAME ":" FNR ": name not at column 0: " $0
	}' $c_files
}

# A tag in a comment names an ordering: it stands at its two ends at least.
# Those at the beginning of a comment are checked, all count.
tags() {
	awk '
	!/\/\*/ && !/^[ \t]+\*/ { next }
	{
		rest = substr($0, match($0, /\/\*|^[ \t]+\*/))
		leads = rest ~ /^\/\* \[/
	}
	{
		while (match(rest, /\[[a-z][a-z0-9_-]*\]/)) {
			tag = substr(rest, RSTART, RLENGTH)
			count[tag]++
			if (leads)
				place[tag] = FILENAME ":" FNR
			rest = substr(rest, RSTART + RLENGTH)
			leads = leads && rest ~ /^[, ]*\[/
		}
	}
	END {
		for (tag in place)
			if (count[tag] < 2)
				print place[tag] ": " tag " stands alone"
	}' $library
}

# An operation that orders memory says with which other one, close by.  An
# addition may also say in words why it pairs with none.
untagged() {
	awk '
	function done() {
		if (from > 0)
			print place
		from = tag = said = -9
	}
	FNR == 1 { done() }
	FILENAME == "lib/atomic.h" { next }
	/\/\*|^[ \t]+\*/ { said = FNR }
	said == FNR && /\[[a-z][a-z0-9_-]*\]/ { tag = FNR }
	from > 0 && tag >= from { from = -9 }
	from > 0 && FNR > from + 2 { print place; from = -9 }
	/wf__add[0-9]*_acq_rel\(/ && said >= FNR - 3 { next }
	/wf__(load|store|cas|add|swap)[a-z0-9]*_(acquire|release|acq_rel)\(/ {
		if (tag < FNR - 8) {
			from = FNR
			place = FILENAME ":" FNR ": no tag: " $0
		}
	}
	END { done() }' $library
}

# The layer that a file states in its head; a header may leave it to its .c.
layer_of() {
	case $1 in lib/arch/*) echo 1; return ;; esac
	for f in "$1" "${1%.h}.c"; do
		[ -f "$f" ] && sed -n '1,60s/.*Layer \([0-9]\)\..*/\1/p' "$f" |
		    sed 1q
	done | sed 1q
}

# A file includes what is of its own layer or below it.
layers() {
	for f in $(printf '%s\n' $library | grep '\.[ch]$'); do
		mine=$(layer_of "$f")
		if [ -z "$mine" ]; then
			echo "$f:1: the head states no \"Layer n.\""
			continue
		fi
		sed -n 's/^#[ 	]*include "\(.*\)".*/\1/p' "$f" |
		while read -r name; do
			inc=lib/$name
			[ -f "$inc" ] || inc=${f%/*}/$name
			layer=$(layer_of "$inc")
			[ "${layer:-9}" -le "$mine" ] && continue
			line=$(grep -n "include \"$name\"" "$f")
			echo "$f:${line%%:*}: layer $mine includes $name," \
			    "layer ${layer:-unknown}"
		done
	done
}

# The unity file is the whole library: itself, or by a file that it includes.
unity() {
	for f in $(printf '%s\n' $library | grep '\.c$'); do
		[ $f = lib/weft.c ] || grep -q "include \"${f#lib/}\"" \
		    $(printf '%s\n' $library | grep '\.c$') ||
			echo "lib/weft.c:1: $f is not included"
	done
}

size() {
	wc -l $library | awk '$2 != "total" && $1 > 450 {
		print $2 ":" $1 ": more than 450 lines"
	}'
}

atomic_ops() {
	grep -Hn '^#.*include.*atomic_ops' $c_files | grep -v '^lib/atomic\.h:'
}

# What the system or the processor is, is asked in a few places only.
systems='__linux|__APPLE__|BSD__|_WIN32|_GLIBC'
cpus='__x86_64|__amd64|__i386|__aarch64|__arm|__riscv|__powerpc|__s390'
platform() {
	grep -HnE "^#[[:blank:]]*(el)?if.*($systems|$cpus)" \
	    $library $(find include -name '*.h') |
	    grep -vE '^lib/(os/|arch/|base\.h|sanitize\.h)'
}

# Only wf_ and wf__ names leave an archive that is linked into the program.
symbols() {
	nm -g --defined-only "$BUILD/libweft.a" | awk -v f="$BUILD/libweft.a" '
	NF == 3 && $3 !~ /^wf_/ { print f ":0: external symbol " $3 }
	NF == 3 { n++ }
	END { if (!n) print f ":0: no external symbol at all" }'
}

promises() {
	grep -HnwE 'TO[D]O|FIX[M]E|XX[X]|HAC[K]' $sources $words
}

# What the documents link to is there.
links() {
	grep -Hno ']([^)]*)' $words | sed 's/](\(.*\))$/\1/' |
	while IFS=: read -r f line to; do
		case $to in
		http* | '#'*) ;;
		*) [ -e "${f%/*}/${to%%#*}" ] ||
			echo "$f:$line: there is no $to" ;;
		esac
	done
}

runnable() {
	for f in $(find test .ci bench -name '*.sh') .ci/run; do
		[ -x "$f" ] || echo "$f:1: not executable"
	done
}

n=0
failed=0
run() {
	n=$((n + 1))
	found=$($1)
	if [ -z "$found" ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		printf '%s\n' "$found" | sed 's/^/# /' >&2
		failed=1
	fi
}

echo 1..15
run spdx 'every source names its licence'
run width 'no line is wider than 80 columns'
run trailing_space 'no line ends in a space'
run column_0 'function names stand at column 0'
run tags 'every ordering tag stands at two places'
run untagged 'every operation that orders memory has a tag'
run layers 'no file includes what is above its layer'
run unity 'lib/weft.c includes every file of lib'
run size 'no file of lib has more than 450 lines'
run atomic_ops 'only lib/atomic.h includes libatomic_ops'
run platform 'systems and processors are told apart in their place'
run promises 'nothing is put off in a comment'
run links 'what the documents link to is there'
run runnable 'scripts are executable'
if [ "$SANITIZE" ]; then
	echo "ok 15 # SKIP a sanitizer adds symbols of its own"
elif [ ! -f "$BUILD/libweft.a" ]; then
	echo "ok 15 # SKIP there is no $BUILD/libweft.a: run make first"
else
	run symbols 'external symbols begin with wf_'
fi
exit $failed
