# SPDX-License-Identifier: MIT
#
# rates.awk - the table of echo.sh, http.sh and kv.sh, from the lines of their
# runs: connections, server, requests/s, p50, p99, CPU time before and after.
# The runs take so many seconds, or make so many requests; what the first column
# is may be given in what.

function median(list,    v, n, i, j, x)
{
	n = split(list, v, " ")
	for (i = 2; i <= n; i++) {
		x = v[i]
		for (j = i - 1; j > 0 && v[j] + 0 > x + 0; j--)
			v[j + 1] = v[j]
		v[j + 1] = x
	}
	return v[int((n + 1) / 2)]
}

{
	key = $1 " " $2
	if (!(key in rate))
		order[++keys] = key
	rate[key] = rate[key] " " $3
	half[key] = half[key] " " $4
	most[key] = most[key] " " $5
	cpu[key] = cpu[key] " " \
	    ($7 - $6) / (requests ? requests : $3 * seconds)
}

END {
	printf "| %s | server | requests/s | p50, us | p99, us |", \
	    what ? what : "connections"
	printf " CPU/request, ns | of %s |\n|---|---|---|---|---|---|---|\n", base
	for (i = 1; i <= keys; i++) {
		split(order[i], k, " ")
		base_rate = median(rate[k[1] " " base])
		printf "| %s | %s | %.0f | %.1f | %.1f | %.0f | %.2f |\n",
		    k[1], k[2], median(rate[order[i]]),
		    median(half[order[i]]), median(most[order[i]]),
		    median(cpu[order[i]]), median(rate[order[i]]) / base_rate
	}
}
