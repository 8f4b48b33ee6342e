#!/usr/bin/env python3
"""An SLO that comes later counts, after `nines slo backfill`, every line that the logs still hold:
those before its time once, those after it once, none twice. Random histories of two logs with
rotations by rename, by copy and truncate, compressed generations, stack traces and lines in two
pieces; the program runs with --once between the steps. --seeds N, --first S."""
import argparse
import gzip
import json
import os
import random
import shutil
import time

import common

SLO = """apiVersion: openslo/v1
kind: SLO
metadata: {{name: {name}}}
spec:
  service: shop
  timeWindow: [{{duration: 30d, isRolling: true}}]
  indicator:
    spec:
      ratioMetric:
        good: {{metricSource: {{type: nines.log, spec: {{paths: [{glob}], where: "{good}"}}}}}}
        total: {{metricSource: {{type: nines.log, spec: {{paths: [{glob}], where: "level IS NOT NULL"}}}}}}
  objectives: [{{target: 0.9}}]
"""


class History:
    """Two logs of JSON lines; one of them is sometimes cut by copy and truncate."""

    def __init__(self, folder, seed):
        self.folder, self.random, self.number = folder, random.Random(seed), 0
        # A run with --once takes what is there of a line for all of it, and such a piece of JSON is
        # malformed. Who reads the file again later finds more of them whole.
        self.pieces = seed % 2 == 0
        self.good = self.bad = 0
        self.pending = {"a": b"", "b": b""}
        self.generation = 0
        self.now = time.time() - 7200
        for name in "ab":
            open(self.path(name), "wb").close()

    def path(self, name):
        return os.path.join(self.folder, f"{name}.log")

    def line(self):
        self.number += 1
        self.now += self.random.random() * 20
        bad = self.random.random() < 0.2
        if bad:
            self.bad += 1
        else:
            self.good += 1
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(self.now)) + "Z"
        return json.dumps({"time": stamp, "level": "error" if bad else "info",
                           "msg": f"request {self.number} " + "x" * self.random.randrange(200)}).encode() + b"\n"

    def write(self, name):
        data = self.pending[name] + b"".join(self.line() for _ in range(self.random.randrange(1, 60)))
        # The last line comes in two pieces, with a run of the program between them perhaps.
        cut = self.random.randrange(1, 20) if self.pieces and self.random.random() < 0.3 else 0
        self.pending[name] = data[len(data) - cut:] if cut else b""
        with open(self.path(name), "ab") as f:
            f.write(data[:len(data) - cut] if cut else data)

    def settle(self, name):
        if self.pending[name]:
            with open(self.path(name), "ab") as f:
                f.write(self.pending[name])
            self.pending[name] = b""

    def rotate(self, name):
        self.settle(name)
        self.generation += 1
        to = f"{self.path(name)}.{self.generation}"
        if name == "a":
            os.rename(self.path(name), to)
            open(self.path(name), "wb").close()
        else:
            shutil.copyfile(self.path(name), to)
            os.truncate(self.path(name), 0)

    def compress(self):
        plain = [p for p in os.listdir(self.folder) if p[-1].isdigit()]
        if not plain:
            return
        path = os.path.join(self.folder, self.random.choice(plain))
        with open(path, "rb") as f, gzip.open(path + ".gz", "wb") as out:
            out.write(f.read())
        stat = os.stat(path)
        os.utime(path + ".gz", (stat.st_atime, stat.st_mtime))
        os.unlink(path)


def counts(state, slos, checks):
    done = common.run(common.tool("NINES_BIN"), "agent", "--once", "--state", state, "-o", "json",
                      *sum((["--slo", s] for s in slos), []))
    checks.equal(done.returncode, 0, f"agent --once: {done.stderr.decode()[-300:]}")
    return {s["slo"]: (s["good"], s["bad"]) for s in json.loads(done.stdout)}


def one(seed, checks):
    folder = common.scratch("backfill")
    logs = os.path.join(folder, "log")
    os.makedirs(logs)
    state = os.path.join(folder, "state")
    glob = os.path.join(logs, "*.log")
    first = common.write(os.path.join(folder, "first.yaml"),
                         SLO.format(name="first", glob=glob, good="level = 'info'"))
    later = common.write(os.path.join(folder, "later.yaml"),
                         SLO.format(name="later", glob=glob, good="level != 'error'"))
    history = History(logs, seed)
    pick = history.random
    steps, joins = pick.randrange(3, 9), None
    joins = pick.randrange(1, steps)
    for step in range(steps):
        for name in "ab":
            if pick.random() < 0.8:
                history.write(name)
        if step == joins:
            # While nobody runs: lines and rotations that no position knows of.
            done = common.run(common.tool("NINES_BIN"), "slo", "backfill", "later", "--state", state,
                              "--slo", first, "--slo", later)
            checks.equal(done.returncode, 0, f"seed {seed}: backfill: {done.stderr.decode()[-300:]}")
            again = common.run(common.tool("NINES_BIN"), "slo", "backfill", "--state", state,
                               "--slo", first, "--slo", later)
            said = again.stdout.decode()
            nothing = said.count("counted here already") + said.count("nothing to count")
            checks.equal(nothing, 2, f"seed {seed}: SLOs that a second backfill leaves alone: {said}")
        got = counts(state, [first] + ([later] if step >= joins else []), checks)
        for name in "ab":
            if pick.random() < 0.5:
                history.rotate(name)
                if pick.random() < 0.5:
                    # The rotation is seen before anything else happens, as an agent would.
                    got = counts(state, [first] + ([later] if step >= joins else []), checks)
        if pick.random() < 0.4:
            history.compress()
    for name in "ab":
        history.settle(name)
    got = counts(state, [first, later], checks)
    wanted = (history.good, history.bad)
    who = f"seed {seed}: who came at step {joins} of {steps}"
    if history.pieces:
        checks.that(all(a <= b <= c for a, b, c in zip(got["first"], got["later"], wanted)),
                    f"{who}: {got['later']} is within {got['first']} and {wanted}")
    else:
        checks.equal(got["first"], wanted, f"seed {seed}: who was there from the beginning")
        checks.equal(got["later"], wanted, who)
    shutil.rmtree(folder, True)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--seeds", type=int, default=40)
    arguments.add_argument("--first", type=int, default=1)
    options = arguments.parse_args()
    checks = common.Checks()
    for seed in range(options.first, options.first + options.seeds):
        one(seed, checks)
    done = common.run(common.tool("NINES_BIN"), "slo", "backfill", "nobody", "--state",
                      common.scratch("backfill"), "--slo", common.write(
                          os.path.join(common.scratch("backfill"), "x.yaml"),
                          SLO.format(name="x", glob="/nowhere/*.log", good="TRUE")))
    checks.equal(done.returncode, 2, "an SLO that there is not is refused")
    checks.that(b"no SLO is called 'nobody'" in done.stderr, "and named")
    checks.finish()


if __name__ == "__main__":
    main()
