#!/usr/bin/env python3
"""tests/bench/timeline/skew.py --driver PROGRAM [--data DIR] [--seeds N] [--check]

Sets the clocks of the nodes of a real day (Nezha TrainTicket: lines of 27 services on 9 hosts) wrong
by up to 30 s each, and asks how well ClockModel finds out: from spans, and from request ids alone. The
data at hand has no traces: spans are the lines of one SpanID, first to last, and their parents those
that surround them in the true time, as a tracer would tell. Nodes are the hosts, or every pod one of its
own. Then 1,500 lines are put in order by what was found: a claimed order that is wrong is a failure.
--check fails at a median error of 2 ms (spans) or 50 ms (request ids), and at any wrong claim from spans.
"""
import argparse
import collections
import os
import random
import statistics
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../support"))
import nezha

MOST_NS = 30_000_000_000
EVENTS = 1500
MEDIAN_MS = {"spans": 2, "requests": 50}

Line = collections.namedtuple("Line", "at host pod trace span")


def lines_of(day):
    return sorted({Line(*line[:5]) for line in day.lines if line.trace})


def requests_of(lines):
    requests = collections.defaultdict(list)
    for line in lines:
        requests[line.trace].append(line)
    return requests.values()


def spans_told(request, node, wrong):
    spans = collections.defaultdict(list)
    for line in request:
        spans[line.span, line.pod].append(line)
    spans = [(part[0].at, part[-1].at, node(part[0])) for part in spans.values()]
    for start, end, child in spans:
        around = [p for p in spans if p[0] <= start and p[1] >= end and p[1] - p[0] > end - start]
        if not around:
            continue
        first, last, parent = min(around, key=lambda p: p[1] - p[0])
        if parent != child:
            yield (f"SPAN {last} {parent} {first + wrong[parent]} {last + wrong[parent]} "
                   f"{child} {start + wrong[child]} {end + wrong[child]}")


def request_told(request, node, wrong):
    heard = collections.defaultdict(list)
    for line in request:
        heard[node(line)].append(line.at)
    if len(heard) > 1:
        yield f"REQUEST {request[-1].at} " + " ".join(
            f"{n} {at[0] + wrong[n]} {at[-1] + wrong[n]}" for n, at in sorted(heard.items()))


def asked(lines, node, way, seed):
    """What the driver is told, and the true offsets."""
    chance = random.Random(seed)
    counts = collections.Counter(node(line) for line in lines)
    wrong = {n: chance.randint(-MOST_NS, MOST_NS) for n in sorted(counts)}
    reference = counts.most_common(1)[0][0]
    told = []
    for request in requests_of(lines):
        told += (spans_told if way == "spans" else request_told)(request, node, wrong)
    told.sort(key=lambda text: int(text.split(None, 2)[1]))
    for seq, line in enumerate(sorted(chance.sample(lines, EVENTS))):
        told.append(f"EVENT {node(line)} {line.at + wrong[node(line)]} {seq} {line.at}")
    told.append(f"SOLVE {lines[-1].at} {reference}")
    return "\n".join(told) + "\n", {n: w - wrong[reference] for n, w in wrong.items()}, reference


def judge(driver, lines, node, way, seed):
    told, truth, reference = asked(lines, node, way, seed)
    done = subprocess.run([driver], input=told, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    errors, unsure, missed, order = [], [], 0, None
    for line in done.stdout.splitlines():
        cells = line.split()
        if cells[0] == "ORDER":
            order = [int(cell) for cell in cells[1:]]
        elif cells[0] not in ("MEMORY", reference) and int(cells[2]) >= 0:
            errors.append(abs(int(cells[1]) - truth[cells[0]]) / 1e6)
            unsure.append(int(cells[2]) / 1e6)
            missed += errors[-1] > unsure[-1]
    return errors, unsure, missed, len(truth) - 1, order


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--driver", required=True)
    parser.add_argument("--data", default=None)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    archive = nezha.archive(options.data)
    if archive is None:
        print("######## SKIPPED: no day of Nezha TrainTicket here ########")
        return 0
    lines, good = lines_of(nezha.read(archive)), True
    for name, node in (("hosts", lambda line: line.host), ("pods", lambda line: line.pod)):
        for way in ("spans", "requests"):
            for seed in range(options.seeds):
                errors, unsure, missed, nodes, (pairs, claimed, wrong) = judge(
                    options.driver, lines, node, way, seed)
                errors.sort()
                print(f"{name:5} {way:8} {len(errors)} of {nodes}: error median "
                      f"{statistics.median(errors):.2f} ms, p90 {errors[len(errors) * 9 // 10]:.2f}, "
                      f"most {errors[-1]:.2f}; said ±{statistics.median(unsure):.2f} ms, "
                      f"beyond it {missed}; order of {claimed / pairs:.4f} claimed, {wrong} wrong")
                if name == "hosts":
                    good &= statistics.median(errors) < MEDIAN_MS[way] and wrong == 0
    return 0 if good or not options.check else 1


if __name__ == "__main__":
    sys.exit(main())
