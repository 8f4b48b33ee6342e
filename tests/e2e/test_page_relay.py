#!/usr/bin/env python3
"""Two agents over mutual TLS, of which one reaches no notifier: its pages arrive once, told by the
other under the same key; the receipt and an acknowledgement come back, and neither goes on. The same
when the way opens again in the middle: what was told is not told again. Never by an observer."""
import json

import chaos_proxy
import common
import fleet_nodes
import notify_standins as standins
from test_incident_people import metric


class Gate:
    """A port that is dead until it is opened, then the way to a receiver."""

    def __init__(self):
        self.port, self.proxy = common.free_port(), None

    def url(self):
        return f"http://127.0.0.1:{self.port}/cut-off"

    def open(self, hook):
        self.proxy = chaos_proxy.ChaosProxy("127.0.0.1", {self.port: ("127.0.0.1", hook.port)}, 0, 0, 1)


class Node(fleet_nodes.Node):
    def __init__(self, folder, name, ports, hook):
        super().__init__(folder, name)
        pki = f"{folder}/pki/{name}"
        others = [port for other, port in ports.items() if other != name]
        self.state = f"{self.folder}/state"
        hooks = f'webhooks:\n  - {{name: hook, url: "{hook}", timeout: 2s}}\n' if hook else ""
        self.configure(fleet_nodes.peers_yaml(pki, others, ports[name]) +
                       "incidents: {acknowledge_within: {P1: 90s}}\n" + hooks)

    def nines(self, *arguments, by="kim"):
        done = common.run(common.tool("NINES_BIN"), "incident", *arguments, "--agent",
                          f"127.0.0.1:{self.port}", "--state", self.state, "--by", by, timeout=60)
        assert done.returncode == 0, done
        return done.stdout.decode()

    def declare(self, text):
        return json.loads(self.nines("declare", text, "--severity", "P1", "--service", "shop", "-o",
                                     "json"))["id"]

    def incident(self, name):
        status, body = common.get(self.port, f"/api/incidents/{name}")
        return json.loads(body) if status == 200 else {"pages": [], "state": ""}

    def told(self, what):
        return metric(self, f'nines_incident_told_total{{transition="{what}"}}') or 0


def deliveries(hook, name):
    """Of an incident, each time that anything of it came: (transition, key, by whom)."""
    return [(body["incident"]["transition"], key, body.get("relayed_by"))
            for key, body in list(hook.events) if body.get("incident", {}).get("id") == name]


def receipts(node, name):
    return [p["details"] for p in node.incident(name)["pages"] if "channel" in p["details"]]


def relayed_once(checks, a, b, hook):
    name = a.declare("the shop does not answer")
    common.wait_until(lambda: deliveries(hook, name), 180, "the other node tells it")
    common.wait_until(lambda: a.told("relay_done") == 1, 90, "the receipt is back")
    [(transition, key, by)] = deliveries(hook, name)
    checks.equal((transition, by), ("opened", "b"), "who told it")
    checks.that(key.startswith("a/"), f"under the key of the node that it is from: {key}")
    relays = [r["relays"] for r in receipts(a, name)]
    checks.equal(relays, [key.replace("/alert", "")], "the receipt")
    b.nines("ack", name, "on it")
    common.wait_until(lambda: a.incident(name)["state"] == "acknowledged", 60, "the ack is back")
    return name


def link_comes_back(checks, a, b, gate, hook):
    """What b has told is passed over; what comes afterwards a tells itself."""
    second = a.declare("orders are lost")
    common.wait_until(lambda: deliveries(hook, second), 180, "the other node tells the second")
    common.wait_until(lambda: a.told("relay_done") == 2, 90, "the receipt of the second")
    names = [a.declare("mails are late")]
    gate.open(hook)  # before anybody else is asked, or in the middle of it
    for _ in range(8):  # its next attempt may be a minute away, and the other one quicker
        common.wait_until(lambda: deliveries(hook, names[-1]), 180, "it is told")
        common.wait_until(lambda: receipts(b, names[-1]), 60, "both know that it is told")
        if deliveries(hook, names[-1])[0][2] is None:
            break
        names.append(a.declare(f"lamp {len(names)} is out"))
    checks.equal(deliveries(hook, names[-1])[0][2], None, "by the node itself again")
    return [second, *names]


def main():
    checks = common.Checks()
    folder = common.scratch("page-relay")
    fleet_nodes.issue(f"{folder}/pki", ["a", "b"])
    fleet_nodes.pki(f"{folder}/pki", "issue", "aa", "--role", "observer")
    ports = {name: common.free_port() for name in ("a", "b", "aa")}
    hook, gate, wrong = standins.Webhook(), Gate(), standins.Webhook()
    a = Node(folder, "a", ports, gate.url())
    b = Node(folder, "b", ports, hook.url("/hook"))
    aa = Node(folder, "aa", ports, wrong.url("/observer"))
    nodes = (a, b, aa)
    try:
        for node in nodes:
            node.start()
        for node in nodes:
            common.wait_until(lambda n=node: common.get(n.port, "/readyz")[0] == 200, 90, "ready")
        common.wait_until(lambda: "b" in a.alive() and "a" in b.alive(), 90, "they hear each other")
        first = relayed_once(checks, a, b, hook)
        names = [first, *link_comes_back(checks, a, b, gate, hook)]
        # The second began after the first: when its time is over, so was that of the first.
        common.wait_until(lambda: "escalated" in [t for t, _, _ in deliveries(hook, names[1])], 240,
                          "nobody acknowledges the second")
        checks.equal({t for t, _, _ in deliveries(hook, first)}, {"opened"},
                     "who acknowledged the first stopped it on both")
        for name in names:
            opened = {key for t, key, _ in deliveries(hook, name) if t == "opened"}
            checks.equal(len(opened), 1, f"{name}: one page, whoever told it")
        print(f"  told: {[deliveries(hook, n) for n in names]}")
        twice = a.told("relay_twice") + b.told("relay_twice")
        extra = sum(len(deliveries(hook, n)) - len({k for _, k, _ in deliveries(hook, n)})
                    for n in names)
        checks.that(extra <= twice, f"{extra} repeats under one key, {twice} counted")
        checks.equal(wrong.events, [], "an observer tells nobody")
        checks.equal(aa.told("relay_taken"), 0, "and takes nothing on")
    finally:
        for node in nodes:
            if node.agent:
                node.agent.kill()
        if checks.failures:
            for node in nodes:
                print(node.called, node.own_log()[-3000:])
    checks.finish()


if __name__ == "__main__":
    main()
