# dpkg can read its database; no file of the package is cut or mixed; what is said to be installed is there.
status=$(dpkg-query --admindir=var/lib/dpkg -W -f '${db:Status-Abbrev}${Version}' held 2> /dev/null) ||
  { echo 'the database cannot be read, or the package is not in it'; exit 1; }
sum=$(cksum < usr/data 2> /dev/null)
old=$(seq 1 101 | cksum)
new=$(seq 2 102 | cksum)
[ "$sum" = "$old" ] || [ "$sum" = "$new" ] || { echo 'a file of the package is gone, cut or damaged'; exit 1; }
case $status in
'ii 2') [ "$sum" = "$new" ] || { echo 'version 2 is installed, its file is of version 1'; exit 1; } ;;
*) ! grep -q upgraded "$HOLDFAST_ACKS" || { echo "upgraded, and the database says: $status"; exit 1; } ;;
esac
