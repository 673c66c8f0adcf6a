# Two versions of a package, and a root that has the first.
set -e
beside=$(dirname "$0")
for version in 1 2; do
  rm -rf "$beside/p$version"
  mkdir -p "$beside/p$version/DEBIAN" "$beside/p$version/usr"
  seq "$version" $((version + 100)) > "$beside/p$version/usr/data"
  printf 'Package: held\nVersion: %s\nArchitecture: all\nMaintainer: A <a@example.org>\nDescription: held\n' \
    "$version" > "$beside/p$version/DEBIAN/control"
  dpkg-deb --root-owner-group -b "$beside/p$version" "$beside/held_$version.deb" > /dev/null
done
mkdir -p var/lib/dpkg/info var/lib/dpkg/updates var/lib/dpkg/triggers
touch var/lib/dpkg/status
dpkg --root=. --log=/dev/null -i "$beside/held_1.deb" > /dev/null 2>&1
