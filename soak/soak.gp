# Draws soak.tsv. Variables: data, out, headline.
set terminal svg size 1080,900 font "Helvetica,12" background "#ffffff"
set output out
set datafile separator tab
set multiplot layout 6,1 title headline margins 0.07,0.98,0.05,0.94 spacing 0.02,0.025
set grid
set yrange [0:*]
set style line 1 lc rgb "#0969da" lw 1.5
set style line 2 lc rgb "#bc4c00" lw 1.5
set format x ""
set key top left horizontal
titles = "'queued messages' 'memory, MB' 'threads' 'descriptors' 'goroutines' 'disk, MB'"
do for [i=1:6] {
    if (i == 6) { set format x "%g"; set xlabel "minutes" offset 0,0.5 }
    set ylabel word(titles, i) offset 1,0
    plot data index 0 using 2:(column(i+2)) with lines ls 1 title (i == 1 ? "queue in memory" : ""), \
         data index 1 using 2:(column(i+2)) with lines ls 2 title (i == 1 ? "durable queue" : "")
}
unset multiplot
