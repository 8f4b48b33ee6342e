#!/usr/bin/env python3
"""A day of a real system of 46 services with 28 injected faults (Nezha TrainTicket), as the logs of
its nine nodes would be, replayed through the agent: every fault is an incident, and its first
suspects are compared with the truth. The data has no front door, so one is added: an access log for
each fault, which fails for three minutes from the injection on and says nothing of the cause."""
import datetime
import json
import os
import re
import sys

import common

sys.path.insert(0, os.path.join(common.REPO, "tests/support"))
import nezha

FAILS_S = 180


def stamp(ns):
    at = datetime.datetime.fromtimestamp(ns // 10**9, datetime.timezone.utc)
    return at.strftime("%Y-%m-%dT%H:%M:%S") + f".{ns % 10**9:09d}Z"


def write_nodes(root, day):
    """As the container logs of its nodes, and a log of what each service used."""
    pods = {}
    for line in day.lines:
        for part in line.message.rstrip("\n").split("\n"):
            pods.setdefault((line.host, line.pod), {})[line.at, part] = None
    for (host, pod), rows in pods.items():
        path = f"{root}/{host}/pods/ts_{pod}_0a1b/{nezha.service_of(pod)}/0.log"
        common.write(path, "".join(f"{stamp(at)} stdout F {text}\n" for at, text in sorted(rows)))
    common.write(f"{root}/usage.log", "".join(
        json.dumps({"ts": stamp(use.at), "level": "info", "service": use.service,
                    "cpu_percent": use.percent}) + "\n" for use in day.usage))
    return sum(map(len, pods.values())), len(pods)


def write_doors(root, faults):
    """One a fault: a request a second, from a quarter of an hour before it."""
    slos = []
    for number, (at, _, _) in enumerate(faults):
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
    archive = nezha.archive()
    if archive is None:
        common.skip("no day of Nezha TrainTicket here")
    day = nezha.read(archive)
    faults = day.faults
    root = common.scratch("causes")
    written, pods = write_nodes(root, day)
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
              for (_, service, _), names in zip(faults, suspects)]
    first = sum(place == 1 for place in places) / len(places)
    three = sum(place is not None and place <= 3 for place in places) / len(places)
    print(f"{written} lines of {pods} pods; first suspect right {first:.2f}, "
          f"among the first three {three:.2f}; places {' '.join(str(p or '-') for p in places)}")
    checks.that(first >= 0.8, f"the first suspect is right in {first:.2f} of the faults, 0.80 wanted")
    checks.that(three >= 0.92, f"it is among the first three in {three:.2f}, 0.92 wanted")
    checks.finish()


if __name__ == "__main__":
    main()
