#!/usr/bin/env python3
"""Remediation of a fleet: three agents on machines of their own, peers over mutual TLS, each with a
worker that breaks. A rule drafted and approved on one node, and an act allowed there, let another one
act; the kill switch holds all, also who was cut off when it was pulled; a demotion takes the rule back
everywhere; and a node whose state was set back is found out by what the others have heard of its audit
log."""
import json
import os
import shutil
import subprocess
import sys
import time

import common
import netns
from fleet_world import API, World
from test_remedy import POLICY, WORKER, history

NODES = ["a", "b", "c"]
RULE, SERVICE = "restart-worker", "jobs-service"

# What stands in for systemd: the agent's folder tells which node's worker it is.
SYSTEMCTL = """#!{python}
import os, signal, subprocess, sys
verb, root = sys.argv[1], os.environ.get("WORKER_OF", os.getcwd())
open(root + "/systemctl.log", "a").write(" ".join(sys.argv[1:]) + "\\n")
def pid():
    try:
        return int(open(root + "/worker.pid").read())
    except (OSError, ValueError):
        return 0
def alive(n):
    try:
        os.kill(n, 0)
        return n > 0
    except OSError:
        return False
if verb == "is-active":
    sys.exit(0 if alive(pid()) else 3)
if alive(pid()):
    os.kill(pid(), signal.SIGKILL)
try:
    os.unlink(root + "/broken")
except OSError:
    pass
process = subprocess.Popen([{python!r}, {worker!r}, root + "/worker.log", root + "/broken"],
                           start_new_session=True)
open(root + "/worker.pid", "w").write(str(process.pid))
"""


def config(world):
    return f"""remediation:
  enabled: true
  verbs: [unit-restart]
  units: [worker.service]
  systemctl: {world.folder}/systemctl
  stop_file: {world.folder}/STOP
  post_check: 60s
  cool_down: 0s
  rule_per_hour: 20
  node_per_hour: 20
  shadow_hits: 1
"""


class Fleet:
    def __init__(self, checks, world):
        self.checks, self.world = checks, world
        worker = common.write(f"{world.folder}/worker.py", WORKER)
        path = common.write(f"{world.folder}/systemctl",
                            SYSTEMCTL.format(python=sys.executable, worker=worker))
        os.chmod(path, 0o755)
        for machine in world.machines:
            common.write(f"{machine.folder}/worker.log", "")
            common.write(f"{machine.folder}/slos/jobs.yaml", common.ratio_slo(
                "jobs", f'paths: ["{machine.folder}/worker.log"]', "status < 500", window="1h",
                target="0.9") + POLICY.replace("name: quick", "name: quicker", 1))
            self.repair(machine.name)

    def repair(self, node):
        """By a person."""
        folder = self.world[node].folder
        subprocess.run([f"{self.world.folder}/systemctl", "restart", "worker.service"], check=True,
                       timeout=30, env={**os.environ, "WORKER_OF": folder})

    def breaks(self, node):
        common.write(f"{self.world[node].folder}/broken", "")

    def end(self):
        for machine in self.world.machines:
            try:
                os.kill(int(open(f"{machine.folder}/worker.pid").read()), 9)
            except (OSError, ValueError):
                pass

    def restarts(self, node):
        """By rules: the agent says --quiet."""
        with open(f"{self.world[node].folder}/systemctl.log", encoding="utf-8") as log:
            return sum(line.startswith("restart --quiet") for line in log)

    def fetch(self, node, path):
        try:
            status, body = self.world[node].get(path)[:2]
        except OSError:
            return None
        return json.loads(body) if status == 200 else None

    def remedies(self, node):
        return self.fetch(node, "/api/remedies") or {"rules": [], "acts": [], "waiting": [], "stops": []}

    def rule(self, node):
        return next(iter(self.remedies(node)["rules"]), {"state": None, "shadow_hits": 0})

    def open(self, node):
        return [i for i in self.fetch(node, "/api/incidents?state=open") or [] if i["service"] == SERVICE]

    def holding(self, node):
        return [i for i in self.open(node) if any(c["holds"] for c in i["conditions"])]

    def calm(self):
        common.wait_until(lambda: not any(self.holding(n) for n in NODES), 240,
                          "that nothing holds any more", poll=1)

    def remedy(self, node, *arguments, code=0):
        write = [] if arguments[0] in ("list", "learn", "audit", "effect") else \
            ["--state", f"{self.world[node].folder}/state", "--by", f"kim at {node}"]
        with self.world.network.inside(node):
            done = common.run(common.tool("NINES_BIN"), "remedy", *arguments, "--agent",
                              f"127.0.0.1:{API}", *write, timeout=30)
        said = done.stdout.decode() + done.stderr.decode()
        if code is not None:
            self.checks.equal(done.returncode, code,
                              f"on {node}: remedy {' '.join(arguments)}: {said.strip()[:200]}")
        return said if code is not None else (done.returncode, said)

    def on_all(self, what, condition, nodes=NODES, seconds=60):
        began = time.monotonic()
        common.wait_until(lambda: all(condition(n) for n in nodes), seconds, what, poll=0.1)
        print(f"  {what}: {time.monotonic() - began:.1f} s", flush=True)
        self.checks.that(True, what)

    def until(self, node, condition, seconds, what):
        try:
            common.wait_until(condition, seconds, what)
        except TimeoutError:
            print(json.dumps([self.remedies(node), self.open(node)], indent=1), flush=True)
            print(self.world[node].own_log()[-4000:], flush=True)
            raise

    def why(self, node):
        return " ".join(w["why"] for w in self.remedies(node)["waiting"])


def is_approved_elsewhere(checks, fleet):
    fleet.remedy("a", "draft", RULE, "--action", "unit-restart worker.service", "--service", SERVICE)
    fleet.remedy("a", "shadow", RULE)
    fleet.on_all("the rule is in shadow on all", lambda n: fleet.rule(n)["state"] == "shadow")
    fleet.breaks("b")
    fleet.on_all("what b would have done is known to all", lambda n: fleet.rule(n)["shadow_hits"] == 1,
                 seconds=150)
    checks.equal(fleet.restarts("b"), 0, "in shadow nothing is done")
    signature = next((f"{c['kind']} {SERVICE}" for i in fleet.open("b") for c in i["conditions"]), None)
    fleet.repair("b")
    fleet.remedy("c", "approve", RULE)
    fleet.on_all("approved on c, it is on all", lambda n: fleet.rule(n)["state"] == "approved")
    fleet.calm()
    fleet.breaks("b")
    waits = common.wait_until(lambda: [w for w in fleet.remedies("b")["waiting"] if "approve" in w["why"]],
                              150, "that b asks to be allowed")[0]
    checks.equal(fleet.restarts("b"), 0, "approved, it waits for a person")
    common.wait_until(lambda: any(i["id"] == waits["incident"] for i in fleet.open("a")), 30,
                      "the incident on a")
    fleet.remedy("a", "allow", RULE, "--incident", waits["incident"], "--target", waits["target"])
    common.wait_until(lambda: fleet.restarts("b") == 1, 60, "the restart on b")
    fleet.on_all("all know that it was done", lambda n: [a["phase"] for a in fleet.remedies(n)["acts"]] in
                 (["done"], ["helped"]))
    checks.equal([fleet.restarts(n) for n in NODES], [0, 1, 0], "allowed on a, b acted, once, and no other")
    # The next one waits until it is known what came of this one.
    fleet.on_all("all know that it helped", lambda n: [a["phase"] for a in fleet.remedies(n)["acts"]] ==
                 ["helped"], seconds=200)
    fleet.calm()
    return signature


def acts_alone(checks, fleet, signature):
    path = common.write(f"{fleet.world.folder}/history.json", history(signature))
    fleet.remedy("b", "remove", RULE)
    fleet.remedy("b", "import", path)
    fleet.remedy("b", "draft", RULE, "--action", "unit-restart worker.service", "--signature", signature)
    fleet.remedy("b", "shadow", RULE)
    fleet.calm()
    fleet.breaks("a")
    common.wait_until(lambda: fleet.rule("b")["shadow_hits"] == 1, 150, "that a would have acted")
    fleet.repair("a")
    fleet.remedy("b", "approve", RULE)
    fleet.calm()
    fleet.remedy("b", "auto", RULE)
    fleet.on_all("armed on b, where its history is known, it is on all",
                 lambda n: fleet.rule(n)["state"] == "auto")


def is_stopped(checks, fleet):
    """Cut off too shortly for anybody to be missed."""
    world = fleet.world
    before = [fleet.restarts(n) for n in NODES]
    world.network.part(["c"], ["a", "b"])
    fleet.remedy("a", "stop", "work on the rack")
    fleet.on_all("a's stop is known to b", lambda n: fleet.remedies(n)["stopped"], ["a", "b"])
    checks.that(not fleet.remedies("c")["stopped"], "c is cut off, and does not know")
    world.network.heal()
    fleet.on_all("c is back, and stopped", lambda n: fleet.remedies(n)["stopped"], ["c"], 120)
    stop = fleet.remedies("c")["stops"]
    checks.equal([(s["who"], s["node"], s["why"]) for s in stop], [("kim at a", "a", "work on the rack")],
                 "by whom and why, c says as well")
    # Nor does it forget when it starts without the others.
    world["c"].wait_for_commits()
    world["c"].kill()
    world.network.part(["c"], ["a", "b"])
    world["c"].start()
    common.wait_until(lambda: fleet.fetch("c", "/api/remedies"), 60, "c again")
    checks.that(fleet.remedies("c")["stopped"], "started while it is cut off, c is stopped")
    world.network.heal()
    world.all_hear_all(120)
    fleet.breaks("c")
    fleet.until("c", lambda: "kill switch" in fleet.why("c"), 150, "that c says why it does nothing")
    checks.equal([fleet.restarts(n) for n in NODES], before, "nothing was done while it was stopped")
    fleet.remedy("b", "resume", "the rack is well")
    fleet.on_all("resumed on b, all are", lambda n: not fleet.remedies(n)["stopped"])
    fleet.until("c", lambda: fleet.restarts("c") == before[2] + 1, 120, "that c repairs its worker")
    checks.equal([fleet.restarts(n) for n in NODES], [before[0], before[1], before[2] + 1],
                 "c repaired its worker, once")
    fleet.calm()


def verdict(fleet, node):
    return fleet.remedy(node, "audit", "--verify", code=None)


def is_set_back(checks, fleet):
    """The state of b is exchanged for an older copy of itself, which is whole as such."""
    world, b = fleet.world, fleet.world["b"]
    for node in NODES:
        code, said = verdict(fleet, node)
        checks.equal((code, said.split("\n")[0]), (0, "whole"), f"the audit log of {node}: {said}")
    b.kill()
    shutil.copytree(f"{b.folder}/state", f"{b.folder}/copy")
    b.start()
    world.all_hear_all(120)
    number = fleet.fetch("b", "/api/remedies/audit")["head"]
    fleet.remedy("b", "revoke", RULE, "it hurts")
    fleet.on_all("revoked on b, the rule is in shadow on all", lambda n: fleet.rule(n)["state"] == "shadow")

    def heads():
        return [h["number"] for h in fleet.fetch("a", "/api/remedies/audit")["heads"] if h["node"] == "b"]
    common.wait_until(lambda: max(heads(), default=0) > number, 60, "that a has heard of b's new record")
    b.kill()
    shutil.rmtree(f"{b.folder}/state")
    shutil.copytree(f"{b.folder}/copy", f"{b.folder}/state")
    b.start()
    try:
        common.wait_until(lambda: verdict(fleet, "b")[0] == 1, 120, "that b finds it out")
        common.wait_until(lambda: verdict(fleet, "a")[0] == 1, 120, "that a finds it out")
    except TimeoutError as error:
        checks.that(False, f"{error}: {verdict(fleet, 'b')} {verdict(fleet, 'a')}")
    said = verdict(fleet, "b")[1]
    print(said)
    checks.that("NOT whole" in said and f"b: record {number + 1}: it is missing" in said,
                f"b names the first record that is gone: {said}")
    said = verdict(fleet, "a")[1]
    print(said)
    checks.that("NOT whole" in said and "b: record" in said and "cut back" in said, f"and so does a: {said}")
    common.wait_until(lambda: "of the audit log cannot be trusted" in b.own_log(), 30, "b's log says so")
    # What b had said is with the others.
    fleet.on_all("that b revoked the rule was not lost with its log",
                 lambda n: fleet.rule(n)["state"] == "shadow")


def main():
    checks = common.Checks()
    netns.need_namespaces()
    with World(checks, "remedy", NODES, extra=config) as world:
        fleet = Fleet(checks, world)
        world.callback(fleet.end)
        world.start(120)
        common.wait_until(lambda: all(fleet.fetch(n, "/api/slo") for n in NODES), 60, "counts")
        signature = is_approved_elsewhere(checks, fleet)
        acts_alone(checks, fleet, signature)
        is_stopped(checks, fleet)
        is_set_back(checks, fleet)
        world.check_memory()
    checks.finish()


if __name__ == "__main__":
    main()
