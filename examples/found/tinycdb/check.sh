# The database has the old record or the new one.
value=$(cdb -q data.cdb one 2>/dev/null)
case $value in
new) exit 0 ;;
old) grep -q made "$HOLDFAST_ACKS" && { echo 'the new database is gone, the old one is there'; exit 1; }; exit 0 ;;
esac
echo 'the database is neither the old nor the new one'
exit 1
