# SPDX-License-Identifier: MIT
#
# table.awk - make the table of bench/run.sh.
#
# Reads first the list of rows (name, operations, meaning; tabs between), then
# the single runs ("peer workers figure value unit").  A figure is named after
# its row, "Row" or "Row/figure".  Set runs to the number of runs.

function row_of(figure)
{
	sub(/\/.*/, "", figure)
	return figure
}

# Sort v[1..n] by insertion: there are few.
function sort(v, n,    i, j, x)
{
	for (i = 2; i <= n; i++) {
		x = v[i]
		for (j = i - 1; j > 0 && v[j] > x; j--)
			v[j + 1] = v[j]
		v[j + 1] = x
	}
}

# Set median and spread of a peer's runs; false if there is no run.
function judge(key,    n, v, i)
{
	if (!(n = count[key]))
		return 0
	for (i = 1; i <= n; i++)
		v[i] = value[key, i]
	sort(v, n)
	median = (v[int((n + 1) / 2)] + v[int(n / 2) + 1]) / 2
	spread = median ? (v[n] - v[1]) / median * 100 : 0
	return 1
}

function number(x)
{
	return sprintf(x < 10 ? "%.2f" : x < 100 ? "%.1f" : "%.0f", x)
}

function cell(peer, w, figure)
{
	if ((peer, w, row_of(figure)) in broken)
		return "**failed**"
	if (!judge(peer SUBSEP w SUBSEP figure))
		return "-"
	return sprintf("%s %s ±%.0f%%", number(median), unit[figure],
	    spread / 2)
}

# Fill a cell to the width w; some awks count the bytes of ± and not signs.
function fill(s, w)
{
	return sprintf("%" (index(s, "±") ? w + length("±") - 1 : w) "s", s)
}

# Go's median over weft's; 0 if one is missing.
function ratio(w, figure,    ours)
{
	if (("weft", w, row_of(figure)) in broken ||
	    ("go", w, row_of(figure)) in broken ||
	    !judge("weft" SUBSEP w SUBSEP figure) || !median)
		return 0
	ours = median
	return judge("go" SUBSEP w SUBSEP figure) ? median / ours : 0
}

# A row of several times counts once, with their mean; memory is not a time.
function mean_of_times(w,    i, row, r, sum, n, log_sum, rows)
{
	for (i = 1; i <= nfigures; i++) {
		r = ratio(w, figures[i])
		if (!r || unit[figures[i]] !~ /^(ns|ms)$/)
			continue
		row = row_of(figures[i])
		sum[row] += log(r)
		n[row]++
	}
	for (row in sum) {
		log_sum += sum[row] / n[row]
		rows++
	}
	if (!rows)
		return ""
	return sprintf("%.2f over %d row%s", exp(log_sum / rows), rows,
	    rows == 1 ? "" : "s")
}

function remember(figure)
{
	if (figure in known)
		return
	known[figure] = 1
	figures[++nfigures] = figure
}

FNR == NR {
	what[$1] = $3
	next
}

{
	split($0, f, " ")
	if (!(f[2] in seen_workers)) {
		seen_workers[f[2]] = 1
		workers[++nworkers] = f[2]
	}
	if (f[4] == "failed") {
		broken[f[1], f[2], f[3]] = 1
		failures[++nfailures] = f[3]
		next
	}
	remember(f[3])
	has_figure[row_of(f[3])] = 1
	unit[f[3]] = f[5]
	value[f[1], f[2], f[3], ++count[f[1], f[2], f[3]]] = f[4]
}

END {
	for (i = 1; i <= nfailures; i++)
		if (!(failures[i] in has_figure))
			remember(failures[i])
	print "Each figure is the median of " runs " runs, taken in turns (weft," \
	    " Go, weft, Go, ...);"
	print "after ± stands half the distance between the best and the worst" \
	    " one.  Less is"
	print "better.  Go/weft says how many times as much Go needs: above 1" \
	    " weft wins, below 1"
	print "it loses, and those rows are marked.  Differences under 20 %" \
	    " mean little."
	print ""
	printf "| %-21s | %-60s | %s | %-17s | %-17s | %-14s |\n", "row",
	    "what is measured", "workers", "weft", "Go", "Go/weft"
	print "|---|---|--:|--:|--:|--:|"
	for (i = 1; i <= nfigures; i++)
		for (w = 1; w <= nworkers; w++) {
			r = sprintf("%.2f", ratio(workers[w], figures[i]))
			printf "| %-21s | %-60s | %7s | %s | %s | %-14s |\n",
			    figures[i], what[row_of(figures[i])], workers[w],
			    fill(cell("weft", workers[w], figures[i]), 17),
			    fill(cell("go", workers[w], figures[i]), 17),
			    r + 0 == 0 ? "-" : r + 0 < 1 ? "**" r \
			    " loses**" : r
		}
	print ""
	if (nfailures)
		print "Rows that failed count in no mean."
	for (w = 1; w <= nworkers; w++) {
		mean = mean_of_times(workers[w])
		if (mean != "")
			printf "Geometric mean of Go/weft with %d worker%s, " \
			    "times only: %s.\n", workers[w],
			    workers[w] == 1 ? "" : "s", mean
	}
}
