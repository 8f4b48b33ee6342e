# Clean roots of Debian for the tests of packages: sourced by them, after packaging/deps.sh, with `skip WHY` defined.
# shellcheck shell=bash
nines_roots=${NINES_ROOT_CACHE:-$repo/build/roots}
nines_registered=''

# nines_understand QEMU_ARCH: programs of another architecture run here: qemu is told to the kernel.
# nines_forget takes that back, and belongs into the caller's trap.
nines_understand() {
  local table=/proc/sys/fs/binfmt_misc
  [ -e $table/register ] || mount -t binfmt_misc binfmt_misc $table 2>/dev/null || skip "no binfmt_misc here"
  [ ! -e "$table/qemu-$1" ] || return 0
  cat "/usr/lib/binfmt.d/qemu-$1.conf" >$table/register 2>/dev/null || skip "qemu-user-static is not installed"
  nines_registered=$table/qemu-$1
}
nines_forget() {
  [ -z "$nines_registered" ] || echo -1 >"$nines_registered" || true
  nines_registered=''
}

# "deb URI SUITE main" for the suite asked for, of this machine's own apt sources, or from where it
# has its own release.
nines_sources() {  # SUITE
  local own
  own=$(. /etc/os-release && echo "${VERSION_CODENAME:-bookworm}")
  apt-get indextargets --format '$(CREATED_BY) $(REPO_URI) $(RELEASE) $(COMPONENT)' |
    awk -v suite="$1" -v own="$own" '$1 != "Packages" || $4 != "main" { next }
      $3 == suite { found[$2] = 1 } $3 == own { ours[$2] = 1 }
      END { n = 0; for (uri in found) { print "deb " uri " " suite " main"; ++n }
            if (n == 0) for (uri in ours) print "deb " uri " " suite " main" }'
}

# nines_root NAME SUITE ARCH PACKAGES [VARIANT]: makes $nines_roots/NAME.tar, unless it is there, and sets
# nines_tarball to its path. VARIANT extract: the files of PACKAGES and no root to run (no script runs).
nines_root() {
  local list variant=${5:-minbase}
  nines_tarball=$nines_roots/$1.tar
  mkdir -p "$nines_roots"
  [ ! -s "$nines_tarball" ] || return 0
  list=$(nines_sources "$2")
  [ -n "$list" ] || skip "no apt source of this machine has $2"
  echo "$list" | mmdebstrap --quiet --variant="$variant" --architectures="$3" --include="$4" \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    "$2" "$nines_tarball.new.tar" - || skip "$2 $3 with $4 cannot be had here"
  mv "$nines_tarball.new.tar" "$nines_tarball"
}

# nines_test_at_boot ROOT SCRIPT TIMEOUT: once ROOT is booted, SCRIPT of packaging/tests runs in it; what it says is in
# /said, the journal in /journal, then the machine is switched off.
nines_test_at_boot() {
  cp "$repo/packaging/tests/unit-checks.sh" "$repo/packaging/tests/$2" "$1/"
  cat >"$1/etc/systemd/system/nines-test.service" <<UNIT
[Unit]
Description=the test, once the machine is up
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/$2
StandardOutput=file:/said
StandardError=file:/said
ExecStopPost=/bin/sh -c 'journalctl -b -o short >/journal; systemctl poweroff --force'
TimeoutStartSec=$3
TimeoutStopSec=1min
[Install]
WantedBy=multi-user.target
UNIT
  mkdir -p "$1/etc/systemd/system/multi-user.target.wants"
  ln -sf ../nines-test.service "$1/etc/systemd/system/multi-user.target.wants/"
}

# nines_told SAID CONSOLE JOURNAL END: shows what it said; unless nothing failed, fails with what else is known.
nines_told() {
  cat "$1" 2>/dev/null || true
  ! grep -q '^nothing failed$' "$1" 2>/dev/null || return 0
  echo "$4; the end of its console:"
  tail -n 5 "$2"
  echo "its journal:"
  grep -v 'nines-test\|-inside' "$3" | tail -n 40
  return 1
}
