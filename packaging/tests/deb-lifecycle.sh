#!/bin/bash
# packaging/tests/deb-lifecycle.sh PACKAGE.deb [SUITE]
# The life of the package in a clean root (Debian SUITE, default bookworm): install, upgrade, a
# changed conffile, a downgrade, remove, purge. No systemd runs in there: what is enabled and
# what lies on the disk is looked at. The bare root is kept (NINES_ROOT_CACHE, default build/roots).
# Exit 77: cannot be tried here, says why.
set -euo pipefail
repo=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
. "$repo/packaging/deps.sh"
[ $# -ge 1 ] || { sed -n '2,6s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
skip() { echo "SKIPPED: $*: nothing is known about the life of the package"; exit 77; }
[ -f "$1" ] || skip "no package '$1'"
package=$(realpath "$1") suite=${2:-bookworm}
[ "$(id -u)" = 0 ] || skip "needs root (chroot)"
command -v mmdebstrap >/dev/null || skip "mmdebstrap is not installed"
arch=$(dpkg-deb -f "$package" Architecture)
[ "$arch" = "$(nines_host_arch)" ] || skip "a package of $arch on $(nines_host_arch)"

# "deb URI SUITE main" of this machine's own apt sources, for the suite asked for.
sources() {
  apt-get indextargets --format '$(CREATED_BY) $(REPO_URI) $(RELEASE) $(COMPONENT)' |
    awk -v suite="$suite" '$1 == "Packages" && $4 == "main" && $3 == suite { print "deb " $2 " " $3 " main" }' | sort -u
}
cache=${NINES_ROOT_CACHE:-$repo/build/roots}
tarball=$cache/$suite-$arch.tar
mkdir -p "$cache"
if [ ! -s "$tarball" ]; then
  list=$(sources)
  [ -n "$list" ] || skip "no apt source of this machine has $suite"
  echo "$list" | mmdebstrap --quiet --variant=minbase --include=systemd "$suite" "$tarball.new.tar" - ||
    skip "$suite cannot be had here"
  mv "$tarball.new.tar" "$tarball"
fi
root=$(mktemp -d)
# Never deletes through a mount: what cannot be unmounted stays, with everything around it.
clean_up() { ! mountpoint -q "$root/proc" || umount "$root/proc" || return; rm -rf "$root"; }
trap clean_up EXIT
chmod 755 "$root"
# Devices are nodes of the host that a container may not make; /dev/null is all that is used.
tar -C "$root" -xf "$tarball" --exclude='./dev/*'
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
check "enabled" inside systemctl is-enabled nines.service
check "the unit is one that systemd takes" inside systemd-analyze verify --man=no nines.service
check "its exposure is 1.5 at most" inside systemd-analyze security --offline=true --threshold=15 nines.service
check "the sample is a conffile" grep -q '/etc/nines/nines.yaml' "$root/var/lib/dpkg/info/nines.conffiles"

echo "--- upgrade"
inside sh -c 'echo counted >/var/lib/nines/state && chown nines: /var/lib/nines/state'
other "$version+next" "# of the next version"
check "installs over it" inside dpkg -i /other.deb
check "an untouched sample is the new one" grep -q "of the next version" "$root/etc/nines/nines.yaml"
check "the state is kept" grep -q counted "$root/var/lib/nines/state"

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

echo "--- remove, purge"
check "removes" inside dpkg -r nines
check "configuration and state stay" [ -f "$root/etc/nines/nines.yaml" -a -f "$root/var/lib/nines/state" ]
check "the program is gone" fails [ -e "$root/usr/bin/nines" ]
check "purges" inside dpkg -P nines
check "configuration and state are gone" fails [ -e "$root/etc/nines" -o -e "$root/var/lib/nines" ]
check "the user stays" inside id nines
check "no file is left over" [ -z "$(find "$root/usr" "$root/lib/systemd" "$root/etc" -name '*nines*' ! -path '*/systemd/deb-*' | head)" ]
exit $failed
