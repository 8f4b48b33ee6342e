#!/usr/bin/env python3
"""tests/bench/incident/suspects.py --driver PROGRAM [--data DIR] [--check]

Replays a day of Nezha TrainTicket (logs of 46 services, CPU usage, 28 injected faults with their true
causes) and asks, two minutes and ten seconds after each injection, who is suspected. Nothing is tuned
for a fault. Prints the place of the true service for several ways to ask; --check fails when the
way that the agent will use (incident opened at the injection, learning held from then on, two minutes
looked at) has the first suspect right in less than 80 % or the first three in less than 92 %.
"""
import argparse
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../support"))
import nezha

LINE = re.compile(r"^\d\d:\d\d:\d\d\.\d+\s+(\w+)\s+(.*)$", re.S)
ASKED_AFTER_S = 130
WAYS = [(hold, minutes) for hold in (0, 60, 120) for minutes in (1, 2)]  # seconds before, minutes
USED = (0, 2)


def told_of(day):
    """What the driver is told, each with its place in the order of time."""
    lines = {}
    for line in day.lines:
        parts = LINE.match(line.message.strip())
        level, message = parts.groups() if parts else ("-", line.message)
        message = re.sub(r"TraceID: \S* SpanID: \S*", "", message).split("\n")[0].replace("\t", " ")
        lines[line.at, nezha.service_of(line.pod), line.trace, line.span, message] = level
    events = [(use.at, 0, f"USE\t{use.at}\t{use.service}\t{use.percent}") for use in day.usage]
    for (at, service, request, span, message), level in lines.items():
        events.append((at, 1, f"LINE\t{at}\t{service}\t{level}\t{request}\t{span}\t{message}"))
    return events


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
    parser.add_argument("--data", default=None)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    archive = nezha.archive(options.data)
    if archive is None:
        print("######## SKIPPED: no day of Nezha TrainTicket here ########")
        return 0
    day = nezha.read(archive)
    events, faults = told_of(day), day.faults
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
