#!/bin/bash
# packaging/tests/deb.sh PROGRAM OUT [--arch ARCH]: packs the program twice and looks at the result: the same bytes,
# lintian has nothing to say, no more than the budget, what must be in it. Exit 77: cannot be tried.
set -uo pipefail
repo=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
skip() { echo "SKIPPED: $*: nothing is known about the package"; exit 77; }
# The goal is 3 MB; what the program weighs now sets the limit (packaging/README.md, Not yet).
budget=6800000
program=$1 out=$2 failed=0
shift 2
[ -x "$program" ] || skip "there is no $program"
for tool in dpkg-buildpackage dh lintian; do
  command -v $tool >/dev/null || skip "$tool is not installed"
done
"$repo/packaging/deb/libc_needed" "$program" >/dev/null || skip "$program has shared libraries"
check() {
  local what=$1
  shift
  if said=$("$@" 2>&1); then echo "ok    $what"; else echo "FAIL  $what"; echo "$said" | sed 's/^/      /'; failed=1; fi
}
mkdir -p "$out"
first=$("$repo/packaging/deb/build" --binary "$program" --out "$out" "$@") || exit 1
second=$(umask 077; TZ=Pacific/Auckland "$repo/packaging/deb/build" --binary "$program" --out "$out/again" "$@") || exit 1
check "the same bytes twice, in another zone and with another umask" cmp "$first" "$second"
check "lintian has nothing to say" lintian --allow-root --fail-on error,warning "$first"
check "hardened: $program" "$repo/packaging/tests/hardening.py" "$program"
check "only libc6 is needed" grep -qE '^ ?libc6 \(>= [0-9.]+\), (systemd|default)' <(dpkg-deb -f "$first" Depends)
size=$(stat -c %s "$first")
[ "${NINES_XZ_LEVEL:-9}" != 9 ] || check "$size bytes, $budget at most" [ "$size" -le $budget ]
listed=$(dpkg-deb -c "$first")
for path in usr/bin/nines etc/nines/nines.yaml lib/systemd/system/nines.service usr/lib/sysusers.d/nines.conf \
    usr/lib/tmpfiles.d/nines.conf usr/share/man/man1/nines.1.gz usr/share/man/man5/nines.yaml.5.gz \
    usr/share/bash-completion/completions/nines usr/share/zsh/vendor-completions/_nines \
    usr/share/doc/nines/nines.spdx.json usr/share/doc/nines/copyright; do
  check "$path is in it" grep -qE " \./$path\$" <<<"$listed"
done
echo "$first: $size bytes"
exit $failed
