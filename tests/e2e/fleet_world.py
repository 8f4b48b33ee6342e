"""Agents on machines of their own (netns), peers over mutual TLS with certificates of nines pki, each
with a log that is written to, all with one receiver of pages; and what must be true of them after any
fault: equal budgets that a recount confirms, every event told, no page twice."""
import contextlib
import glob
import json
import os
import re
import time

import common
import fleet_nodes
import netns
import test_fleet
from test_alerts import Receiver

PEERS, API, PEOPLE = 9991, 9100, "people"
MAX_RSS = 96 * 2**20  # of an agent; 20 MiB are usual
POLICY = """---
apiVersion: nines/v1alpha1
kind: SLOPolicy
metadata: {name: quick}
spec:
  sloRef: web
  burnAlerts:
    - {name: quick, severity: page, long: 1m, short: 10s, factor: 2}
  lowTraffic: {minBad: 2, significance: 0.05}
  resolve: {ratio: 0.9, evaluations: 2, cooldown: 0s}
  data: {minCoverage: 0}
"""


def clock_ahead(seconds):
    """Environment of a program whose wall clock is wrong; its monotonic one is not."""
    library = next(iter(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")), "")
    return {"LD_PRELOAD": library, "FAKETIME": f"{seconds:+d}s", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1"} if library else None


class Machine:
    def __init__(self, world, name, ahead_s=0):
        self.world, self.name, self.ahead_s = world, name, ahead_s
        self.folder = f"{world.folder}/{name}"
        self.log = f"{self.folder}/access.log"
        common.write(self.log, "")
        slo = common.ratio_slo("web", "paths: [access.log], format: nginx", "status < 500", "", "0.9",
                               "2h")
        common.write(f"{self.folder}/slos/web.yaml", slo + POLICY)
        self.writer = common.AccessLog(self.log, clock_ahead_s=ahead_s)
        self.agent, self.peak = None, 0

    def configure(self, peers, extra):
        pki = f"{self.world.folder}/pki/{self.name}"
        people = self.world.network.address(PEOPLE)
        text = common.node_yaml(API, (
            f"peers:\n  cluster: shop\n  listen: 0.0.0.0:{PEERS}\n"
            + (f"  nodes: [{', '.join(peers)}]\n" if peers else "  mdns: true\n") +
            f"  ca_file: {pki}/ca.crt\n  cert_file: {pki}/node.crt\n  key_file: {pki}/node.key\n"
            f"webhooks: [{{name: hook, url: \"http://{people}:{self.world.receiver.port}/\","
            f" timeout: 2s}}]\n{extra}"))
        self.config = common.write(f"{self.folder}/nines.yaml",
                                   text.replace("node: test", f"node: {self.name}"))

    def start(self):
        with self.world.network.inside(self.name):
            self.agent = common.Agent(self.config, f"{self.folder}/state", API,
                                      log=f"{self.folder}/agent.log", cwd=self.folder,
                                      env=clock_ahead(self.ahead_s) if self.ahead_s else {})

    def kill(self):
        self.look_at_memory()
        self.agent.kill()

    def wait_for_commits(self):
        with self.world.network.inside(self.name):
            self.agent.wait_for_commits()

    def look_at_memory(self):
        self.peak = max(self.peak, common.peak_rss_bytes(self.agent.process))

    def get(self, path):
        with self.world.network.inside(self.name):
            return common.get(API, path)

    def fleet(self):
        status, body = self.get("/api/fleet")
        return json.loads(body) if status == 200 else {"nodes": [], "slos": []}

    def metric(self, name):
        found = re.search(rf"^{name}(?:{{.*}})? ([-+.e0-9]+)$", self.get("/metrics")[1].decode(), re.M)
        return float(found[1]) if found else None

    def peers(self, what, wanted):
        return sorted(n["node"] for n in self.fleet()["nodes"] if n[what] == wanted)

    def alive(self):
        return self.peers("state", "alive")

    def budget(self):
        found = [b for b in self.fleet()["slos"] if b["slo"] == "web"]
        return found[0] if len(found) == 1 else {"good": 0, "bad": 0, "nodes": []}

    def counts(self):
        budget = self.budget()
        return budget["good"], budget["bad"]

    def own_counts(self):
        own = [p for p in self.budget()["nodes"] if p["node"] == self.name]
        return (own[0]["good"], own[0]["bad"]) if own else None

    def own_log(self):
        with open(f"{self.folder}/agent.log", errors="replace") as f:
            return f.read()


class World(contextlib.ExitStack):
    """`ahead_s`: clocks that are wrong. peers(world, name): where a machine dials, none: what it finds
    by multicast DNS; else all others."""

    def __init__(self, checks, what, names, ahead_s=None, extra=lambda world: "", peers=None):
        super().__init__()
        self.checks, self.folder = checks, common.scratch(f"net-{what}")
        self.network = self.enter_context(netns.Network([*names, PEOPLE]))
        with self.network.inside(PEOPLE):
            self.receiver = Receiver("0.0.0.0")
            self.receiver.open(200)
        self.callback(self.receiver.shut)
        fleet_nodes.pki(f"{self.folder}/pki", "init", "--cluster", "shop")
        self.machines = [Machine(self, name, (ahead_s or {}).get(name, 0)) for name in names]
        self.callback(self.end)
        for machine in self.machines:
            fleet_nodes.pki(f"{self.folder}/pki", "issue", machine.name)
            others = [f"{self.network.address(n)}:{PEERS}" for n in names if n != machine.name]
            machine.configure(peers(self, machine.name) if peers else others, extra(self))

    def __getitem__(self, name):
        return next(m for m in self.machines if m.name == name)

    def names(self):
        return [m.name for m in self.machines]

    def start(self, seconds=60):
        for machine in self.machines:
            machine.writer.start()
            machine.start()
        self.all_hear_all(seconds)
        return self

    def all_hear_all(self, seconds):
        common.wait_until(lambda: all(m.peers("connected", True) == self.names()
                                      and m.alive() == self.names() for m in self.machines),
                          seconds, "all hear all", poll=0.5)

    def end(self):
        for machine in self.machines:
            machine.writer.ending.set()
            if machine.agent is not None:
                machine.agent.kill()
            if self.checks.failures:
                print(f"--- {machine.name}\n{machine.own_log()[-2500:]}")

    def stop_writing(self):
        """Until each node has counted all that there is and told it to whom it reaches."""
        for machine in self.machines:
            machine.writer.ending.set()
            machine.writer.join()
        common.wait_until(lambda: all(m.own_counts() == test_fleet.recount([m])
                                      for m in self.machines), 150, "the last minute closed", poll=1)

    def heal(self, seconds=60):
        """Mends the network; budgets must be equal and what the logs say within `seconds`."""
        wanted, began = test_fleet.recount(self.machines), time.monotonic()
        self.network.heal()
        self.same_budgets(wanted, seconds)
        print(f"budgets equal {time.monotonic() - began:.1f} s after healing: {wanted}", flush=True)

    def same_budgets(self, wanted, seconds):
        try:
            common.wait_until(lambda: all(m.counts() == wanted for m in self.machines), seconds,
                              "budgets", poll=0.25)
        except TimeoutError:
            pass
        self.checks.equal([m.counts() for m in self.machines], [wanted] * len(self.machines),
                          f"budgets and recount within {seconds} s")

    # --- pages
    def told(self):
        """Deliveries that were accepted: key -> body. A repeated key tells the same."""
        found = {}
        for key, body in list(self.receiver.delivered()):
            first = found.setdefault(key, body)
            if "relayed_by" in body or "relayed_by" in first:  # by two, each with its words
                body, first = ([one[k] for k in ("kind", "slo", "rule")] for one in (body, first))
            self.checks.equal(body, first, f"a repetition of {key}")
        return found

    def pages(self, kind, rule="node-silent"):
        return [(b["node"], b["slo"]) for b in self.told().values()
                if b["kind"] == kind and b["rule"] == rule]

    def check_pages(self, silent=None):
        """`silent`: (who pages, about whom), each fired and resolved once and nothing else so; None:
        any, but each thing once. Every event of every node has come, and none under two keys."""
        told = self.told()
        if silent is not None:
            wanted = sorted((by, f"node-{about}") for by, about in silent)
            for kind in ("fired", "resolved"):
                self.checks.equal(sorted(self.pages(kind)), wanted, f"{kind} for silent nodes")
        facts = [(b["node"], b["slo"], b["rule"], b["kind"], b["since"]) for b in told.values()]
        self.checks.equal(len(set(facts)), len(facts), f"facts told under one key each: {facts}")
        for machine in self.machines:
            bodies = [b for _, b in self.receiver.delivered()]
            numbers = sorted({b["sequence"] for b in bodies if b["node"] == machine.name}
                             | {b["relayed_sequence"] for b in bodies
                                if b.get("relayed_by") == machine.name})
            self.checks.equal(numbers, list(range(1, len(numbers) + 1)),
                              f"events of {machine.name} without a gap")
        again = len(self.receiver.delivered()) - len(told)
        print(f"{len(told)} pages, {again} repeated under their key", flush=True)

    def check_memory(self):
        for machine in self.machines:
            machine.look_at_memory()
        peaks = {m.name: m.peak for m in self.machines}
        print("peak RSS, MiB:", {n: round(p / 2**20, 1) for n, p in peaks.items()}, flush=True)
        self.checks.that(0 < max(peaks.values()) < MAX_RSS, f"memory stays bounded: {peaks}")
