#!/bin/bash
# Run by boot.sh within the booted container, as root.
set -uo pipefail
failed=0
check() {  # WHAT COMMAND...
  local what=$1 said
  shift
  if said=$("$@" 2>&1); then
    echo "ok    $what"
  else
    echo "FAIL  $what"
    sed 's/^/      /' <<<"$said"
    failed=1
  fi
}
fails() { ! "$@"; }
# comes SECONDS COMMAND...: tried until it is true; its last words when it never was.
comes() {
  local end=$((SECONDS + $1)) said
  shift
  until said=$("$@" 2>&1); do
    [ $SECONDS -lt $end ] || { echo "$said"; return 1; }
    sleep 0.2
  done
}
property() { systemctl show -p "$1" --value nines; }
is() { [ "$(property "$1")" = "$2" ] || { echo "$1 is $(property "$1"), not $2"; return 1; }; }
counts() {  # GOOD BAD
  local status
  status=$(nines slo status -o json) || { echo "$status"; return 1; }
  grep -q "\"good\": $1," <<<"$status" && grep -q "\"bad\": $2," <<<"$status" || { echo "$status" | head -n 12; return 1; }
}
# write_lines COUNT: into a log that only adm may read; one of ten is bad.
write_lines() {
  local i
  for i in $(seq "$1"); do
    printf '10.0.0.1 - - [%(%d/%b/%Y:%H:%M:%S %z)T] "GET / HTTP/1.1" %d 1 "-" "t"\n' -1 $((i % 10 ? 200 : 500))
    [ "${2:-}" != slowly ] || [ $((i % 20)) != 0 ] || sleep 0.1
  done >>/var/log/web.log
}
# A SLO over that log, as an administrator would add it.
configure() {
  mkdir -p -m 0750 /etc/nines/slos
  cat >/etc/nines/slos/web.yaml <<'SLO'
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
SLO
  chgrp -R nines /etc/nines
  chmod 0640 /etc/nines/slos/web.yaml
}

install -m 0640 -g adm /dev/null /var/log/web.log
check "installs into a running system" dpkg -i /nines.deb
check "runs, as systemd was told by itself" comes 60 is ActiveState active
[ $failed = 0 ] || exit 1  # nothing below can be true
check "says what it does" comes 30 sh -c 'systemctl show -p StatusText nines | grep -q "SLO(s)"'
configure
write_lines 1000
before=$(property MainPID)
check "reloads" systemctl reload nines
check "and counts what only adm may read" comes 60 counts 900 100
check "in the same process" is MainPID "$before"

echo "--- its sandbox"
check "is a user of its own" [ "$(stat -c %U "/proc/$(property MainPID)")" = nines ]
check "no capability at all" grep -qE '^CapEff:\s*0+$' "/proc/$(property MainPID)/status"
check "gains no privileges" grep -qE '^NoNewPrivs:\s*1$' "/proc/$(property MainPID)/status"
check "filters system calls" grep -qE '^Seccomp:\s*2$' "/proc/$(property MainPID)/status"
check "its exposure is 1.5 at most" systemd-analyze security --threshold=15 nines.service
check "at most 80 MiB of data" grep -qE "^Max data size +$((80 * 1048576)) " "/proc/$(property MainPID)/limits"
touch_as_unit() { nsenter -t "$(property MainPID)" -m -- touch "$1"; }
check "sees no /etc that could be written, though root tries" fails touch_as_unit /etc/nines/x
check "sees no log that could be written" fails touch_as_unit /var/log/x
check "its state can be" touch_as_unit /var/lib/nines/x

echo "--- kill -9 while lines come"
write_lines 2000 slowly &
writer=$!
for round in 1 2; do
  comes 60 is ActiveState active >/dev/null
  old=$(property MainPID)
  check "kill -9 ($round)" kill -KILL "$old"
  check "is started again" comes 60 is NRestarts $round
  check "and ready" comes 60 is ActiveState active
  check "is another process" fails is MainPID "$old"
done
wait $writer
check "counts are exact" comes 60 counts 2700 300
sleep 12  # one more evaluation: nothing is counted twice later
check "and stay exact" counts 2700 300

echo "--- a broken configuration"
cp -p /etc/nines/nines.yaml /nines.yaml.good
old=$(property MainPID)
echo 'nodes: misspelled' >>/etc/nines/nines.yaml
check "systemctl reload refuses it" fails systemctl reload nines
check "the old one stays" is MainPID "$old"
check "and works" is ActiveState active
write_lines 100
check "and counts on" comes 60 counts 2790 310
kill -HUP "$old"
check "by SIGHUP it is refused, too" comes 30 sh -c 'journalctl -u nines -o cat | grep -q "not reloaded"'
check "and the old one stays" is MainPID "$old"
check "a start refuses it" fails systemctl restart nines
check "and says the line" sh -c "journalctl -u nines -o cat | grep -Eq 'nines.yaml:[0-9]+:[0-9]+: '"
cp -p /nines.yaml.good /etc/nines/nines.yaml
systemctl reset-failed nines
check "mended, it starts" systemctl restart nines
check "and knows what it knew" comes 60 counts 2790 310

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
