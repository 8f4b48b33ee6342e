#!/usr/bin/env python3
"""tests/bench/incident/suspects.py --driver PROGRAM [--data DIR] [--check]

Replays a day of Nezha TrainTicket (logs of 46 services, CPU usage, 28 injected faults with their true
causes) and asks, two minutes and ten seconds after each injection, who is suspected. Nothing is tuned
for a fault. Prints the place of the true service for several ways to ask; --check fails when the
way that the agent will use (incident opened at the injection, learning held from then on, two minutes
looked at) has the first suspect right in less than 80 % or the first three in less than 92 %.
"""
import argparse
import csv
import datetime
import glob
import io
import json
import os
import re
import subprocess
import sys
import tarfile

HERE = os.path.dirname(os.path.abspath(__file__))
REPO = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
POD = re.compile(r"-[0-9a-f]{8,10}-[a-z0-9]{5}$")
LINE = re.compile(r"^\d\d:\d\d:\d\d\.\d+\s+(\w+)\s+(.*)$", re.S)
ASKED_AFTER_S = 130
WAYS = [(hold, minutes) for hold in (0, 60, 120) for minutes in (1, 2)]  # seconds before, minutes
USED = (0, 2)


def archive_of(data):
    for base in (data, f"{REPO}/../shared/data", f"{REPO}/../../shared/data"):
        found = sorted(glob.glob(f"{base}/nezha/*.tar.xz")) if base else []
        if found:
            return found[0]
    return None


def read_log(text, lines):
    for row in csv.DictReader(io.StringIO(text)):
        try:
            at = int(row["TimeUnixNano"])
        except (TypeError, ValueError):
            continue
        message = row["Log"]
        try:
            message = json.loads(message)["log"]
        except ValueError:
            pass
        parts = LINE.match(message.strip())
        level, message = parts.groups() if parts else ("-", message)
        message = re.sub(r"TraceID: \S* SpanID: \S*", "", message).split("\n")[0].replace("\t", " ")
        lines[(at, POD.sub("", row["PodName"]), row["TraceID"], row["SpanID"], message)] = level


def read_usage(name, text, events):
    service = POD.sub("", os.path.basename(name).removesuffix("_metric.csv"))
    for row in csv.DictReader(io.StringIO(text)):
        try:
            at, used = float(row["TimeStamp"]), float(row["CpuUsageRate(%)"])
        except (KeyError, TypeError, ValueError):
            continue
        events.append((int(at * 1e9), 0, f"USE\t{int(at * 1e9)}\t{service}\t{used}"))


def read_faults(text):
    faults = []
    for injected in json.loads(text).values():
        for fault in injected:
            at = datetime.datetime.strptime(fault["inject_time"], "%Y-%m-%d %H:%M:%S")
            faults.append((at.replace(tzinfo=datetime.timezone.utc).timestamp(),
                           POD.sub("", fault["inject_pod"]), fault["inject_type"]))
    return sorted(faults)


def read(archive):
    csv.field_size_limit(1 << 30)
    lines, events, faults = {}, [], []
    with tarfile.open(archive) as tar:
        for member in tar:
            if not member.isfile():
                continue
            text = tar.extractfile(member).read().decode(errors="replace")
            if "/log/" in member.name:
                read_log(text, lines)
            elif member.name.endswith("_metric.csv"):
                read_usage(member.name, text, events)
            elif member.name.endswith("fault_list.json"):
                faults = read_faults(text)
    day = faults[0][0] - 86400, faults[-1][0] + 86400  # some time stamps are of other centuries
    for (at, service, request, span, message), level in lines.items():
        if day[0] < at / 1e9 < day[1]:
            events.append((at, 1, f"LINE\t{at}\t{service}\t{level}\t{request}\t{span}\t{message}"))
    return events, faults


def places(driver, events, faults, hold_s, minutes):
    asked = []
    for number, (at, _, _) in enumerate(faults):
        then = int((at + ASKED_AFTER_S) * 1e9)
        asked += [(int((at - hold_s) * 1e9), 0, "HOLD"),
                  (then, 2, f"ASK\t{then}\t{number}\t{minutes}"), (then, 3, "LEARN")]
    told = "\n".join(text for _, _, text in sorted(events + asked)) + "\n"
    done = subprocess.run([driver], input=told, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    found = []
    for line in done.stdout.splitlines():
        number, *suspects = line.split("\t")
        names = suspects[::2]
        service = faults[int(number)][1]
        found.append(names.index(service) + 1 if service in names else None)
    return found, done.stderr.strip()


def share(found, most):
    return sum(place is not None and place <= most for place in found) / len(found)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--driver", required=True)
    parser.add_argument("--data", default=os.environ.get("NINES_DATA_DIR"))
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    archive = archive_of(options.data)
    if archive is None:
        print("######## SKIPPED: no day of Nezha TrainTicket here ########")
        return 0
    events, faults = read(archive)
    good = True
    for hold_s, minutes in WAYS:
        found, stats = places(options.driver, events, faults, hold_s, minutes)
        first, three = share(found, 1), share(found, 3)
        print(f"learning held {hold_s:3} s before, {minutes} minutes: first {first:.2f}, "
              f"first three {three:.2f}; places {' '.join(str(p or '-') for p in found)}")
        if (hold_s, minutes) == USED:
            good = first >= 0.8 and three >= 0.92
    print(stats)
    return 0 if good or not options.check else 1


if __name__ == "__main__":
    sys.exit(main())
