#!/bin/bash
# packaging/tests/tarball.sh PROGRAM OUT: packs the tarball twice and looks at it; its program says what
# it would do, and writes its files below a root. What it does for real: boot.sh. Exit 77: cannot be tried.
set -uo pipefail
repo=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
skip() { echo "SKIPPED: $*: nothing is known about the tarball"; exit 77; }
program=$1 out=$2 failed=0
"$repo/packaging/deb/libc_needed" "$program" >/dev/null || skip "$program has shared libraries"
check() {
  local what=$1
  shift
  if said=$("$@" 2>&1); then echo "ok    $what"; else echo "FAIL  $what"; echo "$said" | sed 's/^/      /'; failed=1; fi
}
fails() { ! "$@"; }
mkdir -p "$out"
first=$("$repo/packaging/tarball/build" --binary "amd64=$program" --out "$out") || exit 1
second=$(umask 077; TZ=Pacific/Auckland "$repo/packaging/tarball/build" --binary "amd64=$program" --out "$out/again") || exit 1
check "the same bytes twice, in another zone and with another umask" cmp "$first" "$second"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tar -C "$work" -xf "$first"
cd "$work"/nines-*-linux-amd64 || exit 1
for file in nines INSTALL LICENSE COPYRIGHT nines.yaml man/nines.1 man/nines.yaml.5 completion/_nines; do
  check "$file is in it" [ -s "$file" ]
done
check "its program runs" ./nines --version
check "says what it would do" ./nines service install --dry-run --root "$work/image"
check "and does nothing" fails [ -e "$work/image" ]
check "installs below a root" ./nines service install --root "$work/image" --prefix /opt/nines
check "the program" cmp nines "$work/image/opt/nines/bin/nines"
check "the unit starts it" grep -qx 'ExecStart=/opt/nines/bin/nines agent' "$work/image/etc/systemd/system/nines.service"
mkdir -p "$work/debian/usr/lib/systemd/system" && : >"$work/debian/usr/lib/systemd/system/nines.service"
check "beside the package it refuses" fails ./nines service install --root "$work/debian"
check "a prefix that a unit cannot name is refused" fails ./nines service install --root "$work/x" --prefix '/opt/my nines'
check "takes away what it made" ./nines service uninstall --root "$work/image" --prefix /opt/nines
check "all of it" [ -z "$(find "$work/image" -type f)" ]
echo "$first: $(stat -c %s "$first") bytes"
exit $failed
