#!/bin/bash
# Run by boot-arm.sh within the booted virtual machine, as root.
set -uo pipefail
. /unit-checks.sh
lines=$(</lines)
anonymous_budget=$((24 << 10))  # KiB: the goal of the whole process at full speed
group=/sys/fs/cgroup/system.slice/nines.service
memory_cgroup=yes
! grep -q cgroup_disable=memory /proc/cmdline || memory_cgroup=no

# field FILE NAME: the number beside a name.
field() {
  local name value rest
  while read -r name value rest; do
    [ "$name" != "$2" ] || { echo "$value"; return 0; }
  done <"$1"
  return 1
}
at_most() { [ "$1" -gt 0 ] && [ "$1" -le "$2" ] || { echo "$1, not in 1..$2"; return 1; }; }
# memory PID: what one process takes, in words.
memory() {
  local smaps=/proc/$1/smaps_rollup
  echo "RSS $(field $smaps Rss:) KiB, PSS $(field $smaps Pss:) KiB, anonymous $(field $smaps Anonymous:) KiB"
}
ms_of() {  # COMMAND...
  local start=$EPOCHREALTIME
  "$@" >/dev/null
  echo $(((${EPOCHREALTIME/./} - ${start/./}) / 1000))
}
# ms_from UNIT FROM TO: between two of systemd's own time stamps.
ms_from() {
  local from to
  from=$(systemctl show -p "$2TimestampMonotonic" --value "$1")
  to=$(systemctl show -p "$3TimestampMonotonic" --value "$1")
  echo $(((to - from) / 1000))
}
forget_pages() { sync; echo 3 >/proc/sys/vm/drop_caches; }

# How many lines of /logs the agent says it has read.
records() {
  local line sum=0
  exec 3<>/dev/tcp/127.0.0.1/9990 || return 1
  printf 'GET /metrics HTTP/1.0\r\nHost: 127.0.0.1:9990\r\n\r\n' >&3
  while read -r line; do
    [[ $line != 'nines_source_records_total{source="/logs/'* ]] || { line=${line%$'\r'}; sum=$((sum + ${line##* })); }
  done <&3
  exec 3>&-
  echo "$sum"
}
# read_all PID: until all lines of /logs are read or PID is gone; sets seen, took_ms and, in KiB, most_anonymous,
# most_rss, most_pss.
read_all() {
  local end=$((SECONDS + 400)) start=$EPOCHREALTIME anonymous pss
  seen=0 most_anonymous=0 most_pss=0 most_rss=0
  while [ "$seen" -lt "$lines" ] && [ -d "/proc/$1" ] && [ $SECONDS -lt $end ]; do
    for _ in 1 2 3 4 5; do
      anonymous=$(field "/proc/$1/status" RssAnon:) || break
      [ "$anonymous" -le "$most_anonymous" ] || most_anonymous=$anonymous
      sleep 0.05
    done
    pss=$(field "/proc/$1/smaps_rollup" Pss:) || break
    [ "$pss" -le "$most_pss" ] || most_pss=$pss
    seen=$(records 2>/dev/null) || seen=0
  done
  took_ms=$(((${EPOCHREALTIME/./} - ${start/./}) / 1000))
  anonymous=$(field "/proc/$1/status" RssAnon:) || anonymous=0
  [ "$anonymous" -le "$most_anonymous" ] || most_anonymous=$anonymous
  most_rss=$(field "/proc/$1/status" VmHWM:) || most_rss=0
}
tell_reading() {
  echo "      $lines lines, 20 SLOs in $took_ms ms: RSS at most $most_rss KiB, PSS $most_pss KiB," \
    "anonymous $most_anonymous KiB"
}
# What the memory cgroup says of the reading.
unharmed() {
  check "no OOM kill" [ "$(field $group/memory.events oom_kill)" = 0 ]
  check "its own memory, as the cgroup counts it, is within the budget" \
    at_most "$(($(field $group/memory.stat anon) >> 10))" "$anonymous_budget"
  echo "      the cgroup: anonymous $(($(field $group/memory.stat anon) >> 10)) KiB, kernel" \
    "$(($(field $group/memory.stat kernel) >> 10)) KiB; with page cache at most $(($(<$group/memory.peak) >> 10)) KiB" \
    "($(tr '\n' ' ' <$group/memory.events))"
}
# eat RESULT DIRECTIVE: whether a service under that limit that takes 100 MB, as one that went wrong would, ends so.
eat() {
  local result
  cat >/run/systemd/system/eater.service <<UNIT
[Service]
Type=oneshot
MemorySwapMax=0
$2
ExecStart=/bin/sh -c 'head -c 120M /dev/zero | tail -c 100M | wc -c | grep -qx 104857600'
UNIT
  systemctl daemon-reload
  systemctl reset-failed eater 2>/dev/null
  systemctl start eater
  result=$(systemctl show -p Result --value eater)
  [ "$result" = "$1" ] || { echo "its end: $result"; return 1; }
}

# No NTP in here: without this, what is read in the first two minutes would be kept back, as it should be.
adjtimex --status 0 --maxerror 0 --esterror 0
uname -rm
unit_installed
unit_sandboxed
unit_killed
unit_refuses

echo "--- the memory cgroup"
if [ $memory_cgroup = yes ]; then
  check "its limit is the kernel's" [ "$(cat $group/memory.max)" = $((64 << 20)) ]
  check "and is enforced: who takes 100 MB is killed" eat oom-kill MemoryMax=64M
  check "and lives under 256 MiB" eat success MemoryMax=256M
  check "nines doctor finds it" sh -c 'nines doctor | grep "memory cgroup is there"'
else
  check "systemd shows a limit all the same" is MemoryMax $((64 << 20))
  check "that the kernel does not know" fails [ -e $group/memory.max ]
  check "and does not enforce: who takes 100 MB lives" eat success MemoryMax=64M
  check "LimitDATA ends that" eat exit-code LimitDATA=80M
  check "nines doctor finds it" sh -c 'nines doctor | grep "no memory cgroup"'
  check "and says the way out" sh -c 'nines doctor | grep "cgroup_enable=memory cgroup_memory=1"'
  check "so does the log of the agent" sh -c 'journalctl -u nines -o cat | grep "no memory cgroup.*cgroup_enable=memory cgroup_memory=1"'
fi

echo "--- its cold start"
# The same sandbox with nothing in it.
sed -e '/^ExecStartPre=/d; /^ExecReload=/d; /^WatchdogSec=/d; /^StateDirectory/d; s/^Type=notify/&\nNotifyAccess=all/' \
  -e "s|^ExecStart=.*|ExecStart=/bin/sh -c 'systemd-notify --ready \&\& exec sleep 9999'|" \
  /lib/systemd/system/nines.service >/run/systemd/system/reference.service
systemctl daemon-reload
for round in 1 2 3; do
  systemctl stop nines reference
  forget_pages
  check "a shell in the same sandbox starts ($round)" systemctl start reference
  forget_pages
  check "it starts" systemctl start nines
  echo "      start job to ready $(ms_from nines InactiveExit ActiveEnter) ms, of which the agent" \
    "$(ms_from nines ExecMainStart ActiveEnter) ms; the shell $(ms_from reference InactiveExit ActiveEnter) ms"
done
systemctl stop reference
check "is active" is ActiveState active
echo "      nines --version: $(ms_of nines --version) ms"
check "knows what it knew" comes 60 counts 2790 310
sleep 15
echo "      idle: $(memory "$(property MainPID)")"

echo "--- at full speed"
systemctl stop nines
cp /image/root/etc/nines/slos/all.yaml /etc/nines/slos/load.yaml
fast='limits: {cpu: 100, cpu_pressure: 0, memory_pressure: 0, io_pressure: 0}'
echo "$fast" >>/etc/nines/nines.yaml
chgrp nines /etc/nines/slos/load.yaml
chmod 0640 /etc/nines/slos/load.yaml
forget_pages
check "starts" systemctl start nines
old=$(property MainPID)
read_all "$old"
check "every line was read once" [ "$seen" = "$lines" ]
check "what was counted before is counted once" comes 60 counts 2790 310
check "its own memory is within the budget" at_most "$most_anonymous" "$anonymous_budget"
check "its data is below LimitDATA" at_most "$(field "/proc/$old/status" VmData:)" $((80 << 10))
check "in the same process" is MainPID "$old"
tell_reading
if [ $memory_cgroup = yes ]; then
  unharmed
fi
sleep 15
echo "      then idle: $(memory "$old")"
systemctl stop nines

if [ $memory_cgroup = yes ]; then
  echo "--- the container image under 64 MiB, by runc"
  group=/sys/fs/cgroup/nines-image
  echo "$fast" >/image/root/etc/nines/nines.yaml
  chmod 0644 /image/root/etc/nines/nines.yaml
  cd /image || exit 1
  forget_pages
  runc run --pid-file /image/pid nines-image >/image/log 2>&1 </dev/null &
  runc=$!
  check "starts" comes 60 records
  pid=$(</image/pid)
  read_all "$pid"
  lives() { [ -d "/proc/$pid" ] || { cat /image/log; return 1; }; }
  check "lives" lives
  check "finds its limit, too" fails grep "no memory cgroup" /image/log
  check "its limit is the kernel's" [ "$(cat $group/memory.max)" = $((64 << 20)) ]
  check "no capability at all" grep -qE '^CapEff:\s*0+$' "/proc/$pid/status"
  check "every line was read once" [ "$seen" = "$lines" ]
  check "its own memory is within the budget" at_most "$most_anonymous" "$anonymous_budget"
  tell_reading
  unharmed
  check "is told to end" runc kill nines-image TERM
  wait $runc
  check "ends well" [ $? = 0 ]
fi
[ $failed = 0 ] && echo "nothing failed"
