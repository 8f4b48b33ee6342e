#!/usr/bin/env python3
"""An incident from its first bad request to its review, on a live agent: it opens within ten
seconds of the condition, names the service whose lines changed, is acknowledged, survives kill -9,
gets notes, roles and items, is resolved, and its review says what is known."""
import contextlib
import json
import signal
import sqlite3
import threading
import time

import common


def stamp(at, digits=3):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f"{at % 1:.{digits}f}"[1:] + "Z"


class Shop(threading.Thread):
    """A front door that calls `pay` and `mail`, 20 requests a second; `broken` makes pay fail."""

    def __init__(self, root):
        super().__init__(daemon=True)
        self.root, self.broken, self.done, self.number = root, False, threading.Event(), 0
        for pod in ("web-5d8f4-aaaaa", "pay-7c9f6-bbbbb", "mail-66d5c-ccccc"):
            common.write(self.path(pod), "")

    def path(self, pod):
        name = pod.split("-")[0]
        return f"{self.root}/pods/shop_{pod}_u-{name}/{name}/0.log"

    def line(self, pod, at, level, message, **fields):
        record = {"time": stamp(at), "level": level, "msg": message, "trace_id": self.trace, **fields}
        with open(self.path(pod), "a") as f:
            f.write(f"{stamp(at, 6)} stdout F {json.dumps(record)}\n")

    def request(self, at):
        self.number += 1
        self.trace = f"t{self.number:08d}"
        user = self.number % 97
        self.line("web-5d8f4-aaaaa", at, "info", f"order {self.number} of user {user} comes in")
        self.line("pay-7c9f6-bbbbb", at + .002, "info", f"charging card of user {user}")
        if self.broken:
            self.line("pay-7c9f6-bbbbb", at + .004, "error",
                      f"card service refused connection {self.number}")
        else:
            self.line("pay-7c9f6-bbbbb", at + .004, "info", f"charged {self.number} cents")
            self.line("mail-66d5c-ccccc", at + .006, "info", f"mail to user {user} is out")
        status = 502 if self.broken else 200
        self.line("web-5d8f4-aaaaa", at + .008, "info", "order answered", status=status)

    def run(self):
        while not self.done.wait(0.05):
            self.request(time.time())


def history(shop, seconds):
    """A healthy past, written before the agent starts."""
    begin = time.time() - seconds
    for i in range(int(seconds * 4)):
        shop.request(begin + i / 4)


def incident(agent, *arguments, code=0, checks=None, what=""):
    done = common.run(common.tool("NINES_BIN"), "incident", *arguments, "--agent",
                      f"127.0.0.1:{agent.port}", timeout=30)
    if checks is not None:
        checks.equal(done.returncode, code, what or f"nines incident {' '.join(arguments)}")
    return done.stdout.decode() + done.stderr.decode()


def incidents(port, query="?state=all"):
    status, body = common.get(port, "/api/incidents" + query)[:2]
    return json.loads(body) if status == 200 else []


def opens(checks, agent, shop):
    shop.broken = True
    began = time.time()
    fired = common.wait_until(lambda: [a for s in agent.slos().values() for a in s["alerts"]], 60, "an alert")
    noticed = time.time()
    found = common.wait_until(lambda: incidents(agent.port), 10, "an incident")
    checks.that(time.time() - noticed <= 10, "it opens within ten seconds of the alert")
    checks.that(bool(fired), "the alert fires")
    checks.equal(len(found), 1, "there is one incident")
    one = found[0]
    checks.that(one["id"].startswith(time.strftime("INC-%Y-%m%d-", time.gmtime(began))),
                f"it is named by its day: {one['id']}")
    checks.equal(one["service"], "checkout-service", "of the service whose budget burns")
    told = common.wait_until(
        lambda: [e["entry"] for e in incidents(agent.port)[0]["evidence"]
                 if e["kind"] == "suspects"], 90, "suspects")
    first = next(e for e in told if e["details"]["rank"] == "1")
    checks.equal(first["details"]["service"], "pay", "the first suspect is who broke")
    checks.that("refused" in first["text"] or "charged" in first["text"],
                f"with what it logs now, or no longer: {first['text']}")
    checks.that(first["details"]["wrong_if"] != "", "and what would make that wrong")
    return one["id"]


def is_worked_on(checks, agent, name, state):
    def deed(*arguments, **rest):
        return incident(agent, *arguments, "--state", state, "--by", "kim", checks=checks, **rest)

    deed("ack", name, "looking")
    checks.that("acknowledged" in incident(agent, "list"), "the list says that it is acknowledged")
    deed("assign", name, "commander", "alex")
    deed("note", name, "the card service was moved")
    deed("note", "--action", "--outcome", "worked", name, "rolled the card service back")
    actions = incidents(agent.port)[0]["actions"]
    checks.equal([(a["text"], a["details"]) for a in actions],
                 [("rolled the card service back", {"outcome": "worked"})], "what was done")
    deed("item", name, "alert on refused connections", "--owner", "kim", "--due",
         "2020-01-01T00:00:00Z")
    refused = deed("resolve", name, "over", code=2)
    checks.that("force" in refused or "holds" in refused, f"it is not over while it holds: {refused}")
    refused = deed("ack", "INC-1999-0101-001", code=2)
    checks.that("no such incident" in refused or "INC-1999" in refused, f"unknown ids are: {refused}")
    refused = incident(agent, "assign", name, "king", "alex", "--state", state)
    checks.that("commander" in refused, f"unknown roles are told: {refused}")
    status = common.get(agent.port, f"/api/incidents/{name}", method="POST")[0]
    checks.equal(status, 401, "nobody acts without the token")


def is_reviewed(checks, agent, name, state):
    incident(agent, "resolve", name, "rolled back", "--force", "--state", state, "--by", "kim",
             checks=checks)
    review = incident(agent, "postmortem", name, checks=checks)
    for part in ("Incident Summary", "Timeline", "Root Cause", "Resolution", "Lessons Learned",
                 "Action Items", "Prevention", "alert on refused connections", "pay"):
        checks.that(part in review, f"the review has {part!r}")
    checks.that("overdue" in review.lower(), "the review says which items are overdue")
    for kind in ("initial", "update", "resolution"):
        checks.that(name in incident(agent, "message", name, kind, checks=checks),
                    f"the {kind} message names the incident")
    checks.that("checkout" in incident(agent, "narrative", name, checks=checks),
                "the story names the service")


def stop(checks, agent):
    agent.process.send_signal(signal.SIGTERM)
    checks.equal(agent.process.wait(timeout=30), 0, "the agent stops")


def what_was_learned(state):
    """Bytes of each part."""
    with contextlib.closing(sqlite3.connect(f"{state}/nines.db")) as db:
        rows = db.execute("SELECT key, body FROM document WHERE kind = 'incident-learned'").fetchall()
    sizes = {}
    for key, body in rows:
        part = key.split("/")[0]
        sizes[part] = sizes.get(part, 0) + len(body)
    return sizes


def main():
    checks = common.Checks()
    root = common.scratch("incident")
    port = common.free_port()
    state = f"{root}/state"
    shop = Shop(root)
    history(shop, 600)
    config = common.write(f"{root}/nines.yaml", common.node_yaml(port, f"""sources:
  - name: pods
    paths: ["{root}/pods/*/*/*.log"]
incidents:
  sources: [pods]
"""))
    common.write(f"{root}/slos/checkout.yaml", common.ratio_slo(
        "checkout", f'paths: ["{root}/pods/shop_web-*/*/*.log"]', "status < 500",
        total="status > 0", window="1h"))
    shop.start()
    with common.Agent(config, state, port, log=f"{root}/agent.log") as agent:
        common.wait_until(lambda: agent.slos().get("checkout", {}).get("total", 0) > 100, 30,
                          "counts")
        checks.equal(incidents(port), [], "all is well at first")
        name = opens(checks, agent, shop)
        is_worked_on(checks, agent, name, state)
        before = incidents(port)[0]
        agent.kill()
    with common.Agent(config, state, port, log=f"{root}/agent.log") as agent:
        after = common.wait_until(lambda: incidents(port), 20, "incidents after kill -9")[0]
        for part in ("id", "acknowledged", "roles", "notes", "actions", "action_items"):
            checks.equal(after[part], before[part], f"{part} after kill -9")
        checks.equal(len(incidents(port)), 1, "and no second incident for the same trouble")
        shop.broken = False
        is_reviewed(checks, agent, name, state)
        seen = agent.slos()["checkout"]["total"]
        common.wait_until(lambda: agent.slos()["checkout"]["total"] > seen + 20, 30, "more lines")
        stop(checks, agent)
    learned = what_was_learned(state)
    checks.that(learned.get("templates", 0) > 100 and learned.get("usual", 0) > 100,
                f"what was learned is kept at the end: {learned}")
    with common.Agent(config, state, port, log=f"{root}/agent.log") as agent:
        common.wait_until(lambda: incidents(port), 20, "incidents after a stop")
        stop(checks, agent)
    again = what_was_learned(state)
    checks.that(again.get("templates", 0) >= learned.get("templates", 0),
                f"and taken up again: {again} after {learned}")
    with open(f"{root}/agent.log", encoding="utf-8") as log:
        checks.that("learned anew" not in log.read(), "nothing of it had to be learned anew")
    shop.done.set()
    checks.finish()


if __name__ == "__main__":
    main()
