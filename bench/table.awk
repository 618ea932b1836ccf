# SPDX-License-Identifier: MIT
#
# table.awk - make the tables of bench/run.sh.
#
# Reads first the list of rows (name, operations, meaning; tabs between), then
# the single runs ("peer workers figure value unit").  A figure is named after
# its row, "Row" or "Row/figure".  Set runs to the number of runs, goals to
# goals.txt, and titles to the peers besides weft and Go, "name=title,...";
# short and plot are files to write the summary and the ratios to.

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

# How many times as much Go is to need: 2 where nothing else is said, and where
# it is how late something is, not less than weft.
function aim(figure, w)
{
	if ((figure, w) in times)
		return times[figure, w]
	return unit[figure] == "us" ? 1 : 2
}

# Fills goal and verdict, and counts the verdict.
function compare(figure, w,    r, g)
{
	goal = verdict = "-"
	r = ratio(w, figure)
	if (figure in limit) {
		if (!judge("weft" SUBSEP w SUBSEP figure))
			return
		goal = "weft " number(limit[figure]) " " unit[figure]
		verdict = median <= limit[figure] ? "met" : "**missed**"
	} else if (r) {
		g = aim(figure, w)
		goal = number(g)
		verdict = r >= g ? "met" : r < 1 ? "**loses**" : \
		    (figure, w) in floor ? "**missed**" : \
		    r >= 2 ? "2 or more" : "**under 2**"
	} else
		return
	verdicts[verdict]++
}

# The geometric mean of the rows of a kind: all, floor or other.  A row of
# several times counts once, with their mean; memory and how late something is
# are no times in this sense.
function mean_of_times(w, kind,    i, row, r, sum, n, log_sum, rows)
{
	for (i = 1; i <= nfigures; i++) {
		r = ratio(w, figures[i])
		if (!r || unit[figures[i]] !~ /^(ns|ms)$/ ||
		    (kind == "floor" && !((figures[i], w) in floor)) ||
		    (kind == "other" && (figures[i], w) in floor))
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

function read_goals(    line, f, n)
{
	while (goals != "" && (getline line <goals) > 0) {
		n = split(line, f, " ")
		if (f[1] == "goal") {
			times[f[2], f[3]] = f[4]
			if (f[6] == "floor")
				floor[f[2], f[3]] = 1
		} else if (f[1] == "own")
			limit[f[2]] = f[3]
		else if (f[1] == "within") {
			within[++nwithin] = f[2]
			base[nwithin] = f[3]
			at_most[nwithin] = f[4]
		} else if (f[1] == "cited") {
			cited[++ncited] = f[2]
			theirs[ncited] = f[3]
			sub(/^[^ ]+ +[^ ]+ +[^ ]+ +/, "", line)
			author[ncited] = line
		} else if (f[1] == "summary")
			in_summary[f[2]] = 1
	}
}

BEGIN {
	read_goals()
	nothers = split(titles, other, ",")
	for (i = 1; i <= nothers; i++) {
		title[i] = other[i]
		sub(/=.*/, "", other[i])
		sub(/^[^=]*=/, "", title[i])
	}
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

function preface()
{
	print "Each figure is the median of " runs " run" \
	    (runs == 1 ? "" : "s") ", taken in turns (weft," \
	    " Go, weft, Go, ...);"
	print "after ± stands half the distance between the best and the worst" \
	    " one.  Less is"
	print "better.  Go/weft says how many times as much Go needs: above 1" \
	    " weft wins, below 1"
	print "it loses, and those rows are marked.  Differences under 20 %" \
	    " mean little.  The goal"
	print "is a ratio, too, or weft's own figure."
	print ""
}

function print_main(    i, w, r)
{
	printf "| %-21s | %-60s | %s | %-17s | %-17s | %-14s | %s | %s |\n",
	    "row", "what is measured", "workers", "weft", "Go", "Go/weft",
	    "goal", "verdict"
	print "|---|---|--:|--:|--:|--:|--:|---|"
	for (i = 1; i <= nfigures; i++)
		for (w = 1; w <= nworkers; w++) {
			if (cell("weft", workers[w], figures[i]) == "-" &&
			    cell("go", workers[w], figures[i]) == "-")
				continue
			r = sprintf("%.2f", ratio(workers[w], figures[i]))
			compare(figures[i], workers[w])
			printf "| %-21s | %-60s | %7s | %s | %s | %-14s | %s" \
			    " | %s |\n",
			    figures[i], what[row_of(figures[i])], workers[w],
			    fill(cell("weft", workers[w], figures[i]), 17),
			    fill(cell("go", workers[w], figures[i]), 17),
			    r + 0 == 0 ? "-" : r + 0 < 1 ? "**" r \
			    " loses**" : r, goal, verdict
		}
	print ""
}

function print_means(    w, kind, k, mean)
{
	split("all,floor,other", kind, ",")
	for (w = 1; w <= nworkers; w++)
		for (k = 1; k <= 3; k++) {
			mean = mean_of_times(workers[w], kind[k])
			if (mean != "")
				printf "- Geometric mean of Go/weft with %d " \
				    "worker%s, times only, %s: %s.\n",
				    workers[w], workers[w] == 1 ? "" : "s",
				    k == 1 ? "all" : k == 2 ? \
				    "what the machine itself decides" : \
				    "all but these", mean
		}
}

function print_verdicts(    i, w, a, sorted)
{
	printf "- Figures and their goals:"
	split("met,2 or more,**under 2**,**missed**,**loses**", sorted, ",")
	for (i = 1; i <= 5; i++)
		printf "%s %s: %d", (i > 1 ? "," : ""), sorted[i],
		    verdicts[sorted[i]]
	print "."
	for (i = 1; i <= nwithin; i++)
		for (w = 1; w <= nworkers; w++) {
			if (!judge("weft" SUBSEP workers[w] SUBSEP base[i]))
				continue
			a = median
			if (judge("weft" SUBSEP workers[w] SUBSEP within[i]))
				printf "- %s over %s, workers: %d: %.2f; " \
				    "goal: %s at most.\n", within[i],
				    base[i], workers[w], median / a, at_most[i]
		}
}

function is_others(figure, w,    i)
{
	for (i = 1; i <= nothers; i++)
		if (count[other[i], w, figure] ||
		    (other[i], w, row_of(figure)) in broken)
			return 1
	return 0
}

# A cell of a peer with the ratio to weft's figure.
function peer_cell(peer, w, figure,    text, a)
{
	text = cell(peer, w, figure)
	if (judge("weft" SUBSEP w SUBSEP figure) && (a = median) &&
	    judge(peer SUBSEP w SUBSEP figure))
		text = text sprintf(" (%.2f%s)", median / a,
		    median < a ? ", **ahead**" : "")
	return text
}

function print_others(    i, j, w)
{
	if (!nothers)
		return
	print "\n## Other peers\n"
	print "In the same run, in turns with the others; in brackets how many" \
	    " times as much as"
	print "weft a peer needs.  One that needs more than ten seconds for a" \
	    " run is run once, and"
	print "one that fails or hangs no more than once."
	printf "\n| row | workers | weft |"
	for (i = 1; i <= nothers; i++)
		printf " %s |", title[i]
	printf "\n|---|--:|--:|"
	for (i = 1; i <= nothers; i++)
		printf "--:|"
	print ""
	for (j = 1; j <= nfigures; j++)
		for (w = 1; w <= nworkers; w++) {
			if (!is_others(figures[j], workers[w]))
				continue
			printf "| %s | %d | %s |", figures[j], workers[w],
			    cell("weft", workers[w], figures[j])
			for (i = 1; i <= nothers; i++)
				printf " %s |", peer_cell(other[i],
				    workers[w], figures[j])
			print ""
		}
}

function print_cited(    i, any)
{
	for (i = 1; i <= ncited; i++)
		any = any || judge("weft" SUBSEP 1 SUBSEP cited[i])
	if (!any)
		return
	print "\n## Single-threaded C libraries\n"
	print "They have no second thread and need no atomic operation." \
	    "  Their figures were taken"
	print "once, on another machine of this kind, and are cited: a rough" \
	    " measure.  The goal for"
	print "switch, spawn and channels is to be within 1.3 times.\n"
	print "| row | weft, one worker | library | its figure | weft/it |"
	print "|---|--:|---|--:|--:|"
	for (i = 1; i <= ncited; i++)
		if (judge("weft" SUBSEP 1 SUBSEP cited[i]))
			printf "| %s | %s | %s | %s %s | %.2f |\n", cited[i],
			    cell("weft", 1, cited[i]), author[i], theirs[i],
			    unit[cited[i]], median / theirs[i]
}

function short_cell(peer, w, figure)
{
	return judge(peer SUBSEP w SUBSEP figure) ? number(median) " " \
	    unit[figure] : "-"
}

# The rows that goals.txt names, and each in which Go is ahead.
function write_short(    i, w, r, line, wanted)
{
	line = "| |"
	for (w = 1; w <= nworkers; w++)
		line = line " weft, " workers[w] " worker" \
		    (workers[w] == 1 ? "" : "s") " | Go | Go/weft |"
	print line >short
	line = "|---|"
	for (w = 1; w <= nworkers; w++)
		line = line "--:|--:|--:|"
	print line >short
	for (i = 1; i <= nfigures; i++) {
		line = "| " figures[i] " |"
		wanted = figures[i] in in_summary
		for (w = 1; w <= nworkers; w++) {
			r = ratio(workers[w], figures[i])
			wanted = wanted || (r && r < 1)
			line = line " " \
			    short_cell("weft", workers[w], figures[i]) " | " \
			    short_cell("go", workers[w], figures[i]) " | " \
			    (!r ? "-" : sprintf(r < 1 ? "**%.2f**" : "%.2f", \
			    r)) " |"
		}
		if (wanted)
			print line >short
	}
	close(short)
}

# figure, ratio and goal with the first number of workers, and the second.
function write_plot(    i, w, r, line, any)
{
	for (i = 1; i <= nfigures; i++) {
		line = figures[i]
		any = 0
		for (w = 1; w <= 2; w++) {
			r = w <= nworkers ? ratio(workers[w], figures[i]) : 0
			any = any || r
			line = line " " (r ? r : "NaN") " " \
			    (r && !(figures[i] in limit) ? \
			    aim(figures[i], workers[w]) : "NaN")
		}
		if (any)
			print line >plot
	}
	close(plot)
}

END {
	for (i = 1; i <= nfailures; i++)
		if (!(failures[i] in has_figure))
			remember(failures[i])
	preface()
	print_main()
	if (nfailures)
		print "Rows that failed count in no mean.\n"
	print_means()
	print_verdicts()
	print_others()
	print_cited()
	if (short != "")
		write_short()
	if (plot != "")
		write_plot()
}
