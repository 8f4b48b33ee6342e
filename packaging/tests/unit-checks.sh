# What is checked of the unit wherever it is booted: sourced, within the machine and as root, by boot-inside.sh (a
# container of amd64) and vm-inside.sh (a virtual machine of arm64).
# shellcheck shell=bash
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

# Installs /nines.deb, and has it count 1000 lines.
unit_installed() {
  local before
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
}

touch_as_unit() { nsenter -t "$(property MainPID)" -m -- touch "$1"; }
unit_sandboxed() {
  echo "--- its sandbox"
  check "is a user of its own" [ "$(stat -c %U "/proc/$(property MainPID)")" = nines ]
  check "no capability at all" grep -qE '^CapEff:\s*0+$' "/proc/$(property MainPID)/status"
  check "gains no privileges" grep -qE '^NoNewPrivs:\s*1$' "/proc/$(property MainPID)/status"
  check "filters system calls" grep -qE '^Seccomp:\s*2$' "/proc/$(property MainPID)/status"
  check "its exposure is 1.5 at most" systemd-analyze security --threshold=15 nines.service
  check "at most 80 MiB of data" grep -qE "^Max data size +$((80 * 1048576)) " "/proc/$(property MainPID)/limits"
  check "sees no /etc that could be written, though root tries" fails touch_as_unit /etc/nines/x
  check "sees no log that could be written" fails touch_as_unit /var/log/x
  check "its state can be" touch_as_unit /var/lib/nines/x
}

# 2000 lines more, 3000 in all.
unit_killed() {
  local writer round old
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
}

# 100 lines more.
unit_refuses() {
  local old
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
}
