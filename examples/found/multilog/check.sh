# A log that ends in .s is whole: its lines are as they were written, in order. After "done" every line is there.
set -e
cat log/@*.s log/current 2>/dev/null > all || true
first=$(head -n 1 all)
for old in log/@*.s; do
  [ -e "$old" ] || continue
  lines=$(wc -l < "$old")
  from=$(head -n 1 "$old")
  if ! seq "${from:-1}" $((${from:-1} + lines - 1)) | cmp -s - "$old"; then
    echo 'an old log that ends in .s is not what was written'
    exit 1
  fi
  [ "$(wc -c < "$old")" -ge 2000 ] || { echo 'an old log that ends in .s is cut short'; exit 1; }
done
if grep -q done "$HOLDFAST_ACKS"; then
  seq 1 2100 | cmp -s - all || { echo 'lines are gone that were written before the end'; exit 1; }
fi
