#!/bin/bash
# packaging/tests/image.sh ARCH=PROGRAM...: builds the image twice and looks at it: the same digest, the
# size, no shell, and the program runs from nothing but what is in it. Exit 77: cannot be tried here.
set -uo pipefail
repo=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
. "$repo/packaging/deps.sh"
skip() { echo "SKIPPED: $*: nothing is known about the image"; exit 77; }
command -v buildah >/dev/null || skip "buildah is not installed"
[ "$(id -u)" = 0 ] || skip "needs root (chroot)"
# The goal is 12 MB for both; what the program weighs now sets the limit (packaging/README.md).
budget_each=11000000
options=()
for one; do
  "$repo/packaging/deb/libc_needed" "${one#*=}" >/dev/null || skip "${one#*=} has shared libraries"
  options+=(--binary "$one")
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
check() {
  local what=$1
  shift
  if said=$("$@" 2>&1); then echo "ok    $what"; else echo "FAIL  $what"; echo "$said" | sed 's/^/      /'; failed=1; fi
}
fails() { ! "$@"; }
export SOURCE_DATE_EPOCH=1700000000
"$repo/packaging/container/build" "${options[@]}" --out "$work/a" >/dev/null || exit 1
(umask 077; "$repo/packaging/container/build" "${options[@]}" --out "$work/b" >/dev/null) || exit 1
layout=$(basename "$work"/a/nines-*/)
check "the same digest twice, with another umask" cmp "$work/a/$layout/index.json" "$work/b/$layout/index.json"
size=$(du -sb "$work/a/$layout" | cut -f1)
check "$size bytes for $# architecture(s)" [ "$size" -le $((budget_each * $#)) ]
for one; do
  arch=${one%%=*} root=$work/root-${one%%=*}
  mkdir "$root" "$work/$arch"
  tar -C "$work/$arch" -xf "$work"/a/nines-*-"$arch.tar"
  layer=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1] + "/manifest.json"))[0]["Layers"][0])' "$work/$arch")
  tar -C "$root" -xf "$work/$arch/$layer"
  check "$arch: no shell" [ -z "$(find "$root" -name sh -o -name 'bash*' -o -name busybox)" ]
  check "$arch: certificates of authorities" [ -s "$root/etc/ssl/certs/ca-certificates.crt" ]
  [ "$arch" = "$(nines_host_arch)" ] || continue
  check "$arch: runs as nobody in particular" chroot --userspec=65532:65532 "$root" /usr/bin/nines --version
  echo '10.0.0.1 - - [01/Jan/2026:00:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "t"' >"$root/access.log"
  check "$arch: reads a log" chroot --userspec=65532:65532 "$root" /usr/bin/nines query 'SELECT count(*)' /access.log
done
exit $failed
