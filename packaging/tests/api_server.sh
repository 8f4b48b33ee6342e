#!/bin/sh
# packaging/tests/api_server.sh DIR [PROGRAM...]: prints the folder of a kube-apiserver and an etcd, and of
# the other PROGRAMs of the cluster (kubelet, kube-controller-manager, kube-scheduler), which it makes in
# DIR from Debian's packages: they are compiled from the source of `kubernetes` (Debian ships only the
# client as a program), which takes six minutes once, and two more for the others. Nothing is installed
# but Go. Exit 77: cannot be had here.
set -eu
repo=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
. "$repo/packaging/deps.sh"
[ $# -ge 1 ] || { sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2; }
mkdir -p "$1"
dir=$(cd "$1" && pwd)
shift
skip() { nines_say "no API server: $*"; exit 77; }

missing=
for program in kube-apiserver "$@"; do
  [ -x "$dir/bin/$program" ] || missing="$missing ./cmd/$program"
done
if [ -z "$missing" ] && [ -x "$dir/bin/etcd" ]; then
  echo "$dir/bin"
  exit 0
fi
nines_install golang-go dpkg-dev >&2 || skip "Go cannot be installed"
mkdir -p "$dir/bin" "$dir/sources" "$dir/lists/partial" "$dir/packages"
chmod 755 "$dir" "$dir/packages"

# Debian's own sources beside the packages that this machine is set up for.
for file in /etc/apt/sources.list.d/*.sources; do
  [ ! -f "$file" ] || sed 's/^Types:.*/Types: deb-src/' "$file" >"$dir/sources/$(basename "$file")"
done
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
  [ ! -f "$file" ] || sed -n 's/^deb /deb-src /p' "$file" >"$dir/sources/$(basename "$file" .list).list"
done
apt() {
  apt-get -q -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$dir/sources" \
    -o Dir::State::Lists="$dir/lists" "$@" >&2
}
sources_whole() {
  (cd "$dir/packages" && sed -n '/^Checksums-Sha256:/,/^Files:/s/^ \([0-9a-f]*\) [0-9]* /\1  /p' \
    kubernetes_*.dsc | sha256sum --quiet -c) >/dev/null 2>&1
}
if ! sources_whole; then
  apt update || skip "the lists of source packages cannot be had"
  (cd "$dir/packages" && rm -f ./kubernetes_* && apt source --download-only kubernetes) ||
    skip "Debian's source of kubernetes cannot be had"
fi
if [ ! -x "$dir/bin/etcd" ]; then
  (cd "$dir/packages" && { apt-get download -q etcd-server || {
    nines_as_root apt-get update -q; apt-get download -q etcd-server; }; } >&2) || skip "no etcd-server"
  dpkg -x "$dir"/packages/etcd-server_*.deb "$dir/etcd"
  cp "$dir/etcd/usr/bin/etcd" "$dir/bin/etcd"
fi

tree=$dir/go/src/k8s.io/kubernetes
rm -rf "$tree"
mkdir -p "$tree"
tar -C "$tree" --strip-components=1 -xzf "$dir"/packages/kubernetes_*.orig.tar.gz
tar -C "$tree" -xJf "$dir"/packages/kubernetes_*.debian.tar.xz
cd "$tree"
while read -r patch; do patch -s -p1 <"debian/patches/$patch"; done <debian/patches/series >&2
export GO111MODULE=off GOPATH="$dir/go" GOCACHE="$dir/cache" GOFLAGS="${GOFLAGS:--p=$(nines_jobs)}" CGO_ENABLED=0
# What its makefiles would generate: the descriptions of all types that the server publishes.
types=$(grep -Rl --include='*.go' '+k8s:openapi-gen=' pkg vendor/k8s.io/*/ | xargs -n 1 dirname | sort -u |
  grep -v -e vendor/k8s.io/code-generator -e vendor/k8s.io/sample-apiserver | sed 's,^,k8s.io/kubernetes/,')
go build -o "$dir/bin/openapi-gen" ./vendor/k8s.io/kube-openapi/cmd/openapi-gen
"$dir/bin/openapi-gen" --logtostderr -O zz_generated.openapi -p k8s.io/kubernetes/pkg/generated/openapi \
  -h hack/boilerplate/boilerplate.generatego.txt -r "$dir/openapi-violations" \
  -i "$(echo "$types" | paste -sd, -)" >&2
# One command for all: what they share is compiled once. Without the clients of cloud providers, which are
# half of the work, and without the linker's tables of names.
# shellcheck disable=SC2086
go build -tags providerless -ldflags='-s -w' -o "$dir/bin/" $missing >&2
rm -rf "$dir/go" "$dir/cache" "$dir/lists" "$dir/etcd"
echo "$dir/bin"
