#!/usr/bin/env python3
"""Three agents as peers over mutual TLS, with certificates of nines pki: each shows the counts of all,
one of them alone pages when a node is killed and ends that when it is back, a node with another
authority's certificate stays out, and at the end the three budgets are the same and what a recount
of the logs says."""
import json
import re

import common
import fleet_nodes
from test_alerts import Receiver

NODES = ["a", "b", "c"]


class Node(fleet_nodes.Node):
    def __init__(self, folder, name, ports, receiver, authority="pki"):
        super().__init__(folder, name)
        self.log = common.write(f"{self.folder}/access.log", "")
        slo = common.ratio_slo("web", "paths: [access.log], format: nginx", "status < 500", "", "0.9",
                               "1h")
        common.write(f"{self.folder}/slos/web.yaml", slo)
        self.configure(fleet_nodes.peers_yaml(
            f"{folder}/{authority}/{name}", [ports[n] for n in ports if n != name], ports[name]) +
            f"webhooks: [{{name: hook, url: \"http://127.0.0.1:{receiver.port}/{name}\"}}]\n")
        self.writer = common.AccessLog(self.log)

    def counts(self):
        budgets = [b for b in self.fleet()["slos"] if b["slo"] == "web"]
        return (budgets[0]["good"], budgets[0]["bad"]) if len(budgets) == 1 else None


def pages(receiver, kind):
    """Of silent nodes, by key: a repetition is none."""
    found = {key: body for _, key, body in receiver.got if body.get("rule") == "node-silent"}
    return [body for body in found.values() if body["kind"] == kind]


def recount(nodes):
    good = bad = 0
    for node in nodes:
        with open(node.log) as f:
            for line in f:
                ok = re.search(r'" (\d+) ', line)[1] == "200"
                good, bad = good + ok, bad + (not ok)
    return good, bad


def check_silence(checks, nodes, receiver):
    a, b, c = nodes
    c.agent.kill()
    common.wait_until(lambda: pages(receiver, "fired"), 150, "a page about c")
    common.wait_until(lambda: "c" not in a.alive() and "c" not in b.alive(), 60, "c is missed")
    c.start()
    common.wait_until(lambda: pages(receiver, "resolved"), 150, "c is back")
    fleet_nodes.hear_each_other(nodes, 60, "all hear all again")
    for kind in ("fired", "resolved"):
        told = pages(receiver, kind)
        checks.equal([(p["slo"], p["severity"]) for p in told], [("node-c", "page")], kind)
    checks.equal(pages(receiver, "fired")[0]["node"], pages(receiver, "resolved")[0]["node"],
                 "who paged ends it")


def check_stranger(checks, folder, nodes, ports, receiver):
    """Everything is right but the authority that signed its certificate."""
    fleet_nodes.issue(f"{folder}/other", ["d"])
    stranger = Node(folder, "d", {**ports, "d": common.free_port()}, receiver, authority="other")
    stranger.start()
    try:
        common.wait_until(lambda: "TLS with a peer failed" in nodes[0].own_log(), 60,
                          "the stranger was turned away")
        checks.equal(stranger.alive(), ["d"], "what the stranger sees")
        checks.equal([n.alive() for n in nodes], [NODES] * 3, "nobody joined")
        checks.that(stranger.counts() is None or sum(stranger.counts()) == 0,
                    "the stranger is told nothing")
    finally:
        stranger.agent.kill()


def main():
    checks = common.Checks()
    folder = common.scratch("fleet")
    receiver, ports = Receiver(), {name: common.free_port() for name in NODES}
    receiver.open(200)
    fleet_nodes.issue(f"{folder}/pki", NODES)
    nodes = [Node(folder, name, ports, receiver) for name in NODES]
    nodes[1].writer.status = 503
    with fleet_nodes.running(checks, nodes, receiver):
        fleet_nodes.hear_each_other(nodes, 60)
        common.wait_until(lambda: all(sum(n.counts() or (0, 0)) > 0 for n in nodes), 150,
                          "a minute of counts")
        check_stranger(checks, folder, nodes, ports, receiver)
        check_silence(checks, nodes, receiver)
        for node in nodes:
            node.writer.ending.set()
            node.writer.join()
        wanted = recount(nodes)
        common.wait_until(lambda: all(n.counts() == wanted for n in nodes), 200,
                          f"the same budget everywhere: {wanted}, {[n.counts() for n in nodes]}")
        checks.equal([n.counts() for n in nodes], [wanted] * 3, "budgets and recount")
        shown = common.run(common.tool("NINES_BIN"), "fleet", "status", "--agent",
                           f"127.0.0.1:{nodes[2].port}", "-o", "json")
        checks.equal(json.loads(shown.stdout)["slos"][0]["total"], sum(wanted), "nines fleet status")
        _, metrics = common.get(nodes[0].port, "/metrics")
        checks.that(b"nines_peer" in metrics or b"nines_fleet" in metrics, "/metrics of peers")
    checks.finish()


if __name__ == "__main__":
    main()
