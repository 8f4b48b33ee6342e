#!/usr/bin/env python3
"""`nines query --nodes` over three agents that listen to nobody and only have a connection to a real
nats-server. The answer is that of one query over all the files; nodes that are killed or stopped in
the middle, and a NATS that is, are told by name; what nobody wants any more ends at the nodes. Then
logins by NKey and by JWT, what permissions forbid, a leaf node with a JetStream of its own, and a
peer that only NATS still leads to."""
import json
import os
import re
import threading

import common
import fleet_nodes
import engines
import nkeys
import test_query_agents as agents

NODES = agents.NODES
BIG_LINES = {"a": 200_000, "b": 1_600_000}  # b is still at it when a is done
SLOW = "SELECT request_id FROM logs('big') WHERE ms > 5000 LIMIT {}"


class Node(agents.Node):
    """`hub`: of the upstream; `slow`: how many lines its second log has."""

    def __init__(self, folder, name, hub, slow=2):
        fleet_nodes.Node.__init__(self, folder, name)
        self.log = f"{self.folder}/app.log"
        agents.write_log(self.log, 3000 + 700 * (ord(name[0]) - ord("a")), ord(name[0]))
        self.write_big(slow)
        self.upstream(hub)

    def upstream(self, hub, peers=""):
        self.configure(
            f"sources:\n  - {{name: app, paths: [\"{self.log}\"], format: json}}\n"
            f"  - {{name: big, paths: [\"{self.folder}/big.log\"], format: json}}\n"
            f"upstream:\n  - {{name: hub, kind: nats, cluster: shop, {hub}}}\n{peers}")

    def write_big(self, lines):
        line = json.dumps({"ts": "2026-03-01T00:00:00Z", "level": "info", "request_id": self.name,
                           "ms": 1, "message": "one of many that have to be looked at"}) + "\n"
        with open(f"{self.folder}/big.log", "w", encoding="ascii") as f:
            f.write(line * lines)
            if self.name == "a":
                f.write(line.replace('"ms": 1,', '"ms": 9999,'))

    def metric(self, name, labels=""):
        _, text = common.get(self.port, "/metrics")
        found = re.search(rf"^{name}(?:{{[^}}]*{labels}[^}}]*}})? ([\d.]+)", text.decode(), re.M)
        return float(found[1]) if found else 0.0

    def queries(self, outcome):
        return self.metric("nines_broker_queries_total", f'outcome="{outcome}"')

    def own_log(self):
        with open(f"{self.folder}/agent.log", errors="replace") as f:
            return f.read()

    def fleet(self):
        status, body = common.get(self.port, "/api/fleet")
        return [n["node"] for n in json.loads(body)["nodes"]] if status == 200 else []


def all_answer(nodes):
    wanted = sorted(n.name for n in nodes)
    return all(n.ask(agents.COUNTS.format("logs('app')"))[1].get("nodes_ok") == wanted
               for n in nodes)


class Asking(threading.Thread):
    """A query that takes long at b; entered once b answers it."""

    def __init__(self, a, b, sql):
        super().__init__(daemon=True)
        self.a, self.b, self.sql, self.got = a, b, sql, None

    def run(self):
        self.got = self.a.ask(self.sql)

    def __enter__(self):
        before = self.b.queries("answered")
        self.start()
        common.wait_until(lambda: self.b.queries("answered") > before, 30, "b answers", poll=0.005)
        return self

    def __exit__(self, *_):
        self.join()


def check_cancel(checks, a, b):
    """The first row, a's last, is enough; looking for a second takes b all of its file."""
    def cost(sql):
        before = b.metric("process_cpu_seconds_total")
        code, answer, said = a.ask(sql)
        checks.equal((code, len(agents.rows_of(answer) or [])), (0, 1), f"{sql}: {said}")
        # b answers one after the other: this one when it is done with that.
        a.ask(agents.COUNTS.format("logs('app')"), "b")
        return b.metric("process_cpu_seconds_total") - before

    answered = b.queries("answered")
    whole = min(cost(SLOW.format(2)) for _ in range(2))
    cut = min(cost(SLOW.format(1)) for _ in range(3))
    checks.that(cut < 0.6 * whole, f"b ends with who asked it: {cut:.3f} s of {whole:.3f} s")
    checks.equal(b.queries("answered") - answered, 10, "b was asked each time")


def check_middle(checks, nodes, nats):
    a, b, c = nodes
    sql = "SELECT count(*) AS n FROM logs('big') WHERE ms > 0"
    with Asking(a, b, sql) as asking:
        nats.kill()
    code, answer, said = asking.got
    checks.equal(code, 3, f"NATS is killed: {said}")
    why = " ".join(answer.get("notes", []))
    checks.that("b" in answer.get("nodes_failed", []) and "b: " in why and "NATS" in why, f"b: {why}")
    code, answer, said = a.ask(agents.COUNTS.format("logs('app')"))
    checks.equal((code, answer.get("nodes_failed")), (3, ["b", "c"]), f"without NATS: {said}")
    checks.equal(agents.rows_of(answer), agents.alone(agents.COUNTS, [a]), "a's own logs are there")
    nats.start()
    common.wait_until(lambda: all_answer(nodes), 90, "all answer again")
    with Asking(a, b, sql) as asking:
        b.agent.kill()
    code, answer, said = asking.got
    checks.equal((code, answer.get("nodes_failed"), answer.get("nodes_ok")), (3, ["b"], ["a", "c"]),
                 f"b is killed while it answers: {said}")
    b.start()
    common.wait_until(lambda: all_answer(nodes), 90, "b is back")


def check_three(checks, folder):
    nats = engines.Nats(folder, "nats")
    hub = f"url: \"nats://127.0.0.1:{nats.port}\", queries: both"
    # a shows the whole fleet, the others only read who there is.
    nodes = [Node(folder, n, hub + (", fleet: true" if n == "a" else ""),
                  BIG_LINES.get(n, 2)) for n in NODES]
    try:
        nats.start()
        for node in nodes:
            node.start()
        common.wait_until(lambda: all_answer(nodes), 90, "all answer all")
        agents.check_all(checks, nodes)
        check_cancel(checks, *nodes[:2])
        check_middle(checks, nodes, nats)
        agents.check_missing(checks, nodes)  # b is stopped, then killed
        checks.that(nodes[2].queries("answered") > 0 and nodes[0].queries("asked") > 0, "it is counted")
    finally:
        end(checks, nodes, nats)


def brokers(node):
    status, body = common.get(node.port, "/api/status")
    return json.loads(body)["brokers"] if status == 200 else []


def check_denied(checks, node, lacks):
    """It says so itself: status, metrics, log and doctor."""
    common.wait_until(lambda: any(lacks in one for b in brokers(node) for one in b["denied"]), 60,
                      f"{node.name} knows what it may not do")
    checks.equal((brokers(node)[0]["trouble"], node.metric("nines_broker_up")), ("", 1),
                 f"{node.name}: what it tells is taken")
    checks.that(node.metric("nines_broker_denied") >= 1, f"{node.name}: the metric")
    common.wait_until(lambda: lacks in node.own_log(), 30, f"{node.name}: the log")
    doctor = common.run(common.tool("NINES_BIN"), "doctor", "--config", node.config, "--state",
                        f"{node.folder}/state").stdout.decode()
    checks.that(re.search(r"warning +broker ", doctor) and lacks in doctor, f"the doctor: {doctor}")


def check_deaf(checks, folder):
    """d may not listen for queries, and e may not answer them: who asks has no answer, they know why."""
    keys = {name: nkeys.Key("user", name) for name in ("asker", "d", "e")}
    nats = engines.Nats(folder, "deaf", "authorization { users: [\n"
                        f"  {{ nkey: {keys['asker'].public} }}\n  {{ nkey: {keys['d'].public},"
                        ' permissions: { subscribe: { deny: "nines.*.query.>" } } }\n'
                        f"  {{ nkey: {keys['e'].public}, permissions: {{ publish: {{ deny: [\"_INBOX.>\"] }} }} }}\n"
                        "] }")
    hub = f"url: \"nats://127.0.0.1:{nats.port}\", nkey_file: nkey, queries: both"
    nodes = [Node(folder, name, hub) for name in keys]
    try:
        nats.start()
        for node, key in zip(nodes, keys.values()):
            common.write(f"{node.folder}/nkey", key.seed + "\n")
            node.start()
        asker, d, e = nodes
        counts = agents.COUNTS.format("logs('app')")
        common.wait_until(lambda: asker.ask(counts)[1].get("nodes_failed") == ["d", "e"], 90,
                          "both are known and silent")
        code, answer, said = asker.ask(counts)
        checks.equal((code, answer.get("nodes_ok")), (3, ["asker"]), f"both are told: {said}")
        check_denied(checks, d, 'permissions { subscribe: "nines.shop.query.>" }')
        check_denied(checks, e, 'permissions { publish: "_INBOX.>" }')
    finally:
        end(checks, nodes, nats)


def check_nkeys(checks, folder):
    """m may ask, o may not."""
    allowed, forbidden = nkeys.Key("user", "allowed"), nkeys.Key("user", "forbidden")
    nats = engines.Nats(folder, "nkeys", "authorization { users: [\n"
                        f"  {{ nkey: {allowed.public} }}\n  {{ nkey: {forbidden.public},"
                        ' permissions: { publish: { deny: "nines.*.query.>" } } }\n] }')
    hub = f"url: \"nats://127.0.0.1:{nats.port}\", nkey_file: nkey, queries: both"
    nodes = [Node(folder, "m", hub), Node(folder, "o", hub)]
    stranger = Node(folder, "s", hub)
    try:
        nats.start()
        for node, key in zip(nodes + [stranger], (allowed, forbidden, nkeys.Key("user", "nobody"))):
            common.write(f"{node.folder}/nkey", key.seed + "\n")
            node.start()
        m, o = nodes
        counts = agents.COUNTS.format("logs('app')")
        common.wait_until(lambda: m.ask(counts)[1].get("nodes_ok") == ["m", "o"], 90, "m asks o")
        common.wait_until(lambda: "m" in o.ask(counts)[1].get("nodes_failed", []), 90, "o knows m")
        code, answer, said = o.ask(counts)
        checks.equal((code, answer.get("nodes_ok")), (3, ["o"]), f"what NATS forbids: {said}")
        checks.equal(m.queries("answered"), 0, "m never heard of it")
        lacks = 'permissions { publish: "nines.shop.query.>" }'
        told = " ".join(answer.get("notes", []))
        checks.that(told.startswith("m: ") and "publish to nines.shop.query.m" in told and lacks in told,
                    f"the subject and the way out: {told}")
        check_denied(checks, o, lacks)
        checks.that(not brokers(m)[0]["denied"], f"m lacks nothing: {brokers(m)}")
        common.wait_until(lambda: "Authorization Violation" in stranger.own_log(), 30, "a refusal")
        checks.equal(stranger.metric("nines_broker_up"), 0, "an unknown NKey")
        checks.that(nkeys.Key("user", "nobody").seed not in stranger.own_log(), "no seed in the log")
    finally:
        end(checks, nodes + [stranger], nats)


def check_jwt(checks, folder):
    operator, system = nkeys.Key("operator", "op"), nkeys.Key("account", "sys")
    account, user = nkeys.Key("account", "shop"), nkeys.Key("user", "edge")
    limits = {key: -1 for key in ("subs", "data", "payload", "imports", "exports", "conn", "leaf")}
    store = {key: -1 for key in ("mem_storage", "disk_storage", "streams", "consumer")}
    everything = {"pub": {}, "sub": {}}
    accounts = {
        system: system.jwt(operator, limits={**limits, "wildcards": True},
                           default_permissions=everything),
        account: account.jwt(operator, limits={**limits, **store, "wildcards": True},
                             default_permissions=everything)}
    told = common.write(f"{folder}/operator.jwt", operator.jwt(operator, system_account=system.public))
    preload = "\n".join(f"  {key.public}: {jwt}" for key, jwt in accounts.items())
    nats = engines.Nats(folder, "jwt", f"operator: \"{told}\"\nsystem_account: {system.public}\n"
                        f"resolver: MEMORY\nresolver_preload: {{\n{preload}\n}}")
    hub = f"url: \"nats://127.0.0.1:{nats.port}\", nkey_file: edge.creds, fleet: true, queries: both"
    nodes = [Node(folder, "j", hub), Node(folder, "k", hub)]
    wrong = Node(folder, "w", hub)
    good = user.credentials(user.jwt(account, subs=-1, data=-1, payload=-1, **everything))
    # Signed by an account that the operator does not know.
    forged = user.credentials(user.jwt(nkeys.Key("account", "other"), subs=-1, data=-1, payload=-1,
                                       **everything))
    try:
        nats.start()
        for node in nodes + [wrong]:
            common.write(f"{node.folder}/edge.creds", forged if node is wrong else good)
            node.start()
        common.wait_until(lambda: all_answer(nodes), 90, "j and k ask each other")
        checks.equal(sorted(nodes[0].fleet()), ["j", "k"], "the fleet")
        common.wait_until(lambda: "Authorization Violation" in wrong.own_log(), 30, "a refusal")
        checks.equal(wrong.metric("nines_broker_up"), 0, "forged credentials")
    finally:
        end(checks, nodes + [wrong], nats)


def check_leaf(checks, folder):
    """h at the hub, l behind a leaf node whose server has a JetStream of its own."""
    port = common.free_port()
    hub = engines.Nats(folder, "hub", f"leafnodes {{ listen: \"127.0.0.1:{port}\" }}", domain="hub")
    leaf = engines.Nats(folder, "leaf", "leafnodes { remotes: [ "
                        f"{{ url: \"nats-leaf://127.0.0.1:{port}\" }} ] }}", domain="edge")
    common_part = "fleet: true, queries: both, domain: hub"
    nodes = [Node(folder, "h", f"url: \"nats://127.0.0.1:{hub.port}\", {common_part}"),
             Node(folder, "l", f"url: \"nats://127.0.0.1:{leaf.port}\", {common_part}")]
    try:
        hub.start()
        leaf.start()
        for node in nodes:
            node.start()
        common.wait_until(lambda: all_answer(nodes), 90, "both answer over the leaf node")
        for node in nodes:
            code, answer, said = node.ask(agents.COUNTS.format("logs('app')"))
            checks.equal((code, agents.rows_of(answer)), (0, agents.alone(agents.COUNTS, nodes)),
                         f"{node.name}: {said}")
            checks.equal(sorted(node.fleet()), ["h", "l"], f"the fleet as {node.name} has it")
        hub.kill()
        common.wait_until(lambda: nodes[1].ask(agents.COUNTS.format("logs('app')"))[1].get(
            "nodes_failed") == ["h"], 60, "the leaf is alone")
        checks.that(nodes[1].metric("nines_broker_connects_total") == 1, "with its own server")
        hub.start()
        common.wait_until(lambda: all_answer(nodes), 120, "the leaf is back")
        checks.that(not os.path.exists(f"{leaf.folder}/data/jetstream/$G/streams/NINES-STATE-shop"),
                    "the stream is the hub's")
    finally:
        end(checks, nodes, hub, leaf)


def check_peers(checks, folder):
    """q is a peer of p, until it comes back without its peers' port."""
    nats = engines.Nats(folder, "beside")
    hub = f"url: \"nats://127.0.0.1:{nats.port}\", queries: both"
    nodes = p, q = Node(folder, "p", hub), Node(folder, "q", hub)
    ports = common.free_port(), common.free_port()
    for i, node in enumerate(nodes):
        node.upstream(hub, f"peers: {{cluster: shop, listen: \"127.0.0.1:{ports[i]}\", "
                           f"nodes: [\"127.0.0.1:{ports[1 - i]}\"]}}\n")
    counts = agents.COUNTS.format("logs('app')")
    try:
        nats.start()
        for node in nodes:
            node.start()
        common.wait_until(lambda: all(n.fleet() == ["p", "q"] for n in nodes), 90, "they are peers")
        common.wait_until(lambda: all_answer(nodes), 30, "they answer")
        asked = p.queries("asked")
        code, _, said = p.ask(counts)
        checks.equal((code, p.queries("asked")), (0, asked), f"peers are asked directly: {said}")
        q.agent.kill()
        q.upstream(hub)
        q.start()
        common.wait_until(lambda: all_answer(nodes), 90, "q answers again")
        code, answer, said = p.ask(counts)
        checks.equal((code, agents.rows_of(answer)), (0, agents.alone(agents.COUNTS, nodes)), said)
        checks.that(p.queries("asked") > asked, "over NATS")
    finally:
        end(checks, nodes, nats)


def end(checks, nodes, *servers):
    for node in nodes:
        if node.agent is not None:
            node.agent.kill()
            if checks.failures:
                print(f"--- {node.name}\n{node.own_log()[-1500:]}")
    for server in servers:
        server.kill()


def main():
    checks = common.Checks()
    folder = common.scratch("query-nats")
    for check in (check_nkeys, check_deaf, check_jwt, check_leaf, check_peers, check_three):
        check(checks, folder)
    checks.finish()


if __name__ == "__main__":
    main()
