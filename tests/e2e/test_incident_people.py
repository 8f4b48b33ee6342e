#!/usr/bin/env python3
"""Who is told of incidents, by a live agent that is killed in between: what no alert told is told
once, as a ticket or as a page; an alert names its incident; while nobody acknowledges it goes one
level up and no further than somebody has; who was told learns that it is over. Overdue items, KPIs
against a recount, the status, and a language model that behaves, lies and hangs."""
import http.server
import json
import re
import threading
import time

import common
import notify_standins as standins
from test_alerts import POLICY

PD_KEY = "0123456789abcdef0123456789abcdef"


class Queue(threading.Thread):
    """A log that says twice a second how deep a queue is."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.path, self.depth, self.ending = path, 3, threading.Event()

    def run(self):
        with open(self.path, "a", buffering=1) as f:
            while not self.ending.wait(0.5):
                stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
                f.write(json.dumps({"time": stamp, "service": "mail", "depth": self.depth}) + "\n")


class Model:
    """Stands in for a language model: `mode` says how it answers."""

    def __init__(self):
        self.mode, self.asked, self.port = "behaves", [], common.free_port()
        self.release = threading.Event()
        model = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                model.asked.append((self.path, self.headers.get("Authorization"), body))
                text = model.answer(body)
                if text is None:
                    return
                answer = json.dumps({"choices": [{"message": {"role": "assistant",
                                                              "content": text}}]}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

        self.server = Server(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05},
                         daemon=True).start()

    def answer(self, body):
        said = body["messages"][1]["content"]
        if self.mode == "behaves":
            return "In short: " + said
        if self.mode == "lies":
            return said + " About 4711 users are affected."
        self.release.wait(120)
        return None


class World:
    def __init__(self, checks):
        self.checks, self.folder = checks, common.scratch("people")
        self.state, self.port = f"{self.folder}/state", common.free_port()
        self.hook, self.tickets = standins.Webhook(), standins.Webhook()
        self.lead, self.boss = standins.Webhook(), standins.Webhook()
        self.pager, self.model = standins.PagerDuty(PD_KEY), Model()
        common.write(f"{self.folder}/pd.key", PD_KEY + "\n")
        common.write(f"{self.folder}/model.token", "model-token-5\n")
        self.access = f"{self.folder}/access.log"
        self.queue = Queue(common.write(f"{self.folder}/queue.log", ""))
        self.config = common.write(f"{self.folder}/nines.yaml", common.node_yaml(self.port, f"""
sources:
  - name: depths
    paths: ["{self.folder}/queue.log"]
    format: json
    gauge: {{value: depth, of: service, limit: 10}}
incidents:
  sources: [depths]
  acknowledge_within: {{P0: 2s, P1: 4s, P2: 1h}}
  escalate_to: [lead, boss]
  runbook: "https://wiki.example.org/{{kind}}"
narrative:
  url: "http://127.0.0.1:{self.model.port}/v1"
  model: small
  token_file: model.token
  timeout: 2s
webhooks:
  - {{name: hook, url: "{self.hook.url('/hook')}"}}
notifiers:
  - {{name: pager, kind: pagerduty, url: "{self.pager.url('/v2/enqueue')}", secret_file: pd.key,
      severities: [page]}}
  - {{name: tracker, kind: webhook, url: "{self.tickets.url('/tickets')}", severities: [ticket]}}
  - {{name: lead, kind: webhook, url: "{self.lead.url('/lead')}", severities: [critical]}}
  - {{name: boss, kind: webhook, url: "{self.boss.url('/boss')}", severities: [critical]}}
"""))
        common.write(f"{self.folder}/slos/web.yaml", common.ratio_slo(
            "web", f'paths: ["{self.access}"], format: nginx', "status < 500", "", "0.9", "1h") +
            POLICY)

    def start(self):
        return common.Agent(self.config, self.state, self.port, log=f"{self.folder}/agent.log")

    def nines(self, *arguments, code=0):
        done = common.run(common.tool("NINES_BIN"), *arguments, "--agent",
                          f"127.0.0.1:{self.port}", timeout=60)
        if done.returncode != code:
            self.checks.equal(done.returncode, code,
                              f"nines {' '.join(arguments)}: {done.stderr.decode()}")
        return done.stdout.decode()

    def deed(self, *arguments):
        return self.nines("incident", *arguments, "--state", self.state, "--by", "kim")

    def incidents(self):
        status, body = common.get(self.port, "/api/incidents?state=all&limit=1000")
        return json.loads(body) if status == 200 else []

    def incident(self, name):
        return next((i for i in self.incidents() if i["id"] == name), None)

    def declare(self, severity, text):
        out = json.loads(self.deed("declare", text, "--severity", severity, "--service", "shop",
                                   "-o", "json"))
        return out["id"]


def told(standin, incident=None, transition=None):
    """Distinct events in order: (transition, incident, body). A repeat has the key of the first."""
    seen, out = set(), []
    for key, body in list(standin.events):
        if key in seen:
            continue
        seen.add(key)
        about = body.get("incident", {})
        if incident is not None and about.get("id") != incident:
            continue
        if transition is None or about.get("transition") == transition:
            out.append((about.get("transition"), about.get("id"), body))
    return out


def transitions(standin, incident):
    return [t for t, _, _ in told(standin, incident)]


def metric(world, name):
    _, text = common.get(world.port, "/metrics")
    found = re.search(rb"^" + re.escape(name.encode()) + rb" (\S+)", text, re.M)
    return float(found[1]) if found else None


def queue_is_told(checks, world):
    """A condition that is no alert: a ticket, once, although the agent dies in between."""
    with world.start() as agent:
        common.wait_until(lambda: common.get(world.port, "/readyz")[0] == 200, 60, "ready")
        checks.that("no incident is open" in world.nines("slo", "status"), "all is well at first")
        world.queue.depth = 50
        # Killed as soon as the first of them is there: before the agent could note that it was.
        common.wait_until(lambda: world.hook.events, 150, "the queue is told of", poll=0.001)
        agent.kill()
    name = world.hook.events[0][1]["incident"]["id"]
    with world.start() as agent:
        common.wait_until(lambda: world.incident(name), 30, "the incident after kill -9")
        common.wait_until(lambda: told(world.tickets, name), 60, "the ticket")
        one = told(world.hook, name)[0][2]
        checks.equal((one["kind"], one["slo"], one["severity"], one["priority"]),
                     ("fired", name, "ticket", "P2"), "a queue is a ticket")
        checks.that("depth is 50, above 10" in one["summary"], one["summary"])
        checks.equal(one["incident"]["runbook"], "https://wiki.example.org/queue_depth", "runbook")
        world.deed("severity", name, "P1", "orders wait")
        common.wait_until(lambda: world.pager.triggers, 60, "it is a page now")
        common.wait_until(lambda: "worse" in transitions(world.hook, name), 60, "worse")
        world.deed("ack", name, "looking")
        agent.kill()
    checks.equal(transitions(world.hook, name)[:2], ["opened", "worse"], "once each")
    checks.equal(transitions(world.tickets, name), ["opened"], "no ticket of the page")
    return name


def goes_up(checks, world, acknowledged):
    """Two more that nobody found but people: one is acknowledged after the first level."""
    with world.start() as agent:
        common.wait_until(lambda: world.incidents(), 30, "up again")
        first = world.declare("P1", "the shop does not answer")
        agent.kill()  # as soon as the command says that it is written
    with world.start() as agent:
        common.wait_until(lambda: told(world.hook, first), 60, "told after kill -9")
        common.wait_until(lambda: told(world.lead, first), 60, "nobody answered: one level up")
        world.deed("ack", first, "on it")
        second = world.declare("P0", "the shop loses orders")
        common.wait_until(lambda: told(world.boss, second), 90, "two levels up")
        agent.kill()
    checks.equal(transitions(world.hook, first), ["opened"], "everybody hears of it once")
    one = told(world.lead, first)[0][2]
    checks.equal((one["incident"]["transition"], one["incident"]["level"]), ("escalated", "1"), "up")
    checks.that("nobody has acknowledged it for" in one["summary"], one["summary"])
    # The second one had the time for two levels; the first one, acknowledged, had more.
    checks.equal(told(world.boss, first), [], "no further than somebody has acknowledged")
    checks.equal((transitions(world.lead, second), transitions(world.boss, second)),
                 (["escalated"], ["escalated"]), "each level once")
    checks.equal((told(world.lead, acknowledged), told(world.boss, acknowledged)), ([], []),
                 "what was acknowledged in time goes nowhere")
    return first, second


def is_noted(checks, world, first, second):
    def channels(name, wanted):
        pages = [(p["details"]["channel"], p["text"].split(":")[0])
                 for p in (world.incident(name) or {"pages": []})["pages"]]
        return sorted(pages) if sorted(pages) == sorted(wanted) else None
    common.wait_until(lambda: world.incidents(), 30, "up again")
    for name, wanted in (
            (first, [("hook", "opened"), ("pager", "opened"), ("lead", "escalated")]),
            (second, [("hook", "opened"), ("pager", "opened"), ("lead", "escalated"),
                      ("boss", "escalated")])):
        try:
            common.wait_until(lambda: channels(name, wanted), 30, "pages")
            checks.that(True, "who was told stands in the incident")
        except TimeoutError:
            checks.equal([(p["details"]["channel"], p["text"]) for p in world.incident(name)["pages"]],
                         wanted, f"who was told of {name}")


def ends(checks, world, names):
    for name in names:
        world.deed("resolve", name, "mended", "--force")
    for name in names:
        common.wait_until(lambda: "resolved" in transitions(world.hook, name), 60, "it is over")
        checks.equal(transitions(world.hook, name).count("resolved"), 1, "over once")
    common.wait_until(lambda: not world.pager.open, 60, "nothing is open at the pager")
    common.wait_until(lambda: "resolved" in transitions(world.boss, names[2]), 60,
                      "who was told one level up learns that it is over")
    checks.equal(transitions(world.lead, names[1]), ["escalated", "resolved"], "the lead, too")
    checks.equal(sorted(world.pager.triggers), sorted(set(world.pager.triggers)), "one trigger each")
    common.wait_until(lambda: "resolved" in transitions(world.tickets, names[0]), 60,
                      "who got the ticket learns that the page is over")
    one = [b for t, _, b in told(world.hook, names[0]) if t == "resolved"][0]
    checks.equal((one["kind"], one["severity"]), ("resolved", "page"), "its end")
    checks.equal(one["since"], told(world.hook, names[0])[0][2]["since"], "since")


def alert_names_it(checks, world, writer):
    writer.status = 503
    fired = common.wait_until(lambda: [b for _, b in list(world.hook.events)
                                       if b["slo"] == "web" and b["kind"] == "fired"], 90, "an alert")
    name = fired[0].get("incident", {}).get("id")
    found = common.wait_until(lambda: [i for i in world.incidents() if i["service"] == "web-service"],
                              30, "its incident")
    checks.equal(name, found[0]["id"], "the alert names its incident")
    common.wait_until(lambda: any(p["text"].startswith("alert web")
                                  for p in (world.incident(name) or {"pages": []})["pages"]), 30,
                      "that the alert was told stands in the incident")
    common.wait_until(lambda: told(world.boss, name, "escalated"), 90, "an alert is escalated, too")
    checks.equal(told(world.hook, name, "opened"), [], "what the alert told is not told again")
    footer = world.nines("slo", "status")
    severity = found[0]["severity"]
    checks.that(f"{name}, {severity}, since" in footer, f"the status names it: {footer[-400:]}")
    alike = sum(i["state"] != "resolved" and i["severity"] == severity for i in world.incidents())
    checks.equal(metric(world, f'nines_incidents_open{{severity="{severity}"}}'), float(alike),
                 "metric")
    status = json.loads(common.get(world.port, "/api/status")[1])
    checks.that(name in [i["id"] for i in status["incidents"]["open"]], "the status document")
    writer.status = 200
    return name


def items_are_recalled(checks, world, name):
    world.deed("item", name, "alert on the queue", "--owner", "kim", "--due", "2020-01-01T00:00:00Z")
    world.deed("item", name, "write it down", "--due", "2090-01-01T00:00:00Z")
    table = world.nines("incident", "items")
    checks.that("alert on the queue" in table and "OVERDUE" in table and "write it down" in table,
                table)
    overdue = json.loads(world.nines("incident", "items", "--overdue", "-o", "json"))
    checks.equal([(i["incident"], i["item"], i["overdue"]) for i in overdue], [(name, "A1", True)],
                 "what is overdue")

    def reminders():
        return [b for _, _, b in told(world.tickets) if b["slo"] == "action-items"]
    common.wait_until(reminders, 120, "a reminder")
    return reminders


def kpis_are_right(checks, world):
    found = json.loads(world.nines("incident", "kpi", "-o", "json"))
    all_of_them = world.incidents()

    def at(text):
        seconds = time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")
        fraction = float("0" + re.search(r"(\.\d+)?Z$", text)[0][:-1]) if "." in text else 0.0
        import calendar
        return int((calendar.timegm(seconds) + fraction) * 1000)

    def mean(pairs):
        spans = [(at(b) - at(a)) // 1000 for a, b in pairs if a and b and at(b) >= at(a)]
        return len(spans), sum(spans) / len(spans) if spans else None

    def recovered(i):
        return (i["recovered"] or i["resolved"]) if i["state"] == "resolved" else None

    for severity in ("P0", "P1", "P2", "P3", None):
        some = [i for i in all_of_them if severity in (None, i["severity"])]
        told_of = found["all"] if severity is None else found["by_severity"][severity]
        checks.equal(told_of["incidents"], len(some), f"incidents of {severity}")
        for name, pairs in (("mttd", [(i["began"], i["opened"]) for i in some]),
                            ("mtta", [(i["opened"], i["first_acknowledged"]) for i in some]),
                            ("mttr", [(i["began"], recovered(i)) for i in some])):
            count, average = mean(pairs)
            checks.equal(told_of[name]["count"], count, f"{name} of {severity}: how many")
            got = told_of[name]["mean_seconds"]
            near = (got is None and average is None) or abs(got - average) < 1.0
            checks.that(near, f"{name} of {severity}: {got} against {average}")
    items = [item for i in all_of_them for item in i["action_items"]]
    checks.equal(found["action_items"], {
        "all": len(items), "done": sum(bool(i["done"]) for i in items),
        "overdue": sum(i["overdue"] for i in items)}, "items")
    urgent = [i for i in all_of_them if i["severity"] in ("P0", "P1") and recovered(i)]
    checks.equal(found["urgent"]["recovered"], len(urgent), "urgent ones that are over")
    checks.equal(found["urgent"]["within_target"], len(urgent), "all of them within half an hour")
    checks.that("MTTR" in world.nines("incident", "kpi", "--since", "7d"), "the table")
    world.nines("incident", "kpi", "--since", "yesterday", code=2)
    listed = json.loads(world.nines("incident", "list", "--all", "--severity", "P0", "-o", "json"))
    checks.equal(sorted(i["id"] for i in listed),
                 sorted(i["id"] for i in all_of_them if i["severity"] == "P0"), "list by severity")


def story_is_told(checks, world):
    def story():
        return json.loads(common.get(world.port, "/api/narrative?format=json", timeout=30)[1])
    good = story()
    checks.that(good["rewritten"] and good["text"].startswith("In short: "), f"rewritten: {good}")
    path, token, _ = world.model.asked[0]
    checks.equal((path, token), ("/v1/chat/completions", "Bearer model-token-5"), "how it is asked")
    world.model.mode = "lies"
    world.declare("P3", "a fan is loud")  # another story
    refused = story()
    checks.that(not refused["rewritten"] and "4711" in refused["note"], f"a lie: {refused['note']}")
    checks.that("4711" not in refused["text"] and "fan" in refused["text"], refused["text"])
    checks.that("(what the language model wrote is not shown" in world.nines("incident", "narrative"),
                "the command says so")
    world.model.mode = "hangs"
    begun = time.monotonic()
    plain = story()
    took = time.monotonic() - begun
    checks.that(not plain["rewritten"] and plain["text"] == refused["text"], f"plain: {plain}")
    checks.that(took < 20, f"it waits no longer than it is told to: {took:.1f} s")
    world.model.release.set()
    for outcome, least in (("accepted", 1), ("refused", 2), ("failed", 1)):
        got = metric(world, f'nines_narrative_rewrites_total{{outcome="{outcome}"}}')
        checks.that(got is not None and got >= least, f"counter {outcome}: {got}")


def main():
    checks = common.Checks()
    world = World(checks)
    writer = common.AccessLog(world.access)
    writer.start()
    world.queue.start()
    try:
        queue = queue_is_told(checks, world)
        first, second = goes_up(checks, world, queue)
        with world.start() as agent:
            is_noted(checks, world, first, second)
            ends(checks, world, [queue, first, second])
            burning = alert_names_it(checks, world, writer)
            reminders = items_are_recalled(checks, world, burning)
            agent.kill()
        with world.start():
            common.wait_until(lambda: world.incident(burning), 30, "up again")
            checks.equal(len(reminders()), 1, "one reminder a day, also over kill -9")
            world.deed("done", burning, "A1")
            common.wait_until(lambda: [b for b in reminders() if b["kind"] == "resolved"], 120,
                              "nothing is overdue any more")
            kpis_are_right(checks, world)
            story_is_told(checks, world)
        for standin in (world.hook, world.tickets, world.lead, world.boss, world.pager):
            checks.equal(standin.violations, [], "wire formats")
    finally:
        writer.ending.set()
        world.queue.ending.set()
        if checks.failures:
            with open(f"{world.folder}/agent.log", errors="replace") as f:
                print(f.read()[-4000:])
    checks.finish()


if __name__ == "__main__":
    main()
