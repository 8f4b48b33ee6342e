#!/bin/bash
# Run by boot.sh within the booted container, as root.
set -uo pipefail
. /unit-checks.sh

unit_installed
unit_sandboxed
unit_killed
unit_refuses

echo "--- the watchdog"
mkdir -p /run/systemd/system/nines.service.d
printf '[Service]\nWatchdogSec=6s\n' >/run/systemd/system/nines.service.d/test.conf
systemctl daemon-reload
systemctl restart nines
old=$(property MainPID)
sleep 15
check "who lives is left alone" is MainPID "$old"
kill -STOP "$old"
check "who hangs is started again" comes 60 fails is MainPID "$old"
check "and ready" comes 60 is ActiveState active
check "by the watchdog" sh -c 'journalctl -o cat | grep -q "nines.service: Watchdog timeout"'
check "and knows what it knew" comes 60 counts 2790 310

echo "--- an upgrade under way"
write_lines 1000 slowly &
writer=$!
old=$(property MainPID)
check "installs" dpkg -i /other.deb
check "another process" fails is MainPID "$old"
check "active" comes 60 is ActiveState active
wait $writer
check "no line was lost or counted twice" comes 60 counts 3690 410

echo "--- back up and restore, as packaging/README.md says"
start=$EPOCHREALTIME
check "backs up" sh -c "$(sed -n 's/^    \(systemctl stop nines && tar .*\)$/\1/p' /README.md)"
took=$(( (${EPOCHREALTIME/./} - ${start/./}) / 1000 ))
echo "      the service stood still for $took ms"
write_lines 500  # after the backup: in the logs still
check "counts what came since" comes 60 counts 4140 460
systemctl stop nines
rm -rf /var/lib/nines
start=$EPOCHREALTIME
check "restores" sh -c "$(sed -n 's/^    \(systemctl stop nines; rm .*\)$/\1/p' /README.md)"
check "counts are those of before, lines since the backup included" comes 60 counts 4140 460
took=$(( (${EPOCHREALTIME/./} - ${start/./}) / 1000 ))
echo "      restored and counting after $took ms"
sleep 12
check "and stay exact" counts 4140 460

echo "--- the other commands of the guide"
while read -r command; do
  case $command in
    "systemctl stop nines"*) ;;                     # above
    "apt install "* | "./nines service install") ;;  # above by dpkg, and below
    "kubectl apply -k "*) ;;                         # test_k8s.py
    *) check "$command" sh -c "$command" ;;
  esac
done < <(sed -n 's/^    //p' /README.md)

echo "--- removed"
old=$(property MainPID)
check "removes" dpkg -r nines
check "stopped" [ "$old" -gt 0 -a ! -d "/proc/$old" ]

echo "--- from the tarball"
dpkg -P nines >/dev/null 2>&1
userdel nines
tar -C /tmp -xf /nines.tar.gz
tarball() { /tmp/nines-*/nines service "$@"; }
check "says what it would do" tarball install --dry-run
check "and does nothing" fails [ -e /usr/local/bin/nines ]
check "installs itself" tarball install
check "runs" is ActiveState active
check "enabled" systemctl is-enabled nines
check "as a user of its own" [ "$(stat -c %U "/proc/$(property MainPID)")" = nines ]
check "from where it was put" [ "$(readlink "/proc/$(property MainPID)/exe")" = /usr/local/bin/nines ]
configure
check "reloads" systemctl reload nines
check "counts what only adm may read" comes 60 counts 4140 460
check "installs over itself" tarball install
check "and knows what it knew" comes 60 counts 4140 460
old=$(property MainPID)
check "uninstalls" /usr/local/bin/nines service uninstall
check "stopped" [ "$old" -gt 0 -a ! -d "/proc/$old" ]
check "configuration and state stay" [ -f /etc/nines/slos/web.yaml -a -f /var/lib/nines/nines.db ]
check "nothing else does" [ -z "$(find /usr/local /etc/systemd/system /etc/sysusers.d /etc/tmpfiles.d -name '*nines*' ! -name 'nines-test*' ! -path '*.wants/*')" ]
check "purges" tarball uninstall --purge
check "configuration and state are gone" fails [ -e /etc/nines -o -e /var/lib/nines ]
[ $failed = 0 ] && echo "nothing failed"
