#!/usr/bin/env python3
"""Three agents whose clocks are apart, and a known sequence over them: deploy, fault, alert, page,
ack, action, recovery. The timeline of each of them tells it in its true order (which sorting by
the reported times does not), marks what cannot be ordered, says it as text, JSON, Mermaid and a
picture, and is the same after kill -9: nothing lost, nothing twice."""
import datetime
import json
import time
import xml.etree.ElementTree

import common
import fleet_nodes
import test_fleet
from fleet_world import POLICY, clock_ahead
from test_alerts import Receiver

AHEAD = {"a": 0, "b": 7, "c": -4}


class Node(test_fleet.Node):
    """With a clock that is wrong by so much, and everything about its one service."""

    def __init__(self, folder, name, ports, receiver):
        super().__init__(folder, name, ports, receiver)
        slo = common.ratio_slo("web", "paths: [access.log], format: nginx", "status < 500", "", "0.9",
                               "1h")
        common.write(f"{self.folder}/slos/web.yaml", slo + POLICY)
        self.writer = common.AccessLog(self.log, clock_ahead_s=AHEAD[name])

    def environment(self):
        return clock_ahead(AHEAD[self.name])

    def cli(self, *arguments, code=0):
        done = common.run(common.tool("NINES_BIN"), *arguments, "--agent", f"127.0.0.1:{self.port}",
                          timeout=60)
        if done.returncode != code:
            raise AssertionError(f"{arguments}: exit {done.returncode}\n{done.stderr.decode()}")
        return done.stdout.decode() + (done.stderr.decode() if code else "")

    def write(self, *arguments):
        return self.cli(*arguments, "--state", f"{self.folder}/state", "--by", "kim")

    def annotate(self, kind, text, *more):
        return self.write("annotate", "--kind", kind, "--service", "web-service", "--text", text, *more)

    def timeline(self, *arguments):
        return json.loads(self.cli("timeline", "-o", "json", *arguments))

    def find(self, kind, text=""):
        return [e for e in self.timeline()["events"] if e["kind"] == kind and text in e["text"]]

    def knows(self, kind, text, seconds=60):
        return common.wait_until(lambda: self.find(kind, text), seconds,
                                 f"{self.name} knows the {kind} '{text}'", poll=0.2)[0]

    def now(self):
        return time.time() + AHEAD[self.name]


def seconds_of(text):
    return datetime.datetime.fromisoformat(text[:19]).replace(tzinfo=datetime.timezone.utc).timestamp()


def happen(checks, a, b, receiver):
    """The sequence; every step is begun when the one before is known everywhere. Returns what the
    true order is, as (node, kind, part of the text), and the incident."""
    a.annotate("deploy", "v2 of the shop")
    b.knows("change", "v2 of the shop")
    b.writer.status = 503
    b.knows("alert", "web", 120)
    common.wait_until(lambda: [x for _, _, x in receiver.got if x.get("slo") == "web"], 60, "a page")
    b.knows("page", "hook")
    opened = b.knows("state", "incident opened")
    checks.that(opened["incident"].startswith("INC-"), f"the incident has an id: {opened}")
    checks.that(opened["key"].startswith("alert/web/"), f"it is about an alert: {opened['key']}")
    b.write("incident", "ack", opened["incident"], "looking")
    ack = a.knows("ack", "looking")
    a.annotate("manual_action", "rolled v2 back")
    action = b.knows("action", "rolled v2 back")
    checks.that(seconds_of(action["reported"]) < seconds_of(ack["reported"]),
                f"by the clocks as they are the order is wrong: {action['reported']} {ack['reported']}")
    b.writer.status = 200
    common.wait_until(lambda: [e for e in b.find("resolved") if e["key"] == opened["key"]], 180, "its end")
    return [("a", "change", "v2 of the shop"), ("b", "alert", "web"), ("b", "page", "hook"),
            ("b", "ack", "looking"), ("a", "action", "rolled v2 back"),
            ("b", "resolved", "web")], opened["incident"]


def places(told, wanted):
    """Of each its place, or all that look like it; of an alert that of the incident (forecasts may warn)."""
    key = next((e["key"] for e in told["events"] if "incident opened" in e["text"]), None)
    out = []
    for node, kind, text in wanted:
        found = [i for i, e in enumerate(told["events"])
                 if (e["node"], e["kind"]) == (node, kind) and text in e["text"]
                 and (kind not in ("alert", "page", "ack", "resolved") or e["key"] == key)]
        out.append(found[0] if len(found) == 1 else found)
    return out


def check_order(checks, node, wanted, incident):
    told = node.timeline("--since", "1h")
    at = places(told, wanted)
    if not checks.that(all(isinstance(i, int) for i in at) and at == sorted(at),
                       f"{node.name} tells the true order: {at} of {wanted}"):
        print("\n".join(f"{e['time']} {e['reported']} ±{e['uncertainty_ns']} {e['node']} {e['kind']} "
                        f"{e['text']}" for e in told["events"]))
        return
    groups = [told["events"][i]["concurrent_group"] for i in at]
    marked = [g for g in groups if g is not None]
    checks.that(len(set(marked)) == len(marked), f"and claims it, none of them are concurrent: {groups}")
    offsets = {n["node"]: n["offset_ns"] for n in told["nodes"]}
    for other, ahead in AHEAD.items():
        if other not in offsets:
            continue
        off = offsets[other] / 1e9 - (ahead - AHEAD[node.name])
        checks.that(abs(off) < 0.1, f"{node.name} knows the clock of {other} within 0.1 s: {off}")
    key = told["events"][at[1]]["key"]
    checks.equal([told["events"][i]["key"] for i in at[1:4] + at[5:]], [key] * 4,
                 "alert, page, ack and resolution have one key")
    lines = node.cli("timeline", "--kind", "change,alert,page,ack,action,resolved").splitlines()
    shown = [next(i for i, line in enumerate(lines) if kind in line.split() and text in line)
             for _, kind, text in wanted]
    checks.equal(shown, sorted(shown), "as a table, too")
    of_one = json.loads(node.cli("timeline", "--incident", incident, "-o", "json"))["events"] \
        if node.name == "b" else None
    if of_one is not None:
        checks.that(all(p != [] for p in places({"events": of_one}, wanted)),
                    "the incident's timeline has the deploy before and the action of another node")


def check_formats(checks, node, incident):
    text = node.cli("incident", "timeline", incident)
    checks.that(text.startswith(incident), f"the incident's timeline is titled: {text[:80]}")
    mermaid = node.cli("incident", "timeline", incident, "-o", "mermaid")
    checks.that("sequenceDiagram" in mermaid and "participant" in mermaid and "v2 of the shop" in mermaid,
                "Mermaid")
    picture = xml.etree.ElementTree.fromstring(node.cli("timeline", "-o", "svg"))
    checks.that(picture.tag.endswith("svg"), "the picture is XML")
    drawn = [e.text for e in picture.iter() if e.tag.endswith("text") and e.text]
    checks.that(set(AHEAD) <= set(drawn), f"with a lane for each node: {drawn[:20]}")
    checks.equal(len([t for t in drawn if "by exchange" in t]), 2, "and how far their clocks are off")
    status, page = common.get(node.port, "/page.js")
    checks.that(status == 200 and b"/timeline" in page, "the page has it")
    review = node.cli("incident", "postmortem", incident)
    for part in ("Change (a, web-service)", "Ack (b, web-service): acknowledged by kim", "Action (a"):
        checks.that(part in review, f"the review's timeline has {part!r}")
    refused = node.cli("timeline", "--since", "yesterday", code=2)
    checks.that("24h" in refused, f"a wrong time is refused with the way out: {refused}")
    refused = node.cli("incident", "timeline", "INC-1999-0101-001", code=2)
    checks.that("there is no incident" in refused, f"and an unknown incident: {refused}")


def check_concurrent(checks, nodes):
    """At one true instant on two nodes: nobody can tell which was first."""
    a, b, c = nodes
    instant = int(time.time())
    stamps = {n.name: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(instant + AHEAD[n.name]))
              for n in nodes}
    a.annotate("note", "twin of a", "--at", stamps["a"])
    b.annotate("note", "twin of b", "--at", stamps["b"])
    c.knows("note", "twin of a")
    c.knows("note", "twin of b")
    for node in nodes:
        twins = node.find("note", "twin of")
        checks.equal(len(twins), 2, f"both on {node.name}")
        groups = [t["concurrent_group"] for t in twins]
        checks.that(groups[0] is not None and groups[0] == groups[1],
                    f"{node.name} marks them as concurrent: {groups}")
    lines = c.cli("timeline", "--kind", "note").splitlines()
    brackets = [line[0] for line in lines if "twin of" in line]
    checks.equal(brackets, ["┌", "└"], "brackets hold them together in the table")
    checks.that("par order not known" in c.cli("timeline", "--kind", "note", "-o", "mermaid"),
                "and par in Mermaid")


def identity(event):
    return event["node"], event["seq"], event["kind"], event["text"], event["reported"], event["key"]


def check_restart(checks, nodes):
    settle = ("change", "alert", "page", "ack", "action", "resolved", "note")
    before = {n.name: [e for e in n.timeline()["events"]] for n in nodes}
    known = {identity(e) for events in before.values() for e in events}
    for node in nodes:
        node.agent.wait_for_commits()
    for node in nodes:
        node.agent.kill()
    for node in nodes:
        node.start()
    fleet_nodes.hear_each_other(nodes, what="all hear all again")
    for node in nodes:
        kept = set(map(identity, before[node.name]))
        try:  # what others told in the last minute comes again from them
            common.wait_until(lambda: kept <= set(map(identity, node.timeline()["events"])), 60, "all")
        except TimeoutError:
            pass
        after = node.timeline()["events"]
        told = [identity(e) for e in after]
        checks.equal(len(set(told)), len(told), f"{node.name} tells nothing twice after kill -9")
        checks.equal(sorted(kept - set(told)), [], f"{node.name} has lost nothing")
        news = [e for e in told if e not in known and e[2] in settle]
        checks.equal(news, [], f"{node.name} has made nothing up")
        others = {e["node"] for e in after}
        checks.equal(others, set(AHEAD), f"{node.name} still knows what the others told")


def main():
    checks = common.Checks()
    if clock_ahead(1) is None:
        common.skip("libfaketime is not installed")
    folder = common.scratch("timeline")
    receiver, ports = Receiver(), {name: common.free_port() for name in AHEAD}
    receiver.open(200)
    fleet_nodes.issue(f"{folder}/pki", AHEAD)
    nodes = [Node(folder, name, ports, receiver) for name in AHEAD]
    a, b, c = nodes
    with fleet_nodes.running(checks, nodes, receiver):
        fleet_nodes.hear_each_other(nodes)
        common.wait_until(lambda: all(x["clock_offset_ms"] is not None for n in nodes
                                      for x in n.fleet()["nodes"] if not x["self"]), 60, "clocks")
        common.wait_until(lambda: b.agent.slos().get("web", {}).get("total", 0) > 50, 60, "counts")
        c.annotate("note", "c is there")
        a.knows("note", "c is there")
        wanted, incident = happen(checks, a, b, receiver)
        c.knows("resolved", "web")
        for node in nodes:
            check_order(checks, node, wanted, incident)
        check_formats(checks, b, incident)
        check_concurrent(checks, nodes)
        check_restart(checks, nodes)
        _, metrics = common.get(a.port, "/metrics")
        checks.that(b"nines_timeline_events_total" in metrics, "/metrics counts the events")
    checks.finish()


if __name__ == "__main__":
    main()
