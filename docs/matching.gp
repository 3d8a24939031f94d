# Draws matching.png from the samples that examples/matching FOLDER leaves:
# gnuplot -e "folder='FOLDER'" docs/matching.gp
set terminal pngcairo size 960,340 font "sans,11"
set output "docs/matching.png"
set multiplot layout 1,3
set size ratio -1
set xrange [-5.5:5.5]
set yrange [-5.5:5.5]
unset key
set title "likelihood"
plot folder . "/likelihood.txt" with dots linecolor rgb "#1f5f8b"
set title "matching"
plot folder . "/matching.txt" with dots linecolor rgb "#1f5f8b"
set title "matching, then likelihood"
plot folder . "/both.txt" with dots linecolor rgb "#1f5f8b"
unset multiplot
