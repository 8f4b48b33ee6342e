#!/bin/bash
# packaging/tests/boot.sh PACKAGE.deb TARBALL
# Boots a real systemd (systemd-nspawn, the clean root of deb-lifecycle.sh) with the package in it and
# runs boot-inside.sh there: the unit's sandbox, kill -9 and exact counts, a broken configuration, the
# watchdog, an upgrade under way, backup and restore, removal; then the tarball. Exit 77: cannot be tried here, says why.
set -euo pipefail
repo=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
. "$repo/packaging/deps.sh"
[ $# = 2 ] || { sed -n '2,5s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
skip() { echo "SKIPPED: $*: nothing is known about the unit under systemd"; exit 77; }
[ -f "$1" ] || skip "no package '$1'"
[ "$(id -u)" = 0 ] || skip "needs root (systemd-nspawn)"
command -v systemd-nspawn >/dev/null || skip "systemd-nspawn is not installed (systemd-container)"
[ -f "$2" ] || skip "no tarball '$2'"
. "$repo/packaging/tests/roots.sh"
package=$(realpath "$1") tarball=$nines_roots/bookworm-$(nines_host_arch).tar
[ -s "$tarball" ] || skip "no clean root yet: packaging/tests/deb-lifecycle.sh makes one"

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"
tar -C "$root" -xf "$tarball" --exclude='./dev/*'
timeout -s KILL 60 systemd-nspawn -q --register=no --keep-unit -D "$root" /bin/true ||
  skip "systemd-nspawn may not make a container here"
cp "$package" "$root/nines.deb"
cp "$2" "$root/nines.tar.gz"
cp "$repo/packaging/README.md" "$root/"
# Its own copy under a newer version: what an upgrade installs.
dpkg-deb -R "$package" "$root/other"
sed -i "s/^Version: .*/&+next/" "$root/other/DEBIAN/control"
sed -i "s/$(dpkg-deb -f "$package" Version)/&+next/g" "$root/other/DEBIAN/preinst"
dpkg-deb --root-owner-group -Z none -b "$root/other" "$root/other.deb" >/dev/null
nines_test_at_boot "$root" boot-inside.sh 6min
code=0
timeout -s KILL 420 systemd-nspawn -q --register=no --keep-unit -D "$root" --boot \
  systemd.mask=getty.target systemd.mask=console-getty.service >"$root/console" 2>&1 </dev/null || code=$?
nines_told "$root/said" "$root/console" "$root/journal" "the container ended with $code"
