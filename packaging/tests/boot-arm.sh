#!/bin/bash
# packaging/tests/boot-arm.sh PACKAGE.deb PROGRAM LOGGEN [MEGABYTES]
# Boots Debian's own kernel of arm64 and a real systemd in a virtual machine (QEMU, Cortex-A72 as in a Raspberry Pi 4,
# 1 GiB) with the package in it, and runs vm-inside.sh there: once with a memory cgroup, once without, as Raspberry Pi OS
# comes. With one, the container image of PROGRAM (arm64) runs under 64 MiB, too. LOGGEN (of this machine) makes the
# MEGABYTES (default 100) of logs that they read. Memory is what it is on a real machine. Time in there is a nanosecond
# for each instruction, however busy this machine is; its disk is as fast as this machine's.
# Exit 77: cannot be tried here, says why.
set -euo pipefail
repo=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
. "$repo/packaging/deps.sh"
[ $# -ge 3 ] || { sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
skip() { echo "SKIPPED: $*: nothing is known about the package on a kernel of arm64"; exit 77; }
for file in "$1" "$2" "$3"; do [ -f "$file" ] || skip "there is no '$file'"; done
[ "$(id -u)" = 0 ] || skip "needs root (a clean root is made by chroot)"
for tool in qemu-system-aarch64 cpio mke2fs debugfs mmdebstrap buildah; do
  command -v $tool >/dev/null || skip "$tool is not installed"
done
"$repo/packaging/deb/libc_needed" "$2" >/dev/null || skip "$2 has shared libraries"
. "$repo/packaging/tests/roots.sh"
package=$(realpath "$1") program=$(realpath "$2") loggen=$(realpath "$3") megabytes=${4:-100}

work=$(mktemp -d)
trap 'rm -rf "$work"; nines_forget' EXIT
nines_root bookworm-arm64-kernel bookworm arm64 linux-image-cloud-arm64,busybox-static,adjtimex extract
mkdir "$work/kernel"
tar -C "$work/kernel" -xf "$nines_tarball" --wildcards './boot/vmlinuz-*' './lib/modules/*/virtio*.ko' \
  ./bin/busybox ./sbin/adjtimex
nines_understand aarch64
nines_root bookworm-arm64-systemd bookworm arm64 systemd,runc
nines_forget

# The initramfs: what finds the disk.
init=$work/init
mkdir -p "$init"/{bin,dev,proc,machine,modules}
cp "$work/kernel/bin/busybox" "$init/bin/"
install -m 755 "$repo/packaging/tests/boot-arm-init" "$init/init"
for module in virtio virtio_ring virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_blk; do
  cp "$work"/kernel/lib/modules/*/kernel/drivers/*/$module.ko "$init/modules/"
  echo $module.ko >>"$init/modules/order"
done
(cd "$init" && find . | cpio --quiet -o -H newc) >"$work/initramfs"

# The disk: the clean root, the package, the image and what it reads.
root=$work/machine
mkdir -m 755 "$root"
tar -C "$root" -xf "$nines_tarball" --exclude='./dev/*'
cp "$package" "$root/nines.deb"
cp "$work/kernel/sbin/adjtimex" "$root/sbin/"
mkdir -m 755 "$root/image"
"$repo/packaging/tests/load.py" arm64 "$program" "$loggen" "$megabytes" "$root/image" >"$root/lines"
rm -rf "$root/image/image"
chmod -R a+rX "$root/image"
cp "$repo/packaging/tests/runc.json" "$root/image/config.json"
install -d -o 65532 -g 65532 "$root/image/state"
ln -s image/root/logs "$root/logs"
nines_test_at_boot "$root" vm-inside.sh 20min

boot() {  # PARAMETERS_OF_THE_KERNEL
  local disk=$work/disk code=0 said=$work/said start=$SECONDS
  rm -f "$disk" "$said" "$work/journal"
  mke2fs -q -t ext4 -E lazy_itable_init=0,lazy_journal_init=0 -d "$root" "$disk" 1536M >/dev/null
  timeout -s KILL 1500 qemu-system-aarch64 -M virt -cpu cortex-a72 -smp 2 -icount shift=0,sleep=on -m 1024 \
    -nographic -no-reboot -net none -kernel "$work"/kernel/boot/vmlinuz-* -initrd "$work/initramfs" \
    -drive "file=$disk,format=raw,if=virtio" \
    -append "console=ttyAMA0 quiet panic=-1 systemd.mask=getty.target systemd.mask=serial-getty@ttyAMA0.service $1" \
    >"$work/console" 2>&1 </dev/null || code=$?
  e2fsck -fy "$disk" >/dev/null 2>&1 || true
  debugfs -R "dump /said $said" "$disk" 2>/dev/null
  debugfs -R "dump /journal $work/journal" "$disk" 2>/dev/null
  nines_told "$said" "$work/console" "$work/journal" "the machine ended with $code after $((SECONDS - start)) s" || return 1
  echo "      booted, tested and switched off in $((SECONDS - start)) s"
}
failed=0
echo "=== with a memory cgroup"
boot '' || failed=1
echo "=== without, as Raspberry Pi OS comes"
boot cgroup_disable=memory || failed=1
exit $failed
