#!/usr/bin/env python3
"""A small shop for the page to show, on live agents: two nodes that know each other, a day and a half
of logs behind them, services that are well, slow, burning and out of budget, one that breaks now (an
incident with a suspect), a worker that a remedy may restart, an on-call rota, a change log.

Run by hand it prints where it is and stays until Ctrl-C:
  NINES_BIN=build/dev/agent/nines tests/page/world.py [--dist agent/page/dist]"""
import json
import math
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import common  # noqa: E402
import fleet_nodes  # noqa: E402
from test_incident import Shop  # noqa: E402
from test_remedy import SYSTEMCTL, WORKER  # noqa: E402

HOUR, DAY = 3600, 86400
PAST_S, EVERY_S = 36 * HOUR, 12  # how far the logs reach back, and a request so often

# name: (target of availability, share of bad requests by hours ago, usual latency in ms)
SERVICES = {
    "storefront": (0.995, lambda ago: 0.001, 40),
    "checkout": (0.99, lambda ago: 0.5 if 7.0 < ago < 8.5 else 0.002, 90),
    "search": (0.99, lambda ago: 0.006, 160),
    "catalog": (0.999, lambda ago: 0.0002, 25),
    "accounts": (0.99, lambda ago: 0.03 if 20 < ago < 21 else 0.002, 60),
    "recommend": (0.95, lambda ago: 0.02, 220),
}
POLICY = """---
apiVersion: nines/v1alpha1
kind: SLOPolicy
metadata: {{name: {slo}-quick}}
spec:
  sloRef: {slo}
  burnAlerts:
    - {{name: quick, severity: page, long: 1m, short: 10s, factor: 2}}
  lowTraffic: {{minBad: 2, significance: 0.05}}
  resolve: {{ratio: 0.9, evaluations: 2, cooldown: 0s}}
  data: {{minCoverage: 0}}
"""
ONCALL = """people:
  - {id: anna, name: Anna Arendt, time_zone: Europe/Berlin, skills: [checkout], notify: [desk]}
  - {id: ben, name: Ben Okafor, time_zone: Europe/Berlin, notify: [desk]}
  - {id: carla, name: Carla Diaz, time_zone: America/New_York, skills: [payments], notify: [desk]}
schedules:
  - name: primary
    time_zone: Europe/Berlin
    layers: [{rotation: daily, start: "2026-01-05 09:00", people: [anna, ben, carla]}]
  - name: secondary
    time_zone: Europe/Berlin
    layers: [{rotation: weekly, start: "2026-01-05 09:00", people: [ben, carla]}]
policies:
  - {name: all, levels: [{schedule: primary}, {schedule: secondary}, {people: [carla]}]}
"""


def access_line(at, status, ms):
    return (f'10.0.0.1 - - [{time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(at))}] '
            f'"GET / HTTP/1.1" {status} 512 "-" "t" {ms / 1000:.3f}\n')


def past_of(name, chance, now):
    """Lines of a service from PAST_S ago until now: a day's rhythm in how many, a tail in how long."""
    target, bad, usual = SERVICES[name]
    at, lines = now - PAST_S, []
    while at < now:
        ago = (now - at) / HOUR
        status = 503 if chance.random() < bad(ago) else 200
        slow = 3 if name == "search" and 3 < ago < 5 else 1
        lines.append(access_line(at, status, usual * slow * chance.lognormvariate(0, 0.5)))
        at += chance.expovariate(1 / EVERY_S) / (1 + 0.5 * math.sin(at / DAY * 2 * math.pi))
    return "".join(lines)


class Traffic(threading.Thread):
    """What the services get while the page is looked at: a request of each twice a second."""

    def __init__(self, paths):
        super().__init__(daemon=True)
        self.paths, self.ending, self.chance = paths, threading.Event(), random.Random(3)

    def run(self):
        while not self.ending.wait(0.5):
            now = time.time()
            for name, path in self.paths.items():
                _, bad, usual = SERVICES[name]
                status = 503 if self.chance.random() < bad(0) else 200
                with open(path, "a", encoding="utf-8") as out:
                    out.write(access_line(now, status, usual * self.chance.lognormvariate(0, 0.5)))


class World:
    def __init__(self):
        self.root = common.scratch("page")
        self.ports = {name: common.free_port() for name in ("north", "south")}
        fleet_nodes.issue(f"{self.root}/pki", self.ports)
        self.nodes = {name: fleet_nodes.Node(self.root, name) for name in self.ports}
        self.north, self.south = self.nodes["north"], self.nodes["south"]
        self.port, self.state = self.north.port, f"{self.north.folder}/state"
        self.shop = Shop(self.north.folder)
        self.traffic = self.worker = None

    # ---- what is on the disks before the agents start

    def peers(self, name):
        return fleet_nodes.peers_yaml(f"{self.root}/pki/{name}",
                                      [p for n, p in self.ports.items() if n != name],
                                      self.ports[name])

    def write_past(self):
        now, chance = time.time(), random.Random(11)
        paths = {}
        for name in SERVICES:
            paths[name] = common.write(f"{self.north.folder}/access/{name}.log",
                                       past_of(name, chance, now))
        common.write(f"{self.south.folder}/access/storefront.log", past_of("storefront", chance, now))
        for i in range(10800):  # a healthy past of what will break: it is compared with itself
            self.shop.request(now - 2700 + i / 4)
        self.traffic = Traffic(paths)

    def slos_of(self, name):
        target, _, usual = SERVICES[name]
        source = f"paths: [access/{name}.log], format: nginx"
        text = common.ratio_slo(f"{name}-available", source, "status < 500", "", str(target), "1d")
        if name in ("storefront", "search", "catalog"):
            text += common.threshold_slo(f"{name}-fast", source, "duration_ms", "lte", usual * 4,
                                         target="0.95", window="1d")
        return re.sub(rf"service: {name}-\w+-service", f"service: {name}", text)

    def configure(self):
        north = self.north.folder
        common.write(f"{north}/oncall.yaml", ONCALL)
        common.write(f"{north}/worker.py", WORKER)
        common.write(f"{north}/worker.log", "")
        common.write(f"{north}/systemctl", SYSTEMCTL.format(python=sys.executable, root=north))
        os.chmod(f"{north}/systemctl", 0o755)
        for name in SERVICES:
            common.write(f"{north}/slos/{name}.yaml", self.slos_of(name))
        common.write(f"{north}/slos/orders.yaml", common.ratio_slo(
            "orders-answered", f'paths: ["{north}/pods/shop_web-*/*/*.log"]', "status < 500",
            total="status > 0", window="1h", target="0.99").replace(
                "orders-answered-service", "orders"))
        common.write(f"{north}/slos/jobs.yaml", common.ratio_slo(
            "jobs-done", 'paths: [worker.log]', "status < 500", window="1h", target="0.9").replace(
                "jobs-done-service", "jobs") + POLICY.format(slo="jobs-done"))
        common.write(f"{north}/slos/images.yaml", common.ratio_slo(
            "images-available", "paths: [access/images.log], format: nginx", "status < 500").replace(
                "images-available-service", "images"))
        common.write(f"{self.south.folder}/slos/storefront.yaml", self.slos_of("storefront"))
        self.north.configure(self.peers("north") + f"""
sources:
  - name: pods
    paths: ["{north}/pods/*/*/*.log"]
incidents:
  sources: [pods]
oncall: {{file: oncall.yaml}}
webhooks: [{{name: desk, url: "http://127.0.0.1:9/"}}]
remediation:
  enabled: true
  verbs: [unit-restart]
  units: [worker.service]
  systemctl: {north}/systemctl
  post_check: 60s
  cool_down: 0s
  shadow_hits: 1
""")
        self.south.configure(self.peers("south"))

    # ---- time passes

    def start(self):
        self.write_past()
        self.configure()
        subprocess.run([f"{self.north.folder}/systemctl", "restart", "worker.service"], check=True)
        for node in self.nodes.values():
            node.start()
        self.traffic.start()
        self.shop.start()
        common.wait_until(lambda: self.get("/api/slo"), 60, "the agent")
        common.wait_until(lambda: all(s["total"] > 100 for s in self.get("/api/slo")
                                      if s["service"] != "images"), 120, "counts of the past")

    def get(self, path):
        status, body = common.get(self.port, path)
        return json.loads(body) if status == 200 else None

    def post(self, path, body):
        with open(f"{self.state}/api.token", encoding="utf-8") as f:
            token = f.read().strip()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", json.dumps(body).encode(),
            {"Content-Type": "application/json", "Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read())

    def note_changes(self):
        now = time.time()

        def at(ago_h):
            return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - ago_h * HOUR))

        for ago, kind, service, text in ((8.6, "deploy", "checkout", "checkout 41 to 42"),
                                         (7.0, "deploy", "checkout", "checkout back to 41"),
                                         (5.0, "manual_action", "search", "index moved to the new disk")):
            self.post("/api/changes", {"kind": kind, "service": service, "at": at(ago),
                                       "who": "kim", "text": text})

    def breaks(self):
        """An incident with a suspect, and a rule that waits to be allowed."""
        self.shop.broken = True
        common.write(f"{self.north.folder}/broken", "")

        def of(service):
            return [i for i in self.get("/api/incidents") or [] if i["service"] == service]

        jobs = common.wait_until(lambda: of("jobs"), 120, "the incident of the worker")[0]
        signature = f"{jobs['conditions'][0]['kind']} jobs"
        say = {"rule": "restart-worker", "who": "kim"}
        self.post("/api/remedies", {"do": "draft", "action": "unit-restart worker.service",
                                    "signature": signature, **say})
        self.post("/api/remedies", {"do": "shadow", **say})
        self.post("/api/remedies", {"do": "draft", "rule": "restart-search", "who": "kim",
                                    "action": "unit-restart worker.service", "service": "search"})
        common.wait_until(lambda: any(r["shadow_hits"] for r in self.get("/api/remedies")["rules"]),
                          60, "a hit in shadow")
        common.wait_until(lambda: [i for i in of("orders") if i["suspects"]], 180, "suspects")
        return signature

    def end(self):
        self.shop.done.set()
        if self.traffic:
            self.traffic.ending.set()
        for node in self.nodes.values():
            if node.agent:
                node.agent.kill()
        try:
            with open(f"{self.north.folder}/worker.pid", encoding="utf-8") as f:
                os.kill(int(f.read()), signal.SIGKILL)
        except (OSError, ValueError):
            pass

    def facts(self):
        """What the driver of the browser has to know."""
        with open(f"{self.state}/api.token", encoding="utf-8") as f:
            return {"agent": f"http://127.0.0.1:{self.port}", "token": f.read().strip(),
                    "root": self.root, "pid": self.north.agent.process.pid}


def main():
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    world = World()
    try:
        world.start()
        world.note_changes()
        world.breaks()
        print(json.dumps(world.facts()), flush=True)
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
    finally:
        world.end()


if __name__ == "__main__":
    main()
