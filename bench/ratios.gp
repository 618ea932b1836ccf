# SPDX-License-Identifier: MIT
#
# ratios.gp - the plot of bench/run.sh: Go/weft for each figure, one bar for
# each number of workers, and the goals.
#
#	gnuplot -e "data='FILE'; out='FILE.svg'" bench/ratios.gp
#
# data has a line for each figure: its name, and ratio and goal twice.

stats data using 0 nooutput
n = int(STATS_records)
set terminal svg size 900, 60 + 15 * n dynamic font 'sans-serif,11' \
    background '#ffffff'
set output out
set logscale x
set xrange [0.1:100]
set yrange [n:-1] noreverse
set xtics (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100) nomirror
set x2tics ('' 1)
set grid xtics lc rgb '#dddddd'
set arrow from 1, graph 0 to 1, graph 1 nohead lc rgb '#444444' lw 1.5 front
set key outside top right horizontal
set xlabel 'Go/weft: how many times as much Go needs, cut off at 100; ' . \
    'left of 1 Go is ahead'
set style fill solid noborder
set tics scale 0.4
bar(x) = x > 100 ? 100 : x > 0 ? x : NaN
plot data using (bar($2)):0:(1):(bar($2)):($0 - 0.36):($0):ytic(1) \
    with boxxyerror lc rgb '#2b6cb0' title '1 worker', \
    data using (bar($4)):0:(1):(bar($4)):($0):($0 + 0.36) \
    with boxxyerror lc rgb '#90cdf4' title '2 workers', \
    data using (bar($3)):($0 - 0.18) with points pt 7 ps 0.35 \
    lc rgb '#c53030' title 'goal', \
    data using (bar($5)):($0 + 0.18) with points pt 7 ps 0.35 \
    lc rgb '#c53030' notitle
