# The text is there, as it was or compressed.
if [ -f numbers ]; then seq 1 500 | cmp -s - numbers && exit 0; fi
[ -f numbers.gz ] || { echo 'the file is gone'; exit 1; }
gzip -dc numbers.gz 2>/dev/null > text || { echo 'the original is gone, and the compressed file is damaged'; exit 1; }
seq 1 500 | cmp -s - text || { echo 'the original is gone, and the compressed file is not it'; exit 1; }
