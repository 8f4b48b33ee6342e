# Debian packages Nines needs, and how to get them. Sourced by packaging/quickstart, packaging/*/build,
# tests/run, tests/bench/run and toolchains/sysroot; defines nothing but functions and NINES_* variables.
# shellcheck shell=sh

# To build the program.
NINES_BUILD_LIBS="libboost-dev libmsgpack-cxx-dev libsqlite3-dev libre2-dev libspdlog-dev
  libfmt-dev libyaml-cpp-dev libssl-dev zlib1g-dev libzstd-dev libsnappy-dev nlohmann-json3-dev libcli11-dev"
NINES_BUILD_DEPS="g++ cmake ninja-build ccache libc6-dev $NINES_BUILD_LIBS"
# To build and run the tests on this machine.
NINES_TEST_LIBS="catch2 librapidcheck-dev"
NINES_TEST_DEPS="$NINES_TEST_LIBS libbenchmark-dev valgrind zstd python3 tzdata file ca-certificates openssl"
# To cut networks, set clocks wrong and pull plugs; tests that lack them say so and are skipped.
NINES_FAULT_DEPS="iproute2 nftables libfaketime xfsprogs strace e2fsprogs"
# To build the page anew and to look at it in a browser; the compiled page is in agent/page/dist.
NINES_PAGE_DEPS="nodejs npm chromium"
# To ask the API as fast as it answers (tests/bench/api), with the library that it alone needs; taken
# out of its packages, not installed.
NINES_LOAD_DEPS="wrk libluajit-5.1-2"
# To fuzz.
NINES_FUZZ_DEPS="clang libclang-rt-dev"
# To build for ARM and run the result.
NINES_CROSS_DEPS="mmdebstrap qemu-user-static debian-archive-keyring file"
NINES_ARM64_DEPS="$NINES_CROSS_DEPS g++-aarch64-linux-gnu"
NINES_ARMHF_DEPS="$NINES_CROSS_DEPS g++-arm-linux-gnueabihf"
# To make packages and images, check them, and install them into a clean root.
NINES_PACKAGE_DEPS="debhelper dpkg-dev fakeroot python3 git"
NINES_PACKAGE_TEST_DEPS="lintian mmdebstrap arch-test qemu-user-static systemd systemd-container python3-yaml"
NINES_IMAGE_DEPS="buildah ca-certificates"
# To boot a kernel of arm64 with the package in it (packaging/tests/boot-arm.sh).
NINES_VM_DEPS="qemu-system-arm cpio e2fsprogs"
# What a node of a cluster runs pods with; taken out of its packages, not installed.
NINES_NODE_DEPS="containerd runc containernetworking-plugins"
# What the ARM sysroot holds beside the libraries above.
NINES_SYSROOT_DEPS="libc6-dev libstdc++-12-dev linux-libc-dev $NINES_BUILD_LIBS $NINES_TEST_LIBS"

nines_say() { printf '%s\n' "nines: $*" >&2; }

# nines_as_root CMD...: as it is when we are root, through sudo otherwise.
nines_as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null 2>&1; then
    sudo "$@"
  else
    nines_say "need root for: $*"
    nines_say "  hint: run this as root, or install sudo"
    return 1
  fi
}

# nines_missing PACKAGE...: those of them that are not installed, one a line. A package that another
# one provides counts as installed.
nines_missing() {
  for _p in "$@"; do
    dpkg-query -W -f '${db:Status-Status}\n' "$_p" 2>/dev/null | grep -qx installed || echo "$_p"
  done
}

# nines_install PACKAGE...: installs what is missing and nothing else; asks no questions.
nines_install() {
  _missing=$(nines_missing "$@" | tr '\n' ' ')
  [ -n "${_missing% }" ] || return 0
  nines_say "installing with apt: $_missing"
  for _try in 1 2; do
    # The index of a fresh machine is empty, that of an old one points to packages long replaced.
    nines_as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q >&2 || true
    # shellcheck disable=SC2086
    if nines_as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
        --no-install-recommends -o Dpkg::Use-Pty=0 $_missing >&2; then
      return 0
    fi
    [ "$_try" = 2 ] || nines_say "apt failed; once more"
  done
  nines_say "could not install: $_missing"
  return 1
}

# nines_unpack DIR PACKAGE...: takes packages apart into DIR/root, without installing them.
nines_unpack() {
  _dir=$1
  shift
  mkdir -p "$_dir/root" || return 1
  for _p in "$@"; do
    (cd "$_dir" && chmod 755 . && { apt-get download -q "$_p" || {
      nines_as_root apt-get update -q; apt-get download -q "$_p"; }; } >&2 \
      && dpkg -x "$_p"_*.deb root) >&2 || return 1
  done
}

# nines_tool PACKAGE BINARY DIR: prints the path of a program, taken out of a Debian package without
# installing that (some bring a daemon along that nobody asked for). Uses the installed one if any.
# PACKAGE may be followed by libraries that the program needs: "mosquitto libwrap0".
nines_tool() {
  if command -v "$2" >/dev/null 2>&1; then
    command -v "$2"
    return 0
  fi
  if [ ! -x "$3/root/usr/bin/$2" ] && [ ! -x "$3/root/usr/sbin/$2" ]; then
    # shellcheck disable=SC2086
    nines_unpack "$3" $1 || return 1
  fi
  if [ -x "$3/root/usr/sbin/$2" ]; then echo "$3/root/usr/sbin/$2"; else echo "$3/root/usr/bin/$2"; fi
}

# nines_sshd DIR: prints the path of an sshd that tests may start on their own configuration: the
# installed one, or a wrapper around one taken out of Debian's package (installing that would start a
# daemon) with the library that it alone needs.
nines_sshd() {
  if [ -x /usr/sbin/sshd ]; then
    echo /usr/sbin/sshd
    return 0
  fi
  if [ ! -x "$1/sshd" ]; then
    mkdir -p "$1/unpacked" || return 1
    (cd "$1" && chmod 755 . && { apt-get download -q openssh-server libwrap0 || {
      nines_as_root apt-get update -q; apt-get download -q openssh-server libwrap0; }; } >&2 \
      && for deb in *.deb; do dpkg -x "$deb" unpacked || exit 1; done) >&2 || return 1
    printf '#!/bin/sh\nLD_LIBRARY_PATH=$(echo "%s"/unpacked/usr/lib/*-linux-gnu*) exec "%s/unpacked/usr/sbin/sshd" "$@"\n' \
      "$1" "$1" > "$1/sshd" && chmod 755 "$1/sshd" || return 1
  fi
  echo "$1/sshd"
}

# nines_host_arch: amd64, arm64, armhf...
nines_host_arch() { dpkg --print-architecture; }

# nines_jobs: as many jobs as processors, but a gigabyte of memory for each.
nines_jobs() {
  _cpus=$(nproc 2>/dev/null || echo 1)
  _gb=$(awk '/MemAvailable/ {print int($2 / 1048576)}' /proc/meminfo 2>/dev/null || echo 1)
  [ "${_gb:-1}" -ge 1 ] || _gb=1
  if [ "$_gb" -lt "$_cpus" ]; then echo "$_gb"; else echo "$_cpus"; fi
}
