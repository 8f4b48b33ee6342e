#!/bin/bash
# packaging/tests/deb-lifecycle.sh PACKAGE.deb [SUITE]
# The life of the package in a clean root (Debian SUITE, default bookworm; another architecture than
# this machine's by qemu-user): install, count, upgrade and count on, a changed conffile, a downgrade,
# remove, purge. No systemd runs in there: what is enabled and what lies on the disk is looked at. The
# bare root is kept (NINES_ROOT_CACHE, default build/roots).
# Exit 77: cannot be tried here, says why.
set -euo pipefail
repo=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
. "$repo/packaging/deps.sh"
[ $# -ge 1 ] || { sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
skip() { echo "SKIPPED: $*: nothing is known about the life of the package"; exit 77; }
[ -f "$1" ] || skip "no package '$1'"
package=$(realpath "$1") suite=${2:-bookworm}
[ "$(id -u)" = 0 ] || skip "needs root (chroot)"
command -v mmdebstrap >/dev/null || skip "mmdebstrap is not installed"
arch=$(dpkg-deb -f "$package" Architecture)

. "$repo/packaging/tests/roots.sh"
root=''
clean_up() {
  # Never deletes through a mount: what cannot be unmounted stays, with everything around it.
  if [ -n "$root" ] && { ! mountpoint -q "$root/proc" || umount "$root/proc"; }; then rm -rf "$root"; fi
  nines_forget
}
trap clean_up EXIT

# What the root must have: the package asks for systemd, or for the part of it that makes users.
needed=systemd
if [ "$arch" != "$(nines_host_arch)" ]; then
  [ "$arch" = arm64 ] || skip "a package of $arch on $(nines_host_arch)"
  nines_understand aarch64
  needed=systemd-standalone-sysusers,systemd-standalone-tmpfiles
fi
nines_root "$suite-$arch" "$suite" "$arch" "$needed"
root=$(mktemp -d)
chmod 755 "$root"
# Devices are nodes of the host that a container may not make; /dev/null is all that is used.
tar -C "$root" -xf "$nines_tarball" --exclude='./dev/*'
mknod -m 666 "$root/dev/null" c 1 3 2>/dev/null || : >"$root/dev/null"
# systemd-tmpfiles names files by /proc/self/fd.
mount -t proc proc "$root/proc" 2>/dev/null || skip "no /proc may be mounted in a root here"
cp "$package" "$root/nines.deb"

failed=0
check() {  # WHAT COMMAND...
  local what=$1
  shift
  mv "$root/said" "$root/said.before" 2>/dev/null || true
  if "$@" >"$root/said" 2>&1; then echo "ok    $what"; else echo "FAIL  $what"; sed 's/^/      /' "$root/said"; failed=1; fi
}
fails() { ! "$@"; }
inside() { chroot "$root" env DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }
owner() { [ "$(inside stat -c '%U:%G %a' "$1")" = "$2" ]; }
version=$(dpkg-deb -f "$package" Version)

# The same package under another version and with another sample: what an upgrade brings.
other() {  # VERSION SAMPLE_LINE
  rm -rf "$root/other" && dpkg-deb -R "$package" "$root/other"
  sed -i "s/^Version: .*/Version: $1/" "$root/other/DEBIAN/control"
  [ ! -f "$root/other/DEBIAN/preinst" ] || sed -i "s/$version/$1/g" "$root/other/DEBIAN/preinst"
  [ -z "$2" ] || echo "$2" >>"$root/other/etc/nines/nines.yaml"
  dpkg-deb --root-owner-group -Z none -b "$root/other" "$root/other.deb" >/dev/null
}

echo "--- install $version on $suite $arch"
check "installs with nothing but what the root has" inside dpkg -i /nines.deb
check "the program runs" inside nines --version
check "the configuration that comes along is good" inside nines slo lint
check "a user of its own, in the groups that read logs" \
  inside sh -c 'id -nG nines | tr " " "\n" | sort | tr "\n" " " | grep -qx "adm nines systemd-journal "'
check "the state directory is its own" owner /var/lib/nines "nines:nines 750"
check "enabled" test -L "$root/etc/systemd/system/multi-user.target.wants/nines.service"
if inside which systemd-analyze >/dev/null; then
  check "the unit is one that systemd takes" inside systemd-analyze verify --man=no nines.service
  check "its exposure is 1.5 at most" inside systemd-analyze security --offline=true --threshold=15 nines.service
fi
check "the sample is a conffile" grep -q '/etc/nines/nines.yaml' "$root/var/lib/dpkg/info/nines.conffiles"


# events COUNT: that many lines more in a log which only the group adm may read; one of ten is bad.
events() {
  local i
  for i in $(seq "$1"); do
    printf '10.0.0.1 - - [01/Jan/2026:00:%02d:%02d +0000] "GET / HTTP/1.1" %d 1 "-" "t"\n' \
      $((minute)) $((i % 60)) $((i % 10 ? 200 : 500))
  done | sort >>"$root/var/log/web.log"
  minute=$((minute + 1))
}
# counts GOOD BAD: what the agent, as its own user, has counted once it has read all there is.
counts() {
  inside setpriv --reuid=nines --regid=nines --init-groups nines agent --once --clock log --slo /web.yaml \
    --state /var/lib/nines -o json >"$root/status" || return 1
  cat "$root/status"
  grep -q "\"good\": $1," "$root/status" && grep -q "\"bad\": $2," "$root/status"
}
minute=0
cat >"$root/web.yaml" <<'END'
apiVersion: openslo/v1
kind: SLO
metadata: {name: web}
spec:
  service: web
  budgetingMethod: Occurrences
  timeWindow: [{duration: 28d, isRolling: true}]
  indicator:
    metadata: {name: web}
    spec:
      ratioMetric:
        counter: true
        good: {metricSource: {type: nines.log, spec: {paths: [/var/log/web.log], format: nginx, where: "status < 500"}}}
        total: {metricSource: {type: nines.log, spec: {paths: [/var/log/web.log], format: nginx}}}
  objectives: [{target: 0.99}]
END
install -m 0640 /dev/null "$root/var/log/web.log"
inside chgrp adm /var/log/web.log

echo "--- upgrade"
events 1000
check "counts what it reads" counts 900 100
other "$version+next" "# of the next version"
check "installs over it" inside dpkg -i /other.deb
check "an untouched sample is the new one" grep -q "of the next version" "$root/etc/nines/nines.yaml"
events 500
check "what was counted before is counted once, what came since as well" counts 1350 150

echo "--- back to the version before"
check "is refused" fails inside dpkg -i /nines.deb
check "with a word and a way out" grep -q "hint: restore a backup" "$root/said.before"
check "nothing changed" [ "$(inside dpkg-query -W -f '${Version} ${db:Status-Status}' nines)" = "$version+next installed" ]
check "unless it is wanted" inside env NINES_ALLOW_DOWNGRADE=1 dpkg --force-confnew -i /nines.deb

echo "--- a changed conffile"
echo "node: mine" >"$root/etc/nines/nines.yaml"
check "installs over it" inside dpkg --force-confold -i /other.deb
check "mine is kept" grep -qx "node: mine" "$root/etc/nines/nines.yaml"
check "theirs lies beside it" [ -f "$root/etc/nines/nines.yaml.dpkg-dist" ]
check "the counts are those of before" counts 1350 150

echo "--- remove, purge"
check "removes" inside dpkg -r nines
check "configuration and state stay" [ -f "$root/etc/nines/nines.yaml" -a -f "$root/var/lib/nines/nines.db" ]
check "the program is gone" fails [ -e "$root/usr/bin/nines" ]
check "purges" inside dpkg -P nines
check "configuration and state are gone" fails [ -e "$root/etc/nines" -o -e "$root/var/lib/nines" ]
check "the user stays" inside id nines
check "no file is left over" [ -z "$(find "$root/usr" "$root/lib/systemd" "$root/etc" -name '*nines*' ! -path '*/systemd/deb-*' | head)" ]
exit $failed
