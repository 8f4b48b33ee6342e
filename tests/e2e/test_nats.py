#!/usr/bin/env python3
"""Three agents that tell a real nats-server, which is killed while it is told, comes back with and
without its store, while an agent is killed in between: afterwards whoever reads the stream sees the
budgets that a recount of the logs gives, and each alert event is in the stream once. Then logins
that are refused, and TLS."""
import json
import re
import signal

import common
import fleet_nodes
import engines
from test_alerts import POLICY, Receiver

NODES = ["a", "b", "c.example.org"]
PASSWORD = "correct-horse"
USERS = f'authorization {{ users: [ {{user: edge, password: "{PASSWORD}"}} ] }}'


class Node(fleet_nodes.Node):
    def __init__(self, folder, name, nats, receiver, extra=""):
        super().__init__(folder, name)
        self.log = f"{self.folder}/access.log"
        common.write(self.log, "")
        slo = common.ratio_slo("web", "paths: [access.log], format: nginx", "status < 500", "", "0.9",
                               "1h")
        common.write(f"{self.folder}/slos/web.yaml", slo + POLICY)
        common.write(f"{self.folder}/password", PASSWORD)
        login = "user: edge, password_file: password"
        hook = f"webhooks: [{{name: hook, url: \"http://127.0.0.1:{receiver.port}/\"}}]\n"
        self.configure(
            f"upstream:\n  - {{name: hub, kind: nats, url: \"nats://127.0.0.1:{nats.port}\","
            f" cluster: shop, {extra or login}}}\n" + hook)
        self.writer = common.AccessLog(self.log)

    def metric(self, name):
        _, text = common.get(self.port, "/metrics")
        found = re.search(rf"^{name}{{[^}}]*}} (\d+)", text.decode(), re.M)
        return int(found[1]) if found else None


def nines_fleet(node, *arguments):
    return common.run(common.tool("NINES_BIN"), "fleet", *arguments, "--config", node.config,
                      "--nats", "hub", text=True)


def fleet(node):
    """The fleet as `nines fleet status` reads it from the stream."""
    done = nines_fleet(node, "status", "-o", "json")
    return json.loads(done.stdout) if done.returncode == 0 else None


def counts(shown):
    found = [s for s in (shown or {"slos": []})["slos"] if s["slo"] == "web"]
    return (found[0]["good"], found[0]["bad"]) if found else None


def parts(shown):
    found = [s for s in (shown or {"slos": []})["slos"] if s["slo"] == "web"]
    return {p["node"]: p["good"] + p["bad"] for s in found for p in s["nodes"]}


def recount(nodes):
    good = bad = 0
    for node in nodes:
        with open(node.log) as f:
            for line in f:
                ok = re.search(r'" (\d+) ', line)[1] == "200"
                good, bad = good + ok, bad + (not ok)
    return good, bad


def event_ids(nats):
    with engines.NatsClient(nats.port, user="edge", **{"pass": PASSWORD}) as client:
        return [re.search(r"Nats-Msg-Id: (\S+)", headers)[1]
                for _, headers, _ in client.stream("NINES-EVENTS-shop")]


def told(receiver, kind, node):
    return [b for _, b in receiver.delivered() if b["kind"] == kind and b["node"] == node]


def check_outages(nodes, nats, receiver):
    """The server is killed twice, the second time its store goes too; c is killed in between."""
    a, b, c = nodes
    common.wait_until(lambda: all(parts(fleet(a)).get(n, 0) > 0 for n in NODES), 150, "all are shown")
    b.writer.status = 503
    common.wait_until(lambda: told(receiver, "fired", "b"), 90, "b pages")
    common.wait_until(lambda: event_ids(nats), 30, "the page is in the stream")
    nats.kill()
    c.agent.kill()
    b.writer.status = 200
    common.wait_until(lambda: told(receiver, "resolved", "b"), 120, "b is well again")
    common.wait_until(lambda: b.metric("nines_broker_up") == 0, 30, "b sees that it is not there")
    nats.start()
    c.start()
    common.wait_until(lambda: len(event_ids(nats)) == 2, 90, "what happened meanwhile is told")
    a.writer.status = 503
    common.wait_until(lambda: told(receiver, "fired", "a"), 90, "a pages")
    nats.kill()
    nats.forget()
    nats.start()
    common.wait_until(lambda: len(event_ids(nats)) >= 3, 90, "all is told again")
    a.agent.process.send_signal(signal.SIGKILL)
    a.agent.kill()
    a.writer.status = 200
    a.start()
    common.wait_until(lambda: told(receiver, "resolved", "a"), 120, "a is well again")


def check_view(checks, nodes, nats, receiver):
    for node in nodes:
        node.writer.ending.set()
        node.writer.join()
    wanted = recount(nodes)
    common.wait_until(lambda: counts(fleet(nodes[0])) == wanted, 200,
                      f"the view is the recount {wanted}: {counts(fleet(nodes[0]))}")
    _, body = common.get(nodes[0].port, "/api/fleet")
    common.wait_until(lambda: counts(json.loads(common.get(nodes[0].port, "/api/fleet")[1])) == wanted,
                      60, f"the agent shows the same: {counts(json.loads(body))}")
    keys = {key for key, _ in receiver.delivered()}
    common.wait_until(lambda: len(event_ids(nats)) >= len(keys), 60, "every event is in the stream")
    ids = [name.replace("=2E", ".") for name in event_ids(nats)]
    checks.equal(sorted(ids), sorted(keys), "each event is in the stream once")
    with engines.NatsClient(nats.port, user="edge", **{"pass": PASSWORD}) as client:
        held = client.stream("NINES-STATE-shop")
        checks.equal(len({subject for subject, _, _ in held}), len(held), "one message a subject")
        checks.that(len(held) < 100, f"no more subjects than the rings have: {len(held)}")
        events = [json.loads(body) for _, _, body in client.stream("NINES-EVENTS-shop")]
    for event in events:
        same = [b for _, b in receiver.delivered()
                if (b["node"], b["boot"], b["sequence"]) ==
                (event["node"], event["boot"], event["sequence"])]
        checks.equal({k: v for k, v in event.items() if k not in ("id", "isolated")},
                     {k: v for k, v in same[0].items() if k != "incident"},
                     "an event is what webhooks get, but for its incident")
    table = nines_fleet(nodes[0], "nodes")
    for name in NODES:
        checks.that(name in table.stdout, f"{name} in nines fleet nodes:\n{table.stdout}")


def check_refusal(checks, folder, nats, receiver):
    stranger = Node(folder, "stranger", nats, receiver, extra="user: edge, password_file: wrong")
    common.write(f"{stranger.folder}/wrong", "guess")
    stranger.start()
    try:
        common.wait_until(lambda: "Authorization Violation" in stranger.own_log(), 30, "a refusal")
        checks.equal(stranger.metric("nines_broker_up"), 0, "nines_broker_up of who is refused")
        checks.that("guess" not in stranger.own_log(), "no secret in the log")
        done = nines_fleet(stranger, "status")
        checks.equal(done.returncode, 3, "nines fleet status of who is refused")
        checks.that("Authorization Violation" in done.stderr, done.stderr)
    finally:
        stranger.agent.kill()


def check_tls(checks, folder, receiver):
    for authority in ("pki", "other"):
        for arguments in (["init", "--cluster", "shop"], ["issue", "localhost"]):
            done = common.run(common.tool("NINES_BIN"), "pki", *arguments, "--dir",
                              f"{folder}/{authority}")
            assert done.returncode == 0, done
    pki = f"{folder}/pki/localhost"
    nats = engines.Nats(folder, "tls", USERS + (
        f'\ntls {{ cert_file: "{pki}/node.crt", key_file: "{pki}/node.key",'
        f' ca_file: "{pki}/ca.crt", verify: true }}'))
    with nats:
        url = f"url: \"tls://localhost:{nats.port}\", user: edge, password_file: password"
        files = f"cert_file: {pki}/node.crt, key_file: {pki}/node.key"
        node = Node(folder, "secure", nats, receiver)
        text = open(node.config).read().replace(f"url: \"nats://127.0.0.1:{nats.port}\"", "URL")
        text = text.replace("user: edge, password_file: password", f"{files}, ca_file: CA")
        text = text.replace("URL", url)
        common.write(node.config, text.replace("CA}", f"{pki}/ca.crt}}"))
        node.start()
        try:
            common.wait_until(lambda: node.metric("nines_broker_up") == 1, 30, "TLS stands")
            common.wait_until(lambda: (node.metric("nines_broker_messages_total") or 0) > 0, 30, "told")
            checks.equal([n["node"] for n in fleet(node)["nodes"]], ["secure"], "the fleet over TLS")
            common.write(node.config, text.replace("CA}", f"{folder}/other/localhost/ca.crt}}"))
            done = nines_fleet(node, "status")
            checks.that(done.returncode == 3 and "certificate verify failed" in done.stderr,
                        f"a server of another authority is not spoken to: {done}")
        finally:
            node.agent.kill()
            if checks.failures:
                print(node.own_log()[-1500:])


def main():
    checks = common.Checks()
    folder = common.scratch("nats")
    receiver, nats = Receiver(), engines.Nats(folder, "hub", USERS)
    receiver.open(200)
    login = "user: edge, password_file: password"
    nodes = [Node(folder, name, nats, receiver,
                  login + (", fleet: true" if name == "a" else "")) for name in NODES]
    try:
        nats.start()
        for node in nodes:
            node.writer.start()
            node.start()
        check_refusal(checks, folder, nats, receiver)
        check_tls(checks, folder, receiver)
        check_outages(nodes, nats, receiver)
        check_view(checks, nodes, nats, receiver)
    finally:
        for node in nodes:
            node.writer.ending.set()
            if node.agent is not None:
                node.agent.kill()
            if checks.failures:
                print(f"--- {node.name}\n{node.own_log()[-1500:]}")
        nats.kill()
        receiver.shut()
    checks.finish()


if __name__ == "__main__":
    main()
