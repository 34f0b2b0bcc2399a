# Draws bench-scale.tsv. Variables: data, out, headline. Columns: axis, label, point, messages a second of both, CPU time of both.
set terminal svg size 1080,560 font "Helvetica,11" background "#ffffff"
set output out
set datafile separator tab
set datafile missing "-"
stats data using 3 nooutput
axes = STATS_blocks
stats data using ($4 > $5 ? $4 : $5) nooutput
most = STATS_max / 1e6
# One scale for each row of panels.
stats data using ($6 < $7 ? $6 : $7) nooutput
low = 10**floor(log10(STATS_min))
stats data using ($6 > $7 ? $6 : $7) nooutput
high = 10**ceil(log10(STATS_max))
set multiplot layout 2,axes title headline margins 0.06,0.98,0.10,0.86 spacing 0.05,0.17
set logscale x
set grid
set style line 1 lc rgb "#0969da" lw 1.5 pt 7 ps 0.6
set style line 2 lc rgb "#bc4c00" lw 1.5 pt 5 ps 0.6 dt 2
set key top right
set offsets graph 0.08, graph 0.08, 0, 0
do for [row=1:2] {
    if (row == 1) { set yrange [0:most*1.1] } else { set logscale y; set yrange [low:high] }
    do for [i=0:axes-1] {
        stats data index i using (name=strcol(2), $3) nooutput
        set xlabel name." (log scale)"
        set title (i > 0 ? "" : row == 1 ? "Messages a second, in millions" : "CPU time, microseconds a message (log scale)") left
        scale = row == 1 ? 1e6 : 1
        first = row == 1 ? 4 : 6
        plot data index i using 3:(column(first)/scale):xtic(strcol(3)) with linespoints ls 1 title (i+row == 1 ? "kafka.so" : ""), \
             data index i using 3:(column(first+1)/scale):xtic(strcol(3)) with linespoints ls 2 title (i+row == 1 ? "librdkafka" : "")
    }
}
unset multiplot
