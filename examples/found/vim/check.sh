# The old text or the new one is there: in the file, or in its backup while it is written.
text=$(cat file 2>/dev/null)
case $text in
'newer text') exit 0 ;;
'old text') grep -q written "$HOLDFAST_ACKS" && { echo 'what was written is gone'; exit 1; }; exit 0 ;;
esac
[ "$(cat file~ 2>/dev/null)" = 'old text' ] || { echo 'neither the file nor its backup has the text'; exit 1; }
