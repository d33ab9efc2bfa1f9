#!/bin/sh
# Makes a Debian package and the description of the bundle that brings it to the shops.
# A package is an archive of three files, which needs nothing but tar and gzip.
set -eu
release=$(cat checkout/VERSION)
# With the commit in it, so that it can be told which release a machine runs.
version=$release+g$(git -C checkout rev-parse --short=12 HEAD 2>/dev/null || cut -c1-12 checkout/.git/ref)
out=$PWD/release
tmp=$(mktemp -d)
mkdir -p "$out/packages" "$tmp/root/opt/checkout" "$tmp/control"
cp checkout/checkout/*.py checkout/VERSION "$tmp/root/opt/checkout/"
cat > "$tmp/control/control" <<END
Package: checkout
Version: $version
Architecture: all
Maintainer: Ann <ann@example.com>
Installed-Size: 12
Section: misc
Priority: optional
Description: takes orders at the machines in the shops
END
part() { tar --owner=0 --group=0 -C "$1" -cf - . | gzip -n -9 > "$tmp/$2"; }
part "$tmp/control" control.tar.gz
part "$tmp/root" data.tar.gz
echo 2.0 > "$tmp/debian-binary"
deb=$out/packages/checkout_${version}_all.deb
printf '!<arch>\n' > "$deb"
for name in debian-binary control.tar.gz data.tar.gz; do
  size=$(wc -c < "$tmp/$name")
  printf '%-16s%-12d%-6d%-6d%-8s%-10d`\n' "$name" "$(date +%s)" 0 0 100644 "$size" >> "$deb"
  cat "$tmp/$name" >> "$deb"
  [ $((size % 2)) -eq 0 ] || printf '\n' >> "$deb"
done
cp checkout/fleet/machines.json "$out/machines.json"
cat > "$out/bundle.yml" <<END
bundle: checkout-$release
channel: checkout
created: $(date -u +%Y-%m-%dT%H:%M:%SZ)
variants:
- os: debian/12/amd64
  codename: bookworm
  nodes: [release/machines.json]
  sources: [{folder: release/packages}]
  include: {packages: [checkout]}
  rollback: none
requires: {reboot: never, restart_units: [checkout.service]}
END
ls -l "$out/packages"
echo "packaged checkout $version"
