# Rotates a log of 4 KiB twice. "done" is printed when multilog has seen the end of its input and ended.
seq 1 2100 | multilog s4096 n10 ./state/log && echo 'done'
