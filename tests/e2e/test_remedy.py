#!/usr/bin/env python3
"""A worker that breaks again and again, from its first incident to a rule that repairs it: what
people did (as other tools write it down: JSON, CSV) is learned and drafted by itself, a rule is
watched in shadow, tried out and run by a person, approved, allowed once, armed, and repairs the next
one by itself; kill -9 between decision and deed repeats nothing; the stop file and the kill switch
hold; what it was good for is told; outside of its window it waits; when it stops working it goes back
to shadow."""
import csv
import json
import os
import signal
import subprocess
import sys
import time

import common

WORKER = r"""
import json, os, sys, time
log, broken = sys.argv[1], sys.argv[2]
ill = False
while True:
    ill = ill or os.path.exists(broken)   # it stays ill until it is started anew
    record = {"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "status": 500 if ill else 200,
              "level": "error" if ill else "info", "msg": "job failed" if ill else "job done"}
    with open(log, "a") as f:
        f.write(json.dumps(record) + "\n")
    time.sleep(0.05)
"""

# What stands in for systemd: it starts the worker anew and keeps its process number.
SYSTEMCTL = """#!{python}
import os, signal, subprocess, sys, time
root = {root!r}
verb, unit = sys.argv[1], sys.argv[-1]
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
if os.path.exists(root + "/slow"):
    time.sleep(600)
if os.path.exists(root + "/broken") and not os.path.exists(root + "/incurable"):
    os.unlink(root + "/broken")
process = subprocess.Popen([{python!r}, root + "/worker.py", root + "/worker.log", root + "/broken"],
                           start_new_session=True)
open(root + "/worker.pid", "w").write(str(process.pid))
"""

POLICY = """---
apiVersion: nines/v1alpha1
kind: SLOPolicy
metadata: {name: quick}
spec:
  sloRef: jobs
  burnAlerts:
    - {name: quick, severity: page, long: 20s, short: 10s, factor: 2}
  lowTraffic: {minBad: 2, significance: 0.05}
  resolve: {ratio: 0.9, evaluations: 2, cooldown: 0s}
  data: {minCoverage: 0}
"""


# An act is looked at when its alert has had time to end: slots of 10 s, the last one counted up to 10 s
# late, and no bad one left in 20 s of them.
AFTER = "50s"


class World:
    def __init__(self):
        self.root = common.scratch("remedy")
        self.port = common.free_port()
        self.state = f"{self.root}/state"
        common.write(f"{self.root}/worker.py", WORKER)
        common.write(f"{self.root}/worker.log", "")
        path = common.write(f"{self.root}/systemctl",
                            SYSTEMCTL.format(python=sys.executable, root=self.root))
        os.chmod(path, 0o755)
        self.systemctl = path
        self.configure(post_check=AFTER)
        common.write(f"{self.root}/slos/jobs.yaml", common.ratio_slo(
            "jobs", f'paths: ["{self.root}/worker.log"]', "status < 500", window="1h", target="0.9") + POLICY)
        self.supervise("restart")

    def configure(self, post_check, windows="[]"):
        """windows: those of rules; [] for always."""
        self.config = common.write(f"{self.root}/nines.yaml", common.node_yaml(self.port, f"""remediation:
  enabled: true
  verbs: [unit-restart]
  units: [worker.service]
  systemctl: {self.systemctl}
  stop_file: {self.root}/STOP
  post_check: {post_check}
  cool_down: 0s
  rule_per_hour: 20
  node_per_hour: 20
  shadow_hits: 1
""" + (f"  windows: {windows}\n" if windows != "[]" else "")))

    def agent(self):
        return common.Agent(self.config, self.state, self.port, log=f"{self.root}/agent.log")

    def supervise(self, verb):
        subprocess.run([f"{self.root}/systemctl", verb, "worker.service"], check=True, timeout=30)

    def breaks(self):
        common.write(f"{self.root}/broken", "")

    def restarts(self):
        with open(f"{self.root}/systemctl.log", encoding="utf-8") as log:
            return sum(line.startswith("restart --quiet") for line in log)

    def fetch(self, path):
        status, body = common.get(self.port, path)[:2]
        return json.loads(body) if status == 200 else None

    def metric(self, name):
        for line in common.get(self.port, "/metrics")[1].decode().splitlines():
            if line.startswith(name + " "):
                return float(line.split()[1])
        return 0

    def open(self):
        return self.fetch("/api/incidents?state=open") or []

    def remedies(self):
        return self.fetch("/api/remedies") or {"rules": [], "acts": [], "waiting": []}

    def acts(self, phase):
        return [a for a in self.remedies()["acts"] if a["phase"] == phase]

    def rule(self, name):
        return next((r for r in self.remedies()["rules"] if r["rule"] == name), None)

    def helped(self, count):
        common.wait_until(lambda: len(self.acts("helped")) == count, 240, f"that {count} acts helped")

    def opens(self):
        return common.wait_until(self.open, 120, "an incident")[0]

    def calm(self):
        common.wait_until(lambda: not [i for i in self.open() if i["state"] != "mitigated"
                                       and any(c["holds"] for c in i["conditions"])],
                          180, "that nothing holds any more")

    def remedy(self, checks, *arguments, code=0):
        write = [] if arguments[0] in ("list", "learn", "audit", "effect", "show", "report") else \
            ["--state", self.state, "--by", "kim"]
        done = common.run(common.tool("NINES_BIN"), "remedy", *arguments, "--agent",
                          f"127.0.0.1:{self.port}", *write, timeout=30)
        said = done.stdout.decode() + done.stderr.decode()
        checks.equal(done.returncode, code, f"nines remedy {' '.join(arguments)}: {said.strip()[:200]}")
        return said

    def tell(self, part, checks):
        began = time.time()
        try:
            part(checks, self)
        except TimeoutError:
            told = self.remedies()
            print(f"  {part.__name__}: waiting {told['waiting']}\n  acts {told['acts']}\n  open "
                  f"{[(i['id'], i['state'], i['conditions']) for i in self.open()]}")
            with open(f"{self.root}/agent.log", encoding="utf-8") as log:
                print(log.read()[-4000:])
            raise
        print(f"  {part.__name__}: {time.time() - began:.0f} s")

    def end(self):
        subprocess.run(["pkill", "-KILL", "-f", f"{self.root}/worker.py"], check=False)


def history(signature):
    """What another tool knows: restarts helped, waiting did not."""
    records = []
    for i in range(24):
        good = i % 2 == 0
        records.append({"id": f"OLD-{i}", "signature": signature, "severity": "P1",
                        "action": "unit-restart worker.service" if good else "nothing",
                        "at": f"2026-0{1 + i // 12}-{1 + i % 12:02d}T10:00:00Z",
                        "outcome": "resolved" if good else "failed",
                        "recover_s": 300 if good else 7200})
    return json.dumps({"records": records})


def as_csv(path, records, spoil=None):
    with open(path, "w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)  # RFC 4180: CRLF, quotes where needed
        writer.writerow(list(records[0]) + ["who"])
        for i, record in enumerate(records):
            row = dict(record, **(spoil if spoil and i == 1 else {}))
            writer.writerow(list(row.values()) + ["Kim, on call" if i else 'the "old" tool'])
    return path


def is_learned(checks, world):
    world.breaks()
    incident = world.opens()
    kind = incident["conditions"][0]["kind"]
    world.signature = f"{kind} {incident['service']}"
    world.supervise("restart")  # by a person
    records = json.loads(history(world.signature))["records"]
    wrong = as_csv(f"{world.root}/wrong.csv", records[:10], {"severity": "urgent"})
    said = world.remedy(checks, "import", wrong, code=2)
    checks.that("wrong.csv:3:" in said and "'severity' must be P0 to P3" in said,
                f"what is wrong in a CSV is told with its place: {said.strip()}")
    table = as_csv(f"{world.root}/history.csv", records[:10])
    checks.that('"new": 10, "known": 0' in world.remedy(checks, "import", table),
                "nothing of a file with a fault was taken, all of one without")
    path = common.write(f"{world.root}/history.json", history(world.signature))
    said = world.remedy(checks, "import", path)
    checks.that('"new": 14, "known": 10' in said, "what was done elsewhere is taken in, once")
    bad = common.write(f"{world.root}/bad.json", '{"records": [{"id": "x", "signature": "y"}]}')
    checks.that("record 1" in world.remedy(checks, "import", bad, code=2), "a bad record is named")
    lessons = world.remedy(checks, "learn")
    checks.that("proven" in lessons and "12 of 12" in lessons, f"that a restart works is proven:\n{lessons}")
    world.calm()
    drafted = common.wait_until(lambda: [r for r in world.remedies()["rules"]], 120, "a draft by itself")
    checks.equal([(r["state"], r["action"]) for r in drafted], [("draft", "unit-restart worker.service")],
                 f"what is proven is drafted by itself ({drafted[0]['rule']}), and no more")
    world.remedy(checks, "remove", drafted[0]["rule"])
    world.remedy(checks, "draft", "restart-worker", "--action", "unit-restart worker.service",
                 "--signature", world.signature)


def is_watched(checks, world):
    before = world.restarts()
    world.remedy(checks, "approve", "restart-worker", code=2)
    world.remedy(checks, "shadow", "restart-worker")
    world.breaks()
    incident = world.opens()
    common.wait_until(lambda: world.rule("restart-worker")["shadow_hits"] == 1, 60, "a hit in shadow")
    checks.equal(world.restarts(), before, "a rule in shadow does nothing")
    said = world.remedy(checks, "run", "restart-worker", "--incident", incident["id"], "--dry-run")
    print(said)
    for part in ("is-active --quiet", "tried out   would", "the rule    no: the rule may not act",
                 "you         go"):
        checks.that(part in said, f"a dry run says '{part}'")
    checks.equal((world.restarts(), world.remedies()["acts"]), (before, []), "and does nothing")
    said = world.remedy(checks, "run", "restart-worker", "--incident", incident["id"])
    checks.that("is begun" in said, f"a person runs it: {said.strip().splitlines()[-1]}")
    common.wait_until(lambda: world.restarts() == before + 1, 60, "the restart")
    world.helped(1)
    checks.equal((world.restarts(), world.acts("helped")[0].get("who")), (before + 1, "kim"),
                 "it is his act, once, and looked at afterwards")
    world.calm()


def is_allowed_once(checks, world):
    world.remedy(checks, "approve", "restart-worker")
    world.breaks()
    incident = world.opens()
    before = world.restarts()
    common.wait_until(lambda: any("approve" in w["why"] for w in world.remedies()["waiting"]), 60,
                      "that it asks to be allowed")
    checks.equal(world.restarts(), before, "approved it waits for a person")
    target = world.remedies()["waiting"][0]["target"]
    world.remedy(checks, "allow", "restart-worker", "--incident", incident["id"], "--target", target)
    common.wait_until(lambda: world.restarts() == before + 1, 60, "the restart")
    world.helped(2)
    checks.equal(world.restarts(), before + 1, "once")
    world.calm()


def acts_alone(checks, world):
    world.remedy(checks, "auto", "restart-worker")
    before = world.restarts()
    world.breaks()
    incident = world.opens()
    began = time.time()
    common.wait_until(lambda: world.restarts() == before + 1, 60, "the restart")
    print(f"  repaired {time.time() - began:.1f} s after the incident was open")
    world.helped(3)
    checks.equal(world.restarts(), before + 1, "armed it repairs by itself, once")
    told = world.fetch(f"/api/incidents/{incident['id']}")
    checks.that(any(a["details"].get("rule") == "restart-worker" for a in told["actions"]),
                "the incident says what was done")
    world.calm()


def is_killed(checks, world, agent):
    """kill -9 while the action is under way: afterwards it is looked at, not repeated."""
    before = world.restarts()
    common.write(f"{world.root}/slow", "")
    world.breaks()
    common.wait_until(lambda: world.restarts() == before + 1, 120, "the restart that hangs")
    agent.kill()
    os.unlink(f"{world.root}/slow")
    subprocess.run(["pkill", "-KILL", "-f", f"{world.root}/systemctl"], check=False)


def is_in_doubt(checks, world):
    before = world.restarts()
    world.supervise("restart")  # a person
    doubt = common.wait_until(lambda: world.acts("in doubt") or world.acts("not done"), 240,
                              "that the act has an end")
    checks.equal(world.restarts(), before, "nothing was repeated")
    if doubt[0]["phase"] == "in doubt":
        world.remedy(checks, "settle", doubt[0]["id"], "the worker runs")
        checks.equal(len(world.acts("settled")), 1, "a person settles it")
    world.calm()


def is_stopped(checks, world):
    world.remedy(checks, "stop", "maintenance of the rack")
    before = world.restarts()
    world.breaks()
    world.opens()
    common.wait_until(lambda: any("kill switch" in w["why"] for w in world.remedies()["waiting"]), 60,
                      "that the kill switch is told")
    checks.equal(world.restarts(), before, "nothing is done while it is stopped")
    common.write(f"{world.root}/STOP", "")
    world.remedy(checks, "resume", "over")
    looked = world.metric("nines_remedy_held_total")
    common.wait_until(lambda: world.metric("nines_remedy_held_total") > looked + 1, 60,
                      "two looks while the stop file is there")
    checks.equal(world.restarts(), before, "nor while the stop file is there")
    os.unlink(f"{world.root}/STOP")
    common.wait_until(lambda: world.restarts() == before + 1, 90, "the restart afterwards")
    checks.equal(world.restarts(), before + 1, "it goes on when both are gone")
    world.helped(4)
    world.calm()


def is_told(checks, world):
    effect = world.remedy(checks, "effect", "restart-worker")
    print(effect)
    checks.that("restart-worker" in effect, "what the rule was good for is told")
    whole = world.remedy(checks, "show", "restart-worker")
    print(whole)
    for part in ("state      auto since", "before    it is on the allow-list", "rollback  after",
                 "rule_armed by kim", "helped"):
        checks.that(part in whole, f"the whole of the rule has '{part}'")
    told = json.loads(world.remedy(checks, "show", "restart-worker", "-o", "json"))
    checks.equal((told["rule"]["state"], told["known"]["n"] >= 12, len(told["procedure"]["steps"])),
                 ("auto", True, 1), "and so has its JSON")
    checks.equal([a.get("before") in ("active", "inactive") for a in told["acts"]], [True] * len(told["acts"]),
                 "what the unit was before each act is told")
    print(world.remedy(checks, "report"))
    audit = world.fetch("/api/remedies/audit")
    checks.that(audit["whole"], "the audit log is whole")
    kinds = [json.loads(r["body"])["what"] for r in audit["records"]]
    for kind in ("rule_drafted", "shadow_hit", "dry_run", "intent", "result", "verified", "stop",
                 "resume"):
        checks.that(kind in kinds, f"it has a record of {kind}")
    checks.equal(common.get(world.port, "/api/remedies", method="POST")[0], 401,
                 "nobody says anything without the token")


def window(after_h, hours):
    """One that opens in so many hours, by the clock of a zone that never changes (+05:30)."""
    begin = time.time() + 5.5 * 3600 + after_h * 3600
    clock = [time.strftime("%H:%M", time.gmtime(at)) for at in (begin, begin + hours * 3600)]
    return f'[{{from: "{clock[0]}", to: "{clock[1]}", zone: Asia/Kolkata}}]'


def waits_for_its_window(checks, world):
    before = world.restarts()
    world.breaks()
    incident = world.opens()
    common.wait_until(lambda: any("outside of the windows" in w["why"] for w in world.remedies()["waiting"]),
                      60, "that the window is told")
    said = world.remedy(checks, "run", "restart-worker", "--incident", incident["id"], "--dry-run")
    for part in ("the rule    no: outside of the windows", "you         go"):
        checks.that(part in said, f"outside of its window a dry run says '{part}'")
    checks.equal(world.restarts(), before, "and nothing is done")


def acts_in_its_window(checks, world):
    """On what was broken before it opened."""
    before = len(world.acts("helped"))
    common.wait_until(lambda: len(world.acts("helped")) == before + 1, 120, "the repair")
    checks.equal(world.acts("helped")[0]["rule"], "restart-worker", "within it the rule repairs")
    world.calm()


def stops_working(checks, world):
    """A restart does not help any more."""
    common.write(f"{world.root}/incurable", "")
    before = world.restarts()
    world.breaks()
    common.wait_until(lambda: world.rule("restart-worker")["state"] == "shadow", 240,
                      "that the rule is back in shadow")
    checks.equal((world.restarts() - before, len(world.acts("did not help"))), (3, 3),
                 "after three failures in a row it may not act any more")
    checks.equal((world.rule("restart-worker")["demotions"], world.remedies()["stopped"]), (1, True),
                 "that is on record, and everything has stopped")
    checks.equal(world.metric("nines_remedy_demoted_total"), 1, "it is counted")
    with open(f"{world.root}/agent.log", encoding="utf-8") as log:
        checks.that("rule restart-worker goes back to shadow: 3 failures in a row" in log.read(),
                    "people are told")
    kinds = [json.loads(r["body"])["what"] for r in world.fetch("/api/remedies/audit")["records"]]
    checks.that("rule_demoted" in kinds, "and the audit log has it")
    # While all is stopped nothing is a hit.
    looked = world.remedy(checks, "approve", "restart-worker", code=2)
    checks.that("are needed" in looked, "it is not promoted by what it was before")
    world.remedy(checks, "resume", "looked")


def main():
    checks = common.Checks()
    world = World()
    try:
        with world.agent() as agent:
            common.wait_until(lambda: agent.slos().get("jobs", {}).get("total", 0) > 100, 30, "counts")
            for part in (is_learned, is_watched, is_allowed_once, acts_alone):
                world.tell(part, checks)
            is_killed(checks, world, agent)
        with world.agent():
            common.wait_until(lambda: world.fetch("/api/remedies"), 30, "the agent again")
            for part in (is_in_doubt, is_stopped, is_told):
                world.tell(part, checks)
        world.configure(post_check=AFTER, windows=window(6, 8))
        with world.agent():
            common.wait_until(lambda: world.fetch("/api/remedies"), 30, "the agent again")
            world.tell(waits_for_its_window, checks)
        world.configure(post_check=AFTER, windows=window(-2, 8))
        with world.agent():
            common.wait_until(lambda: world.fetch("/api/remedies"), 30, "the agent again")
            world.tell(acts_in_its_window, checks)
        world.configure(post_check="20s")
        with world.agent():
            common.wait_until(lambda: world.fetch("/api/remedies"), 30, "the agent again")
            world.tell(stops_working, checks)
    finally:
        world.end()
    checks.finish()


if __name__ == "__main__":
    main()
