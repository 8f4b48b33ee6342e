#!/usr/bin/env python3
"""A day of a real system of 46 services with 28 injected faults (Nezha TrainTicket), as the logs of
its nine nodes would be, replayed through the agent: every fault is an incident, and its first
suspects are compared with the truth. The data has no front door, so one is added: an access log for
each fault, which fails for three minutes from the injection on and says nothing of the cause."""
import csv
import datetime
import io
import json
import os
import re
import tarfile

import common

POD = re.compile(r"-[0-9a-f]{8,10}-[a-z0-9]{5}$")
FAILS_S = 180


def archive():
    for base in (os.environ.get("NINES_DATA_DIR"), f"{common.REPO}/../shared/data",
                 f"{common.REPO}/../../shared/data"):
        for folder, _, names in os.walk(f"{base}/nezha") if base else []:
            for name in sorted(names):
                if name.endswith(".tar.xz"):
                    return f"{folder}/{name}"
    return common.skip("no day of Nezha TrainTicket here")


def stamp(ns):
    at = datetime.datetime.fromtimestamp(ns // 10**9, datetime.timezone.utc)
    return at.strftime("%Y-%m-%dT%H:%M:%S") + f".{ns % 10**9:09d}Z"


def read_lines(text, lines):
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
        for part in message.rstrip("\n").split("\n"):
            lines.setdefault((row["Node"], row["PodName"]), set()).add((at, part))


def read_usage(name, text, used):
    service = POD.sub("", os.path.basename(name).removesuffix("_metric.csv"))
    for row in csv.DictReader(io.StringIO(text)):
        try:
            used.append((int(float(row["TimeStamp"]) * 1e9), service, float(row["CpuUsageRate(%)"])))
        except (KeyError, TypeError, ValueError):
            continue


def read_faults(text):
    faults = []
    for injected in json.loads(text).values():
        for fault in injected:
            at = datetime.datetime.strptime(fault["inject_time"], "%Y-%m-%d %H:%M:%S")
            faults.append((int(at.replace(tzinfo=datetime.timezone.utc).timestamp()),
                           POD.sub("", fault["inject_pod"])))
    return sorted(faults)


def read(path):
    csv.field_size_limit(1 << 30)
    lines, used, faults = {}, [], []
    with tarfile.open(path) as tar:
        for member in tar:
            if not member.isfile():
                continue
            text = tar.extractfile(member).read().decode(errors="replace")
            if "/log/" in member.name:
                read_lines(text, lines)
            elif member.name.endswith("_metric.csv"):
                read_usage(member.name, text, used)
            elif member.name.endswith("fault_list.json"):
                faults = read_faults(text)
    return lines, used, faults


def write_nodes(root, lines, used, day):
    written = 0
    for (node, pod), rows in lines.items():
        kept = sorted(row for row in rows if day[0] < row[0] / 1e9 < day[1])
        if not kept:
            continue
        path = f"{root}/{node}/pods/ts_{pod}_0a1b/{POD.sub('', pod)}/0.log"
        common.write(path, "".join(f"{stamp(at)} stdout F {text}\n" for at, text in kept))
        written += len(kept)
    common.write(f"{root}/usage.log", "".join(
        json.dumps({"ts": stamp(at), "level": "info", "service": service, "cpu_percent": percent})
        + "\n" for at, service, percent in sorted(used)))
    return written


def write_doors(root, faults):
    """One a fault: a request a second, from a quarter of an hour before it."""
    slos = []
    for number, (at, _) in enumerate(faults):
        rows = []
        for second in range(at - 900, at + 900):
            status = 503 if at <= second < at + FAILS_S else 200
            when = datetime.datetime.fromtimestamp(second, datetime.timezone.utc)
            rows.append(f'10.0.0.1 - - [{when.strftime("%d/%b/%Y:%H:%M:%S +0000")}] '
                        f'"GET /j{number} HTTP/1.1" {status} 12 "-" "t"\n')
        common.write(f"{root}/door-{number}.log", "".join(rows))
        slos.append(common.ratio_slo(f"door-{number}", f'paths: ["{root}/door-{number}.log"]',
                                     "status < 500", target="0.99", window="30d"))
    return slos


def configuration(root):
    return f"""node: judge
sources:
  - name: pods
    paths: ["{root}/*/pods/*/*/*.log"]
  - name: usage
    paths: ["{root}/usage.log"]
    gauge: {{value: cpu_percent}}
incidents:
  sources: [pods, usage]
  trail_bytes: 6MiB
"""


def suspects_of(news, faults):
    """The services in the order of suspicion, as last told of each fault's incident."""
    opened, told = {}, {}
    for line in news.splitlines():
        if found := re.search(r"(INC-[0-9-]+) opened: P\d .*?door-(\d+)", line):
            opened.setdefault(found[1], int(found[2]))
        elif found := re.search(r"(INC-[0-9-]+) suspects: (.*)", line):
            names = [part.split(";")[0].strip() for part in found[2].split(" | ")]
            if found[1] in opened:
                told[opened[found[1]]] = names
    return opened, [told.get(i, []) for i in range(len(faults))]


def main():
    checks = common.Checks()
    lines, used, faults = read(archive())
    day = faults[0][0] - 86400, faults[-1][0] + 86400
    root = common.scratch("causes")
    written = write_nodes(root, lines, used, day)
    common.write(f"{root}/nines.yaml", configuration(root))
    common.write(f"{root}/slos/doors.yaml", "".join(write_doors(root, faults)))
    done = common.run(common.tool("NINES_BIN"), "agent", "--once", "--clock", "log",
                      "--config", f"{root}/nines.yaml", timeout=600)
    news = done.stderr.decode()
    common.write(f"{root}/news.txt", news)
    checks.equal(done.returncode, 0, "the replay ends well")
    opened, suspects = suspects_of(news, faults)
    checks.equal(sorted(opened.values()), list(range(len(faults))),
                 "every fault is one incident, and nothing else is")
    places = [names.index(service) + 1 if service in names else None
              for (_, service), names in zip(faults, suspects)]
    first = sum(place == 1 for place in places) / len(places)
    three = sum(place is not None and place <= 3 for place in places) / len(places)
    print(f"{written} lines of {len(lines)} pods; first suspect right {first:.2f}, "
          f"among the first three {three:.2f}; places {' '.join(str(p or '-') for p in places)}")
    checks.that(first >= 0.8, f"the first suspect is right in {first:.2f} of the faults, 0.80 wanted")
    checks.that(three >= 0.92, f"it is among the first three in {three:.2f}, 0.92 wanted")
    checks.finish()


if __name__ == "__main__":
    main()
