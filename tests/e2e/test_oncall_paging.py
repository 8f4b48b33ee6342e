#!/usr/bin/env python3
"""Pages go to the person who is on call, by a live agent that is killed in between: one person after
the other while nobody acknowledges, each once; an alert of an SLO by the same way, with budget and
redacted lines, or none where that is wanted; everybody when nobody can be reached; P3 as one digest;
the next person at once where what reaches somebody refuses. A broken on-call document does not take
the place of a good one. What was paged, by whom it was acknowledged and who is next stand in the API
and in the report."""
import json
import os
import signal
import stat
import time

import common
import notify_standins as standins
from test_alerts import POLICY
from test_incident_people import metric, told, transitions

PEOPLE = """
people:
  - {id: anna, name: Anna Arendt, notify: [phone-anna]}
  - {id: ben, notify: [siren-ben], skills: [shop]}
  - {id: dora}
"""
DOCUMENT = PEOPLE + """
schedules:
  - name: primary
    layers: [{rotation: weekly, start: "2026-01-05 09:00", people: [anna]}]
policies:
  - name: all
    levels: [{schedule: primary}, {people: [dora, ben]}]
    acknowledge_within: {P0: 4s, P1: 6s, P2: 1h}
    digest: {at: "%s", days: [mon, tue, wed, thu, fri, sat, sun]}
  - {name: nobodys, services: [lost], levels: [{people: [dora]}]}
"""

SECRET = "Zx9-very-secret"

SIREN = """#!/bin/sh
printf '%s %s %s %s\\n' "$NINES_KIND" "$NINES_TRANSITION" "$NINES_PERSON" "$NINES_INCIDENT" >> "$1"
"""


class Shop(common.AccessLog):
    """Whose users give away what they should not."""

    @staticmethod
    def line(status, at=None):
        return common.AccessLog.line(status, at).replace("GET / ", f"GET /?token={SECRET}&item=7 ")


class World:
    def __init__(self, checks):
        self.checks, self.folder = checks, common.scratch("oncall-paging")
        self.state, self.port = f"{self.folder}/state", common.free_port()
        self.phone, self.chat = standins.Webhook(), standins.Webhook()
        self.siren = common.write(f"{self.folder}/siren.txt", "")
        program = common.write(f"{self.folder}/siren.sh", SIREN)
        os.chmod(program, stat.S_IRWXU)
        self.access = f"{self.folder}/access.log"
        self.document(DOCUMENT % "00:00")
        self.config = common.write(f"{self.folder}/nines.yaml", common.node_yaml(self.port, f"""
oncall: {{file: oncall.yaml}}
webhooks:
  - {{name: chat, url: "{self.chat.url('/chat')}"}}
  - {{name: phone-anna, url: "{self.phone.url('/anna')}"}}
notifiers:
  - {{name: siren-ben, kind: exec, program: {program}, arguments: [{self.siren}],
      severities: [page]}}
"""))
        common.write(f"{self.folder}/slos/web.yaml", common.ratio_slo(
            "web", f'paths: ["{self.access}"], format: nginx', "status < 500", "", "0.9", "1h") +
            POLICY)

    def document(self, text):
        common.write(f"{self.folder}/oncall.yaml", text)

    def start(self):
        agent = common.Agent(self.config, self.state, self.port, log=f"{self.folder}/agent.log")
        common.wait_until(lambda: common.get(self.port, "/readyz")[0] == 200, 60, "ready")
        return agent

    def nines(self, *arguments, code=0):
        done = common.run(common.tool("NINES_BIN"), *arguments, timeout=60)
        self.checks.equal(done.returncode, code, f"{arguments}: {done.stderr.decode()}")
        return done.stdout.decode()

    def evaluations(self, number):
        """Waits until the agent has evaluated so often."""
        moments = set()

        def enough():
            status, body = common.get(self.port, "/api/slo")
            moments.update(s["timestamp"] for s in (json.loads(body) if status == 200 else []))
            return len(moments) > number

        common.wait_until(enough, 120, f"{number} evaluations")

    def deed(self, *arguments, by="kim"):
        return self.nines("incident", *arguments, "--agent", f"127.0.0.1:{self.port}", "--state",
                          self.state, "--by", by)

    def declare(self, severity, text, service="shop"):
        return json.loads(self.deed("declare", text, "--severity", severity, "--service", service,
                                    "-o", "json"))["id"]

    def incident(self, name):
        status, body = common.get(self.port, f"/api/incidents/{name}")
        return json.loads(body) if status == 200 else None

    def ask(self, path):
        status, body = common.get(self.port, path)
        self.checks.equal(status, 200, path)
        return json.loads(body)

    def ben(self, incident):
        """What his siren was told of that incident: (transition, person), each delivery."""
        with open(self.siren, encoding="utf-8") as f:
            return [tuple(line.split(" ")[1:3]) for line in f if line.strip().endswith(incident)]

    def log(self):
        with open(f"{self.folder}/agent.log", encoding="utf-8", errors="replace") as f:
            return f.read()


def person_by_person(checks, world):
    with world.start() as agent:
        who = world.ask("/api/oncall")
        checks.equal([(s["schedule"], s["person"]) for s in who["schedules"]], [("primary", "anna")],
                     "who is on call")
        name = world.declare("P1", "the shop does not answer")
        common.wait_until(lambda: told(world.phone, name), 60, "anna is told", poll=0.001)
        agent.kill()  # before it could note that she was
    with world.start() as agent:
        common.wait_until(lambda: world.ben(name), 60, "nobody answered: ben is told")
        agent.kill()
    with world.start():
        # dora has no notifier: nobody is left, so everybody is told, once.
        common.wait_until(lambda: len(told(world.phone, name)) >= 2, 60, "everybody is told")
        common.wait_until(lambda: len(world.ben(name)) >= 2, 60, "everybody is told: ben, too")
        world.deed("ack", name, "on it", by="Ben")
        world.evaluations(8)  # one a second: longer than the time to acknowledge
        checks.equal(transitions(world.phone, name), ["opened", "escalated"], "anna: each once")
        checks.equal(sorted(set(world.ben(name))), [("escalated", ""), ("escalated", "ben")], "ben")
        checks.equal(transitions(world.chat, name), ["opened", "escalated"], "what is nobody's")
        first = told(world.phone, name)[0][2]
        checks.equal((first["incident"]["person"], first["incident"]["why"]),
                     ("anna", "on call by primary"), "who and why")
        checks.equal(first["incident"]["experts"], "ben", "who else knows it")
        pages = [p["details"]["person"] for p in world.incident(name)["pages"]
                 if "person" in p["details"]]
        checks.equal(pages, ["anna", "ben"], "who was paged stands in the incident, once")
        everybody = told(world.phone, name)[1][2]["incident"]["why"]
        checks.that(everybody.startswith("everybody is told: "), everybody)
        second = world.declare("P0", "the shop loses orders")
        common.wait_until(lambda: told(world.phone, second) or world.ben(second), 60, "the next one")
        world.deed("ack", second, "mine", by="anna arendt")
    return name, second


def report_is_right(checks, world, name, second):
    with world.start():
        lines = [json.loads(line) for line in
                 common.get(world.port, "/api/oncall/pages")[1].decode().splitlines()]
        of_first = [(p["person"], "acknowledged" in p) for p in lines if p["incident"] == name]
        checks.equal(of_first, [("anna", False), ("ben", True)], "who acknowledged it")
        checks.equal([p["incident"] for p in lines], [name] * 2 + [second] * (len(lines) - 2),
                     "all pages, over kill -9")
        report = world.ask("/api/oncall/report")
        checks.equal(report["pages"], len(lines), "the report of the API")
        shown = json.loads(world.nines("oncall", "report", "--config", world.config, "--state",
                                       world.state, "-o", "json"))
        for one in (report, shown):
            ben = next(p for p in one["people"] if p["person"] == "ben")
            checks.that(ben["acknowledged"] >= 1 and ben["median_ack_s"] < 60, f"ben: {ben}")
        checks.equal(shown["pages"], report["pages"], "nines oncall report reads the agent's ledger")
        route = world.ask("/api/oncall/route?service=shop&severity=P1")
        checks.equal({c["person"] for c in route["candidates"]}, {"anna", "ben", "dora"}, "route")
        checks.equal(common.get(world.port, "/api/oncall/route?severity=P9")[0], 400, "a bad question")
        text = common.get(world.port, "/api/oncall/route?service=shop&format=text")[1].decode()
        checks.that("fatigue" in text, text)
        print(world.nines("oncall", "report", "--config", world.config, "--state", world.state))
        print(text)


def nobody_is_reached(checks, world):
    with world.start():
        before = metric(world, 'nines_incident_told_total{transition="on_call_nobody"}')
        name = world.declare("P1", "nobody knows this", service="lost")
        common.wait_until(lambda: told(world.phone, name) and world.ben(name), 60, "all are told")
        why = told(world.phone, name)[0][2]["incident"]["why"]
        checks.equal(why, "everybody is told: dora has no notifier here", "and why")
        after = metric(world, 'nines_incident_told_total{transition="on_call_nobody"}')
        checks.equal(after, before + 1, "it is counted")
        doctor = common.run(common.tool("NINES_BIN"), "doctor", "--config", world.config, "--state",
                            world.state, "-o", "json", timeout=60)
        found = [c["found"] for c in json.loads(doctor.stdout) if c["check"] == "on-call"]
        checks.equal(found, ["cannot be told: dora"], "the doctor finds who cannot be told")
        world.deed("resolve", name, "found", "--force")
        common.wait_until(lambda: "resolved" in transitions(world.phone, name), 60, "all hear its end")


def context_is_there(checks, page):
    """What the issue of pages demands: budget left and burn, example lines; of these the secrets
    hidden. (Runbook and similar incidents: test_page_links.py; experts: person_by_person.)"""
    context = page.get("context", {})
    budgets = [(b["slo"], b["window"]) for b in context.get("budgets", [])]
    checks.equal(budgets, [("web", "1h")], f"the budget of the SLO: {context}")
    budget = context["budgets"][0]
    checks.that(budget["left"] is not None and budget["left"] < 1, f"what is left: {budget}")
    checks.that((budget["burn_rate_5m"] or 0) > 0, f"how fast it goes: {budget}")
    lines = context.get("lines", [])
    checks.that(1 <= len(lines) <= 3 and all(" 503 " in line for line in lines), f"lines: {lines}")
    checks.that(all("token=***" in line and SECRET not in line for line in lines), f"{lines}")
    checks.that(len(json.dumps(context)) < 4096, "bounded")
    checks.that(SECRET not in json.dumps(page), "no secret of a log line leaves the node")
    print(f"  a page says: {budget}, {lines[:1]}")


def alert_goes_the_same_way(checks, world, writer):
    with world.start():
        writer.status = 503
        common.wait_until(lambda: [b for _, b in list(world.chat.events) if b.get("slo") == "web"], 120,
                          "the alert, where it is nobody's")
        fired = [b for _, b in list(world.chat.events) if b.get("slo") == "web"][0]
        name = fired["incident"]["id"]
        common.wait_until(lambda: told(world.phone, name) or world.ben(name), 60, "a person is told")
        writer.status = 200
        checks.equal([b for _, b in list(world.phone.events) if b.get("slo") == "web"], [],
                     "the alert itself wakes nobody")
        context_is_there(checks, fired)
        pages = [p["details"]["person"] for p in world.incident(name)["pages"]
                 if "person" in p["details"]]
        checks.that(pages and set(pages) <= {"anna", "ben"}, f"the incident of the alert: {pages}")
        world.deed("ack", name, "looking", by="anna")
    return name


def reload_and_digest(checks, world):
    with world.start() as agent:
        world.document(DOCUMENT.replace("[anna]", "[hanna]") % "00:00")
        agent.process.send_signal(signal.SIGHUP)
        common.wait_until(lambda: "not reloaded" in world.log(), 30, "a broken document is refused")
        checks.equal(world.ask("/api/oncall")["schedules"][0]["person"], "anna", "the old one stays")
        soon = time.strftime("%H:%M", time.gmtime(time.time() + 100))
        world.document(DOCUMENT % soon)
        agent.process.send_signal(signal.SIGHUP)
        # While it is reloaded nobody answers.
        common.wait_until(lambda: f"T{soon}:00Z" in str(common.get(world.port, "/api/oncall")[1]),
                          60, "a good one is taken")
        common.wait_until(lambda: common.get(world.port, "/readyz")[0] == 200, 60, "ready")
        names = [world.declare("P3", "a fan is loud"), world.declare("P3", "a lamp is out", "web")]
        for name in names:
            common.wait_until(lambda n=name: told(world.chat, n), 60, "what is nobody's hears of it")
        agent.kill()
    with world.start():
        digests = lambda: [b for _, b in list(world.phone.events) if b.get("query") == "digest"]
        common.wait_until(digests, 180, "the digest")
        one = digests()[0]
        checks.equal(one["summary"], "Digest of all: 2 incidents of P3", "the digest")
        checks.equal(sorted(r["incident"] for r in one["rows"]), sorted(names), "its incidents")
        for name in names:
            checks.equal((told(world.phone, name), world.ben(name)), ([], []), "P3 wakes nobody")
    with world.start():
        world.evaluations(3)  # of the next life
        keys = {key for key, b in list(world.phone.events) if b.get("query") == "digest"}
        checks.equal(len(keys), 1, "one digest, also over kill -9")


def refusal_does_not_wait(checks, world):
    """Of a P2 anna has an hour, but what reaches her says no: ben is told at once."""
    with world.start():
        world.phone.answer = 404
        name = world.declare("P2", "a button is grey")
        common.wait_until(lambda: world.ben(name), 60, "ben is told")
        checks.equal(world.ben(name), [("escalated", "ben")], "once")
        pages = [p["details"]["person"] for p in world.incident(name)["pages"]
                 if "person" in p["details"]]
        checks.equal(pages, ["anna", "ben"], "anna was to be told first")
        checks.equal(metric(world, 'nines_incident_told_total{transition="on_call_refused"}'), 1,
                     "it is counted")
        dead = [d["notifier"] for d in world.ask("/api/outbox")["dead_letters"]]
        checks.equal(dead, ["phone-anna"], "what was refused is a dead letter")


def lines_stay_here(checks, world):
    """An option, taken by a reload, keeps error lines off pages; the incident has them on."""
    writer = Shop(world.access)
    writer.start()
    try:
        with world.start() as agent:
            with open(world.config, encoding="utf-8") as f:
                before = f.read()
            common.write(world.config, before + "incidents: {show_lines: false}\n")
            agent.process.send_signal(signal.SIGHUP)
            common.wait_until(lambda: "reloading" in world.log(), 60, "it is taken")
            common.wait_until(lambda: common.get(world.port, "/readyz")[0] == 200, 60, "ready")
            writer.status = 503
            alerts = lambda: [b for _, b in list(world.chat.events) if b.get("slo") == "web"]
            common.wait_until(alerts, 120, "the alert")
            context = alerts()[0].get("context", {})
            checks.that(context.get("budgets"), f"the budget is told as ever: {context}")
            name = alerts()[0]["incident"]["id"]
            common.wait_until(lambda: told(world.phone, name) or world.ben(name), 60, "a person too")
            messages = [b for _, b in list(world.chat.events) + list(world.phone.events)]
            checks.equal([b["context"]["lines"] for b in messages
                          if b.get("context", {}).get("lines")], [], "no page has lines")
            checks.that(all(" 503 " not in json.dumps(b) and "token=" not in json.dumps(b)
                            for b in messages), "nor anything that quotes them")
            print(f"  without lines, of {len(messages)} messages: {context}")
    finally:
        writer.ending.set()


def main():
    checks = common.Checks()
    world = World(checks)
    writer = Shop(world.access)
    writer.start()
    try:
        name, second = person_by_person(checks, world)
        report_is_right(checks, world, name, second)
        nobody_is_reached(checks, world)
        alert_goes_the_same_way(checks, world, writer)
        reload_and_digest(checks, world)
        refusal_does_not_wait(checks, World(checks))
        lines_stay_here(checks, World(checks))
        for standin in (world.phone, world.chat):
            checks.equal(standin.violations, [], "wire formats")
    finally:
        writer.ending.set()
        if checks.failures:
            print(world.log()[-4000:])
    checks.finish()


if __name__ == "__main__":
    main()
