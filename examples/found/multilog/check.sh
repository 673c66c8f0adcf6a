# A log that ends in .s is whole, and after "done" every line is there. "previous" is a full log that does not have its
# last name yet; multilog gives it one when it starts again.
for old in log/@*.s; do
  [ -e "$old" ] || continue
  lines=$(wc -l < "$old")
  from=$(head -n 1 "$old")
  seq "${from:-1}" $((${from:-1} + lines - 1)) | cmp -s - "$old" && [ "$(wc -c < "$old")" -ge 2000 ] ||
    { echo 'an old log that ends in .s is cut short or damaged'; exit 1; }
done
if grep -q done "$HOLDFAST_ACKS"; then
  cat log/@*.s log/previous log/current 2> /dev/null | sort -n -u > all
  seq 1 2100 | cmp -s - all || { echo 'lines are gone that were written before the end'; exit 1; }
fi
exit 0
