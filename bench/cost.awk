# SPDX-License-Identifier: MIT
#
# cost.awk - what one operation executes, from two profiles of callgrind with
# --dump-instr=yes, of n operations and of twice as many: the difference is
# free of the start.
#
# Reads first lines "object address kind", kind being atomic or switch, then the
# two profiles.  Prints "instructions atomics switches" for each operation, and
# a line "instructions function" for each function that has a part in it.

# Addresses without 0x and leading zeros.
function plain(address)
{
	sub(/^0x0*/, "", address)
	return address
}

FNR == 1 {
	file++
}

file == 1 {
	kind[$1, $2] = $3
	next
}

/^ob=/ {
	object = substr($0, 4)
	next
}

# A function that calls itself, as it seems where stacks are switched, has
# other names for it.
/^fn=/ {
	name = substr($0, 4)
	sub(/'[0-9]+$/, "", name)
	next
}

# What comes next is the cost of all that was called.
/^calls=/ {
	skip = 1
	next
}

/^0x/ {
	if (skip) {
		skip = 0
		next
	}
	sign = file == 2 ? -1 : 1
	all += sign * $2
	of[name] += sign * $2
	k = kind[object, plain($1)]
	if (k != "")
		sum[k] += sign * $2
}

END {
	printf "%.1f %.2f %.2f\n", all / n, sum["atomic"] / n,
	    sum["switch"] / n
	for (f in of)
		if (of[f] / n >= 0.5)
			printf "%.1f %s\n", of[f] / n, f
}
