# Draws scaling.png from the table that the benchmark leaves:
# mpirun -n 2 build/bench/ranks_bench FILE; gnuplot -e "file='FILE'" docs/scaling.gp
set terminal pngcairo size 800,420 font "sans,11"
set output "docs/scaling.png"
set logscale x 2
set xrange [1:4096]
set yrange [0:1.05]
set xlabel "ranks of one thread"
set ylabel "efficiency"
set key left bottom
set style data linespoints
plot file using 1:2 title "moons, 65,536 rows" lc rgb "#1f5f8b" pt 7 ps 0.6, \
     file using 1:3 title "moons, 1,048,576 rows" lc rgb "#1f5f8b" dt 2 pt 6 ps 0.6, \
     file using 1:5 title "table, 65,536 rows" lc rgb "#a01b4f" pt 7 ps 0.6, \
     file using 1:6 title "table, 1,048,576 rows" lc rgb "#a01b4f" dt 2 pt 6 ps 0.6, \
     file using 1:8 title "large, 65,536 rows" lc rgb "#2e8b57" pt 7 ps 0.6, \
     file using 1:9 title "large, 1,048,576 rows" lc rgb "#2e8b57" dt 2 pt 6 ps 0.6
